"""Secrets that can be found again, in whatever form somebody writes them."""

from __future__ import annotations

import base64
import hashlib
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


def forms(secret: str) -> tuple[bytes, ...]:
    """What betrays a secret: it, its halves, which survive every escaping, and its encodings."""
    raw = secret.encode()
    halves = [part.encode() for part in (secret[:12], secret[-12:])]
    escaped = [json.dumps(secret)[1:-1].encode(), urllib.parse.quote(secret, safe="").encode(), repr(secret).encode()]
    return (raw, *halves, *escaped, raw.hex().encode(), raw.decode().encode("utf-16-le"), *_base64(raw))


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
