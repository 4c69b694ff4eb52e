"""Small builders: a live configuration, a document, and the two prepared."""

from __future__ import annotations

from copy import deepcopy
from typing import Any

from reconciler.core.model import Access, Desired, Live, Meta, Path, Setting, Target, Written
from reconciler.core.normalise import live_tree
from reconciler.core.planfile import fingerprint
from reconciler.core.secret import Secret
from reconciler.core.targetplan import Prepared, prepare
from reconciler.errors import Origin

ORIGIN = Origin("auth.yaml", 1, 1)
TARGET = Target("d2k7example", "prod", "shopauth", "us-east-1", "123456789012")
OAUTH = {
    "DomainPrefix": "shop",
    "OAuthGrantType": "CODE",
    "OAuthScopes": ["OPENID", "EMAIL"],
    "RedirectSignInURIs": ["https://shop.example.com/"],
    "RedirectSignOutURIs": ["https://shop.example.com/"],
}
POOL = {
    "UserPoolName": "shop",
    "SignInMethod": "EMAIL",
    "RequiredSignUpAttributes": ["EMAIL", "NAME"],
    "Mfa": {"MFAMode": "OFF"},
    "PasswordPolicy": {"MinimumLength": 8.0},
    "VerificationMessage": {
        "DeliveryMethod": "EMAIL",
        "EmailSettings": {"EmailMessage": "{####}", "EmailSubject": "Code"},
    },
}


def config(pool: dict[str, Any] | None = None, **top: Any) -> dict[str, Any]:
    """A ResourceConfig as the service returns it."""
    whole = {"AuthResources": "USER_POOL_ONLY", "Service": "COGNITO", "UserPoolConfigs": {**POOL, **(pool or {})}}
    return deepcopy({**whole, **top})


def live(
    pool: dict[str, Any] | None = None,
    *,
    without: tuple[str, ...] = (),
    meta: Meta | None = None,
    domain_settled: bool = True,
    **top: Any,
) -> Live:
    """What was read; ``without`` names members of the user pool that are missing."""
    read = config(pool, **top)
    for name in without:
        del read["UserPoolConfigs"][name]
    tree = live_tree(read)
    domain = read["UserPoolConfigs"].get("OAuth", {}).get("DomainPrefix")
    return Live(tree, fingerprint(tree), domain, domain_settled, meta)


def meta(**given: Any) -> Meta:
    """What GetBackend tells, nothing of note by default."""
    frontend = {"passwordProtectionSettings": {"passwordPolicyCharacters": []}, "socialProviders": []}
    auth = {"shopauth": {"frontendAuthConfig": frontend}}
    whole = {"resources": ("shopauth",), "imported": False, "hosted_domain": None, "unseen": (), "auth": auth}
    return Meta(**{**whole, **given})


def desired(written: dict[str, Written], *, allow: tuple[str, ...] = ()) -> Desired:
    """A document that writes these dotted paths; each setting stands on a line of its own."""
    settings: dict[Path, Setting] = {}
    for line, (path, value) in enumerate(written.items(), start=10):
        place = Origin("auth.yaml", line, 5)
        members = tuple(Setting(member.value, place) for member in value) if isinstance(value, tuple) else value
        settings[tuple(path.split("."))] = Setting(members, place)
    return Desired("shop-prod", TARGET, Access(), settings, ORIGIN, frozenset(allow))


def members(*values: str) -> tuple[Setting, ...]:
    """A list as a document writes it."""
    return tuple(Setting(value, ORIGIN) for value in values)


def secret(value: str, name: str = "NAME") -> Secret:
    return Secret(value, f"${{env:{name}}}")


def prepared(written: dict[str, Written], before: Live | None = None, *, allow: tuple[str, ...] = ()) -> Prepared:
    """The document planned against what is live."""
    return prepare(desired(written, allow=allow), before or live())
