"""What must come of each schedule, derived from what the fault does to the truth, and from DESIGN's exit codes.

A *later* apply of a target picks up what an earlier one left: it settles the update that is under way, then plans
and applies what is left. Its code is 0 when in the end everything is as desired.
"""

from __future__ import annotations

from dataclasses import dataclass

DONE, ERROR, REFUSED, ACCESS, LOCKED, UNVERIFIED, UNKNOWN = 0, 1, 3, 5, 7, 8, 9
KILLED = -9

_RETRIED = frozenset({"throttle", "timeout_before", "drop_before", "timeout_after", "timeout_late_job", "drop_after"})
_DENIED = frozenset({"access_denied", "expired"})
_NEVER_COMMITTED = frozenset({"timeout_before", "drop_before"})
_REFUSED = frozenset({"throttle", "error"})
_OF_JOBS = frozenset({"ListBackendJobs", "GetBackendJob"})
READS = frozenset({"GetBackendAuth", "GetBackend"}) | _OF_JOBS


@dataclass(frozen=True, slots=True)
class Expected:
    """What may come of a schedule.

    Attributes:
        codes: The exit codes that its own runs may have.
        recovered: The exit codes that the apply after them may have.
        updates: How many updates take effect in all, that apply's included.
        stuck: Whether a job never ends, so that nothing takes effect and live stays as it was.
    """

    codes: frozenset[int]
    recovered: frozenset[int] = frozenset({DONE})
    updates: int = 1
    stuck: bool = False


def of_read(kind: str, operation: str, *, sent: bool) -> Expected:
    """A read fails once.

    Args:
        kind: the fault's kind.
        operation: which read.
        sent: whether the update was sent before it.
    """
    if kind == "slow" or kind in _RETRIED:
        return _codes(DONE)  # reads are safe to retry
    if not sent:
        return _codes(ACCESS if kind in _DENIED else ERROR)  # nothing is sent on a read that failed
    if operation in _OF_JOBS and kind in _DENIED:
        return _codes(UNKNOWN)  # the job goes on, and nobody may look at it
    return _codes(DONE)  # the next poll, or the next read that verifies, tells


def of_update(kind: str) -> Expected:
    """The update's request fails on its way, or its answer does."""
    if kind in _DENIED:
        return _codes(ACCESS)
    if kind in _REFUSED or kind in _NEVER_COMMITTED:
        return _codes(ERROR)  # it did not land, and live shows it
    return _codes(DONE)  # it landed: its job is found, or the answer came in the end


def of_job(kind: str) -> Expected:
    """The update's job goes wrong."""
    match kind:
        case "job_failed":
            return _codes(ERROR)
        case "job_stuck":
            return Expected(frozenset({UNKNOWN}), frozenset({UNKNOWN}), updates=0, stuck=True)
        case "no_effect" | "meta_collateral":
            return _codes(UNVERIFIED)  # after it: still to be done, or done but for what no document can say
        case "collateral" | "revert":
            return Expected(frozenset({UNVERIFIED}), updates=2)  # it took effect, and so does what mends it
        case _:
            return _codes(DONE)


def of_kill() -> Expected:
    """The process is killed at any step at all."""
    return _codes(KILLED)


def of_race() -> Expected:
    """Several applies of one target: one lands; to the others it is locked, moved, or nothing to do."""
    return _codes(DONE, REFUSED, LOCKED)


def _codes(*codes: int) -> Expected:
    return Expected(frozenset(codes))
