"""Hold every target that is about to be updated, or say who does."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field

from reconciler.core.model import Outcome, OutcomeKind, TargetPlan
from reconciler.errors import UNKEPT, ReconcilerError
from reconciler.ledger.lease import Lease
from reconciler.ledger.record import key_of
from reconciler.operations.jobs import Stopped
from reconciler.operations.keeping import Keeping
from reconciler.operations.outcomes import failed, outcome_of, skipped
from reconciler.operations.settle import Following


@dataclass(frozen=True, slots=True)
class Leased:
    """The leases that were got, by the target's key; and why another was not, by the target's name."""

    leases: Mapping[str, Lease] = field(default_factory=dict)
    refusals: Mapping[str, Outcome] = field(default_factory=dict)

    def refusal(self, plan: TargetPlan) -> Outcome | None:
        """Why a target is not ours, now: it never was, or its lease was lost. None where it is."""
        lease = self.leases.get(key_of(plan.target))
        if lease is not None and lease.lost():
            summary = "the lease was lost: another apply may be at work"
            return outcome_of(plan, OutcomeKind.LOCKED, summary, hint="look at 'reconciler history', and apply again")
        return self.refusals.get(plan.name)


@contextmanager
def leased(plans: Sequence[TargetPlan], keeping: Keeping, following: Following) -> Iterator[Leased]:
    """Hold the environment of each plan; given back at the end, whatever happens.

    Leases are taken in the order of their keys, so that two runs never wait for one another. A ledger that failed
    once is not tried again for the targets that are left: each try may take a minute.
    """
    leases: dict[str, Lease] = {}
    refusals: dict[str, Outcome] = {}
    wanted = {key_of(plan.target): plan for plan in plans}
    broken: ReconcilerError | None = None
    try:
        for key, plan in sorted(wanted.items()):
            if broken is not None:
                refusals[plan.name] = failed(plan, broken)
                continue
            try:
                if leases:
                    following.clock.sleep(0)
                leases[key] = keeping.ledger.leases.acquire(
                    key,
                    keeping.holder(plan),
                    timeout=following.waiting.for_lease,
                    now=following.clock.now,
                    sleep=_telling(plan, following),
                )
            except Stopped:
                refusals[plan.name] = skipped(plan)
            except UNKEPT as problem:
                broken = problem
                keeping.broken.append(problem)
                refusals[plan.name] = failed(plan, problem)
            except ReconcilerError as problem:
                refusals[plan.name] = failed(plan, problem)
        yield Leased(leases, refusals)
    finally:
        for lease in leases.values():
            lease.release()


def _telling(plan: TargetPlan, following: Following) -> Callable[[float], None]:
    """A sleep that says, once, what is waited for."""
    told: list[str] = []

    def sleep(seconds: float) -> None:
        if not told:
            told.append(plan.name)
            following.observer(plan.name, f"Held by another run: waiting up to {following.waiting.for_lease:.0f}s...")
        following.clock.sleep(seconds)

    return sleep
