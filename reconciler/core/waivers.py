"""Which differences are waived, and what has become of each waiver."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum

from reconciler.core.model import Change, Mark, TargetPlan, Waiver, dotted
from reconciler.core.threeway import drifted


class Standing(StrEnum):
    """What has become of a waiver; the value is what is said of it."""

    HOLDS = "waived"
    UNUSED = "nothing to waive"
    SECRET = "a secret is never waived"  # noqa: S105 - words about one
    EXPIRED = "the waiver expired"
    GIT_MOVED = "the configuration says another thing than instead_of"
    LIVE_DIFFERS = "live has another value than the one that is accepted"


@dataclass(frozen=True, slots=True)
class Judged:
    """A waiver, and how it stands against the plan of one target."""

    waiver: Waiver
    standing: Standing


def judged(plan: TargetPlan, now: datetime) -> tuple[Judged, ...]:
    """Each waiver of a target, in the order in which they are written.

    Args:
        plan: what differs.
        now: the moment for which it is told, with its time zone.
    """
    changes = {change.path: change for change in plan.changes}
    return tuple(Judged(waiver, _standing(waiver, changes.get(waiver.path), now)) for waiver in plan.desired.waivers)


def alarming(plan: TargetPlan, now: datetime, *, since_base: bool) -> tuple[Change, ...]:
    """The changes of a target that drift alarms for: those that no waiver holds for.

    Args:
        plan: what differs.
        now: the moment for which it is told, with its time zone.
        since_base: whether a base tells who moved what; then what git moved is no drift.
    """
    waived = {one.waiver.path for one in judged(plan, now) if one.standing is Standing.HOLDS}
    return tuple(change for change in drifted(plan, since_base=since_base) if change.path not in waived)


def words(one: Judged) -> str:
    """What is said of a waiver: what it is for, whose it is, and how long it holds or why it no longer does."""
    waiver = one.waiver
    if one.standing is Standing.HOLDS:
        return f"Waived until {waiver.expires} ({waiver.owner}): {dotted(waiver.path)}: {waiver.reason}"
    last = f" on {waiver.expires}" if one.standing is Standing.EXPIRED else ""
    return f"No longer waived ({waiver.owner}): {dotted(waiver.path)}: {one.standing.value}{last}"


def days_left(waiver: Waiver, now: datetime) -> int:
    """The days after today on which a waiver may still hold: 0 on its last one, negative once it has expired."""
    return (waiver.expires - now.astimezone(UTC).date()).days


def _standing(waiver: Waiver, change: Change | None, now: datetime) -> Standing:
    if change is None:
        return Standing.UNUSED
    if isinstance(change.before, Mark) or isinstance(change.after, Mark):
        return Standing.SECRET
    if days_left(waiver, now) < 0:
        return Standing.EXPIRED
    if change.after != waiver.instead_of:
        return Standing.GIT_MOVED
    return Standing.HOLDS if change.before == waiver.value else Standing.LIVE_DIFFERS
