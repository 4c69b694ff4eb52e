"""Each switch, by what it changes for a caller."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from botocore.exceptions import ClientError

from reconciler.emulator import EMULATOR_ACCOUNT, EMULATOR_REGION, MASKS, Emulator, Switches
from tests.emulator.conftest import APP

if TYPE_CHECKING:
    from tests.emulator.conftest import Backend

SECRET = "GOCSPX-emulated-secret-value"
REDIRECTS = {"RedirectSignInURIs": ["https://Shop.Example.com/In"], "RedirectSignOutURIs": ["app://x/"]}


def providers(backend: Backend) -> Any:
    return backend.pool()["OAuth"]["SocialProviderSettings"]


def link(backend: Backend, **settings: Any) -> None:
    backend.update({"OAuth": {**REDIRECTS, "DomainPrefix": "shop-signin", "SocialProviderSettings": settings}})


def test_switches_are_stored_for_everyone_who_shares_the_state(backend: Backend) -> None:
    assert backend.emulator.switches == Switches()
    switches = Switches.parse(["secrets=masked", "missing=ResourceName,Mfa", "job_seconds=0", "user_groups=on"])
    backend.emulator.configure(switches)
    with Emulator(backend.emulator.state) as other:
        assert other.switches == switches == Switches.from_json(switches.to_json())


@pytest.mark.parametrize(
    ("item", "text"),
    [
        ("secrets", "write a switch as name=value"),
        ("colour=red", "colour: no such switch; there are secrets"),
        ("secrets=gone", "secrets=gone: must be one of absent, clear, masked"),
        ("user_groups=maybe", "user_groups=maybe: must be on or off"),
        ("stale_reads=1.5", "stale_reads=1.5: must be a whole number"),
        ("job_seconds=-1", "must not be negative"),
        ("job_seconds=soon", "must be a number"),
        ("missing=Colour", "the answer of GetBackendAuth has no such member"),
    ],
)
def test_a_wrong_switch_is_refused_with_what_would_be_right(item: str, text: str) -> None:
    with pytest.raises(ValueError, match=text.replace(".", r"\.")):
        Switches.parse([item])


def test_stored_switches_of_another_version_are_refused() -> None:
    with pytest.raises(ValueError, match="colour: no such switch"):
        Switches.from_json('{"colour": "red"}')
    assert Switches.from_json('{"secrets": "clear"}') == Switches(secrets="clear")


def test_every_switch_tells_its_choices() -> None:
    choices = Switches.choices()
    assert set(choices) == set(Switches.names())
    assert choices["secrets"] == "absent|clear|masked"
    assert choices["user_groups"] == "on|off"


def test_secrets_are_absent_by_default_and_in_clear_where_switched(backend: Backend) -> None:
    assert providers(backend) == {"Google": {"ClientId": "1234567890-shop.apps.googleusercontent.com"}}
    backend.switch("secrets=clear")
    assert providers(backend)["Google"]["ClientSecret"] == SECRET


@pytest.mark.parametrize(
    ("mask", "spelling"),
    [
        ("stars", "****"),
        ("bullets", "••••••••"),
        ("leading", "GOCS********"),
        ("x", "xxxxxxxx"),
        ("redacted", "REDACTED"),
    ],
)
def test_a_masked_secret_has_the_spelling_of_the_mask(backend: Backend, mask: str, spelling: str) -> None:
    assert mask in MASKS
    backend.switch("secrets=masked", f"mask={mask}")
    assert providers(backend)["Google"]["ClientSecret"] == spelling


def test_apples_key_has_a_switch_of_its_own(backend: Backend) -> None:
    backend.switch("secrets=clear")
    apple = {"ClientId": "a", "TeamId": "b", "KeyId": "c", "PrivateKey": "key-of-apple"}
    link(backend, SignInWithApple=apple)
    assert "PrivateKey" not in providers(backend)["SignInWithApple"]
    backend.switch("apple_key=clear")
    assert providers(backend)["SignInWithApple"] == apple
    backend.switch("apple_key=masked", "mask=leading")
    assert providers(backend)["SignInWithApple"]["PrivateKey"] == "key-********"


def test_omitted_keep_leaves_everything_as_it_was(backend: Backend) -> None:
    backend.switch("omitted=keep")
    before = backend.live()
    backend.update()
    assert backend.live() == before
    backend.update({"OAuth": {"OAuthGrantType": "IMPLICIT"}, "PasswordPolicy": {"MinimumLength": 11}})
    before["UserPoolConfigs"]["OAuth"]["OAuthGrantType"] = "IMPLICIT"
    before["UserPoolConfigs"]["PasswordPolicy"]["MinimumLength"] = 11
    assert backend.live() == before
    backend.update({"OAuth": {}})
    assert "OAuth" not in backend.live()["UserPoolConfigs"]


def test_omitted_wipe_takes_everything_to_its_default(backend: Backend) -> None:
    backend.switch("omitted=wipe")
    backend.update({"ForgotPassword": {"DeliveryMethod": "EMAIL"}})
    backend.update()
    assert backend.live() == {
        "AuthResources": "IDENTITY_POOL_AND_USER_POOL",
        "Service": "COGNITO",
        "IdentityPoolConfigs": {"IdentityPoolName": "shop_identitypool", "UnauthenticatedLogin": False},
        "UserPoolConfigs": {
            "UserPoolName": "shop_userpool",
            "SignInMethod": "EMAIL",
            "RequiredSignUpAttributes": ["EMAIL"],
            "Mfa": {"MFAMode": "OFF"},
            "PasswordPolicy": {"MinimumLength": 8, "AdditionalConstraints": []},
        },
    }


def test_omitted_wipe_makes_up_a_new_domain(backend: Backend) -> None:
    backend.switch("omitted=wipe")
    backend.update({"OAuth": REDIRECTS})
    assert backend.live()["UserPoolConfigs"]["OAuth"]["DomainPrefix"].startswith("shopauth")


def test_the_domain_suffix_shows_in_the_read_and_the_meta_tells(backend: Backend) -> None:
    backend.switch("domain=suffix")
    assert backend.pool()["OAuth"]["DomainPrefix"] == "shop-signin-staging"
    assert backend.meta()["auth"]["shopauth"]["output"]["HostedUIDomain"] == "shop-signin-staging"
    backend.switch("domain=plain")
    assert backend.pool()["OAuth"]["DomainPrefix"] == "shop-signin"


def test_no_job_time_completes_at_once(backend: Backend) -> None:
    backend.switch("job_seconds=0")
    assert backend.send()["Status"] == "COMPLETED"
    assert backend.pool()["Mfa"] == {"MFAMode": "OFF"}


def test_missing_members_are_left_out_wherever_they_stand(backend: Backend) -> None:
    backend.switch("missing=AdditionalConstraints,ResourceName,RequiredSignUpAttributes")
    assert "ResourceName" not in backend.read()
    assert backend.pool()["PasswordPolicy"] == {"MinimumLength": 8.0}
    assert "RequiredSignUpAttributes" not in backend.pool()


def test_empty_lists_may_be_left_out(backend: Backend) -> None:
    backend.update({"PasswordPolicy": {"MinimumLength": 9}})
    assert backend.pool()["PasswordPolicy"]["AdditionalConstraints"] == []
    backend.switch("empty_lists=absent")
    assert backend.pool()["PasswordPolicy"] == {"MinimumLength": 9.0}


def test_sign_up_attributes_may_come_back_shorter(backend: Backend) -> None:
    backend.switch("sign_up=shortened")
    assert backend.pool()["RequiredSignUpAttributes"] == []


def test_lists_may_come_back_in_another_order_each_time(backend: Backend) -> None:
    backend.switch("list_order=shuffled")
    seen = [tuple(backend.pool()["OAuth"]["OAuthScopes"]) for _ in range(2)]
    assert set(seen) == {("EMAIL", "OPENID"), ("OPENID", "EMAIL")}


def test_lists_may_hold_duplicates(backend: Backend) -> None:
    backend.switch("list_order=duplicated")
    assert backend.pool()["OAuth"]["OAuthScopes"] == ["EMAIL", "OPENID", "EMAIL"]


@pytest.mark.parametrize(
    ("form", "uri"),
    [
        ("none", "https://Shop.Example.com/In"),
        ("slash", "https://Shop.Example.com/In/"),
        ("lowercase", "https://shop.example.com/In"),
    ],
)
def test_redirects_may_come_back_in_a_form_of_the_services_own(backend: Backend, form: str, uri: str) -> None:
    backend.switch(f"canonical={form}")
    link(backend)
    assert backend.pool()["OAuth"]["RedirectSignInURIs"] == [uri]
    assert backend.pool()["OAuth"]["RedirectSignOutURIs"] == ["app://x/"]


def test_the_minimum_length_may_be_a_string_on_the_wire(backend: Backend) -> None:
    bodies: list[bytes] = []
    backend.client.meta.events.register(
        "before-parse.amplifybackend", lambda response_dict, **_: bodies.append(response_dict["body"])
    )
    backend.switch("min_length=string")
    assert backend.pool()["PasswordPolicy"]["MinimumLength"] == 8.0
    assert b'"minimumLength": "8"' in bodies[0]


@pytest.mark.parametrize(
    ("form", "settings"),
    [("absent", None), ("empty", {}), ("present", {"MfaTypes": [], "SmsMessage": "Your code is {####}"})],
)
def test_mfa_that_is_off_may_still_show_settings(backend: Backend, form: str, settings: Any) -> None:
    backend.switch(f"mfa_off_settings={form}")
    backend.update()
    assert backend.pool()["Mfa"].get("Settings") == settings


def test_reads_after_a_job_may_be_stale(backend: Backend) -> None:
    backend.switch("stale_reads=2")
    backend.update({"PasswordPolicy": {"MinimumLength": 12}})
    assert [backend.pool()["PasswordPolicy"]["MinimumLength"] for _ in range(3)] == [8.0, 8.0, 12.0]


def test_a_stale_read_still_shows_auth_that_was_deleted(backend: Backend) -> None:
    backend.switch("stale_reads=1", "job_seconds=0")
    backend.client.delete_backend_auth(AppId=APP, BackendEnvironmentName="staging", ResourceName="shopauth")
    assert set(backend.meta()["auth"]) == {"shopauth"}
    assert backend.pool()["SignInMethod"] == "EMAIL"
    assert "auth" not in backend.meta()


def test_absent_auth_may_be_a_200_with_an_error(backend: Backend) -> None:
    backend.switch("absent_auth=error200", "job_seconds=0")
    backend.client.delete_backend_auth(AppId=APP, BackendEnvironmentName="staging", ResourceName="shopauth")
    answer = backend.read()
    assert "does not exist" in answer["Error"]
    assert "ResourceConfig" not in answer


def test_absent_auth_may_be_a_bad_request_that_names_the_reason(backend: Backend) -> None:
    backend.switch("absent_auth=badrequest", "job_seconds=0")
    backend.client.delete_backend_auth(AppId=APP, BackendEnvironmentName="staging", ResourceName="shopauth")
    with pytest.raises(ClientError, match=r"BadRequestException.*ResourceNotFoundException"):
        backend.read()


def test_forgot_password_may_be_taken_for_the_verification_message(backend: Backend) -> None:
    backend.switch("forgot_password=mapped")
    one = {"DeliveryMethod": "EMAIL", "EmailSettings": {"EmailSubject": "One", "EmailMessage": "One {####}"}}
    backend.update({"VerificationMessage": one})
    assert backend.pool()["ForgotPassword"] == backend.pool()["VerificationMessage"] == one
    two = {"DeliveryMethod": "SMS", "SmsSettings": {"SmsMessage": "Two {####}"}}
    backend.update({"ForgotPassword": two})
    assert backend.pool()["ForgotPassword"] == backend.pool()["VerificationMessage"] == two
    backend.update()
    assert backend.pool()["ForgotPassword"] == two
    assert "VerificationMessage" not in backend.pool()


def test_pool_names_may_come_back_with_the_environment(backend: Backend) -> None:
    backend.switch("pool_name_suffix=on")
    config = backend.read()["ResourceConfig"]
    assert config["UserPoolConfigs"]["UserPoolName"] == "shop_userpool-staging"
    assert config["IdentityPoolConfigs"]["IdentityPoolName"] == "shop_identitypool__staging"


def test_an_update_clears_what_the_api_cannot_express(backend: Backend) -> None:
    def extras() -> list[bool]:
        meta = backend.meta()
        return [
            "userPoolGroups" in meta["auth"],
            "AdminQueries" in meta.get("api", {}),
            "GoogleWebClient" in meta["auth"]["shopauth"]["output"],
        ]

    assert extras() == [False] * 3
    backend.switch("user_groups=on", "admin_queries=on", "identity_federation=on")
    assert extras() == [True] * 3
    backend.update()
    assert extras() == [False] * 3
    backend.emulator.put_live(EMULATOR_ACCOUNT, EMULATOR_REGION, APP, "staging", "shopauth", {})
    assert extras() == [True] * 3


def test_mfa_on_after_creation_may_be_refused(backend: Backend) -> None:
    mfa = {"MFAMode": "ON", "Settings": {"MfaTypes": ["TOTP"], "SmsMessage": "Code {####}"}}
    backend.switch("mfa_on_after_creation=refused")
    job = backend.update({"Mfa": mfa})
    assert job["Status"] == "FAILED"
    assert "Cannot turn MFA functionality ON, once the user pool has been created" in job["Error"]
    backend.switch("mfa_on_after_creation=accepted")
    assert backend.update({"Mfa": mfa})["Status"] == "COMPLETED"


def test_the_answer_to_an_update_may_lack_its_job_id(backend: Backend) -> None:
    backend.switch("job_id=absent")
    assert "JobId" not in backend.send()
    assert len(backend.jobs()) == 1


def test_a_configuration_that_is_none_cannot_be_put_in_as_live(backend: Backend) -> None:
    wrong: dict[str, Any] = {"UserPoolConfigs": {"SignInMethod": "MAIL"}}
    with pytest.raises(ValueError, match=r"UserPoolConfigs\.SignInMethod: must be one of EMAIL"):
        backend.emulator.put_live(EMULATOR_ACCOUNT, EMULATOR_REGION, APP, "staging", "shopauth", wrong)


def test_an_environment_without_auth_can_be_put_in(backend: Backend) -> None:
    backend.emulator.put_environment(EMULATOR_ACCOUNT, EMULATOR_REGION, APP, "staging")
    assert backend.live() is None
    assert "auth" not in backend.meta()
