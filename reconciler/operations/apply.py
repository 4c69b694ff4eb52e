"""Apply: send what the plan says or refuse; what follows the sending is in ``settle``."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import TypeAlias, TypeVar

from reconciler.core.gateway import Gateway
from reconciler.core.model import DONE, Desired, Outcome, OutcomeKind, Plan, TargetFailure, TargetPlan
from reconciler.errors import (
    UNKEPT,
    AnswerLost,
    ReconcilerError,
    ServiceProblem,
)
from reconciler.ledger.ledger import Claim
from reconciler.operations.check import Resolve, check, refused
from reconciler.operations.fleet import Observer, for_each, silent
from reconciler.operations.jobs import Clock, Stopped, Waiting, free_for_us
from reconciler.operations.keeping import Keeping
from reconciler.operations.leasing import Leased, leased
from reconciler.operations.outcomes import NOTHING_SENT, failed, how_to_look, outcome_of, skipped
from reconciler.operations.resume import pick_up
from reconciler.operations.settle import Checked, Following, settle
from reconciler.operations.waves import wave_by_wave

GatewayOf = Callable[[Desired], Gateway]
MODIFYING = "Modifying..."
"""What an observer is told of a target just before its update is sent."""


@dataclass(frozen=True, slots=True)
class _Applying:
    """What every step of one apply works with; ``saved`` is whether the plan was saved, and so applies only once."""

    resolve: Resolve
    following: Following
    keeping: Keeping
    saved: bool
    parallelism: int
    max_failures: int


@dataclass(frozen=True, slots=True)
class _Work:
    """A target that may be updated, and the way to it."""

    plan: TargetPlan
    gateway: Gateway


_Step: TypeAlias = _Work | Checked | Outcome
_Item = TypeVar("_Item", _Work, Checked)
_Done = TypeVar("_Done", bound=_Step)


def apply(
    plan: Plan,
    gateway_of: GatewayOf,
    resolve: Resolve,
    *,
    keeping: Keeping,
    clock: Clock,
    waiting: Waiting,
    saved: bool = False,
    parallelism: int = 1,
    max_failures: int = 0,
    observer: Observer = silent,
) -> tuple[Outcome, ...]:
    """Carry out a plan.

    Every target with changes is held until the end. An update that an earlier run left unsettled is settled
    first. Then all targets are read again: when one is locked, stale, blocked, guarded or unreadable nothing is
    sent to any, and the others are skipped. Then the waves go one after another, the lowest first: a wave is
    carried out to its end, whatever fails in it, and after too many failures those that follow are skipped. Each
    target is read once more right before its own update, and what is about to be sent is journalled.

    Args:
        plan: what was shown.
        gateway_of: the gateway of a target; called in this thread.
        resolve: replaces references by their values; returns problems instead of raising them.
        keeping: the ledger, and what this run is called there.
        clock: time, and how to stop waiting.
        waiting: how long to wait for leases, jobs and results.
        saved: whether the plan was saved, and so applies only once.
        parallelism: the most targets of a wave under way at once.
        max_failures: the most targets that may end otherwise than applied before a later wave begins.
        observer: told of each target's progress.

    Returns:
        What became of each target, in the order of the plan.
    """
    run = _Applying(resolve, Following(clock, waiting, observer), keeping, saved, parallelism, max_failures)
    work = tuple(_with_gateway(target, gateway_of) for target in plan.targets)
    began = clock.now()
    changed = [item.plan for item in work if isinstance(item, _Work) and item.plan.changes]
    with leased(changed, keeping, run.following) as held:
        ours = tuple(item if isinstance(item, Outcome) else held.refusals.get(item.plan.name, item) for item in work)
        fresh = _each(_all_or_none(ours), lambda item: _picked_up(item, run), run, "Looking into the ledger...")
        checked = _each(
            _all_or_none(fresh), lambda item: _check_first(item, run), run, "Checking the live configuration..."
        )
        outcomes = _sent(checked, held, run)
    seconds = clock.now() - began
    return tuple(
        _recorded(target, outcome, run, seconds) for target, outcome in zip(plan.targets, outcomes, strict=True)
    )


def _with_gateway(target: TargetPlan | TargetFailure, gateway_of: GatewayOf) -> _Work | Outcome:
    """A target with the way to it, or why it may not be updated before anything is read."""
    if isinstance(target, TargetFailure):
        return Outcome(target.name, target.target, OutcomeKind.FAILED, target.summary, target.detail, target.hint)
    if refusal := refused(target):
        return refusal
    try:
        return _Work(target, gateway_of(target.desired))
    except ServiceProblem as problem:
        return failed(target, problem)


def _each(
    items: Sequence[_Item | Outcome], work: Callable[[_Item], _Done | Outcome], run: _Applying, doing: str
) -> tuple[_Done | Outcome, ...]:
    """The next step of every target that has no outcome yet; ``doing`` is what the observer is told of it."""
    observer = run.following.observer

    def one(item: _Item | Outcome) -> _Done | Outcome:
        if isinstance(item, Outcome):
            return item
        became = done(item)
        observer.finished(item.plan.name, failed=isinstance(became, Outcome) and became.kind not in DONE)
        return became

    def done(item: _Item) -> _Done | Outcome:
        try:
            return work(item)
        except Stopped:
            return skipped(item.plan)
        except ReconcilerError as problem:
            return failed(item.plan, problem)
        except Exception as problem:  # noqa: BLE001 - a fault of ours in one target must not hide another's outcome
            if item.plan.name in run.keeping.sent:
                summary = f"the update was sent, and then came a {type(problem).__name__}"
                return outcome_of(item.plan, OutcomeKind.UNKNOWN, summary, hint=how_to_look(item.plan.target, None))
            summary = f"nothing was sent: there was a {type(problem).__name__}"
            return outcome_of(item.plan, OutcomeKind.FAILED, summary)

    observer.started(doing, sum(not isinstance(item, Outcome) for item in items))
    try:
        return for_each(items, one, parallelism=run.parallelism)
    finally:
        observer.ended()


def _all_or_none(items: Sequence[_Item | Outcome]) -> Sequence[_Item | Outcome]:
    """The targets as they are; once one was refused the others are skipped."""
    refused = next((item for item in items if isinstance(item, Outcome) and item.kind is not OutcomeKind.APPLIED), None)
    if refused is None:
        return items
    why = f"{NOTHING_SENT}, because {refused.name} is {refused.kind.value}"
    return tuple(item if isinstance(item, Outcome) else skipped(item.plan, why) for item in items)


def _picked_up(item: _Work, run: _Applying) -> _Work | Outcome:
    """Settle what an earlier run left open; a saved plan that was used before goes no further."""
    if not item.plan.changes:
        return item
    ledger, digest = run.keeping.ledger, run.keeping.run.digest
    opened = ledger.under_way(item.plan.target)
    if opened is not None:
        picked = pick_up(opened, item.gateway, run.keeping, run.following)
        outcome = picked.outcome
        known = outcome.kind in {OutcomeKind.APPLIED, OutcomeKind.FAILED} and picked.ended
        settled = known and not outcome.unrecorded
        ours = opened.intent.run.digest == digest and (picked.landed is not False or not settled)
        if ours or not settled:
            run.keeping.leave_out(item.plan)
        if ours:
            return outcome
        if not settled:
            summary = f"the update of run {opened.intent.run.id} comes first: {outcome.summary}"
            return replace(outcome, summary=summary, changes=())
    used = ledger.used_by(digest) if run.saved else None
    return item if used is None else _used(item.plan, used)


def _check_first(item: _Work, run: _Applying) -> Checked | Outcome:
    """Whether a target is free and still as it was planned, before anything is sent to any."""
    run.following.clock.sleep(0)
    if item.plan.changes:
        _free(item, run)
    return check(item, run.resolve, run.keeping.proofs_of)


def _free(item: _Work | Checked, run: _Applying) -> frozenset[str]:
    """The ids of the environment's jobs, all of which have ended.

    Raises:
        AnotherJobRunning: one has not.
    """
    clock, waiting, observer = run.following.clock, run.following.waiting, run.following.observer
    return free_for_us(
        item.gateway, item.plan.target, name=item.plan.name, clock=clock, waiting=waiting, observer=observer
    )


def _sent(checked: Sequence[Checked | Outcome], held: Leased, run: _Applying) -> tuple[Outcome, ...]:
    """Send what changes, a saved plan once and never again."""
    claim: Claim | None = None
    claimed: Sequence[Checked | Outcome] = checked
    if run.saved and any(isinstance(item, Checked) and item.plan.changes for item in checked):
        try:
            taken = run.keeping.ledger.claim(run.keeping.run.digest, run.keeping.run)
        except UNKEPT as problem:
            claimed = [failed(item.plan, problem) if isinstance(item, Checked) else item for item in checked]
        else:
            if isinstance(taken, str):
                claimed = [_used(item.plan, taken) if isinstance(item, Checked) else item for item in checked]
            else:
                claim = taken
    outcomes = wave_by_wave(
        _all_or_none(claimed),
        lambda wave, called: _each(wave, lambda item: _finish(item, held, run), run, f"Carrying out {called}..."),
        max_failures=run.max_failures,
        clock=run.following.clock,
    )
    if claim is not None and not run.keeping.sent:
        with contextlib.suppress(*UNKEPT):  # then it stays used, which is the safe side
            run.keeping.ledger.give_back(claim, run.keeping.run)
    return outcomes


def _finish(item: Checked, held: Leased, run: _Applying) -> Outcome:
    """Read one target once more, send its update, and follow it to its end."""
    keeping, clock = run.keeping, run.following.clock
    before = _free(item, run)
    again = check(item, run.resolve, run.keeping.proofs_of)
    if isinstance(again, Outcome):
        return again
    request = again.prepared.request()
    clock.sleep(0)
    if refused := held.refusal(item.plan):
        return refused
    run.following.observer(item.plan.name, MODIFYING)
    began = clock.now()
    opened = keeping.begin(again, before)
    if refused := held.refusal(item.plan):  # the journal may have taken longer than the lease is good for
        return keeping.refused(opened, refused, clock.utc(), clock.now() - began)
    try:
        answer = again.gateway.update_auth(item.plan.target, request)
    except AnswerLost as problem:
        settled = settle(again, problem, before, run.following)
    except ServiceProblem as problem:
        return keeping.refused(opened, failed(item.plan, problem), clock.utc(), clock.now() - began)
    else:
        opened = keeping.name_job(opened, answer.id)
        settled = settle(again, answer, before, run.following)
    return keeping.finish(opened, settled, clock.utc(), clock.now() - began)


def _used(plan: TargetPlan, run: str) -> Outcome:
    if not plan.changes:
        return outcome_of(plan, OutcomeKind.UNCHANGED)
    summary = f"the plan was used before, by run {run}"
    return outcome_of(
        plan, OutcomeKind.STALE, summary, hint=f"plan again; 'reconciler history {run}' tells what it did"
    )


def _recorded(target: TargetPlan | TargetFailure, outcome: Outcome, run: _Applying, seconds: float) -> Outcome:
    """The outcome, which the ledger knows where something was to be changed."""
    if isinstance(target, TargetFailure) or not target.changes:
        return outcome
    return run.keeping.record(target, outcome, run.following.clock.utc(), seconds)
