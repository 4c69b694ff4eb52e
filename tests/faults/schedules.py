"""Every schedule: what fails or is killed where, and what must come of it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from typing import Protocol

from reconciler.emulator.faults import AFTER, INSTEAD, JOB, Fault
from tests.faults import oracle
from tests.faults.oracle import READS, Expected

UPDATE = "UpdateBackendAuth"


@dataclass(frozen=True, slots=True)
class Alone:
    """One apply, to its end."""


@dataclass(frozen=True, slots=True)
class Killed:
    """One apply, killed right before a step, counted from 1; with ``again`` the next one is killed too."""

    step: int
    again: int = 0


@dataclass(frozen=True, slots=True)
class Overtaken:
    """One apply stops right before a step, another runs to its end, and the first goes on.

    Where the other waits for what the first holds, both go on after a while.
    """

    step: int


@dataclass(frozen=True, slots=True)
class Race:
    """Several applies at once, each begun ``stagger`` seconds after the one before.

    With ``gate`` each stops before that step, and they go on together once all have got there, or have
    ended, or wait for one another.
    """

    runs: int
    stagger: float = 0.0
    gate: int = 0


@dataclass(frozen=True, slots=True)
class Setting:
    """What a run finds: how the service behaves, what fails, and with which options the program is called."""

    switches: tuple[str, ...] = ()
    faults: tuple[Fault, ...] = ()
    options: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Schedule:
    """One thing that happens to an apply, or to several, and what must come of it."""

    name: str
    expected: Expected
    setting: Setting = Setting()
    conduct: Alone | Killed | Overtaken | Race = Alone()


class Steps(Protocol):
    """Counts the steps of an apply that nobody disturbs; see :meth:`tests.faults.harness.Bench.steps`."""

    def __call__(self, setting: Setting, killed: int = 0) -> tuple[str, ...]:
        """The steps in their order."""
        ...


@dataclass(frozen=True, slots=True)
class Family:
    """A row of the table.

    Attributes:
        name: What its schedules have in common.
        schedules: All of them, always the same ones for the same steps.
        chunks: In how many tests they run, so that workers share them.
    """

    name: str
    schedules: Callable[[Steps], tuple[Schedule, ...]]
    chunks: int


# --- steps and requests ----------------------------------------------------------------------


def _named(steps: tuple[str, ...], *, coarse: bool = False) -> Iterator[tuple[int, str]]:
    """Each step's number from 1, and a name that no other has.

    With ``coarse`` a read has two steps, before and after, and not four, and a file has no fsync.
    """
    seen: dict[str, int] = {}
    for number, step in enumerate(steps, start=1):
        seen[step] = seen.get(step, 0) + 1
        fine = step.startswith(("connect", "fsync"))
        fine = fine or (step.endswith(("'s body", " was sent")) and not step.startswith(UPDATE))
        if not (coarse and fine):
            yield number, f"{step} ({seen[step]})"


def _requests(steps: tuple[str, ...]) -> Iterator[tuple[str, int, bool]]:
    """Each request as its operation, which of that operation's it is from 0, and whether it follows the update."""
    seen: dict[str, int] = {}
    for step in steps:
        if step in READS or step == UPDATE:
            yield step, seen.get(step, 0), UPDATE in seen
            seen[step] = seen.get(step, 0) + 1


# --- what fails ------------------------------------------------------------------------------

_LATE_SECONDS = 0.1  # within the six looks for a job that is late
_ENDLESS_SECONDS = 600.0
_IMPATIENT = ("--cli-read-timeout", "0.5", "--cli-connect-timeout", "0.5")
_LOST = Setting(switches=("job_seconds=0",), faults=(Fault("drop_after", operation=UPDATE),))
_OTHER_SERVICES = ("secrets=clear", "secrets=masked", "stale_reads=2", "job_id=absent", "omitted=wipe")
_UPDATE_KINDS = ("timeout_before", "timeout_after", "drop_after", "truncated", "wrong_types", "slow")
_JOB_KINDS = ("job_failed", "no_effect", "collateral", "revert")
_SECOND_KINDS = ("throttle", "error", "access_denied", "truncated")


def _fails(kind: str, operation: str, turn: int, *, sent: bool) -> Schedule:
    fault = Fault(kind, operation=operation, skip=turn, seconds=_LATE_SECONDS)
    update = operation == UPDATE
    expected = oracle.of_update(kind) if update else oracle.of_read(kind, operation, sent=sent)
    return Schedule(f"{kind} at {operation} ({turn + 1})", expected, Setting(faults=(fault,)))


def _requests_fail(kinds: tuple[str, ...]) -> Callable[[Steps], tuple[Schedule, ...]]:
    """Each kind at each request."""
    return lambda steps: tuple(
        _fails(kind, operation, turn, sent=sent)
        for kind in kinds
        for operation, turn, sent in _requests(steps(Setting()))
    )


def _answers_never_end(steps: Steps) -> tuple[Schedule, ...]:
    return tuple(
        Schedule(
            f"an endless answer to {operation} ({turn + 1})",
            oracle.of_update("slow") if operation == UPDATE else oracle.of_read("slow", operation, sent=sent),
            Setting(
                faults=(Fault("slow", operation=operation, skip=turn, seconds=_ENDLESS_SECONDS),), options=_IMPATIENT
            ),
        )
        for operation, turn, sent in _requests(steps(Setting()))
    )


def _reads_fail_after_a_lost_answer(steps: Steps) -> tuple[Schedule, ...]:
    """The update's answer is lost, and then one of the reads fails that would tell what came of it."""
    return tuple(
        Schedule(
            f"the update's answer is lost, then {kind} at {operation} ({turn + 1})",
            oracle.of_read(kind, operation, sent=True),
            replace(_LOST, faults=(*_LOST.faults, Fault(kind, operation=operation, skip=turn))),
        )
        for kind in _SECOND_KINDS
        for operation, turn, sent in _requests(steps(_LOST))
        if sent
    )


def _job_goes_wrong(kind: str) -> Schedule:
    options = ("--job-timeout", "1") if kind == "job_stuck" else ()
    return Schedule(kind, oracle.of_job(kind), Setting(faults=(Fault(kind, operation=UPDATE),), options=options))


def _jobs_go_wrong(_steps: Steps) -> tuple[Schedule, ...]:
    quoting = Schedule("job_failed, and quotes secrets", oracle.of_job("job_failed"), _QUOTING)
    return (*(_job_goes_wrong(kind) for kind in JOB), quoting)


def _services_of_other_kinds(_steps: Steps) -> tuple[Schedule, ...]:
    schedules = [_fails(kind, UPDATE, 0, sent=False) for kind in _UPDATE_KINDS]
    schedules += [_job_goes_wrong(kind) for kind in _JOB_KINDS]
    return tuple(
        replace(schedule, name=f"{schedule.name}, {switch}", setting=replace(schedule.setting, switches=(switch,)))
        for switch in _OTHER_SERVICES
        for schedule in schedules
    )


_QUOTING = Setting(faults=(Fault("job_failed", operation=UPDATE, text="Error: the provider rejected {secret}"),))

# --- what is killed --------------------------------------------------------------------------

_SLOW = Setting(faults=(Fault("slow", operation=UPDATE, seconds=0.2),))
_STALE = Setting(switches=("stale_reads=2",))


def _killed(steps: Steps) -> tuple[Schedule, ...]:
    return tuple(
        Schedule(f"killed before {name}", oracle.of_kill(), conduct=Killed(number))
        for number, name in _named(steps(Setting()))
    )


def _killed_from_the_update_on(setting: Setting, where: str) -> Callable[[Steps], tuple[Schedule, ...]]:
    """At requests only: what comes before the update, and what is written, is the same in any other setting."""

    def schedules(steps: Steps) -> tuple[Schedule, ...]:
        counted = steps(setting)
        return tuple(
            Schedule(f"killed before {name}, {where}", oracle.of_kill(), setting, Killed(number))
            for number, name in _named(counted, coarse=True)
            if number > counted.index(UPDATE) + 1 and name.startswith((UPDATE, *READS))
        )

    return schedules


def _killed_while_its_job_goes_on(steps: Steps) -> tuple[Schedule, ...]:
    """The job outlives the run that started it, and runs on while the next one begins."""
    counted = steps(Setting())
    first, last = counted.index(UPDATE) + 1, counted.index("GetBackendJob was answered") + 1
    setting = Setting(switches=("job_seconds=0.8",))
    return tuple(
        Schedule(f"killed before {name}, the job goes on", oracle.of_kill(), setting, Killed(number))
        for number, name in _named(counted)
        if first < number <= last
    )


def _killed_twice(steps: Steps) -> tuple[Schedule, ...]:
    """The apply after a killed one is killed too, at every step of what it does about the first."""
    first = steps(Setting()).index("UpdateBackendAuth was answered") + 1
    return tuple(
        Schedule(f"killed, and again before {name}", oracle.of_kill(), conduct=Killed(first, number))
        for number, name in _named(steps(Setting(), first), coarse=True)
    )


def _killed_and_its_job_quotes_secrets(steps: Steps) -> tuple[Schedule, ...]:
    """The job fails, and says why with the secrets in it; whoever finds out did not send them."""
    counted = steps(Setting())
    first, last = counted.index(UPDATE) + 1, counted.index("GetBackendJob was answered") + 1
    return tuple(
        Schedule(f"killed before {name}, its job quotes secrets", oracle.of_kill(), _QUOTING, Killed(number))
        for number, name in _named(counted)
        if first < number <= last and number > counted.index("UpdateBackendAuth was sent")
    )


# --- what races ------------------------------------------------------------------------------

_STAGGERS = (0.0, 0.02, 0.05, 0.08, 0.12, 0.16, 0.2, 0.25, 0.3, 0.4)


def _overtaken(steps: Steps) -> tuple[Schedule, ...]:
    return tuple(
        Schedule(f"overtaken before {name}", oracle.of_race(), conduct=Overtaken(number))
        for number, name in _named(steps(Setting()), coarse=True)
    )


def _two_at_once(_steps: Steps) -> tuple[Schedule, ...]:
    return tuple(
        Schedule(f"two applies, {stagger:g} s apart", oracle.of_race(), conduct=Race(2, stagger))
        for stagger in _STAGGERS
    )


def _eight_at_once(steps: Steps) -> tuple[Schedule, ...]:
    counted = steps(Setting())
    return (
        Schedule("eight applies at once", oracle.of_race(), conduct=Race(8)),
        Schedule("eight applies, 0.03 s apart", oracle.of_race(), conduct=Race(8, 0.03)),
        *(
            Schedule(f"eight applies, together from {name} on", oracle.of_race(), conduct=Race(8, gate=number))
            for number, name in _named(counted, coarse=True)
            if number <= counted.index(UPDATE) + 1 and name.endswith(" (1)") and " was answered" not in name
        ),
    )


FAMILIES = (
    Family("a request is refused or lost", _requests_fail(INSTEAD), 8),
    Family("an answer is lost or damaged", _requests_fail(AFTER), 12),
    Family("an answer never ends", _answers_never_end, 2),
    Family("the update's answer is lost, then a read fails", _reads_fail_after_a_lost_answer, 3),
    Family("the job goes wrong", _jobs_go_wrong, 1),
    Family("the update or its job goes wrong in another kind of service", _services_of_other_kinds, 4),
    Family("killed at any step", _killed, 6),
    Family("killed while its job goes on", _killed_while_its_job_goes_on, 1),
    Family("killed, and its job fails and quotes secrets", _killed_and_its_job_quotes_secrets, 1),
    Family("killed after the update, its answer slow", _killed_from_the_update_on(_SLOW, "slow"), 2),
    Family("killed after the update, its answer lost", _killed_from_the_update_on(_LOST, "lost"), 2),
    Family("killed after the update, reads stale", _killed_from_the_update_on(_STALE, "stale"), 2),
    Family("killed, and killed again while it is picked up", _killed_twice, 2),
    Family("an apply stops at any step and is overtaken", _overtaken, 4),
    Family("two applies at once", _two_at_once, 1),
    Family("eight applies at once", _eight_at_once, 2),
)
