"""Waivers as a user meets them: quiet in drift, listed with the days that are left, and nothing to plan and apply."""

from __future__ import annotations

import json
import re
import shutil

import jsonschema
import pytest

from reconciler.config.schema import schema_text
from tests.cli.conftest import Project

LENGTH = "UserPoolConfigs.PasswordPolicy.MinimumLength"
SCOPES = "UserPoolConfigs.OAuth.OAuthScopes"
WHO = "    owner: ada@example.com\n    reason: incident 4711\n    expires: 2999-12-31\n"
WAIVER = f"  - path: {LENGTH}\n    value: 12\n    instead_of: 14\n{WHO}"
PHONE = f"  - path: {SCOPES}\n    member: PROFILE\n    value: present\n{WHO}"
JOB = re.compile(r"\[job [^]]*\]")
DRIFT = ("drift", "auth.yaml", "--emulator")


@pytest.fixture
def drifted(project: Project) -> Project:
    """Live has a password length of 12 and the scope PROFILE; git wants 14, and no such scope."""
    shutil.copy(project.document, project.folder / "live.yaml")
    assert project.run("emulator", "seed", "live.yaml").code == 0
    project.edit("MinimumLength: 12", "MinimumLength: 14")
    project.edit("[EMAIL, OPENID, PROFILE]", "[EMAIL, OPENID]")
    return project


def waive(project: Project, *items: str, file: str = "auth.yaml") -> None:
    path = project.folder / file
    before = path.read_text(encoding="utf-8") if path.exists() else ""
    path.write_text(f"{before}waivers:\n{''.join(items)}", encoding="utf-8")


@pytest.mark.parametrize("file", ["auth.yaml", "reconciler.yaml"])
def test_a_target_of_which_all_is_waived_has_no_drift(drifted: Project, file: str) -> None:
    assert drifted.run(*DRIFT).code == 2
    waive(drifted, WAIVER, PHONE, file=file)
    result = drifted.run(*DRIFT)
    assert result.code == 0
    assert result.out == (
        "No drift but what is waived: 2 values.\n"
        f"\nNote: shop-prod: Waived until 2999-12-31 (ada@example.com): {LENGTH}: incident 4711\n"
        f"\nNote: shop-prod: Waived until 2999-12-31 (ada@example.com): {SCOPES}.PROFILE: incident 4711\n"
    )


def test_of_a_target_that_is_waived_in_part_the_rest_is_drift(drifted: Project) -> None:
    waive(drifted, WAIVER)
    result = drifted.run(*DRIFT)
    assert result.code == 2
    assert "MinimumLength = " not in result.out
    assert '- "PROFILE",' in result.out
    assert f"Waived until 2999-12-31 (ada@example.com): {LENGTH}: incident 4711\n" in result.out


@pytest.mark.parametrize(
    ("old", "new", "why"),
    [
        ("value: 12", "value: 10", "live has another value than the one that is accepted"),
        ("instead_of: 14", "instead_of: 13", "the configuration says another thing than instead_of"),
        ("2999-12-31", "2020-12-31", "the waiver expired on 2020-12-31"),
    ],
)
def test_a_waiver_that_no_longer_holds_alarms_and_says_why(drifted: Project, old: str, new: str, why: str) -> None:
    waive(drifted, WAIVER.replace(old, new), PHONE)
    result = drifted.run(*DRIFT)
    assert result.code == 2
    assert "MinimumLength = 12 -> 14" in result.out
    assert (
        f"Warning: shop-prod: No longer waived (ada@example.com): {LENGTH}: {why}\n\n  on auth.yaml line " in result.out
    )


def test_drift_in_json_is_a_plan_that_names_what_is_waived(drifted: Project) -> None:
    waive(drifted, WAIVER, PHONE.replace("2999", "1999"))
    result = drifted.run(*DRIFT, "--format", "json")
    assert result.code == 2
    written = json.loads(result.out)
    jsonschema.validate(written, json.loads(schema_text("plan")))
    (waived,) = written["reconciler"]["waived"]
    assert (waived["target"], waived["path"]) == ("shop-prod", LENGTH.split("."))
    assert (waived["value"], waived["instead_of"], waived["expires"]) == (12, 14, "2999-12-31")
    (drifted.folder / "drift.plan").write_text(result.out, encoding="utf-8")
    assert "1 to change" in drifted.run("show", "drift.plan").out


@pytest.mark.parametrize("format_", ["text", "markdown", "json"])
def test_plan_is_byte_for_byte_the_same_with_waivers(drifted: Project, format_: str) -> None:
    plan = ("plan", "auth.yaml", "--emulator", "--format", format_, "--detailed-exitcode")
    (drifted.folder / "reconciler.yaml").write_text("", encoding="utf-8")
    without = drifted.run(*plan)
    waive(drifted, WAIVER, PHONE)
    waive(drifted, WAIVER, file="reconciler.yaml")
    again = drifted.run(*plan)
    assert again.code == without.code == 2
    assert _timeless(again.out) == _timeless(without.out)


def _timeless(text: str) -> str:
    """A plan without the moment at which it was made, and the digest over that."""
    return re.sub(r"sha256(:|&#58;)[0-9a-f]{64}", "", re.sub(r'"timestamp": "[^"]+"', "", text))


def test_apply_is_the_same_with_waivers(drifted: Project) -> None:
    apply = ("apply", "auth.yaml", "--emulator", "--auto-approve", "--poll-interval", "0", "--verify-polls", "2")
    without = drifted.run(*apply)
    assert drifted.run("emulator", "seed", "live.yaml").code == 0
    waive(drifted, WAIVER, PHONE)
    again = drifted.run(*apply)
    assert again.code == without.code == 0
    assert JOB.sub("", again.out) == JOB.sub("", without.out)
    first, second = drifted.emulator.requests("UpdateBackendAuth")
    assert first.body == second.body
    assert drifted.run(*DRIFT).out == "No drift. Live matches the configuration.\n"


def test_waivers_are_listed_without_any_network(project: Project) -> None:
    waive(project, WAIVER, PHONE.replace("2999", "1999"))
    result = project.run("waivers", "auth.yaml")
    assert result.code == 0
    assert re.sub(r"\d+ days", "many days", result.out) == (
        "shop-prod\n"
        f"  {LENGTH}\n"
        "    live      12 instead of 14\n"
        "    owner     ada@example.com\n"
        "    reason    incident 4711\n"
        "    expires   2999-12-31 (many days left)\n"
        "    written   auth.yaml:53:11\n"
        f"  {SCOPES}.PROFILE\n"
        "    live      present instead of absent\n"
        "    owner     ada@example.com\n"
        "    reason    incident 4711\n"
        "    expires   1999-12-31 (expired)\n"
        "    written   auth.yaml:59:11\n"
        "\n2 waivers, 1 expired.\n"
    )
    assert project.run("waivers", "auth.yaml", "--format", "markdown").out == f"```\n{result.out}```\n"


def test_a_waiver_that_is_not_understood_stops_the_list_with_its_line(project: Project) -> None:
    waive(project, WAIVER.replace("2999-12-31", "2999-02-30"))
    result = project.run("waivers", "auth.yaml")
    assert result.code == 1
    assert "on auth.yaml line 58, column 14 (bad-date):" in result.err
