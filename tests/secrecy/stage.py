"""A machine of one's own: a project, a home, a place for temporary files, and secrets in every place they come from."""

from __future__ import annotations

import functools
import json
import logging
import os
import stat
import sys
import tempfile
import time
import traceback
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import boto3
import pytest
import typer

import reconciler
from reconciler.cli.main import main
from reconciler.emulator import (
    EMULATOR_ACCESS_KEY,
    EMULATOR_ACCOUNT,
    EMULATOR_REGION,
    PLANTED_JOB_SECRET,
    Emulator,
    Fault,
    Switches,
)
from reconciler.emulator.meta import PLANTED_CLIENT_SECRET
from tests.e2e.conftest import configuration
from tests.faults.canary import forms
from tests.secrecy import canaries

APP = "d1example"
ENVIRONMENT = "prod"
RESOURCE = "shopauth"
NAME = "shop"
FORMATS = ("text", "json", "markdown", "html")
"""The formats of what is listed; results have more."""
RESULTS = (*FORMATS, "junit", "sarif", "ndjson", "annotations")
_LISTING = ("history", "targets", "waivers")
APPLY = ("--auto-approve", "--poll-interval", "0", "--verify-polls", "3")
ALL_OF_IT = "--send-secrets=all"
HEAD: Mapping[str, Any] = {
    "name": NAME,
    "region": EMULATOR_REGION,
    "AppId": APP,
    "BackendEnvironmentName": ENVIRONMENT,
    "ResourceName": RESOURCE,
}
_COMMAND = functools.cache(typer.main.get_command)  # half of what a short run takes
CRASHED = -1
"""The code of a run that ended with a traceback."""

OLD: Mapping[str, str] = {
    "Google": canaries.awkward("old of Google"),
    "Facebook": canaries.short("old of Facebook"),
    "LoginWithAmazon": canaries.unicode("old of Amazon"),
    "SignInWithApple": canaries.pem("old of Apple"),
}
NEW: Mapping[str, str] = {
    "Google": canaries.long("new of Google"),
    "Facebook": canaries.unicode("new of Facebook"),
    "LoginWithAmazon": canaries.short("new of Amazon"),
    "SignInWithApple": canaries.pem("new of Apple"),
}
LEDGER_KEY = canaries.long("the key of the ledger") + canaries.short("the key of the ledger")
SECRET_ACCESS_KEY = canaries.long("the key of AWS")
SESSION_TOKEN = canaries.session_token("the token of AWS")
EVERYWHERE = (LEDGER_KEY, SECRET_ACCESS_KEY, SESSION_TOKEN, PLANTED_CLIENT_SECRET, PLANTED_JOB_SECRET)

_REACHING = ("plan", "apply", "drift", "targets", "waivers", "pull", "history", "restore", "unlock")
_IDS = {"Google": "google-1", "Facebook": "facebook-1", "LoginWithAmazon": "amazon-1", "SignInWithApple": "com.shop"}
_APPLE = {"KeyId": "KEY1", "TeamId": "TEAM1"}


def providers(secrets: Mapping[str, str]) -> dict[str, Any]:
    """The four providers with secrets, or with what stands for them."""
    made: dict[str, Any] = {
        name: {"ClientId": _IDS[name], "ClientSecret": secrets[name]}
        for name in ("Google", "Facebook", "LoginWithAmazon")
    }
    return made | {
        "SignInWithApple": {"ClientId": _IDS["SignInWithApple"], "PrivateKey": secrets["SignInWithApple"], **_APPLE}
    }


@dataclass
class Stage:
    """Where a scenario plays.

    Attributes:
        folder: Holds everything that is written.
        patch: Changes the process for the length of a test.
        moto: Tells where SSM and Secrets Manager are.
        strict: Whether each run must end as the scenario expects; not while a mask is off.
        secrets: What must be in no byte.
        planted: The files in which a scenario itself wrote secrets.
        made: The other files that a scenario wrote.
        results: What each run wrote: to standard output, and to standard error.
        commands: Those that were run.
    """

    folder: Path
    patch: pytest.MonkeyPatch
    moto: Callable[[], str]
    strict: bool = True
    secrets: set[str] = field(default_factory=lambda: {*EVERYWHERE, *OLD.values(), *NEW.values()})
    planted: set[Path] = field(default_factory=set)
    made: set[Path] = field(default_factory=set)
    results: list[tuple[str, str]] = field(default_factory=list)
    commands: set[str] = field(default_factory=set)

    # --- places ------------------------------------------------------------------------------

    @property
    def project(self) -> Path:
        """The folder that the runs are in."""
        return self.folder / "project"

    @property
    def document(self) -> Path:
        """The one document."""
        return self.project / "auth.json"

    @property
    def ledger(self) -> Path:
        """The embedded backend's ledger."""
        return self.project / ".reconciler" / "emulator" / "ledger"

    def plant(self, place: str, text: str | bytes) -> Path:
        """Write a file with a secret in it, which is no leak."""
        path = self.folder / place
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(text if isinstance(text, bytes) else text.encode())
        self.planted.add(path)
        return path

    def variable(self, name: str, value: str) -> None:
        """Set a variable of the environment."""
        self.patch.setenv(name, value)

    # --- documents ---------------------------------------------------------------------------

    def references(self) -> dict[str, str]:
        """What a document writes for each new secret: from a variable, and from files in and outside the project."""
        self.variable("SHOP_GOOGLE", NEW["Google"])
        self.plant("outside/facebook", NEW["Facebook"])
        self.plant("project/.secrets/amazon", NEW["LoginWithAmazon"] + "\n")
        self.plant("outside/apple.p8", NEW["SignInWithApple"] + "\n")
        return {
            "Google": "${env:SHOP_GOOGLE}",
            "Facebook": "${file:../outside/facebook}",
            "LoginWithAmazon": "${file:.secrets/amazon}",
            "SignInWithApple": "${file:../outside/apple.p8}",
        }

    def write(self, social: Mapping[str, Any] | None = None, *, length: int = 12, **pool: Any) -> None:
        """Write the document: providers, a password's length, and other parts of the user pool."""
        oauth = {} if social is None else {"OAuth": {"SocialProviderSettings": social}}
        policy = {"PasswordPolicy": {"MinimumLength": length}}
        self.write_pool({**policy, **oauth, **pool})

    def write_pool(self, pool: Mapping[str, Any]) -> None:
        """Write the document with this user pool."""
        self.save({**HEAD, "ResourceConfig": {"UserPoolConfigs": pool}})

    def save(self, document: Mapping[str, Any], name: str = "auth.json") -> None:
        """Write a document without a secret in it."""
        path = self.project / name
        self.made.add(path)
        path.write_text(json.dumps(document, indent=2), encoding="utf-8")

    # --- the service -------------------------------------------------------------------------

    def live(self, secrets: Mapping[str, str] = OLD, **pool: Any) -> None:
        """Put a configuration in as live, with these secrets."""
        config = configuration()
        config["UserPoolConfigs"] |= pool
        config["UserPoolConfigs"]["OAuth"]["SocialProviderSettings"] = providers(secrets)
        if "VerificationMessage" not in pool:
            del config["UserPoolConfigs"]["ForgotPassword"]
        with self.backend() as backend:
            backend.put_live(EMULATOR_ACCOUNT, EMULATOR_REGION, APP, ENVIRONMENT, RESOURCE, config)

    def switch(self, *items: str) -> None:
        """Switch how the service behaves; its jobs end at once unless it is said how long they take."""
        with self.backend() as backend:
            backend.configure(Switches.parse(("job_seconds=0", *items)))

    def faults(self, *faults: Fault) -> None:
        """Replace what goes wrong."""
        with self.backend() as backend:
            backend.clear_faults()
            backend.inject(faults)

    @contextmanager
    def backend(self) -> Iterator[Emulator]:
        """The embedded backend of the project."""
        self.ledger.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        self.ledger.parent.parent.chmod(0o700)
        with Emulator(self.ledger.parent / "state.sqlite") as emulator:
            yield emulator

    def aws(self, service: str) -> Any:
        """A client of SSM or Secrets Manager; the runs reach them too."""
        self.variable("AWS_ENDPOINT_URL", self.moto())
        make: Any = boto3.client
        return make(service, region_name=EMULATOR_REGION, endpoint_url=self.moto())

    # --- runs --------------------------------------------------------------------------------

    def run(self, *arguments: str, code: int | None = None, endpoint: str = "") -> str:
        """Run one command line in this process, and return its result.

        Args:
            arguments: the command line.
            code: how it must end.
            endpoint: where the service is; by default it is embedded.
        """
        where = ["--endpoint-url", endpoint] if endpoint else ["--emulator"]
        given = [*arguments, *(where if arguments[0] in _REACHING else [])]
        written = [self.folder / "written" / f"{len(self.results)}.{stream}" for stream in ("out", "err")]
        with _redirected(*written):
            try:
                ended = int(main(given))
            except Exception:  # noqa: BLE001 - as the interpreter does with what nobody catches
                traceback.print_exc()
                ended = CRASHED
        out, err = (path.read_text(encoding="utf-8", errors="replace") for path in written)
        self.results.append((out, err))
        self.commands.add(arguments[0])
        if self.strict and code is not None:
            assert ended == code, f"{' '.join(given)} ended with {ended}\n{out}{err}"
        return out

    def from_python(self, name: str) -> None:
        """Load and plan a document through the public API, and write whatever can be written of it."""
        written = [self.folder / "written" / f"{len(self.results)}.{stream}" for stream in ("out", "err")]
        with _redirected(*written):
            try:
                fleet = reconciler.load(name, emulator=True)
                sys.stdout.write(f"{fleet}\n{reconciler.plan(fleet)}\n")
            except Exception:  # noqa: BLE001 - as the interpreter does with what nobody catches
                traceback.print_exc()
        out, err = (path.read_text(encoding="utf-8", errors="replace") for path in written)
        self.results.append((out, err))

    def reports(self, name: str) -> tuple[str, ...]:
        """The options for a report in every format that there is of it, and for our own log records."""
        formats = FORMATS if name.startswith(_LISTING) else RESULTS
        return (*(f"--report={kind}={name}.{kind}" for kind in formats), "--debug")

    # --- what was written --------------------------------------------------------------------

    def betrayals(self) -> tuple[str, ...]:
        """Where a secret stands: a file's content, or its name."""
        wanted = {form: secret for secret in self.secrets for form in forms(secret)}
        found = []
        for path in self._ours():
            content = path.name.encode() + b"\n" + (path.read_bytes() if path.is_file() else b"")
            found += [
                f"{path.relative_to(self.folder)}: {secret!r}" for form, secret in wanted.items() if form in content
            ]
        return tuple(dict.fromkeys(found))

    def loose(self) -> tuple[str, ...]:
        """The files and folders that the program made and that others than their owner may use."""
        return tuple(
            f"{path.relative_to(self.folder)}: {stat.S_IMODE(path.stat().st_mode):o}"
            for path in self._ours()
            if not self._is_the_tests(path) and stat.S_IMODE(path.lstat().st_mode) & 0o077
        )

    def _is_the_tests(self, path: Path) -> bool:
        places = [self.project, self.folder / "home", self.folder / "temporary", self.folder / "outside"]
        written = path.is_relative_to(self.folder / "written")
        return written or path in places or any(path in {made, *made.parents} for made in self.made | self.planted)

    def _ours(self) -> Iterator[Path]:
        for path in sorted(self.folder.rglob("*")):
            if path not in self.planted and not path.name.startswith("state.sqlite"):
                yield path


@contextmanager
def _redirected(out: Path, err: Path) -> Iterator[None]:
    """Let this process write to files, at the level of file descriptors, and log as a fresh one does."""
    root, ours = logging.getLogger(), logging.getLogger("reconciler")
    handlers, level, python = root.handlers[:], root.level, (sys.stdout, sys.stderr)
    root.handlers = []
    out.parent.mkdir(exist_ok=True)
    sys.stdout.flush()
    sys.stderr.flush()
    saved = [os.dup(1), os.dup(2)]
    try:
        with out.open("w", encoding="utf-8") as first, err.open("w", encoding="utf-8") as second:
            os.dup2(first.fileno(), 1)
            os.dup2(second.fileno(), 2)
            sys.stdout, sys.stderr = first, second
            try:
                yield
            finally:
                sys.stdout, sys.stderr = python
    finally:
        for number, descriptor in enumerate(saved, start=1):
            os.dup2(descriptor, number)
            os.close(descriptor)
        root.handlers = handlers
        root.setLevel(level)
        ours.setLevel(logging.NOTSET)


def make_stage(folder: Path, patch: pytest.MonkeyPatch, moto: Callable[[], str]) -> Stage:
    """Make the folders, and an environment in which each variable that holds a secret holds a canary."""
    for name in ("project", "home", "temporary", "outside"):
        (folder / name).mkdir(parents=True)
    for name in [name for name in os.environ if name.startswith(("AWS_", "RECONCILER_", "CI", "GITHUB"))]:
        patch.delenv(name)
    variables = {
        "HOME": str(folder / "home"),
        "TMPDIR": str(folder / "temporary"),
        "GIT_CEILING_DIRECTORIES": str(folder),
        "AWS_ACCESS_KEY_ID": EMULATOR_ACCESS_KEY,
        "AWS_SECRET_ACCESS_KEY": SECRET_ACCESS_KEY,
        "AWS_SESSION_TOKEN": SESSION_TOKEN,
        "AWS_CONFIG_FILE": os.devnull,
        "AWS_SHARED_CREDENTIALS_FILE": os.devnull,
        "AWS_EC2_METADATA_DISABLED": "true",
        "RECONCILER_LEDGER_KEY": LEDGER_KEY,
    }
    for name, value in variables.items():
        patch.setenv(name, value)
    patch.setattr(tempfile, "tempdir", None)
    patch.setattr("botocore.endpoint.time", SimpleNamespace(sleep=lambda _seconds: None))  # between its retries
    patch.setattr("reconciler.aws.session.time", SimpleNamespace(sleep=lambda _seconds: None, monotonic=time.monotonic))
    patch.setattr(typer.main, "get_command", _COMMAND)
    patch.chdir(folder / "project")
    return Stage(folder, patch, moto)
