from collections.abc import Callable, Mapping
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from reconciler.core.model import Outcome, OutcomeKind, Plan, TargetPlan
from reconciler.core.secret import Secret
from reconciler.render.json import outcome_json, plan_json
from reconciler.render.markdown import outcome_markdown, plan_markdown
from reconciler.render.report import outcome_report, plan_report
from reconciler.render.terminal import outcome_text, plan_text

PROVIDERS = "OAuth.SocialProviderSettings"
CANARY = st.text(st.sampled_from("bcdfghjk"), min_size=12, max_size=40).map(lambda tail: f"CANARY{tail}")

Planned = Callable[..., TargetPlan]
PlanOf = Callable[..., Plan]


def _pool(secret: str, other: str) -> Mapping[str, Any]:
    return {
        "OAuth": {
            "OAuthGrantType": "CODE",
            "OAuthScopes": ["OPENID"],
            "RedirectSignInURIs": ["https://shop.example.com/"],
            "RedirectSignOutURIs": ["https://shop.example.com/"],
            "SocialProviderSettings": {
                "Google": {"ClientId": "google", "ClientSecret": secret},
                "Facebook": {"ClientId": "facebook", "ClientSecret": other},
                "LoginWithAmazon": {"ClientId": "amazon", "ClientSecret": "****"},
            },
        },
        "Mfa": {"MFAMode": "OFF"},
        "VerificationMessage": {
            "DeliveryMethod": "EMAIL",
            "EmailSettings": {"EmailMessage": "{####}", "EmailSubject": "Code"},
        },
    }


@given(old=CANARY, kept=CANARY, new=CANARY)
def test_no_format_ever_holds_a_secret(old: str, kept: str, new: str, planned: Planned, plan_of: PlanOf) -> None:
    settings: dict[str, Any] = {
        f"{PROVIDERS}.Google.ClientSecret": Secret(new, "${env:GOOGLE}"),
        f"{PROVIDERS}.LoginWithAmazon.ClientSecret": Secret(f"{new}2", "${ssm:/amazon}"),
        f"{PROVIDERS}.SignInWithApple.ClientId": "apple",
        f"{PROVIDERS}.SignInWithApple.PrivateKey": Secret(f"{new}3", "${file:key.p8}"),
        "OAuth.OAuthScopes": ["OPENID", "EMAIL"],
    }
    removed: dict[str, Any] = {f"{PROVIDERS}.Facebook": None, **settings}
    for written in (settings, removed):
        target = planned(written, pool=_pool(old, f"{kept}4"))
        plan = plan_of(target)
        outcome = Outcome(target.name, target.target, OutcomeKind.APPLIED, changes=target.changes)
        outcomes = outcome_report((outcome,), plan)
        shown = [
            plan_text(plan_report(plan), colour=True),
            plan_text(plan_report(plan, headline="drift"), colour=False),
            plan_markdown(plan_report(plan)),
            plan_json(plan, "1.0"),
            outcome_text(outcomes, colour=False),
            outcome_markdown(outcomes),
            outcome_json((outcome,), "1.0"),
            repr(plan_report(plan)),
        ]
        assert "(sensitive value" in shown[0]
        assert not any("CANARY" in text for text in shown)
