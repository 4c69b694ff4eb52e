"""An emulator on a clock that only tests move, documents as mappings, and plan and apply over them."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from copy import deepcopy
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from reconciler.core.model import Outcome, Plan
from reconciler.emulator import EMULATOR_ACCOUNT, EMULATOR_REGION, Emulator, Fault, LoggedRequest, Switches
from reconciler.operations.apply import apply
from reconciler.operations.jobs import Clock, Waiting
from reconciler.operations.keeping import Keeping
from reconciler.operations.plan import plan
from reconciler.wiring import Connection, Selection, Services

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


def document(config: Mapping[str, Any], *, environment: str = ENVIRONMENT, name: str = NAME) -> dict[str, Any]:
    """An auth document that manages ``config``."""
    return {
        "name": name,
        "region": EMULATOR_REGION,
        "AppId": APP,
        "BackendEnvironmentName": environment,
        "ResourceName": RESOURCE,
        "ResourceConfig": dict(config),
    }


def policy(length: int, **more: Any) -> dict[str, Any]:
    """A document's ``ResourceConfig`` that changes the password's length."""
    return {"UserPoolConfigs": {"PasswordPolicy": {"MinimumLength": length}, **more}}


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

    def fault(self, text: str) -> None:
        """Let something go wrong."""
        self.emulator.inject([Fault.parse(text)])

    @property
    def updates(self) -> tuple[LoggedRequest, ...]:
        """The updates that reached the service."""
        return self.emulator.requests("UpdateBackendAuth")

    def plan(self, *documents: Mapping[str, Any], allow: tuple[str, ...] = ()) -> Plan:
        """Plan documents, each in a file of its own."""
        paths = []
        for number, content in enumerate(documents):
            path = self.folder / f"{number}.yaml"
            path.write_text(json.dumps(content), encoding="utf-8")
            paths.append(str(path))
        loaded = self.services.load(paths, Selection(allow=allow), stdin=bytes, network=True)
        located, _ = self.services.locate(loaded)
        return plan(located, self.services.reader_of, now="2026-01-01T00:00:00Z")

    def apply_all(
        self,
        made: Plan,
        waiting: Waiting | None = None,
        *,
        sleep: Callable[[float], None] | None = None,
        saved: bool = False,
    ) -> tuple[Outcome, ...]:
        """Carry out a plan; ``sleep`` is where something else may happen in the meantime."""
        writer, resolve = self.services.writer_of, self.services.resolve
        return apply(
            made,
            writer,
            resolve,
            keeping=self.keeping(made),
            clock=self.clock(sleep),
            waiting=waiting or Waiting(),
            saved=saved,
        )

    def clock(self, sleep: Callable[[float], None] | None = None) -> Clock:
        """The service's own clock; ``sleep`` is where something else may happen in the meantime."""
        return Clock(self.time, sleep or self.time.sleep, lambda: datetime.fromtimestamp(self.time.now, UTC))

    def keeping(self, made: Plan) -> Keeping:
        """One run of apply's way to the ledger."""
        return self.services.books.keeping("apply", made)

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
