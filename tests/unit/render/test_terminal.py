import re
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from reconciler.core.model import (
    Action,
    Change,
    FailureKind,
    Finding,
    Mark,
    Outcome,
    OutcomeKind,
    Plan,
    Target,
    TargetFailure,
    TargetPlan,
)
from reconciler.errors import Diagnostic, Origin, Severity
from reconciler.render.report import Headline, outcome_report, plan_report
from reconciler.render.terminal import diagnostics_text, outcome_text, plan_text

TARGET = Target("d2k7example", "prod", "shopauth", "us-east-1")
FAILURE = TargetFailure("shop-eu", TARGET, FailureKind.READ, "the read timed out")
LONGER = {"PasswordPolicy.MinimumLength": 12}

Planned = Callable[..., TargetPlan]
PlanOf = Callable[..., Plan]


def _text(plan: Plan, headline: Headline = "plan") -> str:
    return plan_text(plan_report(plan, headline=headline), colour=False)


def test_the_lines_that_other_tools_match_are_terraforms(planned: Planned, plan_of: PlanOf) -> None:
    lines = _text(plan_of(planned(LONGER))).splitlines()
    assert "  # shop-prod will be updated in-place" in lines
    assert '  ~ resource "amplifybackend_auth" "shop-prod" {' in lines
    assert "              ~ MinimumLength = 8 -> 12" in lines
    assert lines[-1] == "Plan: 0 to add, 1 to change, 0 to destroy."


def test_a_plan_without_changes_says_so_in_terraforms_words(planned: Planned, plan_of: PlanOf) -> None:
    assert _text(plan_of(planned({}))) == "No changes. Your infrastructure matches the configuration.\n"


def test_what_could_not_be_read_is_never_called_unchanged(planned: Planned, plan_of: PlanOf) -> None:
    text = _text(plan_of(planned({}), FAILURE))
    assert "No changes." not in text
    assert "Error: shop-eu: the read timed out" in text
    assert "Planning failed. 1 of 2 targets could not be planned." in text


def test_a_failure_alone_has_no_planned_targets(plan_of: PlanOf) -> None:
    assert _text(plan_of(FAILURE, FAILURE)).endswith("2 targets: 2 failed.\n")


@pytest.mark.parametrize(
    ("settings", "failures", "headline"),
    [
        ({}, (), "No drift. Live matches the configuration."),
        (LONGER, (), "Drift: 1 of 1 targets differ from the configuration."),
        ({}, (FAILURE,), "No drift found in 1 of 2 targets. 1 could not be compared."),
        (LONGER, (FAILURE,), "Drift: 1 of 2 targets differ from the configuration. 1 could not be compared."),
    ],
)
def test_drift_begins_with_its_headline(
    settings: dict[str, Any], failures: tuple[TargetFailure, ...], headline: str, planned: Planned, plan_of: PlanOf
) -> None:
    assert _text(plan_of(planned(settings), *failures), "drift").splitlines()[0] == headline


def test_a_plan_that_cannot_be_applied_is_no_promise(planned: Planned, plan_of: PlanOf) -> None:
    text = _text(plan_of(planned({"SignInMethod": "USERNAME"})))
    assert "will be updated in-place" not in text
    assert "  # shop-prod is blocked\n  # blocked by create-only: " in text
    assert "This plan can't be applied: 1 blocked.\n" in text


def test_a_block_without_a_place_is_told_without_one(planned: Planned, plan_of: PlanOf) -> None:
    blocked = replace(planned(LONGER), blocks=(Finding("imported-auth", "it was imported"),))
    assert "  # blocked by imported-auth: it was imported\n  ~ resource" in _text(plan_of(blocked))


def test_an_unchanged_target_has_nothing_in_its_way(planned: Planned, plan_of: PlanOf) -> None:
    imported = replace(planned({}), blocks=(Finding("imported-auth", "it was imported"),))
    assert "imported" not in _text(plan_of(imported))


def test_everything_hidden_is_counted(planned: Planned, plan_of: PlanOf) -> None:
    plan = planned(LONGER)
    assert "# (3 unchanged attributes hidden)" in _text(plan_of(replace(plan, unchanged=3, unmanaged=0)))
    assert "# (1 unmanaged attribute hidden)" in _text(plan_of(replace(plan, unchanged=0, unmanaged=1)))
    assert "hidden" not in _text(plan_of(replace(plan, unchanged=0, unmanaged=0)))


def test_a_removed_block_is_removed_leaf_by_leaf(planned: Planned, plan_of: PlanOf) -> None:
    text = _text(plan_of(planned({"OAuth": None})))
    assert "- OAuth = {" in text
    assert '- DomainPrefix = "shop"' in text
    assert "- ClientSecret = (sensitive value)" in text


def test_a_plan_that_was_made_up_is_drawn_all_the_same(planned: Planned, plan_of: PlanOf) -> None:
    odd = (
        Change((), Action.ADD, None, True),
        Change(("A",), Action.CHANGE, 1.5, Mark.KNOWN_AFTER_APPLY),
        Change(("A", "B"), Action.REMOVE, None, None),
        Change(("UserPoolConfigs", "OAuth", "OAuthScopes", "PHONE"), Action.ADD, None, True, blocked="no"),
        Change(("UserPoolConfigs", "Mfa", "Settings", "MfaTypes", "SMS"), Action.REMOVE, True, None),
    )
    text = _text(plan_of(replace(planned(LONGER), changes=odd)))
    assert '+ "" = true' in text
    assert "~ A = 1.5 -> (known after apply)" in text
    assert '+ "PHONE", # blocked: no' in text


def test_colours_change_nothing_but_colours(planned: Planned, plan_of: PlanOf) -> None:
    report = plan_report(plan_of(planned({**LONGER, "SignInMethod": "USERNAME", "OAuth": None}), FAILURE))
    coloured = plan_text(report, colour=True)
    assert coloured != plan_text(report, colour=False)
    assert re.sub(r"\x1b\[\d+m", "", coloured) == plan_text(report, colour=False)
    assert "\x1b[31m-\x1b[0m" in coloured
    assert "\x1b[33m~\x1b[0m" in coloured


def test_an_apply_that_did_everything_ends_in_terraforms_words(planned: Planned, plan_of: PlanOf) -> None:
    plan = planned(LONGER)
    done = Outcome("shop-prod", TARGET, OutcomeKind.APPLIED, job="j1", changes=plan.changes)
    text = outcome_text(outcome_report((done,), plan_of(plan)), colour=False)
    assert (
        text == "shop-prod: applied, 1 change [job j1]\n\nApply complete! Resources: 0 added, 1 changed, 0 destroyed.\n"
    )


def test_an_apply_with_nothing_to_do_says_both() -> None:
    text = outcome_text(outcome_report((Outcome("shop-prod", TARGET, OutcomeKind.UNCHANGED),)), colour=False)
    assert text.splitlines() == [
        "No changes. Your infrastructure matches the configuration.",
        "",
        "Apply complete! Resources: 0 added, 0 changed, 0 destroyed.",
    ]


def test_a_target_that_was_not_applied_tells_what_it_would_have_changed(planned: Planned, plan_of: PlanOf) -> None:
    outcomes = (
        Outcome("shop-prod", TARGET, OutcomeKind.SKIPPED, "nothing was sent"),
        Outcome("shop-test", TARGET, OutcomeKind.APPLIED),
    )
    text = outcome_text(outcome_report(outcomes, plan_of(planned(LONGER))), colour=False)
    assert "shop-prod: skipped: nothing was sent (1 change planned)" in text
    assert "shop-test: applied\n" in text
    assert text.endswith("Apply did not complete: 1 applied, 1 skipped.\n")


def test_a_target_without_a_plan_keeps_its_diagnostics_in_the_outcome(plan_of: PlanOf) -> None:
    lack = Diagnostic(Severity.ERROR, "missing-in-request", "MfaTypes is missing", origin=Origin("auth.yaml", 3, 1))
    plan = plan_of(replace(FAILURE, diagnostics=(lack,)))
    text = outcome_text(outcome_report((Outcome("shop-eu", TARGET, OutcomeKind.FAILED),), plan), colour=True)
    assert "MfaTypes is missing" in text
    assert "at auth.yaml:3:1" in text


@pytest.mark.parametrize(
    ("excerpt", "column", "caret"),
    [
        ("  Key: x", 3, "  ^"),
        ("\tKey: x", 2, "    ^"),
        ("\u7530\u7530: x", 3, "    ^"),
        ("e\u0301: x", 3, " ^"),
        ("a\u202eb: x", 3, "       ^"),
        ("Secret: ****", 90, "            ^"),
        ("Key", 0, "^"),
    ],
)
def test_the_caret_stands_under_the_column(excerpt: str, column: int, caret: str) -> None:
    problem = Diagnostic(Severity.ERROR, "code", "summary", origin=Origin("a.yaml", 7, column), excerpt=excerpt)
    lines = diagnostics_text((problem,), colour=False).splitlines()
    assert lines[4] == f"    | {caret}"


def test_an_excerpt_without_a_place_is_left_out() -> None:
    problem = Diagnostic(Severity.WARNING, "code", "summary", excerpt="Key: x")
    assert diagnostics_text((problem,), colour=False) == "Warning: summary\n\n1 warning.\n"


def test_valid_documents_are_said_to_be_valid() -> None:
    assert diagnostics_text((), colour=False) == "Success! The configuration is valid.\n"
