"""Whether a block of the request can be sent whole, and what follows when it can't.

A block with holes is not sent as if it were whole: the service loses the change, fills the hole, or
resets what it does not see. What follows depends on what the service does to a block that is left out.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from reconciler.core.fields import (
    AUTH_RESOURCES,
    CONSTRAINTS,
    DOMAIN_PREFIX,
    FIELDS,
    FORGOT_PASSWORD,
    LINKS,
    OAUTH,
    PASSWORD_POLICY,
    PROVIDERS,
    SENT_WHOLE,
    Block,
    Field,
    Kind,
    Omission,
)
from reconciler.core.meta import has_constraints, social_providers, without
from reconciler.core.model import Live, Mark, Path, Tree, dotted
from reconciler.core.secret import SecretState
from reconciler.core.tree import ABSENT, get, holds


@dataclass(frozen=True, slots=True)
class Hole:
    """A leaf without which a block is not whole: why, and what to write."""

    path: Path
    why: str
    hint: str

    def __str__(self) -> str:
        return f"{dotted(self.path)} {self.why}"


@dataclass(frozen=True, slots=True)
class Wholeness:
    """What becomes of each block of the request.

    ``sent`` are the blocks that the update carries. ``left_out`` are those with holes in which nothing
    changes and that the service keeps. ``reset`` are those with holes that it resets: an update is
    dangerous, and carries what there is of them. ``stuck`` has the holes of an OAuth block that is live and
    in which something changes; ``missing`` the holes that the document must fill.
    """

    sent: tuple[Path, ...] = ()
    left_out: tuple[tuple[Path, tuple[Hole, ...]], ...] = ()
    reset: tuple[tuple[Path, tuple[Hole, ...]], ...] = ()
    stuck: tuple[Hole, ...] = ()
    missing: tuple[Hole, ...] = ()


def wholeness(planned: Tree, wanted: Tree, tree: Tree, live: Live, changed: frozenset[Path]) -> Wholeness:
    """What becomes of each block.

    Args:
        planned: the state that the update leads to.
        wanted: what the document manages.
        tree: the canonical live tree.
        live: what else was read.
        changed: the paths that move.
    """
    sent: list[Path] = []
    left_out: list[tuple[Path, tuple[Hole, ...]]] = []
    reset: list[tuple[Path, tuple[Hole, ...]]] = []
    stuck: tuple[Hole, ...] = ()
    missing: list[Hole] = []
    if get(planned, AUTH_RESOURCES) is ABSENT:
        missing.append(Hole(AUTH_RESOURCES, _NEITHER, "write USER_POOL_ONLY or IDENTITY_POOL_AND_USER_POOL"))
    for block in (*SENT_WHOLE, Block(FORGOT_PASSWORD)):
        touched = any(path[: len(block.path)] == block.path for path in changed)
        there = get(planned, block.path) is not ABSENT
        removed = not there and get(wanted, block.path) is None
        holes = () if removed else tuple(_holes(block.path, planned, wanted, live, touched=touched))
        managed = block.omission is not None or get(wanted, block.path) is not ABSENT
        if removed or not managed or not (there or touched or block.omission is Omission.RESET):
            continue
        if not there and not touched and without(live.meta, block.path):
            continue
        if not holes:
            sent.append(block.path)
        elif touched and block.path == OAUTH and get(tree, OAUTH) is not ABSENT:
            missing += [hole for hole in holes if get(wanted, hole.path) is not ABSENT]
            stuck = tuple(hole for hole in holes if get(wanted, hole.path) is ABSENT)
        elif touched:
            missing += holes
        elif block.omission is Omission.RESET:
            reset.append((block.path, holes))
            sent += [block.path] if there else []
        elif block.omission is Omission.KEPT:
            left_out.append((block.path, holes))
    return Wholeness(tuple(sent), tuple(left_out), tuple(reset), stuck, tuple(missing))


_NEITHER = "is neither returned by the service nor written"


def _holes(block: Path, planned: Tree, wanted: Tree, live: Live, *, touched: bool) -> Iterator[Hole]:
    for row in FIELDS:
        if not row.needed or row.path[: len(block)] != block or not holds(row.when, planned):
            continue
        if row.path[: len(PROVIDERS)] == PROVIDERS and get(planned, row.path[:-1]) is ABSENT:
            continue
        if row.when is not None and get(planned, row.when.path) is ABSENT:
            continue
        if get(planned, row.path) in (ABSENT, SecretState.UNKNOWN):
            yield Hole(row.path, _NEITHER, _hint(row))
    if block == OAUTH:
        yield from _oauth_holes(planned, wanted, live, touched=touched)
    unread = get(wanted, CONSTRAINTS) is ABSENT and get(planned, CONSTRAINTS) is ABSENT
    if block == PASSWORD_POLICY and unread and live.meta is not None and has_constraints(live.meta) is not False:
        why = "is not returned by the service, and the backend's meta does not tell that there is none"
        yield Hole(CONSTRAINTS, why, "write the constraints that are wanted, or null for none")


def _oauth_holes(planned: Tree, wanted: Tree, live: Live, *, touched: bool) -> Iterator[Hole]:
    scopes = get(planned, (*OAUTH, "OAuthScopes"))
    if touched and scopes and {"PHONE", "EMAIL", "PROFILE"} & set(scopes) and "OPENID" not in scopes:
        yield Hole((*OAUTH, "OAuthScopes"), "lacks OPENID, which PHONE, EMAIL and PROFILE imply", "add OPENID")
    for provider in _perhaps_linked(planned, live):
        if get(planned, provider) is ABSENT and get(wanted, provider) is not None:
            why = "is not returned by the service, and the backend's meta does not tell that it is not linked"
            yield Hole(provider, why, "write the provider with all its members, or null where it is not linked")
    if get(planned, DOMAIN_PREFIX) is Mark.KNOWN_AFTER_APPLY and live.meta is not None and live.meta.hosted_domain:
        why = "is not returned by the service, and the backend's meta tells of a hosted domain"
        yield Hole(DOMAIN_PREFIX, why, "write the prefix that is live")
    if not live.domain_settled and get(wanted, DOMAIN_PREFIX) is ABSENT:
        why = "was read with or without the environment appended, nobody can tell"
        yield Hole(DOMAIN_PREFIX, why, "write the prefix")


def _perhaps_linked(planned: Tree, live: Live) -> tuple[Path, ...]:
    """The providers that an update could unlink: those that the meta lists, or all where neither side tells."""
    if live.meta is None or get(live.tree, OAUTH) is ABSENT:
        return ()
    listed = social_providers(live.meta)
    if listed is not None:
        return tuple((*PROVIDERS, name) for name in listed)
    nobody = get(planned, PROVIDERS) is ABSENT
    return LINKS if nobody else ()


def _hint(row: Field) -> str:
    match row.kind:
        case Kind.CHOICE | Kind.CHOICES:
            return f"write {' or '.join(row.choices)}"
        case Kind.STRING if row.secret:
            return "write a reference such as ${env:NAME}"
        case Kind.STRING if row.path[-1] in {"EmailMessage", "SmsMessage"}:
            return "write a message that contains {####}"
        case _:
            return "write it"
