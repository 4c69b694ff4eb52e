"""One input: its bytes within limits, its text, and its lines as they may be shown."""

from __future__ import annotations

import codecs
import re
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from reconciler.config.codes import problem
from reconciler.config.masking import LONGEST_LINE, Span, masked_lines
from reconciler.errors import Diagnostic, Origin

LARGEST = 1_000_000
"""Bytes that a file may have. A document of thousands of settings has a tenth of it."""

STDIN = "<stdin>"

_LINE_BREAK = re.compile("\r\n|[\n\r\x85\u2028\u2029]")
_NOT_PRINTABLE = "[^\t\n\r\x20-\x7e\x85\xa0-\ud7ff\ue000-\ufefe\uff00-\ufffd\U00010000-\U0010ffff]"
_NOT_PRINTABLE_ASCII = "[^\t\n\r\x20-\x7e]"
# JSON writes characters beyond the basic plane as two escapes; YAML knows one escape of eight digits.
_SURROGATES = re.compile(r"(?<!\\)((?:\\\\)*)\\u([dD][89abAB][0-9a-fA-F]{2})\\u([dD][c-fC-F][0-9a-fA-F]{2})")
_SAVED_PLAN = re.compile(rb"""(\xef\xbb\xbf)?\s*(\{\s*)?["']?format_version["']?\s*:""")
_OF_A_LEDGER = re.compile(
    rb"""\s*\{\s*("record_version"\s*:|"open"\s*:\s*(true|false)\s*,\s*"record_version"\s*:"""
    rb"""|"used"\s*:\s*(true|false)\s*,\s*"run"\s*:)"""
)
_BEGINNING = 4096
_OTHER_ENCODINGS = (
    (codecs.BOM_UTF32_LE, "UTF-32"),
    (codecs.BOM_UTF32_BE, "UTF-32"),
    (codecs.BOM_UTF16_LE, "UTF-16"),
    (codecs.BOM_UTF16_BE, "UTF-16"),
)


@dataclass(slots=True)
class Source:
    """A file's text. ``hidden`` collects the stretches that hold secrets; ``path`` is None for stdin.

    ``real`` is the path with its links resolved.
    """

    name: str
    text: str
    path: Path | None = None
    real: Path | None = None
    hidden: list[Span] = field(default_factory=list)
    _shown: list[str] | None = None

    def problem(self, code: str, origin: Origin, detail: str = "", *, hint: str = "") -> Diagnostic:
        """A diagnostic with the masked line that it is about."""
        return problem(code, origin, detail, hint=hint, excerpt=self.excerpt(origin))

    def excerpt(self, origin: Origin) -> str | None:
        """The line of a place, without secrets; None where it would be too long to help."""
        if origin.file != self.name:
            return None
        if self._shown is None:
            self._shown = masked_lines(_LINE_BREAK.split(self.text), self.hidden)
        if origin.line > len(self._shown) or origin.column > LONGEST_LINE:
            return None
        return self._shown[origin.line - 1][:LONGEST_LINE]

    def hide(self, span: Span) -> None:
        """Keep a stretch out of every excerpt."""
        self.hidden.append(span)
        self._shown = None


def read_file(name: str, path: Path, real: Path) -> Source | Diagnostic:
    """Read a file, or say why it can't be; a file that is too large is not read."""
    start = Origin(name, 1, 1)
    try:
        with path.open("rb") as file:
            data = file.read(LARGEST + 1)
    except OSError as error:
        return problem("unreadable-file", start, f"{name}: {error.strerror or type(error).__name__}")
    return decode(name, data, path, real)


def read_stdin(read: Callable[[], bytes]) -> Source | Diagnostic:
    """Read standard input, or say why it can't be."""
    return decode(STDIN, read())


def decode(name: str, data: bytes, path: Path | None = None, real: Path | None = None) -> Source | Diagnostic:
    """The text of a file's bytes, or what is wrong with them."""
    start = Origin(name, 1, 1)
    if len(data) > LARGEST:
        return problem("too-large", start, name, hint="split it into several files")
    for mark, encoding in _OTHER_ENCODINGS:
        if data.startswith(mark):
            return problem("not-utf8", start, f"It is encoded in {encoding}.", hint="save it as UTF-8")
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        if b"\0" in data:
            return problem("not-text", start, "It looks like a binary file.")
        before = data[: error.start].decode("utf-8-sig")
        return problem("not-utf8", _place(name, before), hint="save it as UTF-8")
    # The wide set takes longer to compile than a document to read: it is compiled, once, for the first that needs it.
    odd = re.search(_NOT_PRINTABLE_ASCII if text.isascii() else _NOT_PRINTABLE, text)
    if odd:
        place = _place(name, text[: odd.start()])
        return problem("not-text", place, f"The character is U+{ord(odd[0]):04X}.")
    if text.lstrip().startswith(("{", "[")):
        text = _SURROGATES.sub(_one_escape, text)
    return Source(name, text, path, real)


def _place(name: str, before: str) -> Origin:
    lines = _LINE_BREAK.split(before)
    return Origin(name, len(lines), len(lines[-1]) + 1)


def _one_escape(match: re.Match[str]) -> str:
    code = 0x10000 + (int(match[2], 16) - 0xD800) * 0x400 + int(match[3], 16) - 0xDC00
    return f"{match[1]}\\U{code:08X}"


def is_saved_plan(path: Path) -> bool:
    """Whether a file begins like a saved plan, which may be larger than a document."""
    return _begins(path, _SAVED_PLAN)


def is_of_a_ledger(path: Path) -> bool:
    """Whether a file begins like one that a ledger keeps: a record, a journal, or the use of a saved plan."""
    return _begins(path, _OF_A_LEDGER)


def _begins(path: Path, beginning: re.Pattern[bytes]) -> bool:
    try:
        with path.open("rb") as file:
            return beginning.match(file.read(_BEGINNING)) is not None
    except OSError:
        return False
