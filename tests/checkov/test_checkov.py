"""checkov reads our JSON plan as terraform's: zero checks on a plan that it can't read look like success."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).parents[2]
pytestmark = pytest.mark.checkov


def checked(checkov: Path, folder: Path) -> dict[str, Any]:
    """Run our custom checks on the folder's plan."""
    command = [
        str(checkov),
        *("--file", "plan.json", "--framework", "terraform_plan", "--external-checks-dir"),
        *(str(Path(__file__).with_name("checks")), "--check", "CKV2_RECONCILER_1,CKV2_RECONCILER_2"),
        *("--skip-download", "--quiet", "--output", "json"),
    ]
    result = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)
    report: dict[str, Any] = json.loads(result.stdout)
    return report


def planned(folder: Path, document: str) -> None:
    """Save a plan of a document."""
    (folder / "auth.yaml").write_text(document, encoding="utf-8")
    command = [sys.executable, "-m", "reconciler", "plan", "auth.yaml", "--emulator", "--out", "plan.json"]
    subprocess.run(command, cwd=folder, env={"PYTHONPATH": str(ROOT)}, check=True, capture_output=True)


def failed(report: dict[str, Any]) -> set[str]:
    assert report["summary"]["resource_count"] == 1
    return {check["check_id"] for check in report["results"]["failed_checks"]}


def test_a_custom_check_sees_a_change_and_its_planned_value(checkov: Path, tmp_path: Path) -> None:
    document = (ROOT / "examples" / "auth.yaml").read_text(encoding="utf-8")
    planned(tmp_path, document)
    assert failed(checked(checkov, tmp_path)) == {"CKV2_RECONCILER_1", "CKV2_RECONCILER_2"}
    planned(tmp_path, document.replace("MinimumLength: 12", "MinimumLength: 14"))
    assert failed(checked(checkov, tmp_path)) == {"CKV2_RECONCILER_2"}


def test_a_plan_without_changes_passes_the_check_for_changes(checkov: Path, tmp_path: Path) -> None:
    document = "region: us-east-1\nAppId: d2k7example\nBackendEnvironmentName: prod\nResourceName: shopauth\n"
    planned(tmp_path, document + "ResourceConfig: {UserPoolConfigs: {PasswordPolicy: {MinimumLength: 8}}}\n")
    assert failed(checked(checkov, tmp_path)) == {"CKV2_RECONCILER_1"}
