"""How a stored configuration looks when it is read back."""

from collections.abc import Callable
from typing import Any
from urllib.parse import urlsplit, urlunsplit

from reconciler.emulator.store import Document
from reconciler.emulator.switches import MASKS, Switches

_LEAD = 4


def shown(config: Document, environment: str, switches: Switches, turn: int) -> Document:
    """Return the ResourceConfig that a read answers with.

    Args:
        config: The stored one, which stays as it is.
        environment: Name of the backend environment, a suffix of several names.
        switches: How the service reads.
        turn: A number that differs from read to read; the order of lists changes with it.
    """
    answer: Document = _map_lists(config, lambda items: _ordered(items, switches, turn))
    pool = answer["UserPoolConfigs"]
    if switches.pool_name_suffix:
        pool["UserPoolName"] += f"-{environment}"
        if "IdentityPoolConfigs" in answer:
            answer["IdentityPoolConfigs"]["IdentityPoolName"] += f"__{environment}"
    if switches.sign_up == "shortened":
        pool["RequiredSignUpAttributes"] = pool["RequiredSignUpAttributes"][:-1]
    if switches.min_length == "string":
        policy = pool["PasswordPolicy"]
        policy["MinimumLength"] = f"{policy['MinimumLength']:g}"
    _show_mfa(pool["Mfa"], switches)
    if "OAuth" in pool:
        _show_oauth(pool["OAuth"], environment, switches)
    return without_missing(answer, switches)


def without_missing(answer: Document, switches: Switches) -> Document:
    """Return the answer without the members that the switches leave out, at any depth."""
    kept: Document = {}
    for name, value in answer.items():
        if name in switches.missing or (value == [] and switches.empty_lists == "absent"):
            continue
        kept[name] = without_missing(value, switches) if isinstance(value, dict) else value
    return kept


def _map_lists(value: Any, change: Callable[[list[Any]], list[Any]]) -> Any:
    """Return a copy with every list changed."""
    if isinstance(value, dict):
        return {name: _map_lists(item, change) for name, item in value.items()}
    return change(value) if isinstance(value, list) else value


def _ordered(items: list[Any], switches: Switches, turn: int) -> list[Any]:
    match switches.list_order:
        case "shuffled" if items:
            start = turn % len(items)
            return [*items[start:], *items[:start]][::-1]
        case "duplicated":
            return [*items, *items[:1]]
        case _:
            return list(items)


def _show_mfa(mfa: Document, switches: Switches) -> None:
    if mfa["MFAMode"] == "OFF":
        match switches.mfa_off_settings:
            case "absent":
                mfa.pop("Settings", None)
            case "empty":
                mfa["Settings"] = {}
            case _:
                mfa.setdefault("Settings", {"MfaTypes": [], "SmsMessage": "Your code is {####}"})


def _show_oauth(oauth: Document, environment: str, switches: Switches) -> None:
    if switches.domain == "suffix":
        oauth["DomainPrefix"] += f"-{environment}"
    for name in ("RedirectSignInURIs", "RedirectSignOutURIs"):
        oauth[name] = [_canonical(uri, switches) for uri in oauth[name]]
    for provider in oauth.get("SocialProviderSettings", {}).values():
        for name, how in (("ClientSecret", switches.secrets), ("PrivateKey", switches.apple_key)):
            if name in provider and how == "absent":
                del provider[name]
            elif name in provider and how == "masked":
                provider[name] = MASKS[switches.mask].format(lead=provider[name][:_LEAD])


def _canonical(uri: str, switches: Switches) -> str:
    match switches.canonical:
        case "slash":
            return uri if uri.endswith("/") else f"{uri}/"
        case "lowercase":
            parts = urlsplit(uri)
            return urlunsplit(parts._replace(netloc=parts.netloc.lower()))
        case _:
            return uri
