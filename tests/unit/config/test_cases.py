"""Every document in ``tests/cases`` gives exactly the diagnostics that are written beside it.

A case is a file, or a folder of files, and ``<case>.expected.txt`` holds a line for each diagnostic. After a
change that is meant, ``RECONCILER_UPDATE_CASES=1 pytest tests/unit/config/test_cases.py`` writes them anew.
"""

import os
from pathlib import Path

import pytest

from reconciler.config.codes import CODES, WARNINGS
from reconciler.config.desired import Defaults, Loaded, load
from reconciler.errors import Diagnostic

CASES = Path(__file__).parents[2] / "cases"
SUFFIX = ".expected.txt"
# These need a limit, an option or a machine's state that a file in a repository can't bring along.
TESTED_ELSEWHERE = {"too-large", "missing-path", "unreadable-file", "contradicts-option", "no-region"}
TESTED_ELSEWHERE |= {
    "another-project",
    "unfit-override",
    "misnamed-project-file",
    "nested-project-file",
    "secret-variable",
    "region-without-service",
}


def cases(kind: str) -> list[Path]:
    return sorted(path for path in (CASES / kind).iterdir() if not path.name.endswith(SUFFIX))


def expectation(case: Path) -> Path:
    return case.with_name(case.stem + SUFFIX)


def written(found: Diagnostic) -> str:
    return f"{found.origin} {found.severity} {found.code}"


def expected_lines(case: Path) -> list[str]:
    file = expectation(case)
    return file.read_text("utf-8").splitlines() if file.exists() else []


def check(case: Path, monkeypatch: pytest.MonkeyPatch) -> Loaded:
    monkeypatch.chdir(case.parent)
    loaded = load(
        [case.name],
        defaults=Defaults(),
        environ={"AWS_REGION": "us-east-1"},
        resolve=False,
        root=case if case.is_dir() else case.parent,
    )
    lines = [written(found) for found in loaded.diagnostics]
    if os.environ.get("RECONCILER_UPDATE_CASES") == "1":
        expectation(case).unlink(missing_ok=True)
        if lines:
            expectation(case).write_text("\n".join(lines) + "\n", "utf-8")
    assert lines == expected_lines(case)
    return loaded


@pytest.mark.parametrize("case", cases("invalid"), ids=lambda case: case.stem)
def test_an_invalid_case_gives_the_errors_that_are_written_beside_it(
    case: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    loaded = check(case, monkeypatch)
    assert loaded.errors
    assert not any("hunter2" in str(found) for found in loaded.diagnostics)


@pytest.mark.parametrize("case", cases("valid"), ids=lambda case: case.stem)
def test_a_valid_case_gives_targets_and_no_error(case: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    loaded = check(case, monkeypatch)
    assert not loaded.errors
    assert loaded.desired


def test_no_expectation_is_left_without_a_case() -> None:
    known = {expectation(case) for kind in ("valid", "invalid") for case in cases(kind)}
    assert {file for kind in ("valid", "invalid") for file in (CASES / kind).glob("*" + SUFFIX)} <= known


def test_every_code_has_a_case() -> None:
    lines = [line for kind in ("valid", "invalid") for case in cases(kind) for line in expected_lines(case)]
    assert {line.split()[-1] for line in lines} == set(CODES) - TESTED_ELSEWHERE
    assert {line.split()[-1] for line in lines if " warning " in line} == set(WARNINGS) - TESTED_ELSEWHERE
