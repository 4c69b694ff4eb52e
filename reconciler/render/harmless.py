r"""Make text that others wrote harmless: nothing in it may move a cursor, reverse a line or start a command.

Whatever can't be seen becomes a visible escape such as ``\n`` or ``\u202e``. Long text is cut, and how much
of it is said. A format's own escapes (quotes, markdown) come on top and are here too.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator
from itertools import takewhile
from operator import eq

from reconciler.core.references import escape_references
from reconciler.errors import Origin

LONGEST_LINE = 400
"""Characters of one value, or of one line of a message, that are shown."""
LONGEST_PROSE = 40
"""Lines of one message that are shown."""
_CONTEXT = 40

_SHORT = {"\n": "\\n", "\r": "\\r", "\t": "\\t"}
# Control, format, surrogate, private and unassigned characters; every separator but the space.
_UNSEEN_CATEGORIES = frozenset({"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp", "Zs"})
# Letters and marks that are drawn as nothing, so that two values would look alike.
_UNSEEN = re.compile(
    "[\u034f\u115f\u1160\u17b4\u17b5\u180b-\u180d\u180f\u2800\u3164\ufe00-\ufe0f\uffa0\U000e0100-\U000e01ef]"
)
# GitHub reads `##[command]` anywhere in a line, Azure `##vso[`, TeamCity `##teamcity[`.
_COMMAND = re.compile(r"#(?=#\w*\[)")
# GitHub trims a line before it looks for `::command::`.
_LEADING_COMMAND = re.compile(r"\A\s*:(?=:)")
_LINE_BREAK = re.compile("\r\n|[\n\r\x85\u2028\u2029]")
# A word of a sentence that no markdown dialect makes anything of.
_PLAIN_WORD = re.compile(
    r"""["'(]*[^\W_]+(?:(?:--?|['.,/=])[^\W_]+)*["')]*[.,:;!?]*"""  # word, dotted.word, "word", word-word;
    r"|--?[a-z]+(?:-[a-z]+)*|[-(),.;:?]"  # --option, a sign alone
)
# What forges turn into links: commits, issues such as GH-12, addresses.
_LINKED_WORD = re.compile(r".*(?:\b[0-9a-f]{7,64}\b|\bGH-\d|\bwww\.|://)", re.IGNORECASE)
# What markdown may read as structure; a slash, a dot or a hyphen is none amid a line, but that of an address.
_STRUCTURE = re.compile(r"[!-,:-@\[-`{-~]|(?<=www)\.", re.IGNORECASE)


def shown(text: str) -> str:
    """One line of text, with an escape for each character that can't be seen or starts a workflow command."""
    text = "".join(_seen(character) for character in text)
    return without_commands(_LEADING_COMMAND.sub(lambda found: found[0][:-1] + r"\u003a", text))


def line(text: str) -> str:
    """One line of text as :func:`shown` makes it, cut where it is too long."""
    return shown(text) if len(text) <= LONGEST_LINE else f"{shown(text[:LONGEST_LINE])} {_more(text[LONGEST_LINE:])}"


def place(origin: Origin | None) -> Origin | None:
    """A place in a file, whose name is harmless."""
    return None if origin is None else Origin(line(origin.file), origin.line, origin.column)


def prose(text: str) -> tuple[str, ...]:
    """The lines of a message, each harmless; too many or too long ones are cut."""
    lines = [part.rstrip() for part in _LINE_BREAK.split(text.strip())] if text.strip() else []
    kept = [line(part) for part in lines[:LONGEST_PROSE]]
    if len(lines) > LONGEST_PROSE:
        kept.append(f"({len(lines) - LONGEST_PROSE} more lines)")
    return tuple(kept)


def quoted(text: str) -> str:
    r"""A string as terraform prints one: in quotes, with ``\"``, ``\\`` and ``$${``, and cut where it is too long."""
    if len(text) <= LONGEST_LINE:
        return _quoted(text)
    return f"{_quoted(text[:LONGEST_LINE])} {_more(text[LONGEST_LINE:])}"


def quoted_pair(before: str, after: str) -> tuple[str, str]:
    """Two strings that differ, quoted; of long ones the part in which they differ, so that the cut never hides it."""
    if max(len(before), len(after)) <= LONGEST_LINE:
        return _quoted(before), _quoted(after)
    start = in_common(before, after)
    same_end = max(0, in_common(before[start:][::-1], after[start:][::-1]) - _CONTEXT)
    start = max(0, start - _CONTEXT)
    return _window(before, start, same_end), _window(after, start, same_end)


def name(text: str) -> str:
    """The name of an attribute: bare as long as it reads as one."""
    return text if re.fullmatch(r"[A-Za-z_][A-Za-z0-9_-]*", text) else quoted(text)


def without_commands(text: str) -> str:
    r"""A text in which no CI finds a command amid a line; the escape means the same in a JSON string."""
    return _COMMAND.sub(r"\\u0023", text)


def markdown(text: str) -> str:
    """A harmless line for markdown and HTML: each word that a forge could make something of stands in ``<code>``.

    In there nothing is a link, a mention or an issue, and every character that markdown knows is an entity.
    """
    return "".join(_markdown_words(text))


def markdown_code(text: str) -> str:
    """A harmless line as inline code, for names and values."""
    return f"<code>{_STRUCTURE.sub(lambda found: f'&#{ord(found[0])};', text)}</code>"


def fence(text: str) -> str:
    """A fence that a block of text can't close: longer than any run of backticks in it."""
    return "`" * max(3, 1 + max((len(run) for run in re.findall("`+", text)), default=0))


def in_common(left: str, right: str) -> int:
    """How many characters two strings have in common at their beginning."""
    return sum(1 for _ in takewhile(bool, map(eq, left, right)))


def _markdown_words(text: str) -> Iterator[str]:
    risky: list[str] = []
    for word in re.split(r"( +)", text):
        blank = not word.strip(" ")
        if blank or (_PLAIN_WORD.fullmatch(word) and not _LINKED_WORD.match(word)):
            if risky and not blank:
                yield markdown_code("".join(risky).rstrip(" "))
                yield " "
                risky = []
            if risky:
                risky.append(word)
            else:
                yield word
        else:
            risky.append(word)
    if risky:
        yield markdown_code("".join(risky).rstrip(" "))


def _seen(character: str) -> str:
    if " " <= character <= "~":
        return character
    if unicodedata.category(character) in _UNSEEN_CATEGORIES or _UNSEEN.match(character):
        code = ord(character)
        return _SHORT.get(character) or (f"\\u{code:04x}" if code <= 0xFFFF else f"\\U{code:08x}")  # noqa: PLR2004
    return character


def _quoted(text: str) -> str:
    text = escape_references(text).replace("\\", "\\\\").replace('"', '\\"')
    return without_commands('"' + "".join(_seen(character) for character in text) + '"')


def _more(rest: str) -> str:
    return f"({len(rest)} more characters)"


def _window(text: str, start: int, same_end: int) -> str:
    """The part of a string without its first and last characters, which are the same in the other one."""
    part = text[start : len(text) - same_end]
    before = f"({start} characters) " if start else ""
    after = f" ({same_end} characters)" if same_end else ""
    return before + quoted(part) + after
