"""HTML for browsers: one file that loads nothing, with a row for each target, its diff side by side, and a filter."""

from __future__ import annotations

from base64 import b64encode
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from hashlib import sha256
from html import escape
from importlib.resources import files
from itertools import groupby

from reconciler.core.model import DONE, Movement, OutcomeKind
from reconciler.errors import Diagnostic
from reconciler.render.harmless import in_common
from reconciler.render.messages import MANY, Message, Tone, of_diagnostic
from reconciler.render.report import DIFFERENT, OutcomeReport, OutcomeRow, Report, Status, TargetRow
from reconciler.render.rows import Line
from reconciler.render.wording import (
    DIRECTION,
    MOVED,
    base_line,
    changes_of,
    diagnostics_line,
    obstacles_line,
    outcome_line,
    plan_line,
    result_of,
    targets_line,
    unread_line,
    wave_of,
    waves_line,
)

_STATUSES: Mapping[str, str] = {
    Status.CHANGED: "change",
    Status.UNCHANGED: "quiet",
    Status.BLOCKED: "bad",
    Status.GUARDED: "warn",
    Status.FAILED: "bad",
    Status.UNREAD: "bad",
}
_KINDS: Mapping[str, str] = {
    **dict.fromkeys(OutcomeKind, "bad"),
    OutcomeKind.APPLIED: "good",
    OutcomeKind.UNCHANGED: "quiet",
    OutcomeKind.SKIPPED: "warn",
}
_TONES = {Tone.ERROR: "bad", Tone.WARNING: "warn", Tone.NOTE: "quiet"}
_MOVEMENTS: Mapping[str, tuple[str, str]] = {
    Movement.PENDING: ("change", "git moved, live did not"),
    Movement.DRIFT: ("drift", "live moved, git did not"),
    Movement.CONFLICT: ("bad", "both moved, differently"),
    Movement.BLOCKED: ("bad", "git moved, and the change can't be made"),
}
_ALIKE = 8
"""Characters that two values must have in common, so that what differs in them is worth marking."""


@dataclass(frozen=True, slots=True)
class _Entry:
    """One target's row: what became of it in a word, ``told`` in a few; ``body`` is what unfolds, as HTML."""

    name: str
    where: str
    word: str
    colour: str
    told: str
    body: str
    movements: Mapping[str, int]


def plan_html(report: Report) -> str:
    """A plan, or drift, as a page."""
    direction = DIRECTION if report.headline == "drift" and report.different else ""
    sums = (direction, targets_line(report), waves_line(report), base_line(report), unread_line(report))
    opening = "".join((_paragraph(obstacles_line(report), "refused"), *(_paragraph(text) for text in sums)))
    shared = "".join(_message(one.message.tone.value, one.message, one.names) for one in report.shared)
    entries = [_planned(target, report) for target in report.targets]
    return _fleet(plan_line(report), opening, shared, entries, _STATUSES)


def outcome_html(report: OutcomeReport) -> str:
    """What became of each target, as a page."""
    return _fleet(outcome_line(report), "", "", [_outcome(row) for row in report.targets], _KINDS)


def diagnostics_html(diagnostics: Sequence[Diagnostic]) -> str:
    """Problems of the input, each with its line and a caret, as a page."""
    messages = (of_diagnostic(diagnostic) for diagnostic in diagnostics)
    listed = "".join(_message(message.tone.value, message) for message in messages)
    return _page(diagnostics_line(diagnostics), "", f"<main>{_messages(listed)}</main>")


def text_html(title: str, text: str) -> str:
    """A text whose lines stand as they are, such as a history, as a page; it must be harmless."""
    return _page(title, "", f'<main><pre tabindex="0">{escape(text)}</pre></main>')


def _page(title: str, opening: str, content: str, skip: str = "") -> str:
    """A page that a browser lets load nothing, run nothing and send nothing but what is written here."""
    style, script = _part("page.css"), _part("page.js")
    policy = (
        f"default-src 'none'; style-src '{_hash(style)}'; script-src '{_hash(script)}'; "
        "base-uri 'none'; form-action 'none'"
    )
    return (
        '<!doctype html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
        f'<meta http-equiv="Content-Security-Policy" content="{policy}">\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        '<meta name="color-scheme" content="light dark">\n<meta name="referrer" content="no-referrer">\n'
        f"<title>{escape(title)}</title>\n<style>{style}</style>\n</head>\n<body>\n{skip}"
        f"<header>\n<h1>{escape(title)}</h1>\n{opening}</header>\n{content}\n<script>{script}</script>\n</body>\n</html>\n"
    )


def _part(name: str) -> str:
    return files("reconciler.render").joinpath(name).read_text("utf-8")


def _hash(text: str) -> str:
    return f"sha256-{b64encode(sha256(text.encode()).digest()).decode()}"


def _fleet(title: str, opening: str, shared: str, entries: Sequence[_Entry], colours: Mapping[str, str]) -> str:
    """A page with an overview and a row for each target; a few are unfolded, many are not."""
    unfolded = sum(bool(entry.body) for entry in entries) <= MANY
    told = (
        f'<section aria-labelledby="said"><h2 id="said">Said of many</h2>{_messages(shared)}</section>\n'
        if shared
        else ""
    )
    rows = "".join(_row(entry, unfolded=unfolded) for entry in entries)
    return _page(
        title,
        opening,
        f"<main>\n{_tools(entries, colours)}{told}"
        f'<section aria-labelledby="targets"><h2 id="targets" tabindex="-1">Targets</h2>\n'
        f'<ul class="targets" role="list">\n{rows}</ul></section>\n</main>',
        '<a class="skip" href="#targets">Skip to the targets</a>\n',
    )


def _tools(entries: Sequence[_Entry], colours: Mapping[str, str]) -> str:
    """Counts, which filter where there is JavaScript, and the search."""
    words = Counter(entry.word for entry in entries)
    movements = Counter(movement for entry in entries for movement in entry.movements)
    chips = "".join(_chip("status", word, colours[word], words[word]) for word in colours if words[word])
    moved = [(word, *_MOVEMENTS[word]) for word in _MOVEMENTS if movements[word]]
    whose = "".join(_chip("movement", word, colour, movements[word]) for word, colour, _ in moved)
    meanings = "".join(f"<div><dt>{_badge(word, colour)}</dt><dd>{text}</dd></div>" for word, colour, text in moved)
    if moved:
        whose = (
            '<div class="chips" role="group" aria-label="Targets by whose change it is">'
            f'<span class="muted">Targets with</span>{whose}</div>\n'
            f'<dl class="meanings">{meanings}</dl>\n'
        )
    return (
        '<section class="tools" aria-label="Overview">\n'
        f'<div class="chips" role="group" aria-label="Targets by status">{chips}</div>\n{whose}'
        '<div class="find" role="search" id="find" hidden><label for="search">Search</label>'
        '<input id="search" type="search" autocomplete="off" spellcheck="false" aria-keyshortcuts="/" '
        'placeholder="name, attribute, value ( / )"><button type="button" class="plain" id="all">Open all</button>'
        '<output id="shown" class="muted" for="search"></output></div>\n</section>\n'
    )


def _chip(kind: str, word: str, colour: str, count: int) -> str:
    return (
        f'<button type="button" class="chip {colour}" aria-pressed="false" data-kind="{kind}" '
        f'data-word="{word}" disabled>{count} {word}</button>'
    )


def _row(entry: _Entry, *, unfolded: bool) -> str:
    badges = [_badge(entry.word, entry.colour)]
    badges += [_badge(f"{count} {word}", _MOVEMENTS[word][0]) for word, count in entry.movements.items()]
    head = (
        f'<h3 class="name">{escape(entry.name)}</h3><span class="badges">{" ".join(badges)}</span>'
        f'<span class="told">{escape(entry.told)}</span><span class="where">{escape(entry.where)}</span>'
    )
    movement = f' data-movement="{" ".join(entry.movements)}"' if entry.movements else ""
    if entry.body:
        inside = (
            f'<details{" open" if unfolded else ""}><summary class="head">{head}</summary>'
            f'<div class="body">{entry.body}</div></details>'
        )
    else:
        inside = f'<div class="head">{head}</div>'
    return f'<li class="target" data-status="{entry.word}"{movement}>{inside}</li>\n'


def _planned(target: TargetRow, report: Report) -> _Entry:
    errors = target.errors if target.status is not Status.UNREAD else ()  # the opening tells which were not read
    above = [
        *(_message("Blocked by", message) for message in target.blocks),
        *(_message("Guarded by", message, colour="warn") for message in target.guards),
        *(_message("Allowed", message, colour="good") for message in target.allowed),
        *(_message(message.tone.value, message) for message in errors),
    ]
    below = (_message(message.tone.value, message) for message in target.remarks)
    wave = wave_of(target, report) if target.status in DIFFERENT else ""
    return _Entry(
        target.name,
        target.where,
        target.status,
        _STATUSES[target.status],
        "; ".join(text for text in (changes_of(target), wave) if text),
        "".join((_messages("".join(above)), _diff(target.lines, target.name), _messages("".join(below)))),
        _movements(target.lines),
    )


def _outcome(row: OutcomeRow) -> _Entry:
    texts = "".join(_paragraph(text) for text in (*row.message.detail, *row.message.hint))
    findings = _messages("".join(_message("Found", finding) for finding in row.findings))
    moved = f"<p>{escape(row.name)} {MOVED}:</p>{_diff(row.collateral, row.name)}" if row.collateral else ""
    told = result_of(row).removeprefix(row.kind).lstrip(":, ")
    body = f"{texts if row.kind not in DONE else ''}{findings}{moved}"
    return _Entry(row.name, row.where, row.kind, _KINDS[row.kind], told, body, _movements(row.collateral))


def _movements(lines: Iterable[Line]) -> Mapping[str, int]:
    """How many attributes moved by whom, in the order of the legend."""
    counts = Counter(line.movement for line in lines if line.movement)
    return {word: counts[word] for word in _MOVEMENTS if counts[word]}


def _diff(lines: Sequence[Line], name: str) -> str:
    """What stands before and after, side by side; the members of a set that move alike are one row."""
    values = [line for line in lines if line.path]
    if not values:
        return ""
    groups = groupby(values, key=lambda line: (line.path, line.movement, line.remark))
    rows = "".join(_compared(path, movement, remark, tuple(group)) for (path, movement, remark), group in groups)
    hidden = "".join(_paragraph(line.text.strip("# "), "muted") for line in lines if line.text.startswith("#"))
    return (
        f'<table class="diff"><caption class="unseen">Changes of {escape(name)}</caption><thead><tr>'
        '<th scope="col">Attribute</th><th scope="col">Before</th><th scope="col">After</th></tr></thead>'
        f"<tbody>{rows}</tbody></table>{hidden}"
    )


def _compared(path: str, movement: str, remark: str, lines: Sequence[Line]) -> str:
    badge = f" {_badge(movement, _MOVEMENTS[movement][0])}" if movement else ""
    said = _paragraph(remark, "refused")
    pairs = [_marked(line.before, line.after) for line in lines]
    left, right = ("".join(side) or '<span class="muted">—</span>' for side in zip(*pairs, strict=True))
    shown = escape(path).replace(".", ".<wbr>")
    return (
        f'<tr><th scope="row"><code>{shown}</code>{badge}{said}</th>'
        f'<td class="left">{left}</td><td class="right">{right}</td></tr>'
    )


def _marked(before: str, after: str) -> tuple[str, str]:
    """Two values as HTML; where they have much in common, what they have not is marked."""
    start = in_common(before, after)
    end = in_common(before[start:][::-1], after[start:][::-1])
    if start + end < _ALIKE:
        return _value(before, len(before), 0), _value(after, len(after), 0)
    return _value(before, start, end), _value(after, start, end)


def _value(text: str, start: int, end: int) -> str:
    """A value without marks but for what stands between its first and last characters."""
    if not text:
        return ""
    middle, last = text[start : len(text) - end], text[len(text) - end :]
    marked = f"<mark>{escape(middle)}</mark>" if middle else ""
    return f"<code>{escape(text[:start])}{marked}{escape(last)}</code>"


def _badge(word: str, colour: str) -> str:
    return f'<span class="badge {colour}">{word}</span>'


def _paragraph(text: str, kind: str = "") -> str:
    opening = f'<p class="{kind}">' if kind else "<p>"
    return f"{opening}{escape(text)}</p>\n" if text else ""


def _messages(items: str) -> str:
    return f'<ul class="messages" role="list">{items}</ul>' if items else ""


def _message(word: str, message: Message, names: str = "", *, colour: str = "") -> str:
    return f'<li class="message {colour or _TONES[message.tone]}">{"".join(_said(word, message, names))}</li>'


def _said(word: str, message: Message, names: str) -> Iterator[str]:
    about = f"{escape(names)}: " if names else ""
    yield f"<strong>{word}</strong> {about}{escape(message.summary)} <code>{escape(message.code)}</code>"
    if message.origin is not None:
        yield f'<p class="place">at <code>{escape(str(message.origin))}</code></p>'
    if message.excerpt is not None and message.origin is not None:
        number = str(message.origin.line)
        caret = f"{' ' * len(number)} | {' ' * message.excerpt.offset}^"
        yield f'<pre tabindex="0">{number} | {escape(message.excerpt.text)}\n{caret}</pre>'
    for texts in (message.detail, message.hint):
        if texts:
            yield f"<p>{'<br>'.join(escape(text) for text in texts)}</p>"
