"""The document of a way back, and what a plan of it leaves behind, where only a tree can show it."""

from __future__ import annotations

from typing import Any

import pytest

from reconciler.core.fields import CREATE_ONLY, DOMAIN_PREFIX
from reconciler.core.model import Setting, Written
from reconciler.core.references import parse_references
from reconciler.core.restore import remainder, way_back
from tests.unit.core.builders import OAUTH, live, meta, prepared

POOL = "UserPoolConfigs"
LENGTH: dict[str, Written] = {f"{POOL}.PasswordPolicy.MinimumLength": 12}
PROVIDER = f"{POOL}.OAuth.SocialProviderSettings.Google"


def prefix(written: dict[str, Written], read: str, *, settled: bool) -> Any:
    """The domain prefix that a way back writes; None where it leaves it alone."""
    before = live({"OAuth": {**OAUTH, "DomainPrefix": read}}, domain_settled=settled, meta=meta())
    setting = way_back(prepared(written, before).plan, place="ledger").settings.get(DOMAIN_PREFIX)
    return None if setting is None else setting.value


@pytest.mark.parametrize(
    ("written", "read", "settled", "sent"),
    [
        (LENGTH, "shop-prod", False, None),
        (LENGTH, "shop-prod", True, "shop-prod"),
        (LENGTH, "shop", True, "shop"),
        ({f"{POOL}.OAuth": None}, "shop-prod", False, "shop-prod"),
        ({**LENGTH, f"{POOL}.OAuth.DomainPrefix": "shop-prod"}, "shop-prod", False, "shop-prod"),
        ({**LENGTH, f"{POOL}.OAuth.DomainPrefix": "shop"}, "shop-prod", False, "shop"),
    ],
)
def test_a_prefix_is_left_alone_only_where_nobody_knows_how_it_is_written(
    written: dict[str, Written], read: str, settled: bool, sent: str | None
) -> None:
    assert prefix(written, read, settled=settled) == sent


def test_a_prefix_is_taken_back_although_the_update_left_oauth_alone() -> None:
    google = {"SocialProviderSettings": {"Google": {"ClientId": "id"}}}
    plan = prepared(LENGTH, live({"OAuth": {**OAUTH, **google}})).plan
    assert f"{POOL}.OAuth" not in plan.sent
    assert way_back(plan, place="ledger").settings[DOMAIN_PREFIX].value == "shop"


def test_a_way_back_does_not_write_what_only_creation_sets() -> None:
    settings = way_back(prepared(LENGTH).plan, place="ledger").settings
    assert not {row.path for row in CREATE_ONLY} & set(settings)


def test_a_way_back_is_written_where_the_ledger_keeps_the_run() -> None:
    document = way_back(prepared(LENGTH).plan, place="ledger/runs/1", allow=frozenset({"mfa-on"}))
    assert {setting.origin.file for setting in document.settings.values()} == {"ledger/runs/1"}
    assert (document.origin.file, document.allow) == ("ledger/runs/1", frozenset({"mfa-on"}))


def test_a_provider_that_the_update_added_has_no_secret_to_bring_back() -> None:
    written: dict[str, Written] = {
        f"{PROVIDER}.ClientId": "id",
        f"{PROVIDER}.ClientSecret": parse_references("${env:GOOGLE}"),
    }
    plan = prepared(written, live({"OAuth": OAUTH})).plan
    assert way_back(plan, place="ledger").settings[tuple(PROVIDER.split("."))] == Setting(
        None, way_back(plan, place="ledger").origin
    )
    assert not any("ClientSecret is not what it was" in left.summary for left in remainder(plan, plan, ()))
