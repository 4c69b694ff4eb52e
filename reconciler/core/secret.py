"""Secrets: a value that shows itself to nobody, and what can be said of it all the same."""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import Enum, StrEnum
from typing import NoReturn

_MASK = re.compile(
    r"\S{0,4}[*•●∙·xX.]{3,}\S{0,4}|[*•●∙·]+|[\W_]*(redacted|masked|hidden|sensitive( value)?)[\W_]*", re.IGNORECASE
)


def looks_masked(text: str) -> bool:
    """Whether a text that stands for a secret is a mask, which would become the secret if it were sent."""
    return _MASK.fullmatch(text.strip()) is not None


class Secret:
    """A secret's value, which shows itself to nobody.

    ``repr`` and ``str`` are masked without length or prefix, pickling and JSON encoding fail, and
    comparison takes the same time whatever differs. ``source`` is the reference it came from, which
    may be shown.
    """

    __slots__ = ("_value", "source")

    def __init__(self, value: str, source: str | None = None) -> None:
        self._value = value
        self.source = source

    def reveal(self) -> str:
        """The value itself, for the request that carries it and for nothing else."""
        return self._value

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Secret):
            return NotImplemented
        from hmac import compare_digest  # OpenSSL comes with it, which most commands never need

        ours, theirs = (secret.reveal().encode("utf-8", "surrogatepass") for secret in (self, other))
        return compare_digest(ours, theirs)

    def __hash__(self) -> int:
        return hash(self._value)

    def __repr__(self) -> str:
        return "Secret(****)"

    __str__ = __repr__

    def __format__(self, spec: str) -> str:
        return repr(self)

    def __reduce__(self) -> NoReturn:
        raise TypeError("a secret is never serialised")


class SecretState(Enum):
    """What can be said of a live secret without saying it. Equal to no text: a message may be "unknown" itself."""

    READABLE = "readable"  # the service returned it
    UNKNOWN = "unknown"  # masked or withheld: there, but nobody can say which


class Proof(StrEnum):
    """What is known of a secret that a document writes, compared with the live one."""

    READABLE = "readable"  # the service returns it: it is compared
    IN_SYNC = "in sync"  # it is the one that was sent and proven last
    ROTATED = "rotated"  # it is another than the one that was sent and proven last
    UNPROVEN = "unproven"  # nobody can say


class Doubt(StrEnum):
    """Why a secret is unproven."""

    NEVER_PROVEN = "no apply with a key has sent it and proven it"
    UNCERTAIN = "an update that carried another value, or moved its provider, did not end well"
    OTHER_IDS = "its provider has other ids than when it was proven: somebody linked it anew"
    NO_KEY = "the ledger has its fingerprint, and this run has no key to compare it with"
    OTHER_KEY = "its fingerprint in the ledger was made with another key"
    UNREAD = "the ledger can't be read"
    UNRESOLVED = "its reference was not resolved"
    OTHER_REFERENCE = "its reference was not resolved, and is another than the one whose value was proven"
    ABSENT = "there is none live"


@dataclass(frozen=True, slots=True)
class Standing:
    """A secret that a document writes.

    ``doubt`` is there where it is unproven. ``fingerprint`` binds a plan to the value, where there is a key.
    """

    path: tuple[str, ...]
    proof: Proof
    doubt: Doubt | None = None
    fingerprint: str | None = None

    @property
    def unresolved(self) -> bool:
        """Whether nobody looked what the document writes."""
        return self.doubt in {Doubt.UNRESOLVED, Doubt.OTHER_REFERENCE}
