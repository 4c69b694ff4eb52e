"""Text for a terminal or a log: terraform's dialect, with colours where they are wanted."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

from reconciler.core.model import DONE, OutcomeKind
from reconciler.errors import Diagnostic
from reconciler.render.messages import Message, Tone, of_diagnostic
from reconciler.render.report import OutcomeReport, OutcomeRow, Report, Status, TargetRow
from reconciler.render.rows import Line
from reconciler.render.wording import (
    DIRECTION,
    MOVED,
    base_line,
    diagnostics_line,
    heading,
    obstacles_line,
    outcome_line,
    plan_line,
    result_of,
    targets_line,
    unchanged_line,
    unread_line,
    wave_of,
    waves_line,
)

_BOLD, _RED, _GREEN, _YELLOW, _GREY = "1", "31", "32", "33", "90"
_COLOURS = {"+": _GREEN, "-": _RED, "~": _YELLOW}
_TONES = {Tone.ERROR: _RED, Tone.WARNING: _YELLOW, Tone.NOTE: _BOLD}


class _Brush:
    """Puts colours round text, or leaves it alone."""

    def __init__(self, *, colour: bool) -> None:
        self._colour = colour

    def __call__(self, code: str, text: str) -> str:
        return f"\x1b[{code}m{text}\x1b[0m" if self._colour and text else text


def plan_text(report: Report, *, colour: bool) -> str:
    """A plan, or drift, in terraform's words.

    Args:
        report: what to show.
        colour: whether to write ANSI colours.
    """
    paint = _Brush(colour=colour)
    paragraphs: list[str] = []
    if report.headline == "drift":
        paragraphs.append(paint(_BOLD, plan_line(report)))
    if report.different:
        paragraphs += _introduction(report, paint)
    paragraphs += ["\n".join(_target(target, report, paint)) for target in report.different]
    paragraphs += [_message(shared.message, paint, shared.names) for shared in report.shared]
    for target in report.targets:
        errors = target.errors if target.status is not Status.UNREAD else ()
        paragraphs += [_message(message, paint, target.name) for message in (*target.remarks, *errors)]
    if unread := unread_line(report):
        paragraphs.append(f"{paint(_RED, 'Error:')} {paint(_BOLD, unread)}")
    ending = [targets_line(report), base_line(report)]
    if report.headline == "plan":
        ending = [paint(_BOLD, plan_line(report)), obstacles_line(report), *ending, waves_line(report)]
    paragraphs.append("\n".join(text for text in ending if text))
    return _joined(paragraphs)


def outcome_text(report: OutcomeReport, *, colour: bool) -> str:
    """What became of each target; unchanged ones are counted when there are several, and many skipped ones told once.

    Args:
        report: what to show.
        colour: whether to write ANSI colours.
    """
    paint = _Brush(colour=colour)
    paragraphs = ["\n".join(_outcome(row, paint)) for row in report.listed]
    unchanged = report.count(OutcomeKind.UNCHANGED)
    if unchanged == len(report.targets):
        paragraphs.append(unchanged_line(report))
    elif unchanged:
        paragraphs.append(f"{unchanged} unchanged.")
    paragraphs.append(paint(_GREEN if report.complete else _RED, outcome_line(report)))
    return _joined(paragraphs)


def outcome_rows_text(report: OutcomeReport, *, colour: bool) -> str:
    """What became of each target, without a sum."""
    paint = _Brush(colour=colour)
    return "\n".join(text for row in report.targets for text in _outcome(row, paint))


def diff_text(lines: Sequence[Line], *, colour: bool) -> str:
    """The lines of one target's changes."""
    paint = _Brush(colour=colour)
    return "\n".join(_line(row, paint) for row in lines)


def diagnostics_text(diagnostics: Sequence[Diagnostic], *, colour: bool) -> str:
    """Problems of the input, each with its line and a caret, and how many there are.

    Args:
        diagnostics: what is wrong; none is said to be valid.
        colour: whether to write ANSI colours.
    """
    paint = _Brush(colour=colour)
    paragraphs = [_message(of_diagnostic(diagnostic), paint) for diagnostic in diagnostics]
    return _joined([*paragraphs, paint(_BOLD, diagnostics_line(diagnostics))])


def _joined(paragraphs: Iterable[str]) -> str:
    return "\n\n".join(paragraph for paragraph in paragraphs if paragraph) + "\n"


def _introduction(report: Report, paint: _Brush) -> Iterator[str]:
    symbol = paint(_YELLOW, "~")
    if report.headline == "drift":
        yield f"Note: Objects have changed outside of reconciler\n\n{DIRECTION}"
        return
    yield (
        "reconciler used the live configuration to generate the following plan. "
        f"Resource actions are indicated with the following symbols:\n  {symbol} update in-place"
    )
    yield f"reconciler {'will' if report.applicable else 'would'} perform the following actions:"


def _target(target: TargetRow, report: Report, paint: _Brush) -> Iterator[str]:
    yield paint(_BOLD, f"  # {heading(target, report)}")
    if wave := wave_of(target, report):
        yield f"  # ({wave})"
    for message in target.blocks:
        yield from _comment("blocked by", message, paint)
    for message in target.guards:
        yield from _comment("guarded by", message, paint)
    for message in target.allowed:
        yield from _comment("allowed", message, paint)
    for row in target.lines:
        yield _line(row, paint)


def _comment(word: str, message: Message, paint: _Brush) -> Iterator[str]:
    yield f"  # {paint(_RED if word != 'allowed' else _GREEN, word)} {message.code}: {message.summary}"
    for text in (*message.detail, *message.hint):
        yield f"  #   {text}"
    if message.origin is not None:
        yield f"  #   at {message.origin}"


def _line(row: Line, paint: _Brush) -> str:
    comment = f" # {row.comment}" if row.comment else ""
    if row.symbol == " ":
        text = paint(_GREY, row.text) if row.text.startswith("#") else row.text
        return f"{'    ' * row.depth}    {text}{comment}"
    return f"{'    ' * row.depth}  {paint(_COLOURS[row.symbol], row.symbol)} {row.text}{paint(_RED, comment)}"


def _message(message: Message, paint: _Brush, name: str = "") -> str:
    """One message the way terraform writes it; everything but its first line is indented."""
    about = f"{name}: " if name else ""
    lines = [f"{paint(_TONES[message.tone], f'{message.tone.value}:')} {paint(_BOLD, about + message.summary)}"]
    if message.origin is not None:
        place = f"{message.origin.file} line {message.origin.line}, column {message.origin.column}"
        lines += ["", f"  on {place} ({message.code}){':' if message.excerpt else ''}"]
    if message.excerpt is not None and message.origin is not None:
        number = str(message.origin.line)
        lines.append(f"  {number} | {message.excerpt.text}")
        lines.append(f"  {' ' * len(number)} | {' ' * message.excerpt.offset}{paint(_RED, '^')}")
    for part in (message.detail, message.hint):
        if part:
            lines += ["", *(f"  {text}" for text in part)]
    return "\n".join(lines)


def _outcome(row: OutcomeRow, paint: _Brush) -> Iterator[str]:
    told = f"{row.name}: {result_of(row)}"
    if row.kind in DONE or row.kind is OutcomeKind.SKIPPED:
        yield paint(_BOLD, told)
    else:
        yield f"{paint(_RED, 'Error:')} {paint(_BOLD, told)}"
    for text in (*row.message.detail, *row.message.hint):
        yield f"  {text}"
    for finding in row.findings:
        yield f"  - {finding.summary}"
        for text in (*finding.detail, *finding.hint):
            yield f"    {text}"
        if finding.origin is not None:
            yield f"    at {finding.origin}"
    if row.collateral:
        yield f"  # {row.name} {MOVED}"
        for moved in row.collateral:
            yield _line(moved, paint)
