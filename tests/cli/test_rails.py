"""Guard rails of the project file: targets that are only observed, and paths that no apply touches by the way."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.cli.conftest import Project

EMULATOR = ("--emulator", "--quiet")
NOW = (*EMULATOR, "--auto-approve", "--poll-interval", "0")
LENGTH = "UserPoolConfigs.PasswordPolicy.MinimumLength"


def rail(text: str) -> None:
    Path("reconciler.yaml").write_text(text, encoding="utf-8")


def test_a_target_that_is_only_observed_is_planned_and_never_applied(project: Project) -> None:
    rail("mode: observe\n")
    plan = project.run("plan", "auth.yaml", *EMULATOR)
    assert "  # blocked by observed: the project only observes this target\n" in plan.out
    assert "at reconciler.yaml:1:7" in plan.out
    assert project.run("drift", "auth.yaml", *EMULATOR).code == 2
    applied = project.run("apply", "auth.yaml", *NOW, "--allow", "protected")
    assert (applied.code, project.updates()) == (4, 0)
    assert "leave it out with --exclude shop-prod" in applied.out


def test_nothing_is_sent_to_the_others_until_the_observed_one_is_left_out(project: Project) -> None:
    other = (
        project.document.read_text(encoding="utf-8")
        .replace("prod", "test")
        .replace("region:", "labels: {tier: test}\nregion:")
    )
    Path("other.yaml").write_text(other, encoding="utf-8")
    assert project.run("emulator", "seed", "other.yaml").code == 0
    Path("other.yaml").write_text(other.replace("Length: 12", "Length: 14"), encoding="utf-8")
    rail("overrides:\n  - {match: {labels: {tier: test}}, mode: observe}\n")
    assert project.run("apply", "auth.yaml", "other.yaml", *NOW).code in {4, 6}
    assert project.updates() == 0
    assert project.run("apply", "auth.yaml", "other.yaml", *NOW, "--exclude", "shop-test").code == 0
    assert project.updates() == 1


def test_an_observed_target_that_is_in_order_stops_no_other(project: Project) -> None:
    assert project.run("apply", "auth.yaml", *NOW).code == 0
    text = project.document.read_text(encoding="utf-8").replace("prod", "test")
    (project.folder / "test.yaml").write_text(text, encoding="utf-8")
    assert project.run("emulator", "seed", "test.yaml").code == 0
    (project.folder / "test.yaml").write_text(text.replace("Length: 12", "Length: 14"), encoding="utf-8")
    rail("overrides:\n  - {match: {name: shop-prod}, mode: observe}\n")
    assert project.run("apply", ".", *NOW).code == 0
    assert project.updates() == 2


def test_a_guard_of_a_saved_plan_is_told_once(project: Project) -> None:
    rail(f"protect: [{LENGTH}]\n")
    assert project.run("plan", "auth.yaml", *EMULATOR, "--out", "saved.plan").code == 0
    told = project.run("apply", "saved.plan", *EMULATOR).out
    assert (told.count("the project file protects it"), "at reconciler.yaml:1:11" in told) == (1, True)


def test_a_later_override_gives_a_target_back_to_apply(project: Project) -> None:
    rail("mode: observe\noverrides:\n  - {match: {name: shop-*}, mode: apply}\n")
    assert project.run("apply", "auth.yaml", *NOW).code == 0


@pytest.mark.parametrize("path", ["UserPoolConfigs", "UserPoolConfigs.PasswordPolicy", LENGTH])
def test_a_protected_path_is_touched_only_when_it_is_allowed(project: Project, path: str) -> None:
    assert project.run("apply", "auth.yaml", *NOW).code == 0
    project.edit("Length: 12", "Length: 14")
    rail(f"protect: [{path}]\n")
    refused = project.run("apply", "auth.yaml", *NOW)
    assert (refused.code, project.updates()) == (4, 1)
    assert f"{LENGTH} changes, and {path} is protected." in refused.out
    assert project.run("apply", "auth.yaml", *NOW, "--allow", "protected:UserPoolConfigs.Mfa.MFAMode").code == 4
    assert project.run("apply", "auth.yaml", *NOW, "--allow", f"protected:{path}").code == 0


def test_a_path_that_no_document_has_is_a_slip_of_the_pen(project: Project) -> None:
    result = project.run("apply", "auth.yaml", *NOW, "--allow", "protected:UserPoolConfigs.PasswordPolicy.MinLength")
    assert (result.code, project.updates()) == (64, 0)
    assert "did you mean UserPoolConfigs.PasswordPolicy.MinimumLength?" in result.err
    assert project.run("plan", "auth.yaml", "--emulator", "--allow", "mfa-on:UserPoolConfigs.Mfa").code == 64


def test_other_paths_are_in_nobodys_way(project: Project) -> None:
    rail("protect: [UserPoolConfigs.OAuth.DomainPrefix, UserPoolConfigs.VerificationMessage]\n")
    assert project.run("apply", "auth.yaml", *NOW).code == 0


def test_protected_paths_of_all_that_fits_add_up(project: Project) -> None:
    rail(f"protect: [UserPoolConfigs.Mfa]\noverrides:\n  - {{match: {{name: shop-prod}}, protect: [{LENGTH}]}}\n")
    plan = project.run("plan", "auth.yaml", *EMULATOR)
    assert plan.out.count("guarded by protected") == 2


def test_a_plan_that_is_older_than_the_rail_is_refused(project: Project) -> None:
    for text, code in (("mode: observe\n", 3), (f"protect: [{LENGTH}]\n", 4)):
        rail("")
        assert project.run("plan", "auth.yaml", *EMULATOR, "--out", "saved.plan").code == 0
        rail(text)
        assert project.run("apply", "saved.plan", *EMULATOR, "--poll-interval", "0").code == code
        assert project.updates() == 0


def test_a_saved_plan_keeps_what_was_allowed_when_it_was_made(project: Project) -> None:
    rail("protect: [UserPoolConfigs]\n")
    assert project.run("plan", "auth.yaml", *EMULATOR, "--allow", "protected", "--out", "saved.plan").code == 0
    assert project.run("apply", "saved.plan", *EMULATOR, "--poll-interval", "0").code == 0


def test_the_way_back_respects_them_too(project: Project) -> None:
    assert project.run("apply", "auth.yaml", *NOW).code == 0
    (run,) = {
        line.split()[0] for line in project.run("history", "--emulator").out.splitlines() if line.startswith("20")
    }
    for text in ("mode: observe\n", f"protect: [{LENGTH}]\n"):
        rail(text)
        assert project.run("restore", run, *NOW).code == 4
    assert project.updates() == 1
    assert project.run("restore", run, *NOW, "--allow", "protected").code == 0


def test_a_label_of_now_is_what_a_rail_looks_at(project: Project) -> None:
    assert project.run("apply", "auth.yaml", *NOW).code == 0
    (run,) = {
        line.split()[0] for line in project.run("history", "--emulator").out.splitlines() if line.startswith("20")
    }
    project.edit("Length: 12", "Length: 14")
    assert project.run("plan", "auth.yaml", *EMULATOR, "--out", "saved.plan").code == 0
    text = project.document.read_text(encoding="utf-8")
    project.document.write_text(f"labels: {{tier: prod}}\n{text}", encoding="utf-8")
    rail("overrides:\n  - {match: {labels: {tier: prod}}, mode: observe}\n")
    assert project.run("apply", "saved.plan", *NOW).code == 3
    assert project.run("restore", run, *NOW).code == 4
    project.document.write_text(f"name: again\nlabels: {{tier: prod}}\n{text}", encoding="utf-8")
    for command in (("apply", "saved.plan"), ("restore", run)):
        refused = project.run(*command, *NOW)
        assert (refused.code, "its documents have errors" in refused.err) == (3, True)
    (project.folder / ".auth").mkdir()
    (project.folder / ".auth" / "auth.yaml").write_text(f"labels: {{tier: prod}}\n{text}", encoding="utf-8")
    project.document.unlink()
    assert project.run("plan", ".auth/auth.yaml", *EMULATOR, "--out", "hidden.plan").code == 0
    assert project.run("apply", "hidden.plan", *NOW).code == 3
    assert project.updates() == 1


def test_a_saved_plan_is_not_applied_where_its_rails_are_not(
    project: Project, monkeypatch: pytest.MonkeyPatch, tmp_path_factory: pytest.TempPathFactory
) -> None:
    rail("parallelism: 2\n")
    assert project.run("plan", "auth.yaml", *EMULATOR, "--out", "saved.plan").code == 0
    saved = project.folder / "saved.plan"
    monkeypatch.chdir(tmp_path_factory.mktemp("elsewhere"))
    result = project.run("apply", str(saved), *EMULATOR, "--state-dir", str(project.folder / ".reconciler"))
    assert (result.code, project.updates()) == (3, 0)
    assert "its project has a reconciler.yaml" in result.err


def test_no_document_lets_a_rail_pass(project: Project) -> None:
    rail(f"protect: [{LENGTH}]\n")
    text = project.document.read_text(encoding="utf-8")
    project.document.write_text(f"allow: [protected]\n{text}", encoding="utf-8")
    result = project.run("validate", "auth.yaml")
    assert result.code == 1
    assert "on auth.yaml line 1, column 9 (guard-not-for-documents)" in result.out
    for own in ("mode: apply\n", "protect: []\n"):
        project.document.write_text(own + text, encoding="utf-8")
        assert project.run("validate", "auth.yaml").code == 1


def test_a_path_that_there_is_not_is_an_error_with_what_was_meant(project: Project) -> None:
    rail("protect:\n  - UserPoolConfigs.MFA\n")
    result = project.run("plan", "auth.yaml", *EMULATOR)
    assert result.code == 1
    assert "on reconciler.yaml line 2, column 5 (unknown-path)" in result.err
    assert "did you mean UserPoolConfigs.Mfa?" in result.err


def test_targets_shows_the_rails_and_where_they_stand(project: Project) -> None:
    rail(f"mode: observe\nprotect: [{LENGTH}]\n")
    listed = project.run("targets", "auth.yaml", "--emulator").out
    assert "observe" in listed
    assert "# reconciler.yaml:1:7" in listed
    assert LENGTH in listed
