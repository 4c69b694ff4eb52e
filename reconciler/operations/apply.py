"""Apply: send what the plan says or refuse; what follows the sending is in ``settle``."""

from __future__ import annotations

from collections.abc import Callable

from reconciler.core.diff import differences
from reconciler.core.gateway import Gateway
from reconciler.core.model import (
    Change,
    Desired,
    Finding,
    Live,
    Outcome,
    OutcomeKind,
    Plan,
    TargetFailure,
    TargetPlan,
    dotted,
)
from reconciler.core.planfile import fingerprint
from reconciler.core.targetplan import prepare, states
from reconciler.errors import (
    AccessProblem,
    AnotherJobRunning,
    AnswerLost,
    Diagnostic,
    InputProblem,
    ServiceProblem,
    Severity,
)
from reconciler.operations.fleet import Observer, for_each, silent
from reconciler.operations.jobs import Clock, Stopped, Waiting, job_ids
from reconciler.operations.live import read_live
from reconciler.operations.settle import Checked, Following, outcome_of, reliable, settle

GatewayOf = Callable[[Desired], Gateway]
Resolve = Callable[[Desired], tuple[Desired, tuple[Diagnostic, ...]]]


def apply(
    plan: Plan,
    gateway_of: GatewayOf,
    resolve: Resolve,
    *,
    clock: Clock,
    waiting: Waiting,
    parallelism: int = 1,
    observer: Observer = silent,
) -> tuple[Outcome, ...]:
    """Carry out a plan.

    All targets are read again first: when one is stale, blocked, guarded or unreadable nothing is sent to
    any, and the others are skipped. Each is read once more right before its own update.

    Args:
        plan: what was shown.
        gateway_of: the gateway of a target; called in this thread.
        resolve: replaces references by their values; returns problems instead of raising them.
        clock: time, and how to stop waiting.
        waiting: how long to wait for jobs and results.
        parallelism: the most targets under way at once.
        observer: told of each target's progress.

    Returns:
        What became of each target, in the order of the plan.
    """
    following = Following(clock, waiting, observer)
    work = [_with_gateway(target, gateway_of) for target in plan.targets]
    checked = for_each(work, lambda item: _check_first(item, resolve, clock), parallelism=parallelism)
    if any(isinstance(item, Outcome) for item in checked):
        return tuple(item if isinstance(item, Outcome) else _skipped(item.plan) for item in checked)
    return for_each(checked, lambda item: _finish(item, resolve, following), parallelism=parallelism)


def _with_gateway(target: TargetPlan | TargetFailure, gateway_of: GatewayOf) -> tuple[TargetPlan, Gateway] | Outcome:
    """A target with the way to it, or why it may not be updated before anything is read."""
    if isinstance(target, TargetFailure):
        return Outcome(target.name, target.target, OutcomeKind.FAILED, target.summary, target.detail, target.hint)
    if refused := _refused(target):
        return refused
    try:
        return target, gateway_of(target.desired)
    except ServiceProblem as problem:
        return _failed(target, problem)


def _check_first(item: tuple[TargetPlan, Gateway] | Outcome, resolve: Resolve, clock: Clock) -> Checked | Outcome:
    """Whether a target is still as it was planned, before anything is sent to any."""
    if isinstance(item, Outcome):
        return item
    target, gateway = item
    try:
        clock.sleep(0)
        return _check(target, gateway, resolve)
    except Stopped:
        return outcome_of(target, OutcomeKind.SKIPPED, "nothing was sent")
    except ServiceProblem as problem:
        return _failed(target, problem)
    except Exception as problem:  # noqa: BLE001 - a fault of ours in one target must not hide another's outcome
        return _broken(target, problem)


def _finish(item: Checked | Outcome, resolve: Resolve, following: Following) -> Outcome:
    """What becomes of a target that may be updated."""
    if isinstance(item, Outcome):
        return item
    if not item.plan.changes:
        return outcome_of(item.plan, OutcomeKind.UNCHANGED)
    try:
        return _send(item, resolve, following)
    except Stopped:
        return _skipped(item.plan)
    except ServiceProblem as problem:
        return _failed(item.plan, problem)
    except Exception as problem:  # noqa: BLE001 - the same; settle makes outcomes of what comes after the sending
        return _broken(item.plan, problem)


def _check(plan: TargetPlan, gateway: Gateway, resolve: Resolve) -> Checked | Outcome:
    """The target read again, when it is as it was planned; otherwise why it is not."""
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
    if refused := _refused(prepared.plan):
        return refused
    if _promise(prepared.plan) != _promise(plan):
        summary = "a secret, or what the service tells, is another than when it was planned"
        return outcome_of(plan, OutcomeKind.STALE, summary, hint="plan again")
    return Checked(plan, gateway, prepared, live)


def _promise(plan: TargetPlan) -> tuple[tuple[Change, ...], str, tuple[str, ...]]:
    """What was shown: the changes, the state that they lead to, and the blocks that are sent."""
    return plan.changes, fingerprint(plan.planned), plan.sent


def _refused(plan: TargetPlan) -> Outcome | None:
    if plan.changes and plan.blocks:
        return outcome_of(plan, OutcomeKind.BLOCKED, "the plan has a change that can't be made", findings=plan.blocks)
    if plan.changes and plan.standing_guards:
        return outcome_of(plan, OutcomeKind.GUARDED, "a guard stands in the way", findings=plan.standing_guards)
    return None


def _send(item: Checked, resolve: Resolve, following: Following) -> Outcome:
    """Read one target once more, send its update, and follow it to its end."""
    plan, gateway = item.plan, item.gateway
    before = job_ids(gateway, plan.target)
    again = _check(plan, gateway, resolve)
    if isinstance(again, Outcome):
        return again
    request = again.prepared.request()
    following.clock.sleep(0)
    following.observer(plan.name, "Modifying...")
    try:
        answer = gateway.update_auth(plan.target, request)
    except AnswerLost as problem:
        return settle(again, problem, before, following)
    return settle(again, answer, before, following)


def _stale(plan: TargetPlan, live: Live) -> Outcome:
    moved = reliable(plan, differences(plan.live, states(live.tree)))
    findings = tuple(Finding("moved", f"{dotted(move.path)} moved since the plan was made") for move in moved)
    summary = "the live configuration moved since the plan was made"
    return outcome_of(plan, OutcomeKind.STALE, summary, hint="plan again", findings=findings)


def _failed(plan: TargetPlan, problem: ServiceProblem) -> Outcome:
    match problem:
        case AnotherJobRunning():
            kind = OutcomeKind.LOCKED
        case AccessProblem():
            kind = OutcomeKind.DENIED
        case _:
            kind = OutcomeKind.FAILED
    return outcome_of(plan, kind, problem.summary, detail=problem.detail, hint=problem.hint)


def _broken(plan: TargetPlan, problem: Exception) -> Outcome:
    return outcome_of(plan, OutcomeKind.FAILED, f"nothing was sent: there was a {type(problem).__name__}")


def _skipped(plan: TargetPlan) -> Outcome:
    if not plan.changes:
        return outcome_of(plan, OutcomeKind.UNCHANGED)
    return outcome_of(plan, OutcomeKind.SKIPPED, "nothing was sent")
