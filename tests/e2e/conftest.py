"""An emulator on a clock that only tests move, documents as mappings, and plan, apply, resume and restore over them."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from copy import deepcopy
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, TypeVar

import pytest

from reconciler.core.gateway import Backend, Gateway
from reconciler.core.model import Desired, Job, Outcome, Plan, Target, TargetPlan
from reconciler.core.store import Store
from reconciler.emulator import EMULATOR_ACCOUNT, EMULATOR_REGION, Emulator, Fault, LoggedRequest, Switches
from reconciler.ledger.ledger import Ledger, Opened
from reconciler.ledger.record import Record
from reconciler.operations.apply import apply
from reconciler.operations.fleet import silent
from reconciler.operations.jobs import COMPLETED, FAILED, Clock, Waiting
from reconciler.operations.keeping import Keeping
from reconciler.operations.plan import plan
from reconciler.operations.restore import ways_back, with_remainder
from reconciler.operations.resume import resume
from reconciler.operations.settle import Following
from reconciler.wiring import Connection, Selection, Services
from tests.unit.operations.ledgers import Died, Watched

_Answer = TypeVar("_Answer")

APP = "d1example"
ENVIRONMENT = "prod"
RESOURCE = "shopauth"
NAME = "shop"

SECRETS = {
    "Facebook": "facebook-canary-4f7d1c",
    "Google": "GOCSPX-google-canary-77a2",
    "LoginWithAmazon": "amzn-canary-91b0e5",
    "SignInWithApple": f"-----BEGIN PRIVATE KEY-----\n{'AppleCanary5e21' * 8}\n-----END PRIVATE KEY-----",
}
PROVIDERS: Mapping[str, Any] = {
    "Facebook": {"ClientId": "fb-1", "ClientSecret": SECRETS["Facebook"]},
    "Google": {"ClientId": "google-1", "ClientSecret": SECRETS["Google"]},
    "LoginWithAmazon": {"ClientId": "amazon-1", "ClientSecret": SECRETS["LoginWithAmazon"]},
    "SignInWithApple": {
        "ClientId": "com.example.shop",
        "KeyId": "KEY1",
        "PrivateKey": SECRETS["SignInWithApple"],
        "TeamId": "TEAM1",
    },
}
_MESSAGE = {
    "DeliveryMethod": "EMAIL",
    "EmailSettings": {"EmailMessage": "Your code: {####}", "EmailSubject": "Your code"},
}
_CONFIG: Mapping[str, Any] = {
    "AuthResources": "IDENTITY_POOL_AND_USER_POOL",
    "Service": "COGNITO",
    "IdentityPoolConfigs": {"IdentityPoolName": "shop_identitypool", "UnauthenticatedLogin": True},
    "UserPoolConfigs": {
        "UserPoolName": "shop_userpool",
        "SignInMethod": "EMAIL",
        "RequiredSignUpAttributes": ["EMAIL", "NAME"],
        "ForgotPassword": _MESSAGE,
        "Mfa": {
            "MFAMode": "OPTIONAL",
            "Settings": {"MfaTypes": ["SMS"], "SmsMessage": "Sign in with {####}"},
        },
        "OAuth": {
            "DomainPrefix": "shop-signin",
            "OAuthGrantType": "CODE",
            "OAuthScopes": ["OPENID", "EMAIL"],
            "RedirectSignInURIs": ["https://shop.example.com/callback/", "http://localhost:3000/"],
            "RedirectSignOutURIs": ["https://shop.example.com/"],
        },
        "PasswordPolicy": {"MinimumLength": 8, "AdditionalConstraints": ["REQUIRE_DIGIT", "REQUIRE_LOWERCASE"]},
        "VerificationMessage": _MESSAGE,
    },
}


def configuration(*, providers: bool = False) -> dict[str, Any]:
    """A whole live configuration, each block there; with all four social providers if they are wanted."""
    config: dict[str, Any] = deepcopy(dict(_CONFIG))
    if providers:
        config["UserPoolConfigs"]["OAuth"]["SocialProviderSettings"] = deepcopy(dict(PROVIDERS))
    return config


def nested(path: tuple[str, ...], value: Any) -> dict[str, Any]:
    """A mapping that has one value, at a path."""
    for part in reversed(path):
        value = {part: value}
    whole: dict[str, Any] = value
    return whole


def document(
    config: Mapping[str, Any], *, environment: str = ENVIRONMENT, name: str = NAME, wave: int = 0
) -> dict[str, Any]:
    """An auth document that manages ``config``."""
    return {
        "name": name,
        "wave": wave,
        "region": EMULATOR_REGION,
        "AppId": APP,
        "BackendEnvironmentName": environment,
        "ResourceName": RESOURCE,
        "ResourceConfig": dict(config),
    }


def policy(length: int, **more: Any) -> dict[str, Any]:
    """A document's ``ResourceConfig`` that changes the password's length."""
    return {"UserPoolConfigs": {"PasswordPolicy": {"MinimumLength": length}, **more}}


def only(made: Plan) -> TargetPlan:
    """The one target of a plan."""
    (target,) = made.planned
    return target


def codes(outcome: Outcome) -> list[str]:
    """The codes of what an outcome tells."""
    return [finding.code for finding in outcome.findings]


@dataclass
class Time:
    """Time that passes only when somebody sleeps, and tells how long they slept."""

    now: float = 1_700_000_000.0
    slept: list[float] = field(default_factory=list)

    def __call__(self) -> float:
        return self.now

    def sleep(self, seconds: float) -> None:
        self.now += seconds
        self.slept.append(seconds)


@dataclass(frozen=True)
class Between:
    """A way to the service with somebody in between, who is told of each call and may replace its answer."""

    gateway: Gateway
    before: Callable[[str], None] = lambda _: None
    after: Callable[[str, Any], Any] = lambda _, answer: answer

    def get_auth(self, target: Target, hidden: frozenset[tuple[str, ...]] = frozenset()) -> Mapping[str, Any]:
        return self._asked("get_auth", lambda: self.gateway.get_auth(target, hidden))

    def get_backend(self, app: str, environment: str | None) -> Backend:
        return self._asked("get_backend", lambda: self.gateway.get_backend(app, environment))

    def get_job(self, target: Target, job_id: str) -> Job:
        return self._asked("get_job", lambda: self.gateway.get_job(target, job_id))

    def list_jobs(self, target: Target) -> tuple[Job, ...]:
        return self._asked("list_jobs", lambda: self.gateway.list_jobs(target))

    def update_auth(self, target: Target, config: Mapping[str, Any]) -> Job:
        return self._asked("update_auth", lambda: self.gateway.update_auth(target, config))

    def _asked(self, name: str, call: Callable[[], _Answer]) -> _Answer:
        self.before(name)
        answer: _Answer = self.after(name, call())
        return answer


MOMENTS = ("journalled", "sent", "waiting", "ended", "proven", "recorded")
"""When a run may die: with the update about to be sent, its answer just there, during the wait, when the job has
ended, with the record about to be written, and before the journal is closed."""


@dataclass
class Fate:
    """Ends a run at a moment; ``skip`` is how many such moments pass before that."""

    moment: str
    skip: int = 0
    sent: bool = False

    def gateway(self, gateway: Gateway) -> Between:
        """The way to the service of the run."""

        def before(call: str) -> None:
            if call == "update_auth":
                self._at("journalled")

        def after(call: str, answer: Any) -> Any:
            if call == "update_auth":
                self.sent = True
                self._at("sent")
            if call == "get_job" and answer.status in {COMPLETED, FAILED}:
                self._at("ended")
            return answer

        return Between(gateway, before, after)

    def store(self, store: Store) -> Watched:
        """The place where the run keeps its ledger."""

        def at(moment: str) -> Callable[[str], None]:
            return lambda key: self._at(moment) if key.startswith("runs/") else None

        return Watched(store, at("proven"), lambda key, _data, _tag: at("recorded")(key))

    def sleep(self, sleep: Callable[[float], None]) -> Callable[[float], None]:
        """How the run waits."""

        def wait(seconds: float) -> None:
            if self.sent and seconds:
                self._at("waiting")
            sleep(seconds)

        return wait

    def _at(self, moment: str) -> None:
        if moment == self.moment:
            if not self.skip:
                raise Died
            self.skip -= 1


@dataclass(frozen=True)
class World:
    """The service, and the tool that is wired to it."""

    services: Services
    emulator: Emulator
    time: Time
    folder: Path
    environ: dict[str, str]

    def seed(
        self, config: Mapping[str, Any] | None = None, *, environment: str = ENVIRONMENT, imported: bool = False
    ) -> None:
        """Put auth in as live."""
        self.emulator.put_live(
            EMULATOR_ACCOUNT, EMULATOR_REGION, APP, environment, RESOURCE, config or configuration(), imported=imported
        )

    def live(self, environment: str = ENVIRONMENT) -> dict[str, Any]:
        """The truth, secrets included."""
        config = self.emulator.live(EMULATOR_ACCOUNT, EMULATOR_REGION, APP, environment)
        assert config is not None
        return config

    def switch(self, *items: str) -> None:
        """Let the service behave so from now on."""
        self.emulator.configure(Switches.parse(items, self.emulator.switches))

    def elsewhere(self, length: int = 8, *, environment: str = ENVIRONMENT) -> Job:
        """Another tool sends an update of the password's length (8 moves nothing); its job begins to run."""
        config = configuration()
        pool = config["UserPoolConfigs"]
        for created in ("UserPoolName", "SignInMethod", "RequiredSignUpAttributes", "ForgotPassword"):
            del pool[created]
        del config["IdentityPoolConfigs"]["IdentityPoolName"]
        pool["PasswordPolicy"]["MinimumLength"] = length
        target = self.services.target(APP, environment, RESOURCE)
        return self.services.writer_of(target).update_auth(target.target, config)

    def fault(self, text: str) -> None:
        """Let something go wrong."""
        self.emulator.inject([Fault.parse(text)])

    @property
    def updates(self) -> tuple[LoggedRequest, ...]:
        """The updates that reached the service."""
        return self.emulator.requests("UpdateBackendAuth")

    @property
    def ledger(self) -> Ledger:
        """What was applied."""
        return self.services.books.ledger

    @property
    def ledger_folder(self) -> Path:
        """Where that is kept."""
        return self.folder / "state" / "emulator" / "ledger"

    def kept(self) -> dict[str, bytes]:
        """Every byte of the ledger, by the file's name in it."""
        folder = self.ledger_folder
        files = sorted(path for path in folder.rglob("*") if path.is_file())
        return {path.relative_to(folder).as_posix(): path.read_bytes() for path in files}

    def records(self) -> tuple[Record, ...]:
        """Every record of the ledger."""
        runs = sorted({run for run, _ in self.ledger.runs()})
        return tuple(record for run in runs for record in self.ledger.records(run))

    def plan(self, *documents: Mapping[str, Any], allow: tuple[str, ...] = ()) -> Plan:
        """Plan documents, each in a file of its own."""
        paths = []
        for number, content in enumerate(documents):
            path = self.folder / f"{number}.yaml"
            path.write_text(json.dumps(content), encoding="utf-8")
            paths.append(str(path))
        loaded = self.services.load(paths, Selection(allow=allow), stdin=bytes, network=True)
        located = self.services.locate(loaded).desired
        notices = self.services.books.remembered(located)
        return plan(located, self.services.reader_of, now="2026-01-01T00:00:00Z", remembered=notices)

    def apply_all(
        self,
        made: Plan,
        waiting: Waiting | None = None,
        *,
        sleep: Callable[[float], None] | None = None,
        saved: bool = False,
        keeping: Keeping | None = None,
        writer_of: Callable[[Desired], Gateway] | None = None,
        parallelism: int = 1,
        max_failures: int = 0,
    ) -> tuple[Outcome, ...]:
        """Carry out a plan; ``sleep`` is where something else may happen in the meantime."""
        return apply(
            made,
            writer_of or self.services.writer_of,
            self.services.references.of_plan(".", [target.desired for target in made.planned if target.changes]),
            keeping=keeping or self.keeping(made),
            clock=self.clock(sleep),
            waiting=waiting or Waiting(),
            saved=saved,
            parallelism=parallelism,
            max_failures=max_failures,
        )

    def clock(self, sleep: Callable[[float], None] | None = None) -> Clock:
        """The service's own clock; ``sleep`` is where something else may happen in the meantime."""
        return Clock(self.time, sleep or self.time.sleep, lambda: datetime.fromtimestamp(self.time.now, UTC))

    def keeping(self, made: Plan, command: str = "apply") -> Keeping:
        """One run's way to the ledger."""
        return self.services.books.keeping(command, made)

    def die(self, made: Plan, moment: str, *, skip: int = 0, saved: bool = False) -> str:
        """Carry out a plan in a run that dies at one of :data:`MOMENTS`, and return the run's id."""
        fate, keeping = Fate(moment, skip), self.keeping(made)
        mortal = replace(keeping, ledger=replace(keeping.ledger, store=fate.store(keeping.ledger.store)))
        with pytest.raises(Died):
            self.apply_all(
                made,
                sleep=fate.sleep(self.time.sleep),
                saved=saved,
                keeping=mortal,
                writer_of=lambda desired: fate.gateway(self.services.writer_of(desired)),
            )
        return keeping.run.id

    def resume(
        self,
        waiting: Waiting | None = None,
        *,
        opened: Sequence[Opened] | None = None,
        sleep: Callable[[float], None] | None = None,
        writer_of: Callable[[Desired], Gateway] | None = None,
    ) -> tuple[Outcome, ...]:
        """Settle the journal's open entries."""
        entries = self.ledger.all_under_way() if opened is None else opened
        made = Plan(tuple(entry.intent.plan for entry in entries), "")
        return resume(
            entries,
            writer_of or self.services.writer_of,
            keeping=self.keeping(made, "resume"),
            following=Following(self.clock(sleep), waiting or Waiting(), silent),
        )

    def way_back(self, run: str, *, allow: tuple[str, ...] = ()) -> Plan:
        """Plan the way back from a run, as the command does."""
        records = [record for record in self.ledger.found(run) if record.sent]
        desired, left_out = ways_back(
            records,
            lambda record: self.services.references.of_plan(record.run.folder, [record.plan.desired]),
            place=self.ledger.name,
            allow=frozenset(allow),
        )
        made = plan(desired, self.services.reader_of, now="2026-01-01T00:00:00Z")
        return with_remainder(made, records, left_out)

    def apply(
        self,
        config: Mapping[str, Any],
        *,
        allow: tuple[str, ...] = (),
        sleep: Callable[[float], None] | None = None,
    ) -> Outcome:
        """Plan one document and carry it out."""
        (outcome,) = self.apply_all(self.plan(document(config), allow=allow), sleep=sleep)
        return outcome


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    """A service with one environment, live as :func:`configuration`, whose jobs take two minutes."""
    time = Time()
    environ: dict[str, str] = {}
    connection = Connection(emulator=True, state_dir=str(tmp_path / "state"))
    services = Services(connection, first_path=str(tmp_path), environ=environ)
    with Emulator(tmp_path / "state.sqlite", clock=time, seed=False) as emulator:
        services.emulator = emulator
        made = World(services, emulator, time, tmp_path, environ)
        made.switch("job_seconds=120")
        made.seed()
        yield made
