"""Turn what botocore raises into this project's errors; its texts quote their input and are never shown raw."""

from __future__ import annotations

import re
from collections.abc import Iterable
from contextlib import suppress
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from http import HTTPStatus

from botocore import exceptions as aws
from botocore.parsers import ResponseParserError

from reconciler.core.transcript import cleaned, reason
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
_CREDENTIALS = {
    "AssumeRole": "the credentials need sts:AssumeRole on the role, and its trust policy must name them",
    "AssumeRoleWithWebIdentity": "the role's trust policy must name the token's provider and subject",
    "GetRoleCredentials": "run 'aws sso login', and look at the profile's sso_account_id and sso_role_name",
}
"""The operations that get credentials, before anything is signed and sent with them, and what to do if denied."""
_CODE = re.compile(r"[A-Z][A-Za-z]{1,60}|\d{3}")
_THROTTLED = ("Throttl", "TooManyRequests", "RequestLimitExceeded", "RequestThrottled", "SlowDown")
_TRANSIENT = ("RequestTimeout",)
_TRANSIENT_STATUS = {500, 502, 503, 504}
_ABSENT = {"ParameterNotFound", "ParameterVersionNotFound", "ResourceNotFoundException"}
_UNDECRYPTED = ("InvalidKeyId", "DecryptionFailure", "KMS")
_DENIED_STATUS = {401, 403}
_EXPIRED = ("ExpiredToken", "RequestExpired", "InvalidClientTokenId", "UnrecognizedClient")
_UNSIGNED = ("InvalidSignature", "SignatureDoesNotMatch", "IncompleteSignature", "MissingAuthenticationToken")
_BUSY = ("already a pending job", "deployment is already in progress")
_LONGEST_SECONDS = 9
_HINTS = {
    "auth headless is missing the following inputParams": (
        "the project has social logins on its identity pool, which this API can't update: use amplify update auth"
    ),
    "Cannot turn MFA functionality ON": "this user pool was created without MFA: write OPTIONAL",
    "gen2-migration": "the app is locked for its migration to Gen 2: every update fails for good",
}


_TOO_MANY = "others use the same account and region: wait some minutes, and see what else reads there"
NO_VALUE = "try again; if it stays, something between here and AWS answers: look at proxies and configured endpoints"
NO_ANSWER = "try again; if it stays, something between here and AWS answers: look at --endpoint-url and proxies"


class ReadsRefused(aws.BotoCoreError):
    """A read was not sent, since the service refuses every one for now."""

    fmt = "The service refuses every read"


class RoleNotAssumed(aws.BotoCoreError):
    """STS gave no credentials of a role; raised before the request that they were needed for was signed."""

    fmt = "The role {role_arn} can't be assumed"

    def __init__(self, role_arn: str, problem: Exception) -> None:
        super().__init__(role_arn=role_arn)
        self.role_arn = role_arn
        self.problem = problem


def throttled(problem: Exception) -> bool:
    """Whether the service itself refused a request because there are too many."""
    if not isinstance(problem, aws.ClientError) or problem.operation_name in _CREDENTIALS:
        return False
    return _status(problem) == HTTPStatus.TOO_MANY_REQUESTS or _code(problem).startswith(_THROTTLED)


def transient(problem: Exception) -> bool:
    """Whether the same read may succeed right afterwards: the service or the network failed, and nobody said no."""
    if isinstance(problem, aws.ClientError):
        if problem.operation_name in _CREDENTIALS:
            return False
        return _status(problem) in _TRANSIENT_STATUS or _code(problem).startswith(_TRANSIENT)
    return isinstance(problem, aws.HTTPClientError | aws.ConnectionError)


def retry_after(problem: Exception) -> float:
    """The seconds that an answer asks to wait (``Retry-After``, in seconds or as a date); 0 where it doesn't."""
    if not isinstance(problem, aws.ClientError):
        return 0
    headers = problem.response.get("ResponseMetadata", {}).get("HTTPHeaders", {})
    text = str(headers.get("retry-after", "")).strip()
    if text.isascii() and text.isdigit():
        return float(text[:_LONGEST_SECONDS])
    with suppress(ValueError, TypeError, OverflowError):
        until = parsedate_to_datetime(text)
        told = headers.get("date")  # by the service's own clock, where it tells it
        now = parsedate_to_datetime(str(told)) if told else datetime.now(UTC)
        return max((until - now).total_seconds(), 0)
    return 0


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
    unsigned = _unsigned(problem)
    if unsigned is not None:
        return unsigned
    if isinstance(problem, aws.ClientError):
        hint = _TOO_MANY if throttled(problem) else ""
        failed = ReadFailed(f"{operation} failed: {_said(problem, secrets)}", hint=hint)
        return _answered(problem, operation, secrets) or failed
    if isinstance(problem, ReadsRefused):
        return ReadFailed(f"{operation} was not sent: the service refuses every read for now", hint=_TOO_MANY)
    if isinstance(problem, aws.EndpointConnectionError):
        said, hint = "the endpoint can't be reached", "look at --region and --endpoint-url"
    elif isinstance(problem, TimeoutError):
        said, hint = "no whole answer in time", "try again, or raise --cli-read-timeout"
    elif isinstance(problem, aws.BotoCoreError):
        said, hint = type(problem).__name__, "try again"
    else:
        said, hint = "the answer does not have the shape of one", NO_ANSWER
    return ReadFailed(f"{operation} failed: {said}", hint=hint)


_WITHOUT_CREDENTIALS = (
    "run 'aws configure' or 'aws sso login', name a profile with --profile, or plan with --without-secrets"
)


def fetch_problem(problem: Exception, operation: str, permission: str) -> ServiceProblem:
    """The error of a failed read of a value that nobody may see: of what the service said it shows only the code.

    Args:
        problem: what botocore, or its parsing of the answer, raised.
        operation: the API operation, for example ``GetParameter``.
        permission: the IAM action that it needs, for example ``ssm:GetParameter``.
    """
    if isinstance(problem, aws.EndpointConnectionError):
        hint = "look at the region, the network, and the endpoint that is configured for the service"
        return ReadFailed(f"{operation} failed: the endpoint can't be reached", hint=hint)
    if not isinstance(problem, aws.BotoCoreError | aws.ClientError | TimeoutError):
        return ReadFailed(f"{operation} failed: the answer does not have the shape of one", hint=NO_VALUE)
    if isinstance(problem, aws.NoCredentialsError):  # also beside the embedded backend, which keeps no secrets
        return AccessProblem(_no_credentials(problem).summary, hint=_WITHOUT_CREDENTIALS)
    if not isinstance(problem, aws.ClientError) or problem.operation_name in _CREDENTIALS:
        return read_problem(problem, operation)
    return _withheld(problem, operation, permission)


def _withheld(problem: aws.ClientError, operation: str, permission: str) -> ServiceProblem:
    """The error of an answer that tells why there is no value, by nothing but its code."""
    code, known = _code(problem), _known_code(problem)
    if code in _ABSENT:
        return NotFound(f"{operation} found nothing", detail=known)
    if code.startswith(_UNDECRYPTED):
        hint = "the key that encrypts it must be enabled, and its policy must allow kms:Decrypt"
        return AccessProblem(f"{operation} could not decrypt: {known}", hint=hint)
    hint = f"the permission it needs is {permission}, and kms:Decrypt where a key of your own encrypts the value"
    denied = _denied(problem, hint)
    if denied is not None:
        return AccessProblem(f"{operation} was denied: {known}", hint=denied)
    hint = "it may be marked for deletion" if code == "InvalidRequestException" else "try again"
    return ReadFailed(f"{operation} failed: {known}", hint=hint)


def unsent_problem(problem: Exception) -> ServiceProblem:
    """The error of an update for which no credentials could be had: nothing was sent."""
    found = read_problem(problem, "getting credentials")
    if isinstance(found, AccessProblem):
        return found
    return UpdateRefused(f"UpdateBackendAuth was not sent: {found.summary}", hint=found.hint)


def update_problem(problem: Exception, secrets: Iterable[str] = ()) -> ServiceProblem:
    """The error of an update that did not answer well; in doubt it counts as lost, and is never resent.

    ``secrets`` are those that were sent, and that the service's text may quote.
    """
    operation = "UpdateBackendAuth"
    if _unsigned(problem) is not None:
        return unsent_problem(problem)
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
    denied = _denied(problem, f"the permission it needs is amplifybackend:{operation}")
    if denied is not None:
        return AccessProblem(f"{operation} was denied: {said}", hint=denied)
    if _status(problem) == 404 or "ResourceNotFoundException" in f"{code} {said}":  # noqa: PLR2004 - not found
        return NotFound(f"{operation} found nothing", detail=said)
    return None


def _denied(problem: aws.ClientError, permission: str) -> str | None:
    """What to do where access was denied, ``permission`` if nothing else is known; None where it was not."""
    code = _code(problem)
    if code.startswith(_EXPIRED):
        return "renew the credentials"
    if code.startswith(_UNSIGNED):
        return "look at the secret access key, and at this machine's clock"
    if _status(problem) in _DENIED_STATUS or code.startswith(("AccessDenied", "Forbidden")):
        return permission
    return None


def _unsigned(problem: Exception) -> ServiceProblem | None:
    """The error where there were no credentials to sign a request with; None where it was another."""
    if isinstance(problem, NO_CREDENTIALS):
        return _no_credentials(problem)
    if isinstance(problem, RoleNotAssumed):
        return _not_assumed(problem.problem, f"the role {problem.role_arn} can't be assumed")
    if isinstance(problem, aws.ClientError) and problem.operation_name in _CREDENTIALS:
        return _not_assumed(problem, "the profile's role can't be assumed")
    return None


def _not_assumed(problem: Exception, summary: str) -> ServiceProblem:
    if isinstance(problem, NO_CREDENTIALS):
        found = _no_credentials(problem)
        return AccessProblem(f"{summary}: {found.summary}", hint=found.hint)
    if isinstance(problem, aws.ClientError):
        code, status = _code(problem), _status(problem)
        said = f"{summary}: {_known_code(problem)}"
        if 400 <= status < 500 and not code.startswith(_THROTTLED):  # noqa: PLR2004 - the classes of HTTP
            hint = _CREDENTIALS.get(problem.operation_name, _CREDENTIALS["AssumeRole"])
            return AccessProblem(said, hint=_denied(problem, hint) or hint)
        return ReadFailed(said, hint="try again")
    if isinstance(problem, aws.EndpointConnectionError):
        return ReadFailed(f"{summary}: STS can't be reached", hint="look at the network and AWS_ENDPOINT_URL_STS")
    return ReadFailed(f"{summary}: STS gave no whole answer", hint="try again")


def unrunnable(problem: OSError) -> AccessProblem:
    """The error where no client can be made because of a program that gives credentials."""
    return AccessProblem(
        f"the program that the profile names for its credentials can't be run ({type(problem).__name__})",
        hint="look at credential_process in the profile",
    )


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


def _known_code(problem: aws.ClientError) -> str:
    """The code if it has the shape of one: what stands there may be anything."""
    code = _code(problem)
    return code if _CODE.fullmatch(code) else f"status {_status(problem)}"


def _said(problem: aws.ClientError, secrets: Iterable[str]) -> str:
    message = str(problem.response.get("Error", {}).get("Message", ""))
    code = cleaned(_known_code(problem), secrets)
    return f"{code}: {reason(message, secrets)}" if message else f"{code} (status {_status(problem)})"
