"""Canaries of every kind that a secret can be: long, short, beyond ASCII, of several lines, full of quotes."""

from __future__ import annotations

import base64
import hashlib

from tests.faults.canary import canary

_ALPHABET = "BCDFGHJKLMNPQRSTVWXZbcdfghjklmnpqrstvwz"
_LETTERS = 8


def long(name: str) -> str:
    """As long as a provider's own, and odd: with what every escaping would change."""
    return canary(name)


def short(name: str) -> str:
    """Eight letters, as few as a secret has, and no word of any language: without vowels nothing holds them."""
    digest = hashlib.sha256(f"short {name}".encode()).digest()
    return "".join(_ALPHABET[byte % len(_ALPHABET)] for byte in digest[:_LETTERS])


def unicode(name: str) -> str:
    """Letters of several scripts, and a character that UTF-16 writes as two."""
    return f"Schlüssel-{_token(name)[:10]}-ключ-鍵-\N{KEY}-{_token(name)[10:20]}ñ"


def awkward(name: str) -> str:
    """Quotes, backslashes, a reference that is none, percent signs, a line end."""
    token = _token(name)
    return f"{token[:14]}'\"\\%20${{x}}\n\\n&<{token[14:30]}"


def pem(name: str) -> str:
    """A private key as Apple hands it out: PKCS #8 in lines of 64 characters."""
    body = base64.b64encode(b"".join(hashlib.sha256(f"{name} {part}".encode()).digest() for part in range(5))).decode()
    lines = [body[start : start + 64] for start in range(0, len(body), 64)]
    return "\n".join(["-----BEGIN PRIVATE KEY-----", *lines, "-----END PRIVATE KEY-----"])


def session_token(name: str) -> str:
    """What STS hands out: base64 without an end."""
    return base64.b64encode(b"".join(hashlib.sha256(f"{name} {part}".encode()).digest() for part in range(3))).decode()


def _token(name: str) -> str:
    return hashlib.sha256(name.encode()).hexdigest()
