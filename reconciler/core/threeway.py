"""Whose change it is: base, desired and live, path by path. Secrets stay outside: their states are their own."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

from reconciler.core.diff import differences
from reconciler.core.fields import FIELD, Field
from reconciler.core.guards import CONFLICT, GUARDS
from reconciler.core.model import Action, Change, Desired, Finding, Mark, Movement, Path, TargetPlan, Tree, dotted
from reconciler.core.normalise import same_name
from reconciler.core.request import overlay
from reconciler.core.secret import Proof, Secret, SecretState
from reconciler.core.tree import ABSENT, get

UNMANAGED: Any = type("Unmanaged", (), {"__repr__": lambda _: "UNMANAGED"})()
"""What a document says of a path that it does not write; absent is None, which it says where it writes ``null``."""


def movement(base: Any, desired: Any, live: Any) -> Movement | None:
    """Who moved one path, or one member of a set; None where nobody did, or where nothing is left to do or to say.

    Args:
        base: what git had, or had applied; :data:`UNMANAGED` where it said nothing.
        desired: what git has; :data:`UNMANAGED` where it says nothing.
        live: what is there; None where nothing is.
    """
    if desired is UNMANAGED:
        return None if base is UNMANAGED else Movement.RELEASED
    if base is UNMANAGED:
        base = live  # nobody said what live had to be, so it can't have moved from that
    if desired == live:
        return None if base == desired else Movement.CONVERGED
    if base == live:
        return Movement.PENDING
    return Movement.DRIFT if base == desired else Movement.CONFLICT


def told_apart(plan: TargetPlan, base: Desired, *, before: Tree, wanted: Tree, live: Tree, planned: Tree) -> TargetPlan:
    """A plan whose changes tell who moved what, with a guard for each conflict, and notes of what else moved.

    Args:
        plan: what was planned.
        base: the document as it was.
        before: what the base manages.
        wanted: what the document manages.
        live: what was read; all four spell the same state alike.
        planned: what an update would lead to.
    """
    environment = plan.target.environment
    led = overlay(live, before)  # what the base would lead to: with all that follows from what it writes
    changes = tuple(_told(change, before, led, environment) for change in plan.changes)
    conflicts = (change for change in changes if change.movement is Movement.CONFLICT)
    return replace(
        plan,
        changes=changes,
        guards=(*plan.guards, *(_conflict(change, plan, led) for change in conflicts)),
        notes=(*plan.notes, *_notes(plan, base, led, wanted, planned)),
    )


def drifted(plan: TargetPlan, *, since_base: bool) -> tuple[Change, ...]:
    """The changes that drift alarms for: all, or with a base those that git has not made.

    Args:
        plan: what was planned.
        since_base: whether its changes tell who moved them.
    """
    if not since_base:
        return plan.changes
    readable = {standing.path for standing in plan.secrets if standing.proof is Proof.READABLE}
    return tuple(change for change in plan.changes if _is_drift(change, readable))


def _is_drift(change: Change, readable: set[Path]) -> bool:
    if _is_secret(change):  # a rotation is no drift; a secret that is read, and is another, may be one
        return change.path in readable and change.action is Action.CHANGE
    return change.movement not in {Movement.PENDING, Movement.BLOCKED}  # of one that nobody knows of, too


def _is_secret(change: Change) -> bool:
    return Mark.SENSITIVE in {change.before, change.after}


def _told(change: Change, before: Tree, led: Tree, environment: str) -> Change:
    if _is_secret(change):
        return change
    row = FIELD.get(change.path)
    if change.before is Mark.NOT_RETURNED:  # live has it, and nobody can say since when
        found = Movement.DRIFT if get(led, change.path) is ABSENT else Movement.PENDING
    elif row is not None and row.create_only:  # an update leaves these alone
        found = movement(_created(row, change, before, environment), change.after, change.before) or Movement.PENDING
    else:
        was = get(led, change.path)
        found = movement(None if was is ABSENT else was, change.after, change.before) or Movement.PENDING
    if change.blocked and found is Movement.PENDING:
        found = Movement.BLOCKED
    return replace(change, movement=found)


def _created(row: Field, change: Change, before: Tree, environment: str) -> Any:
    """What the base wrote of what only creation can set, spelled as it is live where it is the same name."""
    was = get(before, row.path)
    if was is ABSENT:
        return UNMANAGED
    same = isinstance(was, str) and isinstance(change.before, str) and same_name(row, change.before, was, environment)
    return change.before if same else was


def _conflict(change: Change, plan: TargetPlan, led: Tree) -> Finding:
    name = dotted(change.path)
    values = (("the base has", get(led, change.path)), ("live", change.before), ("the configuration", change.after))
    return Finding(
        CONFLICT,
        GUARDS[CONFLICT],
        f"{name}: {', '.join(f'{whose} {_word(value)}' for whose, value in values)}.",
        f"settle it in git, or let git win with --allow {CONFLICT}, or --allow {CONFLICT}:{name} for it alone",
        change.origin or plan.desired.origin,
        about=name,
    )


def _word(value: Any) -> str:
    match value:
        case None:
            return "nothing"
        case _ if value is ABSENT:
            return "nothing"
        case Mark():
            return value.value
        case bool():
            return "true" if value else "false"
        case str() | int() | float():
            return str(value)
        case _:  # a secret, a reference that can't be followed, or a whole block
            return "another value"


def _notes(plan: TargetPlan, base: Desired, led: Tree, wanted: Tree, planned: Tree) -> Iterator[Finding]:
    """What moved in git and needs nothing to be done."""
    document, settings = plan.desired.origin, plan.desired.settings
    told: dict[Movement, list[Path]] = {}
    for path, found in _settled(plan, base, led, wanted, planned):
        told.setdefault(found, []).append(path)
    if converged := told.get(Movement.CONVERGED):
        origin = settings[converged[0]].origin if converged[0] in settings else document
        yield Finding("converged", f"git and live moved to the same: {_names(converged)}", origin=origin)
    if released := told.get(Movement.RELEASED):
        hint = "live keeps it; write null where it is to be removed"
        yield Finding("released", f"no longer managed: {_names(released)}", hint=hint, origin=document)


def _settled(
    plan: TargetPlan, base: Desired, led: Tree, wanted: Tree, planned: Tree
) -> Iterator[tuple[Path, Movement]]:
    """Who moved what is now as the document has it, or what the document says nothing of any more."""
    moving = {change.path for change in plan.changes}
    for difference in differences(led, planned):
        path, was, now = difference.path, difference.before, difference.after
        hidden = any(isinstance(value, Secret | SecretState) for value in (was, now))
        if path not in moving and not hidden and _manages(wanted, path) and (found := movement(was, now, now)):
            yield path, found
    for path in base.settings:
        managed = _manages(wanted, path) or _secret_field(path)
        if not managed and (found := movement(get(led, path), UNMANAGED, get(planned, path))):
            yield path, found


def _secret_field(path: Path) -> bool:
    row = FIELD.get(path)
    return row is not None and row.secret


def _manages(wanted: Tree, path: Path) -> bool:
    """Whether a document says something of a path: of itself, of a block around it, or of something below it."""
    node: Any = wanted
    for length, part in enumerate(path):
        if not isinstance(node, dict):
            return True  # the block around it is removed
        if part not in node:
            above = FIELD.get(path[:length])
            return above is not None and above.is_set  # a set says of every member whether it is there
        node = node[part]
    return True


def _names(paths: list[Path]) -> str:
    return ", ".join(dotted(path) for path in paths)
