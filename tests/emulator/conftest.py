"""An emulator on a clock of its own, and clients that reach it."""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import boto3
import pytest
from botocore.config import Config

from reconciler.emulator import (
    EMULATOR_ACCESS_KEY,
    EMULATOR_ACCOUNT,
    EMULATOR_REGION,
    EMULATOR_SECRET_KEY,
    Emulator,
    Fault,
    Switches,
    attach,
    serve,
)

APP = "d2k7example"
ENVIRONMENT = {"AppId": APP, "BackendEnvironmentName": "staging"}
AUTH = {**ENVIRONMENT, "ResourceName": "shopauth"}


@dataclass
class Clock:
    """Time that passes when a test says so."""

    now: float = 1_700_000_000.0

    def __call__(self) -> float:
        return self.now


@dataclass(frozen=True)
class Backend:
    """The seeded backend `staging`, as a test sees and changes it."""

    emulator: Emulator
    client: Any
    clock: Clock

    def read(self) -> Any:
        return self.client.get_backend_auth(**AUTH)

    def pool(self) -> Any:
        return self.read()["ResourceConfig"]["UserPoolConfigs"]

    def send(self, pool: dict[str, Any] | None = None, **top: Any) -> Any:
        """Send an update with these UserPoolConfigs."""
        config = {"AuthResources": "IDENTITY_POOL_AND_USER_POOL", "Service": "COGNITO", **top}
        return self.client.update_backend_auth(**AUTH, ResourceConfig={**config, "UserPoolConfigs": pool or {}})

    def update(self, pool: dict[str, Any] | None = None, **top: Any) -> Any:
        """Send an update, let its job end, and return the job."""
        self.send(pool, **top)
        self.wait()
        return self.jobs()[0]

    def wait(self, seconds: float = 60.0) -> None:
        self.clock.now += seconds

    def jobs(self) -> Any:
        return self.client.list_backend_jobs(**ENVIRONMENT)["Jobs"]

    def live(self) -> Any:
        return self.emulator.live(EMULATOR_ACCOUNT, EMULATOR_REGION, APP, "staging")

    def meta(self) -> Any:
        return json.loads(self.client.get_backend(**ENVIRONMENT)["AmplifyMetaConfig"])

    def switch(self, *items: str) -> None:
        self.emulator.configure(Switches.parse(items, self.emulator.switches))

    def fault(self, text: str) -> None:
        self.emulator.inject([Fault.parse(text)])


def client_for(**options: Any) -> Any:
    session = boto3.Session(
        aws_access_key_id=options.pop("access_key", EMULATOR_ACCESS_KEY),
        aws_secret_access_key=EMULATOR_SECRET_KEY,
        region_name=options.pop("region", EMULATOR_REGION),
    )
    config = Config(retries={"total_max_attempts": 1, "mode": "standard"}, read_timeout=60)
    client: Any = session.client("amplifybackend", config=config, **options)
    return client


def backend_in(tmp_path: Path) -> Iterator[Backend]:
    clock = Clock()
    with Emulator(tmp_path / "state.db", clock=clock) as emulator:
        client = client_for()
        attach(client.meta.events, emulator)
        yield Backend(emulator, client, clock)
        client.close()


@pytest.fixture
def backend(tmp_path: Path) -> Iterator[Backend]:
    """The seeded backend, reached in the process."""
    yield from backend_in(tmp_path)


@pytest.fixture(params=["in_process", "http"])
def either(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Backend]:
    """The seeded backend over each transport."""
    if request.param == "in_process":
        yield from backend_in(tmp_path)
        return
    clock = Clock()
    with Emulator(tmp_path / "state.db", clock=clock) as emulator, serve(emulator) as server:
        client = client_for(endpoint_url=server.url)
        yield Backend(emulator, client, clock)
        client.close()
