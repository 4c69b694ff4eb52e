"""The ledger for people and for machines: a line a run, or all that one run did."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence

from reconciler.core.model import EMBEDDED, OutcomeKind, Plan
from reconciler.ledger.record import Entry, Intent, Record, Run
from reconciler.ledger.recordfile import intent_text, record_text
from reconciler.render.harmless import fence, line, without_commands
from reconciler.render.report import outcome_report
from reconciler.render.rows import diff_lines
from reconciler.render.terminal import diff_text, outcome_rows_text

HISTORY_FORMAT_VERSION = "1.0"
_COLUMNS = ("RUN", "TARGET", "OUTCOME", "CHANGES", "WHO", "COMMIT")
_NOTHING = "Nothing was applied yet."
_SHORT_COMMIT = 8
_OPEN = frozenset({OutcomeKind.UNKNOWN, OutcomeKind.TIMED_OUT})
"""What became of an update whose end was not seen."""


def nothing_text(target: str | None, known: Sequence[str], *, damaged: bool = False) -> str:
    """Why there is nothing to list.

    Args:
        target: the name of the only target that was asked for.
        known: the targets that the ledger knows.
        damaged: whether there is something that can't be understood.
    """
    if damaged:
        return "Nothing that can be understood was found."
    if target is None or not known:
        return _NOTHING
    names = ", ".join(known)
    return f"{line(f'Nothing was applied to {target} yet.')} {line(f'The ledger knows {names}.')}"


def history_text(entries: Sequence[Entry], nothing: str = _NOTHING) -> str:
    """A line for each run and target, in columns; ``nothing`` is what to say where there is none."""
    if not entries:
        return f"{nothing}\n"
    rows = [_COLUMNS, *(_row(entry) for entry in entries)]
    widths = [max(len(row[column]) for row in rows) for column in range(len(_COLUMNS))]
    lines = ("  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip() for row in rows)
    return "\n".join(lines) + "\n"


def history_markdown(entries: Sequence[Entry], nothing: str = _NOTHING) -> str:
    """The same, in a block that no forge makes anything of."""
    return _fenced(history_text(entries, nothing))


def history_json(entries: Sequence[Entry]) -> str:
    """Each record whole, as the ledger keeps it; one that is under way has ``open`` and no outcome."""
    return _json([_kept(entry.told) for entry in entries])


def runs_text(records: Sequence[Record], *, colour: bool) -> str:
    """All that one run did: who and from what, each target's changes, and what became of it."""
    paragraphs: list[str] = []
    told: set[str] = set()
    for record in records:
        if record.run.id not in told:
            paragraphs.append("\n".join(_heading(record)))
            told.add(record.run.id)
        paragraphs.append(diff_text(diff_lines(record.plan), colour=colour))
        report = outcome_report((record.outcome,), Plan((record.plan,), ""))
        paragraphs.append(f"{outcome_rows_text(report, colour=colour)}\n  {_times(record)}")
    back = [record for record in records if record.sent]
    if back:
        option = " --emulator" if back[0].plan.target.endpoint == EMBEDDED else ""
        go_back = f"reconciler restore {back[0].run.id}{option}"
        paragraphs.append(line(f"What was live before is kept. To go back: {go_back}"))
    return "\n\n".join(paragraphs) + "\n"


def runs_markdown(records: Sequence[Record]) -> str:
    """The same, in a block that no forge makes anything of."""
    return _fenced(runs_text(records, colour=False))


def runs_json(records: Sequence[Record]) -> str:
    """Each record whole, as the ledger keeps it."""
    return _json([_kept(record) for record in records])


def _row(entry: Entry) -> tuple[str, ...]:
    told = entry.told
    cells = (
        entry.run.id,
        told.plan.name,
        entry.outcome,
        str(len(told.plan.changes)),
        str(entry.run.who),
        _commit(entry.run),
    )
    return tuple(line(cell) for cell in cells)


def _commit(run: Run) -> str:
    if run.commit is None:
        return "-"
    return f"{run.commit.id[:_SHORT_COMMIT]}{' (dirty)' if run.commit.dirty else ''}"


def _heading(record: Record) -> Iterator[str]:
    run = record.run
    yield line(f"Run {run.id}: {run.command}, started {run.started} by {run.who}")
    if record.caller:
        yield line(f"  as {record.caller}")
    if run.commit is not None:
        yield line(f"  from commit {run.commit.id}{', and a document differed from it' if run.commit.dirty else ''}")
    if record.resumes:
        verb = "looked at" if record.outcome.kind in _OPEN else "settled"
        yield line(f"  {verb} the update of run {record.resumes}")
    yield line(f"  plan {run.digest}")


def _times(record: Record) -> str:
    return line(f"ended {record.ended}, {record.seconds:.1f}s{'' if record.sent else '; nothing was sent'}")


def _kept(told: Record | Intent) -> object:
    return json.loads(record_text(told) if isinstance(told, Record) else intent_text(told))


def _json(entries: Sequence[object]) -> str:
    body = {"format_version": HISTORY_FORMAT_VERSION, "records": list(entries)}
    return without_commands(json.dumps(body, separators=(",", ":"))) + "\n"


def _fenced(text: str) -> str:
    marks = fence(text)
    return f"{marks}\n{text}{marks}\n"
