"""Markdown for pull requests: a table first, then each target's diff folded away, cut to what a comment may hold."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from reconciler.core.model import DONE, OutcomeKind
from reconciler.errors import Diagnostic
from reconciler.render.harmless import fence, markdown, markdown_code
from reconciler.render.messages import Message, of_diagnostic
from reconciler.render.report import DIFFERENT, OutcomeReport, OutcomeRow, Report, Status, TargetRow
from reconciler.render.rows import Line
from reconciler.render.wording import (
    DIRECTION,
    MOVED,
    base_line,
    changes_of,
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

LONGEST = 65_000
"""Characters of one page. A comment on GitHub may have 65,536; the rest is room for a caller's own line."""
_TABLE_ROOM = 15_000
_DIFF_ROOM = 20_000
_MESSAGES_ROOM = 10_000
_NOTE_ROOM = 200

# A diff block colours by the first character of a line.
_MARKS = {"+": "+", "-": "-", "~": "!", " ": " "}


def plan_markdown(report: Report) -> str:
    """A plan, or drift, at most :data:`LONGEST` characters long."""
    listed = [target for target in report.targets if target.status is not Status.UNCHANGED]
    direction = DIRECTION if report.headline == "drift" and report.different else ""
    sums = [obstacles_line(report), targets_line(report), waves_line(report), base_line(report, markdown)]
    sums.append(markdown(unread_line(report)))
    sums.append(f"Plan digest {markdown_code(report.digest)}" if report.digest else "")
    opening = [f"### {plan_line(report)}", direction, *sums]
    rows = (
        _row(markdown_code(target.name), _result(target, report), changes_of(target), markdown(target.where))
        for target in listed
    )
    table = _table(("Target", "Result", "Attributes", "Where"), rows)
    read = (target for target in report.targets if target.status is not Status.UNREAD)
    shared = _messages(_bullet(one.message.tone.value, one.message, one.names) for one in report.shared)
    return _page([*opening, table], (shared, *(_target(target, report) for target in read)))


def outcome_markdown(report: OutcomeReport) -> str:
    """What became of each target, at most :data:`LONGEST` characters long."""
    listed = report.listed
    unchanged = report.count(OutcomeKind.UNCHANGED)
    opening = [f"### {outcome_line(report)}"]
    if not listed:
        opening.append(unchanged_line(report))
    elif unchanged:
        opening.append(f"{unchanged} unchanged.")
    rows = (_row(markdown_code(row.name), markdown(result_of(row)), markdown(row.where)) for row in listed)
    return _page([*opening, _table(("Target", "Result", "Where"), rows)], (_outcome(row) for row in listed))


def diagnostics_markdown(diagnostics: Sequence[Diagnostic]) -> str:
    """Problems of the input, each with its line and a caret, at most :data:`LONGEST` characters long."""
    return _page([f"### {diagnostics_line(diagnostics)}"], (_diagnostic(of_diagnostic(item)) for item in diagnostics))


def _page(opening: Iterable[str], sections: Iterable[str]) -> str:
    """Paragraphs and as many sections as fit; how much did not is said at the end."""
    text = "\n\n".join(paragraph for paragraph in opening if paragraph)
    room = LONGEST - _NOTE_ROOM - _length(text)
    left_out: list[str] = []
    for section in filter(None, sections):
        if _length(section) + 2 > room:
            left_out.append(section)
        else:
            text += f"\n\n{section}"
            room -= _length(section) + 2
    if left_out:
        characters = sum(map(len, left_out))
        what = "section is" if len(left_out) == 1 else "sections are"
        text += f"\n\n**{len(left_out)} more {what} left out here ({characters} characters); the text report has all.**"
    return text + "\n"


def _length(text: str) -> int:
    """How long a text is where it counts most: a forge may count an emoji as two, as UTF-16 does."""
    return len(text.encode("utf-16-le", "surrogatepass")) // 2


def _kept(lines: Iterable[str], room: int) -> tuple[list[str], int]:
    """The first lines that fit into so many characters, and how many do not."""
    kept: list[str] = []
    cut = 0
    for line in lines:
        room -= _length(line) + 1
        if room < 0 or cut:
            cut += 1
        else:
            kept.append(line)
    return kept, cut


def _row(*cells: str) -> str:
    return f"| {' | '.join(cells)} |"


def _table(header: Sequence[str], rows: Iterable[str]) -> str:
    kept, cut = _kept(rows, _TABLE_ROOM)
    if not kept and not cut:
        return ""
    more = f"\n\n{cut} more {'target is' if cut == 1 else 'targets are'} not in the table." if cut else ""
    return "\n".join([_row(*header), _row(*("---" for _ in header)), *kept]) + more


def _result(target: TargetRow, report: Report) -> str:
    wave = wave_of(target, report) if target.status in DIFFERENT else ""
    return f"{target.status.value}, {wave}" if wave else target.status.value


def _target(target: TargetRow, report: Report) -> str:
    """The diff of one target, and what there is to say about it."""
    messages = [
        *(_bullet("Blocked by", message) for message in target.blocks),
        *(_bullet("Guarded by", message) for message in target.guards),
        *(_bullet("Allowed", message) for message in target.allowed),
        *(_bullet(message.tone.value, message) for message in (*target.errors, *target.remarks)),
    ]
    parts: list[str] = []
    if target.lines:
        summary = f"<details><summary>{markdown_code(target.name)}: {changes_of(target)}</summary>"
        lines = [f"# {heading(target, report)}", *(_diff_line(row) for row in target.lines)]
        parts += [summary, _fenced("diff", lines), "</details>"]
    if messages:
        if not target.lines:
            parts.append(markdown_code(target.name))
        parts.append(_messages(messages))
    return "\n\n".join(parts)


def _diff_line(row: Line) -> str:
    comment = f" # {row.comment}" if row.comment else ""
    return f"{_MARKS[row.symbol]} {'    ' * row.depth}{row.text}{comment}"


def _fenced(language: str, lines: Iterable[str]) -> str:
    kept, cut = _kept(lines, _DIFF_ROOM)
    body = "\n".join([*kept, f"# ({cut} more lines)"] if cut else kept)
    border = fence(body)
    return f"{border}{language}\n{body}\n{border}"


def _messages(messages: Iterable[str]) -> str:
    kept, cut = _kept(messages, _MESSAGES_ROOM)
    return "\n".join([*kept, f"- {cut} more"] if cut else kept)


def _bullet(word: str, message: Message, names: str = "") -> str:
    """A message as one item of a list, so that no line of it begins a block of its own."""
    about = f"{markdown_code(names)}: " if names else ""
    texts = [f"- **{word}** {markdown_code(message.code)} {about}{markdown(message.summary)}"]
    texts += [markdown(text) for text in (*message.detail, *message.hint)]
    if message.origin is not None:
        texts.append(f"at {markdown_code(str(message.origin))}")
    return "<br>".join(texts)


def _outcome(row: OutcomeRow) -> str:
    texts = (*row.message.detail, *row.message.hint)
    bullets = [f"- {'<br>'.join(markdown(text) for text in texts)}"] if texts and row.kind not in DONE else []
    bullets += [_bullet("Found", finding) for finding in row.findings]
    parts = [markdown_code(row.name), _messages(bullets)] if bullets or row.collateral else []
    if row.collateral:
        lines = [f"# {row.name} {MOVED}", *(_diff_line(moved) for moved in row.collateral)]
        parts.append(_fenced("diff", lines))
    return "\n\n".join(part for part in parts if part)


def _diagnostic(message: Message) -> str:
    place = f" at {markdown_code(str(message.origin))}" if message.origin is not None else ""
    parts = [f"**{message.tone.value}** {markdown(message.summary)} ({markdown_code(message.code)}){place}"]
    if message.excerpt is not None and message.origin is not None:
        number = str(message.origin.line)
        caret = f"{' ' * len(number)} | {' ' * message.excerpt.offset}^"
        parts.append(_fenced("text", (f"{number} | {message.excerpt.text}", caret)))
    parts += ["<br>".join(markdown(text) for text in texts) for texts in (message.detail, message.hint) if texts]
    return "\n\n".join(parts)
