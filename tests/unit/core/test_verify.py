"""After an update: what arrived, what was rewritten, what did not arrive, and what moved."""

from __future__ import annotations

from typing import Any

from reconciler.core.verify import Verdict, judge
from tests.unit.core.builders import OAUTH, live, members, meta, prepared

LENGTH = "UserPoolConfigs.PasswordPolicy.MinimumLength"
SIGN_IN = "UserPoolConfigs.OAuth.RedirectSignInURIs"
MESSAGE = {"DeliveryMethod": "EMAIL", "EmailSettings": {"EmailMessage": "New {####}", "EmailSubject": "Code"}}


def judged(written: dict[str, Any], after: Any, before: Any = None) -> Verdict:
    before = before or live()
    return judge(prepared(written, before), before, after)


def test_a_result_as_planned_stands() -> None:
    assert judged({LENGTH: 9}, live({"PasswordPolicy": {"MinimumLength": "9"}})).stands


def test_a_planned_path_with_its_old_value_did_not_arrive() -> None:
    verdict = judged({LENGTH: 9}, live())
    assert [difference.path[-1] for difference in verdict.missing] == ["MinimumLength"]


def test_a_planned_path_with_a_third_value_was_rewritten() -> None:
    verdict = judged({LENGTH: 9}, live({"PasswordPolicy": {"MinimumLength": 10}}))
    assert [(difference.before, difference.after) for difference in verdict.rewritten] == [(9, 10)]


def test_a_member_stored_in_another_form_was_rewritten() -> None:
    before = live({"OAuth": OAUTH})
    stored = {**OAUTH, "RedirectSignInURIs": ["https://new.example.com/callback/"]}
    verdict = judged({SIGN_IN: members("https://new.example.com/callback")}, live({"OAuth": stored}), before)
    assert [(difference.before, difference.after) for difference in verdict.rewritten] == [
        ("https://new.example.com/callback", "https://new.example.com/callback/")
    ]
    assert (verdict.missing, verdict.moved) == ((), ())


def test_a_member_that_vanished_and_was_not_planned_has_moved() -> None:
    before = live({"OAuth": OAUTH})
    stands = {**OAUTH, "RedirectSignInURIs": ["https://new.example.com/"]}
    both = members("https://shop.example.com/", "https://new.example.com/")
    verdict = judged({SIGN_IN: both}, live({"OAuth": stands}), before)
    assert [difference.path[-1] for difference in verdict.moved] == ["https://shop.example.com/"]


def test_another_path_that_changed_has_moved() -> None:
    after = live({"PasswordPolicy": {"MinimumLength": 9}, "VerificationMessage": MESSAGE})
    assert [difference.path[-1] for difference in judged({LENGTH: 9}, after).moved] == ["EmailMessage"]


def test_forgot_password_may_follow_the_verification_message_but_go_nowhere_else() -> None:
    forgot = {"DeliveryMethod": "EMAIL", "EmailSettings": {"EmailMessage": "Old {####}"}}
    before = live({"ForgotPassword": forgot})
    written = {"UserPoolConfigs.VerificationMessage.EmailSettings.EmailMessage": "New {####}"}
    after = live({"ForgotPassword": MESSAGE, "VerificationMessage": MESSAGE})
    assert judged(written, after, before).stands
    other = {"DeliveryMethod": "SMS", "SmsSettings": {"SmsMessage": "evil {####}"}}
    assert not judged(written, live({"ForgotPassword": other, "VerificationMessage": MESSAGE}), before).stands
    elsewhere = live({"ForgotPassword": MESSAGE, "PasswordPolicy": {"MinimumLength": 9}})
    assert not judged({LENGTH: 9}, elsewhere, before).stands


def test_create_only_members_that_read_back_otherwise_have_not_moved() -> None:
    after = live(
        {"PasswordPolicy": {"MinimumLength": 9}, "RequiredSignUpAttributes": ["EMAIL"], "UserPoolName": "shop-prod"}
    )
    assert judged({LENGTH: 9}, after).stands
    renamed = live({"PasswordPolicy": {"MinimumLength": 9}, "UserPoolName": "store"})
    assert [difference.path[-1] for difference in judged({LENGTH: 9}, renamed).moved] == ["UserPoolName"]


def test_a_leaf_that_the_service_fills_is_as_planned_whatever_it_is() -> None:
    written: dict[str, Any] = {
        "UserPoolConfigs.OAuth.OAuthGrantType": "CODE",
        "UserPoolConfigs.OAuth.OAuthScopes": members("OPENID", "EMAIL"),
        SIGN_IN: members("https://shop.example.com/"),
        "UserPoolConfigs.OAuth.RedirectSignOutURIs": members("https://shop.example.com/"),
    }
    assert judged(written, live({"OAuth": {**OAUTH, "DomainPrefix": "generated"}})).stands
    unfilled = {name: value for name, value in OAUTH.items() if name != "DomainPrefix"}
    assert judged(written, live({"OAuth": unfilled})).stands


def test_the_meta_moves_only_where_it_mirrors_a_planned_block() -> None:
    def auth(**changed: Any) -> Any:
        policy = {"passwordPolicyMinLength": 8, "passwordPolicyCharacters": [], **changed.pop("policy", {})}
        frontend = {"passwordProtectionSettings": policy, "mfaConfiguration": "OFF", **changed}
        return {"shopauth": {"frontendAuthConfig": frontend, "output": {"UserPoolId": "pool-1"}}}

    before = live(meta=meta(auth=auth()))
    stands = {"PasswordPolicy": {"MinimumLength": 9}}
    expected = live(stands, meta=meta(auth=auth(policy={"passwordPolicyMinLength": 9})))
    assert judged({LENGTH: 9}, expected, before).stands
    stricter = live(stands, meta=meta(auth=auth(policy={"passwordPolicyCharacters": ["REQUIRES_NUMBERS"]})))
    assert not judged({LENGTH: 9}, stricter, before).stands
    moved = judged({LENGTH: 9}, live(stands, meta=meta(auth=auth(mfaConfiguration="ON"))), before)
    assert moved.meta == (("shopauth", "frontendAuthConfig", "mfaConfiguration"),)
    gone = judged({LENGTH: 9}, live(stands, meta=meta(auth={})), before)
    assert ("shopauth", "output", "UserPoolId") in gone.meta
