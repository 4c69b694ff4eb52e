"""Waves as a user sees them: in the plan, in what became of each target, and in the exit code."""

from __future__ import annotations

import json
from pathlib import Path

import jsonschema
import pytest

from reconciler.config.schema import schema_text
from reconciler.emulator import Fault
from tests.cli.conftest import Project
from tests.cli.ledgers import listed

APPLY = ("apply", "fleet", "--emulator", "--poll-interval", "0", "--auto-approve")


@pytest.fixture
def fleet(project: Project) -> Project:
    """Three environments that each differ in one value: canary in wave 0, eu in wave 1, us in wave 2."""
    text = project.document.read_text(encoding="utf-8")
    (project.folder / "fleet").mkdir()
    for wave, name in enumerate(("canary", "eu", "us")):
        document = Path("fleet", f"{2 - wave}-{name}.yaml")
        own = text.replace("name: shop-prod", f"name: {name}").replace("Name: prod", f"Name: {name}")
        document.write_text(own, encoding="utf-8")
        assert project.run("emulator", "seed", str(document)).code == 0
        document.write_text(f"wave: {wave}\n{own.replace('Length: 12', 'Length: 14')}", encoding="utf-8")
    return project


def fail_job(project: Project, environment: str) -> None:
    project.emulator.inject([Fault("job_failed", operation="UpdateBackendAuth", environment=environment)])


def sent(project: Project) -> list[str]:
    return [update.body["BackendEnvironmentName"] for update in project.emulator.requests("UpdateBackendAuth")]


def test_the_plan_tells_the_waves_and_apply_goes_by_them(fleet: Project) -> None:
    applied = fleet.run(*APPLY)
    assert applied.code == 0
    assert "  # us will be updated in-place\n  # (wave 2)\n" in applied.out
    assert "3 waves, one after another: 1 in wave 0, 1 in wave 1, 1 in wave 2.\n" in applied.out
    assert "Apply complete! Resources: 0 added, 3 changed, 0 destroyed." in applied.out
    assert sent(fleet) == ["canary", "eu", "us"]


def test_a_failure_leaves_the_later_waves_unsent_and_ends_with_six(fleet: Project) -> None:
    fail_job(fleet, "eu")
    result = fleet.run(*APPLY)
    assert result.code == 6
    assert "canary: applied, 1 change" in result.out
    assert "us: skipped: nothing was sent: there was 1 failure by the end of wave 1 (1 change planned)" in result.out
    assert "Apply did not complete: 1 applied, 1 skipped, 1 failed." in result.out
    assert sent(fleet) == ["canary", "eu"]


def test_a_failure_in_the_first_wave_decides_the_code_alone(fleet: Project) -> None:
    fail_job(fleet, "canary")
    assert fleet.run(*APPLY).code == 1
    assert sent(fleet) == ["canary"]


def test_allowed_failures_let_the_later_waves_go_on(fleet: Project) -> None:
    fail_job(fleet, "eu")
    assert fleet.run(*APPLY, "--max-failures", "1").code == 6
    assert sent(fleet) == ["canary", "eu", "us"]


def test_a_saved_plan_keeps_its_waves_and_to_the_published_schema(fleet: Project) -> None:
    assert fleet.run("plan", "fleet", "--emulator", "--out", "plan.json").code == 0
    saved = json.loads(Path("plan.json").read_text(encoding="utf-8"))
    jsonschema.validate(saved, json.loads(schema_text("plan")))
    assert {target["name"]: target["wave"] for target in saved["reconciler"]["targets"]} == {
        "us": 2,
        "eu": 1,
        "canary": 0,
    }
    fail_job(fleet, "canary")
    assert fleet.run("apply", "plan.json", "--emulator", "--poll-interval", "0", "--max-failures", "1").code == 6
    assert sent(fleet) == ["canary", "eu", "us"]


def test_the_way_back_takes_failures_as_apply_does(fleet: Project) -> None:
    assert fleet.run(*APPLY).code == 0
    run = listed(fleet, "--emulator")[0]["run"]
    fail_job(fleet, "canary")
    back = ("restore", run, "--emulator", "--poll-interval", "0", "--auto-approve")
    assert fleet.run(*back).code == 1
    fail_job(fleet, "canary")
    assert fleet.run(*back, "--max-failures", "1").code == 6
    assert sent(fleet) == [*("canary", "eu", "us"), "canary", *("canary", "eu", "us")]


def test_a_negative_number_of_failures_is_a_wrong_command_line(fleet: Project) -> None:
    assert fleet.run(*APPLY, "--max-failures", "-1").code == 64
