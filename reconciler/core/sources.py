"""What references fetch from AWS: where a value is, the value that came, and the port to whoever fetches."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

from reconciler.core.model import Access
from reconciler.core.references import REMOTE, Reference
from reconciler.core.secret import Secret
from reconciler.errors import ServiceProblem

DENIED = "reference-denied"
"""The code of the problem that these credentials may not follow a reference."""


@dataclass(frozen=True, slots=True)
class Source:
    """One parameter of SSM or one secret of Secrets Manager: fetched once, however many references name it.

    ``service`` is the scheme of the reference, ``name`` holds a parameter's version or label.
    """

    service: str
    name: str
    region: str
    access: Access
    version_id: str | None = None
    version_stage: str | None = None


@dataclass(frozen=True, slots=True)
class Fetched:
    """The text that stands at a source; ``sensitive`` unless it is a plain parameter, which anybody may see."""

    text: Secret
    sensitive: bool


class SecretProvider(Protocol):
    """Fetches from AWS."""

    def fetch(self, sources: Sequence[Source]) -> Mapping[Source, Fetched | ServiceProblem]:
        """What stands at each source, or why it can't be had; never raises one source's problem.

        The problem is a :class:`~reconciler.errors.NotFound`, an :class:`~reconciler.errors.AccessProblem`, or a
        :class:`~reconciler.errors.ReadFailed`. Its text holds nothing of a value.
        """
        ...


def source_of(reference: Reference, access: Access, region: str) -> Source | None:
    """Where a reference's value is; None where it is on this machine.

    Args:
        reference: what is written.
        access: the way to the target. A role that the reference names is assumed with the credentials of the target's
            profile, not with its role.
        region: the target's region, for a reference that names none.
    """
    if reference.scheme not in REMOTE:
        return None
    return Source(
        reference.scheme,
        reference.name,
        reference.place or region,
        access if reference.role_arn is None else Access(access.profile, reference.role_arn),
        reference.version_id,
        reference.version_stage,
    )
