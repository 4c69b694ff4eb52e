"""What is laid over live: it is live itself where that is written already, and live is never changed."""

from __future__ import annotations

from typing import Any

import pytest

from reconciler.core.fields import FIELDS
from reconciler.core.model import Tree
from reconciler.core.request import overlay
from reconciler.core.secret import Secret
from reconciler.core.tree import copied, get, leaves
from tests.unit.core.builders import OAUTH, live, secret

POOL = "UserPoolConfigs"
LINK = (POOL, "OAuth", "SocialProviderSettings", "Google", "ClientSecret")


def pool(**written: Any) -> Tree:
    return {POOL: written}


def test_what_is_written_already_is_live_itself() -> None:
    tree = live({"OAuth": OAUTH}).tree
    written = pool(PasswordPolicy={"MinimumLength": 8}, OAuth={"OAuthScopes": {"OPENID": True, "EMAIL": True}})
    assert overlay(tree, written) is tree


@pytest.mark.parametrize(
    "written",
    [
        pool(SignInMethod="USERNAME"),
        pool(ForgotPassword=None),
        pool(PasswordPolicy={"AdditionalConstraints": None}),
        pool(OAuth={"SocialProviderSettings": {"Google": None}}),
        {"Unheard": "of", POOL: {"Unheard": {"of": 1}, "Mfa": "OFF"}},
    ],
    ids=["create-only", "a block that is not live", "a set that is not live", "a provider that is not live", "no rows"],
)
def test_what_moves_nothing_leaves_live_as_it_is(written: Tree) -> None:
    tree = live().tree
    assert overlay(tree, written) is tree


def test_a_set_is_planned_in_the_order_in_which_it_is_written() -> None:
    tree = live({"OAuth": OAUTH}).tree
    planned = overlay(tree, pool(OAuth={"OAuthScopes": {"EMAIL": True, "OPENID": True}}))
    assert planned == tree
    assert list(get(planned, (POOL, "OAuth", "OAuthScopes"))) == ["EMAIL", "OPENID"]
    assert list(get(tree, (POOL, "OAuth", "OAuthScopes"))) == ["OPENID", "EMAIL"]


def test_a_secret_that_is_live_is_planned_with_the_reference_that_is_written() -> None:
    google = {"Google": {"ClientId": "id", "ClientSecret": "GOCSPX-live-secret"}}
    tree = live({"OAuth": {**OAUTH, "SocialProviderSettings": google}}).tree
    same = secret("GOCSPX-live-secret")
    written = pool(OAuth={"SocialProviderSettings": {"Google": {"ClientId": "id", "ClientSecret": same}}})
    planned = overlay(tree, written)
    assert planned == tree
    assert get(planned, LINK) is same
    assert isinstance(get(tree, LINK), Secret)
    assert get(tree, LINK) is not same


def test_what_is_laid_over_live_leaves_live_alone() -> None:
    tree = live({"OAuth": OAUTH}).tree
    before = copied(tree)
    planned = overlay(tree, pool(OAuth=None, Mfa={"MFAMode": "ON"}, PasswordPolicy={"MinimumLength": 9}))
    assert tree == before
    assert "OAuth" not in planned[POOL]
    assert get(planned, (POOL, "PasswordPolicy", "MinimumLength")) == 9


def test_leaves_come_in_the_order_of_the_catalogue() -> None:
    whole: Tree = {}
    for row in reversed(FIELDS):
        node = whole
        for part in row.path[:-1]:
            node = node.setdefault(part, {})
        node[row.path[-1]] = row.path
    assert leaves(whole) == [(row, row.path) for row in FIELDS]
