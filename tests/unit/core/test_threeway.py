"""Who moved what since a base: scalars, members of sets, whole blocks, what only creation sets, and secrets."""

from __future__ import annotations

from typing import Any

import pytest

from reconciler.core.model import Live, Movement, TargetPlan, Written, dotted
from reconciler.core.references import parse_references
from reconciler.core.targetplan import prepare
from reconciler.core.threeway import UNMANAGED, drifted, movement
from tests.unit.core.builders import OAUTH, desired, live, members, secret

POOL = "UserPoolConfigs"
LENGTH, MODE = f"{POOL}.PasswordPolicy.MinimumLength", f"{POOL}.Mfa.MFAMode"
SCOPES, SIGN_IN = f"{POOL}.OAuth.OAuthScopes", f"{POOL}.OAuth.RedirectSignInURIs"
GOOGLE = f"{POOL}.OAuth.SocialProviderSettings.Google"
MFA_ON = {"MFAMode": "ON", "Settings": {"MfaTypes": ["SMS"], "SmsMessage": "Code {####}"}}


def since(base: dict[str, Written], now: dict[str, Written], there: Live, *allow: str) -> TargetPlan:
    """The plan of a document that was another one before."""
    return prepare(desired(now, allow=allow), there, base=desired(base)).plan


def told(plan: TargetPlan) -> dict[str, str | None]:
    return {dotted(change.path[1:]): change.movement and change.movement.value for change in plan.changes}


def notes(plan: TargetPlan) -> dict[str, str]:
    return {note.code: note.summary for note in plan.notes}


def test_without_a_base_nobody_is_told_to_have_moved_anything() -> None:
    plan = prepare(desired({LENGTH: 12}), live()).plan
    assert told(plan) == {"PasswordPolicy.MinimumLength": None}
    assert drifted(plan, since_base=False) == plan.changes


def test_pending_drift_and_conflict_stand_beside_each_other() -> None:
    base: dict[str, Written] = {LENGTH: 8, MODE: "OFF", SCOPES: members("OPENID", "EMAIL")}
    now: dict[str, Written] = {LENGTH: 12, MODE: "OFF", SCOPES: members("OPENID", "EMAIL", "PHONE")}
    plan = since(base, now, live({"Mfa": MFA_ON, "PasswordPolicy": {"MinimumLength": 10}, "OAuth": OAUTH}))
    assert told(plan) == {
        "PasswordPolicy.MinimumLength": "conflict",
        "OAuth.OAuthScopes.PHONE": "pending",
        "Mfa.MFAMode": "drift",
        # what follows from a value that moved has moved with it
        "Mfa.Settings.MfaTypes.SMS": "drift",
        "Mfa.Settings.SmsMessage": "drift",
    }
    assert [change.path[-1] for change in drifted(plan, since_base=True)] == [
        change.path[-1] for change in plan.changes if change.movement is not Movement.PENDING
    ]


def test_a_conflict_is_a_guard_that_names_the_three_values_and_passes_for_its_path_alone() -> None:
    there = live({"PasswordPolicy": {"MinimumLength": 10}, "Mfa": MFA_ON})
    base: dict[str, Written] = {LENGTH: 8, MODE: "OFF"}
    now: dict[str, Written] = {LENGTH: 12, MODE: "OFF"}
    (guard,) = since(base, now, there).standing_guards
    assert (guard.code, guard.about) == ("conflict", LENGTH)
    assert guard.detail == f"{LENGTH}: the base has 8, live 10, the configuration 12."
    assert guard.origin is not None
    assert guard.origin.line == 10
    assert since(base, now, there, f"conflict:{MODE}").standing_guards == (guard,)
    assert since(base, now, there, f"conflict:{LENGTH}").applyable
    assert since(base, now, there, "conflict").applyable


def test_members_of_a_set_are_told_apart_one_by_one() -> None:
    there = live({"OAuth": {**OAUTH, "RedirectSignInURIs": ["https://a.example/", "https://clicked.example/"]}})
    base: dict[str, Written] = {SIGN_IN: members("https://a.example/", "https://gone.example/")}
    now: dict[str, Written] = {SIGN_IN: members("https://a.example/", "https://gone.example/", "https://new.example/")}
    plan = since(base, now, there)
    assert {change.path[-1]: change.movement for change in plan.changes} == {
        "https://clicked.example/": Movement.DRIFT,
        "https://gone.example/": Movement.DRIFT,
        "https://new.example/": Movement.PENDING,
    }
    assert plan.standing_guards == ()


def test_both_moved_to_the_same_is_said_and_left_alone() -> None:
    plan = since({LENGTH: 8}, {LENGTH: 12}, live({"PasswordPolicy": {"MinimumLength": 12}}))
    assert plan.changes == ()
    assert notes(plan) == {"converged": f"git and live moved to the same: {LENGTH}"}


def test_what_the_document_manages_no_longer_is_released() -> None:
    plan = since({LENGTH: 8, MODE: "OFF"}, {MODE: "OFF"}, live({"PasswordPolicy": {"MinimumLength": 10}}))
    assert plan.changes == ()
    assert notes(plan) == {"released": f"no longer managed: {LENGTH}"}


def test_a_block_that_is_removed_in_git_is_pending_and_one_that_somebody_added_is_drift() -> None:
    there = live({"OAuth": OAUTH})
    removed = since({f"{POOL}.OAuth.DomainPrefix": "shop"}, {f"{POOL}.OAuth": None}, there)
    assert set(told(removed).values()) == {"pending"}
    assert "released" not in notes(removed)
    added = since({f"{POOL}.OAuth": None}, {f"{POOL}.OAuth": None}, there)
    assert set(told(added).values()) == {"drift"}


def test_a_document_that_is_new_is_pending_as_a_whole() -> None:
    plan = since({}, {LENGTH: 12, MODE: "OFF"}, live({"Mfa": MFA_ON}))
    assert set(told(plan).values()) == {"pending"}


def test_what_only_creation_sets_is_blocked_where_git_moved_it_and_drift_where_live_did() -> None:
    name = f"{POOL}.UserPoolName"
    assert told(since({name: "shop"}, {name: "other"}, live())) == {"UserPoolName": "blocked"}
    assert told(since({}, {name: "other"}, live())) == {"UserPoolName": "blocked"}
    assert told(since({name: "other"}, {name: "other"}, live())) == {"UserPoolName": "drift"}


def test_a_domain_that_is_read_with_its_environment_is_the_one_that_was_written() -> None:
    domain = f"{POOL}.OAuth.DomainPrefix"
    there = live({"OAuth": {**OAUTH, "DomainPrefix": "shop-prod"}}, domain_settled=False)
    assert told(since({domain: "shop"}, {domain: "store"}, there)) == {"OAuth.DomainPrefix": "pending"}


def test_secrets_stay_outside_and_only_one_that_is_read_and_differs_alarms() -> None:
    reference = parse_references("${env:GOOGLE_SECRET}")
    written: dict[str, Written] = {f"{GOOGLE}.ClientId": "id", f"{GOOGLE}.ClientSecret": reference}
    linked: dict[str, Any] = {**OAUTH, "SocialProviderSettings": {"Google": {"ClientId": "another"}}}
    plan = since(written, written, live({"OAuth": linked}))
    assert told(plan) == {
        "OAuth.SocialProviderSettings.Google.ClientId": "drift",
        "OAuth.SocialProviderSettings.Google.ClientSecret": None,
    }
    assert [dotted(change.path) for change in drifted(plan, since_base=True)] == [f"{GOOGLE}.ClientId"]


@pytest.mark.parametrize("base", [None, False, True])
@pytest.mark.parametrize("now", [None, False, True])
@pytest.mark.parametrize("there", [False, True])
def test_of_a_member_a_plan_tells_what_the_truth_table_says(base: bool | None, now: bool | None, there: bool) -> None:
    path = f"{POOL}.PasswordPolicy.AdditionalConstraints"

    def written(member: bool | None) -> dict[str, Written]:
        return {LENGTH: 8} if member is None else {LENGTH: 8, path: members(*["REQUIRE_DIGIT"] * member)}

    policy = {"MinimumLength": 8, "AdditionalConstraints": ["REQUIRE_DIGIT"] * there}
    plan = since(written(base), written(now), live({"PasswordPolicy": policy}))
    expected = movement(UNMANAGED if base is None else base, UNMANAGED if now is None else now, there)
    noted = [code for code in ("converged", "released") if code in notes(plan)]
    assert [*told(plan).values(), *noted] == ([] if expected is None else [expected.value])


def test_a_readable_secret_that_is_another_alarms_though_nobody_can_tell_who_moved_it() -> None:
    written: dict[str, Written] = {f"{GOOGLE}.ClientId": "id", f"{GOOGLE}.ClientSecret": secret("new-secret")}
    linked: dict[str, Any] = {
        **OAUTH,
        "SocialProviderSettings": {"Google": {"ClientId": "id", "ClientSecret": "old-secret"}},
    }
    plan = since(written, written, live({"OAuth": linked}))
    assert [dotted(change.path) for change in drifted(plan, since_base=True)] == [f"{GOOGLE}.ClientSecret"]
    assert set(told(plan).values()) == {None}
    assert set(notes(plan)) == {"secret-not-bound"}


def test_no_note_names_a_secret_or_what_changes_too() -> None:
    reference = parse_references("${env:GOOGLE_SECRET}")
    base: dict[str, Written] = {f"{GOOGLE}.ClientId": "id", f"{GOOGLE}.ClientSecret": reference, LENGTH: 8}
    linked: dict[str, Any] = {**OAUTH, "SocialProviderSettings": {"Google": {"ClientId": "id"}}}
    plan = since(base, {LENGTH: 12}, live({"OAuth": linked}))
    assert notes(plan)["released"] == f"no longer managed: {GOOGLE}.ClientId"
    assert "converged" not in notes(plan)
