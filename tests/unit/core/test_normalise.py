"""Whatever spells the same state becomes the same tree, and a mask is never taken for a secret."""

from __future__ import annotations

import pickle
from typing import Any

import pytest

from reconciler.core.fields import CONDITIONS, FIELD, FIELDS
from reconciler.core.model import Path, dotted
from reconciler.core.normalise import Misshapen, believable, live_tree, same_name, settle_domain
from reconciler.core.secret import Secret, SecretState
from reconciler.core.tree import get
from tests.unit.core.builders import OAUTH, config

LENGTH = ("UserPoolConfigs", "PasswordPolicy", "MinimumLength")
CLIENT_SECRET = ("UserPoolConfigs", "OAuth", "SocialProviderSettings", "Google", "ClientSecret")
PRIVATE_KEY = ("UserPoolConfigs", "OAuth", "SocialProviderSettings", "SignInWithApple", "PrivateKey")


@pytest.mark.parametrize("spelt", [8, 8.0, "8", " 8 ", "8.0"])
def test_a_length_is_the_same_number_however_it_is_spelt(spelt: object) -> None:
    tree = live_tree(config({"PasswordPolicy": {"MinimumLength": spelt}}))
    assert get(tree, LENGTH) == 8
    assert type(get(tree, LENGTH)) is int


def test_a_length_that_is_no_whole_number_stays_as_it_is() -> None:
    assert get(live_tree(config({"PasswordPolicy": {"MinimumLength": 8.5}})), LENGTH) == 8.5


@pytest.mark.parametrize(
    "pool",
    [
        {"PasswordPolicy": {"MinimumLength": "many"}},
        {"PasswordPolicy": {"MinimumLength": True}},
        {"Mfa": {"MFAMode": {}}},
        {"Mfa": {"MFAMode": ["ON"]}},
        {"OAuth": {**OAUTH, "OAuthScopes": "OPENID"}},
        {"OAuth": {**OAUTH, "OAuthScopes": ["OPENID", {}]}},
        {"OAuth": {**OAUTH, "SocialProviderSettings": {"Google": {"ClientId": ["id"]}}}},
        {"OAuth": {**OAUTH, "SocialProviderSettings": {"Google": {"ClientSecret": 12345678}}}},
    ],
)
def test_a_value_of_a_type_that_its_field_cant_have_is_no_configuration(pool: dict[str, Any]) -> None:
    with pytest.raises(Misshapen) as caught:
        live_tree(config(pool))
    assert "UserPoolConfigs" in str(caught.value)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ({"OAuth": {**OAUTH, "OAuthScopes": ["EMAIL", "OPENID", "EMAIL"]}}, {"OAuth": OAUTH}),
        ({"PasswordPolicy": {"MinimumLength": 8, "AdditionalConstraints": []}}, {}),
        ({"PasswordPolicy": {"MinimumLength": 8, "AdditionalConstraints": None}}, {}),
        ({"Mfa": {"MFAMode": "OFF", "Settings": {"MfaTypes": ["SMS"], "SmsMessage": "{####}"}}}, {}),
        ({"Mfa": {"MFAMode": "OFF", "Settings": {}}}, {}),
        ({"OAuth": {}}, {}),
        ({"OAuth": {**OAUTH, "SocialProviderSettings": {"Google": {}}}}, {"OAuth": OAUTH}),
    ],
)
def test_two_spellings_of_one_state_are_one_tree(one: dict[str, Any], other: dict[str, Any]) -> None:
    assert live_tree(config(one)) == live_tree(config(other))


def test_identity_pool_settings_mean_nothing_without_an_identity_pool() -> None:
    assert live_tree(config(IdentityPoolConfigs={"UnauthenticatedLogin": True})) == live_tree(config())


@pytest.mark.parametrize(("read", "value"), [(True, True), ("true", True), ("false", False)])
def test_a_boolean_may_be_read_as_a_word(read: object, value: object) -> None:
    pools: dict[str, Any] = {
        "IdentityPoolConfigs": {"UnauthenticatedLogin": read},
        "AuthResources": "IDENTITY_POOL_AND_USER_POOL",
    }
    assert get(live_tree(config(**pools)), ("IdentityPoolConfigs", "UnauthenticatedLogin")) == value


def test_members_that_are_nothing_are_passed_over() -> None:
    tree = live_tree(config({"OAuth": {**OAUTH, "OAuthScopes": ["OPENID", None, ""]}}))
    assert get(tree, ("UserPoolConfigs", "OAuth", "OAuthScopes")) == {"OPENID": True}


@pytest.mark.parametrize(
    "mask",
    [
        "****",
        "********",
        "abcd********",
        "xxxxxxxxxxxx",
        "XXXXXXXXXXXX",
        "REDACTED",
        "is-hidden-here",
        "••••••••",
        "*x*x*x*x*",
        "<secret>",
        "########",
    ],
)
def test_a_mask_is_an_unknown_secret(mask: str) -> None:
    providers = {"Google": {"ClientId": "id", "ClientSecret": mask}}
    tree = live_tree(config({"OAuth": {**OAUTH, "SocialProviderSettings": providers}}))
    assert get(tree, CLIENT_SECRET) is SecretState.UNKNOWN


def test_a_withheld_secret_of_a_provider_that_is_there_is_unknown() -> None:
    tree = live_tree(config({"OAuth": {**OAUTH, "SocialProviderSettings": {"Google": {"ClientId": "id"}}}}))
    assert get(tree, CLIENT_SECRET) is SecretState.UNKNOWN


def test_a_secret_that_is_returned_is_known() -> None:
    providers = {"Google": {"ClientId": "id", "ClientSecret": "GOCSPX-real-secret"}}
    tree = live_tree(config({"OAuth": {**OAUTH, "SocialProviderSettings": providers}}))
    assert get(tree, CLIENT_SECRET) == Secret("GOCSPX-real-secret")


def test_a_value_that_every_provider_has_is_a_mask() -> None:
    assert believable("same-for-all", CLIENT_SECRET, ("other",))
    assert not believable("same-for-all", CLIENT_SECRET, ("same-for-all",))
    assert not believable("short", CLIENT_SECRET, ())


def test_an_apple_key_is_pem_or_long_base64() -> None:
    key = "MIGTAgEAMBMGByqGSM49" * 5
    assert believable(f"-----BEGIN PRIVATE KEY-----\n{key}\n-----END PRIVATE KEY-----\n", PRIVATE_KEY, ())
    assert believable(key, PRIVATE_KEY, ())
    assert not believable("-----BEGIN PRIVATE KEY-----", PRIVATE_KEY, ())
    assert not believable("-----BEGIN PRIVATE KEY-----\n****\n-----END PRIVATE KEY-----", PRIVATE_KEY, ())
    assert not believable("MIGTAgEAMBMGByqGSM49", PRIVATE_KEY, ())


@pytest.mark.parametrize(
    ("read", "hosted", "written", "settled"),
    [
        ("shop", None, "shop", True),
        ("shop-prod", "shop-prod", "shop", True),
        ("shop-prod", "shop-prod-prod", "shop-prod", True),
        ("shop-prod", None, "shop-prod", False),
        ("shop-prod", "other", "shop-prod", False),
        ("-prod", None, "-prod", True),
    ],
)
def test_the_hosted_domain_settles_the_prefix(read: str, hosted: str | None, written: str, settled: bool) -> None:
    assert settle_domain(read, "prod", hosted) == (written, settled)


def test_names_may_be_read_with_the_environment_appended() -> None:
    pool = FIELD["UserPoolConfigs", "UserPoolName"]
    assert same_name(pool, "shop-prod", "shop", "prod")
    assert same_name(pool, "shop", "shop-prod", "prod")
    assert same_name(FIELD["IdentityPoolConfigs", "IdentityPoolName"], "shop__prod", "shop", "prod")
    assert not same_name(pool, "shop-dev", "shop", "prod")
    assert not same_name(FIELD["UserPoolConfigs", "SignInMethod"], "EMAIL", "USERNAME", "prod")


def test_a_secret_shows_itself_to_nobody() -> None:
    secret = Secret("hunter2hunter2", "${env:X}")
    for shown in (repr(secret), str(secret), f"{secret}", f"{secret:>40}", repr({"a": [secret]})):
        assert "hunter2" not in shown
    with pytest.raises(TypeError, match="never serialised"):
        pickle.dumps(secret)
    assert secret != "hunter2hunter2"
    assert hash(secret) == hash(Secret("hunter2hunter2"))


@pytest.mark.parametrize("block", CONDITIONS, ids=dotted)
def test_a_block_with_a_condition_means_something_or_nothing_as_a_whole(block: Path) -> None:
    """Its leaves share the condition, which looks at a leaf beside the block that is read before it."""
    order = [row.path for row in FIELDS]
    inside = [row for row in FIELDS if row.path[: len(block)] == block]
    when = CONDITIONS[block]
    assert {row.when for row in inside} == {when}
    assert when.path[:-1] == block[:-1]
    assert order.index(when.path) < order.index(inside[0].path)
