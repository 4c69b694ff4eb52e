"""From live and desired to the whole update request.

The service makes no promise about what an update leaves out, and its code resets much of it. So a
request is never a patch: each block is sent whole, live overlaid with what the document manages.
"""

from __future__ import annotations

from typing import Any

from reconciler.core.fields import (
    BLOCKS,
    DOMAIN_PREFIX,
    FIELDS,
    FORGOT_PASSWORD,
    OAUTH,
    OAUTH_LISTS,
    PASSWORD_POLICY,
    PROVIDERS,
    Field,
    Removal,
)
from reconciler.core.model import Mark, Path, Secret, SecretState, Template, Tree, dotted
from reconciler.core.tree import ABSENT, copied, drop, drop_meaningless, get, holds, leaves, put


def overlay(live: Tree, desired: Tree) -> Tree:
    """The state that an update leads to: live, with what is managed laid over it.

    A set replaces a set, None removes, leaves that mean nothing go, create-only members stay as they
    are live. A leaf that the service fills because its block is new is :attr:`Mark.KNOWN_AFTER_APPLY`.
    """
    planned = copied(live)
    for block in BLOCKS:
        if get(desired, block.path) is None:
            drop(planned, block.path)
    for row in FIELDS:
        value = get(desired, row.path)
        if value is ABSENT or row.create_only:
            continue
        if value is None:
            drop(planned, row.path)
        else:
            put(planned, row.path, value)
    _withhold_secrets(planned)
    drop_meaningless(planned)
    for row in FIELDS:
        if row.filled and get(planned, row.path) is ABSENT and _is_new(row, live, planned):
            put(planned, row.path, Mark.KNOWN_AFTER_APPLY)
    return planned


def _withhold_secrets(planned: Tree) -> None:
    """A provider that is planned without its secret has one that nobody knows."""
    for row in FIELDS:
        if row.secret and get(planned, row.path) is ABSENT and get(planned, row.path[:-1]) is not ABSENT:
            put(planned, row.path, SecretState.UNKNOWN)


def _is_new(row: Field, live: Tree, planned: Tree) -> bool:
    if row.when is not None:
        return holds(row.when, planned) and not holds(row.when, live)
    return get(live, row.path[:-1]) is ABSENT and get(planned, row.path[:-1]) is not ABSENT


def build(planned: Tree, desired: Tree, live: Tree, *, with_oauth: bool) -> dict[str, Any]:
    """The ``ResourceConfig`` of an update: every block whole, secrets revealed.

    Args:
        planned: what :func:`overlay` returned.
        desired: what the document manages; a deprecated block is sent only when it is in it.
        live: the canonical live tree; an OAuth block that goes is sent as ``{}``.
        with_oauth: whether the OAuth block is sent, as :func:`oauth_obstacles` and the plan decided.
    """
    config: dict[str, Any] = {}
    for row, value in leaves(planned):
        inside_oauth = row.path[: len(OAUTH)] == OAUTH
        deprecated = row.path[: len(FORGOT_PASSWORD)] == FORGOT_PASSWORD
        if row.create_only or (inside_oauth and not with_oauth) or isinstance(value, Mark):
            continue
        if deprecated and get(desired, FORGOT_PASSWORD) is ABSENT:
            continue
        put(config, row.path, _sent(value))
    if get(config, PASSWORD_POLICY) is not ABSENT:
        constraints = (*PASSWORD_POLICY, "AdditionalConstraints")
        if get(config, constraints) is ABSENT:
            put(config, constraints, [])
    removal = next(block.removal for block in BLOCKS if block.path == OAUTH)
    gone = get(planned, OAUTH) is ABSENT and get(live, OAUTH) is not ABSENT
    if removal is Removal.EMPTY_BLOCK and gone:
        put(config, OAUTH, {})
    config.setdefault("Service", "COGNITO")
    config.setdefault("UserPoolConfigs", {})
    return config


def _sent(value: Any) -> Any:
    if isinstance(value, dict):
        return list(value)
    return value.reveal() if isinstance(value, Secret) else value


def oauth_obstacles(
    planned: Tree, desired: Tree, *, domain_settled: bool, linked: tuple[str, ...] = ()
) -> tuple[str, ...]:
    """Why the planned OAuth block can't be sent whole; empty when it can.

    The service loses the whole change when a redirect list is missing, fills missing scopes, may generate a
    missing domain, skips a provider without its secret, and renames the hosted domain when a read suffix is
    sent back. The domain of a block that is new is no obstacle: the service fills it.

    Args:
        planned: what :func:`overlay` returned.
        desired: what the document manages.
        domain_settled: whether the written form of the live domain prefix is known.
        linked: the providers that the backend's meta lists; one that the read left out would be unlinked.
    """
    if get(planned, OAUTH) is ABSENT:
        return ()
    obstacles = [
        f"{dotted(path)} is neither returned by the service nor written"
        for path in (DOMAIN_PREFIX, *OAUTH_LISTS, (*OAUTH, "OAuthGrantType"))
        if get(planned, path) is ABSENT
    ]
    for row in FIELDS:
        provider = row.path[:-1]
        if row.path[: len(PROVIDERS)] != PROVIDERS or get(planned, provider) is ABSENT:
            continue
        if get(planned, row.path) in {ABSENT, SecretState.UNKNOWN}:
            obstacles.append(f"{dotted(row.path)} is neither returned by the service nor written")
    obstacles += [
        f"{dotted((*PROVIDERS, name))} is linked, and neither returned by the service nor written"
        for name in linked
        if get(planned, (*PROVIDERS, name)) is ABSENT and get(desired, (*PROVIDERS, name)) is not None
    ]
    if not domain_settled and get(desired, DOMAIN_PREFIX) is ABSENT:
        obstacles.append(f"whether {dotted(DOMAIN_PREFIX)} was read with the environment appended is not known")
    return tuple(obstacles)


def sent_back(planned: Tree, desired: Tree) -> tuple[Path, ...]:
    """Secrets that were read from live and would be sent back because nobody wrote them."""
    return tuple(
        row.path
        for row, value in leaves(planned)
        if row.secret and isinstance(value, Secret) and get(desired, row.path) is ABSENT
    )


def unproven(live: Tree, planned: Tree) -> tuple[Path, ...]:
    """Secrets that would be sent to a provider whose live secret can't be read."""
    return tuple(
        row.path
        for row, value in leaves(planned)
        if row.secret
        and isinstance(value, (Secret, Template))
        and get(live, row.path) is not ABSENT
        and not (isinstance(value, Secret) and isinstance(get(live, row.path), Secret))
    )
