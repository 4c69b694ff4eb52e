"""What can go wrong on the way to the service and in it, as data."""

from collections.abc import Mapping
from contextlib import suppress
from dataclasses import asdict, dataclass, fields, replace
from fnmatch import fnmatchcase
from http import HTTPStatus
from json import dumps, loads
from math import isfinite
from typing import Any, Self

from reconciler.emulator.answers import Response, ServiceError, json_response
from reconciler.emulator.model import service_model
from reconciler.emulator.store import Document

# Stands for any secret that a deployment prints, so that tests can look for it where it must not be.
PLANTED_JOB_SECRET = "GOCSPX-planted-in-the-transcript"  # noqa: S105 - invented, to be found

# kind: (status, code, message); the request is answered so and not acted upon.
_INSTEAD: Mapping[str, tuple[int, str, str]] = {
    "throttle": (429, "TooManyRequestsException", "Too many requests"),
    "timeout_before": (504, "GatewayTimeoutException", "Endpoint request timed out"),
    "access_denied": (
        403,
        "AccessDeniedException",
        "User: arn:aws:iam::000000000000:user/emulated is not authorized to perform: amplifybackend:{operation}",
    ),
    "expired": (403, "ExpiredTokenException", "The security token included in the request is expired"),
    "error": (400, "ValidationException", "The request was refused"),
}
_WRONG_TYPES = {"resourceConfig": "text", "jobs": 1, "status": [], "amplifyMetaConfig": {}, "jobId": {}}
_STATUSES = frozenset(status for status in HTTPStatus if status >= HTTPStatus.OK)
INSTEAD = (*_INSTEAD, "drop_before")
AFTER = (
    "timeout_after",
    "timeout_late_job",
    "drop_after",
    "truncated",
    "empty",
    "html",
    "null",
    "array",
    "wrong_types",
    "error200",
    "slow",
)
JOB = (
    "job_failed",
    "job_stuck",
    "job_unknown_status",
    "no_effect",
    "collateral",
    "meta_collateral",
    "revert",
)
KINDS = (*INSTEAD, *AFTER, *JOB)


@dataclass(frozen=True, slots=True)
class Fault:
    """One thing that goes wrong, and how often.

    Attributes:
        kind: One of KINDS.
        operation: Glob of API operation names.
        times: How many hits; 0 is every one.
        skip: How many hits to let pass first.
        app: Glob of app ids.
        environment: Glob of environment names.
        seconds: `slow`: length of the body's trickle; `timeout_late_job`: how late the job comes; job kinds:
            how long the job runs, 0 as the switches say.
        status: HTTP status of `error`; 0 is its usual one.
        code: Error code of `error`; `-` sends none.
        text: Message of `error` and `error200`, Error of `job_failed`, Status of `job_unknown_status`.
        field: Dotted path of what `collateral` moves in ResourceConfig, and `meta_collateral` in the meta's
            auth part, where `*` is the auth resource.
        value: What they move it to; None removes it.
        reads: After how many reads of auth `revert` goes back.
        probability: The share of the requests waited for that are hit, from 0 to 1; which ones follows from
            the seed in the state.
        rate: So many requests a second pass, and what comes beyond is hit; 0 lets none pass.
        burst: How many requests pass at once before `rate` counts.
        retry_after: Seconds that an answer in place of the service's asks to wait, in Retry-After; 0 doesn't ask.
    """

    kind: str
    operation: str = "*"
    times: int = 1
    skip: int = 0
    app: str = "*"
    environment: str = "*"
    seconds: float = 0.0
    status: int = 0
    code: str = ""
    text: str = ""
    field: str = ""
    value: Any = None
    reads: int = 1
    probability: float = 1.0
    rate: float = 0.0
    burst: int = 1
    retry_after: int = 0

    def __post_init__(self) -> None:
        if self.kind not in KINDS:
            raise ValueError(f"{self.kind}: no such fault; there are {', '.join(KINDS)}")
        for entry in fields(self):
            if entry.name not in ("kind", "value"):
                _check(entry.name, getattr(self, entry.name), type(entry.default))
        if self.probability > 1:
            raise ValueError(f"probability={self.probability}: must not be above 1")
        if self.burst < 1:
            raise ValueError(f"burst={self.burst}: must be at least 1")
        if self.status and self.status not in _STATUSES:
            raise ValueError(f"status={self.status}: must be an HTTP status of an answer")
        if not any(fnmatchcase(name, self.operation) for name in service_model().operations):
            raise ValueError(f"operation={self.operation}: the service has no such operation")

    @classmethod
    def parse(cls, text: str) -> Self:
        """Return the fault written as `kind,name=value,...` or as a JSON object of its attributes.

        Raises:
            ValueError: The kind, a name or a value is unknown.
        """
        if text.lstrip().startswith("{"):
            return cls.from_object(loads(text))
        kind, *items = (part.strip() for part in text.split(","))
        types: dict[str, Any] = {entry.name: type(entry.default) for entry in fields(cls)}
        del types["kind"]
        values: dict[str, Any] = {}
        for item in items:
            name, equals, value = item.partition("=")
            if not equals or name not in types:
                raise ValueError(f"{item}: write name=value, with a name of {', '.join(types)}")
            try:
                values[name] = types[name](value) if types[name] in (int, float) else value
            except ValueError:
                raise ValueError(f"{item}: must be a number") from None
        if "value" in values:
            with suppress(ValueError):
                values["value"] = loads(values["value"])
        return cls(kind, **values)

    @classmethod
    def from_object(cls, values: Any) -> Self:
        """Return the fault written as a JSON object of its attributes.

        Raises:
            ValueError: It is no object, or the kind, a name or a value is unknown.
        """
        if not isinstance(values, Mapping):
            raise ValueError('must be an object such as {"kind": "throttle"}')  # noqa: TRY004 - of what was written
        names = [entry.name for entry in fields(cls)]
        unknown = sorted(set(values) - set(names))
        if unknown:
            raise ValueError(f"{unknown[0]}: no attribute of a fault; there are {', '.join(names)}")
        if "kind" not in values:
            raise ValueError(f"kind: missing; there are {', '.join(KINDS)}")
        return cls(**values)

    def document(self) -> Document:
        """Return the fault in a form for the state."""
        return asdict(self)

    def hits(self, operation: str, app: str, environment: str) -> bool:
        """Return whether a request is one that the fault waits for."""
        pairs = ((operation, self.operation), (app, self.app), (environment, self.environment))
        return all(fnmatchcase(name, glob) for name, glob in pairs)


def instead(fault: Fault, operation: str) -> Response:
    """Return what a caller gets whose request is not acted upon."""
    if fault.kind == "drop_before":
        return Response(0, dropped=True)
    status, code, message = _INSTEAD[fault.kind]
    text = fault.text or message.format(operation=operation)
    code = "" if fault.code == "-" else fault.code or code
    response = json_response({"message": text}, fault.status or status, code=code)
    if not fault.retry_after:
        return response
    return replace(response, headers={**response.headers, "Retry-After": str(fault.retry_after)})


def afterwards(fault: Fault, response: Response) -> Response:
    """Return what a caller gets in place of the service's answer."""
    match fault.kind:
        case "timeout_after" | "timeout_late_job":
            return ServiceError("GatewayTimeoutException", "Endpoint request timed out").response()
        case "drop_after":
            return Response(0, dropped=True)
        case "slow":
            return replace(response, trickle_seconds=fault.seconds)
        case "html":
            body = b"<html><body><h1>Service temporarily unavailable</h1></body></html>"
            return Response(200, {"Content-Type": "text/html"}, body)
        case _:
            return Response(200, response.headers, _mangled(fault, response.body))


def transcript(fault: Fault | None, reason: str) -> str:
    """Return the Error of a failed job: what the CLI printed, all of it."""
    if fault is not None and fault.kind == "job_failed" and fault.text:
        return fault.text
    spinner = "".join(f"\x1b[2K\x1b[1G{'⠋⠙⠹⠸'[turn % 4]} Building resource auth/shopauth\r" for turn in range(60))
    frame = f"┌{'─' * 60}┐\n│{'Deployment state'.center(60)}│\n└{'─' * 60}┘\n"
    events = "".join(
        f"\x1b[90mUPDATE_{'FAILED' if turn == 39 else 'IN_PROGRESS'}\x1b[39m  authshopauth{turn:02}  "  # noqa: PLR2004 - the last
        f"AWS::CloudFormation::Stack  Mon Jan 01 2024 00:00:{turn:02} GMT+0000\n"
        for turn in range(40)
    )
    return (
        f"{spinner}\n\x1b[31m✖\x1b[39m An error occurred when pushing the resources to the cloud\n{frame}{events}"
        f"    at /codebuild/amplify/backend/auth/shopauth/build/shopauth-cloudformation-template.json\n"
        f'    hostedUIProviderCreds: [{{"ProviderName":"Google","client_secret":"{PLANTED_JOB_SECRET}"}}]\n'
        f'    "hostedUIProviderCreds": "[{{\\"client_secret\\":\\"{PLANTED_JOB_SECRET}\\"}}]"\n'
        f"\x1b[31mUPDATE_FAILED\x1b[39m: UserPool\nReason: {reason}\n"
        f"Error: Resource is not in the state stackUpdateComplete\n    at /usr/local/lib/node_modules/amplify.js:1:1\n"
    )


def _mangled(fault: Fault, body: bytes) -> bytes:
    match fault.kind:
        case "truncated":
            return body[: len(body) // 2]
        case "null":
            return b"null"
        case "array":
            return b"[]"
        case "wrong_types":
            return dumps(_WRONG_TYPES).encode()
        case "error200":
            return dumps({"error": fault.text or "The backend could not be read"}).encode()
        case _:
            return b""


def _check(name: str, value: Any, kind: type) -> None:
    if kind is str:
        if not isinstance(value, str):
            raise ValueError(f"{name}={value}: must be text")
        return
    if isinstance(value, bool) or not isinstance(value, int | float) or not isfinite(value) or value < 0:
        raise ValueError(f"{name}={value}: must be a number, not negative")
    if kind is int and not isinstance(value, int):
        raise ValueError(f"{name}={value}: must be a whole number")
