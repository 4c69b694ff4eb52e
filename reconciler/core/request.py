"""From live and desired to the whole update request.

The service makes no promise about what an update leaves out, and its code resets much of it. So a
request is never a patch: each block is sent whole, live overlaid with what the document manages.
"""

from __future__ import annotations

from typing import Any

from reconciler.core.fields import (
    BLOCKS,
    FIELDS,
    FILLED,
    FORGOT_PASSWORD,
    SECRETS,
    SENT_WHOLE,
    SHAPE,
    Field,
    Removal,
    Shape,
)
from reconciler.core.model import Mark, Path, Tree
from reconciler.core.secret import Secret, SecretState
from reconciler.core.tree import ABSENT, copied, drop_meaningless, get, holds, leaves, put

_BLOCKS_BY_CHOICE: tuple[Path, ...] = (*(block.path for block in SENT_WHOLE), FORGOT_PASSWORD)
"""The blocks that an update carries or leaves out as one."""


def overlay(live: Tree, desired: Tree) -> Tree:
    """The state that an update leads to: live, with what is managed laid over it.

    A set replaces a set, None removes, leaves that mean nothing go, create-only members stay as they
    are live. A leaf that the service fills because its block is new is :attr:`Mark.KNOWN_AFTER_APPLY`.

    Args:
        live: canonical; it is never changed.
        desired: what is managed; None removes.

    Returns:
        ``live`` itself where that is written already, letter for letter.
    """
    laid = _laid(live, desired, SHAPE)
    if laid is live:
        return live
    planned = copied(laid)
    _withhold_secrets(planned)
    drop_meaningless(planned)
    for row in FILLED:
        if get(planned, row.path) is ABSENT and _is_new(row, live, planned):
            put(planned, row.path, Mark.KNOWN_AFTER_APPLY)
    return planned


def _laid(live: Tree, desired: Tree, shape: Shape) -> Tree:
    """One mapping over another; what does not differ is shared, and a mapping that becomes empty is left out."""
    laid = live
    for name, value in desired.items():
        below, there = shape.get(name), live.get(name, ABSENT)
        if below is None:
            continue
        if isinstance(below, Field):
            if value is there or below.create_only or _is_written(value, there):
                continue
            new = ABSENT if value is None else value
        elif value is None:
            new = ABSENT
        else:
            new = _laid(there or {}, value, below) or ABSENT if isinstance(value, dict) else there
        if new is there:
            continue
        if laid is live:
            laid = dict(live)
        if new is ABSENT:
            del laid[name]
        else:
            laid[name] = new
    return laid


def _is_written(value: Any, there: Any) -> bool:
    """Whether a leaf is live as it is written, the order of a set included; a secret has its reference beside it."""
    if type(value) is not type(there):
        return False
    if isinstance(value, dict):
        return list(value) == list(there)
    return isinstance(value, str | int | float) and value == there


def _withhold_secrets(planned: Tree) -> None:
    """A provider that is planned without its secret has one that nobody knows."""
    for path in SECRETS:
        if get(planned, path) is ABSENT and get(planned, path[:-1]) is not ABSENT:
            put(planned, path, SecretState.UNKNOWN)


def _is_new(row: Field, live: Tree, planned: Tree) -> bool:
    if row.when is not None:
        return holds(row.when, planned) and not holds(row.when, live)
    return get(live, row.path[:-1]) is ABSENT and get(planned, row.path[:-1]) is not ABSENT


def build(planned: Tree, live: Tree, sent: tuple[Path, ...]) -> dict[str, Any]:
    """The ``ResourceConfig`` of an update: every block whole, secrets as such.

    Args:
        planned: what :func:`overlay` returned.
        live: the canonical live tree; an OAuth block that goes is sent as ``{}``.
        sent: the blocks that the update carries, as :mod:`~reconciler.core.wholeness` decided.
    """
    config: dict[str, Any] = {}
    for row, value in leaves(planned):
        block = next((block for block in _BLOCKS_BY_CHOICE if row.path[: len(block)] == block), None)
        if not row.create_only and not isinstance(value, Mark) and (block is None or block in sent):
            put(config, row.path, _sent(value))
    for row in FIELDS:
        if row.removal is Removal.EMPTY_LIST and row.path[:-1] in sent and get(config, row.path) is ABSENT:
            put(config, row.path, [])
    for removable in BLOCKS:
        gone = get(planned, removable.path) is ABSENT and get(live, removable.path) is not ABSENT
        if removable.removal is Removal.EMPTY_BLOCK and gone:
            put(config, removable.path, {})
    config.setdefault("Service", "COGNITO")
    config.setdefault("UserPoolConfigs", {})
    return config


def _sent(value: Any) -> Any:
    return list(value) if isinstance(value, dict) else value


def sent_back(planned: Tree, desired: Tree) -> tuple[Path, ...]:
    """Secrets that were read from live and would be sent back because nobody wrote them."""
    return tuple(
        row.path
        for row, value in leaves(planned)
        if row.secret and isinstance(value, Secret) and get(desired, row.path) is ABSENT
    )
