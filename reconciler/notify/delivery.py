"""One delivery to a webhook: signed, tried again for a while, and no redirect is followed."""

from __future__ import annotations

import hmac
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from http.client import HTTPException
from urllib.request import HTTPHandler, HTTPSHandler, OpenerDirector, ProxyHandler, Request

from reconciler.core.secret import Secret
from reconciler.notify.address import refusal
from reconciler.version import __version__

SIGNATURE = "X-Reconciler-Signature"
"""The header that proves who sent a body, and when: ``t=<seconds since 1970>,v1=<HMAC-SHA256 of "t.body">``."""
_PAUSES = (1.0, 4.0, 8.0)
"""Seconds between the tries, where the answer names none."""
_LONGEST_PAUSE = 20.0
"""The most that an answer may ask for."""
_DEADLINE = 45.0
"""Seconds for one delivery with all its tries."""
_TRY = 10.0
"""Seconds for one try."""
_TOO_MANY, _SERVER = 429, 500


@dataclass(frozen=True, slots=True)
class Answer:
    """The status of an answer and what it asks to wait for; no status where none came, and ``problem`` says why."""

    status: int | None = None
    retry_after: str | None = None
    problem: str = ""

    @property
    def said(self) -> str | None:
        """What is wrong with it; None where the delivery is done."""
        match self.status:
            case None:
                return f"no answer came ({self.problem})"
            case status if 200 <= status < 300:  # noqa: PLR2004 - HTTP's classes
                return None
            case status if 300 <= status < 400:  # noqa: PLR2004
                return f"it answered with a redirect ({status}), and none is followed"
            case status:
                return f"it answered with {status}"

    @property
    def may_pass(self) -> bool:
        """Whether another try may do better."""
        return self.status is None or self.status == _TOO_MANY or self.status >= _SERVER


@dataclass(frozen=True, slots=True)
class Clock:
    """Time: seconds that only go forward, seconds since 1970, a pause, and a deadline over one try."""

    now: Callable[[], float]
    since_1970: Callable[[], float]
    sleep: Callable[[float], None]
    within: Callable[[float, Callable[[], Answer]], Answer]


def deliver(
    url: Secret,
    body: bytes,
    clock: Clock,
    *,
    hosts: Collection[str],
    secret: Secret | None = None,
    only_loopback: bool = False,
) -> str | None:
    """Post JSON to a webhook.

    Args:
        url: its address, in which everybody's right to post may stand.
        body: the JSON.
        clock: measures and waits.
        hosts: the hosts that may be told.
        secret: signs the body; without it nothing is signed.
        only_loopback: whether none but this machine may be told.

    Returns:
        Why it is not delivered, in words that tell nothing of the address or of what it answered; None where it is.
    """
    address = url.reveal().strip()
    refused = refusal(address, hosts, only_loopback=only_loopback)
    if refused is not None:
        return refused
    until = clock.now() + _DEADLINE
    for pause in (*_PAUSES, None):
        answer = _tried(address, body, clock, secret, min(_TRY, until - clock.now()))
        if answer.said is None or not answer.may_pass or pause is None:
            return answer.said
        wait = _asked(answer.retry_after, pause)
        if clock.now() + wait >= until:
            return answer.said
        clock.sleep(wait)
    raise AssertionError("the last try returns")


def signature(secret: Secret, body: bytes, at: int) -> str:
    """The value of :data:`SIGNATURE` for a body that is sent at a time."""
    signed = hmac.new(secret.reveal().encode(), f"{at}.".encode() + body, "sha256").hexdigest()
    return f"t={at},v1={signed}"


def _tried(address: str, body: bytes, clock: Clock, secret: Secret | None, seconds: float) -> Answer:
    headers = {"Content-Type": "application/json; charset=utf-8", "User-Agent": f"reconciler/{__version__}"}
    if secret is not None:
        headers[SIGNATURE] = signature(secret, body, int(clock.since_1970()))
    try:
        return clock.within(seconds, lambda: _posted(address, body, headers, seconds))
    except TimeoutError:
        return Answer(problem="it took too long")
    except (OSError, HTTPException, ValueError) as problem:  # their texts may quote the address
        reason = getattr(problem, "reason", None)
        return Answer(problem=type(reason if isinstance(reason, Exception) else problem).__name__)


def _posted(address: str, body: bytes, headers: Mapping[str, str], seconds: float) -> Answer:
    """What was answered; of the body nothing is read."""
    opener = OpenerDirector()  # with nothing that follows redirects, opens files or asks for passwords
    proxies: dict[str, str] | None = (
        {} if address.startswith("http:") else None
    )  # this machine is reached directly, others as configured
    for handler in (ProxyHandler(proxies), HTTPHandler(), HTTPSHandler()):
        opener.add_handler(handler)
    request = Request(address, data=body, headers=dict(headers), method="POST")  # noqa: S310 - the scheme is checked
    with opener.open(request, timeout=seconds) as response:
        return Answer(response.status, response.headers.get("Retry-After"))


def _asked(retry_after: str | None, pause: float) -> float:
    """How long to wait: what the answer asks for in seconds, up to a limit; the usual pause where it asks for none."""
    if retry_after is None or not retry_after.strip().isdecimal():
        return pause
    return min(float(retry_after), _LONGEST_PAUSE)
