"""A bench on which one example after another is tried."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, cast

import pytest

from reconciler.aws.session import Sessions, Transport
from reconciler.config.dump import dump_document
from reconciler.core.model import Desired, Outcome, Plan
from reconciler.emulator import (
    EMULATOR_ACCESS_KEY,
    EMULATOR_ACCOUNT,
    EMULATOR_REGION,
    EMULATOR_SECRET_KEY,
    Emulator,
    LoggedRequest,
    Response,
    Switches,
    attach,
)
from reconciler.operations.apply import apply
from reconciler.operations.jobs import Clock, Waiting
from reconciler.operations.plan import plan
from reconciler.operations.pull import pull
from reconciler.wiring import Connection, Selection, Services

APP, ENVIRONMENT, RESOURCE = "d1example", "prod", "shopauth"
GUARDS = ("identity-pool-deletion", "mfa-on", "unread-mfa", "unread-verification", "unseen-settings")


def _nothing() -> None:
    """A step at which nothing happens."""


class _Relay:
    """Passes requests on to the emulator of the example: clients are dear, emulators are cheap.

    ``step`` is called before and after each request is carried out.
    """

    emulator: Emulator

    def __init__(self, step: Callable[[], None]) -> None:
        self._step = step

    def handle(self, method: str, path: str, headers: Mapping[str, str], body: bytes) -> Response:
        self._step()
        answer = self.emulator.handle(method, path, headers, body)
        self._step()
        return answer


@dataclass
class Time:
    """Time that passes only when somebody sleeps."""

    now: float = 1_700_000_000.0

    def __call__(self) -> float:
        return self.now

    def sleep(self, seconds: float) -> None:
        self.now += seconds


@dataclass
class Trial:
    """One example: a service of its own, and the tool in front of it."""

    services: Services
    emulator: Emulator
    time: Time
    path: Path
    environ: dict[str, str] = field(default_factory=dict)

    def live(self) -> dict[str, Any]:
        """The truth, secrets included."""
        config = self.emulator.live(EMULATOR_ACCOUNT, EMULATOR_REGION, APP, ENVIRONMENT)
        assert config is not None
        return config

    @property
    def updates(self) -> tuple[LoggedRequest, ...]:
        """The updates that were sent."""
        return self.emulator.requests("UpdateBackendAuth")

    def load(self, text: str) -> tuple[Desired, ...]:
        """Read a document; it has no errors."""
        self.path.write_text(text, encoding="utf-8")
        loaded = self.services.load([str(self.path)], Selection(allow=GUARDS), stdin=bytes, network=True)
        assert loaded.errors == ()
        return self.services.locate(loaded).desired

    def plan_text(self, text: str) -> Plan:
        """Plan a document's text."""
        return plan(self.load(text), self.services.reader_of, now="2026-01-01T00:00:00Z")

    def plan(self, config: Mapping[str, Any]) -> Plan:
        """Plan a document that manages ``config``, with every guard allowed."""
        return self.plan_text(as_document(config))

    def clock(self, step: Callable[[], None] = _nothing) -> Clock:
        """The service's own clock; ``step`` is called whenever somebody waits."""

        def sleep(seconds: float) -> None:
            step()
            self.time.sleep(seconds)

        return Clock(self.time, sleep, lambda: datetime.fromtimestamp(self.time.now, UTC))

    def apply(self, made: Plan) -> Outcome:
        """Carry out a plan of one target."""
        keeping = self.services.books.keeping("apply", made)
        (outcome,) = apply(
            made,
            self.services.writer_of,
            self.services.references.of_plan(".", (target.desired for target in made.planned)),
            keeping=keeping,
            clock=self.clock(),
            waiting=Waiting(),
        )
        return outcome

    def pulled(self) -> str:
        """What `pull` writes."""
        wanted = self.services.target(APP, ENVIRONMENT, RESOURCE)
        found = pull(self.services.reader_of(wanted), wanted)
        return dump_document(None, found.target, found.config)


def as_document(config: Mapping[str, Any]) -> str:
    """A document that manages ``config``."""
    identity = {"AppId": APP, "BackendEnvironmentName": ENVIRONMENT, "ResourceName": RESOURCE}
    return json.dumps({"region": EMULATOR_REGION, **identity, "ResourceConfig": config}, ensure_ascii=False)


@dataclass
class Bench:
    """Where examples are tried: clients that all of them share."""

    folder: Path
    sessions: Sessions
    relay: _Relay
    tried: int = 0

    def trial(self, live: Mapping[str, Any], switches: Switches, environ: Mapping[str, str] | None = None) -> Trial:
        """A new service with this configuration live."""
        if self.tried:
            self.relay.emulator.close()
        self.tried += 1
        time = Time()
        emulator = Emulator(self.folder / f"{self.tried}.sqlite", clock=time, seed=False)
        self.relay.emulator = emulator
        secrets = dict(environ or {})
        ledger = str(self.folder / f"ledger{self.tried}")
        connection = Connection(emulator=True, state_dir=str(self.folder), ledger=ledger)
        services = Services(connection, first_path=str(self.folder), environ=secrets)
        services.emulator = emulator
        services.sessions = self.sessions
        emulator.configure(switches)
        emulator.put_live(EMULATOR_ACCOUNT, EMULATOR_REGION, APP, ENVIRONMENT, RESOURCE, live)
        return Trial(services, emulator, time, self.folder / "auth.yaml", secrets)

    def close(self) -> None:
        """Let go of the last example."""
        if self.tried:
            self.relay.emulator.close()


def new_bench(folder: Path, *, step: Callable[[], None] = _nothing) -> Bench:
    """A place to try examples in; ``step`` is called before and after each request."""
    relay = _Relay(step)
    hooked = Transport(hook=lambda events: attach(events, cast("Emulator", relay)))
    return Bench(folder, Sessions(hooked, credentials=(EMULATOR_ACCESS_KEY, EMULATOR_SECRET_KEY)), relay)


@pytest.fixture
def bench(tmp_path: Path) -> Iterator[Bench]:
    """A place to try examples in."""
    made = new_bench(tmp_path)
    yield made
    made.close()
