"""Keyed fingerprints: of a value in its place, by one key, and of nothing that is too weak to keep it."""

import json
import pickle

import pytest

from reconciler.core.model import Path, Target, Tree
from reconciler.core.proof import Key, Proofs, Proven, proven_after
from reconciler.core.secret import Doubt, Proof, Secret, SecretState, Standing
from reconciler.core.tree import ABSENT, put
from tests.unit.core.builders import live, prepared, secret

TARGET = Target("app", "prod", "auth", "us-east-1")
PATH: Path = ("UserPoolConfigs", "OAuth", "SocialProviderSettings", "Google", "ClientSecret")
KEY = Key(Secret("k" * 32))


def at(value: object) -> Tree:
    """What is live: one secret."""
    tree: Tree = {}
    if value is not ABSENT:
        put(tree, (*PATH[:-1], "ClientId"), "id-1")
        put(tree, PATH, value)
    return tree


def test_a_key_has_32_bytes_or_more_without_the_white_space_around_it() -> None:
    assert Key(Secret("k" * 32 + "\n")).fingerprint(TARGET, PATH, Secret("a")) == KEY.fingerprint(
        TARGET, PATH, Secret("a")
    )
    assert Key(Secret("é" * 16))
    for short in ("k" * 31, " " * 40, ""):
        with pytest.raises(ValueError, match="32 bytes or more") as caught:
            Key(Secret(short))
        assert short.strip() not in str(caught.value) or not short.strip()


def test_a_key_shows_itself_to_nobody() -> None:
    assert repr(KEY) == str(KEY) == f"{KEY}" == "Key(****)"
    with pytest.raises(TypeError):
        json.dumps(KEY)
    with pytest.raises(TypeError):
        pickle.dumps(KEY)


@pytest.mark.parametrize(
    "other",
    [
        Key(Secret("o" * 32)).fingerprint(TARGET, PATH, Secret("value")),
        KEY.fingerprint(Target("app", "dev", "auth", "us-east-1"), PATH, Secret("value")),
        KEY.fingerprint(Target("app2", "prod", "auth", "us-east-1"), PATH, Secret("value")),
        KEY.fingerprint(Target("app", "prod", "auth", "eu-west-1"), PATH, Secret("value")),
        KEY.fingerprint(Target("app", "prod", "auth", "us-east-1", endpoint="http://localhost"), PATH, Secret("value")),
        KEY.fingerprint(TARGET, (*PATH[:-2], "Facebook", PATH[-1]), Secret("value")),
        KEY.fingerprint(TARGET, PATH, Secret("value2")),
    ],
)
def test_another_key_place_or_value_has_another_fingerprint(other: str) -> None:
    assert other != KEY.fingerprint(TARGET, PATH, Secret("value"))


def test_the_same_resource_under_another_name_or_account_keeps_its_fingerprints() -> None:
    same = Target("app", "prod", "renamed", "us-east-1", account="123456789012")
    assert KEY.fingerprint(same, PATH, Secret("value")) == KEY.fingerprint(TARGET, PATH, Secret("value"))


def test_a_secret_of_any_characters_has_a_fingerprint() -> None:
    assert KEY.fingerprint(TARGET, PATH, Secret('\N{SNOWMAN}\n"\\\udce9'))


def test_a_fingerprint_tells_by_which_key_it_was_made() -> None:
    made = KEY.fingerprint(TARGET, PATH, Secret("value"))
    assert KEY.made(made)
    assert not Key(Secret("o" * 32)).made(made)


@pytest.mark.parametrize(
    ("proven", "key", "written", "there", "proof", "doubt"),
    [
        ("value", KEY, Secret("value"), Secret("other"), Proof.READABLE, None),
        ("value", KEY, Secret("value"), SecretState.UNKNOWN, Proof.IN_SYNC, None),
        ("value", KEY, Secret("other"), SecretState.UNKNOWN, Proof.ROTATED, None),
        ("value", None, Secret("value"), SecretState.UNKNOWN, Proof.UNPROVEN, Doubt.NO_KEY),
        ("value", Key(Secret("o" * 32)), Secret("value"), SecretState.UNKNOWN, Proof.UNPROVEN, Doubt.OTHER_KEY),
        (None, KEY, Secret("value"), SecretState.UNKNOWN, Proof.UNPROVEN, Doubt.NEVER_PROVEN),
        ("value", KEY, "a reference", SecretState.UNKNOWN, Proof.UNPROVEN, Doubt.UNRESOLVED),
        ("value", KEY, "a reference", Secret("value"), Proof.UNPROVEN, Doubt.UNRESOLVED),
        ("value", KEY, Secret("value"), ABSENT, Proof.UNPROVEN, Doubt.ABSENT),
    ],
)
def test_what_is_known_of_a_secret(
    proven: str | None, key: Key | None, written: object, there: object, proof: Proof, doubt: Doubt | None
) -> None:
    kept = {} if proven is None else {PATH: Proven(KEY.fingerprint(TARGET, PATH, Secret(proven)))}
    standing = Proofs(kept, key).standing(TARGET, PATH, written, at(there))
    assert (standing.proof, standing.doubt) == (proof, doubt)


def test_an_uncertain_proof_still_tells_a_rotation_and_nothing_else() -> None:
    proofs = Proofs({PATH: Proven(KEY.fingerprint(TARGET, PATH, Secret("value")), certain=False)}, KEY)
    assert proofs.standing(TARGET, PATH, Secret("value"), at(SecretState.UNKNOWN)).doubt is Doubt.UNCERTAIN
    assert proofs.standing(TARGET, PATH, Secret("other"), at(SecretState.UNKNOWN)).proof is Proof.ROTATED


OAUTH = {
    "OAuthGrantType": "CODE",
    "OAuthScopes": ["OPENID"],
    "RedirectSignInURIs": ["https://shop.example.com/"],
    "RedirectSignOutURIs": ["https://shop.example.com/"],
    "DomainPrefix": "shop",
    "SocialProviderSettings": {"Google": {"ClientId": "id"}},
}
CARRYING = prepared(
    {".".join(PATH): secret("GOCSPX-new-secret"), "UserPoolConfigs.OAuth.OAuthGrantType": "IMPLICIT"},
    live({"OAuth": OAUTH}),
).plan
NOT_CARRYING = prepared(
    {"UserPoolConfigs.PasswordPolicy.MinimumLength": 12}, live({"OAuth": OAUTH, "PasswordPolicy": {"MinimumLength": 8}})
).plan


@pytest.mark.parametrize(
    ("landed", "proving", "after"),
    [
        (True, "new", Proven("new")),
        (True, None, None),
        (False, "new", Proven("old")),
        (None, "new", Proven("old", certain=False)),
        (None, "old", Proven("old")),
        (None, None, Proven("old", certain=False)),
    ],
)
def test_what_is_proven_after_an_update_that_carried_the_secret(
    landed: bool | None, proving: str | None, after: Proven | None
) -> None:
    proofs = {} if proving is None else {PATH: Proven(proving)}
    found = proven_after({PATH: Proven("old")}, proofs, CARRYING, landed=landed)
    assert found == ({} if after is None else {PATH: after})


@pytest.mark.parametrize("landed", [True, False, None])
def test_an_update_that_does_not_carry_a_secret_leaves_what_is_proven(landed: bool | None) -> None:
    before = {PATH: Proven("old", certain=False)}
    assert proven_after(before, {}, NOT_CARRYING, landed=landed) == before


def test_the_standings_of_a_plan_bind_it() -> None:
    assert CARRYING.secrets == (Standing(PATH, Proof.UNPROVEN, Doubt.NEVER_PROVEN, None),)
