"""Looking back into the ledger, and going back: what is odd, damaged, unknown or of several runs is told as it is."""

from __future__ import annotations

import json
import os
import re
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from reconciler.emulator import EMULATOR_ACCOUNT, EMULATOR_REGION, Fault
from tests.cli.conftest import Project, Start
from tests.cli.ledgers import APP, FAST, document, embedded_ledger, kept, listed, live
from tests.cli.test_ledger_commands import APPLY, applied, copied, left_open, without_a_terminal
from tests.cli.test_processes import ENDLESS

ODD = ("../x", "", "x y", "é", "..", "a//b", "20200101T000000Z-", "²0200101T000000Z-00000000", "x" * 300)


def written(project: Project, run: str, name: str = "shop-prod") -> Path:
    """The file of one record."""
    return embedded_ledger(project) / "runs" / run / f"{name}.json"


def changed(path: Path, change: Callable[[Any], object]) -> None:
    """Change what a file of the ledger holds."""
    body = json.loads(path.read_text(encoding="utf-8"))
    change(body)
    path.write_text(json.dumps(body), encoding="utf-8")


def looked_at(project: Project, run: str, at: str, kind: str) -> str:
    """A later run that looked at the update of another, and what it found."""
    later = f"{at}-00000001-{run.rpartition('-')[2]}"
    copied(project, run, later)
    changed(
        written(project, later),
        lambda body: (body.update(resumes=run, command="resume"), body["outcome"].update(kind=kind)),
    )
    return later


# --- one run -----------------------------------------------------------------------------------


def test_of_many_looks_at_an_update_the_last_one_is_told(project: Project) -> None:
    run = applied(project)
    looked_at(project, run, "20300101T000000Z", "timed out")
    told = project.run("history", run, "--emulator").out
    assert f"  looked at the update of run {run}\n" in told
    assert "settled" not in told
    looked_at(project, run, "20300101T000100Z", "unknown")
    last = looked_at(project, run, "20300101T000200Z", "applied")
    assert [record["run"] for record in listed(project, run, "--emulator")] == [last]
    told = project.run("history", run, "--emulator").out
    assert f"  settled the update of run {run}\n" in told
    assert "looked at" not in told


@pytest.mark.parametrize("run", ODD)
def test_an_odd_id_is_a_run_that_is_not_there(project: Project, run: str) -> None:
    applied(project)
    result = project.run("restore", run, "--emulator", "--auto-approve")
    assert (result.code, result.out) == (64, "")
    assert f"has no run {run}\n" in result.err
    assert "'reconciler history'" in result.err
    assert project.run("restore", f"{kept(embedded_ledger(project))[0]['run']}/", "--emulator").code == 64
    assert project.updates() == 1


# --- what is damaged ---------------------------------------------------------------------------

WRONG: tuple[Callable[[Any], object], ...] = (
    lambda body: body["commit"].update(id=5),
    lambda body: body["commit"].update(dirty="no"),
    lambda body: body["plan"].update(name=None),
    lambda body: body["plan"].update(labels=5),
    lambda body: body["plan"]["target"].update(app=["a"]),
    lambda body: body["plan"].update(origin=["auth.yaml", "1", 1]),
    lambda body: body["plan"]["changes"][0].update(path=[1]),
    lambda body: body["plan"]["live"]["UserPoolConfigs"]["PasswordPolicy"].update(MinimumLength=[8]),
    lambda body: body["plan"]["live"]["UserPoolConfigs"]["PasswordPolicy"].update(AdditionalConstraints="x"),
    lambda body: body.update(folder=7),
    lambda body: body.update(run=["x"]),
    lambda body: body.update(seconds="12"),
    lambda body: body.update(seconds=True),
    lambda body: body.update(sent="no"),
    lambda body: body.update(jobs=[1]),
    lambda body: body["who"].update(user=5),
    lambda body: body["who"].update(pipeline={"system": 5}),
    lambda body: body["outcome"].update(summary=5),
    lambda body: body["outcome"].update(kind="splendid"),
)


@pytest.mark.parametrize("change", WRONG)
def test_a_record_with_a_value_of_another_type_is_named_and_is_no_traceback(
    project: Project, change: Callable[[Any], object]
) -> None:
    run = applied(project)
    path = written(project, run)
    changed(path, lambda body: body.update(commit={"id": "f" * 40, "dirty": None}))
    assert project.run("history", run, "--emulator").code == 0
    changed(path, change)
    for arguments in (("history",), ("history", run), ("restore", run, "--auto-approve")):
        result = project.run(*arguments, "--emulator")
        assert result.code == 1, arguments
        assert f"The ledger's runs/{run}/shop-prod.json can't be understood" in result.err, arguments
    assert project.updates() == 1


def test_a_damaged_record_hides_no_other(project: Project) -> None:
    run = applied(project)
    copied(project, run, "20300101T000000Z-00000001")
    copied(project, run, "20200101T000000Z-00000002")
    written(project, run).write_text("{", encoding="utf-8")
    result = project.run("history", "--emulator")
    assert result.code == 1
    told = [line.split()[0] for line in result.out.splitlines()[1:]]
    assert told == ["20300101T000000Z-00000001", "20200101T000000Z-00000002"]
    assert f"Warning: The ledger's runs/{run}/shop-prod.json can't be understood\n" in result.err
    assert "look at it, and move it away" in result.err
    machines = project.run("history", "--emulator", "--format", "json")
    assert machines.code == 1
    assert len(json.loads(machines.out)["records"]) == 2
    written(project, run).unlink()
    assert project.run("history", "--emulator").code == 0


def test_a_damaged_journal_does_not_stop_the_history(project: Project) -> None:
    run = applied(project)
    (journal,) = (embedded_ledger(project) / "journal").iterdir()
    journal.write_text('{"open": true', encoding="utf-8")
    result = project.run("history", "--emulator")
    assert result.code == 1
    assert result.out.splitlines()[1].startswith(run)
    assert f"Warning: The ledger's journal/{journal.name} can't be understood\n" in result.err
    assert project.run("history", run, "--emulator").code == 0


def test_where_only_damaged_things_are_left_it_is_not_said_that_nothing_was_applied(project: Project) -> None:
    run = applied(project)
    written(project, run).write_text("{", encoding="utf-8")
    for arguments in ((), ("shop-prod",)):
        result = project.run("history", *arguments, "--emulator")
        assert result.code == 1
        assert result.out == "Nothing that can be understood was found.\n"


# --- what is not known -------------------------------------------------------------------------


def test_a_target_that_the_ledger_does_not_know_is_named_with_those_it_knows(project: Project) -> None:
    run = applied(project)
    copied(project, run, "20200101T000000Z-00000001", name="shop-dev")
    project.switch("job_seconds=600")
    left_open(project, document(project, "staging"))
    result = project.run("history", "shop-prd", "--emulator")
    assert result.code == 0
    assert result.out == ("Nothing was applied to shop-prd yet. The ledger knows shop-dev, shop-prod, shop-staging.\n")


def test_a_target_that_a_run_does_not_have_is_named_with_those_it_has(project: Project) -> None:
    document(project, "dev")
    assert project.run("apply", ".", "--emulator", *FAST, "--auto-approve").code == 0
    run = kept(embedded_ledger(project))[0]["run"]
    for option in ("--target", "--exclude"):
        result = project.run("restore", run, "--emulator", "--auto-approve", option, "shop-live")
        assert result.code == 64
        assert f"Run {run} has no target shop-live\n" in result.err
        assert "it has: shop-dev, shop-prod\n" in result.err
    result = project.run("restore", run, "--emulator", "--auto-approve", "--exclude", "shop-*")
    assert result.code == 64
    assert f"No target of run {run} is left\n" in result.err
    changed(written(project, run, "shop-dev"), lambda body: body.update(sent=False))
    result = project.run("restore", run, "--emulator", "--auto-approve", "--target", "shop-dev")
    assert result.code == 64
    assert f"Run {run} sent nothing to shop-dev\n" in result.err
    assert project.updates() == 2


# --- the way back ------------------------------------------------------------------------------


def test_a_restore_that_can_ask_nobody_hints_at_what_it_takes(
    project: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    run = applied(project)
    result = without_a_terminal(project, monkeypatch, "restore", run, "--emulator")
    assert result.code == 4
    assert "give --auto-approve" in result.err
    assert "plan --out" not in result.err


def test_a_restore_of_what_nobody_can_bring_back_does_not_say_that_all_is_well(project: Project) -> None:
    config = live(project, "staging")
    config["UserPoolConfigs"]["OAuth"]["SocialProviderSettings"] = {
        "Google": {"ClientId": "google", "ClientSecret": "GOCSPX-canary"}
    }
    project.emulator.put_live(EMULATOR_ACCOUNT, EMULATOR_REGION, APP, "staging", "shopauth", config)
    project.switch("secrets=absent")
    path = Path(document(project, "staging"))
    text = path.read_text(encoding="utf-8")
    policy = text[text.index("    PasswordPolicy:") :]
    path.write_text(
        text.replace(policy, "    OAuth:\n      SocialProviderSettings:\n        Google: null\n"), encoding="utf-8"
    )
    result = project.run("apply", "staging.yaml", "--emulator", *FAST, "--auto-approve")
    assert result.code == 0, result
    (record,) = kept(embedded_ledger(project))
    restore = ("restore", record["run"], "--emulator", *FAST, "--auto-approve")
    for options in ((), ("--report", "markdown=report.md")):
        result = project.run(*restore, *options)
        assert result.code == 0
        assert "Google can't be linked again: nobody kept its secret" in result.out
        assert (
            "No changes. Nothing more of it can be brought back: what is named here stays as it is now." in result.out
        )
        assert "matches the configuration" not in result.out
    assert "matches the configuration" not in Path("report.md").read_text(encoding="utf-8")
    assert project.updates() == 1


def test_a_restore_names_the_later_runs_that_it_takes_back_too(project: Project) -> None:
    first = applied(project)
    alone = project.run("restore", first, "--emulator")
    assert "changed this target since" not in alone.out
    project.edit("MinimumLength: 12", "MinimumLength: 14")
    project.emulator.inject([Fault("throttle", operation="UpdateBackendAuth")])
    assert project.run(*APPLY).code == 1
    assert "changed this target since" not in project.run("restore", first, "--emulator").out, "it sent nothing"
    second = applied(project)
    at = json.loads(written(project, second).read_text(encoding="utf-8"))["started"]
    one = project.run("restore", first, "--emulator")
    assert f"shop-prod: run {second} of {at} changed this target since; this takes that back too\n" in one.out
    assert "changed this target since" not in project.run("restore", second, "--emulator").out
    project.edit("MinimumLength: 14", "MinimumLength: 16")
    third = applied(project)
    two = project.run("restore", first, "--emulator")
    assert "shop-prod: 2 runs changed this target since; this takes that back too\n" in two.out
    assert re.search(rf"\n  run {second} of \S+\n  run {third} of \S+\n", two.out)
    written(project, third).write_text("{", encoding="utf-8")
    torn = project.run("restore", first, "--emulator")
    assert f"run {second} of {at} changed this target since" in torn.out
    assert "whether a later run changed this target is not known" in torn.out
    assert f"runs/{third}/shop-prod.json" in torn.out


def test_a_later_look_at_the_same_update_is_no_later_update(project: Project) -> None:
    run = applied(project)
    looked_at(project, run, "20300101T000000Z", "applied")
    assert "changed this target since" not in project.run("restore", run, "--emulator").out
    other = "20290101T000000Z-0000beef"
    copied(project, run, other)
    later = looked_at(project, other, "20300101T000000Z", "applied")
    assert later != other
    told = project.run("restore", run, "--emulator").out
    assert f"run {other} of " in told
    assert "runs changed" not in told, "one update, however many looked at it"


# --- a screen that is gone ---------------------------------------------------------------------


def test_an_apply_whose_standard_error_is_closed_is_followed_to_its_end(project: Project, start: Start) -> None:
    project.switch("job_seconds=1")
    process = start(*APPLY)
    assert process.stderr is not None
    assert process.stdout is not None
    assert process.stderr.readline()
    process.stderr.close()
    assert process.stdout.read().endswith("Apply complete! Resources: 0 added, 1 changed, 0 destroyed.\n")
    assert process.wait(ENDLESS) == 0
    assert project.updates() == 1
    (record,) = kept(embedded_ledger(project))
    assert record["outcome"]["kind"] == "applied"
    assert project.run("apply", "--resume", "--emulator").out == "Nothing to resume: no update is under way.\n"


def test_an_error_that_nobody_reads_keeps_its_code(start: Start) -> None:
    process = start("plan", "nowhere.yaml", "--emulator")
    assert process.stderr is not None
    process.stderr.close()
    assert process.wait(ENDLESS) == 1


# --- where the ledger is -----------------------------------------------------------------------


def test_a_saved_plan_is_recorded_in_the_project_in_which_it_is_applied(
    project: Project, tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch
) -> None:
    artifacts = tmp_path_factory.mktemp("artifacts")
    Path("reconciler.yaml").touch()
    Path("sub").mkdir()
    plan = str(artifacts / "plan.json")
    assert project.run("plan", "auth.yaml", "--emulator", "--out", plan).code == 0
    monkeypatch.chdir("sub")
    result = project.run("apply", plan, "--emulator", *FAST)
    assert result.code == 0, result
    assert not Path(".reconciler").exists()
    assert len(kept(embedded_ledger(project))) == 1
    monkeypatch.chdir("..")
    assert project.run("apply", plan, "--emulator", *FAST).code == 3
    assert len(listed(project, "--emulator")) == 2, "the second one was refused, and that is told"
    assert not (artifacts / ".reconciler").exists()


def test_a_saved_plan_in_a_project_below_the_current_folder_is_recorded_there(project: Project) -> None:
    below = project.folder / "apps" / "shop"
    below.mkdir(parents=True)
    (below / "reconciler.yaml").touch()
    project.document.rename(below / "auth.yaml")
    assert project.run("plan", "apps/shop/auth.yaml", "--emulator", "--out", "apps/shop/plan.json").code == 0
    assert project.run("apply", "apps/shop/plan.json", "--emulator", *FAST).code == 0
    assert len(kept(below / ".reconciler" / "emulator" / "ledger")) == 1
    assert not embedded_ledger(project).exists()


def test_the_commit_is_that_of_the_documents_wherever_the_program_is_run(
    project: Project, tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in (("NAME", "Ann"), ("EMAIL", "ann@example.com")):
        monkeypatch.setenv(f"GIT_AUTHOR_{name}", value)
        monkeypatch.setenv(f"GIT_COMMITTER_{name}", value)
    monkeypatch.setenv("GIT_CONFIG_GLOBAL", os.devnull)
    for arguments in (["init", "--quiet"], ["add", "auth.yaml"], ["commit", "--quiet", "--message", "auth"]):
        subprocess.run(["git", *arguments], check=True)
    head = subprocess.run(["git", "rev-parse", "HEAD"], check=True, capture_output=True, text=True).stdout.strip()
    monkeypatch.chdir(tmp_path_factory.mktemp("elsewhere"))
    assert project.run("apply", str(project.document), "--emulator", *FAST, "--auto-approve").code == 0
    (record,) = kept(embedded_ledger(project))
    assert record["commit"] == {"id": head, "dirty": False}


def test_a_ledger_among_the_documents_is_none_of_them(project: Project) -> None:
    options = ("--emulator", "--ledger", "ledger")
    project.switch("job_seconds=600")
    assert project.run("plan", "auth.yaml", *options, "--out", "plan.json").code == 0
    assert project.run("apply", "plan.json", *options, *FAST, "--job-timeout", "0").code == 9
    assert {path.parent.name for path in Path("ledger").rglob("*.json")} >= {"journal", "plans"}
    planned = project.run("plan", ".", *options)
    assert (planned.code, planned.err.count("Error")) == (0, 0), planned.err
    (journal,) = Path("ledger/journal").iterdir()
    named = project.run("validate", str(journal))
    assert named.code == 1
    assert "(not-an-auth-document)" in named.out
