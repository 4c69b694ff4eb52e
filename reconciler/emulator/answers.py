"""What goes back to a caller: an answer, or an error in the service's own form."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any
from uuid import uuid4

from reconciler.emulator.model import service_model

# Errors that the service sends without modelling them.
_UNMODELLED_STATUS: Mapping[str, int] = {
    "ValidationException": 400,
    "MissingAuthenticationTokenException": 403,
}


@dataclass(frozen=True, slots=True)
class Response:
    """An HTTP answer, with what only a transport can do to it.

    Attributes:
        status: HTTP status.
        headers: All headers but Content-Length, which the transport adds.
        body: The bytes sent.
        dropped: Close the connection instead of answering.
        trickle_seconds: Spread the body over so many seconds (HTTP transport alone).
    """

    status: int
    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytes = b""
    dropped: bool = False
    trickle_seconds: float = 0.0


class ServiceError(Exception):
    """An error that the service answers with.

    Modelled codes have their modelled status; `status` decides for all others.
    """

    def __init__(self, code: str, message: str, status: int | None = None) -> None:
        super().__init__(message)
        self.code = code
        self.message = message
        self.status = status

    def response(self) -> Response:
        """Return the error as an answer."""
        status = self.status or _UNMODELLED_STATUS.get(self.code)
        if status is None:
            status = service_model().error_status(self.code)
        return json_response({"message": self.message}, status, code=self.code)


def json_response(value: Any, status: int = 200, *, code: str = "") -> Response:
    """Return `value` as a JSON answer; `code` names an error and may be empty."""
    headers = {"Content-Type": "application/json", "x-amzn-RequestId": str(uuid4())}
    if code:
        headers["x-amzn-ErrorType"] = code
    return Response(status, headers, json.dumps(value).encode())
