"""Follow the job that an update started, and find it again when the answer was lost."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import datetime

from reconciler.core.gateway import Gateway
from reconciler.core.model import Job, Target
from reconciler.errors import AnotherJobRunning, NotFound, ReadFailed, ServiceProblem
from reconciler.operations.fleet import Observer

COMPLETED, FAILED, RUNNING = "COMPLETED", "FAILED", "RUNNING"
_LOOKS = 6
_FORGOTTEN = 24 * 60 * 60


class Stopped(Exception):
    """Somebody asked to stop (Ctrl-C, SIGTERM); raised by :attr:`Clock.sleep` and by nothing else."""


@dataclass(frozen=True, slots=True)
class Clock:
    """Time as it is passed in.

    ``now`` is monotonic seconds, ``sleep`` waits for seconds, or until :class:`Stopped`, ``utc`` is the time
    of day.
    """

    now: Callable[[], float]
    sleep: Callable[[float], None]
    utc: Callable[[], datetime]


@dataclass(frozen=True, slots=True)
class Waiting:
    """How long to wait: seconds between polls, seconds until the deadline, reads that verify at most.

    ``for_jobs`` tells whether to wait, until the same deadline, for a job that another tool started;
    ``for_lease`` how many seconds for a target that another apply holds.
    """

    poll_interval: float = 10
    job_timeout: float = 1800
    verify_polls: int = 6
    for_jobs: bool = False
    for_lease: float = 0


def wait_for(
    gateway: Gateway, target: Target, job: Job, *, name: str, clock: Clock, waiting: Waiting, observer: Observer
) -> Job:
    """The job as it ended, or as it was last seen at the deadline.

    A status that nobody knows counts as running for a day. A poll that fails is tried again until the deadline.

    Raises:
        NotFound: six polls running found no such job.
        ServiceProblem: every poll failed until the deadline, or access was lost.
    """
    started = clock.now()
    seen, missed = job, 0
    problem: ReadFailed | None = None
    while seen.status not in {COMPLETED, FAILED} and not forgotten(seen, clock.utc()):
        elapsed = clock.now() - started
        if elapsed >= waiting.job_timeout:
            if problem is not None:
                raise problem
            return seen
        told = (f"{elapsed:.0f}s elapsed", f"job {seen.id}", seen.status)
        observer(name, f"Still updating... [{', '.join(word for word in told if word)}]")
        clock.sleep(min(waiting.poll_interval, max(waiting.job_timeout - elapsed, 0)))
        try:
            seen, problem, missed = gateway.get_job(target, job.id or ""), None, 0
        except NotFound as gone:
            missed += 1
            if missed == _LOOKS:
                raise
            problem = ReadFailed(gone.summary, detail=gone.detail, hint=gone.hint)
        except ReadFailed as failed:
            problem, missed = failed, 0
    return seen


def find_started(
    gateway: Gateway, target: Target, before: frozenset[str], *, clock: Clock, waiting: Waiting
) -> Job | None:
    """A job that was not there before the update was sent; None if none appears in six looks.

    It may be somebody else's: what stands after it decides. A look that fails is no look.

    Raises:
        ReadFailed: there were not six looks, within twice as many tries: nobody knows whether a job is there.
    """
    looks, problem = 0, None
    for attempt in range(2 * _LOOKS):
        if attempt:
            clock.sleep(waiting.poll_interval)
        try:
            fresh = [job for job in gateway.list_jobs(target) if job.id and job.id not in before]
        except ReadFailed as failed:
            problem = failed
            continue
        looks += 1
        updates = [job for job in fresh if job.operation in {None, "UpdateBackendAuth"}]
        if updates:
            return max(updates, key=lambda job: job.created or 0)
        if looks == _LOOKS:
            return None
    raise problem or ReadFailed("the jobs can't be listed")


def free_for_us(
    gateway: Gateway, target: Target, *, name: str, clock: Clock, waiting: Waiting, observer: Observer
) -> frozenset[str]:
    """The ids of all jobs that there are, none of which is running: what appears later can be told from them.

    Raises:
        AnotherJobRunning: a job that is not ours is running, also after waiting for it where that is wanted.
        ServiceProblem: they can't be listed.
    """
    started = clock.now()
    while True:
        jobs = _listed(gateway, target)
        busy = _running(jobs, clock.utc())
        if busy is None:
            return frozenset(job.id for job in jobs if job.id)
        elapsed = clock.now() - started
        if not waiting.for_jobs or elapsed >= waiting.job_timeout:
            raise _another(busy, clock.utc(), waited=waiting.for_jobs)
        observer(name, f"Waiting for another job... [{elapsed:.0f}s elapsed, job {busy.id}, {busy.status}]")
        clock.sleep(min(waiting.poll_interval, max(waiting.job_timeout - elapsed, 0)))


def _listed(gateway: Gateway, target: Target) -> tuple[Job, ...]:
    try:
        return gateway.list_jobs(target)
    except ServiceProblem as problem:
        hint = problem.hint or "the jobs are listed before an update, to find it again if its answer is lost"
        raise type(problem)(problem.summary, detail=problem.detail, hint=hint) from None


def _running(jobs: Iterable[Job], now: datetime) -> Job | None:
    """A job that has not ended. One whose status nobody knows counts for a day: that status may be an end too."""
    for job in jobs:
        if job.status == RUNNING or (job.status not in {COMPLETED, FAILED} and not forgotten(job, now)):
            return job
    return None


def forgotten(job: Job, now: datetime) -> bool:
    """Whether a job has had a status that nobody knows for more than a day: that status may be an end."""
    old = job.created is not None and now.timestamp() - job.created / 1000 > _FORGOTTEN
    return old and job.status not in {RUNNING, COMPLETED, FAILED}


def _another(job: Job, now: datetime, *, waited: bool) -> AnotherJobRunning:
    age = "" if job.created is None else f", started {max(now.timestamp() - job.created / 1000, 0):.0f}s ago"
    return AnotherJobRunning(
        "another job is running in this environment",
        detail=f"job {job.id or 'without an id'}, {job.operation or 'an unknown operation'}, "
        f"{job.status or 'no status'}{age}",
        hint="it did not end in time: try again later"
        if waited
        else "wait until it has ended, or give --wait-for-jobs",
    )
