"""Judge what stands after an update: did every planned path arrive, and did nothing else move?"""

from __future__ import annotations

from dataclasses import dataclass

from reconciler.core.diff import Difference, differences
from reconciler.core.fields import FIELD, FORGOT_PASSWORD, VERIFICATION, Mismatch
from reconciler.core.guards import UNSEEN_SETTINGS
from reconciler.core.meta import moved_beyond
from reconciler.core.model import Live, Mark, Path, TargetPlan, Tree
from reconciler.core.normalise import same_name
from reconciler.core.targetplan import Prepared, change_of, settled_domains, states
from reconciler.core.tree import ABSENT, copied, drop, get, leaves, put


@dataclass(frozen=True, slots=True)
class Verdict:
    """What differs from the plan; each difference goes from what was planned to what stands.

    ``rewritten`` are planned paths where the service stores something else than was sent, ``missing``
    planned paths that kept their old value, ``moved`` paths that nobody planned, ``meta`` the same in
    the meta's auth part. ``collateral`` shows what moved the way a plan shows a change.
    """

    rewritten: tuple[Difference, ...] = ()
    missing: tuple[Difference, ...] = ()
    moved: tuple[Difference, ...] = ()
    meta: tuple[Path, ...] = ()
    collateral: TargetPlan | None = None

    @property
    def stands(self) -> bool:
        """Whether everything is as planned and nothing else moved."""
        return not (self.rewritten or self.missing or self.moved or self.meta)


def judge(prepared: Prepared, before: Live, after: Live) -> Verdict:
    """Compare what stands after the update with what was planned.

    Args:
        prepared: the target's plan with its trees.
        before: what was live right before the update.
        after: what was read after the job.
    """
    environment = prepared.plan.target.environment
    _, stands = settled_domains(prepared.wanted, after, environment)
    planned = copied(prepared.planned)
    for row, value in leaves(prepared.planned):
        if value is Mark.KNOWN_AFTER_APPLY:
            filled = get(stands, row.path)
            drop(planned, row.path) if filled is ABSENT else put(planned, row.path, filled)
    changed = frozenset(change.path for change in prepared.plan.changes)
    mapped = _follows_verification(prepared, stands, changed)
    rewritten: list[Difference] = []
    missing: list[Difference] = []
    moved: list[Difference] = []
    for difference in differences(planned, stands):
        path = difference.path
        if path in changed:
            (missing if difference.after == _known(prepared, path) else rewritten).append(difference)
        elif not (mapped and path[: len(FORGOT_PASSWORD)] == FORGOT_PASSWORD) and not unreliable(
            difference, environment
        ):
            moved.append(difference)
    _pair_members(rewritten, missing, moved)
    meta: tuple[Path, ...] = ()
    if before.meta is not None and after.meta is not None:
        allowed = UNSEEN_SETTINGS in prepared.plan.desired.allow
        meta = moved_beyond(before.meta, after.meta, changed, may_clear_unseen=allowed)
    collateral = as_plan(prepared.plan, planned, stands, tuple(moved))
    return Verdict(tuple(rewritten), tuple(missing), tuple(moved), meta, collateral)


def as_plan(plan: TargetPlan, before: Tree, after: Tree, moved: tuple[Difference, ...]) -> TargetPlan | None:
    """What moved without being planned, in the shape of a plan that would move it; None where nothing did.

    Args:
        plan: the target's plan.
        before: what should stand, secrets in it or not.
        after: what stands.
        moved: the differences between them that nobody planned.
    """
    if not moved:
        return None
    return TargetPlan(
        desired=plan.desired,
        fingerprint=plan.fingerprint,
        live=states(before),
        planned=states(after),
        changes=tuple(change_of(plan.desired, difference) for difference in moved),
    )


def _known(prepared: Prepared, path: Path) -> object:
    value = get(prepared.live, path)
    return None if value is ABSENT else value


def _pair_members(rewritten: list[Difference], missing: list[Difference], moved: list[Difference]) -> None:
    """A planned member that is missing and another that appeared in the same set: stored in another form."""
    for planned in [gone for gone in missing if gone.before is True]:
        row = FIELD.get(planned.path[:-1])
        appeared = next((new for new in moved if new.after is True and new.path[:-1] == planned.path[:-1]), None)
        if row is not None and row.is_set and appeared is not None:
            missing.remove(planned)
            moved.remove(appeared)
            rewritten.append(Difference(planned.path, planned.path[-1], appeared.path[-1]))


def _follows_verification(prepared: Prepared, stands: Tree, changed: frozenset[Path]) -> bool:
    """The deprecated ForgotPassword, left out, may move along with a planned VerificationMessage."""
    if get(prepared.wanted, FORGOT_PASSWORD) is not ABSENT:
        return False
    planned = any(path[: len(VERIFICATION)] == VERIFICATION for path in changed)
    return planned and get(stands, FORGOT_PASSWORD) == get(stands, VERIFICATION)


def unreliable(difference: Difference, environment: str) -> bool:
    """A create-only member that reads back shorter, or with the environment appended, has not moved."""
    row = FIELD.get(difference.path) or FIELD.get(difference.path[:-1])
    if row is None or row.create_only is None:
        return False
    if row.is_set:
        return row.create_only is Mismatch.WARNING
    before, after = difference.before, difference.after
    return isinstance(before, str) and isinstance(after, str) and same_name(row, before, after, environment)
