"""What pull writes is read back as exactly what was live."""

from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from reconciler.config.desired import Defaults, load
from reconciler.config.dump import dump_document
from reconciler.config.quoting import quoted
from reconciler.config.schema import AUTH, check_setting, schema_of
from reconciler.core.fields import FIELDS, Field, Kind
from reconciler.core.model import Desired, Target
from reconciler.errors import Origin

TARGET = Target("d2k7example", "prod", "shopauth", "us-east-1", "012345678901")
ORIGIN = Origin("x", 1, 1)


def read(text: str) -> Desired:
    result = load(["-"], defaults=Defaults(), environ={}, stdin=text.encode, root=Path("/"))
    assert not result.errors
    (state,) = result.desired
    return state


def managed(state: Desired) -> dict[str, Any]:
    tree: dict[str, Any] = {}
    for path, setting in state.settings.items():
        node = tree
        for part in path[:-1]:
            node = node.setdefault(part, {})
        value = setting.value
        node[path[-1]] = [item.value for item in value] if isinstance(value, tuple) else value
    return tree


def text_for(row: Field) -> st.SearchStrategy[str]:
    """Texts that are valid for a field, hostile ones among them."""
    match row.path[-1]:
        case "SmsMessage":
            base = st.text(max_size=100).map(lambda text: text + "{####}")
        case "EmailMessage":
            base = (st.text() | st.text(alphabet="a \n\t:#-'\"\\${}\r")).map(lambda text: text + "{####}")
        case "DomainPrefix":
            base = st.from_regex(r"\A[a-z0-9]([a-z0-9-]{0,20}[a-z0-9])?\Z")
        case _:
            base = st.text(min_size=1, max_size=100) | st.sampled_from(["ON", "yes", "1:30", "null", "0x1", "~", "<<"])
    return base.filter(lambda text: not check_setting(row.path, text, ORIGIN))


def value_for(row: Field) -> st.SearchStrategy[Any]:
    match row.kind:
        case Kind.CHOICE:
            return st.sampled_from(row.choices)
        case Kind.CHOICES:
            return st.lists(st.sampled_from(row.choices), min_size=1, unique=True).map(
                lambda items: items if row.path[-1] != "OAuthScopes" else sorted({*items, "OPENID"})
            )
        case Kind.URIS:
            uris = st.sampled_from(
                ["https://a.example.com/", "myapp://x/", "http://localhost:3000/", "https://a/?b=c:d/"]
            )
            return st.lists(uris, min_size=1, unique=True)
        case Kind.BOOLEAN:
            return st.booleans()
        case Kind.INTEGER:
            return st.integers(6, 99)
        case _:
            return text_for(row)


@st.composite
def trees(draw: st.DrawFn) -> dict[str, Any]:
    # ForgotPassword and VerificationMessage must be alike, which random values hardly ever are.
    rows = [row for row in FIELDS if not row.secret and "ForgotPassword" not in row.path]
    tree: dict[str, Any] = {}
    for row in draw(st.lists(st.sampled_from(rows), min_size=1, max_size=12, unique_by=lambda row: row.path)):
        node = tree
        for part in row.path[:-1]:
            node = node.setdefault(part, {})
        node[row.path[-1]] = draw(value_for(row))
    return tree


@settings(max_examples=150)
@given(trees())
def test_what_is_written_manages_exactly_what_was_given(tree: dict[str, Any]) -> None:
    assert managed(read(dump_document("shop", TARGET, tree))) == tree


@given(st.text() | st.text(alphabet="a \n\t:#-'\"\\{}\r\u2028\ufeff\x85"))
def test_a_text_is_read_back_by_readers_of_both_yamls(text: str) -> None:
    document = f"key:\n  sub: {quoted(text, '    ')}\n"
    assert yaml.safe_load(document) == {"key": {"sub": text}}
    assert all(" " <= character <= "~" or character == "\n" or ord(character) > 0x9F for character in document)
    state = (
        read(
            f"AppId: a\nBackendEnvironmentName: b\nResourceName: c\nregion: us-east-1\n"
            f"labels:\n  sub: {quoted(text[:50].replace('$', ''), '    ')}\n"
        )
        if text.isprintable()
        else None
    )
    assert state is None or state.labels == {"sub": text[:50].replace("$", "")}


@pytest.mark.parametrize(
    ("text", "written"),
    [
        ("shop", "shop"),
        ("https://shop.example.com/", "https://shop.example.com/"),
        ("Your verification code", "Your verification code"),
        ("ON", '"ON"'),
        ("yes", '"yes"'),
        ("123", '"123"'),
        ("1:30", '"1:30"'),
        ("Your code is {####}", '"Your code is {####}"'),
        ("a: b", '"a: b"'),
        ("a #b", '"a #b"'),
        ("a ", '"a "'),
        ("", '""'),
        ("a\nb", "|-\n  a\n  b"),
        ("a\n\nb\n", "|\n  a\n\n  b"),
        ("a\n\n", '"a\\n\\n"'),
        (" a\nb", '" a\\nb"'),
        ("a\tb", '"a\\tb"'),
        ("a\x1b\u202eb", '"a\\x1B\\u202Eb"'),
        ("\U000e0001", '"\\U000E0001"'),
        ("\ud800", '"\ufffd"'),
    ],
)
def test_text_is_written_so_that_nobody_misreads_it(text: str, written: str) -> None:
    assert quoted(text, "  ") == written


def test_a_document_explains_itself_and_has_a_place_for_each_secret() -> None:
    tree = {
        "UserPoolConfigs": {
            "SignInMethod": "EMAIL",
            "OAuth": {
                "SocialProviderSettings": {
                    "SignInWithApple": {"TeamId": "t"},
                    "Google": {"ClientId": "g"},
                }
            },
            "PasswordPolicy": {"MinimumLength": 8.0, "AdditionalConstraints": []},
        },
        "Service": "COGNITO",
    }
    assert (
        dump_document("shop-prod", TARGET, tree)
        == """\
# yaml-language-server: $schema=auth.schema.json
# 'reconciler schema auth > auth.schema.json' writes the schema, for completion and help in editors.
# What is left out is not managed: live keeps it.
name: shop-prod
region: us-east-1
account: "012345678901"
AppId: d2k7example
BackendEnvironmentName: prod
ResourceName: shopauth
ResourceConfig:
  # The service that provides auth: COGNITO is the only one.
  Service: COGNITO
  # The user pool.
  UserPoolConfigs:
    # The hosted sign-in UI and its OAuth rules.
    OAuth:
      # Sign-in with other companies' accounts.
      SocialProviderSettings:
        # Sign-in with Google.
        Google:
          # The client id that Google gives.
          ClientId: g
          # ClientSecret: ${env:SHOP_PROD_GOOGLE_CLIENT_SECRET}
        # Sign-in with Apple.
        SignInWithApple:
          # PrivateKey: ${env:SHOP_PROD_SIGN_IN_WITH_APPLE_PRIVATE_KEY}
          # The team id that Apple gives.
          TeamId: t
    # What a password must be like.
    PasswordPolicy:
      # What a password must have besides its length.
      AdditionalConstraints: []
      # The shortest password, 6 to 99 characters.
      MinimumLength: 8
    # What people sign in with. It can only be chosen at creation: compared, never sent.
    SignInMethod: EMAIL
"""
    )


def test_a_provider_of_which_nothing_is_known_does_not_become_its_removal() -> None:
    tree = {"UserPoolConfigs": {"OAuth": {"DomainPrefix": "shop", "SocialProviderSettings": {"Facebook": {}}}}}
    text = dump_document(None, TARGET, tree)
    assert "        # Facebook:\n          # ClientSecret: ${env:SHOPAUTH_PROD_FACEBOOK_CLIENT_SECRET}\n" in text
    assert managed(read(text)) == {"UserPoolConfigs": {"OAuth": {"DomainPrefix": "shop"}}}


def test_a_document_of_which_nothing_but_a_provider_is_known_can_be_read() -> None:
    tree: dict[str, Any] = {"UserPoolConfigs": {"OAuth": {"SocialProviderSettings": {"Facebook": {}}}}}
    text = dump_document(None, TARGET, tree)
    assert "\nResourceConfig: {}\n" in text
    assert "          # ClientSecret: ${env:SHOPAUTH_PROD_FACEBOOK_CLIENT_SECRET}\n" in text
    assert managed(read(text)) == {}


def test_nothing_live_is_a_document_that_manages_nothing() -> None:
    tree: dict[str, Any] = {"UserPoolConfigs": {"Mfa": {"MFAMode": "OFF", "Settings": {"MfaTypes": []}}}}
    assert managed(read(dump_document(None, TARGET, tree))) == {"UserPoolConfigs": {"Mfa": {"MFAMode": "OFF"}}}
    assert dump_document(None, TARGET, {"UserPoolConfigs": {}}).endswith("\nResourceConfig: {}\n")


def test_null_is_written_as_null() -> None:
    text = dump_document(None, TARGET, {"UserPoolConfigs": {"OAuth": None}})
    assert managed(read(text)) == {"UserPoolConfigs": {"OAuth": None}}


def test_an_endpoint_is_written_only_when_a_document_may_name_it() -> None:
    local = Target("a", "b", "c", "us-east-1", endpoint="http://localhost:8000")
    assert read(dump_document(None, local, {})).target == local
    remote = Target("a", "b", "c", "us-east-1", endpoint="https://example.com")
    assert "endpoint_url" not in dump_document(None, remote, {})


def test_names_that_look_like_numbers_stay_text() -> None:
    target = Target("123", "1e3", "0x1", "us-east-1")
    assert read(dump_document("007", target, {})).target == target
    text = dump_document("007", target, {"UserPoolConfigs": {"OAuth": {"SocialProviderSettings": {"Google": {}}}}})
    assert "${env:_007_GOOGLE_CLIENT_SECRET}" in text


def test_the_members_are_in_the_order_of_the_schema() -> None:
    order = [*schema_of(AUTH)["properties"]["ResourceConfig"]["properties"]]
    tree = {"Service": "COGNITO", "AuthResources": "USER_POOL_ONLY"}
    text = dump_document(None, TARGET, tree)
    assert sorted(tree, key=lambda key: text.index(f"  {key}:")) == [key for key in order if key in tree]
