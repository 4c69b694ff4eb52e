"""The commands round the ledger as a user types them: history, restore, unlock, and apply with its bookkeeping."""

from __future__ import annotations

import json
import os
import re
import subprocess
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from io import StringIO
from pathlib import Path
from typing import Any

import pytest

from reconciler import __version__
from reconciler.aws.session import Sessions, Transport
from reconciler.core.model import EMBEDDED, Access, Target
from reconciler.core.planfile import from_json, to_json
from reconciler.emulator import EMULATOR_ACCOUNT, EMULATOR_REGION, Fault, Server
from reconciler.ledger.filelock import FileLeases
from reconciler.ledger.heartbeat import StoreLeases
from reconciler.ledger.lease import Holder
from reconciler.ledger.record import key_of
from tests.cli.conftest import Project, Result, Start
from tests.cli.ledgers import APP, ENDED, FAST, document, embedded_ledger, foreign_job, kept, listed, live, new_bucket
from tests.cli.test_processes import ENDLESS, read_until

APPLY = ("apply", "auth.yaml", "--emulator", *FAST, "--auto-approve")
RUN = r"\d{8}T\d{6}Z-[0-9a-f]{8}"
NEVER = "20200101T000000Z-00000000"
HOLDER = Holder("shop-prod", "20261124T070000Z-0000feed", "zoe@elsewhere", "2026-11-24T07:00:00Z")
EMBEDDED_TARGET = Target(APP, "prod", "shopauth", EMULATOR_REGION, EMULATOR_ACCOUNT, EMBEDDED)


@pytest.fixture
def bucket(moto: str, server: Server, monkeypatch: pytest.MonkeyPatch) -> str:
    """A new bucket beside the served backend: the embedded one has a ledger of its own."""
    del server
    return new_bucket(moto, monkeypatch)


@pytest.fixture
def at(server: Server) -> tuple[str, ...]:
    """The options that reach the served backend."""
    return ("--endpoint-url", server.url)


def applied(project: Project) -> str:
    """Apply the document, and return the run's id."""
    before = {record["run"] for record in kept(embedded_ledger(project))}
    result = project.run(*APPLY)
    assert result.code == 0, result
    (run,) = {record["run"] for record in kept(embedded_ledger(project))} - before
    return str(run)


def copied(project: Project, run: str, to: str, name: str = "shop-prod") -> None:
    """Another run of the same kind in the ledger."""
    record = json.loads((embedded_ledger(project) / "runs" / run / "shop-prod.json").read_text(encoding="utf-8"))
    record["run"] = to
    record["plan"]["name"] = name
    place = embedded_ledger(project) / "runs" / to
    place.mkdir()
    (place / f"{name}.json").write_text(json.dumps(record), encoding="utf-8")


def saved(project: Project, *options: str) -> str:
    """A plan of the document on the embedded backend, saved."""
    assert project.run("plan", "auth.yaml", *(options or ("--emulator",)), "--out", "plan.json").code == 0
    return "plan.json"


def left_open(project: Project, *documents: str) -> list[str]:
    """Runs that ended before their jobs did, one for each document; their records are lost, as after a `kill -9`."""
    ledger = embedded_ledger(project)
    runs = []
    for path in documents or ("auth.yaml",):
        before = {folder.name for folder in ledger.glob("runs/*")}
        assert project.run("apply", path, "--emulator", *ENDED, "--auto-approve").code == 9
        (run,) = {folder for folder in ledger.glob("runs/*") if folder.name not in before}
        (record,) = run.iterdir()
        record.unlink()
        run.rmdir()
        runs.append(run.name)
    return runs


def without_a_terminal(project: Project, monkeypatch: pytest.MonkeyPatch, *arguments: str) -> Result:
    with Path(os.devnull).open(encoding="utf-8") as nothing, monkeypatch.context() as patched:
        patched.setattr("sys.stdin", nothing)
        return project.run(*arguments)


class Terminal(StringIO):
    """Somebody who answers."""

    def isatty(self) -> bool:
        return True


@contextmanager
def locked(project: Project) -> Iterator[None]:
    """The target is held by somebody else."""
    leases = FileLeases(embedded_ledger(project) / "locks")
    lease = leases.acquire(key_of(EMBEDDED_TARGET), HOLDER, timeout=0, now=time.monotonic, sleep=time.sleep)
    yield
    lease.release()


def contents(folder: Path) -> dict[str, bytes]:
    """Every file below a folder, and what is in it."""
    return {str(path): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


# --- history -----------------------------------------------------------------------------------


def test_a_history_of_nothing_says_so_and_makes_no_ledger(project: Project) -> None:
    result = project.run("history", "--emulator")
    assert (result.code, result.out) == (0, "Nothing was applied yet.\n")
    assert result.err == f"Looked in {embedded_ledger(project)}.\n"
    assert listed(project, "--emulator") == []
    assert not embedded_ledger(project).exists()


def test_the_history_has_a_line_for_each_run_the_newest_first(project: Project) -> None:
    run = applied(project)
    copied(project, run, "20200101T000000Z-00000001")
    copied(project, run, "20300101T000000Z-00000002")
    copied(project, run, "20200101T000001Z-00000003")
    lines = project.run("history", "--emulator").out.splitlines()
    assert lines[0].split() == ["RUN", "TARGET", "OUTCOME", "CHANGES", "WHO", "COMMIT"]
    assert [line.split()[0] for line in lines[1:]] == [
        "20300101T000000Z-00000002",
        run,
        "20200101T000001Z-00000003",
        "20200101T000000Z-00000001",
    ]
    assert lines[2].split()[1:4] == ["shop-prod", "applied", "6"]


def test_the_history_of_one_target_leaves_the_others_out(project: Project) -> None:
    run = applied(project)
    copied(project, run, "20200101T000000Z-00000001", name="shop-live")
    assert [record["run"] for record in listed(project, "shop-prod", "--emulator")] == [run]
    assert [record["plan"]["name"] for record in listed(project, "shop-live", "--emulator")] == ["shop-live"]
    assert listed(project, "shop", "--emulator") == []


def test_the_history_is_limited_to_the_newest_runs(project: Project) -> None:
    run = applied(project)
    for number in range(1, 25):
        copied(project, run, f"20200101T000000Z-{number:08}")
    assert len(listed(project, "--emulator")) == 20
    newest = listed(project, "--emulator", "--limit", "2")
    assert [record["run"] for record in newest] == [run, "20200101T000000Z-00000024"]
    assert len(listed(project, "--emulator", "--limit", "100")) == 25
    assert project.run("history", "--emulator", "--limit", "0").code == 64


def test_one_run_is_told_with_all_that_it_did(project: Project) -> None:
    run = applied(project)
    result = project.run("history", run, "--emulator")
    assert result.code == 0
    assert result.out.startswith(f"Run {run}: apply, started 20")
    assert "\n              ~ MinimumLength = 8 -> 12\n" in result.out
    assert re.search(r"\nshop-prod: applied, 6 changes \[job [0-9a-f-]{36}\]\n  ended 20", result.out)
    assert result.out.endswith(f"To go back: reconciler restore {run} --emulator\n")


def test_machines_read_the_very_records_that_the_ledger_keeps(project: Project) -> None:
    run = applied(project)
    assert listed(project, "--emulator") == kept(embedded_ledger(project))
    assert listed(project, run, "--emulator") == kept(embedded_ledger(project))


def test_a_history_in_markdown_is_a_block_of_the_same_text(project: Project) -> None:
    run = applied(project)
    for arguments in ((), (run,)):
        text = project.run("history", *arguments, "--emulator").out
        assert project.run("history", *arguments, "--emulator", "--format", "markdown").out == f"```\n{text}```\n"


def test_a_history_is_written_to_reports_too(project: Project) -> None:
    applied(project)
    result = project.run("history", "--emulator", "--report", "json=history.json")
    assert result.out.startswith("RUN ")
    assert json.loads(Path("history.json").read_text(encoding="utf-8"))["records"] == kept(embedded_ledger(project))


def test_an_update_under_way_stands_above_the_runs_and_has_no_page_of_its_own(project: Project) -> None:
    done = applied(project)
    project.edit("MinimumLength: 12", "MinimumLength: 14")
    project.switch("job_seconds=600")
    (run,) = left_open(project)
    lines = project.run("history", "--emulator").out.splitlines()[1:]
    assert [line.split()[0] for line in lines] == [run, done]
    assert "  under way  1 " in lines[0]
    (open_, _) = listed(project, "--emulator")
    assert (open_["run"], open_["open"]) == (run, True)
    assert listed(project, "shop-live", "--emulator") == []
    alone = project.run("history", run, "--emulator")
    assert (alone.code, alone.out) == (64, "")
    assert f"Run {run} has no record yet: its update is under way" in alone.err
    assert "reconciler apply --resume" in alone.err


def test_plan_and_drift_tell_of_an_update_under_way_and_never_write_the_ledger(project: Project) -> None:
    project.switch("job_seconds=600")
    (run,) = left_open(project)
    before = contents(embedded_ledger(project))
    for command in ("plan", "drift"):
        result = project.run(command, "auth.yaml", "--emulator")
        assert f"run {run} sent an update, or was about to, and did not see its end" in result.out
        assert "reconciler apply --resume" in result.out
    assert contents(embedded_ledger(project)) == before


def test_plan_and_drift_make_no_ledger(project: Project) -> None:
    for command in ("plan", "drift"):
        assert project.run(command, "auth.yaml", "--emulator").code in {0, 2}
    assert not embedded_ledger(project).exists()


@pytest.mark.parametrize("command", ["history", "restore"])
def test_a_run_that_is_in_no_ledger_ends_with_sixtyfour_and_says_how_to_find_one(
    project: Project, command: str
) -> None:
    applied(project)
    result = project.run(command, NEVER, "--emulator")
    assert (result.code, result.out) == (64, "")
    assert f"has no run {NEVER}" in result.err
    assert "'reconciler history'" in result.err
    assert project.updates() == 1


def test_a_record_that_was_damaged_is_named_and_is_no_traceback(project: Project) -> None:
    run = applied(project)
    path = embedded_ledger(project) / "runs" / run / "shop-prod.json"
    whole = path.read_text(encoding="utf-8")
    for damaged in (whole[: len(whole) // 2], "[]", whole.replace('"record_version": 1', '"record_version": 99')):
        path.write_text(damaged, encoding="utf-8")
        for arguments in (("history",), ("history", run), ("restore", run)):
            result = project.run(*arguments, "--emulator")
            assert result.code == 1, arguments
            assert f"runs/{run}/shop-prod.json" in result.err, arguments


def test_an_apply_with_nothing_to_do_leaves_no_record(project: Project) -> None:
    run = applied(project)
    assert project.run(*APPLY).code == 0
    assert [record["run"] for record in listed(project, "--emulator")] == [run]


def test_a_record_tells_who_where_and_from_which_commit(project: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in (("NAME", "Ann"), ("EMAIL", "ann@example.com")):
        monkeypatch.setenv(f"GIT_AUTHOR_{name}", value)
        monkeypatch.setenv(f"GIT_COMMITTER_{name}", value)
    monkeypatch.setenv("GIT_CONFIG_GLOBAL", os.devnull)
    for arguments in (["init", "--quiet"], ["add", "auth.yaml"], ["commit", "--quiet", "--message", "auth"]):
        subprocess.run(["git", *arguments], check=True)
    head = subprocess.run(["git", "rev-parse", "HEAD"], check=True, capture_output=True, text=True).stdout.strip()
    for name, value in {
        "CI": "true",
        "GITLAB_CI": "true",
        "GITLAB_USER_LOGIN": "ann",
        "CI_JOB_URL": "https://ci/7",
    }.items():
        monkeypatch.setenv(name, value)
    applied(project)
    project.edit("MinimumLength: 12", "MinimumLength: 14")
    plan = json.loads(Path(saved(project)).read_text(encoding="utf-8"))["reconciler"]
    assert project.run("apply", "plan.json", "--emulator", *FAST).code == 0
    clean, dirty = sorted(kept(embedded_ledger(project)), key=lambda record: bool(record["commit"]["dirty"]))
    assert clean["commit"] == {"id": head, "dirty": False}
    assert clean["who"]["pipeline"] == {"system": "GitLab CI", "actor": "ann", "url": "https://ci/7"}
    assert dirty["commit"] == {"id": head, "dirty": True}
    assert dirty["plan_digest"] == plan["digest"]
    assert f"ann (GitLab CI, https://ci/7)  {head[:8]} (dirty)\n" in project.run("history", "--emulator").out


# --- restore -----------------------------------------------------------------------------------


def test_restore_shows_the_way_back_and_asks(project: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    run = applied(project)
    result = without_a_terminal(project, monkeypatch, "restore", run, "--emulator")
    assert result.code == 4
    assert "  # shop-prod will be updated in-place\n" in result.out
    assert "~ MinimumLength = 12 -> 8\n" in result.out
    assert '- "TOTP",\n' in result.out
    assert "--auto-approve" in result.err
    assert project.updates() == 1


def test_restore_brings_back_what_was_live_and_is_a_run_like_any_other(project: Project) -> None:
    before = live(project)
    run = applied(project)
    assert live(project) != before
    result = project.run("restore", run, "--emulator", *FAST, "--auto-approve")
    assert result.code == 0
    assert result.out.endswith("Apply complete! Resources: 0 added, 1 changed, 0 destroyed.\n")
    assert live(project) == before
    (record,) = [record for record in kept(embedded_ledger(project)) if record["run"] != run]
    assert (record["command"], record["outcome"]["kind"]) == ("restore", "applied")
    there_again = project.run("restore", record["run"], "--emulator", *FAST, "--auto-approve")
    assert there_again.code == 0
    assert project.run("drift", "auth.yaml", "--emulator").code == 0


def test_a_restore_of_what_is_live_already_sends_nothing(project: Project) -> None:
    run = applied(project)
    back = ("restore", run, "--emulator", *FAST, "--auto-approve")
    assert project.run(*back).code == 0
    again = project.run(*back)
    assert again.code == 0
    assert "No changes." in again.out
    assert project.updates() == 2


def test_a_restore_goes_through_the_guards(project: Project) -> None:
    config = live(project)
    config["AuthResources"] = "USER_POOL_ONLY"
    del config["IdentityPoolConfigs"]
    project.emulator.put_live(EMULATOR_ACCOUNT, EMULATOR_REGION, APP, "prod", "shopauth", config)
    run = applied(project)
    back = ("restore", run, "--emulator", *FAST, "--auto-approve")
    refused = project.run(*back)
    assert refused.code == 4
    assert "identity-pool-deletion" in refused.out
    assert project.updates() == 1
    assert project.run(*back, "--allow", "identity-pool-deletion").code == 0
    assert live(project)["AuthResources"] == "USER_POOL_ONLY"


def test_a_restore_names_the_secret_that_nobody_kept(project: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    project.edit(
        "OAuthGrantType: CODE",
        "OAuthGrantType: CODE\n      SocialProviderSettings: "
        "{Google: {ClientId: another.example.com, ClientSecret: '${env:GOOGLE}'}}",
    )
    project.edit("BackendEnvironmentName: prod", "BackendEnvironmentName: staging")
    monkeypatch.setenv("GOOGLE", "GOCSPX-canary-of-the-document")
    run = applied(project)
    monkeypatch.delenv("GOOGLE")
    result = without_a_terminal(project, monkeypatch, "restore", run, "--emulator")
    assert "UserPoolConfigs.OAuth.SocialProviderSettings.Google.ClientSecret is not sent" in result.out
    monkeypatch.setenv("GOOGLE", "GOCSPX-canary-of-another-day")
    result = without_a_terminal(project, monkeypatch, "restore", run, "--emulator")
    assert result.code == 4
    assert "Google.ClientSecret may not be what it was: nobody read it" in result.out
    assert "Its reference is sent as it resolves now." in result.out
    result = project.run("restore", run, "--emulator", *FAST, "--auto-approve")
    assert result.code == 0
    google = live(project, "staging")["UserPoolConfigs"]["OAuth"]["SocialProviderSettings"]["Google"]
    assert google["ClientId"] == "1234567890-shop.apps.googleusercontent.com"
    assert google["ClientSecret"] == "GOCSPX-canary-of-another-day"
    assert b"canary" not in b"".join(contents(embedded_ledger(project)).values())


def test_a_restore_names_what_this_api_cant_bring_back(project: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    project.switch("user_groups=on")
    allowed = project.run(*APPLY, "--allow", "unseen-settings")
    assert allowed.code == 0
    (record,) = kept(embedded_ledger(project))
    result = without_a_terminal(project, monkeypatch, "restore", record["run"], "--emulator")
    assert "were there before the update, which clears them" in result.out
    assert "bring them back with the Amplify CLI" in result.out


def test_a_run_that_sent_nothing_is_nothing_to_go_back_from(project: Project) -> None:
    saved(project)
    project.edit("MinimumLength: 12", "MinimumLength: 14")
    applied(project)
    assert project.run("apply", "plan.json", "--emulator", *FAST).code == 3
    (refused,) = [record for record in kept(embedded_ledger(project)) if not record["sent"]]
    assert refused["outcome"]["kind"] == "stale"
    result = project.run("restore", refused["run"], "--emulator", "--auto-approve")
    assert result.code == 64
    assert f"Run {refused['run']} sent nothing" in result.err
    assert project.updates() == 1


def test_a_restore_that_cant_read_live_sends_nothing(project: Project) -> None:
    run = applied(project)
    project.emulator.inject([Fault("access_denied", operation="GetBackendAuth", times=0)])
    result = project.run("restore", run, "--emulator", "--auto-approve")
    assert result.code == 5
    assert "Nothing was sent" in result.err
    assert project.updates() == 1


def test_one_target_of_a_run_is_restored_alone(project: Project) -> None:
    document(project, "dev")
    before = live(project), live(project, "dev")
    assert project.run("apply", ".", "--emulator", *FAST, "--auto-approve").code == 0
    run = kept(embedded_ledger(project))[0]["run"]
    after = live(project)
    one = project.run("restore", run, "--emulator", *FAST, "--auto-approve", "--target", "shop-dev")
    assert one.code == 0
    assert (live(project), live(project, "dev")) == (after, before[1])
    assert project.run("restore", run, "--emulator", "--target", "shop-live").code == 64
    assert project.run("restore", run, "--emulator", *FAST, "--auto-approve").code == 0
    assert (live(project), live(project, "dev")) == before


def test_a_restore_is_a_result_for_machines(project: Project) -> None:
    run = applied(project)
    result = project.run("restore", run, "--emulator", *FAST, "--auto-approve", "--format", "json")
    assert result.code == 0
    (outcome,) = json.loads(result.out)["outcomes"]
    assert (outcome["name"], outcome["kind"]) == ("shop-prod", "applied")
    assert "~ MinimumLength = 12 -> 8" in result.err


def test_a_run_of_the_embedded_backend_is_not_restored_elsewhere(project: Project, at: tuple[str, ...]) -> None:
    run = applied(project)
    ledger = str(embedded_ledger(project))
    result = project.run("restore", run, *at, "--ledger", ledger, "--auto-approve")
    assert result.code == 3
    assert "embedded backend" in result.err
    assert project.updates() == 1


# --- unlock ------------------------------------------------------------------------------------


def test_nothing_locked_is_said_and_is_no_error(project: Project) -> None:
    result = project.run("unlock", "--emulator")
    assert (result.code, result.out) == (0, "Nothing is locked.\n")
    applied(project)
    result = project.run("unlock", "shop-prod", "--emulator")
    assert (result.code, result.out) == (0, "Nothing is locked: shop-prod is free.\n")


def test_a_lease_of_a_process_that_lives_is_shown_and_is_that_processs(project: Project, start: Start) -> None:
    project.switch("job_seconds=600")
    process = start("apply", "auth.yaml", "--emulator", "--auto-approve", *FAST)
    read_until(process, "Still updating")
    (intent,) = listed(project, "--emulator")
    for force in ((), ("--force",)):
        result = project.run("unlock", "--emulator", *force)
        assert result.code == 7
        assert result.out.startswith(f"shop-prod: held by run {intent['run']} of ")
        assert "end the process" in result.err
    assert project.run("unlock", "shop-live", "--emulator").code == 0
    process.kill()
    process.wait(ENDLESS)
    assert project.run("unlock", "--emulator").out == "Nothing is locked.\n"


def test_a_lease_in_s3_is_taken_away_from_its_holder_after_a_question(
    project: Project, bucket: str, at: tuple[str, ...], monkeypatch: pytest.MonkeyPatch
) -> None:
    place = f"s3://{bucket}/team"
    leases = StoreLeases(Sessions(Transport()).store(Access(), place), token=lambda: "ours")
    target = Target(APP, "prod", "shopauth", EMULATOR_REGION, endpoint=at[1])
    lease = leases.acquire(key_of(target), HOLDER, timeout=0, now=time.monotonic, sleep=time.sleep)
    unlock = ("unlock", *at, "--ledger", place)
    refused = project.run("apply", "auth.yaml", *at, "--ledger", place, *FAST, "--auto-approve")
    assert refused.code == 7
    asked = without_a_terminal(project, monkeypatch, *unlock)
    assert asked.code == 4
    assert "give --force" in asked.err
    with monkeypatch.context() as patched:
        patched.setattr("sys.stdin", Terminal("no\n"))
        declined = project.run(*unlock)
    assert declined.code == 4
    assert "notices it with its next sign of life, up to 20s later, and may send its update until then" in declined.err
    told = f"shop-prod: held by run {HOLDER.run} of {HOLDER.who} since {HOLDER.since}, last sign of life "
    assert asked.out.startswith(told)
    assert project.run(*unlock, "shop-live", "--force").out == "Nothing is locked: shop-live is free.\n"
    assert len(leases.held()) == 1
    taken = project.run(*unlock, "shop-prod", "--force")
    assert taken.code == 0
    assert taken.out.endswith("s ago\nUnlocked 1 of 1.\n")
    assert project.run(*unlock).out == "Nothing is locked.\n"
    assert project.run("apply", "auth.yaml", *at, "--ledger", place, *FAST, "--auto-approve").code == 0
    lease.release()
    assert project.run(*unlock).out == "Nothing is locked.\n"


# --- giving up ---------------------------------------------------------------------------------


def test_an_update_whose_end_nobody_can_see_is_given_up_after_a_question(
    project: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    project.switch("job_seconds=600")
    (run,) = left_open(project)
    looked = project.run("apply", "--resume", "--emulator", *ENDED)
    assert looked.code == 9
    assert "reconciler unlock --abandon --emulator" in looked.out
    asked = without_a_terminal(project, monkeypatch, "unlock", "--abandon", "--emulator")
    assert asked.code == 4
    assert f"shop-prod: run {run} of " in asked.out
    assert "aws amplifybackend get-backend-job" in asked.out
    assert project.run("unlock", "shop-live", "--abandon", "--emulator").out.endswith("No update is under way.\n")
    given_up = project.run("unlock", "shop-prod", "--abandon", "--force", "--emulator")
    assert given_up.code == 0
    assert given_up.out.endswith("Gave up 1 of 1.\n")
    assert project.run("unlock", "--abandon", "--emulator").out == "Nothing is locked.\nNo update is under way.\n"
    (record,) = listed(project, run, "--emulator")
    assert record["outcome"]["kind"] == "unknown"
    assert record["outcome"]["summary"].startswith("given up by ")
    assert project.run(*APPLY).code == 7, "from here on the service alone says whether its job is in the way"


def test_an_update_that_could_not_be_looked_at_is_not_called_settled(project: Project) -> None:
    project.switch("job_seconds=600")
    left_open(project)
    locks = embedded_ledger(project) / "locks"
    locks.rename(locks.with_name("elsewhere"))
    locks.write_text("no folder", encoding="utf-8")
    stopped = project.run(*APPLY)
    assert (stopped.code, "is settled" in stopped.err) == (1, False)
    assert "this run sent nothing" in stopped.out
    assert project.updates() == 1


def test_what_could_not_be_recorded_is_not_given_up(project: Project) -> None:
    project.switch("job_seconds=600")
    left_open(project)
    runs = embedded_ledger(project) / "runs"
    runs.rmdir()
    runs.write_text("no folder", encoding="utf-8")
    refused = project.run("unlock", "--abandon", "--force", "--emulator")
    assert refused.code == 1
    assert "it was not given up" in refused.out
    assert refused.out.endswith("Gave up 0 of 1.\n")
    runs.unlink()
    assert project.run("apply", "--resume", "--emulator", *ENDED).code == 9, "it is still in the journal"


def test_a_damaged_journal_hides_no_other_update(project: Project) -> None:
    project.switch("job_seconds=1")
    left_open(project)
    (embedded_ledger(project) / "journal" / "d2k7example-dev-0000000000000000.json").write_text("{", encoding="utf-8")
    resumed = project.run("apply", "--resume", "--emulator", *FAST)
    assert (resumed.code, "shop-prod: applied" in resumed.out) == (1, True)
    assert "an update may be under way: wait until 'aws amplifybackend list-backend-jobs' shows none" in resumed.err
    assert project.run("apply", "--resume", "auth.yaml", "--emulator").code == 0, "it is not of that document"
    assert project.run("unlock", "--abandon", "--force", "--emulator").code == 1


def test_what_somebody_holds_is_not_given_up(project: Project) -> None:
    project.switch("job_seconds=600")
    left_open(project)
    with locked(project):
        refused = project.run("unlock", "--abandon", "--force", "--emulator")
    assert refused.code == 7
    assert "is locked by another run" in refused.out
    assert project.run("apply", "--resume", "--emulator", *ENDED).code == 9, "it is still in the journal"


def test_a_plan_during_an_apply_says_that_it_is_at_work(project: Project) -> None:
    project.switch("job_seconds=600")
    left_open(project)
    with locked(project):
        planned = project.run("plan", "auth.yaml", "--emulator")
    assert f"run {HOLDER.run} holds this target: it is at work, and what is live may move" in planned.out
    assert "--resume" not in planned.out
    planned = project.run("plan", "auth.yaml", "--emulator")
    assert "settle it with: reconciler apply --resume --emulator" in planned.out


# --- one at a time -----------------------------------------------------------------------------


def test_a_target_that_somebody_holds_is_refused_at_once_with_the_owner(project: Project) -> None:
    with locked(project):
        result = project.run(*APPLY, "--lock-timeout", "0")
    assert result.code == 7
    assert "shop-prod is locked by another run" in result.out
    assert f"run {HOLDER.run} of {HOLDER.who} has held shop-prod since {HOLDER.since}" in result.out
    assert f"process {os.getpid()}" in result.out
    assert project.updates() == 0
    (record,) = kept(embedded_ledger(project))
    assert (record["outcome"]["kind"], record["sent"]) == ("locked", False)


def test_an_update_under_way_in_another_process_is_waited_for_by_nobody(project: Project, start: Start) -> None:
    project.switch("job_seconds=600")
    process = start("apply", "auth.yaml", "--emulator", "--auto-approve", *FAST)
    read_until(process, "Still updating")
    (intent,) = listed(project, "--emulator")
    for command in (APPLY, ("apply", "--resume", "--emulator", *FAST)):
        result = project.run(*command, "--lock-timeout", "0")
        assert result.code == 7
        assert f"run {intent['run']} of " in result.out
        assert f"process {process.pid}" in result.out
    assert project.updates() == 1


def test_a_target_that_somebody_holds_is_waited_for_as_long_as_that_is_wanted(project: Project) -> None:
    began = time.monotonic()
    with locked(project):
        assert project.run(*APPLY, "--lock-timeout", "0.3").code == 7
    assert time.monotonic() - began >= 0.3
    assert project.updates() == 0


def test_a_target_that_is_given_back_in_time_is_applied(project: Project, start: Start) -> None:
    with locked(project):
        process = start(*APPLY, "--lock-timeout", str(ENDLESS))
        read_until(process, "Reading live")
    out, err = process.communicate(timeout=ENDLESS)
    assert (process.returncode, project.updates()) == (0, 1), out + err


def test_a_lock_timeout_below_zero_is_a_wrong_command_line(project: Project) -> None:
    assert project.run(*APPLY, "--lock-timeout", "-1").code == 64


def test_a_job_of_another_tool_is_refused_with_its_id_and_age(
    project: Project, server: Server, at: tuple[str, ...]
) -> None:
    project.switch("job_seconds=600")
    job = foreign_job(project, server)
    result = project.run("apply", "auth.yaml", *at, *FAST, "--auto-approve")
    assert result.code == 7
    assert "another job is running in this environment" in result.out
    assert re.search(rf"job {job}, UpdateBackendAuth, RUNNING, started \d+s ago", result.out)
    assert "--wait-for-jobs" in result.out
    assert project.updates() == 1


def test_a_job_of_another_tool_is_waited_for_and_then_the_update_is_sent(
    project: Project, server: Server, at: tuple[str, ...]
) -> None:
    project.emulator.inject([Fault("no_effect", operation="UpdateBackendAuth", seconds=2.5)])
    job = foreign_job(project, server)
    result = project.run("apply", "auth.yaml", *at, *FAST, "--auto-approve", "--wait-for-jobs")
    assert result.code == 0, result
    assert f"Waiting for another job... [0s elapsed, job {job}, RUNNING]" in result.err
    assert project.updates() == 2
    assert live(project)["UserPoolConfigs"]["PasswordPolicy"]["MinimumLength"] == 12


def test_a_job_of_another_tool_that_does_not_end_is_told_after_the_wait(
    project: Project, server: Server, at: tuple[str, ...]
) -> None:
    project.switch("job_seconds=600")
    job = foreign_job(project, server)
    result = project.run("apply", "auth.yaml", *at, *ENDED, "--auto-approve", "--wait-for-jobs")
    assert result.code == 7
    assert job in result.out
    assert "it did not end in time: try again later" in result.out
    assert project.updates() == 1


# --- apply --resume ----------------------------------------------------------------------------


def test_apply_without_a_path_is_a_wrong_command_line(project: Project) -> None:
    result = project.run("apply", "--emulator")
    assert result.code == 64
    assert "apply needs a PATH" in result.err
    assert "--resume" in result.err


@pytest.mark.parametrize("paths", [(), ("auth.yaml",)])
def test_nothing_to_resume_is_said_and_is_no_error(project: Project, paths: tuple[str, ...]) -> None:
    result = project.run("apply", *paths, "--resume", "--emulator")
    assert (result.code, result.out) == (0, "Nothing to resume: no update is under way.\n")
    result = project.run("apply", *paths, "--resume", "--emulator", "--format", "json", "--report", "json=r.json")
    assert result.code == 0
    assert json.loads(result.out)["outcomes"] == []
    assert Path("r.json").read_text(encoding="utf-8") == result.out
    result = project.run("apply", *paths, "--resume", "--emulator", "--report", "json=t.json")
    assert result.out == "Nothing to resume: no update is under way.\n", "not that live is as it should be"
    assert Path("t.json").read_text(encoding="utf-8") == Path("r.json").read_text(encoding="utf-8")
    assert project.updates() == 0
    assert not embedded_ledger(project).exists()


def test_resume_adopts_the_job_and_proves_its_result_without_sending_anything(project: Project) -> None:
    project.switch("job_seconds=1")
    (run,) = left_open(project)
    result = project.run("apply", "--resume", "--emulator", *FAST)
    assert result.code == 0, result
    assert "shop-prod: applied, 6 changes [job " in result.out
    assert f"Picking up the update of run {run}..." in result.err
    assert project.updates() == 1
    (record,) = kept(embedded_ledger(project))
    assert (record["command"], record["resumes"], record["sent"]) == ("resume", run, True)
    assert record["run"].endswith(run[-9:])
    assert project.run("apply", "--resume", "--emulator").out == "Nothing to resume: no update is under way.\n"
    assert f"settled the update of run {run}\n" in project.run("history", run, "--emulator").out
    assert project.run("restore", run, "--emulator", *FAST, "--auto-approve").code == 0
    assert live(project)["UserPoolConfigs"]["PasswordPolicy"]["MinimumLength"] == 8


def test_resume_is_a_result_for_machines(project: Project) -> None:
    project.switch("job_seconds=1")
    left_open(project)
    result = project.run("apply", "--resume", "--emulator", *FAST, "--format", "json")
    assert result.code == 0
    (outcome,) = json.loads(result.out)["outcomes"]
    assert (outcome["name"], outcome["kind"]) == ("shop-prod", "applied")


def test_resume_ends_with_nine_as_long_as_the_job_has_not_ended(project: Project) -> None:
    project.switch("job_seconds=600")
    left_open(project)
    for _ in range(2):
        result = project.run("apply", "--resume", "--emulator", *ENDED)
        assert result.code == 9
        assert "aws amplifybackend get-backend-job --app-id d2k7example" in result.out
    assert project.updates() == 1


def test_resume_settles_the_updates_of_the_paths_and_targets_that_are_named(project: Project) -> None:
    project.switch("job_seconds=1")
    documents = ["auth.yaml", document(project, "dev"), document(project, "staging")]
    left_open(project, *documents)
    resume = ("apply", "--resume", "--emulator", *FAST)

    def under_way() -> list[str]:
        return [record["plan"]["name"] for record in listed(project, "--emulator") if record.get("open")]

    assert sorted(under_way()) == ["shop-dev", "shop-prod", "shop-staging"]
    assert project.run(*resume, "--exclude", "shop-*").out == (
        "Nothing to resume: none of the 3 updates under way was named.\n"
    )
    assert project.run(*resume, "dev.yaml").code == 0
    assert sorted(under_way()) == ["shop-prod", "shop-staging"]
    assert project.run(*resume, "--target", "shop-st*").code == 0
    assert under_way() == ["shop-prod"]
    assert project.run(*resume, "staging.yaml").out == (
        "Nothing to resume: none of the 1 updates under way was named.\n"
    )
    assert project.run(*resume).code == 0
    assert under_way() == []
    assert project.updates() == 3


def test_resume_takes_a_saved_plan_for_its_targets(project: Project) -> None:
    project.switch("job_seconds=1")
    plan = saved(project)
    assert project.run("apply", plan, "--emulator", *ENDED).code == 9
    other = document(project, "dev")
    left_open(project, other)
    result = project.run("apply", plan, "--resume", "--emulator", *FAST)
    assert result.code == 0
    assert "shop-prod: applied" in result.out
    assert "shop-dev" not in result.out
    assert project.run("apply", plan, "--emulator").code == 3
    assert project.updates() == 2


def test_any_later_apply_settles_the_update_first(project: Project) -> None:
    project.switch("job_seconds=1")
    (run,) = left_open(project)
    project.edit("MinimumLength: 12", "MinimumLength: 14")
    result = project.run(*APPLY)
    assert result.code == 0
    assert f"The update of run {run} is settled: applied\n" in result.err
    assert "~ MinimumLength = 12 -> 14" in result.out
    assert project.updates() == 2
    assert [record["command"] for record in listed(project, "--emulator")].count("resume") == 1


def test_resume_of_the_embedded_backend_leaves_other_backends_alone(project: Project, at: tuple[str, ...]) -> None:
    project.switch("job_seconds=600")
    left_open(project)
    result = project.run("apply", "--resume", *at, "--ledger", str(embedded_ledger(project)))
    assert (result.code, result.out) == (
        0,
        "Nothing to resume: none of the 1 updates under way was named.\n",
    )


# --- saved plans -------------------------------------------------------------------------------


def test_a_saved_plan_applies_once_even_when_live_is_again_as_it_was(project: Project) -> None:
    plan = saved(project)
    assert project.run("apply", plan, "--emulator", *FAST).code == 0
    (first,) = kept(embedded_ledger(project))
    assert project.run("restore", first["run"], "--emulator", *FAST, "--auto-approve").code == 0
    assert project.run("plan", "auth.yaml", "--emulator", "--detailed-exitcode").code == 2
    refused = project.run("apply", plan, "--emulator", *FAST)
    assert refused.code == 3
    assert f"the plan was used before, by run {first['run']}" in refused.out
    assert f"'reconciler history {first['run']}'" in refused.out
    assert project.updates() == 2


def test_a_saved_plan_that_sent_nothing_can_be_tried_again(project: Project) -> None:
    plan = saved(project)
    project.emulator.inject([Fault("throttle", operation="UpdateBackendAuth")])
    with locked(project):
        assert project.run("apply", plan, "--emulator", *FAST).code == 7
    assert project.run("apply", plan, "--emulator", *FAST).code == 1
    assert project.run("apply", plan, "--emulator", *FAST).code == 0
    assert live(project)["UserPoolConfigs"]["PasswordPolicy"]["MinimumLength"] == 12


def made_at(project: Project, created: str) -> str:
    """A saved plan that was made at another time."""
    plan = from_json(Path(saved(project)).read_text(encoding="utf-8"))
    text = json.dumps(to_json(replace(plan, created=created), version=__version__))
    Path("plan.json").write_text(text, encoding="utf-8")
    return "plan.json"


def ago(**length: float) -> str:
    return (datetime.now(UTC) - timedelta(**length)).strftime("%Y-%m-%dT%H:%M:%SZ")


def test_a_plan_is_too_old_after_a_day_unless_more_is_allowed(project: Project) -> None:
    created = ago(hours=25)
    plan = made_at(project, created)
    refused = project.run("apply", plan, "--emulator", *FAST)
    assert refused.code == 3
    assert "Error: The plan is too old\n" in refused.err
    assert re.search(rf"it was made at {created}, 25h(0m)? ago, and may be 24h old\n", refused.err)
    assert "raise --max-plan-age" in refused.err
    assert project.run("apply", plan, "--emulator", *FAST, "--max-plan-age", "1499m").code == 3
    assert project.updates() == 0
    assert project.run("apply", plan, "--emulator", *FAST, "--max-plan-age", "2d").code == 0


@pytest.mark.parametrize(
    ("hours", "allowed", "code"),
    [(0.4, "20m", 3), (0.4, "30m", 0), (0.01, "20s", 3), (0.01, "300s", 0), (23, "24h", 0), (47, "1d", 3)],
)
def test_the_greatest_age_has_four_units(project: Project, hours: float, allowed: str, code: int) -> None:
    plan = made_at(project, ago(hours=hours))
    assert project.run("apply", plan, "--emulator", *FAST, "--max-plan-age", allowed).code == code
    assert project.updates() == (code == 0)


@pytest.mark.parametrize("age", ["", "24", "h", "-1h", "1.5h", "24 h", "1w", "1h30m", "1H", "99999999d"])
def test_an_age_that_is_written_otherwise_is_a_wrong_command_line(project: Project, age: str) -> None:
    result = project.run("apply", saved(project), "--emulator", f"--max-plan-age={age}")
    assert result.code == 64
    assert "--max-plan-age takes a number and s, m, h or d" in result.err
    assert project.updates() == 0


@pytest.mark.parametrize(
    ("created", "says"),
    [
        (lambda: ago(hours=-1), "The plan was made in the future"),
        (lambda: "yesterday", "The plan does not tell when it was made"),
        (lambda: "", "The plan does not tell when it was made"),
    ],
    ids=["in an hour", "a word", "nothing"],
)
def test_a_plan_of_no_time_that_can_be_is_refused(project: Project, created: Callable[[], str], says: str) -> None:
    refused = project.run("apply", made_at(project, created()), "--emulator", *FAST)
    assert refused.code == 3
    assert f"Error: {says}\n" in refused.err
    assert project.updates() == 0


def test_a_clock_that_is_a_little_ahead_is_no_reason_to_refuse(project: Project) -> None:
    assert project.run("apply", made_at(project, ago(minutes=-5)), "--emulator", *FAST).code == 0


def test_a_plan_made_with_a_shared_ledger_is_refused_with_any_other(
    project: Project, bucket: str, at: tuple[str, ...]
) -> None:
    place = f"s3://{bucket}/team"
    plan = saved(project, *at, "--ledger", place)
    apply = ("apply", plan, *at, *FAST)
    for ledger, name in (
        (("--ledger", f"s3://{bucket}/others"), f"s3://{bucket}/others"),
        (("--ledger", "kept"), "kept"),
        ((), str(project.folder / ".reconciler" / "ledger")),
    ):
        refused = project.run(*apply, *ledger)
        assert refused.code == 3
        assert "Error: The plan was made with another ledger\n" in refused.err
        assert f"planned with {place}, this run has {name}\n" in refused.err
        assert f"give --ledger {place}, or plan again" in refused.err
    assert project.updates() == 0
    assert project.run(*apply, "--ledger", f"{place}/").code == 0
    (record,) = listed(project, *at, "--ledger", place)
    again = project.run(*apply, "--ledger", place)
    assert again.code == 3
    assert f"the plan was used before, by run {record['run']}" in again.out
    assert project.updates() == 1


def test_a_plan_made_with_a_ledger_of_one_machine_may_be_recorded_elsewhere(
    project: Project, bucket: str, at: tuple[str, ...]
) -> None:
    plan = saved(project, *at)
    assert project.run("apply", plan, *at, *FAST, "--ledger", f"s3://{bucket}/team").code == 0
    assert len(listed(project, *at, "--ledger", f"s3://{bucket}/team")) == 1


# --- where the ledger is -----------------------------------------------------------------------


def test_the_command_line_comes_before_the_environment_and_that_before_the_project_file(
    project: Project, at: tuple[str, ...], monkeypatch: pytest.MonkeyPatch
) -> None:
    apply = ("apply", "auth.yaml", *at, *FAST, "--auto-approve")
    lengths = iter(range(13, 99))

    def where(*options: str) -> list[str]:
        """The folders in which one more apply is recorded."""
        places = ("by-option", "by-variable", "by-file", ".reconciler/ledger")
        before = {place: len(kept(project.folder / place)) for place in places}
        length = next(lengths)
        text = re.sub(r"MinimumLength: \d+", f"MinimumLength: {length}", project.document.read_text(encoding="utf-8"))
        project.document.write_text(text, encoding="utf-8")
        assert project.run(*apply, *options).code == 0
        return [place for place in places if len(kept(project.folder / place)) > before[place]]

    assert where() == [".reconciler/ledger"]
    Path("reconciler.yaml").write_text("ledger: by-file\n", encoding="utf-8")
    assert where() == ["by-file"]
    monkeypatch.setenv("RECONCILER_LEDGER", "by-variable")
    assert where() == ["by-variable"]
    assert where("--ledger", "by-option") == ["by-option"]
    monkeypatch.setenv("RECONCILER_LEDGER", "")
    assert where() == ["by-file"]


def test_a_folder_in_the_project_file_is_beside_that_file(
    project: Project, at: tuple[str, ...], monkeypatch: pytest.MonkeyPatch
) -> None:
    Path("reconciler.yaml").write_text("ledger: kept/here\n", encoding="utf-8")
    Path("deep/down").mkdir(parents=True)
    monkeypatch.chdir("deep/down")
    assert project.run("apply", "../../auth.yaml", *at, *FAST, "--auto-approve").code == 0
    assert len(kept(project.folder / "kept" / "here")) == 1
    assert listed(project, *at) == kept(project.folder / "kept" / "here")
    assert not (project.folder / ".reconciler" / "ledger").exists()


def test_a_shared_ledger_may_stand_in_the_project_file_or_the_environment(
    project: Project, bucket: str, at: tuple[str, ...], monkeypatch: pytest.MonkeyPatch
) -> None:
    Path("reconciler.yaml").write_text(f"ledger: s3://{bucket}/by-file\n", encoding="utf-8")
    assert project.run("apply", "auth.yaml", *at, *FAST, "--auto-approve").code == 0
    assert len(listed(project, *at)) == 1
    monkeypatch.setenv("RECONCILER_LEDGER", f"s3://{bucket}/by-variable")
    assert listed(project, *at) == []
    assert len(listed(project, *at, "--ledger", f"s3://{bucket}/by-file")) == 1
    assert not (project.folder / ".reconciler" / "ledger").exists()


def test_a_slip_in_the_project_file_is_told_with_its_place_before_anything_is_sent(
    project: Project, at: tuple[str, ...]
) -> None:
    Path("reconciler.yaml").write_text("# ours\nledgr: kept\n", encoding="utf-8")
    for command in (("apply", "auth.yaml", "--auto-approve"), ("plan", "auth.yaml"), ("history",), ("unlock",)):
        result = project.run(*command, *at)
        assert result.code == 1, command
        assert "on reconciler.yaml line 2, column 1 (unknown-key)" in result.err, command
    # The embedded backend has a ledger of its own, but the file says more than where the ledger is.
    assert project.run(*APPLY).code == 1
    assert project.updates() == 0


PLACES = (
    "s3://",
    "s3://UPPER/x",
    "s3://ab/x",
    "s3://a..b/x",
    "s3:///prefix",
    "s3:/bucket/x",
    "s3:bucket",
    "S3://bucket/x",
    "gs://bucket/x",
    "https://bucket/x",
    "file:/var/ledger",
)


@pytest.mark.parametrize("place", PLACES)
def test_a_place_that_is_no_ledger_is_a_wrong_command_line(
    project: Project, at: tuple[str, ...], place: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    commands = (("apply", "auth.yaml", "--auto-approve"), ("plan", "auth.yaml"), ("history",), ("unlock",))
    for command in commands:
        result = project.run(*command, *at, "--ledger", place)
        assert result.code == 64, command
        assert "s3://bucket/prefix" in result.err, command
    monkeypatch.setenv("RECONCILER_LEDGER", place)
    assert project.run("apply", "auth.yaml", *at, "--auto-approve").code == 64
    assert project.updates() == 0
    assert {path.name for path in project.folder.iterdir()} == {"auth.yaml", ".reconciler"}


def test_a_place_with_a_colon_that_is_a_folder_is_written_with_a_dot(project: Project, at: tuple[str, ...]) -> None:
    apply = ("apply", "auth.yaml", *at, *FAST, "--auto-approve", "--ledger")
    refused = project.run(*apply, "kept:here")
    assert refused.code == 64
    assert "a folder with a colon in its name is written ./name" in refused.err
    assert project.run(*apply, "./kept:here").code == 0
    assert len(kept(project.folder / "kept:here")) == 1


def test_what_people_write_into_an_address_is_not_repeated(project: Project, at: tuple[str, ...]) -> None:
    result = project.run("history", *at, "--ledger", "s3://AKIACANARY:canary-secret@bucket/team")
    assert result.code == 64
    assert "canary" not in (result.out + result.err).lower()


def test_the_embedded_backend_never_writes_into_a_shared_ledger(
    project: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert project.run(*APPLY, "--ledger", "s3:bucket").code == 64
    result = project.run(*APPLY, "--ledger", "s3://bucket/team")
    assert result.code == 64
    assert "--emulator keeps a ledger of its own" in result.err
    assert project.updates() == 0
    monkeypatch.setenv("RECONCILER_LEDGER", "s3://bucket/team")
    Path("reconciler.yaml").write_text("ledger: s3://bucket/team\n", encoding="utf-8")
    assert project.run(*APPLY).code == 0
    assert len(kept(embedded_ledger(project))) == 1
    assert len(listed(project, "--emulator")) == 1


def test_the_embedded_backend_may_keep_its_ledger_in_a_folder_that_is_named(project: Project) -> None:
    assert project.run(*APPLY, "--ledger", "kept").code == 0
    assert len(kept(project.folder / "kept")) == 1
    assert not embedded_ledger(project).exists()


def test_the_state_folder_moves_the_ledger_with_it(project: Project, at: tuple[str, ...]) -> None:
    assert project.run("apply", "auth.yaml", *at, *FAST, "--auto-approve", "--state-dir", "state").code == 0
    assert len(kept(project.folder / "state" / "ledger")) == 1
    assert (project.folder / "state" / ".gitignore").read_text(encoding="utf-8") == "*\n"


# --- a ledger that fails -----------------------------------------------------------------------


@contextmanager
def refusing(status: int, code: str) -> Iterator[str]:
    """The URL of an S3 that answers everything with an error."""
    body = f"<Error><Code>{code}</Code><Message>canary of the service</Message></Error>".encode()

    class Refuse(BaseHTTPRequestHandler):
        """Answers everything alike."""

        def _answer(self) -> None:
            self.rfile.read(int(self.headers.get("Content-Length", 0)))
            self.send_response(status)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        do_GET = do_PUT = _answer

        def log_message(self, *_arguments: object) -> None:
            """Stay quiet."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Refuse) as server:
        threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
        yield f"http://127.0.0.1:{server.server_address[1]}"
        server.shutdown()


@pytest.mark.parametrize(
    ("status", "error", "code", "says"),
    [
        (403, "AccessDenied", 5, "s3:GetObject and s3:PutObject"),
        (400, "ExpiredToken", 5, "renew the credentials"),
        (403, "InvalidAccessKeyId", 5, "access key"),
        (404, "NoSuchBucket", 1, "make the bucket first"),
        (501, "NotImplemented", 1, "conditional writes"),
    ],
)
def test_a_shared_ledger_that_refuses_stops_an_apply_before_anything_is_sent(
    project: Project,
    at: tuple[str, ...],
    monkeypatch: pytest.MonkeyPatch,
    status: int,
    error: str,
    code: int,
    says: str,
) -> None:
    plan = saved(project, *at)
    with refusing(status, error) as url:
        monkeypatch.setenv("AWS_ENDPOINT_URL_S3", url)
        for path in ("auth.yaml", plan):
            result = project.run(
                "apply",
                path,
                *at,
                *FAST,
                "--ledger",
                "s3://bucket/team",
                *(() if path == plan else ("--auto-approve",)),
            )
            assert result.code == code, result
            shown = result.out + result.err
            assert f"the ledger in s3://bucket/team can't be read or written: {error}" in shown
            assert says in shown
            assert "canary" not in shown
        drift = project.run("drift", "auth.yaml", *at, "--ledger", "s3://bucket/team")
        assert drift.code == 2
        assert "whether an update is under way is not known" in drift.out
    assert project.updates() == 0


def test_a_bucket_that_is_not_there_stops_an_apply_before_anything_is_sent(
    project: Project, bucket: str, at: tuple[str, ...]
) -> None:
    place = f"s3://no-{bucket}/team"
    result = project.run("apply", "auth.yaml", *at, *FAST, "--auto-approve", "--ledger", place)
    assert result.code == 1
    assert f"the ledger in {place} can't be read or written: NoSuchBucket" in result.err
    for command in ("history", "unlock"):
        assert project.run(command, *at, "--ledger", place).code == 1
    assert project.updates() == 0


def test_a_shared_ledger_without_credentials_ends_with_five(
    project: Project, bucket: str, at: tuple[str, ...], monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.delenv(name)
    result = project.run("apply", "auth.yaml", *at, "--auto-approve", "--ledger", f"s3://{bucket}/team")
    assert result.code == 5
    assert project.updates() == 0


@pytest.mark.parametrize("place", ["ledger", "ledger/locks", "ledger/journal", "ledger/.lock"])
def test_a_ledger_that_cant_be_written_stops_an_apply_before_anything_is_sent(project: Project, place: str) -> None:
    """A file stands where a folder should, or a folder where a file should: also root can't write there."""
    path = project.folder / ".reconciler" / "emulator" / place
    path.parent.mkdir(parents=True, exist_ok=True)
    if place.endswith(".lock"):
        path.mkdir()
    else:
        path.write_text("in the way", encoding="utf-8")
    result = project.run(*APPLY)
    assert result.code == 1
    assert "the ledger in " in result.out + result.err
    assert "can't be read or written" in result.out + result.err
    assert project.updates() == 0
    if path.is_file():
        assert path.read_text(encoding="utf-8") == "in the way"


def test_a_ledger_that_cant_remember_plans_stops_a_saved_plan_before_anything_is_sent(project: Project) -> None:
    plan = saved(project)
    embedded_ledger(project).mkdir(parents=True)
    (embedded_ledger(project) / "plans").write_text("in the way", encoding="utf-8")
    assert project.run("apply", plan, "--emulator", *FAST).code == 1
    assert project.updates() == 0


@pytest.mark.parametrize("by", ["a file", "a link to nowhere"])
def test_a_state_folder_that_cant_be_made_stops_an_apply_before_anything_is_sent(
    project: Project, at: tuple[str, ...], by: str
) -> None:
    if by == "a file":
        Path("state").write_text("in the way", encoding="utf-8")
    else:
        Path("state").symlink_to("nowhere/at/all")
    result = project.run("apply", "auth.yaml", *at, "--auto-approve", "--state-dir", "state")
    assert result.code == 1
    assert "state" in result.err
    assert project.updates() == 0


def test_an_update_that_cant_be_recorded_is_an_error_and_is_recorded_by_the_next_run(project: Project) -> None:
    embedded_ledger(project).mkdir(parents=True)
    in_the_way = embedded_ledger(project) / "runs"
    in_the_way.write_text("in the way", encoding="utf-8")
    result = project.run(*APPLY)
    assert result.code == 1
    assert "shop-prod: applied, 6 changes" in result.out
    assert "the ledger does not have this: the ledger in " in result.out
    assert live(project)["UserPoolConfigs"]["PasswordPolicy"]["MinimumLength"] == 12
    in_the_way.unlink()
    (lost,) = listed(project, "--emulator")
    assert lost["open"]
    again = project.run(*APPLY)
    assert again.code == 0
    assert "No changes." in again.out
    (record,) = listed(project, "--emulator")
    assert (record["outcome"]["kind"], record["resumes"]) == ("applied", lost["run"])
    assert project.updates() == 1


def test_a_refusal_that_cant_be_recorded_stays_that_refusal(project: Project) -> None:
    """What is wrong with the ledger never hides the graver news."""
    embedded_ledger(project).mkdir(parents=True)
    (embedded_ledger(project) / "runs").write_text("in the way", encoding="utf-8")
    project.emulator.inject([Fault("collateral", operation="UpdateBackendAuth")])
    result = project.run(*APPLY)
    assert result.code == 8
    assert "the ledger does not have this" in result.out


def test_a_journal_that_was_damaged_stops_an_apply_and_is_named(project: Project) -> None:
    project.switch("job_seconds=600")
    left_open(project)
    (journal,) = (embedded_ledger(project) / "journal").iterdir()
    journal.write_text("{", encoding="utf-8")
    result = project.run(*APPLY)
    assert result.code == 1
    assert f"The ledger's journal/{journal.name} can't be understood" in result.err
    assert project.updates() == 1


# --- what a ledger of one machine loses --------------------------------------------------------

NOTE = "Note: the ledger is this machine's own"


def test_in_ci_a_ledger_of_one_machine_is_told_in_one_line(
    project: Project, at: tuple[str, ...], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CI", "true")
    result = project.run("apply", "auth.yaml", *at, *FAST, "--auto-approve")
    (note,) = [line for line in result.err.splitlines() if line.startswith(NOTE)]
    assert str(project.folder / ".reconciler" / "ledger") in note
    assert "applied twice" in note
    assert "can't be resumed" in note
    assert note.endswith("--ledger s3://bucket/prefix")
    assert result.code == 0


def test_the_note_is_for_ci_alone_and_for_no_other_ledger_or_command(
    project: Project, bucket: str, at: tuple[str, ...], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("CI", raising=False)
    lengths = iter(range(13, 99))

    def told(*arguments: str) -> str:
        length = next(lengths)
        text = re.sub(r"MinimumLength: \d+", f"MinimumLength: {length}", project.document.read_text(encoding="utf-8"))
        project.document.write_text(text, encoding="utf-8")
        result = project.run(*arguments)
        assert result.code == 0
        return result.out + result.err

    apply = ("apply", "auth.yaml", *FAST, "--auto-approve")
    assert NOTE not in told(*apply, *at)
    monkeypatch.setenv("CI", "true")
    assert NOTE not in told(*apply, "--emulator")
    assert NOTE not in told(*apply, *at, "--ledger", f"s3://{bucket}/team")
    assert NOTE not in told("plan", "auth.yaml", *at)
    assert NOTE in told(*apply, *at), "and without any of this it is there"


def test_no_line_of_the_ledger_holds_a_secret(project: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    canaries = ("canary-old-4711", "canary-new-0815")
    project.switch("secrets=clear")
    config: dict[str, Any] = live(project)
    config["UserPoolConfigs"]["OAuth"]["SocialProviderSettings"] = {
        "Google": {"ClientId": "google", "ClientSecret": canaries[0]}
    }
    project.emulator.put_live(EMULATOR_ACCOUNT, EMULATOR_REGION, APP, "prod", "shopauth", config)
    project.edit(
        "OAuthGrantType: CODE",
        "OAuthGrantType: CODE\n      SocialProviderSettings: {Google: {ClientId: google, ClientSecret: '${env:NEW}'}}",
    )
    monkeypatch.setenv("NEW", canaries[1])
    project.switch("job_seconds=1")
    left_open(project)
    under_way = contents(embedded_ledger(project))
    assert project.run(*APPLY).code == 0
    settled = contents(embedded_ledger(project))
    told = project.run("history", "--emulator", "--format", "json").out.encode()
    assert live(project)["UserPoolConfigs"]["OAuth"]["SocialProviderSettings"]["Google"]["ClientSecret"] == canaries[1]
    for canary in canaries:
        assert canary.encode() not in b"".join([*under_way.values(), *settled.values(), told])
