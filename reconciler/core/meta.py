"""Read AmplifyMetaConfig: what GetBackendAuth can't tell, and what must not move with an update.

The JSON can hold an app client's secret and changes at every push; :func:`read_meta` keeps neither.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Any

from reconciler.core.fields import (
    AUTH_RESOURCES,
    CONSTRAINTS,
    DOMAIN_PREFIX,
    MFA,
    MFA_MODE,
    MINIMUM_LENGTH,
    OAUTH,
    PROVIDERS,
    VERIFICATION,
)
from reconciler.core.model import Meta, Path, Tree

_VOLATILE = frozenset({"lastPushTimeStamp", "lastPushDirHash", "providerMetadata", "dependsOn"})
_SERVICE = re.compile(r"Cognito[A-Za-z-]{0,30}")
_GROUPS = "Cognito-UserPool-Groups"
_FEDERATED = ("GoogleWebClient", "FacebookWebClient", "AmazonWebClient", "AppleWebClient")
_SOCIAL = {"FACEBOOK": "Facebook", "GOOGLE": "Google", "AMAZON": "LoginWithAmazon", "APPLE": "SignInWithApple"}

_POLICY = ("frontendAuthConfig", "passwordProtectionSettings")
MIRRORS: Mapping[Path, tuple[Path, ...]] = {
    (*_POLICY, "passwordPolicyMinLength"): (MINIMUM_LENGTH,),
    (*_POLICY, "passwordPolicyCharacters"): (CONSTRAINTS,),
    ("frontendAuthConfig", "mfaConfiguration"): (MFA_MODE,),
    ("frontendAuthConfig", "mfaTypes"): (MFA_MODE, (*MFA, "Settings", "MfaTypes")),
    ("frontendAuthConfig", "verificationMechanisms"): ((*VERIFICATION, "DeliveryMethod"),),
    ("frontendAuthConfig", "socialProviders"): (PROVIDERS,),
    ("output", "HostedUIDomain"): (DOMAIN_PREFIX,),
    ("output", "OAuthMetadata"): (OAUTH,),
    ("output", "IdentityPoolId"): (AUTH_RESOURCES,),
    ("output", "IdentityPoolName"): (AUTH_RESOURCES,),
}
"""Which part of the meta follows which part of the configuration: it may move with that, and with nothing else."""


class MetaUnreadable(ValueError):
    """The text is no JSON object, or has no auth part of the expected shape."""


def read_meta(text: str) -> Meta:
    """Take what matters out of an AmplifyMetaConfig.

    Raises:
        MetaUnreadable: the text is not a JSON object of the expected shape. The text itself is in no message.
    """
    try:
        whole = json.loads(text)
    except (ValueError, RecursionError):
        raise MetaUnreadable("AmplifyMetaConfig is not JSON") from None
    auth = whole.get("auth") if isinstance(whole, dict) else None
    if not isinstance(whole, dict) or not isinstance(auth, dict | None):
        raise MetaUnreadable("AmplifyMetaConfig has no auth part of the expected shape")
    sections = {name: part for name, part in (auth or {}).items() if isinstance(part, dict)}
    cognito = {name: part for name, part in sections.items() if part.get("service") == "Cognito"}
    domains = [_text(part, "output", "HostedUIDomain") for part in cognito.values()]
    return Meta(
        resources=tuple(cognito),
        imported=any(part.get("serviceType") == "imported" for part in cognito.values()),
        hosted_domain=next((domain for domain in domains if domain), None),
        unseen=tuple(_unseen(whole, sections, cognito)),
        auth={name: _stable(part) for name, part in sections.items()},
    )


def moved_beyond(
    earlier: Meta, later: Meta, changed: frozenset[Path], *, may_clear_unseen: bool = False
) -> tuple[Path, ...]:
    """Paths of the meta's auth part that moved although nothing that they mirror was planned.

    Args:
        earlier: the meta before the update; it may be sealed.
        later: the meta afterwards, plain.
        changed: the paths of the configuration that the plan changes.
        may_clear_unseen: whether somebody allowed the update to clear what this API can't express.
    """
    before, after = earlier.auth, later.auth
    if earlier.salt is not None:
        after = sealed(later, earlier.salt).auth
    moved = []
    for path in sorted({*_flat(before), *_flat(after)}):
        if _at(before, path) == _at(after, path):
            continue
        if may_clear_unseen and _at(after, path) is None and _holds_unseen(before, path):
            continue
        mirrored = next((blocks for mirror, blocks in MIRRORS.items() if path[1 : 1 + len(mirror)] == mirror), ())
        if not any(change[: len(block)] == block for block in mirrored for change in changed):
            moved.append(path)
    return tuple(moved)


def sealed(meta: Meta, salt: str) -> Meta:
    """A meta that can be written down: in its auth part a salted digest stands in place of each value.

    Nobody knows what the meta holds, so none of its values is ever kept. :func:`moved_beyond` still compares
    it; the names of services, for which that asks, stay readable.
    """
    import hashlib  # OpenSSL comes with it, which most commands never need

    def seal(name: str, value: Any) -> Any:
        if isinstance(value, dict) and value:
            return {key: seal(key, below) for key, below in value.items()}
        if value is None or (name == "service" and isinstance(value, str) and _SERVICE.fullmatch(value)):
            return value
        text = json.dumps([salt, value], sort_keys=True)
        return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()[:16]

    return replace(meta, auth={name: seal(name, part) for name, part in meta.auth.items()}, salt=salt)


def social_providers(meta: Meta) -> tuple[str, ...] | None:
    """The social providers that the backend has, in the API's names; None where the meta does not tell."""
    listed = _told(meta, "socialProviders")
    if not isinstance(listed, list):
        return None
    return tuple(_SOCIAL[name] for name in listed if isinstance(name, str) and name in _SOCIAL)


def has_constraints(meta: Meta) -> bool | None:
    """Whether the backend asks more of a password than its length; None where the meta does not tell."""
    characters = _told(meta, "passwordProtectionSettings", "passwordPolicyCharacters")
    return bool(characters) if isinstance(characters, list) else None


def without(meta: Meta | None, block: Path) -> bool:
    """Whether the meta tells that there is nothing where a block was not returned: no MFA, no verification."""
    if meta is None:
        return False
    return (block == MFA and _told(meta, "mfaConfiguration") == "OFF") or (
        block == VERIFICATION and _told(meta, "verificationMechanisms") == []
    )


def _told(meta: Meta, *path: str) -> Any:
    found = [_at(part, ("frontendAuthConfig", *path)) for part in meta.auth.values()]
    return next((value for value in found if value is not None), None)


def _holds_unseen(auth: Tree, path: Path) -> bool:
    """Whether a path of the auth part belongs to a setting that an update clears."""
    return _at(auth, (path[0], "service")) == _GROUPS or (path[1:2] == ("output",) and path[-1] in _FEDERATED)


def _unseen(whole: Tree, sections: Tree, cognito: Tree) -> Iterator[str]:
    if any(name not in cognito and part.get("service") == _GROUPS for name, part in sections.items()):
        yield "user groups"
    if any(
        isinstance(whole.get(part), dict) and any(name.startswith("AdminQueries") for name in whole[part])
        for part in ("api", "function")
    ):
        yield "admin queries"
    if any(_text(part, "output", client) for part in cognito.values() for client in _FEDERATED):
        yield "identity pool federation"


def _stable(value: Any) -> Any:
    """A part without what changes at every push; lists are sets, also in the JSON that stands in a text."""
    if isinstance(value, str) and value.startswith("{"):
        try:
            value = json.loads(value)
        except (ValueError, RecursionError):
            return value
    if isinstance(value, dict):
        return {
            key: _stable(below)
            for key, below in value.items()
            if key not in _VOLATILE and "secret" not in key.lower() and "hash" not in key.lower()
        }
    if isinstance(value, list):
        return sorted((_stable(item) for item in value), key=lambda item: json.dumps(item, sort_keys=True))
    return value


def _text(part: Any, *path: str) -> str | None:
    found = _at(part, path)
    return found if isinstance(found, str) and found else None


def _at(node: Any, path: Path) -> Any:
    for key in path:
        node = node.get(key) if isinstance(node, dict) else None
    return node


def _flat(node: Any, above: Path = ()) -> Iterator[Path]:
    if not isinstance(node, dict) or not node:
        yield above
        return
    for key, below in node.items():
        yield from _flat(below, (*above, key))
