"""A thousand targets are readable: what many have in common is said once, and what differs is all there."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from reconciler.core.model import (
    NOT_RESTORED,
    FailureKind,
    Finding,
    Outcome,
    OutcomeKind,
    Plan,
    Target,
    TargetFailure,
    TargetPlan,
)
from reconciler.errors import Origin
from reconciler.render.harmless import markdown_code
from reconciler.render.markdown import LONGEST, outcome_markdown, plan_markdown
from reconciler.render.report import Headline, outcome_report, plan_report
from reconciler.render.terminal import outcome_text, plan_text

TARGET = Target("d2k7example", "prod", "shopauth", "us-east-1")
LONGER = {"PasswordPolicy.MinimumLength": 12}
NOTE = Finding("secret-not-bound", "the plan is not bound", "It holds references.", "set a key", Origin("a.yaml", 3, 1))

Planned = Callable[..., TargetPlan]
PlanOf = Callable[..., Plan]


def text_of(plan: Plan, headline: Headline = "plan") -> str:
    return plan_text(plan_report(plan, headline=headline), colour=False)


def markdown_of(plan: Plan) -> str:
    return plan_markdown(plan_report(plan))


def noted(plan: TargetPlan, name: str, *notes: Finding, wave: int = 0) -> TargetPlan:
    return replace(plan, desired=replace(plan.desired, name=name, wave=wave), notes=notes)


# --- plans --------------------------------------------------------------------------------------


def test_a_thousand_unchanged_targets_are_counted(planned: Planned, plan_of: PlanOf) -> None:
    plan = plan_of(*(noted(planned({}), f"shop-{number}", NOTE) for number in range(1000)))
    assert text_of(plan) == (
        "Note: shop-0, shop-1, shop-2 and 997 more: the plan is not bound\n\n"
        "  on a.yaml line 3, column 1 (secret-not-bound)\n\n  It holds references.\n\n  set a key\n\n"
        "No changes. Your infrastructure matches the configuration.\n"
        "1000 targets: 1000 planned (1000 unchanged).\n"
    )
    told = (NOTE.code, "shop-0, shop-1, shop-2 and 997 more", str(NOTE.origin))
    code, names, place = (markdown_code(text) for text in told)
    assert markdown_of(plan).splitlines() == [
        "### No changes. Your infrastructure matches the configuration.",
        "",
        "1000 targets: 1000 planned (1000 unchanged).",
        "",
        f"- **Note** {code} {names}: the plan is not bound<br>It holds references.<br>set a key<br>at {place}",
    ]


def test_a_note_of_a_few_targets_is_told_of_each(planned: Planned, plan_of: PlanOf) -> None:
    plan = plan_of(*(noted(planned({}), f"shop-{number}", NOTE) for number in range(10)))
    assert text_of(plan).count("the plan is not bound") == 10
    assert markdown_of(plan).count("the plan is not bound") == 10


def test_what_only_some_of_many_targets_say_is_left_out_and_what_one_target_says_alone_stays(
    planned: Planned, plan_of: PlanOf
) -> None:
    own = [replace(NOTE, detail=f"detail {number}", origin=Origin("a.yaml", number + 1, 1)) for number in range(11)]
    alone = Finding("secret-sent-back", "it is sent back")
    targets = [noted(planned(LONGER), f"shop-{number}", own[number], *[alone] * (number == 4)) for number in range(11)]
    text = text_of(plan_of(*targets))
    assert "Note: shop-0, shop-1, shop-2 and 8 more: the plan is not bound\n\n  set a key\n\n" in text
    assert "detail" not in text
    assert "Note: shop-4: it is sent back" in text


def test_a_warning_and_a_note_are_two_things(planned: Planned, plan_of: PlanOf) -> None:
    notes = [noted(planned({}), f"shop-{number}", NOTE) for number in range(6)]
    warnings = [replace(noted(planned({}), f"web-{number}"), warnings=(NOTE,)) for number in range(6)]
    assert text_of(plan_of(*notes, *warnings)).count("the plan is not bound") == 12


def test_errors_are_told_of_each_target_however_many(planned: Planned, plan_of: PlanOf) -> None:
    failures = [TargetFailure(f"shop-{number}", TARGET, FailureKind.READ, "it timed out") for number in range(50)]
    text = text_of(plan_of(planned({}), *failures))
    assert text.count("it timed out") == 50
    assert text.endswith("51 targets: 1 planned (1 unchanged), 50 failed.\n")


def test_what_many_targets_do_not_get_back_is_no_all_clear(planned: Planned, plan_of: PlanOf) -> None:
    lost = Finding(NOT_RESTORED, "Google can't be linked again")
    plan = plan_of(*(replace(noted(planned({}), f"shop-{number}"), warnings=(lost,)) for number in range(11)))
    assert "No changes. Nothing more of it can be brought back" in text_of(plan)


# --- waves --------------------------------------------------------------------------------------


def test_more_than_one_wave_is_shown_below_the_lines_that_other_tools_match(planned: Planned, plan_of: PlanOf) -> None:
    plan = plan_of(
        noted(planned(LONGER), "shop-prod", wave=2),
        noted(planned(LONGER), "shop-dev"),
        noted(planned(LONGER), "shop-eu", wave=2),
        noted(planned({}), "shop-old", wave=7),
    )
    lines = text_of(plan).splitlines()
    place = lines.index("  # shop-prod will be updated in-place")
    assert lines[place + 1 : place + 3] == ["  # (wave 2)", '  ~ resource "amplifybackend_auth" "shop-prod" {']
    assert lines[lines.index("  # shop-dev will be updated in-place") + 1] == "  # (wave 0)"
    assert lines[-3:] == [
        "Plan: 0 to add, 3 to change, 0 to destroy.",
        "4 targets: 4 planned (3 changed, 1 unchanged).",
        "2 waves, one after another: 1 in wave 0, 2 in wave 2.",
    ]
    markdown = markdown_of(plan)
    assert "\n\n2 waves, one after another: 1 in wave 0, 2 in wave 2.\n\n" in markdown
    assert "| <code>shop-prod</code> | changed, wave 2 | 1 to change |" in markdown


@pytest.mark.parametrize("headline", ["plan", "drift"])
def test_one_wave_alone_and_drift_say_nothing_of_waves(headline: Headline, planned: Planned, plan_of: PlanOf) -> None:
    other = 5 if headline == "plan" else 0
    plan = plan_of(noted(planned(LONGER), "shop-prod", wave=5), noted(planned(LONGER), "shop-eu", wave=other))
    assert "wave" not in text_of(plan, headline)
    assert "wave" not in plan_markdown(plan_report(plan, headline=headline))


def test_many_waves_are_counted(planned: Planned, plan_of: PlanOf) -> None:
    plan = plan_of(*(noted(planned(LONGER), f"shop-{number}", wave=number * 10) for number in range(11)))
    assert text_of(plan).endswith("11 waves, one after another, from 0 to 100.\n")


# --- outcomes -----------------------------------------------------------------------------------


def outcomes(count: int, kind: OutcomeKind, **more: Any) -> list[Outcome]:
    return [Outcome(f"{kind.value}-{number}", TARGET, kind, **more) for number in range(count)]


def test_many_that_were_skipped_alike_are_told_once_and_unchanged_ones_are_counted(planned: Planned) -> None:
    failed = Outcome("shop-prod", TARGET, OutcomeKind.FAILED, "the job failed")
    skipped = outcomes(500, OutcomeKind.SKIPPED, summary="nothing was sent")
    plan = Plan(tuple(noted(planned(LONGER), outcome.name) for outcome in skipped), "")
    report = outcome_report([*outcomes(499, OutcomeKind.UNCHANGED), failed, *skipped], plan)
    assert outcome_text(report, colour=False) == (
        "Error: shop-prod: failed: the job failed\n\n"
        "skipped-0, skipped-1, skipped-2 and 497 more: skipped: nothing was sent (500 changes planned)\n\n"
        "499 unchanged.\n\n"
        "Apply did not complete: 499 unchanged, 500 skipped, 1 failed.\n"
    )
    markdown = outcome_markdown(report)
    names = markdown_code("skipped-0, skipped-1, skipped-2 and 497 more")
    assert f"| {names} | skipped: nothing was sent (500 changes planned) | 500 targets |" in markdown
    assert len(markdown) < LONGEST / 10


def test_a_few_that_were_skipped_are_told_one_by_one_and_so_is_another_reason() -> None:
    few = outcomes(10, OutcomeKind.SKIPPED, summary="nothing was sent")
    other = Outcome("other", TARGET, OutcomeKind.SKIPPED, "nothing was sent: there was 1 failure by the end of wave 0")
    text = outcome_text(outcome_report([*few, other]), colour=False)
    assert text.count("skipped: nothing was sent\n") == 10
    assert "other: skipped: nothing was sent: there was 1 failure by the end of wave 0\n" in text


def test_many_that_failed_or_were_applied_are_told_one_by_one() -> None:
    both = [*outcomes(20, OutcomeKind.FAILED, summary="the job failed"), *outcomes(20, OutcomeKind.APPLIED)]
    text = outcome_text(outcome_report(both), colour=False)
    assert (text.count("the job failed"), text.count("applied-")) == (20, 20)
