"""Random live configurations, documents and services, all of them valid."""

from __future__ import annotations

import random
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from hypothesis import strategies as st

from reconciler.core.references import escape_references
from reconciler.emulator import MASKS, Switches
from reconciler.emulator.model import service_model

SCOPES = ("PHONE", "EMAIL", "OPENID", "PROFILE", "AWS_COGNITO_SIGNIN_USER_ADMIN")
CONSTRAINTS = ("REQUIRE_DIGIT", "REQUIRE_LOWERCASE", "REQUIRE_SYMBOL", "REQUIRE_UPPERCASE")
ATTRIBUTES = ("ADDRESS", "EMAIL", "NAME", "PHONE_NUMBER", "ZONE_INFO")
PROVIDERS = ("Facebook", "Google", "LoginWithAmazon", "SignInWithApple")
CANARY = "canary"
"""Stands in every secret, and in nothing else."""

# What hurts in YAML, JSON, references and terminals, besides plain words.
_NASTY = st.sampled_from(
    [
        "${env:HOME}",
        "$${",
        "# no",
        "a: b",
        "'",
        '"',
        "no",
        "1e3",
        " x ",
        "é",
        "\u202e",
        "日本",
        "\\n",
        "{{",
        "-",
        "~",
        "%",
    ]
)
_WORDS = st.text(st.characters(codec="utf-8", exclude_categories=("C", "Z")), min_size=1, max_size=12)
_PIECES = st.lists(st.one_of(_WORDS, _NASTY), min_size=1, max_size=3)
_names = _PIECES.map("".join).map(str.strip).filter(lambda text: text and text.isprintable())
_subjects = _names
_messages = st.tuples(_PIECES.map("".join), _PIECES.map("".join)).map(lambda ends: f"{ends[0]}{{####}}{ends[1]}")
_hosts = st.sampled_from(["shop.example.com", "Shop.Example.com", "localhost:3000", "a.example.com"])
_prefixes = st.sampled_from(["shop", "shop-prod", "prod", "a", "shop-prod-prod", "x1-y2"])


@st.composite
def _uris(draw: st.DrawFn) -> list[str]:
    def one() -> str:
        host = draw(_hosts)
        scheme = "http" if host.startswith("localhost") else draw(st.sampled_from(["https", "myapp"]))
        return f"{scheme}://{host}{draw(st.sampled_from(['/', '/callback', '/callback/', '']))}"

    return list(dict.fromkeys(one() for _ in range(draw(st.integers(1, 3)))))


@st.composite
def _scopes(draw: st.DrawFn) -> list[str]:
    chosen = draw(st.lists(st.sampled_from(SCOPES), min_size=1, unique=True))
    needs = {"PHONE", "EMAIL", "PROFILE"} & set(chosen)
    return [*chosen, "OPENID"] if needs and "OPENID" not in chosen else chosen


@st.composite
def _message(draw: st.DrawFn) -> dict[str, Any]:
    if draw(st.booleans()):
        return {"DeliveryMethod": "SMS", "SmsSettings": {"SmsMessage": draw(_messages)}}
    email = {"EmailMessage": draw(_messages), "EmailSubject": draw(_subjects)}
    return {"DeliveryMethod": "EMAIL", "EmailSettings": email}


@st.composite
def _mfa(draw: st.DrawFn) -> dict[str, Any]:
    mode = draw(st.sampled_from(["OFF", "OPTIONAL", "ON"]))
    if mode == "OFF":
        return {"MFAMode": "OFF"}
    types = draw(st.lists(st.sampled_from(["SMS", "TOTP"]), min_size=1, unique=True))
    return {"MFAMode": mode, "Settings": {"MfaTypes": types, "SmsMessage": draw(_messages)}}


@st.composite
def _provider(draw: st.DrawFn, name: str) -> dict[str, Any]:
    mark = draw(st.text("abcdef0123456789", min_size=6, max_size=6))
    secret = f"{CANARY}-{mark}"
    if name == "SignInWithApple":
        key = f"-----BEGIN PRIVATE KEY-----\n{(CANARY + mark) * 8}\n-----END PRIVATE KEY-----"
        return {"ClientId": draw(_names), "KeyId": draw(_names), "PrivateKey": key, "TeamId": draw(_names)}
    return {"ClientId": draw(_names), "ClientSecret": secret}


@st.composite
def _oauth(draw: st.DrawFn) -> dict[str, Any]:
    oauth: dict[str, Any] = {
        "DomainPrefix": draw(_prefixes),
        "OAuthGrantType": draw(st.sampled_from(["CODE", "IMPLICIT"])),
        "OAuthScopes": draw(_scopes()),
        "RedirectSignInURIs": draw(_uris()),
        "RedirectSignOutURIs": draw(_uris()),
    }
    names = draw(st.one_of(st.just([]), st.lists(st.sampled_from(PROVIDERS), min_size=1, unique=True)))
    if names:
        oauth["SocialProviderSettings"] = {name: draw(_provider(name)) for name in names}
    return oauth


@st.composite
def configurations(draw: st.DrawFn) -> dict[str, Any]:
    """A live configuration as CreateBackendAuth takes it, of values that the service accepts."""
    pool: dict[str, Any] = {
        "UserPoolName": draw(_names),
        "SignInMethod": draw(st.sampled_from(["EMAIL", "USERNAME"])),
        "RequiredSignUpAttributes": draw(st.lists(st.sampled_from(ATTRIBUTES), min_size=1, unique=True)),
        "Mfa": draw(_mfa()),
        "PasswordPolicy": {
            "MinimumLength": draw(st.integers(6, 99)),
            "AdditionalConstraints": draw(st.lists(st.sampled_from(CONSTRAINTS), unique=True)),
        },
    }
    if draw(st.integers(0, 4)):
        pool["VerificationMessage"] = draw(_message())
    if not draw(st.integers(0, 3)):
        pool["ForgotPassword"] = draw(_message())
    if draw(st.integers(0, 3)):
        pool["OAuth"] = draw(_oauth())
    config: dict[str, Any] = {"Service": "COGNITO", "AuthResources": "USER_POOL_ONLY", "UserPoolConfigs": pool}
    if draw(st.booleans()):
        config["AuthResources"] = "IDENTITY_POOL_AND_USER_POOL"
        identity = {"IdentityPoolName": draw(_names), "UnauthenticatedLogin": draw(st.booleans())}
        config["IdentityPoolConfigs"] = identity
    return config


@dataclass(frozen=True)
class Written:
    """What a document manages, and the variables that its references need."""

    config: dict[str, Any]
    environ: dict[str, str] = field(default_factory=dict)


def _some(draw: st.DrawFn, mapping: Mapping[str, Any], least: int = 0) -> dict[str, Any]:
    names = draw(st.lists(st.sampled_from(sorted(mapping)), min_size=least, unique=True)) if mapping else []
    return {name: mapping[name] for name in names}


@st.composite
def documents(draw: st.DrawFn) -> Written:
    """A partial document without errors: some blocks, some leaves of them, now and then a removal.

    Leaves that make sense only together (a delivery method and its message, the members of a new provider)
    are written together, so that most documents can be applied.
    """
    whole = draw(configurations())
    environ: dict[str, str] = {}
    pool = _pool(draw, whole["UserPoolConfigs"], environ)
    config: dict[str, Any] = {}
    if draw(st.booleans()):
        config["AuthResources"] = whole["AuthResources"]
        if "IdentityPoolConfigs" in whole:
            login = {"UnauthenticatedLogin": whole["IdentityPoolConfigs"]["UnauthenticatedLogin"]}
            config["IdentityPoolConfigs"] = login
    if draw(st.booleans()):
        config["Service"] = "COGNITO"
    if pool:
        config["UserPoolConfigs"] = pool
    used = {name: value for name, value in environ.items() if name in str(config)}
    return Written(_escaped(config or {"Service": "COGNITO"}), used)


def _pool(draw: st.DrawFn, source: Mapping[str, Any], environ: dict[str, str]) -> dict[str, Any]:
    pool: dict[str, Any] = {}
    if draw(st.booleans()):
        pool["PasswordPolicy"] = _some(draw, source["PasswordPolicy"], least=1)
    if draw(st.booleans()):
        pool["Mfa"] = source["Mfa"]
    # Both, when they differ, are an error of the document.
    message = draw(st.sampled_from(["VerificationMessage", "ForgotPassword", "", ""]))
    if message in source:
        pool[message] = source[message]
    if "OAuth" in source and draw(st.booleans()):
        pool["OAuth"] = _some_oauth(draw, source["OAuth"], environ)
    match draw(st.integers(0, 9)):
        case 0:
            pool["OAuth"] = None
        case 1:
            providers = pool.setdefault("OAuth", {}).setdefault("SocialProviderSettings", {})
            providers[draw(st.sampled_from(PROVIDERS))] = None
        case 2:
            pool["PasswordPolicy"] = {"AdditionalConstraints": None}
        case _:
            pass
    return pool


def _some_oauth(draw: st.DrawFn, source: Mapping[str, Any], environ: dict[str, str]) -> dict[str, Any]:
    oauth = dict(source)
    providers = oauth.pop("SocialProviderSettings", {})
    written = oauth if draw(st.booleans()) else _some(draw, oauth, least=1)
    if providers and draw(st.booleans()):
        written["SocialProviderSettings"] = {
            name: _by_reference(name, members, environ) for name, members in providers.items()
        }
    return written


def _by_reference(provider: str, members: Mapping[str, Any], environ: dict[str, str]) -> dict[str, Any]:
    hidden = "PrivateKey" if provider == "SignInWithApple" else "ClientSecret"
    variable = f"SECRET_{provider}"
    environ[variable] = members[hidden]
    return {**members, hidden: _Reference(f"${{env:{variable}}}")}


class _Reference(str):
    """A text that is a reference and is not to be escaped."""

    __slots__ = ()


def _escaped(value: Any) -> Any:
    match value:
        case Mapping():
            return {name: _escaped(below) for name, below in value.items()}
        case list():
            return [_escaped(item) for item in value]
        case _Reference():
            return str(value)
        case str():
            return escape_references(value)
        case _:
            return value


_CHOICES = {
    name: text.split("|")
    for name, text in Switches.choices().items()
    if "|" in text and name not in {"missing", "mask"}
}
_BOOLEANS = {name for name, values in _CHOICES.items() if values == ["on", "off"]}
MEMBERS = sorted(service_model().names_below("GetBackendAuthResponse") - {"AppId", "BackendEnvironmentName", "Error"})


@st.composite
def switches(draw: st.DrawFn, *, missing: bool = False) -> Switches:
    """A service that behaves in any of the ways that are possible; with ``missing`` some members are never read."""
    values: dict[str, Any] = {}
    for name, choices in _CHOICES.items():
        value = draw(st.sampled_from(choices))
        values[name] = value == "on" if name in _BOOLEANS else value
    values["mask"] = draw(st.sampled_from(sorted(MASKS)))
    values["job_seconds"] = draw(st.sampled_from([0.0, 5.0, 600.0]))
    values["stale_reads"] = draw(st.integers(0, 4))
    if missing:
        values["missing"] = tuple(draw(st.lists(st.sampled_from(MEMBERS), max_size=3, unique=True)))
    return Switches(**values)


def every_switch_is_drawn() -> frozenset[str]:
    """The names of the switches that :func:`switches` sets."""
    return frozenset({*_CHOICES, "mask", "job_seconds", "stale_reads", "missing"})


def shuffled(value: Any, seed: int) -> Any:
    """The same, with the keys of mappings and the members of lists in another order."""
    order = random.Random(seed)  # noqa: S311 - an order, no secret
    match value:
        case dict():
            names = list(value)
            order.shuffle(names)
            return {name: shuffled(value[name], seed) for name in names}
        case list():
            items = list(value)
            order.shuffle(items)
            return items
        case _:
            return value
