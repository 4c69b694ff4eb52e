"""What an update does to what it carries and to what it leaves out."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from tests.emulator.conftest import Backend

OAUTH: dict[str, Any] = {
    "DomainPrefix": "shop-signin",
    "OAuthGrantType": "IMPLICIT",
    "OAuthScopes": ["OPENID"],
    "RedirectSignInURIs": ["https://shop.example.com/in/"],
    "RedirectSignOutURIs": ["https://shop.example.com/out/"],
    "SocialProviderSettings": {"Google": {"ClientId": "new", "ClientSecret": "new-secret"}},
}
SMS = {"MfaTypes": ["TOTP"], "SmsMessage": "Code {####}"}
ALL_SCOPES = ["PHONE", "EMAIL", "OPENID", "PROFILE", "AWS_COGNITO_SIGNIN_USER_ADMIN"]


def without(*names: str) -> dict[str, Any]:
    return {name: value for name, value in OAUTH.items() if name not in names}


def test_a_whole_update_lands_whole(backend: Backend) -> None:
    pool = {
        "Mfa": {"MFAMode": "ON", "Settings": SMS},
        "PasswordPolicy": {"MinimumLength": 14, "AdditionalConstraints": ["REQUIRE_DIGIT"]},
        "VerificationMessage": {"DeliveryMethod": "SMS", "SmsSettings": {"SmsMessage": "Hello {####}"}},
        "ForgotPassword": {"DeliveryMethod": "SMS", "SmsSettings": {"SmsMessage": "Again {####}"}},
        "OAuth": OAUTH,
    }
    job = backend.update(pool, IdentityPoolConfigs={"UnauthenticatedLogin": False})
    assert job["Status"] == "COMPLETED"
    live = backend.live()
    assert {name: live["UserPoolConfigs"][name] for name in pool} == pool
    assert live["IdentityPoolConfigs"] == {
        "IdentityPoolName": "shop_identitypool",
        "UnauthenticatedLogin": False,
    }


def test_mfa_and_verification_left_out_are_gone_and_the_rest_stays(backend: Backend) -> None:
    before = backend.live()
    backend.update()
    after = backend.live()
    pool = before["UserPoolConfigs"] | {"Mfa": {"MFAMode": "OFF"}}
    del pool["VerificationMessage"]
    assert after == before | {"UserPoolConfigs": pool}


def test_a_password_policy_without_constraints_loses_them(backend: Backend) -> None:
    backend.update({"PasswordPolicy": {"MinimumLength": 10}})
    assert backend.live()["UserPoolConfigs"]["PasswordPolicy"] == {
        "MinimumLength": 10,
        "AdditionalConstraints": [],
    }


def test_forgot_password_left_out_is_kept(backend: Backend) -> None:
    forgot = {"DeliveryMethod": "EMAIL"}
    backend.update({"ForgotPassword": forgot})
    backend.update()
    assert backend.live()["UserPoolConfigs"]["ForgotPassword"] == forgot


def test_an_empty_oauth_block_removes_the_hosted_interface(backend: Backend) -> None:
    backend.update({"OAuth": {}})
    assert "OAuth" not in backend.pool()
    assert "HostedUIDomain" not in backend.meta()["auth"]["shopauth"]["output"]


@pytest.mark.parametrize("name", ["RedirectSignInURIs", "RedirectSignOutURIs"])
def test_without_one_redirect_list_the_whole_oauth_change_is_lost(backend: Backend, name: str) -> None:
    before = backend.live()["UserPoolConfigs"]["OAuth"]
    assert backend.update({"OAuth": without(name)})["Status"] == "COMPLETED"
    assert backend.live()["UserPoolConfigs"]["OAuth"] == before


def test_without_scopes_grant_prefix_and_providers_oauth_gets_its_defaults(backend: Backend) -> None:
    names = ("OAuthScopes", "OAuthGrantType", "DomainPrefix", "SocialProviderSettings")
    backend.update({"OAuth": without(*names)})
    assert backend.live()["UserPoolConfigs"]["OAuth"] == {
        "DomainPrefix": "shop-signin",
        "OAuthGrantType": "CODE",
        "OAuthScopes": ALL_SCOPES,
        "RedirectSignInURIs": OAUTH["RedirectSignInURIs"],
        "RedirectSignOutURIs": OAUTH["RedirectSignOutURIs"],
    }


def test_new_oauth_without_a_prefix_gets_a_generated_one(backend: Backend) -> None:
    backend.update({"OAuth": {}})
    backend.update({"OAuth": without("DomainPrefix")})
    prefix = backend.live()["UserPoolConfigs"]["OAuth"]["DomainPrefix"]
    assert prefix.startswith("shopauth")
    assert prefix != "shopauth"


def test_a_provider_without_its_secret_is_skipped_silently(backend: Backend) -> None:
    google = backend.live()["UserPoolConfigs"]["OAuth"]["SocialProviderSettings"]["Google"]
    providers = {
        "Google": {"ClientId": "other"},
        "Facebook": {"ClientId": "face"},
        "SignInWithApple": {"ClientId": "a", "TeamId": "b", "KeyId": "c"},
        "LoginWithAmazon": {"ClientId": "ama", "ClientSecret": "zon"},
    }
    job = backend.update({"OAuth": {**OAUTH, "SocialProviderSettings": providers}})
    assert job["Status"] == "COMPLETED"
    assert backend.live()["UserPoolConfigs"]["OAuth"]["SocialProviderSettings"] == {
        "Google": google,
        "LoginWithAmazon": providers["LoginWithAmazon"],
    }


def test_mfa_off_together_with_settings_fails_the_job(backend: Backend) -> None:
    before = backend.live()
    job = backend.update({"Mfa": {"MFAMode": "OFF", "Settings": SMS}})
    assert job["Status"] == "FAILED"
    assert "refused by Cognito" in job["Error"]
    assert backend.live() == before


def test_user_pool_only_deletes_the_identity_pool_and_the_way_back_makes_another(backend: Backend) -> None:
    backend.update(AuthResources="USER_POOL_ONLY", IdentityPoolConfigs={"UnauthenticatedLogin": True})
    assert "IdentityPoolConfigs" not in backend.live()
    assert "IdentityPoolId" not in backend.meta()["auth"]["shopauth"]["output"]
    backend.update()
    assert backend.live()["IdentityPoolConfigs"] == {
        "IdentityPoolName": "shopauth_identitypool",
        "UnauthenticatedLogin": False,
    }


def test_the_meta_follows_the_configuration(backend: Backend) -> None:
    before = backend.meta()["auth"]["shopauth"]
    backend.update({"PasswordPolicy": {"MinimumLength": 9, "AdditionalConstraints": ["REQUIRE_SYMBOL"]}})
    after = backend.meta()["auth"]["shopauth"]
    assert after["frontendAuthConfig"]["passwordProtectionSettings"] == {
        "passwordPolicyMinLength": 9,
        "passwordPolicyCharacters": ["REQUIRES_SYMBOL"],
    }
    assert after["frontendAuthConfig"]["mfaConfiguration"] == "OFF"
    assert after["frontendAuthConfig"]["verificationMechanisms"] == []
    assert after["output"] == before["output"]
    assert after["lastPushTimeStamp"] != before["lastPushTimeStamp"]


def email(message: str = "Your code is {####}", subject: str = "Code") -> dict[str, Any]:
    settings = {"EmailMessage": message, "EmailSubject": subject}
    return {"VerificationMessage": {"DeliveryMethod": "EMAIL", "EmailSettings": settings}}


def sms(message: str) -> dict[str, Any]:
    return {"ForgotPassword": {"DeliveryMethod": "SMS", "SmsSettings": {"SmsMessage": message}}}


def redirect(*uris: str) -> dict[str, Any]:
    return {"OAuth": {**OAUTH, "RedirectSignInURIs": list(uris)}}


@pytest.mark.parametrize(
    "pool",
    [
        {"PasswordPolicy": {"MinimumLength": 5}},
        {"PasswordPolicy": {"MinimumLength": 100}},
        {"PasswordPolicy": {"MinimumLength": 8.5}},
        {"Mfa": {"MFAMode": "ON", "Settings": {"MfaTypes": [], "SmsMessage": "Code {####}"}}},
        {"Mfa": {"MFAMode": "ON", "Settings": {"MfaTypes": ["TOTP"], "SmsMessage": "no code"}}},
        email(message="no code"),
        email(subject=""),
        email(subject="two\nlines"),
        sms("x" * 140 + "{####}"),
        {"OAuth": {**OAUTH, "DomainPrefix": "Shop"}},
        {"OAuth": {**OAUTH, "DomainPrefix": "my-cognito"}},
        {"OAuth": {**OAUTH, "DomainPrefix": "s" * 60}},
        {"OAuth": {**OAUTH, "OAuthScopes": ["EMAIL"]}},
        redirect("http://shop.example.com/"),
        redirect("/relative/"),
        redirect("https://shop.example.com/#part"),
        redirect("https://[broken/"),
        redirect("https://shop.example.com/" + "x" * 1024),
        redirect(*(f"https://shop.example.com/{number}/" for number in range(101))),
    ],
)
def test_a_value_that_cognito_does_not_take_fails_the_job_and_changes_nothing(
    backend: Backend, pool: dict[str, Any]
) -> None:
    before = backend.live()
    job = backend.update(pool)
    assert job["Status"] == "FAILED"
    assert "Reason: " in job["Error"]
    assert backend.live() == before
    backend.switch("rules=ignored")
    assert backend.update(pool)["Status"] == "COMPLETED"


@pytest.mark.parametrize(
    "pool",
    [
        email(),
        sms("Hi {####}"),
        redirect("http://localhost:3000/", "http://127.0.0.1/", "http://[::1]:80/", "myapp://"),
        {"PasswordPolicy": {"MinimumLength": 99}},
    ],
)
def test_a_value_at_the_border_is_taken(backend: Backend, pool: dict[str, Any]) -> None:
    assert backend.update(pool)["Status"] == "COMPLETED"
