"""Resume: settle the update that an earlier run sent, or was about to send, and did not see the end of."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import datetime

from reconciler.core.gateway import Gateway
from reconciler.core.model import Desired, Job, Outcome, OutcomeKind
from reconciler.core.normalise import desired_tree
from reconciler.core.targetplan import Prepared, settled_domains
from reconciler.errors import AnswerLost, ReconcilerError
from reconciler.ledger.ledger import Opened
from reconciler.ledger.record import Intent
from reconciler.operations.fleet import for_each
from reconciler.operations.jobs import Stopped
from reconciler.operations.keeping import Keeping
from reconciler.operations.leasing import leased
from reconciler.operations.outcomes import failed, outcome_of
from reconciler.operations.settle import Checked, Following, Settled, settle


def resume(
    opened: Sequence[Opened],
    gateway_of: Callable[[Desired], Gateway],
    *,
    keeping: Keeping,
    following: Following,
    parallelism: int = 1,
) -> tuple[Outcome, ...]:
    """Settle updates that are in the journal; nothing is ever sent.

    Args:
        opened: the journal's open entries, one for each environment.
        gateway_of: the gateway of a target; called in this thread.
        keeping: the ledger, and what this run is called there.
        following: how to follow a job.
        parallelism: the most targets under way at once.

    Returns:
        What became of each update, in the order of the entries.
    """
    work: list[tuple[Opened, Gateway | Outcome]] = []
    for entry in opened:
        try:
            work.append((entry, gateway_of(entry.intent.plan.desired)))
        except ReconcilerError as problem:
            work.append((entry, failed(entry.intent.plan, problem)))
    with leased([entry.intent.plan for entry in opened], keeping, following) as held:

        def one(item: tuple[Opened, Gateway | Outcome]) -> Outcome:
            entry, gateway = item
            plan = entry.intent.plan
            if isinstance(gateway, Outcome):
                return gateway
            try:
                return held.refusal(plan) or _pick_up_if_open(entry, gateway, keeping, following)
            except Stopped:
                return outcome_of(plan, OutcomeKind.SKIPPED, "its update was not looked at")
            except ReconcilerError as problem:
                return failed(plan, problem)
            except Exception as problem:  # noqa: BLE001 - a fault of ours in one target must not hide another's outcome
                summary = f"its update was not settled: there was a {type(problem).__name__}"
                return outcome_of(plan, OutcomeKind.UNKNOWN, summary)

        return for_each(work, one, parallelism=parallelism)


def _pick_up_if_open(entry: Opened, gateway: Gateway, keeping: Keeping, following: Following) -> Outcome:
    """Settle an update, unless somebody has done so before the target was ours."""
    now = keeping.ledger.still_open(entry)
    return _settled_before(entry) if now is None else pick_up(now, gateway, keeping, following).outcome


def _settled_before(entry: Opened) -> Outcome:
    return outcome_of(entry.intent.plan, OutcomeKind.UNCHANGED, "another run has settled it")


def pick_up(opened: Opened, gateway: Gateway, keeping: Keeping, following: Following) -> Settled:
    """Settle one update and record it; the caller holds the target.

    A job that the service named is adopted. Otherwise the jobs that were not there before, and what
    stands, decide: the update landed, is in flight, did not land, or was overtaken.
    """
    intent = opened.intent
    following.observer(intent.plan.name, f"Picking up the update of run {intent.run.id}...")
    began = following.clock.now()
    answer: Job | AnswerLost = AnswerLost(f"run {intent.run.id} ended before it had an answer")
    if intent.job is not None:
        answer = Job(intent.job, status="")
    settled = settle(_as_it_was(intent, gateway), answer, intent.jobs, following, again=True)
    clock = following.clock
    outcome = keeping.resuming(intent).finish(opened, settled, clock.utc(), clock.now() - began)
    if settled.landed is False and not outcome.unrecorded:
        keeping.free(intent)
    return replace(settled, outcome=outcome)


def _as_it_was(intent: Intent, gateway: Gateway) -> Checked:
    """The target as the run knew it right before it sent, but for the secrets, which nobody wrote down.

    Their places hold state words, which compare with nothing: only the next plan can tell about them.
    """
    plan, before = intent.plan, intent.before
    wanted, _ = settled_domains(desired_tree(plan.desired), before, plan.target.environment)
    sent = tuple(tuple(block.split(".")) for block in plan.sent)
    return Checked(plan, gateway, Prepared(plan, wanted, plan.live, plan.planned, sent), before)


def give_up(opened: Sequence[Opened], *, keeping: Keeping, following: Following) -> tuple[Outcome, ...]:
    """Close the journal of updates whose end nobody can see, and record that; nothing is read or sent.

    Returns:
        UNKNOWN for each entry that was closed; otherwise why it was not, in the order of the entries.
    """
    with leased([entry.intent.plan for entry in opened], keeping, following) as held:
        return tuple(
            held.refusal(entry.intent.plan) or _given_up(entry, keeping, following.clock.utc()) for entry in opened
        )


def _given_up(entry: Opened, keeping: Keeping, ended: datetime) -> Outcome:
    try:
        opened = keeping.ledger.still_open(entry)
    except ReconcilerError as problem:
        return failed(entry.intent.plan, problem)
    if opened is None:
        return _settled_before(entry)
    intent = opened.intent
    summary = f"given up by {keeping.run.who}: whether the update of run {intent.run.id} landed was not seen"
    hint = "plan, to see what stands"
    outcome = replace(outcome_of(intent.plan, OutcomeKind.UNKNOWN, summary, hint=hint), job=intent.job)
    outcome = keeping.resuming(intent).finish(opened, Settled(outcome), ended, 0)
    if not outcome.unrecorded:
        return outcome
    return replace(outcome, kind=OutcomeKind.FAILED, summary="it was not given up")
