"""The gateways over boto3's ``amplifybackend`` client: one that reads, and one that can also update."""

from __future__ import annotations

import logging
from collections.abc import Callable, Collection, Mapping
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError

from reconciler.aws.deadline import within
from reconciler.aws.errors import MISREAD, NO_ANSWER, hint_for, read_problem, unsent_problem, update_problem
from reconciler.aws.retries import Retries
from reconciler.core.fields import SECRETS
from reconciler.core.gateway import Backend
from reconciler.core.model import Job, Path, Target
from reconciler.core.secret import Secret, looks_masked
from reconciler.core.transcript import names_in, reason
from reconciler.errors import AnswerLost, ReadFailed

_log = logging.getLogger(__name__)
_PAGE = 25
_MOST_PAGES = 400
_LONGEST_TIME = 20


class Reader:
    """Reads of the service. It has no method that writes: plan and drift can't send an update."""

    def __init__(self, client: Any, retries: Retries, *, known: Collection[Secret] = frozenset()) -> None:
        """Wrap a client.

        Args:
            client: that; it sends once.
            retries: makes each read until it is answered.
            known: secrets that no text of the service may show, although they were neither read nor sent; it may grow.
        """
        self._client = client
        self._retries = retries
        self._known = known
        self._secrets: set[str] = set()

    def get_auth(self, target: Target, hidden: frozenset[Path] = frozenset()) -> Mapping[str, Any]:
        """The target's ``ResourceConfig``, at least its ``UserPoolConfigs`` and ``AuthResources``."""
        operation = "GetBackendAuth"
        answer = self._read(
            operation,
            lambda: self._client.get_backend_auth(
                AppId=target.app, BackendEnvironmentName=target.environment, ResourceName=target.resource
            ),
        )
        config = answer.get("ResourceConfig")
        if not isinstance(config, dict) or not isinstance(config.get("UserPoolConfigs"), dict):
            raise ReadFailed(f"{operation} answered without a ResourceConfig", hint=NO_ANSWER)
        if not config.get("AuthResources") or not config["UserPoolConfigs"]:
            raise ReadFailed(f"{operation} answered with a ResourceConfig that is not whole", hint=NO_ANSWER)
        self._remember(config, hidden)
        return config

    def get_backend(self, app: str, environment: str | None) -> Backend:
        """The app's environments, and one environment's AmplifyMetaConfig."""
        names = {"AppId": app, **({"BackendEnvironmentName": environment} if environment else {})}
        answer = self._read("GetBackend", lambda: self._client.get_backend(**names))
        environments = answer.get("BackendEnvironmentList")
        if not answer.get("AppId") or not isinstance(environments, list | None):
            raise ReadFailed("GetBackend answered without an app", hint=NO_ANSWER)
        meta = answer.get("AmplifyMetaConfig")
        return Backend(tuple(str(name) for name in environments or ()), meta if isinstance(meta, str) else None)

    def get_job(self, target: Target, job_id: str) -> Job:
        """One job, its error text made fit to be shown."""
        answer = self._read(
            "GetBackendJob",
            lambda: self._client.get_backend_job(
                AppId=target.app, BackendEnvironmentName=target.environment, JobId=job_id
            ),
            error_is_failure=False,
        )
        if not answer.get("Status"):
            raise ReadFailed("GetBackendJob answered without a status", hint=NO_ANSWER)
        return self._job(answer)

    def list_jobs(self, target: Target) -> tuple[Job, ...]:
        """All jobs of the target's environment, every page."""
        names: dict[str, Any] = {"AppId": target.app, "BackendEnvironmentName": target.environment, "MaxResults": _PAGE}
        jobs: list[Job] = []
        for _ in range(_MOST_PAGES):
            answer = self._read("ListBackendJobs", lambda: self._client.list_backend_jobs(**names))
            if not isinstance(answer.get("Jobs"), list):
                raise ReadFailed("ListBackendJobs answered without jobs", hint=NO_ANSWER)
            jobs += [self._job(job) for job in answer["Jobs"]]
            if not answer.get("NextToken"):
                return tuple(jobs)
            names["NextToken"] = answer["NextToken"]
        raise ReadFailed(f"ListBackendJobs has more than {_MOST_PAGES} pages")

    def _job(self, answer: Any) -> Job:
        """A job, its error made fit to be shown: the raw transcript goes no further."""
        if not isinstance(answer, dict):
            raise ReadFailed("a job that the service listed is no object", hint=NO_ANSWER)
        error = str(answer.get("Error") or "")
        return Job(
            id=_text(answer.get("JobId")),
            status=_text(answer.get("Status")) or "",
            operation=_text(answer.get("Operation")),
            error=reason(error, self._masked()) if error else None,
            created=_milliseconds(answer.get("CreateTime")),
            names=names_in(error),
            hint=hint_for(error),
        )

    def _masked(self) -> tuple[str, ...]:
        """Every secret that this run knows, for the service's texts to be without."""
        return (*tuple(self._secrets), *(secret.reveal() for secret in tuple(self._known)))

    def _remember(self, config: Mapping[str, Any], hidden: frozenset[Path]) -> None:
        """Keep the secrets that the service knows, so that no text of it that quotes one is shown."""
        for path in (*SECRETS, *hidden):
            node: Any = config
            for part in path:
                node = node.get(part) if isinstance(node, dict) else None
            if isinstance(node, str) and not looks_masked(node):
                self._secrets.add(node)

    def _read(self, operation: str, call: Callable[[], Any], *, error_is_failure: bool = True) -> Mapping[str, Any]:
        try:
            answer = self._retries.read(call)
        except (BotoCoreError, ClientError, TimeoutError, *MISREAD) as problem:
            _told(operation, problem.response if isinstance(problem, ClientError) else {})
            raise read_problem(problem, operation, self._masked()) from None
        if not isinstance(answer, dict):
            raise ReadFailed(f"{operation} answered with something that is no object", hint=NO_ANSWER)
        _told(operation, answer)
        error = answer.get("Error")
        if error and error_is_failure:
            raise ReadFailed(f"{operation} answered with an error", detail=reason(str(error), self._masked()))
        return answer


class Writer(Reader):
    """Reads, and the one update, which is sent once."""

    def __init__(
        self,
        client: Any,
        retries: Retries,
        *,
        deadline: float,
        credentials: Callable[[], object],
        known: Collection[Secret] = frozenset(),
    ) -> None:
        """Wrap a client.

        Args:
            client: that; it sends once.
            retries: makes each read until it is answered; the update does without.
            deadline: the most seconds that the update may take.
            credentials: gets what the update is signed with, or renews it.
            known: as a reader's.
        """
        super().__init__(client, retries, known=known)
        self._deadline = deadline
        self._credentials = credentials

    def update_auth(self, target: Target, config: Mapping[str, Any]) -> Job:
        """Send the update once; what was secret in it is masked in every later text of the service."""
        revealed = self._revealed(config)
        try:
            # Beforehand: what fails or hangs here has sent nothing, and the deadline of the update does not run.
            within(self._deadline, self._credentials)
        except (BotoCoreError, ClientError, TimeoutError, RuntimeError, *MISREAD) as problem:
            raise unsent_problem(problem) from None
        try:
            answer = within(
                self._deadline,
                lambda: self._client.update_backend_auth(
                    AppId=target.app,
                    BackendEnvironmentName=target.environment,
                    ResourceName=target.resource,
                    ResourceConfig=revealed,
                ),
            )
        except (BotoCoreError, ClientError, TimeoutError, *MISREAD) as problem:
            _told("UpdateBackendAuth", problem.response if isinstance(problem, ClientError) else {})
            raise update_problem(problem, self._masked()) from None
        if not isinstance(answer, dict):
            raise AnswerLost("UpdateBackendAuth was sent, and its answer is no object")
        _told("UpdateBackendAuth", answer)
        return self._job(answer)

    def _revealed(self, value: Any) -> Any:
        """What is sent, its secrets in clear, each of them remembered."""
        match value:
            case Mapping():
                return {key: self._revealed(below) for key, below in value.items()}
            case Secret():
                self._secrets.add(value.reveal())
                return value.reveal()
            case _:
                return value


def _told(operation: str, answer: Mapping[str, Any]) -> None:
    """What ``--verbose`` and ``--debug`` show of a call: never its content."""
    metadata = answer.get("ResponseMetadata", {})
    _log.info("%s: status %s", operation, metadata.get("HTTPStatusCode", "none"))
    _log.debug("%s: request %s", operation, metadata.get("RequestId", "without an id"))


def _text(value: Any) -> str | None:
    return value if isinstance(value, str) and value else None


def _milliseconds(value: Any) -> int | None:
    return int(value) if isinstance(value, str) and len(value) < _LONGEST_TIME and value.isdecimal() else None
