"""What follows a sent update: its job, the proof, and the truth where an answer was lost.

From here on nothing may hide that the update was sent: whatever goes wrong becomes an outcome.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

from reconciler.core.diff import Difference, differences
from reconciler.core.gateway import Gateway
from reconciler.core.meta import moved_beyond
from reconciler.core.model import Change, Finding, Job, Live, Mark, Outcome, OutcomeKind, TargetPlan, Tree, dotted
from reconciler.core.secret import Secret
from reconciler.core.targetplan import Prepared
from reconciler.core.tree import get
from reconciler.core.verify import as_plan, unreliable
from reconciler.errors import (
    AnswerLost,
    NotFound,
    ReadFailed,
    ServiceProblem,
)
from reconciler.operations.discreet import Discreet, carried_secrets, moves_unknown_secrets, without_reason
from reconciler.operations.fleet import Observer
from reconciler.operations.jobs import (
    COMPLETED,
    FAILED,
    RUNNING,
    Clock,
    Stopped,
    Waiting,
    find_started,
    forgotten,
    wait_for,
)
from reconciler.operations.live import read_live
from reconciler.operations.outcomes import command, how_to_look, lines, outcome_of
from reconciler.operations.verify import UNSEEN, verify


@dataclass(frozen=True, slots=True)
class Checked:
    """A target that is still as it was planned, with what only this process may hold."""

    plan: TargetPlan
    gateway: Gateway
    prepared: Prepared
    live: Live


@dataclass(frozen=True, slots=True)
class Following:
    """How an update is followed: time, patience, and who is told."""

    clock: Clock
    waiting: Waiting
    observer: Observer


@dataclass(frozen=True, slots=True)
class Settled:
    """What became of a sent update.

    ``ended`` is False where another look later can tell more. ``landed`` is True where our own job carried it out as
    planned, False where nothing of it was seen to land, and None where neither is known.
    """

    outcome: Outcome
    ended: bool = True
    landed: bool | None = None


def settle(
    item: Checked, answer: Job | AnswerLost, before: frozenset[str], following: Following, *, again: bool = False
) -> Settled:
    """What became of an update that was sent. Raises nothing: a sent update always has an outcome.

    Args:
        item: the target as it was right before.
        answer: the job that the update started, or why nobody knows.
        before: the ids of the jobs that there were before.
        following: how to follow it.
        again: whether this is a later look, after which nothing more can be learnt.
    """
    job = answer if isinstance(answer, Job) else None
    said = "the answer named no job" if isinstance(answer, Job) else answer.summary
    unknown = moves_unknown_secrets(item.plan) or (again and carried_secrets(item.plan))
    gateway = Discreet(item.gateway) if unknown else item.gateway
    item = replace(item, gateway=gateway)
    try:
        if job is None or (job.id is None and job.status not in {COMPLETED, FAILED}):
            job = find_started(gateway, item.plan.target, before, clock=following.clock, waiting=following.waiting)
        if job is None:
            settled = _without_a_job(item, f"{said}; no job appeared", following)
        else:
            others = before if isinstance(answer, AnswerLost) else None
            settled = _followed(item, job, following, others=others, again=again)
        doubtful = settled.outcome.kind is OutcomeKind.UNKNOWN and not again
        settled = replace(settled, ended=settled.ended and not doubtful)
    except Stopped as stopped:
        summary = str(stopped) or "stopped waiting: the update was sent, and its job goes on"
        settled = Settled(_unknown(item.plan, job, summary), ended=False)
    except ServiceProblem as problem:
        summary, detail = f"the update was sent, and then {problem.summary}", lines(problem.detail, problem.hint)
        settled = Settled(_unknown(item.plan, job, summary, detail), ended=False)
    except Exception as problem:  # noqa: BLE001 - a fault of ours must not hide that the update was sent
        summary = f"the update was sent, and then came a {type(problem).__name__}"
        settled = Settled(_unknown(item.plan, job, summary), ended=False)
    return settled if settled.ended else _open(settled, again=again)


def _open(settled: Settled, *, again: bool) -> Settled:
    """An update whose end was not seen, with what people can do about it."""
    target = settled.outcome.target
    then = f"when its end can be seen, settle it with: {command('apply --resume', target)}"
    give_up = f"if it never can: {command('unlock --abandon', target)}" if again else ""
    outcome = replace(settled.outcome, hint=lines(settled.outcome.hint, then, give_up))
    return replace(settled, outcome=outcome)


def _followed(item: Checked, job: Job, following: Following, *, others: frozenset[str] | None, again: bool) -> Settled:
    """Wait for the job and judge what stands after it.

    With ``others``, the ids of the jobs that were there before, the job is a candidate, and may be somebody else's.
    """
    plan, clock, candidate = item.plan, following.clock, others is not None
    following.observer(plan.name, f"{'Following the update' if again else 'Update started'} [job {job.id}]")
    try:
        job = wait_for(
            item.gateway,
            plan.target,
            job,
            name=plan.name,
            clock=clock,
            waiting=following.waiting,
            observer=following.observer,
        )
    except NotFound as problem:
        if not again:
            raise
        listed = item.gateway.list_jobs(plan.target)
        if any(other.id == job.id or other.status == RUNNING for other in listed):
            raise ReadFailed("its job can't be read, and may run") from None
        return _without_a_job(item, f"job {job.id} is not there any more: {problem.summary}", following)
    if job.status == FAILED and others is not None:
        return _after_a_failed_candidate(item, job, following, others=others, again=again)
    if job.status == FAILED:
        return _after_a_failed_job(item, job, following)
    if job.status != COMPLETED and again and forgotten(job, clock.utc()):
        return _without_a_job(item, f"job {job.id} has had the status {job.status or 'unknown'} for days", following)
    if job.status != COMPLETED:
        waited = f"the job had not ended after {following.waiting.job_timeout:.0f}s"
        summary = f"{waited}, its status is {job.status or 'unknown'}"
        outcome = outcome_of(plan, OutcomeKind.TIMED_OUT, summary, hint=how_to_look(plan.target, job.id))
        return Settled(replace(outcome, job=job.id), ended=False)
    try:
        settled = _proven(item, following, ours=not candidate)
    except Stopped:
        raise Stopped("the job completed, and its result was not verified") from None
    outcome = replace(settled.outcome, job=job.id)
    if candidate and outcome.kind is not OutcomeKind.APPLIED:
        summary = "nobody can say whether the update landed: a job ran, which may be another's"
        outcome = replace(outcome, kind=OutcomeKind.UNKNOWN, summary=summary, hint=how_to_look(plan.target, job.id))
    return replace(settled, outcome=outcome)


def _proven(item: Checked, following: Following, *, ours: bool) -> Settled:
    """What stands after the update; a job that may be another's, or none, proves nothing of what no read shows."""
    proof = verify(
        item.prepared,
        item.live,
        item.gateway,
        clock=following.clock,
        waiting=following.waiting,
        observer=following.observer,
    )
    if proof.findings:
        summary = "the job completed, and what stands is not what was planned"
        outcome = outcome_of(item.plan, OutcomeKind.UNVERIFIED, summary, findings=proof.findings)
        outcome = replace(outcome, collateral=proof.collateral)
        return Settled(outcome, ended=not any(finding.code in UNSEEN for finding in proof.findings))
    if not (ours or _shows(item, proof.stands)):
        return Settled(_untold(item, "a job ran, which may be another's"))
    outcome = replace(outcome_of(item.plan, OutcomeKind.APPLIED), changes=item.plan.changes)
    if ours:
        return Settled(outcome, landed=True)
    return Settled(replace(outcome, findings=_unseen_secrets(item, proof.stands)))


def _after_a_failed_job(item: Checked, job: Job, following: Following) -> Settled:
    """The job's reason without its noise, and whether anything moved all the same."""
    outcome = replace(outcome_of(item.plan, OutcomeKind.FAILED, "the job failed", detail=job.error or ""), job=job.id)
    try:
        after = _settled_read(item, following)
    except Stopped:
        return Settled(replace(outcome, hint="whether anything moved was not looked at"), ended=False)
    except ServiceProblem as problem:
        hint = f"whether anything moved is not known: {problem.summary}"
        return Settled(replace(outcome, hint=hint), ended=False)
    findings = tuple(_moved(item, after))
    if not findings:
        unseen = moves_unknown_secrets(item.plan)
        told = "live is as it was before, as far as reads tell" if unseen else "live is as it was before"
        look = how_to_look(item.plan.target, job.id) if unseen and job.error else ""
        return Settled(replace(outcome, hint=lines(job.hint, told, look)))
    collateral = as_plan(item.plan, item.live.tree, after.tree, _moved_paths(item, after))
    return Settled(replace(outcome, kind=OutcomeKind.UNVERIFIED, findings=findings, collateral=collateral))


def _after_a_failed_candidate(
    item: Checked, job: Job, following: Following, *, others: frozenset[str], again: bool
) -> Settled:
    """Look whether there is another job that may be ours; without one what stands decides."""
    others |= {job.id or ""}
    target = item.plan.target
    another = find_started(item.gateway, target, others, clock=following.clock, waiting=following.waiting)
    if another is not None:
        return _followed(item, another, following, others=others, again=again)
    said = f"job {job.id} failed, which may be another's, and no other appeared"
    settled = _without_a_job(item, said, following)
    detail = lines(settled.outcome.detail, without_reason(job).error or "")
    hint = lines(settled.outcome.hint, how_to_look(target, job.id))
    return replace(settled, outcome=replace(settled.outcome, detail=detail, hint=hint, job=job.id))


def _settled_read(item: Checked, following: Following) -> Live:
    """What stands, once two reads running say the same, or the last of the reads that verify at most.

    Raises:
        ServiceProblem: a read failed.
    """
    desired = item.plan.desired
    seen = read_live(item.gateway, desired, with_meta=True)
    for _ in range(following.waiting.verify_polls - 1):
        following.clock.sleep(following.waiting.poll_interval)
        again = read_live(item.gateway, desired, with_meta=True)
        if (again.fingerprint, again.meta) == (seen.fingerprint, seen.meta):
            return again
        seen = again
    return seen


def _moved(item: Checked, after: Live) -> tuple[Finding, ...]:
    """Each path that is not as it was before the update."""
    moved = [dotted(move.path) for move in _moved_paths(item, after)]
    if item.live.meta is not None and after.meta is not None:
        beyond = moved_beyond(item.live.meta, after.meta, frozenset())
        moved += [f"AmplifyMetaConfig auth.{dotted(path)}" for path in beyond]
    return tuple(Finding("moved", f"{path} moved although the job failed") for path in moved)


def _moved_paths(item: Checked, after: Live) -> tuple[Difference, ...]:
    return reliable(item.plan, differences(item.live.tree, after.tree))


def _without_a_job(item: Checked, said: str, following: Following) -> Settled:
    """No job tells what became of the update: what stands decides, and nothing is sent again."""
    after = _settled_read(item, following)
    if not _moved(item, after):
        if not _shows(item, after.tree):
            return Settled(_untold(item, said))
        summary = f"the update did not land: {said}, and live is unchanged"
        return Settled(outcome_of(item.plan, OutcomeKind.FAILED, summary, hint="apply again"), landed=False)
    settled = _proven(item, following, ours=False)
    if settled.outcome.kind is OutcomeKind.APPLIED:
        return settled
    summary = f"nobody can say whether the update landed: {said}"
    detail = "live is neither as it was before nor as planned" if settled.ended else "what stands was not seen whole"
    outcome = _unknown(item.plan, None, summary, detail)
    outcome = replace(outcome, findings=settled.outcome.findings, collateral=settled.outcome.collateral)
    return replace(settled, outcome=outcome)


def _shows(item: Checked, after: Tree) -> bool:
    """Whether reads tell of at least one of the changes: where none does, what stands proves nothing."""
    return any(_would_show(item, change, after) for change in item.plan.changes)


def _unseen_secrets(item: Checked, after: Tree) -> tuple[Finding, ...]:
    """The secrets of an update that arrived as far as reads show, while they show nothing of these."""
    secret = [change for change in item.plan.changes if change.after is Mark.SENSITIVE]
    unseen = [dotted(change.path[-2:]) for change in secret if not _would_show(item, change, after)]
    if not unseen:
        return ()
    summary = f"whether {', '.join(unseen)} arrived was not seen"
    return (Finding("secret-unseen", summary, hint="plan again: it stays to be sent"),)


def _untold(item: Checked, said: str) -> Outcome:
    """An update that changes only what no read shows, and of which nobody saw the job."""
    hidden = ", ".join(dotted(change.path) for change in item.plan.changes)
    summary = f"nobody can say whether the update landed: {said}"
    return _unknown(item.plan, None, summary, f"no read can tell whether {hidden} arrived")


def _would_show(item: Checked, change: Change, after: Tree) -> bool:
    """Whether reads would tell that this change has arrived; one such change tells for the whole update."""
    if change.after is Mark.SENSITIVE:
        return all(isinstance(get(tree, change.path), Secret) for tree in (item.live.tree, after))
    return not unreliable(Difference(change.path, change.before, change.after), item.plan.target.environment)


def reliable(plan: TargetPlan, moved: tuple[Difference, ...]) -> tuple[Difference, ...]:
    """What moved without the members that read back differently by themselves."""
    return tuple(move for move in moved if not unreliable(move, plan.target.environment))


def _unknown(plan: TargetPlan, job: Job | None, summary: str, detail: str = "") -> Outcome:
    name = job.id if job is not None else None
    outcome = outcome_of(plan, OutcomeKind.UNKNOWN, summary, detail=detail, hint=how_to_look(plan.target, name))
    return replace(outcome, job=name)
