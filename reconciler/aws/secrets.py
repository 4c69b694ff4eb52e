"""What references fetch from AWS: parameters of SSM, and secrets of Secrets Manager, each once and side by side."""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from botocore.exceptions import ClientError

from reconciler.aws.deadline import within
from reconciler.aws.errors import NO_VALUE, fetch_problem
from reconciler.aws.session import Sessions
from reconciler.core.secret import Secret
from reconciler.core.sources import Fetched, Source
from reconciler.errors import ReadFailed, ServiceProblem

_log = logging.getLogger(__name__)
_SENSITIVE = {"SecureString": True, "String": False}


class AwsSecrets:
    """A :class:`~reconciler.core.sources.SecretProvider` over boto3. Of an answer only its status is ever logged."""

    def __init__(self, sessions: Sessions, *, parallelism: int) -> None:
        """Remember whence clients come; ``parallelism`` is the most fetches under way at once, at least 1."""
        self._sessions = sessions
        self._parallelism = parallelism

    def fetch(self, sources: Sequence[Source]) -> Mapping[Source, Fetched | ServiceProblem]:
        """What stands at each source, asked for once, or why it can't be had. From the main thread only."""
        clients = {source: self._client(source) for source in sources}

        def fetched(source: Source) -> Fetched | ServiceProblem:
            client = clients[source]
            return client if isinstance(client, ServiceProblem) else _fetched(source, client, self._sessions.deadline)

        pool = ThreadPoolExecutor(self._parallelism)
        try:
            return dict(zip(clients, pool.map(fetched, clients), strict=True))
        finally:
            pool.shutdown(wait=False, cancel_futures=True)

    def _client(self, source: Source) -> Any:
        """A client that can fetch the source, or the problem that there is none."""
        try:
            return self._sessions.secrets(source.service, source.access, source.region)
        except ServiceProblem as problem:
            return problem


def _fetched(source: Source, client: Any, deadline: float) -> Fetched | ServiceProblem:
    operation, permission, call, read = _way(source, client)
    try:
        answer = within(deadline, call)
        _log.info("%s: status 200", operation)
        return read(answer)
    except ServiceProblem as problem:
        return problem
    except Exception as problem:  # noqa: BLE001 - whatever befalls one source is that source's problem
        status = problem.response.get("ResponseMetadata", {}) if isinstance(problem, ClientError) else {}
        _log.info("%s: status %s", operation, status.get("HTTPStatusCode", "none"))
        return fetch_problem(problem, operation, permission)


def _way(source: Source, client: Any) -> tuple[str, str, Callable[[], Any], Callable[[Any], Fetched]]:
    """The operation's name, the permission that it needs, the call, and what reads its answer."""
    if source.service == "ssm":
        return (
            "GetParameter",
            "ssm:GetParameter",
            lambda: client.get_parameter(Name=source.name, WithDecryption=True),
            _parameter,
        )
    version = {"VersionId": source.version_id, "VersionStage": source.version_stage}
    chosen = {name: value for name, value in version.items() if value is not None}
    return (
        "GetSecretValue",
        "secretsmanager:GetSecretValue",
        lambda: client.get_secret_value(SecretId=source.name, **chosen),
        _secret,
    )


def _parameter(answer: Any) -> Fetched:
    """What GetParameter answered.

    Raises:
        ReadFailed: it is no text.
    """
    parameter = answer["Parameter"] if isinstance(answer, dict) and "Parameter" in answer else None
    if not isinstance(parameter, dict):
        raise ReadFailed("GetParameter answered without a parameter", hint=NO_VALUE)
    kind, text = parameter.get("Type"), parameter.get("Value")
    if kind == "StringList":
        raise ReadFailed("the parameter is a StringList, and a reference takes one text", hint="make it a String")
    if kind not in _SENSITIVE or not isinstance(text, str):
        raise ReadFailed("GetParameter answered without a text of a known type", hint=NO_VALUE)
    return Fetched(Secret(text), _SENSITIVE[kind])


def _secret(answer: Any) -> Fetched:
    """What GetSecretValue answered.

    Raises:
        ReadFailed: it is no text.
    """
    text = answer.get("SecretString") if isinstance(answer, dict) else None
    if isinstance(text, str):
        return Fetched(Secret(text), sensitive=True)
    if isinstance(answer, dict) and text is None and answer.get("SecretBinary") is not None:
        raise ReadFailed("the secret is binary, and a reference takes a text", hint="store it as a SecretString")
    raise ReadFailed("GetSecretValue answered without a text", hint=NO_VALUE)
