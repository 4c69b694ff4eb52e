"""What is known of secrets that no read returns: keyed fingerprints of those that were sent and proven."""

from __future__ import annotations

import hashlib
import hmac
import json
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import NoReturn

from reconciler.core.fields import HIDEABLE, SECRETS
from reconciler.core.model import Path, Target, TargetPlan, Tree
from reconciler.core.references import Template
from reconciler.core.secret import Doubt, Proof, Secret, Standing
from reconciler.core.tree import ABSENT, get, leaves

SHORTEST_KEY = 32
"""Bytes that a key has at least."""
_ALGORITHM = "hmac-sha256"
_WHICH = b"reconciler: which key is this"
_WHICH_LENGTH = 16


class Key:
    """The key of the fingerprints, which shows itself to nobody."""

    __slots__ = ("_bytes", "_which")

    def __init__(self, secret: Secret) -> None:
        """Take a secret's text as the key, without the white space around it.

        Raises:
            ValueError: it is too short; says nothing of it.
        """
        self._bytes = secret.reveal().strip().encode("utf-8", "surrogatepass")
        if len(self._bytes) < SHORTEST_KEY:
            raise ValueError(f"the key must have {SHORTEST_KEY} bytes or more")
        self._which = hmac.new(self._bytes, _WHICH, hashlib.sha256).hexdigest()[:_WHICH_LENGTH]

    def fingerprint(self, target: Target, path: Path, secret: Secret) -> str:
        """The fingerprint of a secret at its place: ``hmac-sha256:<which key>:<64 hexadecimal digits>``.

        The same value elsewhere, or with another key, has another one.
        """
        place = [target.region, target.endpoint, target.app, target.environment, *path]
        message = json.dumps([*place, secret.reveal()]).encode()
        return f"{_ALGORITHM}:{self._which}:{hmac.new(self._bytes, message, hashlib.sha256).hexdigest()}"

    def made(self, fingerprint: str) -> bool:
        """Whether a fingerprint is one of this key."""
        return fingerprint.startswith(f"{_ALGORITHM}:{self._which}:")

    def __repr__(self) -> str:
        return "Key(****)"

    def __reduce__(self) -> NoReturn:
        raise TypeError("a key is never serialised")


@dataclass(frozen=True, slots=True)
class Proven:
    """The fingerprint of the value that was proven last.

    It is not ``certain`` after an update of which nobody knows what it made of the secret. ``beside`` are the
    provider's public ids that it was proven with, ``source`` the reference that it came from.
    """

    fingerprint: str
    certain: bool = True
    beside: Mapping[str, str] = field(default_factory=dict)
    source: str | None = None


@dataclass(frozen=True, slots=True)
class Proofs:
    """What the ledger knows of one target's secrets, and this run's key; ``unread`` where it can't be read.

    ``hidden`` are the places of free text in which an earlier document put a secret: all of them, where nobody knows.
    """

    proven: Mapping[Path, Proven] = field(default_factory=dict)
    key: Key | None = None
    hidden: frozenset[Path] = frozenset()
    unread: bool = False

    def standing(self, target: Target, path: Path, written: object, live: Tree) -> Standing:
        """What is known of one secret.

        Args:
            target: whose secret it is.
            path: its place.
            written: what the document writes; anything but a secret is a reference that was not resolved.
            live: what is live.
        """
        last, there = self.proven.get(path), get(live, path)
        if not isinstance(written, Secret):
            known = last.source if last is not None else None
            other = isinstance(written, Template) and known not in {None, written.text}
            return Standing(path, Proof.UNPROVEN, Doubt.OTHER_REFERENCE if other else Doubt.UNRESOLVED)
        fingerprint = None if self.key is None else self.key.fingerprint(target, path, written)
        if there is ABSENT:
            return Standing(path, Proof.UNPROVEN, Doubt.ABSENT, fingerprint)
        if isinstance(there, Secret):
            return Standing(path, Proof.READABLE, None, fingerprint)
        proof, doubt = self._known(last, fingerprint, _beside(live, path))
        return Standing(path, proof, doubt, fingerprint)

    def _known(
        self, last: Proven | None, fingerprint: str | None, beside: Mapping[str, str]
    ) -> tuple[Proof, Doubt | None]:
        if last is None:
            return Proof.UNPROVEN, Doubt.UNREAD if self.unread else Doubt.NEVER_PROVEN
        if self.key is None or fingerprint is None:
            return Proof.UNPROVEN, Doubt.NO_KEY
        if not self.key.made(last.fingerprint):
            return Proof.UNPROVEN, Doubt.OTHER_KEY
        if not hmac.compare_digest(last.fingerprint, fingerprint):
            return Proof.ROTATED, None
        if any(beside.get(name, value) != value for name, value in last.beside.items()):
            return Proof.UNPROVEN, Doubt.OTHER_IDS
        return (Proof.IN_SYNC, None) if last.certain else (Proof.UNPROVEN, Doubt.UNCERTAIN)


def standings(target: Target, written: Tree, live: Tree, proofs: Proofs) -> tuple[Standing, ...]:
    """What is known of each secret that a document writes, in the catalogue's order.

    Args:
        target: whose secrets they are.
        written: what the document manages, canonical.
        live: what is live, canonical.
        proofs: what the ledger knows.
    """
    return tuple(
        proofs.standing(target, row.path, value, live)
        for row, value in leaves(written)
        if (row.secret and value is not None) or isinstance(value, (Secret, Template))
    )


def carried(plan: TargetPlan) -> frozenset[Path]:
    """The providers' secrets that an update has in it, or takes away."""
    blocks = [tuple(block.split(".")) for block in plan.sent]
    return frozenset(
        path
        for path in SECRETS
        if (get(plan.live, path) is not ABSENT and get(plan.planned, path) is ABSENT)
        or (get(plan.planned, path) is not ABSENT and any(path[: len(block)] == block for block in blocks))
    )


def provable(target: Target, planned: Tree, live: Tree, *, sent: bool, key: Key | None) -> dict[Path, Proven]:
    """What an update proves once it has landed: of what it carries, and of what was read in clear.

    Args:
        target: the update's target.
        planned: the state that it leads to, secrets in it.
        live: what was live before.
        sent: whether it carries the secrets.
        key: None proves nothing.
    """
    tree = planned if sent else live
    return {
        row.path: Proven(key.fingerprint(target, row.path, value), beside=_beside(tree, row.path), source=value.source)
        for row, value in leaves(tree)
        if key is not None and row.secret and isinstance(value, Secret)
    }


def proven_after(
    before: Mapping[Path, Proven],
    proving: Mapping[Path, Proven],
    plan: TargetPlan,
    *,
    landed: bool | None,
    moved: frozenset[Path] = frozenset(),
) -> dict[Path, Proven]:
    """What is proven after an update.

    Args:
        before: what was proven before it.
        proving: what it proves once it has landed.
        plan: what it carried out. What was not there any more right before it is proven no longer.
        landed: whether it is known to have landed as planned, or known not to have; None where neither is known.
        moved: what was seen to move without being planned.
    """
    there = {path: last for path, last in before.items() if get(plan.live, path) is not ABSENT}
    if landed is False:
        return there
    sent = carried(plan)
    if landed:
        return {path: last for path, last in there.items() if path not in sent} | dict(proving)
    providers = {path[:-1] for path in moved}

    def doubted(path: Path, last: Proven) -> bool:
        new = proving.get(path)
        other = path in sent and (new is None or new.fingerprint != last.fingerprint)
        return other or path[:-1] in providers

    return {path: replace(last, certain=False) if doubted(path, last) else last for path, last in there.items()}


def hidden_after(before: frozenset[Path], plan: TargetPlan, *, landed: bool | None) -> frozenset[Path]:
    """The places of free text in which documents put secrets, after an update: until another text stands there.

    Args:
        before: those before it.
        plan: what it carried out.
        landed: as :func:`proven_after` has it.
    """
    if landed is False:
        return before
    settings = plan.desired.settings.items()
    written = {path for path, one in settings if path in HIDEABLE and isinstance(one.value, Template)}
    in_clear = {path for path in before - written if type(get(plan.planned, path)) is str}
    return (before | written) - (in_clear if landed else set())


def _beside(tree: Tree, path: Path) -> dict[str, str]:
    """The public members of a secret's provider."""
    provider = get(tree, path[:-1])
    members = provider.items() if isinstance(provider, dict) else ()
    return {name: value for name, value in members if isinstance(value, str) and name != path[-1]}
