"""Write values as YAML that every reader, 1.1 or 1.2, reads back as they are."""

from __future__ import annotations

import re

from reconciler.config.scalars import reads_as_text

_PLAIN = re.compile(r"[A-Za-z/](?:[A-Za-z0-9_./@+() -]|:(?=[A-Za-z0-9_/@+]))*(?<! )\Z")
# What YAML 1.1 takes for booleans and null, in any case.
_WORDS = frozenset({"y", "n", "yes", "no", "on", "off", "true", "false", "null", "none"})
_HOSTILE = re.compile(
    "[^\n\x20-\x7e\xa0-\u061b\u061d-\u180d\u180f-\u1fff\u2010-\u2027\u202f-\u205f"
    "\u2070-\ud7ff\ue000-\ufefe\uff00-\ufffd\U00010000-\U000dffff]|[\xad\u2028\u2029]"
)
_HOSTILE_IN_LINE = re.compile(f"\n|{_HOSTILE.pattern}")
_HALF_CHARACTER = re.compile("[\ud800-\udfff]")
_WIDTHS = (("x", 2), ("u", 4), ("U", 8))
_ESCAPES = {'"': '\\"', "\\": "\\\\", "\n": "\\n", "\t": "\\t", "\r": "\\r"}


def quoted(text: str, indent: str) -> str:
    """A string as it stands after ``key: ``; several lines become a block, indented by ``indent``."""
    if _fits_block(text):
        head = "|" if text.endswith("\n") else "|-"
        lines = text.removesuffix("\n").split("\n")
        return "\n".join([head, *(indent + line if line else "" for line in lines)])
    return quoted_in_line(text)


def quoted_in_line(text: str) -> str:
    """A string on one line, as a key must be."""
    if _PLAIN.match(text) and text.lower() not in _WORDS and reads_as_text(text):
        return text
    return '"' + "".join(_escaped(character) for character in text) + '"'


def in_comment(text: str) -> str:
    """A text as it may stand in a comment: on one line, whatever is in it."""
    return _HOSTILE_IN_LINE.sub(lambda found: _escaped(found[0]), text)


def _fits_block(text: str) -> bool:
    """Whether a block can hold a text exactly, and readably."""
    return (
        "\n" in text
        and text[0] not in " \n"
        and not text.endswith("\n\n")
        and not _HOSTILE.search(text)
        and not any(line != line.rstrip() for line in text.split("\n"))
    )


def _escaped(character: str) -> str:
    if character in _ESCAPES:
        return _ESCAPES[character]
    if not _HOSTILE.match(character):
        return character
    if _HALF_CHARACTER.match(character):
        return "\N{REPLACEMENT CHARACTER}"  # no UTF-8 file can hold it
    code = f"{ord(character):X}"
    kind, width = next((kind, width) for kind, width in _WIDTHS if len(code) <= width)
    return f"\\{kind}{code:0>{width}}"
