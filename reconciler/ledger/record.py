"""The ledger's nouns: who ran what from which commit, what an update intends, and what became of it."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from reconciler.core.model import Commit, Live, Outcome, OutcomeKind, Path, Target, TargetPlan
from reconciler.core.proof import Proven, hidden_after, proven_after

RECORD_VERSION = 1
_UNFIT = re.compile(r"[^A-Za-z0-9_-]+")
_WORD = re.compile(r"[A-Za-z0-9_-][A-Za-z0-9._-]{0,127}")
_LONGEST_WORD = 40


@dataclass(frozen=True, slots=True)
class Pipeline:
    """The CI job that a run is part of: which system, who started it, and where to look at it."""

    system: str
    actor: str | None = None
    url: str | None = None


@dataclass(frozen=True, slots=True)
class Who:
    """Who runs the program: the operating system's user, the machine, and the pipeline where there is one."""

    user: str | None
    host: str | None
    pipeline: Pipeline | None = None

    def __str__(self) -> str:
        person = f"{self.user or 'somebody'}@{self.host or 'somewhere'}"
        if self.pipeline is None:
            return person
        where = ", ".join(part for part in (self.pipeline.system, self.pipeline.url) if part)
        return f"{self.pipeline.actor or person} ({where})"


@dataclass(frozen=True, slots=True)
class Run:
    """One run of a command that may write.

    ``id`` sorts by time. ``started`` is ISO 8601, UTC. ``digest`` is that of the plan which it carries out, and
    ``folder`` the one from which that plan names its documents, relative to the project's root.
    """

    id: str
    command: str
    started: str
    who: Who
    digest: str
    commit: Commit | None = None
    folder: str = "."


@dataclass(frozen=True, slots=True)
class Left:
    """What updates have left to know of a target's secrets: which are proven, and where free text hides one."""

    proven: Mapping[Path, Proven] = field(default_factory=dict)
    hidden: frozenset[Path] = frozenset()


@dataclass(frozen=True, slots=True)
class Intent:
    """What an update is about to do, written before it is sent, and enough to settle it without the run.

    ``before`` is what was live, a state word in place of each secret and its meta sealed (see
    :func:`reconciler.core.meta.sealed`). ``jobs`` are the ids that there were. ``job`` is ours once the
    service named it. ``caller`` is the AWS identity, where STS told it. ``proven`` are the secrets that were proven
    before, ``proving`` those that it proves once it has landed, ``hidden`` the free text that held secrets before.
    """

    run: Run
    plan: TargetPlan
    before: Live
    jobs: frozenset[str]
    caller: str | None = None
    job: str | None = None
    proven: Mapping[Path, Proven] = field(default_factory=dict)
    proving: Mapping[Path, Proven] = field(default_factory=dict)
    hidden: frozenset[Path] = frozenset()

    def left(self, *, landed: bool | None, moved: frozenset[Path] = frozenset()) -> Left:
        """What the update leaves to know of secrets.

        Args:
            landed: whether it is known to have landed as planned, or not to have; None where neither is known.
            moved: what was seen to move without being planned.
        """
        proven = proven_after(self.proven, self.proving, self.plan, landed=landed, moved=moved)
        return Left(proven, hidden_after(self.hidden, self.plan, landed=landed))


@dataclass(frozen=True, slots=True)
class Record:
    """What one run did to one target.

    ``sent`` tells whether an update may have been sent. Then ``plan.live`` is the snapshot of what was live right
    before it, without secrets, and ``unseen`` names what this API can't express and was there; otherwise
    ``plan.live`` is what was live when it was planned. ``ended`` is ISO 8601, UTC; ``seconds`` how long the
    target took. ``resumes`` is the id of the run whose update this one settled.
    """

    run: Run
    plan: TargetPlan
    outcome: Outcome
    ended: str
    seconds: float
    sent: bool
    jobs: tuple[str, ...] = ()
    unseen: tuple[str, ...] = ()
    caller: str | None = None
    resumes: str | None = None

    @property
    def may_have_landed(self) -> bool:
        """Whether the update may have moved something; one that failed has not: what moved would be UNVERIFIED."""
        return self.sent and self.outcome.kind is not OutcomeKind.FAILED


@dataclass(frozen=True, slots=True)
class Entry:
    """One line of the history: a record, or an update whose end nobody has seen yet."""

    told: Record | Intent

    @property
    def run(self) -> Run:
        """The run."""
        return self.told.run

    @property
    def outcome(self) -> str:
        """What became of it, in a word or two."""
        return self.told.outcome.kind.value if isinstance(self.told, Record) else "under way"


def run_id(started: str, token: str) -> str:
    """A run's id from when it started (ISO 8601, UTC) and a word of its own: ``20261124T080000Z-1a2b3c4d5``."""
    return f"{re.sub('[-:]', '', started)}-{token}"


def key_of(target: Target) -> str:
    """The word under which a target's journal and lease are kept: one for each environment, whatever the resource.

    The account is no part of it: an app's id is of one account alone, and an account that STS did not tell must
    not make the same environment another one.
    """
    identity: Sequence[str | None] = (target.region, target.endpoint, target.app, target.environment)
    digest = hashlib.sha256(json.dumps(identity).encode()).hexdigest()[:16]
    words = _UNFIT.sub("_", f"{target.app}-{target.environment}")[:_LONGEST_WORD]
    return f"{words.strip('-_') or 'target'}-{digest}"


def word_of(name: str) -> str:
    """The word under which a target's records are kept: its name where that can stand in a key."""
    if _WORD.fullmatch(name):
        return name
    return f"{_UNFIT.sub('_', name)[:_LONGEST_WORD]}-{hashlib.sha256(name.encode()).hexdigest()[:16]}"
