"""Carry targets out wave after wave, and start no more of them once too many have failed."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence

from reconciler.core.model import DONE, Outcome, OutcomeKind
from reconciler.operations.jobs import Clock, Stopped
from reconciler.operations.outcomes import NOTHING_SENT, outcome_of, skipped
from reconciler.operations.settle import Checked


def wave_by_wave(
    items: Sequence[Checked | Outcome],
    send: Callable[[Sequence[Checked], str], Sequence[Outcome]],
    *,
    max_failures: int,
    clock: Clock,
) -> tuple[Outcome, ...]:
    """Carry out each wave to its end, whatever fails in it, the lowest first.

    Args:
        items: the targets, or what became of them before.
        send: carries out targets with changes, in any order; told what to call that.
        max_failures: the most targets that may have ended otherwise than applied when a later wave starts.
        clock: how a run is stopped: no wave starts after that either.

    Returns:
        What became of each target, in the order of the items; of a wave that was not started, skipped.
    """
    outcomes: dict[int, Outcome] = {}
    waves: dict[int, dict[int, Checked]] = {}
    for place, item in enumerate(items):
        if isinstance(item, Outcome):
            outcomes[place] = item
        elif not item.plan.changes:
            outcomes[place] = outcome_of(item.plan, OutcomeKind.UNCHANGED)
        else:
            waves.setdefault(item.plan.desired.wave, {})[place] = item
    ended: int | None = None
    halt = ""
    for wave, members in sorted(waves.items()):
        if ended is not None:
            halt = halt or _halt(ended, outcomes.values(), max_failures, clock)
        if halt:
            became: Iterable[Outcome] = [skipped(item.plan, halt) for item in members.values()]
        else:
            became = send(tuple(members.values()), f"wave {wave}" if len(waves) > 1 else "the plan")
        outcomes.update(zip(members, became, strict=True))
        ended = wave
    return tuple(outcome for _, outcome in sorted(outcomes.items()))


def _halt(ended: int, outcomes: Iterable[Outcome], max_failures: int, clock: Clock) -> str:
    """Why no wave may start after the one that ended last; empty where one may."""
    try:
        clock.sleep(0)
    except Stopped:
        return NOTHING_SENT
    failures = sum(outcome.kind not in DONE for outcome in outcomes)
    if failures <= max_failures:
        return ""
    were = "was 1 failure" if failures == 1 else f"were {failures} failures"
    return f"{NOTHING_SENT}: there {were} by the end of wave {ended}"
