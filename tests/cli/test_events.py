"""The lines of terraform's UI: each is there the moment it happens, and no trouble with them stops an update."""

from __future__ import annotations

import json
import subprocess
from typing import Any

from reconciler.emulator import Fault
from tests.cli.conftest import Project, Start

APPLY = ("apply", "auth.yaml", "--emulator", "--auto-approve", "--poll-interval", "0", "--verify-polls", "2")


def lines(text: str) -> list[dict[str, Any]]:
    return [json.loads(line) for line in text.splitlines()]


def types(text: str) -> list[str]:
    return [line["type"] for line in lines(text)]


def until(process: subprocess.Popen[str], type_: str) -> list[str]:
    """Read a process's standard output up to a line of a type; the process still runs then."""
    assert process.stdout is not None
    read: list[str] = []
    while not read or types(read[-1]) != [type_]:
        read.append(process.stdout.readline())
    assert process.poll() is None
    return types("".join(read))


def test_each_line_is_written_the_moment_it_happens(project: Project, start: Start) -> None:
    project.switch("job_seconds=600")
    process = start(*APPLY[:-4], "--poll-interval", "30", "--format", "ndjson")
    assert until(process, "apply_progress") == [
        "version",
        "refresh_start",
        "refresh_complete",
        "apply_start",
        "apply_progress",
    ]


def test_an_apply_tells_of_an_update_once_from_its_start_to_its_end(project: Project) -> None:
    told = project.run(*APPLY, "--format", "ndjson", "--report", "ndjson=all.ndjson").out
    assert [type_ for type_ in types(told) if type_ != "apply_progress"] == [
        "version",
        "refresh_start",
        "refresh_complete",
        "apply_start",
        "apply_complete",
        "change_summary",
    ]
    assert (project.folder / "all.ndjson").read_text(encoding="utf-8").splitlines()[:-1] == told.splitlines()[:-1]
    (complete,) = (line["hook"] for line in lines(told) if line["type"] == "apply_complete")
    assert (complete["action"], complete["elapsed_seconds"]) == ("update", 0)
    moments = [line["@timestamp"] for line in lines(told)]
    assert moments == sorted(moments)


def test_an_update_that_failed_is_told_as_that_with_its_problem(project: Project) -> None:
    project.emulator.inject([Fault("job_failed", operation="UpdateBackendAuth")])
    told = project.run(*APPLY, "--format", "ndjson").out
    assert [type_ for type_ in types(told) if type_.startswith(("apply_e", "diag"))] == ["apply_errored", "diagnostic"]


def test_a_report_alone_writes_its_lines_at_the_end(project: Project) -> None:
    result = project.run("plan", "auth.yaml", "--emulator", "--report", "ndjson=plan.ndjson")
    assert result.out.startswith("reconciler used")
    assert types((project.folder / "plan.ndjson").read_text(encoding="utf-8")) == [
        "version",
        "refresh_start",
        "refresh_complete",
        "planned_change",
        "change_summary",
    ]


def test_an_update_under_way_is_followed_to_its_end_though_nobody_reads_on(project: Project, start: Start) -> None:
    project.switch("job_seconds=2")
    patience = ("--poll-interval", "0.2", "--verify-polls", "2")
    process = start(*APPLY[:-4], *patience, "--format", "ndjson", "--report", "json=applied.json")
    until(process, "apply_start")
    assert process.stdout is not None
    process.stdout.close()
    process.stdout = None
    _, told = process.communicate(timeout=60)
    assert process.returncode == 1
    assert "Nobody reads standard output any more" in told
    assert json.loads((project.folder / "applied.json").read_text(encoding="utf-8"))["complete"]
    assert project.run("plan", "auth.yaml", "--emulator", "--detailed-exitcode").code == 0
    assert "applied" in project.run("history", "--emulator").out
