"""What is known of secrets that no read returns: keyed fingerprints of those that were sent and proven."""

from __future__ import annotations

import hashlib
import hmac
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import NoReturn

from reconciler.core.fields import SECRETS
from reconciler.core.model import Doubt, Path, Proof, Standing, Target, TargetPlan, Tree
from reconciler.core.secret import Secret
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

    It is not ``certain`` after an update that carried another value and of which nobody knows whether it landed.
    """

    fingerprint: str
    certain: bool = True


@dataclass(frozen=True, slots=True)
class Proofs:
    """What the ledger knows of one target's secrets, and this run's key."""

    proven: Mapping[Path, Proven] = field(default_factory=dict)
    key: Key | None = None

    def standing(self, target: Target, path: Path, written: object, live: object) -> Standing:
        """What is known of one secret.

        Args:
            target: whose secret it is.
            path: its place.
            written: what the document writes; anything but a secret is a reference that was not resolved.
            live: what stands there.
        """
        if not isinstance(written, Secret):
            return Standing(path, Proof.UNPROVEN, Doubt.UNRESOLVED)
        fingerprint = None if self.key is None else self.key.fingerprint(target, path, written)
        if live is ABSENT:
            return Standing(path, Proof.UNPROVEN, Doubt.ABSENT, fingerprint)
        if isinstance(live, Secret):
            return Standing(path, Proof.READABLE, None, fingerprint)
        proof, doubt = self._known(self.proven.get(path), fingerprint)
        return Standing(path, proof, doubt, fingerprint)

    def _known(self, last: Proven | None, fingerprint: str | None) -> tuple[Proof, Doubt | None]:
        if last is None:
            return Proof.UNPROVEN, Doubt.NEVER_PROVEN
        if self.key is None or fingerprint is None:
            return Proof.UNPROVEN, Doubt.NO_KEY
        if not self.key.made(last.fingerprint):
            return Proof.UNPROVEN, Doubt.OTHER_KEY
        if not hmac.compare_digest(last.fingerprint, fingerprint):
            return Proof.ROTATED, None
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
        proofs.standing(target, row.path, value, get(live, row.path))
        for row, value in leaves(written)
        if (row.secret and value is not None) or isinstance(value, Secret)
    )


def carried(plan: TargetPlan) -> frozenset[Path]:
    """The providers' secrets that an update has in it, or takes away."""
    blocks = [tuple(block.split(".")) for block in plan.sent]
    return frozenset(
        path
        for path in SECRETS
        if any(path[: len(block)] == block for block in blocks)
        and any(get(tree, path) is not ABSENT for tree in (plan.planned, plan.live))
    )


def fingerprints(target: Target, planned: Tree, live: Tree, *, sent: bool, key: Key | None) -> dict[Path, str]:
    """The fingerprints that an update proves once it has landed: of what it carries, and of what was read in clear.

    Args:
        target: the update's target.
        planned: the state that it leads to, secrets in it.
        live: what was live before.
        sent: whether it carries the secrets.
        key: None proves nothing.
    """
    if key is None:
        return {}
    return {
        row.path: key.fingerprint(target, row.path, value)
        for row, value in leaves(planned if sent else live)
        if row.secret and isinstance(value, Secret)
    }


def proven_after(
    before: Mapping[Path, Proven], proving: Mapping[Path, str], plan: TargetPlan, *, landed: bool | None
) -> dict[Path, Proven]:
    """What is proven after an update.

    Args:
        before: what was proven before it.
        proving: the fingerprints that it proves once it has landed.
        plan: what it carried out.
        landed: whether it is known to have landed, or known not to have; None where nobody knows.
    """
    if landed is False:
        return dict(before)
    moved = carried(plan)
    left = {path: last for path, last in before.items() if path not in moved}
    if landed:
        return left | {path: Proven(fingerprint) for path, fingerprint in proving.items()}
    doubtful = {
        path: Proven(last.fingerprint, certain=last.certain and proving.get(path) == last.fingerprint)
        for path, last in before.items()
        if path in moved
    }
    return left | doubtful
