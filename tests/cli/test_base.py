"""Whose change it is, as people see it: plan, drift and apply against a commit of git, and against what was applied."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path

import jsonschema
import pytest

from reconciler.config.schema import schema_text
from reconciler.emulator import Fault
from tests.cli.conftest import Project

LENGTH = "UserPoolConfigs.PasswordPolicy.MinimumLength"
EMULATOR = ("--emulator", "--quiet")
NOW = ("--emulator", "--quiet", "--auto-approve", "--poll-interval", "0")


def git(project: Project, *arguments: str) -> str:
    who = ("-c", "user.name=Ada", "-c", "user.email=ada@example.com")
    command = ["git", *who, *arguments]
    return subprocess.run(command, cwd=project.folder, check=True, capture_output=True, text=True).stdout.strip()


@pytest.fixture
def repository(project: Project) -> Project:
    """The example, applied and committed."""
    assert project.run("apply", "auth.yaml", *NOW).code == 0
    git(project, "init", "--quiet", "--initial-branch=main")
    git(project, "add", "auth.yaml")
    git(project, "commit", "--quiet", "--message", "documents")
    return project


def click(project: Project, old: str, new: str) -> None:
    """Change live as somebody in a console does: git and the ledger know nothing of it."""
    text = project.document.read_text(encoding="utf-8")
    assert text.count(old) == 1
    other = project.folder / "clicked.yml"
    other.write_text(text.replace(old, new), encoding="utf-8")
    result = project.run("apply", "clicked.yml", *NOW, "--ledger", "elsewhere", "--allow", "mfa-on")
    other.unlink()
    assert result.code == 0, result.err


@pytest.mark.parametrize("base", ["main", "last-applied"])
def test_a_merged_change_that_is_not_applied_yet_is_no_drift(repository: Project, base: str) -> None:
    repository.edit("Length: 12", "Length: 14")
    assert repository.run("drift", "auth.yaml", *EMULATOR).code == 2
    result = repository.run("drift", "auth.yaml", *EMULATOR, "--base", base)
    assert (result.code, result.err) == (0, "")
    assert f"No drift. Nothing moved outside git since {base}." in result.out
    assert f"Note: shop-prod: not applied yet: {LENGTH}" in result.out
    assert f"Since {base}: 1 pending." in result.out


@pytest.mark.parametrize("base", ["main", "last-applied"])
def test_drift_shows_what_was_clicked_and_nothing_else(repository: Project, base: str) -> None:
    click(repository, "MFAMode: OPTIONAL", "MFAMode: ON")
    repository.edit("Length: 12", "Length: 14")
    result = repository.run("drift", "auth.yaml", *EMULATOR, "--base", base)
    assert result.code == 2
    assert '~ MFAMode = "ON" -> "OPTIONAL" # drift' in result.out
    assert "MinimumLength =" not in result.out
    assert f"Since {base}: 1 pending, 1 drift." in result.out


def test_in_json_drift_leads_from_what_was_there_before_it_to_live(repository: Project) -> None:
    click(repository, "[EMAIL, OPENID, PROFILE]", "[OPENID, PHONE]")
    repository.edit("Length: 12", "Length: 14")
    told = repository.run("drift", "auth.yaml", *EMULATOR, "--base", "main", "--format", "json").out
    (drifted,) = json.loads(told)["resource_drift"]
    before, after = (drifted["change"][side]["ResourceConfig"]["UserPoolConfigs"] for side in ("before", "after"))
    assert before["OAuth"]["OAuthScopes"] == ["EMAIL", "OPENID", "PROFILE"]
    assert after["OAuth"]["OAuthScopes"] == ["OPENID", "PHONE"]
    assert before["PasswordPolicy"] == after["PasswordPolicy"]


def test_a_plan_tells_whose_each_change_is_and_a_saved_one_keeps_it(repository: Project) -> None:
    click(repository, "MFAMode: OPTIONAL", "MFAMode: ON")
    repository.edit("Length: 12", "Length: 14")
    planned = repository.run("plan", "auth.yaml", *EMULATOR, "--base", "main", "--out", "saved.plan")
    assert '~ MFAMode = "ON" -> "OPTIONAL" # drift' in planned.out
    assert "~ MinimumLength = 12 -> 14 # pending" in planned.out
    assert repository.run("show", "saved.plan").out == planned.out
    body = json.loads(Path("saved.plan").read_text(encoding="utf-8"))
    jsonschema.validate(body, json.loads(schema_text("plan")))
    changes = body["reconciler"]["targets"][0]["changes"]
    assert body["reconciler"]["base"] == "main"
    assert sorted(change["movement"] for change in changes) == ["drift", "pending"]
    assert repository.run("apply", "saved.plan", *EMULATOR, "--poll-interval", "0").code == 0


def test_apply_refuses_a_conflict_unless_it_is_told_which_side_wins(repository: Project) -> None:
    click(repository, "Length: 12", "Length: 10")
    repository.edit("Length: 12", "Length: 14")
    before = repository.updates()
    refused = repository.run("apply", "auth.yaml", *NOW, "--base", "main")
    assert (refused.code, repository.updates()) == (4, before)
    assert f"{LENGTH}: the base has 12, live 10, the configuration 14." in refused.out
    other = repository.run(
        "apply", "auth.yaml", *NOW, "--base", "main", "--allow", "conflict:UserPoolConfigs.Mfa.MFAMode"
    )
    assert other.code == 4
    assert repository.run("drift", "auth.yaml", *EMULATOR, "--base", "main").code == 2
    assert repository.run("apply", "auth.yaml", *NOW, "--base", "main", "--allow", f"conflict:{LENGTH}").code == 0


def test_a_plan_that_was_saved_with_a_conflict_is_refused(repository: Project) -> None:
    click(repository, "Length: 12", "Length: 10")
    repository.edit("Length: 12", "Length: 14")
    assert repository.run("plan", "auth.yaml", *EMULATOR, "--base", "main", "--out", "saved.plan").code == 0
    before = repository.updates()
    assert repository.run("apply", "saved.plan", *EMULATOR, "--poll-interval", "0").code == 4
    assert repository.updates() == before


def test_references_of_the_base_have_the_values_of_today(repository: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    repository.edit("MinimumLength: 12", "MinimumLength: ${env:RECONCILER_VAR_LENGTH}")
    git(repository, "commit", "--quiet", "--all", "--message", "a variable")
    monkeypatch.setenv("RECONCILER_VAR_LENGTH", "14")
    result = repository.run("plan", "auth.yaml", *EMULATOR, "--base", "HEAD")
    assert "~ MinimumLength = 12 -> 14 # drift" in result.out


def test_files_that_the_base_refers_to_are_those_of_the_work_tree(repository: Project) -> None:
    Path("length").write_text("14", encoding="utf-8")
    repository.edit("MinimumLength: 12", "MinimumLength: ${file:length}")
    git(repository, "commit", "--quiet", "--all", "--message", "a file that git does not have")
    result = repository.run("drift", "auth.yaml", *EMULATOR, "--base", "HEAD")
    assert result.code == 2
    assert "~ MinimumLength = 12 -> 14 # drift" in result.out


def test_a_document_that_moved_to_another_file_is_the_same_one(repository: Project) -> None:
    repository.edit("Length: 12", "Length: 14")
    Path("auth").mkdir()
    repository.document.rename("auth/shop.yaml")
    for path in (".", "auth/shop.yaml", "auth/*.yaml"):
        result = repository.run("drift", path, *EMULATOR, "--base", "main")
        assert (result.code, "Since main: 1 pending." in result.out) == (0, True)


def test_what_git_can_not_have_had_is_refused(repository: Project, tmp_path_factory: pytest.TempPathFactory) -> None:
    outside = tmp_path_factory.mktemp("outside") / "auth.yaml"
    outside.write_text(repository.document.read_text(encoding="utf-8").replace("prod", "test"), encoding="utf-8")
    assert repository.run("emulator", "seed", "auth.yaml", str(outside)).code == 0
    result = repository.run("drift", "auth.yaml", str(outside), *EMULATOR, "--base", "main")
    assert result.code == 64
    assert f"can't tell what {outside} was" in result.err


def test_from_another_folder_and_with_what_a_document_extends(
    repository: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    text = repository.document.read_text(encoding="utf-8")
    Path("deep/er").mkdir(parents=True)
    Path("base.yaml").write_text(text[text.index("ResourceConfig:") :], encoding="utf-8")
    Path("deep/auth.yaml").write_text(
        text[: text.index("ResourceConfig:")] + "extends: ../base.yaml\n", encoding="utf-8"
    )
    repository.document.unlink()
    git(repository, "add", "--all")
    git(repository, "commit", "--quiet", "--message", "a base")
    Path("base.yaml").write_text(
        text[text.index("ResourceConfig:") :].replace("Length: 12", "Length: 14"), encoding="utf-8"
    )
    monkeypatch.chdir(repository.folder / "deep" / "er")
    for path in ("../auth.yaml", "..", "../*.yaml", str(repository.folder / "deep")):
        result = repository.run("drift", path, *EMULATOR, "--base", "HEAD")
        assert (result.code, result.err) == (0, "")
        assert "Since HEAD: 1 pending." in result.out


def test_a_new_document_has_no_base_and_is_pending(repository: Project) -> None:
    new = repository.document.read_text(encoding="utf-8").replace("prod", "test").replace("Length: 12", "Length: 14")
    Path("new.yaml").write_text(new, encoding="utf-8")
    assert repository.run("emulator", "seed", "auth.yaml", "new.yaml").code == 0
    Path("new.yaml").write_text(new.replace("Length: 14", "Length: 16"), encoding="utf-8")
    result = repository.run("drift", "new.yaml", *EMULATOR, "--base", "main")
    assert (result.code, "Since main: 1 pending." in result.out) == (0, True)


def _moved(repository: Project, to: str) -> None:
    """Move the document to another file, and let somebody click."""
    (repository.folder / to).parent.mkdir(exist_ok=True)
    git(repository, "mv", "auth.yaml", to)
    moved = repository.folder / to
    text = moved.read_text(encoding="utf-8")
    repository.document.write_text(text, encoding="utf-8")
    click(repository, "Length: 12", "Length: 10")
    repository.document.unlink()


@pytest.mark.parametrize("to", ["auth.conf", ".hidden/b.yaml"])
def test_whatever_a_document_is_called_it_is_not_taken_for_new(repository: Project, to: str) -> None:
    _moved(repository, to)
    git(repository, "commit", "--quiet", "--message", "moved")
    assert repository.run("drift", to, *EMULATOR, "--base", "HEAD").code == 2
    if to.startswith("."):
        git(repository, "mv", to, ".hidden/c.yaml")
        assert repository.run("drift", ".hidden/c.yaml", *EMULATOR, "--base", "HEAD").code == 2


def test_a_document_that_was_broken_elsewhere_is_not_taken_for_new(repository: Project) -> None:
    text = repository.document.read_text(encoding="utf-8")
    repository.edit("MFAMode: OPTIONAL", "MFAMode: SOMETIMES")
    git(repository, "commit", "--quiet", "--all", "--message", "broken")
    repository.document.write_text(text, encoding="utf-8")
    _moved(repository, "auth/shop.yaml")
    result = repository.run("drift", "auth", *EMULATOR, "--base", "HEAD")
    assert (result.code, "HEAD can't tell what it was" in result.out) == (2, True)


def test_what_was_broken_of_others_stops_nobody(repository: Project) -> None:
    other = repository.folder / "other.yaml"
    text = repository.document.read_text(encoding="utf-8")
    other.write_text(text.replace("prod", "test").replace("OPTIONAL", "SOMETIMES"), encoding="utf-8")
    git(repository, "add", "other.yaml")
    git(repository, "commit", "--quiet", "--message", "broken")
    other.unlink()
    repository.edit("Length: 12", "Length: 14")
    result = repository.run("drift", ".", *EMULATOR, "--base", "HEAD")
    assert (result.code, "Since HEAD: 1 pending." in result.out) == (0, True)


@pytest.mark.parametrize("today", [None, "abc", "500"])
def test_what_nobody_can_tell_of_the_base_is_drift_and_said(
    repository: Project, monkeypatch: pytest.MonkeyPatch, today: str | None
) -> None:
    repository.edit("Length: 12", "Length: ${env:RECONCILER_VAR_LENGTH}")
    repository.edit("https://shop.example.com/callback/", "${env:RECONCILER_VAR_GONE}")
    git(repository, "commit", "--quiet", "--all", "--message", "variables")
    repository.edit("${env:RECONCILER_VAR_LENGTH}", "14")
    repository.edit("${env:RECONCILER_VAR_GONE}", "https://shop.example.com/callback/")
    if today is not None:
        monkeypatch.setenv("RECONCILER_VAR_LENGTH", today)
    result = repository.run("drift", "auth.yaml", *EMULATOR, "--base", "HEAD")
    assert (result.code, "~ MinimumLength = 12 -> 14 # drift" in result.out) == (2, True)
    assert f"HEAD can't tell what these were: {LENGTH}, UserPoolConfigs.OAuth.RedirectSignInURIs" in result.out
    assert "Template" not in result.out
    assert repository.run("apply", "auth.yaml", *NOW, "--base", "HEAD").code == 0


def test_a_link_of_the_base_leads_to_what_was_there_then(repository: Project) -> None:
    (repository.folder / "real").mkdir()
    git(repository, "mv", "auth.yaml", "real/auth.yaml")
    repository.document.symlink_to(repository.folder / "real" / "auth.yaml")
    git(repository, "add", "--all")
    git(repository, "commit", "--quiet", "--message", "link")
    real = repository.folder / "real" / "auth.yaml"
    real.write_text(real.read_text(encoding="utf-8").replace("Length: 12", "Length: 14"), encoding="utf-8")
    result = repository.run("drift", "auth.yaml", *EMULATOR, "--base", "HEAD")
    assert (result.code, "Since HEAD: 1 pending." in result.out) == (0, True)


def test_what_an_unproven_update_left_is_not_taken_for_a_click(repository: Project) -> None:
    repository.emulator.inject([Fault("collateral", operation="UpdateBackendAuth")])  # it moves the length besides
    repository.edit("EmailSubject: ", "EmailSubject: One ")
    assert repository.run("apply", "auth.yaml", *NOW).code == 8
    repository.edit("EmailSubject: One ", "EmailSubject: Two ")
    result = repository.run("plan", "auth.yaml", *EMULATOR, "--base", "last-applied")
    assert "Since last-applied: 1 pending, 1 drift." in result.out


def test_an_update_that_failed_is_not_what_was_last_applied(repository: Project) -> None:
    repository.emulator.inject([Fault("job_failed", operation="UpdateBackendAuth")])
    repository.edit("Length: 12", "Length: 14")
    assert repository.run("apply", "auth.yaml", *NOW).code == 1
    assert repository.run("drift", "auth.yaml", *EMULATOR, "--base", "last-applied").code == 0


def test_what_was_applied_elsewhere_under_the_same_name_is_another_target(repository: Project) -> None:
    text = repository.document.read_text(encoding="utf-8")
    other = text.replace("BackendEnvironmentName: prod", "BackendEnvironmentName: test")
    repository.document.write_text(other, encoding="utf-8")
    assert repository.run("emulator", "seed", "auth.yaml").code == 0
    repository.edit("Length: 12", "Length: 14")
    result = repository.run("drift", "auth.yaml", *EMULATOR, "--base", "last-applied")
    assert (result.code, "last-applied can't tell what it was" in result.out) == (2, True)


def test_a_waiver_of_today_is_none_of_the_documents_of_then(repository: Project) -> None:
    repository.edit("Length: 12", "Length: 14")
    waiver = f"- {{path: {LENGTH}, value: 12, instead_of: 14, owner: a, reason: b, expires: 2999-12-31}}"
    Path("reconciler.yaml").write_text(f"waivers: [{waiver[2:]}]\n", encoding="utf-8")
    result = repository.run("drift", "auth.yaml", *EMULATOR, "--base", "HEAD")
    assert (result.code, result.err) == (0, "")


def test_what_the_ledger_never_saw_applied_is_never_taken_for_pending(repository: Project) -> None:
    repository.edit("Length: 12", "Length: 14")
    empty = ("--ledger", "empty")
    result = repository.run("drift", "auth.yaml", *EMULATOR, "--base", "last-applied", *empty)
    assert result.code == 2
    assert "last-applied can't tell what it was: every difference counts as drift" in result.out
    applied = repository.run("apply", "auth.yaml", *NOW, "--base", "last-applied", *empty)
    assert applied.code == 0
    assert repository.run("drift", "auth.yaml", *EMULATOR, "--base", "last-applied", *empty).code == 0


def test_what_an_apply_found_to_be_live_is_last_applied_too(repository: Project) -> None:
    click(repository, "Length: 12", "Length: 16")
    repository.edit("Length: 12", "Length: 16")
    for _ in range(2):
        assert repository.run("apply", "auth.yaml", *NOW, "--base", "last-applied").code == 0
    assert repository.run("history", "--emulator").out.count("unchanged") == 1  # the second had nothing new to tell
    click(repository, "Length: 16", "Length: 12")
    result = repository.run("drift", "auth.yaml", *EMULATOR, "--base", "last-applied")
    assert (result.code, "Since last-applied: 1 drift." in result.out) == (2, True)


def test_what_is_in_order_beside_what_is_applied_is_last_applied_too(repository: Project) -> None:
    text = repository.document.read_text(encoding="utf-8")
    beta = repository.folder / "beta.yaml"
    beta.write_text(text.replace("prod", "beta"), encoding="utf-8")
    assert repository.run("emulator", "seed", "beta.yaml").code == 0
    beta.write_text(text.replace("prod", "beta").replace("Length: 12", "Length: 13"), encoding="utf-8")
    click(repository, "Length: 12", "Length: 16")
    repository.edit("Length: 12", "Length: 16")
    assert repository.run("apply", ".", *NOW).code == 0
    click(repository, "Length: 16", "Length: 12")
    assert repository.run("drift", "auth.yaml", *EMULATOR, "--base", "last-applied").code == 2


def test_a_saved_plan_without_changes_is_stale_too_and_tells_the_ledger_nothing_then(repository: Project) -> None:
    assert repository.run("plan", "auth.yaml", *EMULATOR, "--out", "same.plan").code == 0
    assert repository.run("apply", "same.plan", *NOW).code == 0
    before = repository.run("history", "--emulator").out
    click(repository, "Length: 12", "Length: 8")
    assert repository.run("apply", "same.plan", *NOW).code == 3
    assert repository.run("history", "--emulator").out.count("unchanged") == before.count("unchanged")


@pytest.mark.parametrize("app", ["d2k7example", '"${env:RECONCILER_VAR_APP}"'])
def test_a_document_in_pieces_that_was_broken_is_not_taken_for_new(
    repository: Project, monkeypatch: pytest.MonkeyPatch, app: str
) -> None:
    monkeypatch.setenv("RECONCILER_VAR_APP", "d2k7example")
    (repository.folder / "auth").mkdir()
    git(repository, "mv", "auth.yaml", "auth/prod.yaml")
    base, shop = repository.folder / "auth" / "prod.yaml", repository.folder / "auth" / "shop.yaml"
    text = base.read_text(encoding="utf-8")
    repository.document.write_text(text, encoding="utf-8")
    click(repository, "Length: 12", "Length: 8")
    repository.document.unlink()
    base.write_text(text.replace("AppId: d2k7example\n", ""), encoding="utf-8")
    shop.write_text(f"extends: prod.yaml\nAppId: {app}\nAppId: again\n", encoding="utf-8")
    git(repository, "add", "--all")
    git(repository, "commit", "--quiet", "--message", "broken")
    shop.write_text(f"extends: prod.yaml\nAppId: {app}\n", encoding="utf-8")
    assert repository.run("drift", "auth", *EMULATOR, "--base", "HEAD").code != 0


def test_a_new_document_is_new_though_other_files_speak_of_it(repository: Project) -> None:
    text = repository.document.read_text(encoding="utf-8").replace("prod", "test")
    (repository.folder / "README.md").write_text(f"```yaml\n{text}```\n", encoding="utf-8")
    (repository.folder / "odd" / "reconciler.yaml").mkdir(parents=True)
    (repository.folder / "odd" / "reconciler.yaml" / "a.json").write_text("{}", encoding="utf-8")
    git(repository, "add", "--all")
    git(repository, "commit", "--quiet", "--message", "words")
    git(repository, "config", "color.ui", "always")
    new = repository.folder / "new.yaml"
    new.write_text(text, encoding="utf-8")
    assert repository.run("emulator", "seed", "new.yaml").code == 0
    new.write_text(text.replace("Length: 12", "Length: 14"), encoding="utf-8")
    result = repository.run("drift", "new.yaml", *EMULATOR, "--base", "HEAD")
    assert (result.code, "Since HEAD: 1 pending." in result.out) == (0, True)


def test_what_was_pulled_is_known_once_an_apply_has_seen_it(project: Project) -> None:
    assert project.run("pull", "--app-id", "d2k7example", "--env", "prod", "--emulator", "--out", "live.yaml").code == 0
    before = project.run("drift", "live.yaml", *EMULATOR, "--base", "last-applied")
    assert "last-applied can't tell what it was" in before.out
    assert project.run("apply", "live.yaml", *NOW).code == 0
    assert project.run("drift", "live.yaml", *EMULATOR, "--base", "last-applied").out.startswith(
        "No drift. Nothing moved"
    )


def test_a_base_that_git_does_not_know_is_told_with_the_way_out(repository: Project) -> None:
    result = repository.run("drift", "auth.yaml", *EMULATOR, "--base", "--upload-pack=x")
    assert result.code == 64
    result = repository.run("plan", "auth.yaml", *EMULATOR, "--base", "origin/main")
    assert result.code == 64
    assert "git knows no commit origin/main" in result.err
    assert "fetch it first" in result.err


def test_outside_a_repository_there_is_no_base(project: Project) -> None:
    result = project.run("plan", "auth.yaml", *EMULATOR, "--base", "main")
    assert result.code == 64
    assert "needs a git repository" in result.err


def test_errors_of_the_base_are_told_with_its_name_and_nothing_is_taken_for_pending(repository: Project) -> None:
    repository.edit("MFAMode: OPTIONAL", "MFAMode: SOMETIMES")
    git(repository, "commit", "--quiet", "--all", "--message", "broken")
    repository.edit("MFAMode: SOMETIMES", "MFAMode: OPTIONAL")
    result = repository.run("drift", "auth.yaml", *EMULATOR, "--base", "HEAD")
    assert result.code == 1
    assert "on HEAD:auth.yaml line" in result.err


def test_a_saved_plan_takes_no_base(repository: Project) -> None:
    repository.edit("Length: 12", "Length: 14")
    assert repository.run("plan", "auth.yaml", *EMULATOR, "--out", "saved.plan").code == 0
    result = repository.run("apply", "saved.plan", *EMULATOR, "--base", "main")
    assert result.code == 64
    assert "--base" in result.err
