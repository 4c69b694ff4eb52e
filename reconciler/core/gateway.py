"""What plan and apply need of the service: a gateway that only reads, and one that can update."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Protocol

from reconciler.core.model import Job, Path, Target


@dataclass(frozen=True, slots=True)
class Backend:
    """What GetBackend says of an app: its environments, and one environment's AmplifyMetaConfig."""

    environments: tuple[str, ...]
    meta_config: str | None


class ReadGateway(Protocol):
    """Reads of one service. Every method raises a :class:`~reconciler.errors.ServiceProblem` when it fails."""

    def get_auth(self, target: Target, hidden: frozenset[Path] = frozenset()) -> Mapping[str, Any]:
        """The target's ``ResourceConfig``; :class:`~reconciler.errors.NotFound` where there is none.

        What stands at ``hidden`` is secret like the secrets themselves: no text of the service that quotes it is shown.
        """
        ...

    def get_backend(self, app: str, environment: str | None) -> Backend:
        """The app's environments, and the meta of one of them if it is named."""
        ...

    def get_job(self, target: Target, job_id: str) -> Job:
        """One job of the target's environment."""
        ...

    def list_jobs(self, target: Target) -> tuple[Job, ...]:
        """All jobs of the target's environment, every page."""
        ...


class Gateway(ReadGateway, Protocol):
    """Reads, and the one update."""

    def update_auth(self, target: Target, config: Mapping[str, Any]) -> Job:
        """Send the update once, and never again by itself; here the secrets in it are revealed.

        Raises:
            AnotherJobRunning: the environment is busy.
            UpdateRefused: it was answered with an error; nothing started.
            AnswerLost: it may have started.
        """
        ...
