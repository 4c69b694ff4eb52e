"""Count what must never happen, from what a schedule's runs said and wrote, and from the truth."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.faults import oracle
from tests.faults.canary import betrayals
from tests.faults.programs import Ended
from tests.faults.project import Project
from tests.faults.records import ledger_lost
from tests.faults.schedules import Schedule

_ENDED = frozenset({"COMPLETED", "FAILED"})
_NOTHING_LANDED = frozenset({oracle.ERROR, oracle.REFUSED, oracle.ACCESS, oracle.LOCKED})


@dataclass(frozen=True, slots=True)
class Truth:
    """What the service knows: its live configuration, each update's job with its status, and faults to come."""

    live: Mapping[str, Any] | None
    jobs: Mapping[str, str]
    faults: tuple[str, ...]

    @property
    def running(self) -> bool:
        """Whether a job has not ended."""
        return not _ENDED.issuperset(self.jobs.values())

    @property
    def completed(self) -> int:
        """How many jobs completed, whether or not they had an effect."""
        return sum(status == "COMPLETED" for status in self.jobs.values())


@dataclass(frozen=True, slots=True)
class Story:
    """What happened: how the schedule's runs ended, the truth then, the apply after them, and the truth in the end."""

    ends: tuple[Ended, ...]
    between: Truth
    recovery: Ended
    after: Truth


@dataclass(frozen=True, slots=True)
class Verdict:
    """How often one schedule, or several together, did what must never happen.

    Attributes:
        schedules: How many there are.
        updates: Those after which an update took effect more or less often than once, or live is not as asked.
        records: Ledger records lost.
        secrets: Files with a secret in them.
        codes: Exit codes that are wrong.
        hangs: Runs that did not end.
        tracebacks: Files with a traceback in them.
        notes: What each of these was.
    """

    schedules: int = 0
    updates: int = 0
    records: int = 0
    secrets: int = 0
    codes: int = 0
    hangs: int = 0
    tracebacks: int = 0
    notes: tuple[str, ...] = ()

    @property
    def counts(self) -> tuple[int, ...]:
        """All that must be zero, in the order of the table's columns."""
        return self.updates, self.records, self.secrets, self.codes, self.hangs, self.tracebacks

    def __add__(self, other: Verdict) -> Verdict:
        return Verdict(
            schedules=self.schedules + other.schedules,
            updates=self.updates + other.updates,
            records=self.records + other.records,
            secrets=self.secrets + other.secrets,
            codes=self.codes + other.codes,
            hangs=self.hangs + other.hangs,
            tracebacks=self.tracebacks + other.tracebacks,
            notes=self.notes + other.notes,
        )


def judge(project: Project, schedule: Schedule, story: Story) -> Verdict:
    """The verdict on one schedule."""
    updates = _wrong_updates(project, schedule, story.after)
    jobs, over = frozenset(story.after.jobs), not story.after.running
    records = ledger_lost(project.root, jobs, over=over)
    secrets = betrayals(project.secrets, project.folder)
    codes = _wrong_codes(project, schedule, story)
    hangs = [name for name, ended in _runs(story) if ended.hung]
    tracebacks = _tracebacks(project.folder)
    told = [
        *updates,
        *([f"{records} lost records"] if records else ()),
        *(f"a secret in {name}" for name in secrets),
        *codes,
        *(f"{name} hung" for name in hangs),
        *(f"a traceback in {name}" for name in tracebacks),
    ]
    return Verdict(
        schedules=1,
        updates=int(bool(updates)),
        records=records,
        secrets=len(secrets),
        codes=len(codes),
        hangs=len(hangs),
        tracebacks=len(tracebacks),
        notes=(f"{schedule.name} [{project.folder}]: {'; '.join(told)}",) if told else (),
    )


def _wrong_updates(project: Project, schedule: Schedule, after: Truth) -> list[str]:
    expected = schedule.expected
    hollow = sum(fault.kind == "no_effect" for fault in schedule.setting.faults)
    effects = after.completed - hollow
    wanted = project.before if expected.stuck else project.asked
    wrong = []
    if effects != expected.updates:
        wrong.append(f"{effects} updates took effect instead of {expected.updates}")
    if after.live != wanted:
        wrong.append(f"in the end live is not as asked: {_difference(wanted, after.live)}")
    if after.faults:
        wrong.append(f"the schedule is none: nothing met {', '.join(after.faults)}")
    return wrong


def _wrong_codes(project: Project, schedule: Schedule, story: Story) -> list[str]:
    """Which exit codes are not those of the oracle, or do not tell the truth."""
    expected, between = schedule.expected, story.between
    *runs, (recovery, recovered) = _runs(story)
    wrong = [
        f"{name} ended with {ended.code} instead of {_list(expected.codes)}"
        for name, ended in runs
        if ended.code not in expected.codes
    ]
    if recovered.code not in expected.recovered:
        wrong.append(f"{recovery} ended with {recovered.code} instead of {_list(expected.recovered)}")
    codes = [ended.code for ended in story.ends]
    if len(codes) > 1 and oracle.DONE in expected.codes and oracle.DONE not in codes:
        wrong.append(f"none of the runs ended with 0, but {codes}")
    if oracle.DONE in codes and between.live != project.asked:
        wrong.append(f"a run ended with 0, and live was not as asked: {_difference(project.asked, between.live)}")
    if _NOTHING_LANDED.issuperset(codes) and (between.completed or between.running):
        wrong.append(f"{codes} say that nothing landed, and the jobs are {_list(between.jobs.values())}")
    return wrong


def _runs(story: Story) -> list[tuple[str, Ended]]:
    numbered = [(f"run {number}", ended) for number, ended in enumerate(story.ends, start=1)]
    return [*numbered, ("the apply after", story.recovery)]


def _tracebacks(folder: Path) -> list[str]:
    files = (path for path in sorted(folder.rglob("*")) if path.is_file())
    return [str(path.relative_to(folder)) for path in files if b"Traceback" in path.read_bytes()]


def _difference(wanted: Any, found: Any, path: str = "") -> str:
    """Where two configurations differ; the secrets are invented, and may be shown."""
    if isinstance(wanted, Mapping) and isinstance(found, Mapping):
        names = sorted({*wanted, *found})
        parts = [_difference(wanted.get(name), found.get(name), f"{path}.{name}") for name in names]
        return ", ".join(part for part in parts if part)
    return "" if wanted == found else f"{path.lstrip('.')} is {found!r} instead of {wanted!r}"


def _list(items: Any) -> str:
    return ", ".join(str(item) for item in sorted(items)) or "none"
