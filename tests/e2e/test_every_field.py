"""Every field of `aws amplifybackend update-backend-auth`: written, planned, applied, and seen by the real AWS CLI.

The cases come from the field catalogue, so that a field which is added there is tried here, or fails.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import yaml
from botocore.loaders import Loader

from reconciler.cli.main import main
from reconciler.core.fields import BLOCKS, CREATE_ONLY, FIELDS, PROVIDERS, Block, Field, Kind, Mismatch
from reconciler.emulator import (
    EMULATOR_ACCESS_KEY,
    EMULATOR_ACCOUNT,
    EMULATOR_REGION,
    EMULATOR_SECRET_KEY,
    Emulator,
    Fault,
    LoggedRequest,
    Switches,
    serve,
)
from tests.e2e.conftest import APP, ENVIRONMENT, NAME, RESOURCE, configuration, document, nested

pytestmark = [pytest.mark.aws, pytest.mark.broad]

PLACE = tuple[str, ...]
NO_CHANGE, ERROR, CHANGES, GUARDED = 0, 1, 2, 4
VARIABLE = "FIELD_SECRET"
NEW_SECRET = "brand-new-canary-0b62"
NEW_KEY = f"-----BEGIN PRIVATE KEY-----\n{'BrandNewCanary0b62' * 8}\n-----END PRIVATE KEY-----"
GUARDS = {"AuthResources": "identity-pool-deletion", "UserPoolConfigs.Mfa.MFAMode": "mfa-on"}

UPDATABLE = tuple(row for row in FIELDS if row.create_only is None)
ROWS: tuple[Field | Block, ...] = (*FIELDS, *BLOCKS)
REMOVABLE: tuple[PLACE, ...] = tuple(row.path for row in ROWS if row.removal is not None)


def dotted(path: PLACE) -> str:
    return ".".join(path)


def at(tree: Any, path: PLACE) -> Any:
    for part in path:
        tree = tree.get(part) if isinstance(tree, Mapping) else None
    return tree


def put(tree: dict[str, Any], path: PLACE, value: Any) -> None:
    for part in path[:-1]:
        tree = tree.setdefault(part, {})
    if value is None:
        tree.pop(path[-1], None)
    else:
        tree[path[-1]] = value


def live_for(row: Field) -> dict[str, Any]:
    """A live configuration in which the field means something, its neighbours there."""
    config = configuration(providers=row.path[: len(PROVIDERS)] == PROVIDERS)
    if row.when is not None and row.when.values == {"SMS"}:
        put(config, row.path[:-2], {"DeliveryMethod": "SMS", "SmsSettings": {"SmsMessage": "Your code: {####}"}})
    return config


def new_value(row: Field, live: Any) -> Any:
    """A value that the field can have and has not."""
    match row.kind:
        case _ if row.secret:
            value: Any = f"${{env:{VARIABLE}}}"
        case Kind.BOOLEAN:
            value = not live
        case Kind.INTEGER:
            value = live + 5
        case Kind.CHOICE:
            value = next((choice for choice in row.choices if choice != live), row.choices[0])
        case Kind.CHOICES:
            # OPENID is in it, since other scopes need it.
            value = ["OPENID"] if "OPENID" in row.choices else list(row.choices[-1:])
        case Kind.URIS:
            value = ["https://new.example.com/", "https://shop.example.com/"]
        case _:
            value = {"EmailMessage": "New: {####}", "SmsMessage": "New: {####}", "DomainPrefix": "new-prefix"}.get(
                row.path[-1], "new value"
            )
    return value


@dataclass(frozen=True)
class Case:
    """A document's part that changes one field, and every path that moves with it."""

    live: dict[str, Any]
    write: dict[str, Any]
    paths: frozenset[PLACE]
    value: Any


def case_for(row: Field) -> Case:
    live = live_for(row)
    before = at(live, row.path)
    value = new_value(row, before)
    write = nested(row.path, value)
    moving = {row.path}
    if row.is_set:
        moving = {(*row.path, member) for member in {*value} ^ {*before}}
    if row.path[-1] == "DeliveryMethod":
        # The other medium's message has to be there, and this one's means nothing any more.
        block = row.path[:-1]
        put(write, (*block, "SmsSettings", "SmsMessage"), "Your code: {####}")
        moving |= {(*block, "EmailSettings", "EmailMessage"), (*block, "EmailSettings", "EmailSubject")}
        moving |= {(*block, "SmsSettings", "SmsMessage")}
    if row.path == ("AuthResources",):
        moving |= {("IdentityPoolConfigs", name) for name in ("IdentityPoolName", "UnauthenticatedLogin")}
    if row.path[-1] == "PrivateKey":
        value = NEW_KEY
    elif row.secret:
        value = NEW_SECRET
    return Case(live, write, frozenset(moving), value)


def below(tree: Any, path: PLACE) -> frozenset[PLACE]:
    """Every leaf below a path, as a plan names it."""
    value = at(tree, path)
    if isinstance(value, Mapping):
        return frozenset(leaf for name in value for leaf in below(tree, (*path, name)))
    return frozenset((*path, member) for member in value) if isinstance(value, list) else frozenset({path})


@dataclass(frozen=True)
class Service:
    """The emulator over HTTP, with the tool and the AWS CLI in front of it."""

    emulator: Emulator
    folder: Path
    environ: Mapping[str, str]
    cli: Path
    url: str
    main: Callable[[list[str]], tuple[int, str]]

    @property
    def path(self) -> Path:
        return self.folder / "auth.yaml"

    def live(self) -> dict[str, Any]:
        config = self.emulator.live(EMULATOR_ACCOUNT, EMULATOR_REGION, APP, ENVIRONMENT)
        assert config is not None
        return config

    def begin(self, live: Mapping[str, Any], write: Mapping[str, Any]) -> None:
        """Put ``live`` in as live, and a document in a file that manages ``write``."""
        self.emulator.put_live(EMULATOR_ACCOUNT, EMULATOR_REGION, APP, ENVIRONMENT, RESOURCE, live)
        self.path.write_text(yaml.safe_dump(document(write)), encoding="utf-8")

    @property
    def updates(self) -> tuple[LoggedRequest, ...]:
        return self.emulator.requests("UpdateBackendAuth")

    def in_process(self, *arguments: str) -> tuple[int, str]:
        return self.main([*arguments, "--endpoint-url", self.url])

    def as_process(self, *arguments: str) -> tuple[int, str]:
        command = [sys.executable, "-m", "reconciler", *arguments, "--endpoint-url", self.url]
        done = subprocess.run(command, capture_output=True, text=True, check=False, env={**os.environ, **self.environ})
        assert "Traceback" not in done.stderr
        return done.returncode, done.stdout

    def seen(self) -> Any:
        """The ResourceConfig that `aws amplifybackend get-backend-auth` prints."""
        target = ["--app-id", APP, "--backend-environment-name", ENVIRONMENT, "--resource-name", RESOURCE]
        command = [str(self.cli), "amplifybackend", "get-backend-auth", *target, "--endpoint-url", self.url]
        environ = {"PATH": os.defpath, **self.environ}
        done = subprocess.run([*command, "--output", "json"], capture_output=True, text=True, check=True, env=environ)
        return json.loads(done.stdout)["ResourceConfig"]


@pytest.fixture
def service(
    tmp_path: Path, aws_cli: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Iterator[Service]:
    environ = {
        "HOME": str(tmp_path),
        "AWS_ACCESS_KEY_ID": EMULATOR_ACCESS_KEY,
        "AWS_SECRET_ACCESS_KEY": EMULATOR_SECRET_KEY,
        "AWS_DEFAULT_REGION": EMULATOR_REGION,
        "AWS_EC2_METADATA_DISABLED": "true",
    }
    for name, value in environ.items():
        monkeypatch.setenv(name, value)

    def run(arguments: list[str]) -> tuple[int, str]:
        code = main(arguments)
        return code, capsys.readouterr().out

    with Emulator(tmp_path / "state.sqlite", seed=False) as emulator, serve(emulator) as server:
        emulator.configure(Switches.parse(["job_seconds=0"]))
        yield Service(emulator, tmp_path, environ, aws_cli, server.url, run)


def show_secrets(service: Service) -> None:
    """Let the service return what it returns to nobody by default, so that the AWS CLI can see it."""
    service.emulator.configure(Switches.parse(["secrets=clear", "apple_key=clear"], service.emulator.switches))


def lose_service(service: Service) -> None:
    """Let live have no Service: it has one value only, so that this is its only difference."""
    service.emulator.inject([Fault.parse("collateral,field=Service")])
    code, _ = service.in_process("apply", str(service.path), "--auto-approve", "--poll-interval", "0")
    assert code != NO_CHANGE
    assert "Service" not in service.live()


Run = Callable[..., tuple[int, str]]


def whole_way(service: Service, run: Run, expected: frozenset[PLACE], *options: str) -> dict[str, Any]:
    """Plan, apply, look with the AWS CLI, and plan again; returns what the CLI saw."""
    path = str(service.path)
    sent = len(service.updates)
    code, out = run("plan", path, "--format", "json", "--detailed-exitcode", *options)
    assert code == CHANGES
    plan = json.loads(out)
    (target,) = plan["reconciler"]["targets"]
    assert {tuple(change["path"]) for change in target["changes"]} == expected
    assert plan["applyable"]
    assert "canary" not in out
    assert len(service.updates) == sent
    code, out = run("apply", path, "--auto-approve", "--poll-interval", "0", *options)
    assert code == NO_CHANGE
    assert "canary" not in out
    assert len(service.updates) == sent + 1
    seen: dict[str, Any] = service.seen()
    code, out = run("plan", path, "--format", "json", "--detailed-exitcode")
    assert code == NO_CHANGE
    (target,) = json.loads(out)["reconciler"]["targets"]
    assert target["changes"] == []
    return seen


def change_field(service: Service, row: Field, run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    case = case_for(row)
    monkeypatch.setenv(VARIABLE, case.value if row.secret else "")
    service.begin(case.live, case.write)
    if row.path[: len(PROVIDERS)] == PROVIDERS:
        show_secrets(service)
    if row.path == ("Service",):
        service.begin(case.live, nested(("IdentityPoolConfigs", "UnauthenticatedLogin"), value=False))
        lose_service(service)
        service.path.write_text(yaml.safe_dump(document(case.write)), encoding="utf-8")
    before = service.live()
    guard = GUARDS.get(dotted(row.path))
    seen = whole_way(service, run, case.paths, *(["--allow", guard] if guard else []))
    value = at(seen, row.path)
    assert (sorted(value) if row.is_set else value) == (sorted(case.value) if row.is_set else case.value)
    after = service.live()
    for path in {path[: len(row.path)] if row.is_set else path for path in case.paths}:
        put(before, path, None)
        put(after, path, None)
    assert _without_empty(after) == _without_empty(before), "nothing else may move"


def _without_empty(tree: Any) -> Any:
    if not isinstance(tree, Mapping):
        return tree
    return {name: _without_empty(value) for name, value in tree.items() if value != {}}


@pytest.mark.parametrize("row", UPDATABLE, ids=[dotted(row.path) for row in UPDATABLE])
def test_a_field_that_is_written_arrives(service: Service, row: Field, monkeypatch: pytest.MonkeyPatch) -> None:
    change_field(service, row, service.in_process, monkeypatch)


_ONE_OF_EACH_KIND = tuple({(row.is_set, row.secret): row for row in UPDATABLE}.values())


@pytest.mark.parametrize("row", _ONE_OF_EACH_KIND, ids=[dotted(row.path) for row in _ONE_OF_EACH_KIND])
def test_a_field_arrives_through_processes_of_their_own(
    service: Service, row: Field, monkeypatch: pytest.MonkeyPatch
) -> None:
    change_field(service, row, service.as_process, monkeypatch)


@pytest.mark.parametrize("path", REMOVABLE, ids=dotted)
def test_what_can_be_removed_goes_with_null(service: Service, path: PLACE) -> None:
    live = configuration(providers=True)
    service.begin(live, nested(path, None))
    show_secrets(service)
    before = service.live()
    seen = whole_way(service, service.in_process, below(live, path))
    assert not at(seen, path)
    put(before, path, [] if isinstance(at(before, path), list) else None)
    assert service.live() == before, "nothing else may move"


def test_an_empty_list_of_constraints_empties_it(service: Service) -> None:
    path = ("UserPoolConfigs", "PasswordPolicy", "AdditionalConstraints")
    live = configuration()
    service.begin(live, nested(path, []))
    assert at(whole_way(service, service.in_process, below(live, path)), path) == []


_NO_REMOVAL: tuple[PLACE, ...] = tuple(row.path for row in ROWS if row.removal is None)


@pytest.mark.parametrize("path", _NO_REMOVAL, ids=dotted)
def test_what_can_not_be_removed_is_refused_before_any_request(service: Service, path: PLACE) -> None:
    service.begin(configuration(providers=True), nested(path, None))
    code, _ = service.in_process("apply", str(service.path), "--auto-approve", "--poll-interval", "0")
    assert code == ERROR
    assert service.emulator.requests() == ()


@pytest.mark.parametrize("row", CREATE_ONLY, ids=[dotted(row.path) for row in CREATE_ONLY])
def test_a_field_that_only_creation_sets_is_never_sent(service: Service, row: Field) -> None:
    live = configuration()
    service.begin(live, nested(row.path, new_value(row, at(live, row.path))))
    code, out = service.in_process("plan", str(service.path), "--format", "json", "--detailed-exitcode")
    (target,) = json.loads(out)["reconciler"]["targets"]
    blocked = row.create_only is Mismatch.BLOCKED
    assert code == (CHANGES if blocked else NO_CHANGE)
    assert not json.loads(out)["applyable"]
    assert [finding["code"] for finding in target["blocks"]] == (["create-only"] if blocked else [])
    assert [finding["code"] for finding in target["warnings"]] == ([] if blocked else ["create-only-differs"])
    code, _ = service.in_process("apply", str(service.path), "--auto-approve", "--poll-interval", "0")
    assert code == (GUARDED if blocked else NO_CHANGE)
    assert service.updates == ()
    assert service.live() == live


@pytest.mark.parametrize("row", CREATE_ONLY, ids=[dotted(row.path) for row in CREATE_ONLY])
def test_a_create_only_field_beside_a_change_is_not_in_the_request(service: Service, row: Field) -> None:
    live = configuration()
    write = nested(row.path, at(live, row.path))
    put(write, ("UserPoolConfigs", "PasswordPolicy", "MinimumLength"), 13)
    service.begin(live, write)
    whole_way(service, service.in_process, frozenset({("UserPoolConfigs", "PasswordPolicy", "MinimumLength")}))
    assert at(service.updates[0].body["ResourceConfig"], row.path) is None


def leaves_of(shapes: Mapping[str, Any], shape: str) -> Iterator[PLACE]:
    members = shapes[shape].get("members")
    if shapes[shape]["type"] != "structure" or not members:
        yield ()
        return
    for name, member in members.items():
        yield from ((name, *rest) for rest in leaves_of(shapes, member["shape"]))


def test_the_fields_that_are_tried_are_all_that_the_api_has() -> None:
    shapes = Loader().load_service_model("amplifybackend", "service-2")["shapes"]
    update = set(leaves_of(shapes, "UpdateBackendAuthResourceConfig"))
    create = set(leaves_of(shapes, "CreateBackendAuthResourceConfig"))
    assert {row.path for row in UPDATABLE} == update
    assert {row.path for row in CREATE_ONLY} == create - update
    assert {*REMOVABLE, *_NO_REMOVAL} == {row.path for row in ROWS}


@pytest.mark.parametrize("row", UPDATABLE, ids=[dotted(row.path) for row in UPDATABLE])
def test_every_case_changes_what_live_has(row: Field) -> None:
    case = case_for(row)
    live = at(case.live, row.path)
    assert live is not None
    # Service has one value: its case begins without it.
    assert live != case.value or row.path == ("Service",)


def test_the_document_has_the_name_that_plans_show(service: Service) -> None:
    service.begin(configuration(), nested(("UserPoolConfigs", "PasswordPolicy", "MinimumLength"), 13))
    _, out = service.in_process("plan", str(service.path))
    assert f"# {NAME} will be updated in-place" in out
