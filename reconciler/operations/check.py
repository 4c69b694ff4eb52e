"""Whether a target is still as it was planned: read again, resolved again, planned again, and the same came out."""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol

from reconciler.core.diff import differences
from reconciler.core.gateway import Gateway
from reconciler.core.model import Change, Desired, Finding, Live, Outcome, OutcomeKind, TargetPlan, dotted
from reconciler.core.planfile import fingerprint
from reconciler.core.targetplan import prepare, states
from reconciler.errors import Diagnostic, InputProblem, Severity
from reconciler.operations.live import read_live
from reconciler.operations.outcomes import outcome_of
from reconciler.operations.settle import Checked, reliable

Resolve = Callable[[Desired], tuple[Desired, tuple[Diagnostic, ...]]]


class Planned(Protocol):
    """A target's plan, and the way to the target."""

    @property
    def plan(self) -> TargetPlan:
        """What was shown."""
        ...

    @property
    def gateway(self) -> Gateway:
        """Where to read."""
        ...


def check(item: Planned, resolve: Resolve) -> Checked | Outcome:
    """The target read again, when it is as it was planned; otherwise why it is not."""
    plan, gateway = item.plan, item.gateway
    desired, problems = resolve(plan.desired)
    if errors := tuple(problem for problem in problems if problem.severity is Severity.ERROR):
        findings = tuple(Finding(error.code, error.summary, error.detail, error.hint, error.origin) for error in errors)
        return outcome_of(plan, OutcomeKind.FAILED, "its references can't be resolved", findings=findings)
    live = read_live(gateway, plan.target, with_meta=bool(plan.changes))
    if live.fingerprint != plan.fingerprint:
        return _stale(plan, live)
    try:
        prepared = prepare(desired, live)
    except InputProblem as problem:
        findings = tuple(
            Finding(lack.code, lack.summary, lack.detail, lack.hint, lack.origin) for lack in problem.diagnostics
        )
        summary = "what the service tells moved since the plan was made"
        return outcome_of(plan, OutcomeKind.STALE, summary, hint="plan again", findings=findings)
    if refusal := refused(prepared.plan):
        return refusal
    if _promise(prepared.plan) != _promise(plan):
        summary = "a secret, or what the service tells, is another than when it was planned"
        return outcome_of(plan, OutcomeKind.STALE, summary, hint="plan again")
    return Checked(plan, gateway, prepared, live)


def _promise(plan: TargetPlan) -> tuple[tuple[Change, ...], str, tuple[str, ...]]:
    """What was shown: the changes, the state that they lead to, and the blocks that are sent."""
    return plan.changes, fingerprint(plan.planned), plan.sent


def refused(plan: TargetPlan) -> Outcome | None:
    """Why a plan can't be carried out as it stands; None where it can."""
    if plan.changes and plan.blocks:
        return outcome_of(plan, OutcomeKind.BLOCKED, "the plan has a change that can't be made", findings=plan.blocks)
    if plan.changes and plan.standing_guards:
        return outcome_of(plan, OutcomeKind.GUARDED, "a guard stands in the way", findings=plan.standing_guards)
    return None


def _stale(plan: TargetPlan, live: Live) -> Outcome:
    moved = reliable(plan, differences(plan.live, states(live.tree)))
    findings = tuple(Finding("moved", f"{dotted(move.path)} moved since the plan was made") for move in moved)
    summary = "the live configuration moved since the plan was made"
    return outcome_of(plan, OutcomeKind.STALE, summary, hint="plan again", findings=findings)
