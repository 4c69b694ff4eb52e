"""What one target's plan says: changes, blocks, guards, warnings, and what the request would carry."""

from __future__ import annotations

from typing import Any

import pytest

from reconciler.core.fields import FIELDS
from reconciler.core.model import Action, Change, Live, Mark, Setting, Written
from reconciler.core.references import Template, parse_references
from reconciler.core.secret import Secret
from reconciler.errors import InputProblem
from tests.unit.core.builders import OAUTH, live, members, meta, prepared, secret

POOL = "UserPoolConfigs"
MFA_SETTINGS: dict[str, Written] = {
    f"{POOL}.Mfa.Settings.MfaTypes": members("SMS"),
    f"{POOL}.Mfa.Settings.SmsMessage": "{####}",
}
MFA_ON = {"MFAMode": "ON", "Settings": {"MfaTypes": ["SMS"], "SmsMessage": "Code {####}"}}
GOOGLE = {"Google": {"ClientId": "id", "ClientSecret": "GOCSPX-live-secret"}}
HIDDEN = {"Google": {"ClientId": "id"}}


def paths(changes: tuple[Change, ...]) -> list[str]:
    return [".".join(change.path[1:]) for change in changes]


def codes(findings: tuple[Any, ...]) -> list[str]:
    return [finding.code for finding in findings]


def test_a_document_that_says_what_is_live_changes_nothing() -> None:
    same = prepared({f"{POOL}.PasswordPolicy.MinimumLength": 8, f"{POOL}.Mfa.MFAMode": "OFF"})
    assert same.plan.changes == ()
    assert (same.plan.unchanged, same.plan.unmanaged) == (2, 8)
    assert not same.plan.applyable


def test_the_request_has_every_block_whole() -> None:
    made = prepared({f"{POOL}.PasswordPolicy.MinimumLength": 12}, live({"OAuth": OAUTH, "Mfa": MFA_ON}))
    assert made.request() == {
        "AuthResources": "USER_POOL_ONLY",
        "Service": "COGNITO",
        "UserPoolConfigs": {
            "Mfa": MFA_ON,
            "OAuth": OAUTH,
            "PasswordPolicy": {"MinimumLength": 12, "AdditionalConstraints": []},
            "VerificationMessage": {
                "DeliveryMethod": "EMAIL",
                "EmailSettings": {"EmailMessage": "{####}", "EmailSubject": "Code"},
            },
        },
    }


def test_mfa_that_is_off_is_sent_without_settings() -> None:
    made = prepared({f"{POOL}.Mfa.MFAMode": "OFF"}, live({"Mfa": MFA_ON}))
    assert made.request()["UserPoolConfigs"]["Mfa"] == {"MFAMode": "OFF"}
    assert paths(made.plan.changes) == ["Mfa.MFAMode", "Mfa.Settings.MfaTypes.SMS", "Mfa.Settings.SmsMessage"]


def test_settings_that_were_live_under_off_mean_nothing_for_on() -> None:
    stale = live({"Mfa": {**MFA_ON, "MFAMode": "OFF"}})
    with pytest.raises(InputProblem) as caught:
        prepared({f"{POOL}.Mfa.MFAMode": "OPTIONAL"}, stale)
    assert [found.summary for found in caught.value.diagnostics] == [
        "UserPoolConfigs.Mfa.Settings.MfaTypes is missing",
        "UserPoolConfigs.Mfa.Settings.SmsMessage is missing",
    ]


@pytest.mark.parametrize(
    ("written", "lacks"),
    [
        ({f"{POOL}.VerificationMessage.DeliveryMethod": "SMS"}, ["VerificationMessage.SmsSettings.SmsMessage"]),
        (
            {f"{POOL}.ForgotPassword.DeliveryMethod": "EMAIL"},
            ["ForgotPassword.EmailSettings.EmailMessage", "ForgotPassword.EmailSettings.EmailSubject"],
        ),
        ({f"{POOL}.ForgotPassword.EmailSettings.EmailSubject": "Hi"}, []),
        (
            {f"{POOL}.OAuth.OAuthGrantType": "CODE"},
            ["OAuth.OAuthScopes", "OAuth.RedirectSignInURIs", "OAuth.RedirectSignOutURIs"],
        ),
    ],
)
def test_a_block_that_changes_must_have_what_the_service_needs(written: dict[str, Written], lacks: list[str]) -> None:
    try:
        prepared(written)
        found: list[str] = []
    except InputProblem as problem:
        found = [
            str(diagnostic.summary).split()[0].removeprefix("UserPoolConfigs.") for diagnostic in problem.diagnostics
        ]
    assert found == lacks


def test_a_message_without_a_delivery_method_is_not_sent_halfway() -> None:
    with pytest.raises(InputProblem):
        prepared({f"{POOL}.Mfa.Settings.SmsMessage": "{####}", f"{POOL}.Mfa.MFAMode": "ON"}, live(without=("Mfa",)))


@pytest.mark.parametrize(
    "hidden",
    [
        {"VerificationMessage": {"DeliveryMethod": "SMS"}},
        {"VerificationMessage": {"DeliveryMethod": "EMAIL", "EmailSettings": {"EmailMessage": "{####}"}}},
        {"VerificationMessage": None},
        {"Mfa": {"MFAMode": "OPTIONAL"}},
        {"Mfa": {"MFAMode": "OPTIONAL", "Settings": {"MfaTypes": ["SMS"]}}},
        {"Mfa": {"Settings": {"MfaTypes": ["SMS"], "SmsMessage": "{####}"}}},
        {"Mfa": None},
    ],
)
def test_a_block_that_was_not_returned_whole_and_that_the_service_resets_is_guarded(hidden: dict[str, Any]) -> None:
    plan = prepared({f"{POOL}.PasswordPolicy.MinimumLength": 9}, live(hidden)).plan
    (block,) = hidden
    assert codes(plan.guards) == ["unread-mfa" if block == "Mfa" else "unread-verification"]
    assert block in plan.guards[0].detail


def test_a_block_that_is_not_there_as_the_meta_tells_needs_no_guard() -> None:
    auth = {"shopauth": {"frontendAuthConfig": {"mfaConfiguration": "OFF", "verificationMechanisms": []}}}
    for hidden in ({"Mfa": None}, {"VerificationMessage": None}):
        plan = prepared(
            {f"{POOL}.Mfa.MFAMode": "OFF", "AuthResources": "IDENTITY_POOL_AND_USER_POOL"},
            live(hidden, meta=meta(auth=auth)),
        ).plan
        assert plan.guards == ()


def test_constraints_that_only_the_meta_tells_of_are_removed_in_sight() -> None:
    none: dict[str, Written] = {f"{POOL}.PasswordPolicy.AdditionalConstraints": None}
    (change,) = prepared(none, hidden_constraints()).plan.changes
    assert (change.action, change.before, change.after) == (Action.REMOVE, Mark.NOT_RETURNED, None)


def test_a_meta_that_does_not_tell_is_no_proof_that_there_is_nothing() -> None:
    silent = meta(auth={"shopauth": {}})
    policy = prepared({f"{POOL}.Mfa.MFAMode": "OPTIONAL", **MFA_SETTINGS}, live({"OAuth": OAUTH}, meta=silent))
    assert [note.summary.split()[0] for note in policy.plan.notes] == ["OAuth", "PasswordPolicy"]
    inside = prepared({f"{POOL}.OAuth.OAuthGrantType": "IMPLICIT"}, live({"OAuth": OAUTH}, meta=silent)).plan
    assert codes(inside.blocks) == ["oauth-not-whole"]


def test_a_domain_that_only_the_meta_tells_of_is_never_generated_anew() -> None:
    written: dict[str, Written] = {
        f"{POOL}.OAuth.OAuthGrantType": "CODE",
        f"{POOL}.OAuth.OAuthScopes": members("OPENID"),
        f"{POOL}.OAuth.RedirectSignInURIs": members("https://a.example.com/"),
        f"{POOL}.OAuth.RedirectSignOutURIs": members("https://a.example.com/"),
    }
    with pytest.raises(InputProblem) as caught:
        prepared(written, live(meta=meta(hosted_domain="shop-prod")))
    assert "DomainPrefix" in caught.value.diagnostics[0].summary


def test_a_password_policy_that_was_not_returned_whole_is_left_out_and_kept() -> None:
    for hidden in (live({"PasswordPolicy": {"AdditionalConstraints": ["REQUIRE_DIGIT"]}}), hidden_constraints()):
        made = prepared({f"{POOL}.Mfa.MFAMode": "OPTIONAL", **MFA_SETTINGS}, hidden)
        assert codes(made.plan.notes) == ["block-left-out"]
        assert "PasswordPolicy" not in made.request()["UserPoolConfigs"]


def test_a_change_beside_constraints_that_were_not_returned_must_write_them() -> None:
    with pytest.raises(InputProblem) as caught:
        prepared({f"{POOL}.PasswordPolicy.MinimumLength": 9}, hidden_constraints())
    assert "AdditionalConstraints" in caught.value.diagnostics[0].summary
    both: dict[str, Written] = {
        f"{POOL}.PasswordPolicy.MinimumLength": 9,
        f"{POOL}.PasswordPolicy.AdditionalConstraints": None,
    }
    assert prepared(both, hidden_constraints()).request()["UserPoolConfigs"]["PasswordPolicy"] == {
        "MinimumLength": 9,
        "AdditionalConstraints": [],
    }


def test_removing_the_constraints_of_a_policy_whose_length_was_not_returned_must_write_it() -> None:
    before = live({"PasswordPolicy": {"AdditionalConstraints": ["REQUIRE_DIGIT"]}})
    with pytest.raises(InputProblem) as caught:
        prepared({f"{POOL}.PasswordPolicy.AdditionalConstraints": None}, before)
    assert "MinimumLength" in caught.value.diagnostics[0].summary


def hidden_constraints() -> Live:
    """Constraints that only the backend's meta tells of."""
    policy = {"passwordPolicyMinLength": 8, "passwordPolicyCharacters": ["REQUIRES_NUMBERS"]}
    auth = {"shopauth": {"frontendAuthConfig": {"passwordProtectionSettings": policy}}}
    return live(meta=meta(auth=auth))


def test_scopes_that_imply_openid_need_it() -> None:
    with pytest.raises(InputProblem) as caught:
        prepared({f"{POOL}.OAuth.OAuthScopes": members("EMAIL")}, live({"OAuth": OAUTH}))
    assert caught.value.diagnostics[0].hint == "add OPENID"


def test_a_target_whose_auth_resources_were_not_returned_must_write_them() -> None:
    with pytest.raises(InputProblem) as caught:
        prepared({f"{POOL}.PasswordPolicy.MinimumLength": 9}, live(AuthResources=None))
    assert caught.value.diagnostics[0].summary == "AuthResources is missing"


def test_a_redirect_list_replaces_and_keeps_its_written_order() -> None:
    made = prepared(
        {f"{POOL}.OAuth.RedirectSignInURIs": members("https://b.example.com/", "https://a.example.com/")},
        live({"OAuth": OAUTH}),
    )
    assert made.request()["UserPoolConfigs"]["OAuth"]["RedirectSignInURIs"] == [
        "https://b.example.com/",
        "https://a.example.com/",
    ]
    assert {(change.path[-1], change.action) for change in made.plan.changes} == {
        ("https://a.example.com/", Action.ADD),
        ("https://b.example.com/", Action.ADD),
        ("https://shop.example.com/", Action.REMOVE),
    }


def test_removing_the_hosted_ui_sends_an_empty_block() -> None:
    made = prepared({f"{POOL}.OAuth": None}, live({"OAuth": {**OAUTH, "SocialProviderSettings": HIDDEN}}))
    assert made.request()["UserPoolConfigs"]["OAuth"] == {}
    assert made.plan.applyable
    assert all(change.action is Action.REMOVE for change in made.plan.changes)


def test_removing_a_provider_leaves_it_out_of_the_whole_block() -> None:
    providers = {**GOOGLE, "Facebook": {"ClientId": "fb", "ClientSecret": "facebook-live"}}
    made = prepared(
        {f"{POOL}.OAuth.SocialProviderSettings.Facebook": None},
        live({"OAuth": {**OAUTH, "SocialProviderSettings": providers}}),
    )
    google = {"ClientId": "id", "ClientSecret": Secret("GOCSPX-live-secret")}
    assert made.request()["UserPoolConfigs"]["OAuth"]["SocialProviderSettings"] == {"Google": google}
    assert codes(made.plan.notes) == ["secret-sent-back"]


def test_a_secret_that_cant_be_read_blocks_changes_inside_oauth_only() -> None:
    before = live({"OAuth": {**OAUTH, "SocialProviderSettings": HIDDEN}})
    inside = prepared({f"{POOL}.OAuth.OAuthGrantType": "IMPLICIT"}, before)
    assert codes(inside.plan.blocks) == ["oauth-not-whole"]
    assert inside.plan.changes[0].blocked is not None
    outside = prepared({f"{POOL}.PasswordPolicy.MinimumLength": 9}, before)
    assert outside.plan.applyable
    assert codes(outside.plan.notes) == ["block-left-out"]
    assert "OAuth" not in outside.request()["UserPoolConfigs"]


def test_a_written_secret_lets_the_block_be_sent_and_is_shown_as_unproven() -> None:
    before = live({"OAuth": {**OAUTH, "SocialProviderSettings": HIDDEN}})
    key = f"{POOL}.OAuth.SocialProviderSettings.Google.ClientSecret"
    alone = prepared({key: secret("GOCSPX-new-secret")}, before)
    assert alone.plan.changes == ()
    made = prepared({key: secret("GOCSPX-new-secret"), f"{POOL}.OAuth.OAuthGrantType": "IMPLICIT"}, before)
    assert [(change.path[-1], change.unproven) for change in made.plan.changes] == [
        ("OAuthGrantType", False),
        ("ClientSecret", True),
    ]
    sent = made.request()["UserPoolConfigs"]["OAuth"]["SocialProviderSettings"]["Google"]
    assert sent == {"ClientId": "id", "ClientSecret": Secret("GOCSPX-new-secret")}


def test_a_readable_secret_that_differs_is_one_change_and_one_that_does_not_is_none() -> None:
    before = live({"OAuth": {**OAUTH, "SocialProviderSettings": GOOGLE}})
    key = f"{POOL}.OAuth.SocialProviderSettings.Google.ClientSecret"
    assert prepared({key: secret("GOCSPX-live-secret")}, before).plan.changes == ()
    (change,) = prepared({key: secret("GOCSPX-other-secret")}, before).plan.changes
    assert (change.before, change.after, change.unproven) == (Mark.SENSITIVE, Mark.SENSITIVE, False)


def test_a_plan_holds_references_where_secrets_are() -> None:
    key = f"{POOL}.OAuth.SocialProviderSettings.Google.ClientSecret"
    plan = prepared(
        {key: secret("GOCSPX-canary-value")}, live({"OAuth": {**OAUTH, "SocialProviderSettings": GOOGLE}})
    ).plan
    assert "GOCSPX" not in repr(plan)
    value = plan.desired.settings[tuple(key.split("."))].value
    assert value == parse_references("${env:NAME}")
    assert isinstance(value, Template)


def test_a_new_hosted_ui_gets_a_domain_that_nobody_knows_yet() -> None:
    written: dict[str, Written] = {
        f"{POOL}.OAuth.OAuthGrantType": "CODE",
        f"{POOL}.OAuth.OAuthScopes": members("OPENID"),
        f"{POOL}.OAuth.RedirectSignInURIs": members("https://a.example.com/"),
        f"{POOL}.OAuth.RedirectSignOutURIs": members("https://a.example.com/"),
    }
    made = prepared(written)
    (domain,) = [change for change in made.plan.changes if change.path[-1] == "DomainPrefix"]
    assert domain.after is Mark.KNOWN_AFTER_APPLY
    assert "DomainPrefix" not in made.request()["UserPoolConfigs"]["OAuth"]


@pytest.mark.parametrize("written", ["shop", "shop-prod"])
@pytest.mark.parametrize("settled", [True, False])
def test_a_domain_read_with_the_environment_is_no_change(written: str, settled: bool) -> None:
    before = live({"OAuth": {**OAUTH, "DomainPrefix": "shop-prod"}}, domain_settled=settled)
    if settled and before.tree is not None:
        before.tree["UserPoolConfigs"]["OAuth"]["DomainPrefix"] = "shop"
    made = prepared({f"{POOL}.OAuth.DomainPrefix": written}, before)
    assert made.plan.changes == ()
    assert codes(made.plan.warnings) == (["domain-suffix"] if settled and written == "shop-prod" else [])


def test_a_domain_in_doubt_is_never_sent_back() -> None:
    before = live({"OAuth": {**OAUTH, "DomainPrefix": "shop-prod"}}, domain_settled=False)
    made = prepared({f"{POOL}.PasswordPolicy.MinimumLength": 9}, before)
    assert "OAuth" not in made.request()["UserPoolConfigs"]
    assert codes(made.plan.notes) == ["block-left-out"]
    written = prepared({f"{POOL}.OAuth.DomainPrefix": "shop", f"{POOL}.OAuth.OAuthGrantType": "IMPLICIT"}, before)
    assert written.request()["UserPoolConfigs"]["OAuth"]["DomainPrefix"] == "shop"


def test_another_domain_is_a_warning() -> None:
    made = prepared({f"{POOL}.OAuth.DomainPrefix": "store"}, live({"OAuth": OAUTH}))
    assert codes(made.plan.warnings) == ["domain-change"]


@pytest.mark.parametrize(("member", "value"), [("SignInMethod", "USERNAME"), ("UserPoolName", "store")])
def test_a_create_only_member_that_differs_blocks(member: str, value: str) -> None:
    plan = prepared({f"{POOL}.{member}": value, f"{POOL}.PasswordPolicy.MinimumLength": 9}).plan
    assert codes(plan.blocks) == ["create-only"]
    assert not plan.applyable


def test_a_create_only_member_that_was_not_returned_cant_be_compared() -> None:
    plan = prepared({f"{POOL}.SignInMethod": "USERNAME"}, live(without=("SignInMethod",))).plan
    assert plan.changes == ()
    assert codes(plan.warnings) == ["create-only-unread"]


def test_ways_to_sign_in_that_are_taken_away_are_warned_about() -> None:
    before = live({"OAuth": {**OAUTH, "SocialProviderSettings": GOOGLE}, "Mfa": MFA_ON})
    assert codes(prepared({f"{POOL}.OAuth": None}, before).plan.warnings) == ["hosted-ui-removal"]
    unlinked = prepared({f"{POOL}.OAuth.SocialProviderSettings.Google": None}, before)
    assert codes(unlinked.plan.warnings) == ["provider-removal"]
    assert codes(prepared({f"{POOL}.Mfa.MFAMode": "OFF"}, before).plan.warnings) == ["mfa-off"]


def test_a_plan_says_that_it_is_not_bound_to_a_secrets_value() -> None:
    key = f"{POOL}.OAuth.SocialProviderSettings.Google.ClientSecret"
    before = live({"OAuth": {**OAUTH, "SocialProviderSettings": GOOGLE}})
    assert codes(prepared({key: secret("GOCSPX-other-secret")}, before).plan.notes) == ["secret-not-bound"]


def test_a_pool_name_with_the_environment_is_the_same_name() -> None:
    assert prepared({f"{POOL}.UserPoolName": "shop-prod"}).plan.changes == ()


def test_sign_up_attributes_that_differ_are_a_warning_and_in_nobodys_way() -> None:
    plan = prepared({f"{POOL}.RequiredSignUpAttributes": members("EMAIL")}).plan
    assert codes(plan.warnings) == ["create-only-differs"]
    assert plan.changes == ()


def test_imported_auth_blocks_what_changes_and_nothing_else() -> None:
    before = live(meta=meta(imported=True))
    assert codes(prepared({f"{POOL}.PasswordPolicy.MinimumLength": 9}, before).plan.blocks) == ["imported-auth"]
    assert prepared({f"{POOL}.PasswordPolicy.MinimumLength": 8}, before).plan.blocks == ()


IDENTITY: dict[str, Any] = {
    "AuthResources": "IDENTITY_POOL_AND_USER_POOL",
    "IdentityPoolConfigs": {"UnauthenticatedLogin": True},
}


@pytest.mark.parametrize(
    ("guard", "written", "before"),
    [
        ("identity-pool-deletion", {"AuthResources": "USER_POOL_ONLY"}, live(**IDENTITY)),
        ("mfa-on", {f"{POOL}.Mfa.MFAMode": "ON"}, live({"Mfa": {**MFA_ON, "MFAMode": "OPTIONAL"}})),
        ("unread-mfa", {f"{POOL}.PasswordPolicy.MinimumLength": 9}, live(without=("Mfa",))),
        ("unseen-settings", {f"{POOL}.PasswordPolicy.MinimumLength": 9}, live(meta=meta(unseen=("user groups",)))),
    ],
)
def test_a_guard_stands_until_it_is_allowed(guard: str, written: dict[str, Written], before: Any) -> None:
    plan = prepared(written, before).plan
    assert codes(plan.guards) == [guard]
    assert not plan.applyable
    allowed = prepared(written, before, allow=(guard,)).plan
    assert codes(allowed.guards) == [guard]
    assert allowed.applyable


def test_forgot_password_is_sent_only_when_it_is_managed_and_then_warned_about() -> None:
    forgot = {"DeliveryMethod": "EMAIL", "EmailSettings": {"EmailMessage": "{####}"}}
    before = live({"ForgotPassword": forgot})
    other = prepared({f"{POOL}.PasswordPolicy.MinimumLength": 9}, before)
    assert "ForgotPassword" not in other.request()["UserPoolConfigs"]
    managed = prepared({f"{POOL}.ForgotPassword.EmailSettings.EmailSubject": "Hello"}, before)
    assert managed.request()["UserPoolConfigs"]["ForgotPassword"]["EmailSettings"] == {
        "EmailMessage": "{####}",
        "EmailSubject": "Hello",
    }
    assert codes(managed.plan.warnings) == ["forgot-password"]
    follows = prepared({f"{POOL}.VerificationMessage.EmailSettings.EmailSubject": "New"}, before)
    assert codes(follows.plan.warnings) == ["forgot-password-follows"]


def test_a_change_stands_where_its_member_was_written() -> None:
    made = prepared({f"{POOL}.OAuth.RedirectSignInURIs": members("https://a.example.com/")}, live({"OAuth": OAUTH}))
    added, removed = sorted(made.plan.changes, key=lambda change: change.action)
    assert (added.action, removed.action) == (Action.ADD, Action.REMOVE)
    assert added.origin is not None
    assert removed.origin is not None


def test_every_field_of_the_catalogue_has_a_place_of_its_own() -> None:
    assert len({row.path for row in FIELDS}) == len(FIELDS)


def test_an_empty_list_of_constraints_drops_them() -> None:
    before = live({"PasswordPolicy": {"MinimumLength": 8, "AdditionalConstraints": ["REQUIRE_DIGIT"]}})
    written: dict[str, Written] = {f"{POOL}.PasswordPolicy.AdditionalConstraints": tuple[Setting, ...]()}
    none: dict[str, Written] = {f"{POOL}.PasswordPolicy.AdditionalConstraints": None}
    for removal in (written, none):
        made = prepared(removal, before)
        assert made.request()["UserPoolConfigs"]["PasswordPolicy"]["AdditionalConstraints"] == []
        assert [change.action for change in made.plan.changes] == [Action.REMOVE]


def test_a_text_is_itself_even_where_it_reads_as_a_word_of_ours_for_a_secret() -> None:
    texts: dict[str, Written] = {f"{POOL}.Mfa.MFAMode": "ON", f"{POOL}.Mfa.Settings.MfaTypes": members("SMS")}
    for word in ("unknown", "readable", "(sensitive value)"):
        made = prepared({**texts, f"{POOL}.Mfa.Settings.SmsMessage": word}, live({"Mfa": {"MFAMode": "OFF"}}))
        assert made.plan.blocks == ()
        assert made.request()["UserPoolConfigs"]["Mfa"]["Settings"]["SmsMessage"] == word
