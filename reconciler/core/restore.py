"""The way back from an update: a document made of what was live before it, and what such a document can't say."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from reconciler.core.diff import Difference, differences
from reconciler.core.fields import BLOCKS, DOMAIN_PREFIX, FIELD, FIELDS, FORGOT_PASSWORD, OAUTH, Block, Field
from reconciler.core.model import NOT_RESTORED, Action, Change, Desired, Finding, Path, Setting, TargetPlan, dotted
from reconciler.core.references import Template
from reconciler.core.secret import SecretState
from reconciler.core.tree import ABSENT, get, leaves
from reconciler.errors import Origin


def way_back(plan: TargetPlan, *, place: str, allow: frozenset[str] = frozenset()) -> Desired:
    """The document that leads back to what was live before an update.

    It manages every leaf of the snapshot that an update can send, and removes what the update itself added. A
    secret is the reference that the update's own document had, since nobody kept the value. What could only be sent
    wrong is left out: a provider whose secret nobody has, and a domain prefix of which nobody knew how it is written.

    Args:
        plan: what the update carried out; ``plan.live`` is the snapshot.
        place: where the snapshot is kept, as people name it.
        allow: guards that may pass.
    """
    origin = Origin(place, 1, 1)
    lost = tuple(unsendable(plan))
    settings: dict[Path, Setting] = {}
    for row, value in leaves(plan.live):
        if row.create_only or _below(row.path, FORGOT_PASSWORD) or any(_below(row.path, gone) for gone in lost):
            continue
        if row.path == DOMAIN_PREFIX and _in_doubt(plan, str(value)):
            continue
        if not isinstance(value, SecretState):
            settings[row.path] = _setting(row, value, origin)
        elif isinstance(written := plan.desired.settings.get(row.path), Setting) and _is_reference(written):
            settings[row.path] = written
    for path in _added(plan):
        settings[path] = Setting(None, origin)
    return replace(plan.desired, settings=settings, origin=origin, allow=allow, sends=frozenset())


def without(desired: Desired, paths: frozenset[Path]) -> Desired:
    """The document without some of its settings."""
    kept = {path: setting for path, setting in desired.settings.items() if path not in paths}
    return replace(desired, settings=kept)


def unsendable(plan: TargetPlan) -> Iterator[Path]:
    """The providers whose secret the update's document does not write, and that nobody read or the update took away."""
    for row, state in leaves(plan.live):
        written = plan.desired.settings.get(row.path)
        if not row.secret or (written and _is_reference(written)):
            continue
        if state is SecretState.UNKNOWN or get(plan.planned, row.path) is ABSENT:
            yield row.path[:-1]


def remainder(plan: TargetPlan, back: TargetPlan, unseen: tuple[str, ...]) -> Iterator[Finding]:
    """What the way back does not bring back, each with what to do about it.

    Args:
        plan: what the update carried out.
        back: the plan of the way back.
        unseen: what was there before the update, and this API can't express.
    """
    kept_out = tuple(unsendable(plan))
    lost = tuple(provider for provider in kept_out if get(back.planned, provider) is ABSENT)
    for provider in lost:
        yield Finding(
            NOT_RESTORED,
            f"{provider[-1]} can't be linked again: nobody kept its secret",
            hint=f"write {provider[-1]} with a reference to its secret into the document, and apply that",
        )
    for difference in differences(plan.live, back.planned):
        path = difference.path
        if any(_below(path, provider) for provider in lost):
            continue
        yield Finding(NOT_RESTORED, f"{dotted(path)} stays as it is now", _why(difference, kept_out))
    for row, value in leaves(plan.live):
        if isinstance(value, SecretState) and not row.secret and row.path not in back.desired.settings:
            hint = "write it with its reference into the document, and apply that"
            yield Finding(NOT_RESTORED, f"{dotted(row.path)} stays as it is now: nobody kept what it was", hint=hint)
    for row, value in leaves(back.planned):
        change = _change(plan, row.path)
        if isinstance(value, SecretState) and change is not None and get(plan.live, row.path) is not ABSENT:
            sent = bool(back.changes) and isinstance(back.desired.settings.get(row.path), Setting)
            detail = "Its reference is sent as it resolves now." if sent else ""
            said = "may not be what it was: nobody read it" if change.unproven else "is not what it was: nobody kept it"
            yield Finding(NOT_RESTORED, f"{dotted(row.path)} {said}", detail)
    for thing in unseen:
        yield Finding(
            NOT_RESTORED,
            f"{thing}: were there before the update, which clears them",
            hint="this API can't express them: bring them back with the Amplify CLI",
        )


def _setting(row: Field, value: object, origin: Origin) -> Setting:
    if row.is_set and isinstance(value, dict):
        return Setting(tuple(Setting(member, origin) for member in value), origin)
    return Setting(value, origin)  # type: ignore[arg-type] # a leaf of a tree that is no secret is a scalar


def _is_reference(setting: Setting) -> bool:
    return isinstance(setting.value, Template)


def _added(plan: TargetPlan) -> Iterator[Path]:
    """The topmost removable paths that the snapshot lacks and the update itself added."""
    added = [change.path for change in plan.changes if change.action is Action.ADD]
    removed: list[Path] = []
    rows: tuple[Block | Field, ...] = (*BLOCKS, *FIELDS)
    for row in rows:
        known = any(_below(row.path, above) for above in removed)
        if row.removal is None or known or get(plan.live, row.path) is not ABSENT:
            continue
        if any(_below(path, row.path) for path in added):
            removed.append(row.path)
            yield row.path


def _in_doubt(plan: TargetPlan, prefix: str) -> bool:
    """Whether a prefix may have been read with the environment appended: then the update left OAuth alone."""
    alone = dotted(OAUTH) not in plan.sent and get(plan.planned, OAUTH) is not ABSENT
    return alone and prefix.endswith(f"-{plan.target.environment}")


def _change(plan: TargetPlan, path: Path) -> Change | None:
    return next((change for change in plan.changes if change.path == path), None)


def _below(path: Path, above: Path) -> bool:
    return path[: len(above)] == above


def _why(difference: Difference, kept_out: tuple[Path, ...]) -> str:
    path = difference.path
    row = FIELD.get(path) or FIELD.get(path[:-1])
    if row is not None and row.create_only:
        return "It is chosen when the user pool is created."
    if _below(path, FORGOT_PASSWORD):
        return "ForgotPassword is deprecated, and follows VerificationMessage."
    if path == DOMAIN_PREFIX and difference.before is not None:
        return "It may have been read with the environment appended: nobody knows how it is written."
    if any(_below(path, provider) for provider in kept_out):
        return "A provider is sent whole, and nobody kept its secret."
    return "The update did not add it, or this API can't remove it."
