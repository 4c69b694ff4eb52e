"""What can go wrong: diagnostics about input, and the tree of exceptions.

Problems of input are collected as :class:`Diagnostic` values, so that all of them are shown at once.
Failures of the world are exceptions, one leaf for each thing that a caller can do about it::

    ReconcilerError
    ├── UsageProblem            the command was asked for something it can't do
    ├── OutputProblem           a result can't be written where it should be
    ├── InputProblem            documents, files or references are wrong (carries diagnostics)
    ├── PlanRefused             a saved plan can't be applied (stale, damaged, foreign, blocked)
    ├── GuardRefused            a guard stands in the way, or nobody confirmed
    ├── LedgerProblem           the ledger can't be read or written: nothing may be sent
    │   └── LedgerDamaged       one thing in it can't be understood (names which); the others can be read
    ├── TargetLocked            another apply is at work on the target (carries who)
    └── ServiceProblem          the service, or the way to it
        ├── ReadFailed          an answer did not come, or is not what an answer must be
        ├── NotFound            the app, environment or auth resource does not exist
        ├── AccessProblem       credentials are missing, expired, or lack a permission
        ├── AnotherJobRunning   the environment is busy with somebody else's job
        ├── UpdateRefused       the update was answered with an error: nothing was changed
        └── AnswerLost          the update was sent, and its answer never came
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class Severity(StrEnum):
    """How much a diagnostic weighs: an error stops the run, a warning only with ``--strict``."""

    ERROR = "error"
    WARNING = "warning"


@dataclass(frozen=True, slots=True, order=True)
class Origin:
    """The place in a file that a value comes from; line and column count from 1."""

    file: str
    line: int
    column: int

    def __str__(self) -> str:
        return f"{self.file}:{self.line}:{self.column}"


@dataclass(frozen=True, slots=True)
class Diagnostic:
    """One problem of the input, and what to do about it.

    ``code`` is stable and documented in the README. ``summary`` holds no user data: one problem has
    one wording. ``detail`` says what exactly and why, ``hint`` what to write or run instead.
    ``excerpt`` is the source line, already masked. None of them ever holds a secret.
    """

    severity: Severity
    code: str
    summary: str
    detail: str = ""
    hint: str = ""
    origin: Origin | None = None
    excerpt: str | None = None
    target: str | None = None


class ReconcilerError(Exception):
    """Base of every error of this package; its text is safe to show."""

    def __init__(self, summary: str, *, detail: str = "", hint: str = "") -> None:
        super().__init__(summary)
        self.summary = summary
        self.detail = detail
        self.hint = hint


class UsageProblem(ReconcilerError):
    """The command line asks for something that can't be done."""


class OutputProblem(ReconcilerError):
    """A result can't be written where it should be."""


class InputProblem(ReconcilerError):
    """Documents, files or references are wrong; ``diagnostics`` says each thing that is."""

    def __init__(self, diagnostics: tuple[Diagnostic, ...]) -> None:
        super().__init__("The input has problems", detail="; ".join(d.summary for d in diagnostics))
        self.diagnostics = diagnostics

    def __str__(self) -> str:
        """Each problem on a line of its own, as a traceback shows them."""
        lines = (f"{found.origin or ''} {found.summary} ({found.code}): {found.detail}" for found in self.diagnostics)
        return "\n".join([f"{self.summary}:", *(line.strip() for line in lines)])


class PlanRefused(ReconcilerError):
    """A saved plan that can't be applied: damaged, foreign, stale, or blocked."""


class GuardRefused(ReconcilerError):
    """A guard stands in the way, or the change was not confirmed."""


class LedgerProblem(ReconcilerError):
    """The ledger can't be read or written, or holds what it can't hold."""


class LedgerDamaged(LedgerProblem):
    """One thing in the ledger can't be understood, while the others may be."""


class TargetLocked(ReconcilerError):
    """Another apply holds the target's lease."""


class ServiceProblem(ReconcilerError):
    """The service answered with an error, or did not answer."""


class ReadFailed(ServiceProblem):
    """An answer did not come, or lacks what an answer must have."""


class NotFound(ServiceProblem):
    """The app, the environment or the auth resource does not exist."""


class AccessProblem(ServiceProblem):
    """Credentials are missing or expired, or lack a permission."""


class AnotherJobRunning(ServiceProblem):
    """The environment is busy with a job that is not ours."""


class UpdateRefused(ServiceProblem):
    """The service refused the update; nothing was changed."""


class AnswerLost(ServiceProblem):
    """The update was sent and its answer never came: it may have started."""


UNKEPT: tuple[type[ReconcilerError], ...] = (LedgerProblem, AccessProblem)
"""What the ledger raises when it can't be read or written."""
