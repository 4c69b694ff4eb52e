"""Apply: send what the plan says or refuse, wait for the job, and prove the result."""

from __future__ import annotations

import shlex
from collections.abc import Callable
from dataclasses import dataclass, replace

from reconciler.core.diff import Difference, differences
from reconciler.core.gateway import Gateway
from reconciler.core.model import (
    EMBEDDED,
    Desired,
    Finding,
    Job,
    Live,
    Outcome,
    OutcomeKind,
    Plan,
    Secret,
    Target,
    TargetFailure,
    TargetPlan,
    dotted,
)
from reconciler.core.targetplan import Prepared, prepare, states
from reconciler.core.transcript import reason
from reconciler.core.tree import leaves
from reconciler.core.verify import unreliable
from reconciler.errors import (
    AccessProblem,
    AnotherJobRunning,
    AnswerLost,
    Diagnostic,
    ServiceProblem,
    Severity,
)
from reconciler.operations.fleet import Observer, for_each, silent
from reconciler.operations.jobs import COMPLETED, FAILED, Clock, Stopped, Waiting, find_started, job_ids, wait_for
from reconciler.operations.live import read_live
from reconciler.operations.verify import verify

GatewayOf = Callable[[Desired], Gateway]
Resolve = Callable[[Desired], tuple[Desired, tuple[Diagnostic, ...]]]


@dataclass(frozen=True, slots=True)
class _Parts:
    """What an apply works with, for all targets."""

    resolve: Resolve
    clock: Clock
    waiting: Waiting
    observer: Observer


@dataclass(frozen=True, slots=True)
class _Checked:
    """A target that is still as it was planned."""

    plan: TargetPlan
    gateway: Gateway
    prepared: Prepared
    live: Live


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
    parts = _Parts(resolve, clock, waiting, observer)
    work = [_with_gateway(target, gateway_of) for target in plan.targets]
    checked = for_each(work, lambda item: _check_first(item, parts), parallelism=parallelism)
    if any(isinstance(item, Outcome) for item in checked):
        return tuple(item if isinstance(item, Outcome) else _skipped(item.plan) for item in checked)
    return for_each(checked, lambda item: _finish(item, parts), parallelism=parallelism)


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


def _check_first(item: tuple[TargetPlan, Gateway] | Outcome, parts: _Parts) -> _Checked | Outcome:
    """Whether a target is still as it was planned, before anything is sent to any."""
    if isinstance(item, Outcome):
        return item
    target, gateway = item
    try:
        return _check(target, gateway, parts)
    except ServiceProblem as problem:
        return _failed(target, problem)


def _finish(item: _Checked | Outcome, parts: _Parts) -> Outcome:
    """What becomes of a target that may be updated."""
    if isinstance(item, Outcome):
        return item
    if not item.plan.changes:
        return Outcome(item.plan.name, item.plan.target, OutcomeKind.UNCHANGED)
    try:
        parts.clock.sleep(0)
        return _apply(item, parts)
    except Stopped:
        return _skipped(item.plan)
    except ServiceProblem as problem:
        return _failed(item.plan, problem)


def _check(plan: TargetPlan, gateway: Gateway, parts: _Parts) -> _Checked | Outcome:
    """The target read again, when it is as it was planned; otherwise why it is not."""
    desired, problems = parts.resolve(plan.desired)
    if errors := tuple(problem for problem in problems if problem.severity is Severity.ERROR):
        findings = tuple(Finding(error.code, error.summary, error.detail, error.hint, error.origin) for error in errors)
        summary = "its references can't be resolved"
        return Outcome(plan.name, plan.target, OutcomeKind.FAILED, summary, findings=findings)
    live = read_live(gateway, plan.target, with_meta=bool(plan.changes))
    if live.fingerprint != plan.fingerprint:
        return _stale(plan, live)
    prepared = prepare(desired, live)
    if refused := _refused(prepared.plan):
        return refused
    if prepared.plan.changes != plan.changes:
        summary = "a secret, or what the service tells of one, is another than when it was planned"
        return _outcome(plan, OutcomeKind.STALE, summary, hint="plan again")
    return _Checked(plan, gateway, prepared, live)


def _refused(plan: TargetPlan) -> Outcome | None:
    if plan.changes and plan.blocks:
        return _outcome(plan, OutcomeKind.BLOCKED, "the plan has a change that can't be made", findings=plan.blocks)
    if plan.changes and plan.standing_guards:
        return _outcome(plan, OutcomeKind.GUARDED, "a guard stands in the way", findings=plan.standing_guards)
    return None


def _apply(item: _Checked, parts: _Parts) -> Outcome:
    """Send one target's update and follow it to its end."""
    plan, gateway = item.plan, item.gateway
    before = job_ids(gateway, plan.target)
    again = _check(plan, gateway, parts)
    if isinstance(again, Outcome):
        return again
    parts.observer(plan.name, "Modifying...")
    try:
        job = gateway.update_auth(plan.target, again.prepared.request())
        lost = None
    except AnswerLost as problem:
        job, lost = None, problem
    try:
        if job is None or (job.id is None and job.status not in {COMPLETED, FAILED}):
            found = find_started(gateway, plan.target, before, clock=parts.clock, waiting=parts.waiting)
            if found is None:
                return _undecided(again, lost, parts)
            job = found
        return _follow(again, job, parts)
    except Stopped:
        return replace(
            _outcome(plan, OutcomeKind.UNKNOWN, "stopped waiting: the update was sent, and its job goes on"),
            job=job.id if job else None,
            hint=_look(plan.target, job.id if job else None),
        )
    except ServiceProblem as problem:
        return replace(
            _outcome(plan, OutcomeKind.UNKNOWN, f"the update was sent, and then {problem.summary}"),
            job=job.id if job else None,
            detail=problem.detail,
            hint=_look(plan.target, job.id if job else None),
        )


def _follow(item: _Checked, job: Job, parts: _Parts) -> Outcome:
    """Wait for the job and judge what stands after it."""
    plan = item.plan
    parts.observer(plan.name, f"Update started [job {job.id}]")
    job = wait_for(
        item.gateway,
        plan.target,
        job,
        name=plan.name,
        clock=parts.clock,
        waiting=parts.waiting,
        observer=parts.observer,
    )
    if job.status == FAILED:
        return replace(_job_failed(item, job), job=job.id)
    if job.status != COMPLETED:
        outcome = _outcome(
            plan,
            OutcomeKind.TIMED_OUT,
            f"the job had not ended after {parts.waiting.job_timeout:.0f}s, its status is {job.status or 'unknown'}",
            hint=_look(plan.target, job.id),
        )
        return replace(outcome, job=job.id)
    return replace(_verified(item, parts), job=job.id)


def _verified(item: _Checked, parts: _Parts) -> Outcome:
    findings = verify(
        item.prepared,
        item.live,
        item.gateway,
        clock=parts.clock,
        waiting=parts.waiting,
        observer=parts.observer,
    )
    if findings:
        summary = "the job completed, and what stands is not what was planned"
        return _outcome(item.plan, OutcomeKind.UNVERIFIED, summary, findings=findings)
    return replace(_outcome(item.plan, OutcomeKind.APPLIED), changes=item.plan.changes)


def _job_failed(item: _Checked, job: Job) -> Outcome:
    """The job's reason without its noise, and whether anything moved all the same."""
    secrets = [value.reveal() for tree in (item.prepared.planned, item.live.tree or {}) for value in _secrets(tree)]
    outcome = _outcome(item.plan, OutcomeKind.FAILED, "the job failed", detail=reason(job.error or "", secrets))
    try:
        after = read_live(item.gateway, item.plan.target, with_meta=False)
    except ServiceProblem as problem:
        return replace(outcome, hint=f"whether anything moved is not known: {problem.summary}")
    moved = _reliable(item.plan, differences(item.live.tree or {}, after.tree or {}))
    if not moved:
        return replace(outcome, hint="live is as it was before")
    findings = tuple(Finding("moved", f"{dotted(move.path)} moved although the job failed") for move in moved)
    return replace(outcome, kind=OutcomeKind.UNVERIFIED, findings=findings)


def _secrets(tree: dict[str, object]) -> tuple[Secret, ...]:
    return tuple(value for _, value in leaves(tree) if isinstance(value, Secret))


def _undecided(item: _Checked, lost: AnswerLost | None, parts: _Parts) -> Outcome:
    """No job appeared after a lost answer: what stands decides, and nothing is sent again."""
    said = lost.summary if lost else "the answer named no job"
    after = read_live(item.gateway, item.plan.target, with_meta=False)
    if after.fingerprint == item.plan.fingerprint:
        summary = f"the update did not land: {said}; no job appeared and live is unchanged"
        return _outcome(item.plan, OutcomeKind.FAILED, summary, hint="apply again")
    outcome = _verified(item, parts)
    if outcome.kind is OutcomeKind.APPLIED:
        return outcome
    summary = f"nobody can say whether the update landed: {said}"
    detail = "no job appeared, and live is neither as it was before nor as planned"
    return replace(
        outcome, kind=OutcomeKind.UNKNOWN, summary=summary, detail=detail, hint=_look(item.plan.target, None)
    )


def _stale(plan: TargetPlan, live: Live) -> Outcome:
    moved = _reliable(plan, differences(plan.live, states(live.tree or {})))
    findings = tuple(Finding("moved", f"{dotted(move.path)} moved since the plan was made") for move in moved)
    summary = "the live configuration moved since the plan was made"
    return _outcome(plan, OutcomeKind.STALE, summary, hint="plan again", findings=findings)


def _reliable(plan: TargetPlan, moved: tuple[Difference, ...]) -> tuple[Difference, ...]:
    """What moved without the members that read back differently by themselves."""
    return tuple(move for move in moved if not unreliable(move, plan.target.environment))


def _failed(plan: TargetPlan, problem: ServiceProblem) -> Outcome:
    match problem:
        case AnotherJobRunning():
            kind = OutcomeKind.LOCKED
        case AccessProblem():
            kind = OutcomeKind.DENIED
        case _:
            kind = OutcomeKind.FAILED
    return _outcome(plan, kind, problem.summary, detail=problem.detail, hint=problem.hint)


def _skipped(plan: TargetPlan) -> Outcome:
    if not plan.changes:
        return Outcome(plan.name, plan.target, OutcomeKind.UNCHANGED)
    return _outcome(plan, OutcomeKind.SKIPPED, "nothing was sent")


def _outcome(
    plan: TargetPlan,
    kind: OutcomeKind,
    summary: str = "",
    *,
    detail: str = "",
    hint: str = "",
    findings: tuple[Finding, ...] = (),
) -> Outcome:
    return Outcome(plan.name, plan.target, kind, summary, detail, hint, findings=findings)


def _look(target: Target, job: str | None) -> str:
    """The command that shows the job."""
    operation = "get-backend-job" if job else "list-backend-jobs"
    words = ["aws", "amplifybackend", operation, "--app-id", target.app]
    words += ["--backend-environment-name", target.environment, "--region", target.region]
    words += ["--job-id", job] if job else []
    if target.endpoint == EMBEDDED:
        return f"serve the backend with 'reconciler emulator', and look at it with: {shlex.join(words)}"
    words += ["--endpoint-url", target.endpoint] if target.endpoint else []
    return f"look at it with: {shlex.join(words)}"
