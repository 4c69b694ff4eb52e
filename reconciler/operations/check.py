"""Whether a target is still as it was planned: read again, resolved again, planned again, and the same came out."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Protocol

from reconciler.core.diff import differences
from reconciler.core.gateway import Gateway
from reconciler.core.model import (
    IN_CLEAR,
    Change,
    Desired,
    Finding,
    Live,
    Outcome,
    OutcomeKind,
    Target,
    TargetPlan,
    dotted,
)
from reconciler.core.normalise import desired_tree, hidden_places
from reconciler.core.planfile import fingerprint
from reconciler.core.proof import Proofs, standings
from reconciler.core.secret import Proof, SecretState
from reconciler.core.sources import DENIED
from reconciler.core.targetplan import Prepared, prepare, states
from reconciler.core.tree import ABSENT, copied, get, leaves, put
from reconciler.errors import Diagnostic, InputProblem, Severity
from reconciler.operations.live import read_live
from reconciler.operations.outcomes import outcome_of
from reconciler.operations.settle import Checked, reliable

Resolve = Callable[[Desired], tuple[Desired, tuple[Diagnostic, ...]]]
ProofsOf = Callable[[Target], Proofs]


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


def check(item: Planned, resolve: Resolve, proofs_of: ProofsOf) -> Checked | Outcome:
    """The target read again, when it is as it was planned; otherwise why it is not.

    Args:
        item: what was planned, and the way there.
        resolve: replaces references by their values.
        proofs_of: what the ledger knows of the secrets of a target, and this run's key.
    """
    plan, gateway = item.plan, item.gateway
    if not (plan.changes or plan.unresolved):
        return _unchanged(item)
    desired, problems = resolve(plan.desired)
    if errors := tuple(problem for problem in problems if problem.severity is Severity.ERROR):
        findings = tuple(Finding(error.code, error.summary, error.detail, error.hint, error.origin) for error in errors)
        kind = OutcomeKind.DENIED if any(error.code == DENIED for error in errors) else OutcomeKind.FAILED
        return outcome_of(plan, kind, "its references can't be resolved", findings=findings)
    proofs = proofs_of(plan.target)
    live = read_live(gateway, plan.desired, with_meta=bool(plan.changes))
    moved = _shown(plan, proofs) or _stale(plan, live) or _moved_secrets(plan, desired, live, proofs)
    if moved is not None:
        return moved
    try:
        prepared = prepare(desired, live, plan.secrets)
    except InputProblem as problem:
        findings = tuple(
            Finding(lack.code, lack.summary, lack.detail, lack.hint, lack.origin) for lack in problem.diagnostics
        )
        summary = "what the service tells moved since the plan was made"
        return outcome_of(plan, OutcomeKind.STALE, summary, hint="plan again", findings=findings)
    return refused(prepared.plan) or _broken(plan, prepared.plan) or Checked(plan, gateway, prepared, live)


def _unchanged(item: Planned) -> Checked | Outcome:
    """A target to which nothing is sent needs no secrets: it is only looked at whether it moved."""
    plan = item.plan
    live = read_live(item.gateway, plan.desired, with_meta=False)
    return _stale(plan, live) or Checked(plan, item.gateway, Prepared(plan, {}, live.tree, live.tree, ()), live)


def _shown(plan: TargetPlan, proofs: Proofs) -> Outcome | None:
    """Why a plan shows too much, made without the ledger that knows a text for a secret; None where it does not."""
    known = hidden_places(replace(plan.desired, hidden=proofs.hidden))
    seen = sorted(path for path in known - hidden_places(plan.desired) if get(plan.live, path) is not ABSENT)
    if not seen:
        return None
    names = ", ".join(dotted(path) for path in seen)
    summary = f"the plan does not hide {names}, which an earlier document made secret"
    finding = Finding(IN_CLEAR, "the plan is not recorded", hint="remove its file, and plan again with this ledger")
    return outcome_of(plan, OutcomeKind.STALE, summary, findings=(finding,))


def _moved_secrets(plan: TargetPlan, desired: Desired, live: Live, proofs: Proofs) -> Outcome | None:
    """Why the secrets are not what they were when the plan was made; None where they are, as far as it is bound."""
    shown = {change.path for change in plan.changes}
    written = desired_tree(desired)
    now = {standing.path: standing for standing in standings(plan.target, written, live.tree, proofs)}
    for planned in plan.secrets:
        name, found = dotted(planned.path), now[planned.path]
        if planned.fingerprint is not None and found.fingerprint is None:
            summary = "the plan is bound to the values of its secrets, and this run has no key to compare them"
            return outcome_of(plan, OutcomeKind.STALE, summary, hint="set RECONCILER_LEDGER_KEY, or plan again")
        if planned.fingerprint not in {None, found.fingerprint}:
            summary = f"{name} is another than when it was planned, or this run has another key"
            return outcome_of(plan, OutcomeKind.STALE, summary, hint="plan again")
        if planned.proof is not Proof.UNPROVEN and planned.proof is not found.proof:
            summary = f"what the ledger knows of {name} is not what it was when it was planned"
            return outcome_of(plan, OutcomeKind.STALE, summary, hint="plan again")
        other = found.proof is Proof.READABLE and get(written, planned.path) != get(live.tree, planned.path)
        if planned.path not in shown and planned.proof is Proof.UNPROVEN and (other or found.proof is Proof.ROTATED):
            differs = "differs from live" if other else "was rotated"
            summary = f"{name} {differs}, and the plan, which was made without it, does not show that"
            return outcome_of(plan, OutcomeKind.STALE, summary, hint="plan again where secrets may be read")
    return None


def _promise(plan: TargetPlan) -> tuple[tuple[Change, ...], str, tuple[str, ...]]:
    """What was shown: the changes, the state that they lead to, and the blocks that are sent."""
    planned = copied(plan.planned)
    for row, value in leaves(planned):
        if isinstance(value, SecretState):  # a reference that was not resolved when it was planned is a value now
            put(planned, row.path, SecretState.UNKNOWN)
    return plan.changes, fingerprint(planned), plan.sent


def refused(plan: TargetPlan) -> Outcome | None:
    """Why a plan can't be carried out as it stands; None where it can."""
    if plan.changes and plan.blocks:
        return outcome_of(plan, OutcomeKind.BLOCKED, "the plan has a change that can't be made", findings=plan.blocks)
    if plan.changes and plan.standing_guards:
        return outcome_of(plan, OutcomeKind.GUARDED, "a guard stands in the way", findings=plan.standing_guards)
    return None


def _broken(plan: TargetPlan, now: TargetPlan) -> Outcome | None:
    """Why a target that is planned again does not come out as it was shown."""
    if _promise(now) == _promise(plan):
        return None
    summary = "a secret, or what the service tells, is another than when it was planned"
    return outcome_of(plan, OutcomeKind.STALE, summary, hint="plan again")


def _stale(plan: TargetPlan, live: Live) -> Outcome | None:
    """Why a target is not what it was when the plan was made; None where it is."""
    if live.fingerprint == plan.fingerprint:
        return None
    moved = reliable(plan, differences(plan.live, states(live.tree)))
    findings = tuple(Finding("moved", f"{dotted(move.path)} moved since the plan was made") for move in moved)
    summary = "the live configuration moved since the plan was made"
    return outcome_of(plan, OutcomeKind.STALE, summary, hint="plan again", findings=findings)
