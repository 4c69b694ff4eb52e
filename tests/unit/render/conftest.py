"""Small builders: a document, what is live, and the plan between them."""

from collections.abc import Callable, Mapping
from typing import Any

import pytest

from reconciler.core.model import Access, Desired, Live, Path, Plan, Setting, Target, TargetPlan
from reconciler.core.normalise import live_tree
from reconciler.core.planfile import fingerprint
from reconciler.core.targetplan import prepare
from reconciler.errors import Origin

POOL = {
    "SignInMethod": "EMAIL",
    "Mfa": {"MFAMode": "OFF"},
    "PasswordPolicy": {"MinimumLength": 8},
    "VerificationMessage": {
        "DeliveryMethod": "EMAIL",
        "EmailSettings": {"EmailMessage": "{####}", "EmailSubject": "Code"},
    },
    "OAuth": {
        "DomainPrefix": "shop",
        "OAuthGrantType": "CODE",
        "OAuthScopes": ["OPENID"],
        "RedirectSignInURIs": ["https://shop.example.com/"],
        "RedirectSignOutURIs": ["https://shop.example.com/"],
        "SocialProviderSettings": {"Google": {"ClientId": "google", "ClientSecret": "google-live"}},
    },
}

Planned = Callable[..., TargetPlan]


def _planned(settings: Mapping[str, Any], *, name: str = "shop-prod", pool: Mapping[str, Any] = POOL) -> TargetPlan:
    origin = Origin("auth.yaml", 3, 5)
    written: dict[Path, Setting] = {}
    for key, value in settings.items():
        held = tuple(Setting(member, origin) for member in value) if isinstance(value, list) else value
        written["UserPoolConfigs", *key.split(".")] = Setting(held, origin)
    target = Target("d2k7example", "prod", "shopauth", "us-east-1")
    desired = Desired(name, target, Access(), written, Origin("auth.yaml", 1, 1))
    tree = live_tree({"AuthResources": "USER_POOL_ONLY", "Service": "COGNITO", "UserPoolConfigs": pool})
    return prepare(desired, Live(tree, fingerprint(tree))).plan


@pytest.fixture(scope="session")
def planned() -> Planned:
    """Return a function from dotted settings below UserPoolConfigs to the plan of one target."""
    return _planned


@pytest.fixture(scope="session")
def plan_of() -> Callable[..., Plan]:
    """Return a function from targets to a plan."""
    return lambda *targets: Plan(targets, "2031-05-04T03:02:01Z")
