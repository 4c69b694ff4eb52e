"""Follow the job that an update started, and find it again when the answer was lost."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from reconciler.core.gateway import Gateway
from reconciler.core.model import Job, Target
from reconciler.errors import NotFound, ReadFailed, ServiceProblem
from reconciler.operations.fleet import Observer

COMPLETED, FAILED = "COMPLETED", "FAILED"
_LOOKS = 6


class Stopped(Exception):
    """Somebody asked to stop (Ctrl-C, SIGTERM); raised by :attr:`Clock.sleep` and by nothing else."""


@dataclass(frozen=True, slots=True)
class Clock:
    """Time as it is passed in: ``now`` in monotonic seconds; ``sleep`` for seconds, or until :class:`Stopped`."""

    now: Callable[[], float]
    sleep: Callable[[float], None]


@dataclass(frozen=True, slots=True)
class Waiting:
    """How long to wait: seconds between polls, seconds until the deadline, reads that verify at most."""

    poll_interval: float = 10
    job_timeout: float = 1800
    verify_polls: int = 6


def wait_for(
    gateway: Gateway, target: Target, job: Job, *, name: str, clock: Clock, waiting: Waiting, observer: Observer
) -> Job:
    """The job as it ended, or as it was last seen at the deadline.

    A status that nobody knows counts as running. A poll that fails is tried again until the deadline.

    Raises:
        ServiceProblem: every poll failed until the deadline, or access was lost.
    """
    started = clock.now()
    seen, problem = job, None
    while seen.status not in {COMPLETED, FAILED}:
        elapsed = clock.now() - started
        if elapsed >= waiting.job_timeout:
            if problem is not None:
                raise problem
            return seen
        observer(name, f"Still updating... [{elapsed:.0f}s elapsed, job {seen.id}, {seen.status or 'no status'}]")
        clock.sleep(min(waiting.poll_interval, max(waiting.job_timeout - elapsed, 0)))
        try:
            seen, problem = gateway.get_job(target, job.id or ""), None
        except (ReadFailed, NotFound) as failed:
            problem = failed
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


def job_ids(gateway: Gateway, target: Target) -> frozenset[str]:
    """The ids of all jobs that exist, so that one that appears can be told from them.

    Raises:
        ServiceProblem: they can't be listed.
    """
    try:
        return frozenset(job.id for job in gateway.list_jobs(target) if job.id)
    except ServiceProblem as problem:
        hint = problem.hint or "the jobs are listed before an update, to find it again if its answer is lost"
        raise type(problem)(problem.summary, detail=problem.detail, hint=hint) from None
