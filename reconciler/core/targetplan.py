"""From what is desired and what is live to the plan of one target: the pure heart of plan and apply."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any

from reconciler.core import policy, request
from reconciler.core.diff import Difference, differences
from reconciler.core.fields import CONSTRAINTS, DOMAIN_PREFIX, OAUTH, Field
from reconciler.core.meta import has_constraints
from reconciler.core.model import (
    NOT_BOUND,
    Action,
    Change,
    Desired,
    Finding,
    Live,
    Mark,
    Path,
    Setting,
    TargetPlan,
    Tree,
    dotted,
)
from reconciler.core.normalise import managed_by
from reconciler.core.proof import Proofs, standings
from reconciler.core.references import Template, parse_references
from reconciler.core.secret import Proof, Secret, SecretState, Standing
from reconciler.core.threeway import told_apart
from reconciler.core.tree import ABSENT, copied, get, leaves, put
from reconciler.core.wholeness import Hole, Wholeness, wholeness
from reconciler.errors import Diagnostic, InputProblem, Severity


@dataclass(frozen=True, slots=True)
class Prepared:
    """A target's plan together with what only this process may hold: trees with secrets in them."""

    plan: TargetPlan
    wanted: Tree
    live: Tree
    planned: Tree
    sent: tuple[Path, ...]

    def request(self) -> dict[str, Any]:
        """The ``ResourceConfig`` of the update, secrets as such."""
        return request.build(self.planned, self.live, self.sent)


def prepare(
    desired: Desired,
    live: Live,
    secrets: tuple[Standing, ...] = (),
    *,
    proofs: Proofs | None = None,
    base: Desired | None = None,
) -> Prepared:
    """Plan one target.

    Args:
        desired: the document with references resolved; secrets may stay templates.
        live: what was read.
        secrets: what is known of the secrets that the document writes.
        proofs: what the ledger knows of them, where ``secrets`` are not there; by default nothing.
        base: the document as it was, to tell who moved what; by default nobody asks.

    Raises:
        InputProblem: the request would lack something that the document must write.
    """
    manages = managed_by(desired)
    wanted, tree = settled_domains(manages.tree, live, desired.target.environment)
    planned = request.overlay(tree, wanted)
    if manages.secrets:
        secrets = secrets or standings(desired.target, wanted, tree, proofs or Proofs())
    blocked, warned = policy.create_only_differences(desired, wanted, tree)
    changes = (*_changes(desired, tree, planned, secrets), *_hidden_removals(desired, wanted, tree, live), *blocked)
    moving = frozenset(change.path for change in changes)
    whole = wholeness(planned, wanted, tree, live, moving) if changes else Wholeness()
    if whole.missing:
        raise InputProblem(tuple(_diagnostic(desired, hole) for hole in whole.missing))
    if whole.stuck:
        changes = tuple(_blocked_inside_oauth(change) for change in changes)
    if changes:
        changes = (*changes, *_carried(desired, secrets, changes, whole.sent))
    moved = {dotted(path) for change in changes for path in (change.path, change.path[:-1])}
    found = leaves(tree)
    there = {row.name for row, _ in found}
    shown = _in_words(tree, found)
    plan = TargetPlan(
        desired=_without_secrets(desired) if manages.secrets else desired,
        fingerprint=live.fingerprint,
        live=shown,
        planned=shown if planned is tree else states(planned),
        changes=changes,
        sent=tuple(dotted(block) for block in whole.sent),
        secrets=secrets,
        blocks=tuple(policy.blocks(desired, live, changes, whole)) if changes else (),
        guards=tuple(policy.guards(desired, live, changes, whole)) if changes else (),
        warnings=(*warned, *policy.warnings(desired, wanted, live, changes), *policy.secret_warnings(desired, secrets)),
        notes=(
            *(_notes(desired, wanted, planned, whole, secrets) if changes else ()),
            *policy.secret_notes(desired, secrets, changes),
        ),
        unchanged=len((there & manages.names) - moved),
        unmanaged=len(there - manages.names),
    )
    if base is not None:
        before = _spelled_as(tree, *settled_domains(managed_by(base).tree, live, desired.target.environment))
        plan = told_apart(plan, base, before=before, wanted=wanted, live=tree, planned=planned)
    return Prepared(plan, wanted, tree, planned, whole.sent)


def settled_domains(wanted: Tree, live: Live, environment: str) -> tuple[Tree, Tree]:
    """Both trees with one spelling of the domain prefix where they mean the same one.

    Where live is settled its written prefix wins; where it is in doubt only what the document writes
    may ever be sent, so its spelling wins.
    """
    tree = live.tree
    written, read = get(wanted, DOMAIN_PREFIX), live.domain_read
    if written in {ABSENT, None} or read is None or read not in {written, f"{written}-{environment}"}:
        return wanted, tree
    stands = get(tree, DOMAIN_PREFIX)
    if stands == written:
        return wanted, tree
    wanted, tree = copied(wanted), copied(tree)
    if not live.domain_settled:
        put(tree, DOMAIN_PREFIX, written)
    elif written == read:
        put(wanted, DOMAIN_PREFIX, stands)
    return wanted, tree


def _spelled_as(tree: Tree, before: Tree, settled: Tree) -> Tree:
    """What a base manages, its domain prefix spelled as in the live tree where both mean the same one."""
    written = get(before, DOMAIN_PREFIX)
    if written is ABSENT or written != get(settled, DOMAIN_PREFIX) or get(tree, DOMAIN_PREFIX) in {ABSENT, written}:
        return before
    before = copied(before)
    put(before, DOMAIN_PREFIX, get(tree, DOMAIN_PREFIX))
    return before


def _changes(desired: Desired, tree: Tree, planned: Tree, secrets: tuple[Standing, ...]) -> tuple[Change, ...]:
    """What moves: of secrets those that are known to differ, and those that are to be sent in any case."""
    if planned is tree and not secrets:
        return ()
    proofs = {standing.path: standing.proof for standing in secrets}
    found = tuple(
        change_of(desired, difference)
        for difference in differences(tree, planned)
        if difference.after is not SecretState.UNKNOWN
        and (difference.before is None or proofs.get(difference.path) is not Proof.UNPROVEN)
    )
    added = {change.path for change in found}
    sent = {path for path, proof in proofs.items() if proof is Proof.UNPROVEN and path in desired.sends}
    wanted = sent | {path for path, proof in proofs.items() if proof is Proof.ROTATED}
    return (
        *found,
        *(_change_of_secret(desired, path, unproven=path in sent) for path in proofs if path in wanted - added),
    )


def _change_of_secret(desired: Desired, path: Path, *, unproven: bool) -> Change:
    origin = desired.origin_of(path)
    return Change(path, Action.CHANGE, Mark.SENSITIVE, Mark.SENSITIVE, origin, unproven=unproven)


def _hidden_removals(desired: Desired, wanted: Tree, tree: Tree, live: Live) -> Iterator[Change]:
    """Constraints that are removed although the service did not return them: the backend's meta tells of them."""
    hidden = get(wanted, CONSTRAINTS) is None and get(tree, CONSTRAINTS) is ABSENT
    if hidden and live.meta is not None and has_constraints(live.meta):
        origin = desired.origin_of(CONSTRAINTS)
        yield Change(CONSTRAINTS, Action.REMOVE, Mark.NOT_RETURNED, None, origin)


def change_of(desired: Desired, difference: Difference) -> Change:
    """A difference as a plan tells it, secrets by name; its origin is the document's line where one wrote it."""
    before, after = _shown(difference.before), _shown(difference.after)
    action = Action.ADD if before is None else Action.REMOVE if after is None else Action.CHANGE
    origin = desired.origin_of(difference.path)
    return Change(difference.path, action, before, after, origin if origin != desired.origin else None)


def _blocked_inside_oauth(change: Change) -> Change:
    inside = change.path[: len(OAUTH)] == OAUTH
    return replace(change, blocked="the OAuth block can't be sent whole") if inside else change


def _shown(value: Any) -> Any:
    return Mark.SENSITIVE if isinstance(value, (Secret, SecretState, Template)) else value


def _carried(
    desired: Desired, secrets: tuple[Standing, ...], changes: tuple[Change, ...], sent: tuple[Path, ...]
) -> Iterator[Change]:
    """The unproven secrets that the update carries because something else changes."""
    there = {change.path for change in changes}
    for standing in secrets:
        carried = any(standing.path[: len(block)] == block for block in sent)
        if carried and standing.proof is Proof.UNPROVEN and standing.path not in there:
            yield _change_of_secret(desired, standing.path, unproven=True)


def _notes(
    desired: Desired, wanted: Tree, planned: Tree, whole: Wholeness, secrets: tuple[Standing, ...]
) -> Iterator[Finding]:
    """What the update leaves out, and which secrets it carries."""
    for block, holes in whole.left_out:
        detail = "; ".join(str(hole) for hole in holes)
        yield Finding(
            "block-left-out",
            f"{block[-1]} is left out of the update, so that the service keeps it",
            detail,
            origin=desired.origin,
        )
    carried = {row.path for row, _ in leaves(planned) if any(row.path[: len(block)] == block for block in whole.sent)}
    for path in request.sent_back(planned, wanted):
        if path in carried:
            yield Finding("secret-sent-back", f"{dotted(path)} is sent back as it was read", origin=desired.origin)
    free = [standing.path for standing in secrets if standing.fingerprint is None and standing.path in carried]
    if free:
        names = ", ".join(f"{dotted(path[-2:])} from {_source(get(wanted, path))}" for path in free)
        yield Finding(
            NOT_BOUND,
            "the plan is not bound to the values of its secrets",
            f"It holds references: {names}. Apply sends what they point to then.",
            # What was not looked at can't bind, key or not.
            "" if all(standing.unresolved for standing in secrets if standing.path in free) else _BINDS,
            desired.origin_of(free[0]),
        )


_BINDS = "with RECONCILER_LEDGER_KEY it is bound to them, and from then on their rotation is seen"


def _source(written: Any) -> str:
    """The reference behind a secret."""
    return written.text if isinstance(written, Template) else str(written.source)


def _diagnostic(desired: Desired, missing: Hole) -> Diagnostic:
    return Diagnostic(
        Severity.ERROR,
        "missing-in-request",
        f"{dotted(missing.path)} is missing",
        f"It {missing.why}, and the update needs it: the service would lose the change or fill the hole.",
        missing.hint,
        desired.origin_of(missing.path),
        target=desired.name,
    )


def states(tree: Tree) -> Tree:
    """The tree with a word in place of each secret; the tree itself where it has none."""
    return _in_words(tree, leaves(tree))


_HIDDEN = frozenset({Secret, Template})


def _in_words(tree: Tree, found: list[tuple[Field, Any]]) -> Tree:
    secrets = [
        (row.path, SecretState.READABLE if isinstance(value, Secret) else SecretState.UNKNOWN)
        for row, value in found
        if (row.secret or type(value) in _HIDDEN) and not isinstance(value, SecretState)
    ]
    if not secrets:
        return tree
    states = copied(tree)
    for path, state in secrets:
        put(states, path, state)
    return states


def _without_secrets(desired: Desired) -> Desired:
    """The document with the reference in place of each secret."""
    written = {
        path: Setting(parse_references(setting.value.source or ""), setting.origin)
        for path, setting in desired.settings.items()
        if isinstance(setting.value, Secret)
    }
    return replace(desired, settings={**desired.settings, **written})
