"""The commands as a user types them: results, exit codes, streams and files."""

from __future__ import annotations

import json
import os
import stat
from collections.abc import Callable
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from reconciler.config.schema import schema_text
from reconciler.emulator import EMULATOR_ACCOUNT, EMULATOR_REGION, Fault, Server, serve
from tests.cli.conftest import Project

APPLY = ("apply", "auth.yaml", "--emulator", "--poll-interval", "0", "--auto-approve")


def test_plan_shows_a_real_change_and_exits_with_zero(project: Project) -> None:
    result = project.run("plan", "auth.yaml", "--emulator")
    assert result.code == 0
    assert "  # shop-prod will be updated in-place\n" in result.out
    assert "~ MinimumLength = 8 -> 12\n" in result.out
    assert "Plan: 0 to add, 1 to change, 0 to destroy.\n" in result.out


def test_the_result_alone_is_on_standard_output(project: Project) -> None:
    result = project.run("plan", "auth.yaml", "--emulator")
    assert "Reading" not in result.out
    assert result.err == "shop-prod: Reading live configuration...\n"
    assert project.run("plan", "auth.yaml", "--emulator", "--quiet").err == ""


def test_apply_then_plan_shows_no_changes_and_a_second_apply_sends_nothing(project: Project) -> None:
    applied = project.run(*APPLY)
    assert applied.code == 0
    assert applied.out.endswith("Apply complete! Resources: 0 added, 1 changed, 0 destroyed.\n")
    assert project.updates() == 1
    plan = project.run("plan", "auth.yaml", "--emulator", "--detailed-exitcode")
    assert (plan.code, plan.out) == (0, "No changes. Your infrastructure matches the configuration.\n")
    again = project.run(*APPLY)
    assert again.code == 0
    assert "No changes." in again.out
    assert project.updates() == 1


@pytest.mark.parametrize(("command", "code"), [("plan", 0), ("drift", 2)])
def test_changes_are_no_error_for_plan_and_two_for_drift(project: Project, command: str, code: int) -> None:
    assert project.run(command, "auth.yaml", "--emulator").code == code


def test_drift_has_its_own_headline(project: Project) -> None:
    assert project.run("drift", "auth.yaml", "--emulator").out.startswith("Drift: 1 of 1 targets differ")
    project.run(*APPLY)
    result = project.run("drift", "auth.yaml", "--emulator")
    assert (result.code, result.out) == (0, "No drift. Live matches the configuration.\n")


def test_detailed_exitcode_tells_changes_apart(project: Project) -> None:
    assert project.run("plan", "auth.yaml", "--emulator", "--detailed-exitcode").code == 2


def test_a_blocked_change_counts_as_drift_and_is_refused_by_apply(project: Project) -> None:
    project.edit("SignInMethod: EMAIL", "SignInMethod: USERNAME")
    assert project.run("drift", "auth.yaml", "--emulator").code == 2
    refused = project.run(*APPLY)
    assert refused.code == 4
    assert "SignInMethod" in refused.out
    assert project.updates() == 0


def test_a_saved_plan_with_a_blocked_change_is_refused_with_three(project: Project) -> None:
    project.edit("SignInMethod: EMAIL", "SignInMethod: USERNAME")
    project.run("plan", "auth.yaml", "--emulator", "--out", "plan.json")
    assert project.run("apply", "plan.json", "--emulator").code == 3
    assert project.updates() == 0


def test_a_guard_stands_until_it_is_allowed_and_the_plan_records_that(project: Project) -> None:
    project.edit("AuthResources: IDENTITY_POOL_AND_USER_POOL", "AuthResources: USER_POOL_ONLY")
    refused = project.run(*APPLY)
    assert refused.code == 4
    assert "identity-pool-deletion" in refused.out
    assert project.updates() == 0
    project.run("plan", "auth.yaml", "--emulator", "--allow", "identity-pool-deletion", "--out", "plan.json")
    assert project.run("apply", "plan.json", "--emulator", "--poll-interval", "0").code == 0
    live = project.emulator.live(EMULATOR_ACCOUNT, EMULATOR_REGION, "d2k7example", "prod")
    assert live is not None
    assert live["AuthResources"] == "USER_POOL_ONLY"


def test_without_a_terminal_and_without_the_flag_apply_refuses(
    project: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    with Path(os.devnull).open(encoding="utf-8") as nothing:
        monkeypatch.setattr("sys.stdin", nothing)
        result = project.run("apply", "auth.yaml", "--emulator")
    assert result.code == 4
    assert "--auto-approve" in result.err
    assert project.updates() == 0


def test_a_saved_plan_is_applied_without_a_prompt_and_without_its_document(project: Project) -> None:
    project.run("plan", "auth.yaml", "--emulator", "--out", "plan.json")
    project.document.unlink()
    result = project.run("apply", "plan.json", "--emulator", "--poll-interval", "0")
    assert result.code == 0
    assert project.updates() == 1


def test_a_saved_plan_is_readable_by_its_owner_only_and_shown_in_every_format(project: Project) -> None:
    planned = project.run("plan", "auth.yaml", "--emulator", "--out", "plan.json")
    assert stat.S_IMODE(Path("plan.json").stat().st_mode) == 0o600
    assert project.run("show", "plan.json").out == planned.out
    for format_ in ("json", "markdown"):
        shown = project.run("show", "plan.json", "--format", format_)
        assert shown.code == 0
        assert "MinimumLength" in shown.out
    assert project.run("show", "plan.json", "--format", "json").out == Path("plan.json").read_text(encoding="utf-8")


@pytest.mark.parametrize("change", ["nothing", "blocked", "failed"])
def test_a_saved_plan_keeps_to_the_published_schema(project: Project, change: str) -> None:
    if change == "blocked":
        project.edit("SignInMethod: EMAIL", "SignInMethod: USERNAME")
    if change == "failed":
        project.edit("AppId: d2k7example", "AppId: d0nothere")
    project.run("plan", "auth.yaml", "--emulator", "--out", "plan.json")
    plan = json.loads(Path("plan.json").read_text(encoding="utf-8"))
    jsonschema.Draft202012Validator(json.loads(schema_text("plan"))).validate(plan)


def _damage(plan: dict[str, Any]) -> None:
    plan["reconciler"]["targets"][0]["desired"][0]["value"] = "USER_POOL_ONLY"


def _age(plan: dict[str, Any]) -> None:
    plan["reconciler"]["catalogue_version"] = 0


def _strip(plan: dict[str, Any]) -> None:
    del plan["reconciler"]


@pytest.mark.parametrize(
    ("harm", "says"),
    [(_damage, "damaged or was edited"), (_age, "another version"), (_strip, "no plan of reconciler")],
)
def test_a_plan_that_was_changed_is_refused_with_three(
    project: Project, harm: Callable[[dict[str, Any]], None], says: str
) -> None:
    project.run("plan", "auth.yaml", "--emulator", "--out", "plan.json")
    plan = json.loads(Path("plan.json").read_text(encoding="utf-8"))
    harm(plan)
    Path("plan.json").write_text(json.dumps(plan), encoding="utf-8")
    result = project.run("apply", "plan.json", "--emulator")
    assert result.code == 3
    assert says in result.err
    assert project.updates() == 0


def test_a_plan_cut_off_is_refused_with_three(project: Project) -> None:
    project.run("plan", "auth.yaml", "--emulator", "--out", "plan.json")
    text = Path("plan.json").read_text(encoding="utf-8")
    Path("plan.json").write_text(text[: len(text) // 2], encoding="utf-8")
    assert project.run("apply", "plan.json", "--emulator").code == 3
    assert project.run("show", "plan.json").code == 3


def test_a_plan_is_refused_when_live_has_moved_since(project: Project) -> None:
    project.run("plan", "auth.yaml", "--emulator", "--out", "plan.json")
    live = project.emulator.live(EMULATOR_ACCOUNT, EMULATOR_REGION, "d2k7example", "prod")
    assert live is not None
    live["UserPoolConfigs"]["PasswordPolicy"]["MinimumLength"] = 9
    project.emulator.put_live(EMULATOR_ACCOUNT, EMULATOR_REGION, "d2k7example", "prod", "shopauth", live)
    result = project.run("apply", "plan.json", "--emulator")
    assert result.code == 3
    assert "MinimumLength moved since the plan was made" in result.out
    assert project.updates() == 0


def test_a_plan_of_the_embedded_backend_is_refused_elsewhere_and_the_other_way_round(
    project: Project, server: Server
) -> None:
    project.run("plan", "auth.yaml", "--emulator", "--out", "embedded.json")
    refused = project.run("apply", "embedded.json", "--endpoint-url", server.url)
    assert refused.code == 3
    assert project.run("plan", "auth.yaml", "--endpoint-url", server.url, "--out", "served.json").code == 0
    assert project.run("apply", "served.json", "--emulator").code == 3
    with serve(project.emulator) as other:
        assert project.run("apply", "served.json", "--endpoint-url", other.url).code == 3
    assert project.run("apply", "served.json", "--region", "eu-west-1").code == 3
    assert project.updates() == 0


def test_options_that_choose_targets_do_not_go_with_a_saved_plan(project: Project) -> None:
    project.run("plan", "auth.yaml", "--emulator", "--out", "plan.json")
    assert project.run("apply", "plan.json", "--emulator", "--target", "shop-*").code == 64
    assert project.run("apply", "plan.json", "auth.yaml", "--emulator").code == 64


def test_a_target_that_fails_is_never_drift_and_keeps_apply_from_sending_anything(project: Project) -> None:
    text = project.document.read_text(encoding="utf-8")
    lost = text.replace("name: shop-prod", "name: lost").replace("AppId: d2k7example", "AppId: d0nothere")
    Path("lost.yaml").write_text(lost, encoding="utf-8")
    assert project.run("drift", "lost.yaml", "--emulator").code == 1
    both = project.run("drift", "auth.yaml", "lost.yaml", "--emulator")
    assert both.code == 6
    assert "shop-prod has drifted" in both.out
    assert "Error: lost: there is no Amplify backend for app d0nothere in us-east-1" in both.out
    applied = project.run("apply", "auth.yaml", "lost.yaml", "--emulator", "--auto-approve")
    assert applied.code == 1
    assert "Nothing was sent: lost could not be planned" in applied.err
    assert project.updates() == 0
    assert project.run("drift", ".", "--emulator", "--exclude", "lost").code == 2
    assert project.run("drift", ".", "--emulator", "--target", "lo*").code == 1


def test_denied_reads_end_with_five(project: Project) -> None:
    project.emulator.inject([Fault("access_denied", operation="GetBackendAuth", times=0)])
    result = project.run("drift", "auth.yaml", "--emulator")
    assert result.code == 5
    assert "amplifybackend:GetBackendAuth" in result.out


def test_another_job_ends_with_seven_and_a_collateral_with_eight(project: Project) -> None:
    project.emulator.inject([Fault("collateral", operation="UpdateBackendAuth")])
    assert project.run(*APPLY).code == 8
    project.switch("job_seconds=60")
    project.edit("MinimumLength: 12", "MinimumLength: 14")
    project.emulator.inject([Fault("job_stuck", operation="UpdateBackendAuth")])
    assert project.run(*APPLY, "--job-timeout", "0").code == 9
    assert project.run(*APPLY, "--job-timeout", "0").code == 9, "it is picked up, and has not ended yet"


def test_reports_are_written_beside_the_result(project: Project) -> None:
    result = project.run("plan", "auth.yaml", "--emulator", "--report", "markdown=plan.md", "--report", "json=p.json")
    assert result.out.startswith("reconciler used the live configuration")
    assert "<details>" in Path("plan.md").read_text(encoding="utf-8")
    assert json.loads(Path("p.json").read_text(encoding="utf-8"))["format_version"] == "1.2"


@pytest.mark.parametrize(
    "arguments",
    [
        ("plan",),
        ("plan", "auth.yaml", "--nonsense"),
        ("plan", "auth.yaml", "--emulator", "--report", "plan.md"),
        ("plan", "auth.yaml", "--emulator", "--report", "pdf=plan.pdf"),
        ("plan", "auth.yaml", "--emulator", "--target", "nobody"),
        ("plan", "auth.yaml", "--emulator", "--allow", "everything"),
        ("plan", "auth.yaml", "--emulator", "--endpoint-url", "http://127.0.0.1:1"),
        ("plan", "auth.yaml", "--emulator", "--out", "no/such/folder/plan.json"),
        ("show", "nothing.json"),
        ("schema", "everything"),
        ("emulator", "--switch", "secrets=shouted"),
    ],
)
def test_a_wrong_command_line_ends_with_sixtyfour(project: Project, arguments: tuple[str, ...]) -> None:
    result = project.run(*arguments)
    assert result.code == 64
    assert "Error" in result.err
    assert "Traceback" not in result.err


def test_validate_needs_no_network_no_region_and_no_values(project: Project) -> None:
    project.edit("region: us-east-1\n", "")
    project.edit("SignInMethod: EMAIL", "SignInMethod: ${env:RECONCILER_VAR_NOT_SET}")
    result = project.run("validate", "auth.yaml")
    assert (result.code, result.out) == (0, "Success! The configuration is valid.\n")


def test_validate_shows_every_problem_with_its_place(project: Project) -> None:
    project.edit("MinimumLength: 12", "MinimumLength: 3")
    project.edit("MFAMode: OPTIONAL", "MFAMode: OPTIONALLY")
    result = project.run("validate", "auth.yaml")
    assert result.code == 1
    assert "on auth.yaml line 21, column 16 (not-allowed-value)" in result.out
    assert "on auth.yaml line 26, column 22 (out-of-range)" in result.out
    assert json.loads(project.run("validate", "auth.yaml", "--format", "json").out)["error_count"] == 2


def test_warnings_fail_only_with_strict(project: Project) -> None:
    project.edit(
        "http://localhost:3000/\n      RedirectSignOutURIs", "http://localhost:3000\n      RedirectSignOutURIs"
    )
    assert project.run("validate", "auth.yaml").code == 0
    assert project.run("validate", "auth.yaml", "--strict").code == 1
    assert project.run("plan", "auth.yaml", "--emulator").code == 0
    assert project.run("plan", "auth.yaml", "--emulator", "--strict").code == 1


def test_problems_of_references_are_said_before_anything_is_read(project: Project) -> None:
    project.edit("EmailSubject: Your verification code", "EmailSubject: ${env:RECONCILER_VAR_SUBJECT}")
    result = project.run("plan", "auth.yaml", "--emulator")
    assert result.code == 1
    assert "unset-reference" in result.out
    assert project.emulator.requests() == ()


def test_a_value_from_a_reference_is_checked_like_a_written_one(
    project: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    project.edit("MinimumLength: 12", "MinimumLength: ${env:RECONCILER_VAR_LENGTH}")
    monkeypatch.setenv("RECONCILER_VAR_LENGTH", "4")
    assert "out-of-range" in project.run("plan", "auth.yaml", "--emulator").out
    monkeypatch.setenv("RECONCILER_VAR_LENGTH", "13")
    assert "~ MinimumLength = 8 -> 13" in project.run("plan", "auth.yaml", "--emulator").out


def test_pull_then_plan_is_empty_and_nothing_is_overwritten(project: Project) -> None:
    pull = ("pull", "--app-id", "d2k7example", "--env", "staging", "--emulator", "--out", "staging.yaml")
    assert project.run(*pull).code == 0
    assert project.run("plan", "staging.yaml", "--emulator", "--detailed-exitcode").code == 0
    before = Path("staging.yaml").read_text(encoding="utf-8")
    assert "# ClientSecret: ${env:SHOPAUTH_STAGING_GOOGLE_CLIENT_SECRET}" in before
    refused = project.run(*pull)
    assert refused.code == 64
    assert "--force" in refused.err
    assert project.run(*pull, "--force").code == 0
    assert Path("staging.yaml").read_text(encoding="utf-8") == before


def test_pull_of_what_is_not_there_says_what_is(project: Project) -> None:
    result = project.run("pull", "--app-id", "d2k7example", "--env", "nowhere", "--emulator")
    assert result.code == 1
    assert "dev, prod, staging" in result.err
    assert "put it in with: reconciler emulator seed PATH" in result.err


def test_documents_can_be_seeded_as_live(project: Project) -> None:
    project.edit("BackendEnvironmentName: prod", "BackendEnvironmentName: preview")
    assert project.run("drift", "auth.yaml", "--emulator").code == 1
    assert project.run("emulator", "seed", "auth.yaml").code == 0
    assert project.run("drift", "auth.yaml", "--emulator").code == 0


def test_an_unreadable_live_answer_is_a_failed_read_and_never_drift(project: Project) -> None:
    for kind in ("truncated", "empty", "html", "null", "array", "error200"):
        project.emulator.clear_faults()
        project.emulator.inject([Fault(kind, operation="GetBackendAuth", times=0)])
        result = project.run("drift", "auth.yaml", "--emulator")
        assert result.code == 1, kind
        assert "GetBackendAuth" in result.out, kind


def test_a_selection_that_leaves_nothing_is_no_all_clear(project: Project) -> None:
    for command in ("plan", "drift", "apply"):
        assert project.run(command, "auth.yaml", "--emulator", "--exclude", "*").code == 64


def test_a_result_is_written_through_links_and_devices_and_never_over_a_document(project: Project) -> None:
    Path("plans").mkdir()
    Path("link.json").symlink_to("plans/plan.json")
    assert project.run("plan", "auth.yaml", "--emulator", "--out", "link.json").code == 0
    assert Path("link.json").is_symlink()
    assert Path("plans/plan.json").is_file()
    os.mkfifo("pipe")
    reader = os.open("pipe", os.O_RDONLY | os.O_NONBLOCK)
    assert project.run("plan", "auth.yaml", "--emulator", "--report", "text=pipe").code == 0
    assert b"Plan: 0 to add, 1 to change, 0 to destroy." in os.read(reader, 100_000)
    os.close(reader)
    assert stat.S_ISFIFO(Path("pipe").stat().st_mode)
    document = project.document.read_text(encoding="utf-8")
    assert project.run("plan", "auth.yaml", "--emulator", "--out", "auth.yaml").code == 64
    assert project.run("plan", "auth.yaml", "--emulator", "--report", "markdown=plans").code == 64
    assert project.document.read_text(encoding="utf-8") == document


def test_a_report_that_cant_be_written_is_said_before_anything_is_sent(project: Project) -> None:
    assert project.run(*APPLY, "--report", "markdown=no/such/folder/plan.md").code == 64
    assert project.updates() == 0


def test_problems_of_documents_are_a_result_for_machines(project: Project) -> None:
    project.edit("MinimumLength: 12", "MinimumLength: 3")
    result = project.run("plan", "auth.yaml", "--emulator", "--format", "json", "--report", "markdown=plan.md")
    assert result.code == 1
    assert json.loads(result.out)["diagnostics"][0]["code"] == "out-of-range"
    assert "out of range" in Path("plan.md").read_text(encoding="utf-8")


@pytest.mark.parametrize("reference", ["${env:HOME}", "${file:/etc/passwd}", "${file:.env}", "${file:.git/config}"])
def test_a_reference_that_may_not_stand_there_is_found_without_following_it(project: Project, reference: str) -> None:
    project.edit("EmailSubject: Your verification code", f"EmailSubject: {reference}")
    assert "reference-not-allowed" in project.run("validate", "auth.yaml").out
    assert "reference-not-allowed" in project.run("plan", "auth.yaml", "--emulator").err


def test_only_documents_can_be_extended_so_that_no_other_file_is_quoted(project: Project) -> None:
    Path(".env").write_text("DB_PASS=canary\n", encoding="utf-8")
    Path("notes.txt").write_text("canary\n", encoding="utf-8")
    for base in (".env", "notes.txt"):
        Path("child.yaml").write_text(f"extends: {base}\n", encoding="utf-8")
        result = project.run("validate", "child.yaml")
        assert "bad-base" in result.out
        assert "canary" not in result.out


def test_a_saved_plan_says_how_it_is_applied(project: Project) -> None:
    result = project.run("plan", "auth.yaml", "--emulator", "--out", "plan.json")
    assert result.err.endswith('    reconciler apply "plan.json" --emulator\n')


def test_a_file_beside_the_document_is_found_from_any_folder_and_no_other_is_taken(
    project: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    Path("reconciler.yaml").touch()
    for folder, value in (("here", "secret-of-the-plan"), ("there", "secret-of-another")):
        Path(folder).mkdir()
        Path(folder, "google").write_text(value, encoding="utf-8")
    google = "SocialProviderSettings: {Google: {ClientId: id, ClientSecret: '${file:google}'}}"
    text = project.document.read_text(encoding="utf-8").replace(
        "OAuthGrantType: CODE", f"OAuthGrantType: CODE\n      {google}"
    )
    Path("here/auth.yaml").write_text(text, encoding="utf-8")
    monkeypatch.chdir("here")
    assert project.run("plan", "auth.yaml", "--emulator", "--out", "../plan.json").code == 0
    monkeypatch.chdir("../there")
    applied = project.run("apply", "../plan.json", "--emulator", "--poll-interval", "0")
    assert applied.code == 0, applied
    live = project.emulator.live(EMULATOR_ACCOUNT, EMULATOR_REGION, "d2k7example", "prod")
    assert live is not None
    google_live = live["UserPoolConfigs"]["OAuth"]["SocialProviderSettings"]["Google"]
    assert google_live["ClientSecret"] == "secret-of-the-plan"
    Path("../here/auth.yaml").unlink()
    project.run("plan", "../auth.yaml", "--emulator")
    assert project.run("apply", "../plan.json", "--emulator").code in {1, 3}


def test_a_saved_plan_takes_no_other_profile(project: Project) -> None:
    project.run("plan", "auth.yaml", "--emulator", "--out", "plan.json")
    assert project.run("apply", "plan.json", "--emulator", "--profile", "nobody").code == 3
    assert project.run("apply", "plan.json", "--emulator", "--strict").code == 64


@pytest.mark.parametrize("report", ["text=auth.yaml", "json=./auth.yaml"])
def test_no_report_is_written_over_a_document(project: Project, report: str) -> None:
    before = project.document.read_text(encoding="utf-8")
    result = project.run("plan", ".", "--emulator", "--report", report)
    assert (result.code, project.document.read_text(encoding="utf-8")) == (64, before)
    assert "is one of the documents" in result.err


def test_no_report_is_written_over_the_project_file_or_a_plan(project: Project) -> None:
    rails = project.folder / "reconciler.yaml"
    rails.write_text("mode: observe\n", encoding="utf-8")
    assert project.run("plan", "auth.yaml", "--emulator", "--report", "json=reconciler.yaml").code == 64
    plan = ("plan", "auth.yaml", "--emulator", "--out", "saved.plan")
    assert project.run(*plan, "--report", "markdown=saved.plan").code == 64
    assert project.run(*plan).code == 0
    saved = (project.folder / "saved.plan").read_bytes()
    assert project.run("apply", "saved.plan", "--emulator", "--report", "json=saved.plan").code == 64
    assert (rails.read_text(encoding="utf-8"), (project.folder / "saved.plan").read_bytes()) == (
        "mode: observe\n",
        saved,
    )


def test_two_reports_are_for_two_files(project: Project) -> None:
    result = project.run("plan", "auth.yaml", "--emulator", "--report", "json=a", "--report", "text=./a")
    assert result.code == 64
    assert "Two reports are for ./a" in result.err
    assert (
        project.run(
            "plan", "auth.yaml", "--emulator", *(f"--report={kind}=/dev/null" for kind in ("json", "text"))
        ).code
        == 0
    )
