"""Secrets that can be found again, in whatever form somebody writes them."""

from __future__ import annotations

import base64
import hashlib
import html
import json
import urllib.parse
from collections.abc import Iterator
from pathlib import Path


def canary(name: str) -> str:
    """A secret as long and as odd as a real one: unlike any other, and with what every escaping would change.

    It has no shape that would give it away: only whoever knows it can mask it.
    """
    token = hashlib.sha256(name.encode()).hexdigest()
    return f'{token[:12]}/+"\\&{token[12:24]}'


_HALF = 12
_TELLING = 6
"""Bytes that a form has at least: fewer may stand anywhere by chance."""
_FRAME = "-----"
"""What stands round every private key, and tells nothing of it."""


def forms(secret: str) -> tuple[bytes, ...]:
    """What betrays a secret: it, its halves and lines, which survive every escaping, and its encodings."""
    raw = secret.encode()
    lines = (line for line in secret.splitlines() if len(line) >= _HALF)
    parts = [part for part in (secret[:_HALF], secret[-_HALF:], *lines) if _FRAME not in part]
    texts = {form.encode() for part in (secret, *parts) for form in _escaped(part)}
    blunt = {raw.hex().encode(), raw.hex().upper().encode(), *(secret.encode(f"utf-16-{end}") for end in ("le", "be"))}
    return tuple(sorted(form for form in texts | blunt | set(_base64(raw)) if len(form) >= _TELLING))


def _escaped(text: str) -> Iterator[str]:
    """A text as it stands, and in JSON, in JSON in JSON, in a URL, in a query, in HTML, and as Python shows it."""
    yield text
    for plain in (True, False):
        once = json.dumps(text, ensure_ascii=plain)
        yield from (once[1:-1], json.dumps(once, ensure_ascii=plain)[3:-3])
    yield from (urllib.parse.quote(text, safe=""), urllib.parse.quote(text), urllib.parse.quote_plus(text))
    yield from (html.escape(text), repr(text)[1:-1], repr(text.encode())[2:-1], ascii(text)[1:-1])


def betrayals(secrets: tuple[str, ...], folder: Path) -> tuple[str, ...]:
    """The files below a folder, and their names, that betray one of the secrets."""
    wanted = [form for secret in secrets for form in forms(secret)]
    return tuple(
        str(path.relative_to(folder))
        for path in sorted(folder.rglob("*"))
        if any(form in content for form in wanted for content in _content(path))
    )


def _content(path: Path) -> Iterator[bytes]:
    yield path.name.encode()
    if path.is_symlink():
        yield str(path.readlink()).encode()
    elif path.is_file():
        yield path.read_bytes()


def _base64(raw: bytes) -> Iterator[bytes]:
    """The secret's own part of its base64, wherever in a longer text it begins, in both alphabets."""
    for before in range(3):
        for encode in (base64.b64encode, base64.urlsafe_b64encode):
            whole = encode(b"\0" * before + raw)
            # The characters at either end hold bits of the neighbours too.
            yield whole[-(-before * 8 // 6) + 1 : -4]
