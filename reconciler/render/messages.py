"""What a report says in words: findings, failures and diagnostics as ready, harmless messages."""

from __future__ import annotations

import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass
from enum import Enum

from reconciler.core.model import Finding
from reconciler.errors import Diagnostic, Origin, Severity
from reconciler.render.harmless import line, place, prose, shown

MANY = 10
"""What is to be said of more targets than this is said once, with the names of the first."""
_NAMED = 3
_TAB = "    "


class Tone(Enum):
    """How loud a message is; the value is the word that it begins with."""

    ERROR = "Error"
    WARNING = "Warning"
    NOTE = "Note"


@dataclass(frozen=True, slots=True)
class Excerpt:
    """A line of a document, and how many cells of the screen stand before the place that is meant."""

    text: str
    offset: int


@dataclass(frozen=True, slots=True)
class Message:
    """One thing to tell: every text in it is harmless. ``origin`` is where it was written, its file harmless too."""

    code: str
    summary: str
    detail: tuple[str, ...] = ()
    hint: tuple[str, ...] = ()
    origin: Origin | None = None
    tone: Tone = Tone.ERROR
    excerpt: Excerpt | None = None


def first_of(names: Sequence[str]) -> str:
    """The first of many names, and how many more there are; all of them where they are not many."""
    if len(names) <= MANY:
        return ", ".join(names)
    return f"{', '.join(names[:_NAMED])} and {len(names) - _NAMED} more"


def of_finding(finding: Finding, tone: Tone = Tone.ERROR) -> Message:
    """A block, guard, warning or note of a plan, or what an apply found."""
    return Message(
        code=line(finding.code),
        summary=line(finding.summary),
        detail=prose(finding.detail),
        hint=prose(finding.hint),
        origin=place(finding.origin),
        tone=tone,
    )


def of_diagnostic(diagnostic: Diagnostic) -> Message:
    """A problem of the input, with the line that it is about."""
    excerpt = None
    if diagnostic.excerpt is not None and diagnostic.origin is not None:
        excerpt = _excerpt(diagnostic.excerpt, diagnostic.origin.column)
    return Message(
        code=line(diagnostic.code),
        summary=line(diagnostic.summary),
        detail=prose(diagnostic.detail),
        hint=prose(diagnostic.hint),
        origin=place(diagnostic.origin),
        tone=Tone.ERROR if diagnostic.severity is Severity.ERROR else Tone.WARNING,
        excerpt=excerpt,
    )


def _excerpt(text: str, column: int) -> Excerpt:
    """The source line with tabs settled; a column beyond its end, as in a masked line, points at its end."""
    text = text.rstrip()
    before = _settled(text[: max(0, column - 1)])
    return Excerpt(_settled(text), sum(_cells(character) for character in before))


def _settled(text: str) -> str:
    return shown(text.replace("\t", _TAB))


def _cells(character: str) -> int:
    """How many cells of a terminal a character takes."""
    if unicodedata.combining(character):
        return 0
    return 2 if unicodedata.east_asian_width(character) in {"W", "F"} else 1
