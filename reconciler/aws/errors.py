"""Turn what botocore raises into this project's errors; its texts quote their input and are never shown raw."""

from __future__ import annotations

from collections.abc import Iterable
from http import HTTPStatus

from botocore import exceptions as aws
from botocore.parsers import ResponseParserError

from reconciler.core.transcript import reason
from reconciler.errors import (
    AccessProblem,
    AnotherJobRunning,
    AnswerLost,
    NotFound,
    ReadFailed,
    ServiceProblem,
    UpdateRefused,
)

NO_CREDENTIALS = (
    aws.NoCredentialsError,
    aws.PartialCredentialsError,
    aws.CredentialRetrievalError,
    aws.ProfileNotFound,
    aws.SSOError,
    aws.TokenRetrievalError,
    aws.NoAuthTokenError,
    aws.ConfigNotFound,
    aws.ConfigParseError,
    aws.InvalidConfigError,
)
MISREAD = (ResponseParserError, OSError, TypeError, AttributeError, ValueError, KeyError)
"""What botocore raises beyond its own errors when an answer is not what the service answers."""
NEVER_SENT = (aws.EndpointConnectionError, aws.ConnectTimeoutError, aws.ProxyConnectionError)
_DENIED_STATUS = {401, 403}
_EXPIRED = ("ExpiredToken", "RequestExpired", "InvalidClientTokenId", "UnrecognizedClient")
_UNSIGNED = ("InvalidSignature", "SignatureDoesNotMatch", "IncompleteSignature", "MissingAuthenticationToken")
_BUSY = ("already a pending job", "deployment is already in progress")
_HINTS = {
    "auth headless is missing the following inputParams": (
        "the project has social logins on its identity pool, which this API can't update: use amplify update auth"
    ),
    "Cannot turn MFA functionality ON": "this user pool was created without MFA: write OPTIONAL",
    "gen2-migration": "the app is locked for its migration to Gen 2: every update fails for good",
}


NO_ANSWER = "try again; if it stays, something between here and AWS answers: look at --endpoint-url and proxies"


def hint_for(text: str) -> str:
    """What to do about a service's error text that is known; empty for others."""
    return next((hint for sign, hint in _HINTS.items() if sign in text), "")


def read_problem(problem: Exception, operation: str, secrets: Iterable[str] = ()) -> ServiceProblem:
    """The error of a failed read.

    Args:
        problem: what botocore, or its parsing of the answer, raised.
        operation: the API operation, for example ``GetBackendAuth``.
        secrets: values that the service knows, and that its text may quote.
    """
    if isinstance(problem, NO_CREDENTIALS):
        return _no_credentials(problem)
    if isinstance(problem, aws.ClientError):
        return _answered(problem, operation, secrets) or ReadFailed(f"{operation} failed: {_said(problem, secrets)}")
    if isinstance(problem, aws.EndpointConnectionError):
        return ReadFailed(
            f"{operation} failed: the endpoint can't be reached", hint="look at --region and --endpoint-url"
        )
    if isinstance(problem, TimeoutError):
        return ReadFailed(f"{operation} failed: no whole answer in time", hint="try again, or raise --cli-read-timeout")
    if not isinstance(problem, aws.BotoCoreError):
        return ReadFailed(f"{operation} failed: the answer does not have the shape of one", hint=NO_ANSWER)
    return ReadFailed(f"{operation} failed: {type(problem).__name__}", hint="try again")


def update_problem(problem: Exception, secrets: Iterable[str] = ()) -> ServiceProblem:
    """The error of an update that did not answer well; in doubt it counts as lost, and is never resent.

    ``secrets`` are those that were sent, and that the service's text may quote.
    """
    operation = "UpdateBackendAuth"
    if isinstance(problem, NO_CREDENTIALS):
        return _no_credentials(problem)
    if isinstance(problem, aws.ClientError):
        status = _status(problem)
        if status >= 500 or status < 400 or "504" in _code(problem):  # noqa: PLR2004 - the classes of HTTP
            return AnswerLost(f"{operation} was sent, and the answer was {_said(problem, secrets)}")
        said = _said(problem, secrets)
        hint = hint_for(said)
        if status == HTTPStatus.TOO_MANY_REQUESTS:
            hint = "nothing was changed, and it is not sent again by itself: wait a minute, and apply again"
        return _answered(problem, operation, secrets) or UpdateRefused(f"{operation} was refused: {said}", hint=hint)
    if isinstance(problem, aws.ParamValidationError):
        hint = "a block of the request lacks what the API requires: write the block whole"
        return UpdateRefused(f"{operation} was not sent: it does not have the shape of a request", hint=hint)
    if isinstance(problem, NEVER_SENT):
        return UpdateRefused(f"{operation} was not sent: {type(problem).__name__}", hint="try again")
    return AnswerLost(f"{operation} was sent, and its answer was lost: {type(problem).__name__}")


def _answered(problem: aws.ClientError, operation: str, secrets: Iterable[str]) -> ServiceProblem | None:
    code, said = _code(problem), _said(problem, secrets)
    if any(sign in said for sign in _BUSY):
        hint = "wait until it has ended, then try again"
        return AnotherJobRunning("another job is running in this environment", detail=said, hint=hint)
    if _status(problem) in _DENIED_STATUS or code.startswith(("AccessDenied", "Forbidden", *_EXPIRED, *_UNSIGNED)):
        hint = f"the permission it needs is amplifybackend:{operation}"
        if code.startswith(_EXPIRED):
            hint = "renew the credentials"
        elif code.startswith(_UNSIGNED):
            hint = "look at the secret access key, and at this machine's clock"
        return AccessProblem(f"{operation} was denied: {said}", hint=hint)
    if _status(problem) == 404 or "ResourceNotFoundException" in f"{code} {said}":  # noqa: PLR2004 - not found
        return NotFound(f"{operation} found nothing", detail=said)
    return None


def _no_credentials(problem: Exception) -> AccessProblem:
    if isinstance(problem, aws.ProfileNotFound):
        return AccessProblem(
            "the AWS profile that is named does not exist", hint="look at 'aws configure list-profiles'"
        )
    return AccessProblem(
        f"no usable AWS credentials ({type(problem).__name__})",
        hint="run 'aws configure' or 'aws sso login', name a profile with --profile, or try --emulator",
    )


def _status(problem: aws.ClientError) -> int:
    return int(problem.response.get("ResponseMetadata", {}).get("HTTPStatusCode", 0))


def _code(problem: aws.ClientError) -> str:
    return str(problem.response.get("Error", {}).get("Code", ""))


def _said(problem: aws.ClientError, secrets: Iterable[str]) -> str:
    message = str(problem.response.get("Error", {}).get("Message", ""))
    return (
        f"{_code(problem)}: {reason(message, secrets)}" if message else f"{_code(problem)} (status {_status(problem)})"
    )
