"""Every fault, kill and race that has a schedule: what was asked happens once, and everybody is told the truth.

``python -m tests.faults 'killed before Update*'`` carries single schedules out and shows what they wrote.
"""

from __future__ import annotations

import os

import pytest

from tests.cli.conftest import ROOT
from tests.faults.conftest import Tally
from tests.faults.figures import recorded, table, with_table
from tests.faults.harness import Bench
from tests.faults.schedules import FAMILIES, Family, Setting, Steps
from tests.faults.verdict import Verdict

pytestmark = pytest.mark.broad

README = ROOT / "README.md"
UPDATE = "RECONCILER_UPDATE_FIGURES"


def test_an_apply_that_nobody_disturbs_takes_the_same_steps_each_time(bench: Bench) -> None:
    assert bench.steps(Setting()) == bench.steps(Setting())


def test_each_schedule_has_a_name_of_its_own(steps: Steps) -> None:
    names = [schedule.name for family in FAMILIES for schedule in family.schedules(steps)]
    assert len(set(names)) == len(names) >= 200


@pytest.mark.parametrize(
    ("family", "chunk"),
    [
        pytest.param(family, chunk, id=f"{family.name}, {chunk + 1} of {family.chunks}")
        for family in FAMILIES
        for chunk in range(family.chunks)
    ],
)
def test_what_was_asked_happens_once_and_everybody_is_told_the_truth(
    family: Family, chunk: int, steps: Steps, bench: Bench, tally: Tally
) -> None:
    verdict = bench.judge_all(family.schedules(steps)[chunk :: family.chunks])
    tally[family.name] = tally.get(family.name, Verdict()) + verdict
    assert not any(verdict.counts), "\n".join(verdict.notes)


def test_readme_has_the_figures(steps: Steps, tally: Tally) -> None:
    enumerated = {family.name: Verdict(len(family.schedules(steps))) for family in FAMILIES}
    readme = README.read_text(encoding="utf-8")
    if os.environ.get(UPDATE):
        counted = {name: verdict.schedules for name, verdict in tally.items()}
        everything = {name: verdict.schedules for name, verdict in enumerated.items()}
        assert counted == everything, f"{UPDATE} wants every schedule in one process: pytest tests/faults -n 0"
        README.write_text(with_table(readme, table(tally)), encoding="utf-8")
    else:
        again = f"write it anew with: {UPDATE}=1 pytest tests/faults -n 0"
        assert recorded(readme) == table(enumerated), again
