"""The benchmarks run, and say what they found; how fast anything is depends on the machine, so no test asks."""

from __future__ import annotations

import json
import math
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from xml.etree import ElementTree as ET

import pytest

from benchmarks.bench import Bench, Sizes
from benchmarks.fleet import ROOT, Unmeasurable, plain_environment
from benchmarks.measure import Taken, in_turn, run
from benchmarks.plot import plot
from benchmarks.rows import ROWS, Result, Row, measured
from benchmarks.table import report, table

NAMES = [row.name for row in ROWS]
SVG = "{http://www.w3.org/2000/svg}"


@dataclass(frozen=True)
class Written:
    """What one run wrote."""

    exitcode: int
    table: str
    errors: str
    report: dict[str, Any]
    plot: ET.Element


def started(*words: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "benchmarks", *words]
    return subprocess.run(command, capture_output=True, text=True, check=False, cwd=ROOT)


def parsed(picture: str) -> ET.Element:
    return ET.fromstring(picture)  # noqa: S314 - it is our own


@pytest.fixture(scope="module")
def small(aws_cli: Path, tmp_path_factory: pytest.TempPathFactory) -> Written:
    assert aws_cli.exists()
    folder = tmp_path_factory.mktemp("small")
    done = started("--small", "--json", str(folder / "a.json"), "--svg", str(folder / "a.svg"))
    assert done.returncode == 0, done.stderr
    picture = parsed((folder / "a.svg").read_text(encoding="utf-8"))
    return Written(done.returncode, done.stdout, done.stderr, json.loads((folder / "a.json").read_text()), picture)


@pytest.mark.aws
def test_every_row_has_a_figure(small: Written) -> None:
    assert [row["name"] for row in small.report["rows"]] == NAMES
    for row in small.report["rows"]:
        assert math.isfinite(row["figure"]), row
        for side in ("ours", "theirs"):
            assert 0 < row[side]["min"] <= row[side]["median"] <= row[side]["max"], row


@pytest.mark.aws
def test_the_table_and_the_progress_have_a_line_a_row(small: Written) -> None:
    _, _, *lines = small.table.splitlines()
    assert [line.split("|")[1].strip() for line in lines] == [row["what"] for row in small.report["rows"]]
    assert {line.count("|") for line in small.table.splitlines()} == {8}
    assert all(f"\n{name}: " in f"\n{small.errors}" for name in NAMES)


@pytest.mark.aws
def test_the_picture_has_a_bar_a_row_in_the_colour_of_its_verdict(small: Written) -> None:
    bars = [bar.get("class") for bar in small.plot.iter(f"{SVG}rect") if bar.get("class") != "track"]
    assert bars == ["reached" if row["reached"] else "missed" for row in small.report["rows"]]


def test_a_program_that_fails_is_no_measure() -> None:
    with pytest.raises(Unmeasurable, match=r"ended with 3:\nsaid why"):
        run(["sh", "-c", "echo said why; exit 3"], plain_environment())


def test_a_row_that_can_not_be_measured_hides_no_other(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("RECONCILER_TEST_CHECK_JSONSCHEMA", "/bin/false")
    done = started("--only", "valid*", "--only", "version", "--small")
    assert done.returncode == 1
    assert [line.split("|")[1].strip() for line in done.stdout.splitlines()[2:]] == ["`--version`"]
    assert "\nbenchmarks: validate can't be measured: /bin/false --schemafile " in done.stderr


def test_a_name_of_no_row_is_told_the_names() -> None:
    done = started("--only", "nothing")
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr == f"benchmarks: no row is named so; there are {', '.join(NAMES)}\n"


@pytest.fixture
def bench(tmp_path: Path) -> Iterator[Bench]:
    with Bench(tmp_path, Sizes(targets=10, large=30)) as bench:
        yield bench


def row(*, reach: float, least: bool = False, failed: str = "") -> Row:
    """A row whose ratio is 2: the median of 4 and 6 against that of 2 and 3."""
    taken = Taken((4.0, 6.0), (2.0, 3.0), failed)
    return Row("made-up", "{targets} of <ours>", "theirs & `others`", reach, lambda _: taken, least=least)


def shown(result: Result) -> tuple[str, str | None]:
    """The verdict of the table, and the class of the picture's bar."""
    cell = table([result]).splitlines()[-1].split("|")[-2].strip()
    bars = list(parsed(plot([result])).iter(f"{SVG}rect"))
    return cell, bars[-1].get("class")


def test_what_is_not_reached_is_shown_as_such(bench: Bench) -> None:
    assert shown(measured(row(reach=2), bench)) == ("yes", "reached")
    assert shown(measured(row(reach=1.9), bench)) == ("NO", "missed")
    assert shown(measured(row(reach=2, least=True), bench)) == ("yes", "reached")
    assert shown(measured(row(reach=2.1, least=True), bench)) == ("NO", "missed")


def test_a_figure_of_runs_that_failed_is_not_reached(bench: Bench) -> None:
    result = measured(row(reach=9, failed="10 targets: 9 planned, 1 failed."), bench)
    assert shown(result) == ("NO: 10 targets: 9 planned, 1 failed.", "missed")
    assert json.loads(report([result], bench.sizes))["rows"][0]["failed"] == "10 targets: 9 planned, 1 failed."


def test_the_figure_is_that_of_medians_with_the_range_of_pairs(bench: Bench) -> None:
    result = measured(
        Row("made-up", "ours", "theirs", 1, lambda _: Taken((1.0, 8.0, 2.0), (1.0, 2.0, 4.0))),
        bench,
    )
    assert (result.figure, result.lowest, result.highest) == (1.0, 0.5, 4.0)
    assert "| 1.00 / 2.00 / 8.00 s | 1.00 / 2.00 / 4.00 s | **1.00** (0.50 to 4.00) |" in table([result])


def test_two_things_are_measured_in_turn_and_first_without_counting() -> None:
    order: list[str] = []

    def ours() -> float:
        order.append("a")
        return len(order)

    def theirs() -> float:
        order.append("b")
        return len(order)

    assert in_turn(ours, theirs, 2) == Taken((3, 5), (4, 6))
    assert "".join(order) == "ababab"
    assert in_turn(ours, theirs, 1) == Taken((7,), (8,))
    assert in_turn(ours, theirs, 2, warm=False) == Taken((9, 11), (10, 12))
