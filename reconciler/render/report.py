"""Reports: masked, ready rows of a plan or of what became of it. Renderers draw these and see nothing else."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from enum import StrEnum
from typing import Literal, TypeAlias

from reconciler.core.model import (
    DONE,
    NOT_RESTORED,
    Action,
    Change,
    FailureKind,
    Finding,
    Movement,
    Outcome,
    OutcomeKind,
    Plan,
    Target,
    TargetFailure,
    TargetPlan,
    dotted,
)
from reconciler.core.planfile import applyable
from reconciler.core.threeway import drifted
from reconciler.core.waivers import Judged, Standing, alarming, judged, words
from reconciler.errors import Origin
from reconciler.render.harmless import line, place, prose
from reconciler.render.messages import MANY, Message, Tone, first_of, of_diagnostic, of_finding
from reconciler.render.rows import Line, diff_lines

Headline: TypeAlias = Literal["plan", "drift"]


class Status(StrEnum):
    """What a plan says of one target."""

    CHANGED = "changed"
    UNCHANGED = "unchanged"
    BLOCKED = "blocked"
    GUARDED = "guarded"
    FAILED = "failed"
    UNREAD = "not read"


DIFFERENT = frozenset({Status.CHANGED, Status.BLOCKED, Status.GUARDED})
"""The targets whose live configuration is not the desired one, whether or not it can be changed."""


@dataclass(frozen=True, slots=True)
class TargetRow:
    """One target of a plan.

    ``blocks`` and ``guards`` stand in its way, ``allowed`` are guards that somebody let pass, ``remarks``
    are warnings and notes, ``errors`` say why there is no plan. ``counts`` are attributes by action, ``origin`` is the
    document. ``waived`` tells how many differences are left out because somebody accepts them; a remark names each.
    """

    name: str
    where: str
    status: Status
    lines: tuple[Line, ...] = ()
    counts: tuple[tuple[Action, int], ...] = ()
    blocks: tuple[Message, ...] = ()
    guards: tuple[Message, ...] = ()
    allowed: tuple[Message, ...] = ()
    remarks: tuple[Message, ...] = ()
    errors: tuple[Message, ...] = ()
    wave: int = 0
    origin: Origin | None = None
    waived: int = 0


@dataclass(frozen=True, slots=True)
class Shared:
    """A warning or a note that many targets have; ``names`` are those of the first, and how many more there are."""

    names: str
    message: Message


@dataclass(frozen=True, slots=True)
class Report:
    """A plan's targets in the order of the input; ``applicable`` tells whether an apply would take the plan.

    ``shared`` are the remarks that many targets have; the rows of these do not repeat them. ``waves`` tells how many
    of the targets that differ an apply sends in each wave, the lowest first; of drift, which sends nothing, none.
    ``base`` names the state since which it is told who moved what, and ``movements`` counts the attributes by that.
    ``digest`` is that of the plan, for the formats that tell it.
    """

    headline: Headline
    targets: tuple[TargetRow, ...]
    applicable: bool
    shared: tuple[Shared, ...] = ()
    waves: Mapping[int, int] = field(default_factory=dict)
    base: str = ""
    movements: Mapping[Movement, int] = field(default_factory=dict)
    digest: str = ""

    @property
    def different(self) -> tuple[TargetRow, ...]:
        """The targets that differ from the configuration."""
        return tuple(target for target in self.targets if target.status in DIFFERENT)

    @property
    def remainder(self) -> bool:
        """Whether this is a way back, on which something does not come back."""
        remarks = (remark for target in self.targets for remark in target.remarks)
        return any(remark.code == NOT_RESTORED for remark in (*remarks, *(one.message for one in self.shared)))

    def count(self, status: Status) -> int:
        """How many targets have a status."""
        return sum(target.status is status for target in self.targets)


@dataclass(frozen=True, slots=True)
class OutcomeRow:
    """What became of one target. ``changes`` were made where it was applied, and only planned elsewhere.

    ``collateral`` are the lines of what moved and was not planned, ``origin`` is the document where it is known.
    """

    name: str
    where: str
    kind: OutcomeKind
    message: Message
    job: str = ""
    changes: int = 0
    findings: tuple[Message, ...] = ()
    collateral: tuple[Line, ...] = ()
    origin: Origin | None = None


@dataclass(frozen=True, slots=True)
class OutcomeReport:
    """What became of each target, in the order of the plan; ``remainder`` as :class:`Report` has it."""

    targets: tuple[OutcomeRow, ...]
    remainder: bool = False

    @property
    def listed(self) -> tuple[OutcomeRow, ...]:
        """The rows that are worth a line: what is unchanged is none, and many that were skipped alike are one."""
        alike: dict[tuple[Message, tuple[Message, ...]], list[OutcomeRow]] = {}
        for row in self.targets:
            if row.kind is OutcomeKind.SKIPPED:
                alike.setdefault((row.message, row.findings), []).append(row)
        listed: list[OutcomeRow] = []
        for row in self.targets:
            same = alike.get((row.message, row.findings), [])
            if len(same) > MANY and row is same[0]:
                names, changes = first_of([one.name for one in same]), sum(one.changes for one in same)
                listed.append(replace(row, name=names, where=f"{len(same)} targets", changes=changes))
            elif len(same) <= MANY and row.kind is not OutcomeKind.UNCHANGED:
                listed.append(row)
        return tuple(listed)

    @property
    def complete(self) -> bool:
        """Whether every target is as it is desired."""
        return all(target.kind in DONE for target in self.targets)

    def count(self, kind: OutcomeKind) -> int:
        """How many targets ended in one way."""
        return sum(target.kind is kind for target in self.targets)


def plan_report(plan: Plan, *, headline: Headline = "plan") -> Report:
    """The rows of a plan.

    Args:
        plan: what was planned.
        headline: whether a reader wants to know what an apply would do, or what has drifted.
    """
    rows = tuple(
        _failed(target)
        if isinstance(target, TargetFailure)
        else _drifted(target, datetime.fromisoformat(plan.created), since_base=plan.base is not None)
        if headline == "drift"
        else _planned(target)
        for target in plan.targets
    )
    said: dict[_Said, dict[str, Message]] = {}
    for row in rows:
        for remark in row.remarks:
            said.setdefault(_what(remark), {})[row.name] = remark
    many = {what: by_name for what, by_name in said.items() if len(by_name) > MANY}
    if many:
        rows = tuple(replace(row, remarks=tuple(one for one in row.remarks if _what(one) not in many)) for row in rows)
    shared = tuple(_shared(by_name) for by_name in many.values())
    waves = Counter(row.wave for row in rows if headline == "plan" and row.status in DIFFERENT)
    moved = Counter(change.movement for target in plan.planned for change in target.changes)
    movements = {movement: moved[movement] for movement in Movement if moved[movement]}
    base = line(plan.base or "")
    return Report(headline, rows, applyable(plan), shared, dict(sorted(waves.items())), base, movements)


def _drift_alone(plan: TargetPlan) -> TargetPlan:
    """What moved outside git since the base; what git moved is told in a note."""
    found = drifted(plan, since_base=True)
    left = [change for change in plan.changes if change not in found and not change.unproven]
    if not left:
        return plan
    notes = (*plan.notes, *_left_to_git(plan, left))
    if found:
        return replace(plan, changes=found, notes=notes)
    return replace(plan, changes=(), blocks=(), guards=(), notes=notes)


def _left_to_git(plan: TargetPlan, left: Sequence[Change]) -> Iterator[Finding]:
    """What git moved: what the next apply sends, and what none can."""
    for code, told, blocked in (("pending", "not applied yet", False), ("blocked", "can't be applied", True)):
        found = [change for change in left if bool(change.blocked) is blocked]
        if found:
            places = [change.origin for change in found if change.origin is not None]
            origin = places[0] if places else plan.desired.origin
            yield Finding(code, f"{told}: {', '.join(dotted(change.path) for change in found)}", origin=origin)


_Said: TypeAlias = tuple[Tone, str, str]


def _what(remark: Message) -> _Said:
    return remark.tone, remark.code, remark.summary


def _shared(by_name: Mapping[str, Message]) -> Shared:
    """One message for many targets; what only some of them say is left out."""
    message, *others = by_name.values()
    common = replace(
        message,
        detail=message.detail if all(other.detail == message.detail for other in others) else (),
        hint=message.hint if all(other.hint == message.hint for other in others) else (),
        origin=message.origin if all(other.origin == message.origin for other in others) else None,
    )
    return Shared(first_of(list(by_name)), common)


def outcome_report(outcomes: Sequence[Outcome], plan: Plan | None = None) -> OutcomeReport:
    """The rows of an apply.

    Args:
        outcomes: what became of each target.
        plan: what was to be applied; it knows what targets that were not applied would have changed, and why
            some have no plan.
    """
    planned = {target.name: target for target in plan.targets} if plan is not None else {}
    rows = tuple(_outcome(outcome, planned.get(outcome.name)) for outcome in outcomes)
    return OutcomeReport(rows, plan is not None and plan_report(plan).remainder)


def _drifted(plan: TargetPlan, now: datetime, *, since_base: bool) -> TargetRow:
    """A target without what is waived; each waiver of a difference is a remark, whether it holds or no longer does."""
    if since_base:
        plan = _drift_alone(plan)
    changes = alarming(plan, now, since_base=since_base)
    row = _planned(replace(plan, changes=changes, guards=plan.guards if changes else ()))
    standing = {change.path for change in changes}
    remarks = (
        _told(one)
        for one in judged(plan, now)
        if one.standing is Standing.HOLDS or one.waiver.path in standing  # of two for one difference, one may hold
    )
    return replace(row, remarks=(*row.remarks, *remarks), waived=len(plan.changes) - len(changes))


def _told(one: Judged) -> Message:
    """A waiver that holds in one quiet line; one that no longer does as a warning with its place."""
    if one.standing is Standing.HOLDS:
        return of_finding(Finding("waived", words(one)), Tone.NOTE)
    return of_finding(Finding("not-waived", words(one), origin=one.waiver.origin), Tone.WARNING)


def _planned(plan: TargetPlan) -> TargetRow:
    actions = [change.action for change in plan.changes]
    standing = plan.standing_guards
    if not plan.changes:
        status = Status.UNCHANGED
    elif plan.blocks:
        status = Status.BLOCKED
    else:
        status = Status.GUARDED if standing else Status.CHANGED
    return TargetRow(
        name=line(plan.name),
        where=_where(plan.target),
        status=status,
        lines=diff_lines(plan),
        counts=tuple((action, actions.count(action)) for action in Action if action in actions),
        # What stands in the way of nothing is not worth a line.
        blocks=tuple(of_finding(block) for block in plan.blocks) if plan.changes else (),
        guards=tuple(of_finding(guard) for guard in standing),
        allowed=tuple(of_finding(replace(guard, hint="")) for guard in plan.guards if guard not in standing),
        remarks=(
            *(of_finding(warning, Tone.WARNING) for warning in plan.warnings),
            *(of_finding(note, Tone.NOTE) for note in plan.notes),
        ),
        wave=plan.desired.wave,
        origin=place(plan.desired.origin),
    )


def _failed(failure: TargetFailure) -> TargetRow:
    message = Message(failure.kind.value, line(failure.summary), prose(failure.detail), prose(failure.hint))
    diagnostics = (of_diagnostic(diagnostic) for diagnostic in failure.diagnostics)
    status = Status.UNREAD if failure.kind is FailureKind.INTERRUPTED else Status.FAILED
    return TargetRow(line(failure.name), _where(failure.target), status, errors=(message, *diagnostics))


def _outcome(outcome: Outcome, planned: TargetPlan | TargetFailure | None) -> OutcomeRow:
    changes = len(outcome.changes)
    shown = outcome.collateral is not None  # then its lines say what moved
    findings = tuple(of_finding(finding) for finding in outcome.findings if not (shown and finding.code == "moved"))
    if isinstance(planned, TargetFailure):
        findings += tuple(of_diagnostic(diagnostic) for diagnostic in planned.diagnostics)
    elif planned is not None and outcome.kind not in DONE:
        changes = len(planned.changes)
    return OutcomeRow(
        name=line(outcome.name),
        where=_where(outcome.target),
        kind=outcome.kind,
        message=Message(outcome.kind.value, line(outcome.summary), prose(outcome.detail), prose(outcome.hint)),
        job=line(outcome.job or ""),
        changes=changes,
        findings=findings,
        collateral=() if outcome.collateral is None else diff_lines(outcome.collateral),
        origin=place(planned.desired.origin) if isinstance(planned, TargetPlan) else None,
    )


def _where(target: Target) -> str:
    account = f", account {target.account}" if target.account else ""
    return line(f"app {target.app}, environment {target.environment}, {target.region}{account}")
