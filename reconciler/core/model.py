"""Every noun of the project on one page, but for references and secrets, which have one each."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from enum import Enum, StrEnum
from typing import Any, TypeAlias

from reconciler.core.references import Template
from reconciler.core.secret import Secret, Standing
from reconciler.errors import Diagnostic, Origin

Path: TypeAlias = tuple[str, ...]
"""A place below ``ResourceConfig``, in the API's names; a member of a set is its last part."""

Scalar: TypeAlias = str | bool | int | float

Tree: TypeAlias = dict[str, Any]
"""A canonical configuration: mappings of mappings down to scalars, secrets or, for sets, ``{member: True}``.

A set keeps the order in which its members were written; comparison ignores it.
"""


def dotted(path: Path) -> str:
    """Show a path the way people write it, for example ``UserPoolConfigs.Mfa.MFAMode``."""
    return ".".join(path)


# --- what is written ---------------------------------------------------------------------------

Written: TypeAlias = "Scalar | Template | Secret | tuple[Setting, ...] | None"


@dataclass(frozen=True, slots=True)
class Setting:
    """One leaf of a document: its value (``None`` removes it from live) and where it was written.

    A list is a tuple of settings, so that each member keeps its place.
    """

    value: Written
    origin: Origin


EMBEDDED = "emulator"
"""The endpoint of a target that lives in the embedded backend."""


@dataclass(frozen=True, slots=True)
class Target:
    """Which auth resource: the identity. ``region`` is never empty; the others may be unknown."""

    app: str
    environment: str
    resource: str
    region: str
    account: str | None = None
    endpoint: str | None = None


@dataclass(frozen=True, slots=True)
class Access:
    """How to reach a target; which credentials, not which thing."""

    profile: str | None = None
    role_arn: str | None = None
    external_id: str | None = None
    session_name: str | None = None


@dataclass(frozen=True, slots=True)
class Waiver:
    """A difference that somebody accepts until the end of a day, UTC.

    ``value`` is live, ``instead_of`` what is written; None is absent. ``path`` and values are those of the
    :class:`Change` that is waived: for one member of a set they are True and None, or None and True.
    """

    path: Path
    value: Scalar | None
    instead_of: Scalar | None
    owner: str
    reason: str
    expires: date
    origin: Origin


@dataclass(frozen=True, slots=True)
class Desired:
    """One document after ``extends``: a target and each leaf that it manages, keyed by path.

    ``allow`` are guards that may pass, ``sends`` the secrets that are to be sent though nobody knows that they differ,
    ``hidden`` places of free text in which an earlier document put a secret. ``wave`` tells when it is its turn in an
    apply: waves go one after another, the lowest first. An ``observed`` target is never applied: its project says so.
    ``waivers`` are for drift alone: no plan is another for them, and none is saved.
    """

    name: str
    target: Target
    access: Access
    settings: Mapping[Path, Setting]
    origin: Origin
    allow: frozenset[str] = frozenset()
    labels: Mapping[str, str] = field(default_factory=dict)
    sends: frozenset[Path] = frozenset()
    hidden: frozenset[Path] = frozenset()
    wave: int = 0
    observed: bool = False
    waivers: tuple[Waiver, ...] = field(default=(), compare=False)

    @property
    def identity(self) -> tuple[str, str, str]:
        """What makes two documents the same one: the region, the app and the environment that they describe."""
        return self.target.region, self.target.app, self.target.environment

    def origin_of(self, path: Path) -> Origin:
        """Where a path was written: the member or the setting itself, the nearest above it, or the document."""
        for length in range(len(path), 0, -1):
            setting = self.settings.get(path[:length])
            if setting is None:
                continue
            if isinstance(setting.value, tuple) and length < len(path):
                members = {member.value: member.origin for member in setting.value}
                return members.get(path[length], setting.origin)
            return setting.origin
        return self.origin


# --- what is live ------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Meta:
    """What GetBackend's AmplifyMetaConfig tells of one environment's auth, without secrets or stamps."""

    resources: tuple[str, ...]  # names of the Cognito resources
    imported: bool
    hosted_domain: str | None
    unseen: tuple[str, ...]  # settings that this API can't express, in people's words
    auth: Tree  # what is compared after an update
    salt: str | None = None  # with which the values of ``auth`` are sealed; None while they are plain


@dataclass(frozen=True, slots=True)
class Live:
    """The live configuration of one target, canonical.

    ``domain_read`` is the hosted domain prefix as the service returned it, ``domain_settled`` tells
    whether the prefix in ``tree`` is known to be the written one.
    """

    tree: Tree
    fingerprint: str
    domain_read: str | None = None
    domain_settled: bool = True
    meta: Meta | None = None


# --- the plan ----------------------------------------------------------------------------------


class Mark(Enum):
    """A value that is shown by name and not by content."""

    SENSITIVE = "(sensitive value)"
    KNOWN_AFTER_APPLY = "(known after apply)"
    NOT_RETURNED = "(not returned by the service)"


class Action(StrEnum):
    """What happens to one path."""

    ADD = "add"
    CHANGE = "change"
    REMOVE = "remove"


class Movement(StrEnum):
    """Who moved a path since a base: git, somebody outside it, or both."""

    PENDING = "pending"  # git moved, live did not
    DRIFT = "drift"  # live moved, git did not
    CONFLICT = "conflict"  # both moved, differently
    CONVERGED = "converged"  # both moved to the same
    RELEASED = "released"  # the base managed it, the document no longer does
    BLOCKED = "blocked"  # git moved, and the change can't be made


@dataclass(frozen=True, slots=True)
class Change:
    """One path that moves. For a member of a set ``before`` or ``after`` is True, the other None.

    ``blocked`` says why this change can't be made through the API, ``origin`` where it is written.
    A secret's values are :attr:`Mark.SENSITIVE`; ``unproven`` marks one that is sent without being
    known to differ. ``movement`` tells whose change it is where there is a base to tell it by; it is the same change
    whoever made it.
    """

    path: Path
    action: Action
    before: Scalar | Mark | None
    after: Scalar | Mark | None
    origin: Origin | None = None
    blocked: str | None = None
    unproven: bool = False
    movement: Movement | None = field(default=None, compare=False)


@dataclass(frozen=True, slots=True)
class Finding:
    """Something a person should know about a target's plan: a block, a guard, a warning or a note.

    ``about`` is the path, dotted, of a guard that can be allowed for that path, or for a block that has it, as
    ``CODE:PATH``.
    """

    code: str
    summary: str
    detail: str = ""
    hint: str = ""
    origin: Origin | None = None
    about: str = ""

    def allowed_by(self, allow: frozenset[str]) -> bool:
        """Whether somebody let this guard pass, in general or for its path."""
        steps = self.about.split(".") if self.about else []
        above = (".".join(steps[:length]) for length in range(1, len(steps) + 1))
        return self.code in allow or any(f"{self.code}:{path}" in allow for path in above)


@dataclass(frozen=True, slots=True)
class TargetPlan:
    """What will happen to one target: plain data, enough to apply, without any secret's value.

    ``desired`` holds every value as resolved when planned, and references for secrets. ``live`` and
    ``planned`` are canonical trees in which a :class:`SecretState` or a :class:`Mark` stands for each
    secret; ``secrets`` tells what is known of those that the document writes. ``sent`` names the blocks that the
    update carries whole. ``blocks`` make it impossible to apply,
    ``guards`` stand in the way unless allowed. ``unchanged`` and ``unmanaged`` count attributes that are not shown.
    """

    desired: Desired
    fingerprint: str
    live: Tree
    planned: Tree
    changes: tuple[Change, ...] = ()
    sent: tuple[str, ...] = ()
    secrets: tuple[Standing, ...] = ()
    blocks: tuple[Finding, ...] = ()
    guards: tuple[Finding, ...] = ()
    warnings: tuple[Finding, ...] = ()
    notes: tuple[Finding, ...] = ()
    unchanged: int = 0
    unmanaged: int = 0

    @property
    def name(self) -> str:
        """The target's name, unique in a run."""
        return self.desired.name

    @property
    def target(self) -> Target:
        """Which auth resource this plan is for."""
        return self.desired.target

    @property
    def standing_guards(self) -> tuple[Finding, ...]:
        """The guards that nobody allowed."""
        return tuple(guard for guard in self.guards if not guard.allowed_by(self.desired.allow))

    @property
    def unresolved(self) -> bool:
        """Whether it was planned without knowing some of the secrets that its document writes."""
        return any(standing.unresolved for standing in self.secrets)

    @property
    def applyable(self) -> bool:
        """Whether there is something to do and nothing in the way."""
        return bool(self.changes) and not self.blocks and not self.standing_guards


class FailureKind(StrEnum):
    """Why a target has no plan, as far as a caller acts on it."""

    INPUT = "input"
    READ = "read"
    NOT_FOUND = "not-found"
    ACCESS = "access"
    INTERRUPTED = "interrupted"


@dataclass(frozen=True, slots=True)
class TargetFailure:
    """A target that could not be planned; never taken for "no drift" or for drift."""

    name: str
    target: Target
    kind: FailureKind
    summary: str
    detail: str = ""
    hint: str = ""
    diagnostics: tuple[Diagnostic, ...] = ()


@dataclass(frozen=True, slots=True)
class Commit:
    """The commit that the documents were read at.

    ``dirty`` tells whether one of them differs from it; None where git did not say.
    """

    id: str
    dirty: bool | None


@dataclass(frozen=True, slots=True)
class Plan:
    """The plans of all targets in the order of the input, and when they were made (ISO 8601, UTC).

    ``folder`` is the one in which it was made, relative to the project's root: documents are named from it. ``project``
    is that root, relative to the folder, and ``ruled`` whether it has a project file.
    ``commit`` is what the documents were read at. ``ledger`` names the shared ledger that the plan is bound to;
    None where the ledger is this machine's own. ``digest`` is that of its saved form, empty before it has one. ``base``
    is the state, in people's words, from which it is told who moved what; None where that was not asked for.
    """

    targets: tuple[TargetPlan | TargetFailure, ...]
    created: str
    folder: str = "."
    commit: Commit | None = None
    ledger: str | None = None
    digest: str = field(default="", compare=False)
    project: str = "."
    base: str | None = None
    ruled: bool = False

    @property
    def failures(self) -> tuple[TargetFailure, ...]:
        """Targets that could not be planned."""
        return tuple(target for target in self.targets if isinstance(target, TargetFailure))

    @property
    def planned(self) -> tuple[TargetPlan, ...]:
        """Targets that were planned, changed or not."""
        return tuple(target for target in self.targets if isinstance(target, TargetPlan))


# --- what happened -----------------------------------------------------------------------------


class OutcomeKind(StrEnum):
    """What became of one target in an apply, in the past tense."""

    APPLIED = "applied"
    UNCHANGED = "unchanged"
    STALE = "stale"
    BLOCKED = "blocked"
    GUARDED = "guarded"
    LOCKED = "locked"
    SKIPPED = "skipped"
    DENIED = "denied"
    FAILED = "failed"
    TIMED_OUT = "timed out"
    UNVERIFIED = "unverified"
    UNKNOWN = "unknown"


DONE = frozenset({OutcomeKind.APPLIED, OutcomeKind.UNCHANGED})
"""The outcomes after which a target is as it is desired."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of one target.

    ``findings`` names each path that did not land as planned. ``collateral`` shows what moved and was not
    planned, in the shape of a plan.
    """

    name: str
    target: Target
    kind: OutcomeKind
    summary: str = ""
    detail: str = ""
    hint: str = ""
    job: str | None = None
    changes: tuple[Change, ...] = ()
    findings: tuple[Finding, ...] = ()
    collateral: TargetPlan | None = None

    @property
    def unrecorded(self) -> bool:
        """Whether the ledger does not know of this, because it could not be written."""
        return any(finding.code == UNRECORDED for finding in self.findings)


NOT_RESTORED = "not-restored"
"""The code of the finding that names what a way back does not bring back."""

NOT_BOUND = "secret-not-bound"
"""The code of the note that a plan is not bound to the values of its secrets."""

IN_CLEAR = "secret-in-clear"
"""The code of the finding that a plan shows a text that is secret: it goes into no record."""

UNRECORDED = "unrecorded"
"""The code of the finding that tells that the ledger could not be written."""


@dataclass(frozen=True, slots=True)
class Job:
    """A job of the service as last seen; times are epoch milliseconds, ``status`` is the raw word.

    ``error`` is the reason that the gateway took out of the job's transcript, without secrets and noise; ``names``
    are the errors and resources of AWS that it names, and ``hint`` what to do about it where that is known.
    """

    id: str | None
    status: str
    operation: str | None = None
    error: str | None = None
    created: int | None = None
    names: tuple[str, ...] = ()
    hint: str = ""
