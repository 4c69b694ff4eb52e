"""The GitHub action's script in a real bash: outputs, summary, annotations, masks, and what hostile inputs become."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

from tests.ci.conftest import ROOT, Runner

EMULATOR = "--emulator\n"


def test_a_plan_with_changes_has_outputs_a_summary_and_annotations(runner: Runner) -> None:
    step = runner.run(inputs={"command": "plan", "paths": "auth.yaml\n", "args": EMULATOR})
    assert step.code == 0, step.log
    assert step.outputs["exitcode"] == "2"
    assert step.outputs["has_changes"] == "true"
    saved = json.loads(Path(step.outputs["plan_file"]).read_text(encoding="utf-8"))
    assert step.outputs["plan_digest"] == saved["reconciler"]["digest"]
    assert "### Plan: 0 to add, 1 to change, 0 to destroy." in step.summary
    assert Path(step.outputs["markdown_file"]).read_text(encoding="utf-8") == step.summary
    assert "file=auth.yaml,line=" in step.log


def test_that_very_plan_is_applied_and_then_nothing_is_left(runner: Runner) -> None:
    runner.run(inputs={"command": "plan", "paths": "auth.yaml", "args": EMULATOR})
    applied = runner.run(inputs={"command": "apply", "args": EMULATOR})
    assert (applied.code, applied.outputs["exitcode"]) == (0, "0"), applied.log
    assert "Apply complete!" in applied.summary
    again = runner.run(inputs={"command": "plan", "paths": "auth.yaml", "args": EMULATOR})
    assert (again.code, again.outputs["exitcode"], again.outputs["has_changes"]) == (0, "0", "false")
    drift = runner.run(inputs={"command": "drift", "paths": "auth.yaml", "args": f"{EMULATOR}--base\nlast-applied"})
    assert (drift.code, drift.outputs["has_changes"]) == (0, "false"), drift.log
    assert json.loads(Path(drift.outputs["json_file"]).read_text(encoding="utf-8"))["resource_drift"] == []


def test_drift_is_no_failure_of_the_step_and_is_in_the_json(runner: Runner) -> None:
    args = f"{EMULATOR}--base\nlast-applied"
    drift = runner.run(inputs={"command": "drift", "paths": "auth.yaml", "args": args})
    assert (drift.code, drift.outputs["exitcode"], drift.outputs["has_changes"]) == (0, "2", "true"), drift.log
    report = json.loads(Path(drift.outputs["json_file"]).read_text(encoding="utf-8"))
    assert [target["name"] for target in report["resource_drift"]] == ["shop-prod"]


def test_errors_fail_the_step_with_their_code_and_stand_at_their_lines(runner: Runner) -> None:
    document = runner.work / "auth.yaml"
    document.write_text(document.read_text(encoding="utf-8").replace("OPTIONAL", "SOMETIMES"), encoding="utf-8")
    for command in ("validate", "plan"):
        step = runner.run(
            inputs={"command": command, "paths": "auth.yaml", "args": EMULATOR if command == "plan" else ""}
        )
        assert (step.code, step.outputs["exitcode"], step.outputs["has_changes"]) == (1, "1", "")
        assert "::error file=auth.yaml,line=" in step.log
        assert "plan_file" not in step.outputs


def test_a_plan_of_an_earlier_run_is_not_taken_for_this_one(runner: Runner) -> None:
    (runner.work / "reconciler.plan.json").write_text("{}", encoding="utf-8")
    step = runner.run(inputs={"command": "plan", "paths": "missing.yaml", "args": EMULATOR})
    assert step.code == 1
    assert step.outputs["plan_digest"] == ""
    assert "plan_file" not in step.outputs


def test_whatever_happens_the_comment_is_of_this_run(runner: Runner) -> None:
    (runner.work / "reconciler.plan.json").write_text("{}", encoding="utf-8")
    for command in ("plan", "drift", "validate"):
        args = f"--target\nnobody\n{EMULATOR}" if command != "validate" else "--no-such-option"
        step = runner.run(inputs={"command": command, "paths": "auth.yaml", "args": args})
        assert (step.code, step.outputs["exitcode"]) == (64, "64"), step.log
        told = Path(step.outputs["markdown_file"]).read_text(encoding="utf-8")
        assert told.startswith(f"### reconciler {command} ended with exit code 64\n")
        assert told in step.summary
        assert "plan_file" not in step.outputs
    assert runner.run(inputs={"command": "plan"}).outputs == {"exitcode": "64"}


def test_masks_come_before_anything_else_and_of_every_line(runner: Runner) -> None:
    secret = "first-line-100%\r\n{\nsecond-line"
    step = runner.run(
        inputs={"command": "validate", "paths": "auth.yaml", "mask-env": "PEM\n UNSET_VARIABLE".replace(" ", "")},
        environ={"PEM": secret},
    )
    assert step.log.splitlines()[:2] == ["::add-mask::first-line-100%25", "::add-mask::second-line"]
    refused = runner.run(inputs={"command": "validate", "paths": "auth.yaml", "mask-env": "A[$(touch owned)]"})
    assert refused.code == 64
    assert not (runner.work / "owned").exists()


def test_inputs_are_never_commands(runner: Runner) -> None:
    odd = runner.work / "$(touch owned); 'two words' --help.yaml"
    (runner.work / "auth.yaml").rename(odd)
    step = runner.run(inputs={"command": "validate", "paths": f"{odd.name}\n"})
    assert step.code == 0, step.log
    for inputs in (
        {"command": "validate; touch owned", "paths": odd.name},
        {"command": "validate", "paths": "--version"},
        {"command": "plan", "paths": odd.name, "plan-file": "plan\nexitcode=0", "args": EMULATOR},
        {"command": "apply", "paths": odd.name},
        {"command": "plan"},
    ):
        assert runner.run(inputs=inputs).code not in {0, 2}
    assert not (runner.work / "owned").exists()


def test_no_python_of_a_pull_request_is_run(runner: Runner) -> None:
    for module in ("json", "sys", "venv", "reconciler"):
        (runner.work / f"{module}.py").write_text("open('owned', 'w'); raise SystemExit(0)\n", encoding="utf-8")
    step = runner.run(inputs={"command": "plan", "paths": "auth.yaml", "args": EMULATOR})
    assert re.fullmatch("sha256:[0-9a-f]{64}", step.outputs["plan_digest"]), step.log
    (install,) = (
        one["run"]
        for one in yaml.safe_load((ROOT / "action.yml").read_text())["runs"]["steps"]
        if one["name"] == "Install"
    )
    first = install.splitlines()[0].replace("$PYTHON", sys.executable).replace("$RUNNER_TEMP", str(runner.own))
    subprocess.run(["bash", "-c", first.replace("/reconciler", "/environment")], check=True, cwd=runner.work)
    assert not (runner.work / "owned").exists()


def test_annotations_name_files_from_the_top_of_the_repository(runner: Runner) -> None:
    below = runner.work / "a, b%"
    below.mkdir()
    (runner.work / "auth.yaml").rename(below / "auth.yaml")
    inside = Runner(below, runner.own)
    step = inside.run(
        inputs={"command": "plan", "paths": "auth.yaml", "args": EMULATOR},
        environ={"GITHUB_WORKSPACE": str(runner.work)},
    )
    assert "::notice file=a%2C b%25/auth.yaml,line=" in step.log


@pytest.mark.parametrize("args", ["--help", "--out\nother.json"])
def test_arguments_that_save_no_plan_are_no_plan(runner: Runner, args: str) -> None:
    step = runner.run(inputs={"command": "plan", "paths": "auth.yaml", "args": f"{EMULATOR}\n{args}"})
    assert (step.code, step.outputs) == (64, {"exitcode": "64"})
