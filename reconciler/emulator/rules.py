"""What Cognito finds wrong with a configuration minutes after the request was accepted."""

import re
from collections.abc import Iterator
from typing import Any
from urllib.parse import urlsplit

from reconciler.emulator.store import Document

_CODE = "{####}"
_SMS_LENGTH = (6, 140)
_EMAIL_LENGTH = (6, 20_000)
_SUBJECT_LENGTH = (1, 140)
_PASSWORD_LENGTH = (6, 99)
_REDIRECTS = 100
_REDIRECT_LENGTH = 1024
_DOMAIN_LENGTH = 63
_PREFIX = re.compile(r"[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?")
_RESERVED = ("aws", "amazon", "cognito")
_LOOPBACK = ("localhost", "127.0.0.1", "::1")


def reasons(config: Document, environment: str) -> list[str]:
    """Return why Cognito refuses a stored configuration; nothing where it does not."""
    pool = config["UserPoolConfigs"]
    found = [*_mfa(pool["Mfa"]), *_password(pool["PasswordPolicy"])]
    for block in ("VerificationMessage", "ForgotPassword"):
        found += _message(block, pool.get(block, {}))
    if "OAuth" in pool:
        found += _oauth(pool["OAuth"], environment)
    return found


def _mfa(mfa: Document) -> Iterator[str]:
    if mfa["MFAMode"] != "OFF":
        settings = mfa.get("Settings", {})
        if not settings.get("MfaTypes"):
            yield "Invalid MFA configuration given, at least one MFA type is needed"
        yield from _text("SmsMessage", settings.get("SmsMessage", ""), _SMS_LENGTH)


def _password(policy: Document) -> Iterator[str]:
    length: Any = policy["MinimumLength"]
    low, high = _PASSWORD_LENGTH
    if length != int(length) or not low <= length <= high:
        yield f"Value '{length}' at 'policies.passwordPolicy.minimumLength' failed to satisfy constraint"


def _message(block: str, message: Document) -> Iterator[str]:
    if "SmsSettings" in message:
        yield from _text(f"{block} SmsMessage", message["SmsSettings"].get("SmsMessage", ""), _SMS_LENGTH)
    if "EmailSettings" in message:
        email = message["EmailSettings"]
        yield from _text(f"{block} EmailMessage", email.get("EmailMessage", ""), _EMAIL_LENGTH)
        low, high = _SUBJECT_LENGTH
        subject = email.get("EmailSubject", "")
        if not low <= len(subject) <= high or not subject.isprintable():
            yield f"Value at '{block} EmailSubject' failed to satisfy constraint"


def _text(name: str, text: str, length: tuple[int, int]) -> Iterator[str]:
    low, high = length
    if not low <= len(text) <= high or _CODE not in text:
        yield f"Value at '{name}' failed to satisfy constraint: {low} to {high} characters with {_CODE}"


def _oauth(oauth: Document, environment: str) -> Iterator[str]:
    prefix = oauth["DomainPrefix"]
    if (
        not _PREFIX.fullmatch(prefix)
        or any(word in prefix for word in _RESERVED)
        or len(f"{prefix}-{environment}") > _DOMAIN_LENGTH
    ):
        yield f"Invalid domain: {prefix}-{environment}"
    scopes = set(oauth["OAuthScopes"])
    if scopes & {"PHONE", "EMAIL", "PROFILE"} and "OPENID" not in scopes:
        yield "Invalid OAuth scopes: phone, email and profile need openid"
    for name in ("RedirectSignInURIs", "RedirectSignOutURIs"):
        if len(oauth[name]) > _REDIRECTS:
            yield f"{name}: at most {_REDIRECTS}"
        for uri in oauth[name]:
            if not _usable(uri):
                yield f"{uri} is not a valid redirect URI"


def _usable(uri: str) -> bool:
    try:
        parts = urlsplit(uri)
    except ValueError:
        return False
    return bool(
        len(uri) <= _REDIRECT_LENGTH
        and parts.scheme
        and "#" not in uri
        and (parts.scheme != "http" or parts.hostname in _LOOPBACK)
    )
