"""What can be wrong with a reference, each with its one wording; none of them ever holds a value."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from reconciler.core.references import Reference
from reconciler.core.sources import DENIED
from reconciler.errors import Diagnostic, Origin, Severity

CODES: Mapping[str, str] = MappingProxyType(
    {
        "unset-reference": "A reference has no value",
        "reference-not-allowed": "This reference may not be used here",
        DENIED: "What a reference points to may not be read with these credentials",
        "unreadable-reference": "What a reference points to can't be read",
        "empty-secret": "A secret is empty",
        "bad-secret": "A secret is not what its provider gives",
        "masked-secret": "A mask stands where a secret belongs",
        "wrong-type": "The value has the wrong type",
    }
)
"""Code -> its summary, in one line; all of them are errors."""


class Unresolved(Exception):
    """A reference without a value; carries the diagnostic, which never holds a value."""

    def __init__(self, diagnostic: Diagnostic) -> None:
        super().__init__(diagnostic.code)
        self.diagnostic = diagnostic


def unresolved(code: str, reference: Reference, origin: Origin, hint: str, said: str = "") -> Unresolved:
    """A reference without a value, named as it is written."""
    return Unresolved(diagnostic(code, f"{reference}{': ' if said else ''}{said}", origin, hint))


def diagnostic(code: str, detail: str, origin: Origin, hint: str = "") -> Diagnostic:
    """A problem with a reference, at its place."""
    return Diagnostic(Severity.ERROR, code, CODES[code], detail, hint, origin)
