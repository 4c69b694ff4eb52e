"""The place where the ledger is kept: how it is named, and small objects under keys, each written whole or not."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Protocol

_WORD = "[A-Za-z0-9_-][A-Za-z0-9._-]*"
KEY = re.compile(f"{_WORD}(?:/{_WORD})*")
"""What a whole key is."""
PREFIX = re.compile(f"(?:{_WORD}/)*(?:{_WORD})?")
"""What a key may begin with."""

_SCHEME = re.compile("[A-Za-z][A-Za-z0-9+.-]+:")
_BUCKET = re.compile("[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]")


def is_address(place: str) -> bool:
    """Whether a place is written as an address, ``scheme:...``, and not as a folder; it may be a wrong one."""
    return _SCHEME.match(place) is not None


def parse_location(text: str) -> tuple[str, str]:
    """Return the bucket and the prefix of ``s3://bucket/prefix``; the prefix may be empty.

    Raises:
        ValueError: it is none. The text does not quote it: people write keys and passwords into addresses.
    """
    scheme, _, rest = text.partition("://")
    bucket, _, prefix = rest.partition("/")
    if scheme != "s3" or not _BUCKET.fullmatch(bucket) or ".." in bucket:
        raise ValueError(
            "a place in S3 is written s3://bucket or s3://bucket/prefix, and the name of a bucket has 3 to 63 "
            "lower-case letters, digits, dots and hyphens, with a letter or digit at both ends"
        )
    return bucket, prefix.rstrip("/")


@dataclass(frozen=True, slots=True)
class Stored:
    """One object as it was read.

    ``tag`` names this version of it, ``age`` is how many seconds ago it was written by the store's own clock:
    clocks of two machines are never compared.
    """

    data: bytes
    tag: str
    age: float


class Store(Protocol):
    """A place for objects, shared by everybody who names it.

    A key is words joined by ``/``; a word has letters, digits, ``.``, ``_`` and ``-``, and does not begin with
    a dot (:data:`KEY`); anything else is a ValueError. What a write that returned has written survives a crash
    and is seen by every later read. Every method raises :class:`~reconciler.errors.LedgerProblem`, or
    :class:`~reconciler.errors.AccessProblem`, when the place can't be reached, read or written.
    """

    @property
    def name(self) -> str:
        """How people name the place: a folder, or ``s3://bucket/prefix``."""
        ...

    def get(self, key: str) -> Stored | None:
        """The object, or None where there is none."""
        ...

    def list(self, prefix: str) -> tuple[str, ...]:
        """Every key that begins with ``prefix``, sorted."""
        ...

    def put_if_absent(self, key: str, data: bytes) -> str | None:
        """Write a new object and return its tag; None, and nothing is written, where there is one already."""
        ...

    def put_if_match(self, key: str, data: bytes, tag: str) -> str | None:
        """Replace the version that ``tag`` names, and return the new tag; None where another stands there now."""
        ...
