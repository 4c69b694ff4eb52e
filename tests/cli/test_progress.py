"""Many targets: what is told while they are read, and what is left of a run that a signal ends."""

from __future__ import annotations

import json
import os
import pty
import signal
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from reconciler.cli.exits import Exit
from reconciler.cli.options import Show
from reconciler.cli.progress import Progress, Stage
from reconciler.cli.signals import first_signal
from reconciler.emulator import Fault, Server
from tests.cli.conftest import Project, Start
from tests.cli.terminals import on_a_terminal, shown

ENDLESS = 60
TARGETS, READ = 24, 12
DOING = "Reading live configuration..."


@pytest.fixture
def fleet(project: Project) -> Path:
    """A folder with many documents that extend one, which has drifted."""
    folder = project.folder / "fleet"
    folder.mkdir()
    text = project.document.read_text(encoding="utf-8")
    own = ("name:", "AppId:", "BackendEnvironmentName:")
    base = [line for line in text.splitlines() if not line.startswith(own)]
    (folder / "base.yaml").write_text("\n".join(base), encoding="utf-8")
    for number in range(TARGETS):
        target = f"extends: base.yaml\nname: shop-{number:02}\nAppId: d{number:09}\nBackendEnvironmentName: prod\n"
        (folder / f"{number:02}.yaml").write_text(target, encoding="utf-8")
    assert project.run("emulator", "seed", "fleet").code == 0
    (folder / "base.yaml").write_text(
        "\n".join(base).replace("MinimumLength: 12", "MinimumLength: 16"), encoding="utf-8"
    )
    return folder


@pytest.fixture
def hanging(project: Project, fleet: Path, server: Server) -> Server:
    """A backend that answers the first reads of the fleet, and keeps the others waiting."""
    assert fleet.is_dir()
    project.emulator.inject([Fault("slow", operation="GetBackendAuth", skip=READ, times=0, seconds=600)])
    return server


def hung(project: Project) -> None:
    """Wait until all of the first reads are answered, and all of eight threads hang."""
    until = time.monotonic() + ENDLESS
    while len(project.emulator.requests("GetBackendAuth")) < READ + 8:
        assert time.monotonic() < until
        threading.Event().wait(0.02)


# --- signals -------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("command", "number", "code"),
    [("plan", signal.SIGINT, 130), ("drift", signal.SIGINT, 130), ("plan", signal.SIGTERM, 143)],
)
def test_a_signal_while_many_are_read_shows_what_was_read_and_counts_the_others(
    project: Project, hanging: Server, start: Start, command: str, number: signal.Signals, code: int
) -> None:
    process = start(command, "fleet", "--endpoint-url", hanging.url, "--report", "markdown=plan.md")
    hung(project)
    process.send_signal(number)
    out, err = process.communicate(timeout=ENDLESS)
    assert process.returncode == code
    assert "MinimumLength = 12 -> 16" in out
    assert f"{TARGETS} targets: {READ} planned ({READ} changed), {TARGETS - READ} not read." in out
    assert f"Error: {TARGETS - READ} targets were not read, because the run was interrupted: shop-" in out
    assert "Stopping: what was read until now is shown." in err
    assert "Traceback" not in err
    page = (project.folder / "plan.md").read_text(encoding="utf-8")
    assert page.count("| not read |") == TARGETS - READ
    assert f"{TARGETS - READ} targets were not read, because the run was interrupted" in page


def test_an_interrupted_plan_says_in_json_that_it_is_not_whole_and_is_not_saved(
    project: Project, hanging: Server, start: Start
) -> None:
    process = start("plan", "fleet", "--endpoint-url", hanging.url, "--format", "json", "--out", "plan.json")
    hung(project)
    process.send_signal(signal.SIGINT)
    out, err = process.communicate(timeout=ENDLESS)
    made = json.loads(out)
    assert process.returncode == 130
    assert (made["errored"], made["complete"], made["applyable"]) == (True, False, False)
    targets = made["reconciler"]["targets"]
    assert [target["name"] for target in targets] == [f"shop-{number:02}" for number in range(TARGETS)]
    unread = [target["failed"]["kind"] for target in targets if "failed" in target]
    assert unread == ["interrupted"] * (TARGETS - READ)
    assert len(made["resource_changes"]) == READ
    assert "Nothing was saved to plan.json: the plan is not whole, since it was interrupted." in err
    assert not (project.folder / "plan.json").exists()


def test_a_signal_on_a_terminal_takes_the_live_line_away_before_the_result(project: Project, hanging: Server) -> None:
    with on_a_terminal(project, "plan", "fleet", "--endpoint-url", hanging.url) as (process, terminal):
        live = shown(terminal, until=f"{READ} of {TARGETS}")
        assert DOING in live
        assert "s left)" in live + shown(terminal, until="s left)")
        hung(project)
        process.send_signal(signal.SIGINT)
        rest = shown(terminal)
        assert process.wait(ENDLESS) == 130
    drawn, result = rest.split("reconciler used the live configuration", 1)
    assert "Stopping: what was read until now is shown." in drawn
    erased, shows_the_cursor = "\x1b[2K", "\x1b[?25h"
    assert erased in drawn
    assert drawn.rindex(f"{READ} of {TARGETS}") < drawn.rindex(erased)
    assert shows_the_cursor in drawn
    assert DOING not in result
    assert f"{TARGETS - READ} not read." in result


def test_the_first_signal_is_a_question_and_a_second_one_ends_the_process() -> None:
    told: list[Exit] = []
    before = signal.getsignal(signal.SIGTERM)
    with first_signal(told.append):
        signal.raise_signal(signal.SIGINT)
        assert told == [Exit.INTERRUPTED]
        assert signal.getsignal(signal.SIGTERM) is before
        with pytest.raises(KeyboardInterrupt):
            signal.raise_signal(signal.SIGINT)
    with first_signal(told.append):
        signal.raise_signal(signal.SIGTERM)
    assert told == [Exit.INTERRUPTED, Exit.TERMINATED]
    with pytest.raises(KeyboardInterrupt):
        signal.raise_signal(signal.SIGINT)


# --- progress ------------------------------------------------------------------------------------


def test_a_log_has_a_line_when_many_targets_begin_and_one_when_they_end(
    project: Project, fleet: Path, server: Server
) -> None:
    project.emulator.inject([Fault("access_denied", operation="GetBackendAuth")])
    result = project.run("plan", fleet.name, "--endpoint-url", server.url)
    first, last, *others = result.err.splitlines()
    assert first == f"Reading live configuration of {TARGETS} targets..."
    assert last.startswith(f"Reading live configuration: {TARGETS} of {TARGETS} (")
    assert last.endswith("s, 1 failed)")
    assert others == []


def test_a_few_targets_have_a_line_each(project: Project, fleet: Path, server: Server) -> None:
    result = project.run("drift", fleet.name, "--target", "shop-0?", "--endpoint-url", server.url)
    assert sorted(result.err.splitlines()) == [f"shop-0{number}: {DOING}" for number in range(10)]


def test_nothing_is_told_of_many_targets_where_nobody_wants_to_hear(
    project: Project, fleet: Path, server: Server
) -> None:
    assert project.run("plan", fleet.name, "--endpoint-url", server.url, "--quiet").err == ""


@pytest.mark.parametrize("options", [(), ("--verbose",)])
def test_a_terminal_has_a_live_line_unless_records_are_written_on_it(
    project: Project, fleet: Path, server: Server, options: tuple[str, ...]
) -> None:
    project.emulator.inject([Fault("slow", operation="GetBackendAuth", skip=TARGETS - 1, seconds=0.6)])
    with on_a_terminal(project, "plan", fleet.name, "--endpoint-url", server.url, *options) as (_, terminal):
        text = shown(terminal)
    live = "\x1b[?25l"
    assert (live in text) != bool(options)
    assert (f"Reading live configuration of {TARGETS} targets..." in text) is bool(options)


def test_what_concerns_one_target_stands_above_the_live_line(monkeypatch: pytest.MonkeyPatch) -> None:
    ours, theirs = pty.openpty()
    monkeypatch.setenv("TERM", "xterm")
    with os.fdopen(theirs, "w", encoding="utf-8") as terminal:
        monkeypatch.setattr(sys, "stderr", terminal)
        progress = Progress(Show())
        progress.started("Applying...", 20)
        assert "0 of 20" in shown(ours, until="0 of 20")
        progress("a", "Modifying...")
        above = shown(ours, until="a: Modifying...")
        progress.finished("a", failed=True)
        assert "1 failed)" in shown(ours, until="1 failed)")
        progress.ended()
        assert sys.stderr is terminal
    assert above.rindex("\x1b[2K") < above.index("a: Modifying..."), "the live line made room"
    assert "of 20" not in shown(ours).rpartition("\x1b[2K")[2]
    os.close(ours)


def test_a_warning_stands_above_the_live_line(project: Project, fleet: Path, server: Server) -> None:
    project.emulator.inject([Fault("throttle", operation="GetBackendAuth", skip=2, times=8)])
    with on_a_terminal(project, "plan", fleet.name, "--endpoint-url", server.url) as (process, terminal):
        text = shown(terminal)
        assert process.wait(ENDLESS) == 0
    lines = [line for line in text.splitlines() if "refuses reads" in line]
    assert len(lines) == 1
    assert lines[0].rpartition("\x1b[2K")[2].startswith("WARNING reconciler.aws.pace: the service in us-east-1 refuses")
    assert lines[0].endswith("a second")


def test_a_warning_is_told_also_where_nobody_wants_to_hear_of_progress(
    project: Project, fleet: Path, server: Server, start: Start
) -> None:
    project.emulator.inject([Fault("throttle", operation="GetBackendAuth", skip=2, times=8)])
    _, err = start("plan", fleet.name, "--endpoint-url", server.url, "--quiet").communicate(timeout=ENDLESS)
    assert [line.partition(" refuses")[0] for line in err.splitlines()] == [
        "WARNING reconciler.aws.pace: the service in us-east-1"
    ]


def test_the_pace_of_what_is_over_tells_how_long_it_took() -> None:
    assert Stage(DOING, 1000, 100.0, [False] * 1000).pace(108.0, over=True) == "1000 of 1000 (125/s, in 8s)"
    assert Stage(DOING, 1000, 100.0, [False] * 24).pace(101.2, over=True) == "24 of 1000 (20/s, in 1s)", "stopped"


@pytest.fixture
def progress() -> Iterator[Progress]:
    """Progress in a log, for which a minute is over at once."""
    progress = Progress(Show(), quiet_seconds=0.001)
    yield progress
    progress.ended()


def test_a_log_is_told_again_and_again_that_the_command_is_alive(
    progress: Progress, capsys: pytest.CaptureFixture[str]
) -> None:
    progress.started("Applying...", 11)
    progress("a", "Modifying...")
    progress("b", "Applying...")
    progress.finished("a", failed=True)
    told, until = "", time.monotonic() + ENDLESS
    while told.count("Applying: 1 of 11 (") < 3:
        assert time.monotonic() < until
        told += capsys.readouterr().err
    progress.ended()
    assert told.startswith("Applying of 11 targets...\n")
    assert told.count("a: Modifying...\n") == 1
    assert "b:" not in told
    progress.finished("b", failed=False)
    assert "2 of 11" not in told + capsys.readouterr().err, "what comes late is not told"


@pytest.mark.parametrize("total", [2, 20])
def test_who_was_stopped_says_nothing_below_the_result(
    progress: Progress, capsys: pytest.CaptureFixture[str], total: int
) -> None:
    progress.started(DOING, total)
    progress.ended()
    capsys.readouterr()
    progress("late", DOING)
    progress.finished("late", failed=False)
    assert capsys.readouterr().err == ""
    progress("a", "The update of run 1 is settled")
    assert capsys.readouterr().err == "a: The update of run 1 is settled\n"


def test_a_stage_of_a_few_after_one_of_many_has_its_lines(
    progress: Progress, capsys: pytest.CaptureFixture[str]
) -> None:
    progress.started(DOING, 11)
    progress.ended()
    capsys.readouterr()
    progress.started(DOING, 1)
    progress("a", DOING)
    progress.finished("a", failed=False)
    progress.ended()
    assert capsys.readouterr().err == f"a: {DOING}\n"
