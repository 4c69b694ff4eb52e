"""What is said of waivers: quietly in drift, for many targets at once, and in the list with the days that are left."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, date, datetime
from typing import Any

import pytest

from reconciler.core.model import Plan, TargetPlan, Waiver
from reconciler.errors import Origin
from reconciler.render.report import plan_report
from reconciler.render.terminal import plan_text
from reconciler.render.waivers import waivers_json, waivers_text

LENGTH = ("UserPoolConfigs", "PasswordPolicy", "MinimumLength")
WAIVER = Waiver(LENGTH, 8, 12, "ada@example.com", "later", date(2031, 5, 4), Origin("auth.yaml", 9, 11))
NOTE = "Waived until 2031-05-04 (ada@example.com): UserPoolConfigs.PasswordPolicy.MinimumLength"

PlanOf = Callable[..., Plan]


@pytest.fixture
def waived(planned: Callable[..., TargetPlan]) -> Callable[..., TargetPlan]:
    """Return a function to the plan of a target whose one difference is waived; what it takes is the waiver's."""

    def make(name: str = "shop-prod", **told: Any) -> TargetPlan:
        plan = planned({"PasswordPolicy.MinimumLength": 12}, name=name)
        return replace(plan, warnings=(), notes=(), desired=replace(plan.desired, waivers=(replace(WAIVER, **told),)))

    return make


@pytest.mark.parametrize(
    ("created", "first"),
    [
        ("2031-05-04T23:59:59Z", "No drift but what is waived: 1 value."),
        ("2031-05-05T00:00:00Z", "Drift: 1 of 1 targets differ from the configuration."),
    ],
)
def test_drift_is_told_for_the_moment_of_its_plan(
    waived: Callable[..., TargetPlan], plan_of: PlanOf, created: str, first: str
) -> None:
    plan = replace(plan_of(waived()), created=created)
    assert plan_text(plan_report(plan, headline="drift"), colour=False).splitlines()[0] == first


def test_what_is_waived_for_many_targets_is_told_once(waived: Callable[..., TargetPlan], plan_of: PlanOf) -> None:
    plan = plan_of(*(waived(f"shop-{number}") for number in range(12)))
    text = plan_text(plan_report(plan, headline="drift"), colour=False)
    assert text.startswith("No drift but what is waived: 12 values.\n")
    assert text.count(NOTE) == 1


def test_of_two_waivers_for_one_difference_the_one_that_holds_is_told(
    waived: Callable[..., TargetPlan], plan_of: PlanOf
) -> None:
    target = waived()
    both = (replace(WAIVER, expires=date(2020, 1, 1)), WAIVER)
    plan = plan_of(replace(target, desired=replace(target.desired, waivers=both)))
    text = plan_text(plan_report(plan, headline="drift"), colour=False)
    assert text == f"No drift but what is waived: 1 value.\n\nNote: shop-prod: {NOTE}: later\n"


@pytest.mark.parametrize(
    ("day", "left"), [(2, "2 days left"), (3, "1 day left"), (4, "ends today"), (5, "expired"), (6, "expired")]
)
def test_the_days_that_are_left_are_counted(waived: Callable[..., TargetPlan], day: int, left: str) -> None:
    now = datetime(2031, 5, day, 23, 59, tzinfo=UTC)
    assert f"    expires   2031-05-04 ({left})\n" in waivers_text([waived().desired], now)


def test_nothing_in_a_waiver_breaks_out_of_its_line(waived: Callable[..., TargetPlan]) -> None:
    hostile = "ada\x1b[2J\n::error::here ##[error]"
    target = waived(owner=hostile, reason=hostile, value=f"{hostile}`").desired
    now = datetime(2031, 5, 4, tzinfo=UTC)
    for written in (waivers_text([target], now), waivers_json([target], now)):
        assert "\x1b" not in written
        assert "##[" not in written
        assert "\n::" not in written
