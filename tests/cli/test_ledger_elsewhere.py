"""The ledger read by somebody else: another machine, with other profiles and perhaps other accounts."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import pytest

from reconciler.core.model import Access, Desired, Target
from reconciler.emulator import Server
from reconciler.errors import AccessProblem, Origin
from reconciler.ledger.record import key_of
from reconciler.wiring import Connection, Services
from tests.cli.conftest import Project
from tests.cli.ledgers import APP, ENDED, FAST, live

WAYS = pytest.mark.parametrize(
    ("names", "options"),
    [(["laptop"], []), ([], []), (["other"], ["--profile", "other"]), (["laptop", "other"], ["--profile", "other"])],
    ids=["the same machine", "credentials of the environment", "another profile", "another profile beside it"],
)
MOTOS_ACCOUNT = "123456789012"


@pytest.fixture
def profiles(tmp_path: Path, server: Server, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The file of this machine's profiles, and a served backend."""
    del server
    path = tmp_path / "aws-config"
    monkeypatch.setenv("AWS_CONFIG_FILE", str(path))
    return path


def configure(path: Path, names: Sequence[str]) -> None:
    text = "[profile {}]\naws_access_key_id = 000000000000\naws_secret_access_key = emulator\nregion = us-east-1\n"
    path.write_text("".join(text.format(name) for name in names), encoding="utf-8")


def left_by_a_laptop(project: Project, server: Server, profiles: Path) -> tuple[str, ...]:
    """An update whose end nobody saw, sent with a profile that only a laptop has; and the options that reach it."""
    configure(profiles, ["laptop"])
    project.switch("job_seconds=0.5")
    at = ("--endpoint-url", server.url, "--ledger", "kept")
    assert project.run("apply", "auth.yaml", *at, *ENDED, "--auto-approve", "--profile", "laptop").code == 9
    return at


@WAYS
@pytest.mark.parametrize("command", [["apply", "--resume"], ["apply", "auth.yaml", "--auto-approve"]], ids=" ".join)
def test_whoever_comes_settles_an_update_by_their_own_way(
    project: Project, server: Server, profiles: Path, command: list[str], names: list[str], options: list[str]
) -> None:
    at = left_by_a_laptop(project, server, profiles)
    configure(profiles, names)
    settled = project.run(*command, *at, *FAST, *options)
    assert settled.code == 0, settled
    assert project.updates() == 1
    assert project.run("apply", "--resume", *at).out == "Nothing to resume: no update is under way.\n"


@WAYS
def test_whoever_comes_restores_by_their_own_way(
    project: Project, server: Server, profiles: Path, names: list[str], options: list[str]
) -> None:
    before = live(project)
    at = left_by_a_laptop(project, server, profiles)
    configure(profiles, names)
    run = project.run("history", *at).out.splitlines()[1].split()[0]
    restored = project.run("restore", run, *at, *FAST, *options, "--auto-approve")
    assert restored.code == 0, restored
    assert live(project)["UserPoolConfigs"]["PasswordPolicy"] == before["UserPoolConfigs"]["PasswordPolicy"]


def test_an_update_of_another_endpoint_or_region_is_left_alone_where_one_is_named(
    project: Project, server: Server, profiles: Path
) -> None:
    at = left_by_a_laptop(project, server, profiles)
    for elsewhere in (("--region", "eu-west-1"), ("--endpoint-url", "http://127.0.0.1:9")):
        resumed = project.run("apply", "--resume", *at, *elsewhere)
        assert (resumed.code, resumed.out) == (
            0,
            "Nothing to resume: none of the 1 updates under way was named.\n",
        )


@pytest.mark.parametrize(
    ("account", "sts", "detail"),
    [
        ("111122223333", True, f"they are of {MOTOS_ACCOUNT}"),
        (MOTOS_ACCOUNT, False, "STS did not answer"),
    ],
)
def test_credentials_of_another_account_settle_nothing(
    moto: str, monkeypatch: pytest.MonkeyPatch, account: str, sts: bool, detail: str
) -> None:
    monkeypatch.setenv("AWS_ENDPOINT_URL_STS", moto if sts else "http://127.0.0.1:9")
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(name, "anything")
    target = Target(APP, "prod", "shopauth", "us-east-1", account)
    document = Desired("shop-prod", target, Access(), {}, Origin("auth.yaml", 1, 1))
    with pytest.raises(AccessProblem) as refused:
        Services(Connection()).recorded.check_account(document)
    assert account in refused.value.summary
    assert refused.value.detail == detail


@pytest.mark.parametrize("named", [(), ("auth.yaml",)], ids=["all", "named"])
def test_resume_looks_at_the_account_before_it_looks_at_the_target(
    project: Project,
    server: Server,
    profiles: Path,
    moto: str,
    monkeypatch: pytest.MonkeyPatch,
    named: tuple[str, ...],
) -> None:
    left_by_a_laptop(project, server, profiles)
    (journal,) = (project.folder / "kept" / "journal").glob("*.json")
    kept = json.loads(journal.read_text(encoding="utf-8"))
    kept["plan"]["target"].update(endpoint=None, account="111122223333")
    theirs = Target(APP, "prod", "shopauth", "us-east-1", "111122223333")
    journal.unlink()
    journal.with_name(f"{key_of(theirs)}.json").write_text(json.dumps(kept), encoding="utf-8")
    monkeypatch.setenv("AWS_ENDPOINT_URL_STS", moto)
    project.edit("region: us-east-1", "region: us-east-1\naccount: '111122223333'")
    refused = project.run("apply", "--resume", *named, "--ledger", "kept", "--profile", "laptop")
    assert refused.code == 5
    assert "these credentials are not of account 111122223333" in refused.out


def test_where_sts_does_not_tell_the_document_is_believed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_ENDPOINT_URL_STS", "http://127.0.0.1:9")
    target = Target(APP, "prod", "shopauth", "us-east-1", MOTOS_ACCOUNT)
    document = Desired("shop-prod", target, Access(), {}, Origin("auth.yaml", 1, 1))
    Services(Connection()).recorded.check_account(document, MOTOS_ACCOUNT)
    with pytest.raises(AccessProblem, match="not of account 123456789012"):
        Services(Connection()).recorded.check_account(document, "111122223333")


def test_profiles_that_cant_be_read_are_told_where_a_client_is_made(project: Project, tmp_path: Path) -> None:
    (tmp_path / "no-config").write_text("[profile", encoding="utf-8")
    assert Services(Connection()).sessions.profiles() == frozenset()
    told = project.run("apply", "--resume")
    assert (told.code, told.out) == (0, "Nothing to resume: no update is under way.\n")


def test_a_plan_that_was_saved_elsewhere_names_the_update_and_not_the_profile(
    project: Project, server: Server, profiles: Path
) -> None:
    at = left_by_a_laptop(project, server, profiles)
    assert project.run("plan", "auth.yaml", *at, "--profile", "laptop", "--out", "p.json").code == 0
    configure(profiles, ["other"])
    assert project.run("apply", "--resume", "p.json", *at, *FAST, "--profile", "other").code == 0
    assert project.updates() == 1


def test_the_right_account_and_an_endpoint_of_ones_own_are_fine(moto: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_ENDPOINT_URL_STS", moto)
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(name, "anything")
    target = Target(APP, "prod", "shopauth", "us-east-1", MOTOS_ACCOUNT)
    document = Desired("shop-prod", target, Access(), {}, Origin("auth.yaml", 1, 1))
    Services(Connection()).recorded.check_account(document)
    Services(Connection()).recorded.check_account(
        replace(document, target=replace(target, endpoint="http://127.0.0.1:9"))
    )
