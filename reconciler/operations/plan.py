"""Plan: read each target, compare it with what is desired, and say what would change. Never writes."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import TypeAlias

from reconciler.core.gateway import ReadGateway
from reconciler.core.model import Commit, Desired, FailureKind, Finding, Path, Plan, TargetFailure, TargetPlan, dotted
from reconciler.core.proof import Proofs
from reconciler.core.targetplan import Prepared, prepare
from reconciler.errors import AccessProblem, InputProblem, NotFound, ServiceProblem
from reconciler.operations.fleet import Observer, Stopping, for_each, silent
from reconciler.operations.live import read_live, with_meta

ReaderOf = Callable[[Desired], ReadGateway]
_Work: TypeAlias = tuple[Desired, ReadGateway] | TargetFailure
READING = "Reading live configuration..."
"""What an observer is told of a target that is being read."""


@dataclass(frozen=True, slots=True)
class Remembered:
    """What the ledger knows of a target: what people should hear, such as an update under way, and its secrets."""

    notices: tuple[Finding, ...] = ()
    proofs: Proofs = field(default_factory=Proofs)


@dataclass(frozen=True, slots=True)
class Base:
    """The documents as they were; ``name`` is what people call that state, ``documents`` are keyed by identity.

    ``unsure`` are the paths of a document of which nobody can tell what they were: they stand as they are now.
    """

    name: str
    documents: Mapping[tuple[str, str, str], Desired]
    unsure: Mapping[tuple[str, str, str], tuple[Path, ...]] = field(default_factory=dict)

    def of(self, desired: Desired) -> Desired | None:
        """A document as it was; None where nobody knows."""
        return self.documents.get(desired.identity)


def plan(
    desired: Sequence[Desired | TargetFailure],
    reader_of: ReaderOf,
    *,
    now: str,
    folder: str = ".",
    project: str = ".",
    ruled: bool = False,
    commit: Commit | None = None,
    ledger: str | None = None,
    base: Base | None = None,
    remembered: Callable[[Desired], Remembered] = lambda _: Remembered(),
    parallelism: int = 1,
    observer: Observer = silent,
    stopped: Callable[[], bool] | None = None,
) -> Plan:
    """The change plan of all targets.

    Args:
        desired: the documents, their references resolved, or why one can't be planned.
        reader_of: the gateway of a target; called in this thread, since clients are made here.
        now: the time to write into the plan, ISO 8601, UTC.
        folder: from where the documents are named, relative to the project's root.
        project: that root, relative to the folder.
        ruled: whether there is a project file.
        commit: what the documents were read at.
        ledger: the shared ledger that the plan is bound to.
        base: the documents as they were, to tell who moved what; by default nobody asks.
        remembered: what the ledger knows of a target.
        parallelism: the most targets that are read at once.
        observer: told when a target is being read, and when it was.
        stopped: whether to read no further, looked at ten times a second; what was not read until then is in the
            plan as a failure of the kind ``interrupted``.

    Returns:
        A plan, or why there is none, for each target, in the order of the input. One target's failure
        never hides another's plan.
    """
    work = [_with_reader(document, reader_of, stopped) for document in desired]

    def read(item: _Work) -> TargetPlan | TargetFailure:
        if isinstance(item, TargetFailure):
            return item
        document, reader = item
        observer(document.name, READING)
        try:
            known = remembered(document)
            if document.hidden != known.proofs.hidden:
                document = replace(document, hidden=known.proofs.hidden)
            planned = prepare_target(document, reader, known.proofs, base).plan
            notices = known.notices if base is None else (*known.notices, *_of_base(document, base))
            return replace(planned, warnings=(*planned.warnings, *notices)) if notices else planned
        except (ServiceProblem, InputProblem) as problem:
            return failure(document, problem)

    def one(item: _Work) -> TargetPlan | TargetFailure:
        planned = read(item)
        observer.finished(planned.name, failed=isinstance(planned, TargetFailure))
        return planned

    stopping = None if stopped is None else Stopping(stopped, _unread)
    observer.started(READING, len(work))
    try:
        targets = for_each(work, one, parallelism=parallelism, stopping=stopping)
    finally:
        observer.ended()
    name = None if base is None else base.name
    return Plan(targets, now, folder, commit, ledger, project=project, base=name, ruled=ruled)


def _of_base(document: Desired, base: Base) -> Iterator[Finding]:
    """What nobody knows of a target at the base: then nobody can tell who moved it."""
    if base.of(document) is None:
        hint = "apply it once, or compare with a commit at which its document could be read"
        yield Finding("no-base", f"{base.name} can't tell what it was: every difference counts as drift", hint=hint)
    elif unsure := base.unsure.get(document.identity):
        summary = f"{base.name} can't tell what these were: {', '.join(map(dotted, unsure))}"
        hint = "a difference of theirs counts as drift; their references of then lead nowhere today, or to another kind"
        yield Finding("base-unresolved", summary, hint=hint, origin=document.origin)


def _with_reader(document: Desired | TargetFailure, reader_of: ReaderOf, stopped: Callable[[], bool] | None) -> _Work:
    """A document with the way to its target, or why there is none."""
    if isinstance(document, TargetFailure):
        return document
    if stopped is not None and stopped():
        return _interrupted(document)
    try:
        return document, reader_of(document)
    except ServiceProblem as problem:
        return failure(document, problem)


def _unread(item: _Work) -> TargetPlan | TargetFailure:
    """Why a target has no plan that was not read before the run was stopped."""
    if isinstance(item, TargetFailure):
        return item
    document, _ = item
    return _interrupted(document)


def _interrupted(document: Desired) -> TargetFailure:
    return TargetFailure(
        document.name,
        document.target,
        FailureKind.INTERRUPTED,
        "not read: the run was interrupted",
        hint="run it again",
    )


def prepare_target(desired: Desired, reader: ReadGateway, proofs: Proofs, base: Base | None = None) -> Prepared:
    """Read one target and plan it; the backend's meta is read only where something changes.

    Args:
        desired: the document, its references resolved.
        reader: where to read.
        proofs: what the ledger knows of the target's secrets.
        base: the documents as they were.

    Raises:
        ServiceProblem: a read failed.
        InputProblem: the document does not write what its change needs.
    """
    was = base.of(desired) if base is not None else None
    live = read_live(reader, desired, with_meta=False)
    prepared = prepare(desired, live, proofs=proofs, base=was)
    if prepared.plan.changes and live.meta is None:
        live = with_meta(reader, desired.target, live)
        prepared = prepare(desired, live, prepared.plan.secrets, base=was)
    return prepared


def failure(desired: Desired, problem: ServiceProblem | InputProblem) -> TargetFailure:
    """Why a target has no plan."""
    match problem:
        case InputProblem():
            summary = "the document lacks what its change needs"
            return TargetFailure(
                desired.name, desired.target, FailureKind.INPUT, summary, diagnostics=problem.diagnostics
            )
        case AccessProblem():
            kind = FailureKind.ACCESS
        case NotFound():
            kind = FailureKind.NOT_FOUND
        case _:
            kind = FailureKind.READ
    return TargetFailure(desired.name, desired.target, kind, problem.summary, problem.detail, problem.hint)
