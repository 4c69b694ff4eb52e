"""Alerts: what a report tells at a line of YAML, one by one, for the formats that draw neither diffs nor pages."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum

from reconciler.core.model import FailureKind, Movement, OutcomeKind
from reconciler.errors import Diagnostic, Origin
from reconciler.render.harmless import line
from reconciler.render.messages import Message, Tone, of_diagnostic
from reconciler.render.report import OutcomeReport, Report, Status, TargetRow
from reconciler.render.rows import Line
from reconciler.render.wording import change_line, result_of, unread_line

MOVED = "moved"
"""The code of what moved and was not planned."""
_STDIN = "<stdin>"


class Level(StrEnum):
    """How loud an alert is."""

    ERROR = "error"
    WARNING = "warning"
    NOTE = "note"


_LEVELS = {Tone.ERROR: Level.ERROR, Tone.WARNING: Level.WARNING, Tone.NOTE: Level.NOTE}
_LOUD = frozenset({Movement.DRIFT.value, Movement.CONFLICT.value, MOVED})


@dataclass(frozen=True, slots=True)
class Alert:
    """One thing to tell, and its place; every text in it is harmless.

    ``target`` is empty where it is about no single one. ``about`` is what stays the same of it while its text may not:
    the path of a change; empty where that is the text.
    """

    code: str
    level: Level
    target: str
    text: str
    more: tuple[str, ...] = ()
    origin: Origin | None = None
    about: str = ""

    @property
    def summary(self) -> str:
        """What it tells, in one line."""
        return f"{self.target}: {self.text}" if self.target else self.text

    @property
    def place(self) -> Origin | None:
        """Where it is written, if that is a file."""
        return in_file(self.origin)


def in_file(origin: Origin | None) -> Origin | None:
    """A place, if that is in a file: standard input is none."""
    return None if origin is None or origin.file == _STDIN else origin


def change_alerts(report: Report) -> Iterator[Alert]:
    """Each attribute that differs, at the line that writes it, or at its document where none does.

    One in conflict is told by its guard.
    """
    for target in report.targets:
        guards = {guard.code for guard in target.guards}
        for row in target.lines:
            if row.path and row.movement not in guards:
                code = row.movement or (Movement.DRIFT.value if report.headline == "drift" else "change")
                yield _of_change(row, target.name, target.origin, code)


def message_alerts(report: Report) -> Iterator[Alert]:
    """What stands in the way of a plan, why targets have none, and its remarks."""
    for target in report.targets:
        if target.status is not Status.UNREAD:
            yield from _messages(target)
    for shared in report.shared:
        alert = _of_message(shared.message, "")
        yield replace(alert, text=f"{shared.names}: {alert.text}", about=alert.text)
    if unread := unread_line(report):
        yield Alert(FailureKind.INTERRUPTED.value, Level.ERROR, "", unread)


def outcome_alerts(report: OutcomeReport) -> Iterator[Alert]:
    """Each target that is not as it is desired, what was found there, and what moved without being planned."""
    for row in report.listed:
        if row.kind not in {OutcomeKind.APPLIED, OutcomeKind.UNCHANGED}:
            level = Level.NOTE if row.kind is OutcomeKind.SKIPPED else Level.ERROR
            code = row.kind.value.replace(" ", "-")
            more = (*row.message.detail, *row.message.hint)
            yield Alert(code, level, row.name, result_of(row), more, row.origin)
        for finding in row.findings:
            yield _of_message(finding, row.name, origin=row.origin)
        for moved in row.collateral:
            if moved.path:
                yield _of_change(moved, row.name, row.origin, MOVED)


def diagnostic_alerts(diagnostics: Sequence[Diagnostic]) -> Iterator[Alert]:
    """Problems of the input."""
    for diagnostic in diagnostics:
        yield _of_message(of_diagnostic(diagnostic), line(diagnostic.target or ""))


def _of_change(row: Line, target: str, document: Origin | None, code: str) -> Alert:
    level = Level.WARNING if code in _LOUD else Level.NOTE
    about = f"{row.symbol} {row.path} {row.text}" if row.is_member else row.path
    return Alert(code, level, target, change_line(row), origin=row.origin or document, about=about)


def _messages(target: TargetRow) -> Iterator[Alert]:
    for message in (*target.blocks, *target.guards, *target.errors, *target.remarks):
        yield _of_message(message, target.name, origin=target.origin)
    for message in target.allowed:
        yield _of_message(message, target.name, level=Level.NOTE, origin=target.origin)


def _of_message(message: Message, target: str, *, level: Level | None = None, origin: Origin | None = None) -> Alert:
    return Alert(
        message.code,
        level or _LEVELS[message.tone],
        target,
        message.summary,
        (*message.detail, *message.hint),
        message.origin or origin,
    )
