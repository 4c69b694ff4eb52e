"""What a run may repeat of the service: it quotes what was sent, and only whoever sent it can mask the secrets."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import Any

from reconciler.core.gateway import Backend, Gateway
from reconciler.core.model import Job, Path, Target, TargetPlan
from reconciler.core.proof import carried
from reconciler.core.secret import Proof, SecretState
from reconciler.core.tree import get, leaves
from reconciler.errors import ServiceProblem


@dataclass(frozen=True, slots=True)
class Discreet:
    """A gateway that does not repeat why a job or a read failed.

    Such a text may quote what was sent. A secret in it is masked by whoever sent it; another run does not know it.
    """

    gateway: Gateway

    def get_auth(self, target: Target, hidden: frozenset[Path] = frozenset()) -> Mapping[str, Any]:
        """As the gateway says."""
        with quietly():
            return self.gateway.get_auth(target, hidden)

    def get_backend(self, app: str, environment: str | None) -> Backend:
        """As the gateway says."""
        with quietly():
            return self.gateway.get_backend(app, environment)

    def get_job(self, target: Target, job_id: str) -> Job:
        """The job without its reason."""
        with quietly():
            return without_reason(self.gateway.get_job(target, job_id))

    def list_jobs(self, target: Target) -> tuple[Job, ...]:
        """The jobs without their reasons."""
        with quietly():
            return tuple(without_reason(job) for job in self.gateway.list_jobs(target))

    def update_auth(self, target: Target, config: Mapping[str, Any]) -> Job:
        """As the gateway says."""
        return self.gateway.update_auth(target, config)


@contextmanager
def quietly() -> Iterator[None]:
    """Raise a problem of the service again without what it said, which stands in the detail or after a colon."""
    try:
        yield
    except ServiceProblem as problem:
        raise type(problem)(problem.summary.partition(": ")[0], hint=problem.hint) from None


def without_reason(job: Job) -> Job:
    """A job that failed, with no more of why than names that are AWS's own."""
    said = "its reason may quote a secret that this run does not know, and is not repeated"
    named = f"{said}; it names {', '.join(job.names)}" if job.names else said
    return replace(job, error=named if job.error else None)


def carried_secrets(plan: TargetPlan) -> bool:
    """Whether the update had a secret in it, or took one away, or free text is secret before it or after."""
    hidden = (
        isinstance(state, SecretState) and not row.secret
        for tree in (plan.planned, plan.live)
        for row, state in leaves(tree)
    )
    return bool(carried(plan)) or any(hidden)


def moves_unknown_secrets(plan: TargetPlan) -> bool:
    """Whether the update replaces, or takes away, a secret that no read returned and that is not proven to be the same.

    What it was only the service knows, which may quote it.
    """
    same = {standing.path for standing in plan.secrets if standing.proof is Proof.IN_SYNC}
    return any(get(plan.live, path) is SecretState.UNKNOWN and path not in same for path in carried(plan))
