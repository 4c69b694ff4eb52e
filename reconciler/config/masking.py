"""Show a line of a source without the secrets in it, whatever state the source is in.

This works on text, not on parsed values: it must hold for files that don't parse. Where it is in doubt
it hides too much.
"""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import lru_cache

MASK = "****"
LONGEST_LINE = 200

_NOT_ALPHANUMERIC = re.compile(r"[^a-z0-9]")
_TELLING_WORDS = ("secret", "private", "passwd", "token", "credential", "accesskey", "ledgerkey")
_SECRET_NAMES = ("clientsecret", "privatekey")
_WAIVED = frozenset({"value", "insteadof"})  # of a waiver that may be for a secret, though none is accepted
_ADDRESSES = ("url", "webhook", "webhookurl")
_ALIKE = 0.75
_KEY_BEFORE_COLON = re.compile(r"([\w.$\\-][\w .$\\-]*)[\"']?\s*\Z")
_SEPARATOR = re.compile("[:=]")  # an equals sign is a slip, and what follows it is a secret all the same
_LONGEST_KEY = 64
_REFERENCE_ALONE = re.compile(
    r"\s*(?P<quote>[\"']?)\$\{(?:env|file|ssm|secretsmanager):[^}]*\}(?P=quote)\s*(?=[,}\]#]|\Z)"
)
_DEFAULT = re.compile(r":-[^}]*")
_DOUBLE_QUOTED = re.compile(r'"(?:[^"\\]|\\.)*"')
_SINGLE_QUOTED = re.compile(r"'(?:[^']|'')*'")
_ENDS_VALUE = re.compile(r"\s*(?:[}\]]|---|\.\.\.|- |(?:\? )?[\"']?[\w.$-]{1,64}[\"']?\s*:(?:\s|\Z))")
_EXPLICIT_KEY = re.compile(r"\s*\?\s+(.{1,64})")
_ALIAS = re.compile(r"\s*\*([^\s,\[\]{}]+)")
_UNSHOWABLE = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u200b-\u200f\u2028-\u202e\u2060-\u2069\ufeff]")


@dataclass(frozen=True, slots=True)
class Span:
    """A stretch of a source, lines and columns from 0; the end is exclusive."""

    first_line: int
    first_column: int
    last_line: int
    last_column: int


@lru_cache(maxsize=4096)
def is_secret_key(key: str) -> bool:
    """Whether a key names a secret, misspelt ones included."""
    plain = _NOT_ALPHANUMERIC.sub("", key.lower())
    if plain == "forgotpassword":
        return False
    if plain.endswith(("password", "pass")) or any(word in plain for word in _TELLING_WORDS):
        return True
    return any(difflib.SequenceMatcher(None, plain, name).ratio() >= _ALIKE for name in _SECRET_NAMES)


def holds_secret(key: str) -> bool:
    """Whether what stands behind a key is shown nowhere: a secret, or an address that has one in it."""
    return is_secret_key(key) or _NOT_ALPHANUMERIC.sub("", key.lower()) in _ADDRESSES


def is_reference_alone(text: str) -> bool:
    """Whether a text is one reference without a default, which tells nothing."""
    return _REFERENCE_ALONE.fullmatch(text) is not None and ":-" not in text


def masked_lines(lines: Sequence[str], spans: Iterable[Span] = ()) -> list[str]:
    """Each line, with what follows a secret's key hidden, and the given stretches as well."""
    anchors = {alias for line in lines for alias in _aliases_of_secrets(line)}
    masked = [*_mask_by_text(lines, anchors)]
    for span in spans:
        for number in range(span.first_line, min(span.last_line, len(lines) - 1) + 1):
            if number == span.first_line:
                masked[number] = _cut(masked[number], span.first_column)
            elif number < span.last_line or span.last_column > 0:
                masked[number] = MASK
    return [shown(line) for line in masked]


def shown(line: str) -> str:
    """A line without characters that would move the cursor or reverse the text."""
    return _UNSHOWABLE.sub("\N{REPLACEMENT CHARACTER}", line)


def _cut(line: str, column: int) -> str:
    return line[:column] + MASK


def _mask_by_text(lines: Sequence[str], anchors: set[str]) -> Iterable[str]:
    inside = False
    quote = ""
    indent = 0
    for line in lines:
        if quote:
            if _closes(line, quote):
                quote = ""
            yield MASK
            continue
        if inside and _continues(line, indent):
            yield MASK if line.strip() else line
            continue
        text, rest = _mask_line(line, anchors)
        inside = rest is not None
        if rest is not None:
            indent = len(line) - len(line.lstrip())
            quote = _open_quote(rest.lstrip())
        yield text


def _mask_line(line: str, anchors: set[str]) -> tuple[str, str | None]:
    """The masked line, and what was hidden of it, if anything was."""
    explicit = _EXPLICIT_KEY.match(line)
    if explicit and holds_secret(explicit[1]):
        return line[: explicit.end()] + " " + MASK, line[explicit.end() :]
    for anchor in anchors:
        start = line.find("&" + anchor)
        if start >= 0:
            return line[:start] + MASK, line[start + len(anchor) + 1 :]
    position = 0
    while found := _SEPARATOR.search(line, position):
        colon, position = found.span()
        key = _KEY_BEFORE_COLON.search(line, max(0, colon - _LONGEST_KEY), colon)
        if key is None or not (holds_secret(key[1]) or _NOT_ALPHANUMERIC.sub("", key[1].lower()) in _WAIVED):
            continue
        reference = _REFERENCE_ALONE.match(line, position)
        if reference is None:
            return f"{line[:position]} {MASK}", line[position:]
        kept = _DEFAULT.sub(":-" + MASK, reference[0])
        line = line[:position] + kept + line[reference.end() :]
        position += len(kept)
    return line, None


def _aliases_of_secrets(line: str) -> Iterable[str]:
    if "*" not in line:
        return
    for colon in re.finditer(":", line):
        key = _KEY_BEFORE_COLON.search(line, max(0, colon.start() - _LONGEST_KEY), colon.start())
        alias = _ALIAS.match(line, colon.end())
        if key and alias and holds_secret(key[1]):
            yield alias[1]


def _continues(line: str, indent: int) -> bool:
    """Whether a line may still belong to the secret above it."""
    if not line.strip():
        return True
    return len(line) - len(line.lstrip()) > indent or _ENDS_VALUE.match(line) is None


def _open_quote(rest: str) -> str:
    """The quote that a value opens and does not close on its own line."""
    if rest.startswith('"') and not _DOUBLE_QUOTED.match(rest):
        return '"'
    if rest.startswith("'") and not _SINGLE_QUOTED.match(rest):
        return "'"
    return ""


def _closes(line: str, quote: str) -> bool:
    """Whether a line has the quote's end; escaped quotes don't count."""
    return quote in (line.replace('\\"', "") if quote == '"' else line.replace("''", ""))
