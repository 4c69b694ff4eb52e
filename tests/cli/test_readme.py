"""README says what the program does: its tables and blocks are compared with the real thing."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from reconciler.cli.exits import Exit
from reconciler.config.codes import CODES, WARNINGS
from reconciler.config.project import read_project
from reconciler.config.schema import PROJECT, schema_of
from reconciler.core.guards import GUARDS
from reconciler.secrets import CODES as REFERENCE_CODES
from tests.cli.conftest import ROOT, Project

README = (ROOT / "README.md").read_text(encoding="utf-8")
ROWS = dict(re.findall(r"^\| `([a-z0-9-]+)` \| (.*) \|$", README, re.MULTILINE))


def test_every_code_of_a_problem_is_in_the_table_with_its_wording() -> None:
    for code, wording in {**REFERENCE_CODES, **CODES}.items():
        weight = "warning" if code in WARNINGS else "error"
        assert ROWS[code].replace("&lt;", "<").replace("\\|", "|") == f"{weight} | {wording}"


def test_every_guard_is_in_the_table() -> None:
    for code, meaning in GUARDS.items():
        assert ROWS[code] == meaning


def test_every_exit_code_is_in_the_table() -> None:
    table = README.split("## Exit codes")[1].split("##")[0]
    listed = {int(code) for cell in re.findall(r"^\| ([\d, ]+) \|", table, re.MULTILINE) for code in cell.split(",")}
    assert listed == set(Exit)


def test_the_help_is_the_real_one(project: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "100")
    monkeypatch.setenv("TERMINAL_WIDTH", "100")
    assert project.run("--help").out.rstrip() in README


def test_the_plan_shown_is_the_real_one(project: Project) -> None:
    plan = project.run("plan", "auth.yaml", "--emulator").out.rstrip()
    assert plan in README


def test_the_program_shown_is_the_one_in_the_examples() -> None:
    assert f"```python\n{(ROOT / 'examples' / 'fleet.py').read_text(encoding='utf-8')}```" in README


def test_the_project_file_shown_is_a_good_one(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    block = README.split("### The project file")[1].split("```yaml\n")[1].split("```")[0]
    (tmp_path / "reconciler.yaml").write_text(block, encoding="utf-8")
    project = read_project(tmp_path)
    assert project.parallelism == 16
    said = {key for key in schema_of(PROJECT)["properties"] if re.search(rf"^{key}:", block, re.MULTILINE)}
    assert said == set(schema_of(PROJECT)["properties"]) - {"profile", "account", "wave", "job_timeout", "mode"}


def test_every_test_that_a_promise_names_exists() -> None:
    pages = [README, (ROOT / "docs" / "reliability.md").read_text(encoding="utf-8")]
    named = {found for page in pages for found in re.findall(r"`(tests/[\w/]+\.py)::(\w+)`", page)}
    assert len(named) > 9
    for file, test in named:
        source = (ROOT / file).read_text(encoding="utf-8")
        assert re.search(rf"^(def|class) {test}\b|^{test} = ", source, re.MULTILINE), f"{file} has no {test}"
