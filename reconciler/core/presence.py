"""The presence rules: what a block that changes must have, or the service loses the change.

They hold for the whole request, after the overlay on live, so that documents may be partial. A block in
which nothing moves is sent as it is live, whatever it lacks.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from reconciler.core.fields import (
    AUTH_RESOURCES,
    FORGOT_PASSWORD,
    MFA,
    MFA_MODE,
    OAUTH,
    OAUTH_LISTS,
    VERIFICATION,
)
from reconciler.core.model import Path, Tree
from reconciler.core.tree import ABSENT, get


@dataclass(frozen=True, slots=True)
class Missing:
    """A leaf that the request must have and has not: the rule behind it, and what to write."""

    path: Path
    why: str
    hint: str


def missing_from_request(planned: Tree, changed: frozenset[Path]) -> tuple[Missing, ...]:
    """Each leaf that the planned request lacks.

    Args:
        planned: the state that the update leads to.
        changed: the paths that move.
    """

    def touched(block: Path) -> bool:
        return any(path[: len(block)] == block for path in changed)

    found: list[Missing] = []
    if get(planned, AUTH_RESOURCES) is ABSENT:
        hint = "write USER_POOL_ONLY or IDENTITY_POOL_AND_USER_POOL"
        found.append(Missing(AUTH_RESOURCES, "every update names it, and the service did not return it", hint))
    if touched(MFA):
        found += _mfa(planned)
    for block in (VERIFICATION, FORGOT_PASSWORD):
        if touched(block) and get(planned, block) is not ABSENT:
            found += _message(planned, block)
    if touched(OAUTH) and get(planned, OAUTH) is not ABSENT:
        found += _oauth(planned)
    return tuple(found)


def _mfa(planned: Tree) -> Iterator[Missing]:
    mode = get(planned, MFA_MODE)
    if mode is ABSENT:
        yield Missing(MFA_MODE, "the block is sent with it or not at all", "write ON, OFF or OPTIONAL")
    if mode not in {"ON", "OPTIONAL"}:
        return
    why = "MFA that is ON or OPTIONAL needs it, for TOTP alone too"
    if get(planned, (*MFA, "Settings", "MfaTypes")) is ABSENT:
        yield Missing((*MFA, "Settings", "MfaTypes"), why, "write at least one of SMS and TOTP")
    if get(planned, (*MFA, "Settings", "SmsMessage")) is ABSENT:
        yield Missing((*MFA, "Settings", "SmsMessage"), why, "write a message that contains {####}")


def _message(planned: Tree, block: Path) -> Iterator[Missing]:
    needs: Path
    match get(planned, (*block, "DeliveryMethod")):
        case "EMAIL":
            needs = (*block, "EmailSettings", "EmailMessage")
        case "SMS":
            needs = (*block, "SmsSettings", "SmsMessage")
        case _:
            needs = (*block, "DeliveryMethod")
    if get(planned, needs) is ABSENT:
        method = needs[-1] == "DeliveryMethod"
        yield Missing(
            needs,
            "the block is sent with it or not at all" if method else "the delivery method needs it",
            "write EMAIL or SMS" if method else "write a message that contains {####}",
        )


def _oauth(planned: Tree) -> Iterator[Missing]:
    for path in (*OAUTH_LISTS, (*OAUTH, "OAuthGrantType")):
        if get(planned, path) is ABSENT:
            yield Missing(path, "an OAuth block without it is lost, or filled by the service", "write it")
    scopes = get(planned, (*OAUTH, "OAuthScopes"))
    if scopes and {"PHONE", "EMAIL", "PROFILE"} & set(scopes) and "OPENID" not in scopes:
        yield Missing((*OAUTH, "OAuthScopes"), "PHONE, EMAIL and PROFILE imply OPENID", "add OPENID")
