"""When a waiver holds: while its day lasts, live has the accepted value, and git says what it said."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta, timezone
from typing import Any

import pytest

from reconciler.core.model import Action, Change, Desired, Mark, Movement, TargetPlan, Waiver
from reconciler.core.waivers import Standing, alarming, days_left, judged, words
from tests.unit.core.builders import ORIGIN, desired

LENGTH = ("UserPoolConfigs", "PasswordPolicy", "MinimumLength")
BETA = ("UserPoolConfigs", "OAuth", "RedirectSignInURIs", "https://beta.example.com/")
WAIVER = Waiver(LENGTH, 8, 12, "ada@example.com", "incident 4711", date(2026, 12, 31), ORIGIN)
CHANGE = Change(LENGTH, Action.CHANGE, 8, 12)
NOW = datetime(2026, 11, 25, 6, 0, tzinfo=UTC)


def plan(*changes: Change, waivers: tuple[Waiver, ...] = (WAIVER,)) -> TargetPlan:
    document: Desired = replace(desired({}), waivers=waivers)
    return TargetPlan(document, "", {}, {}, changes)


def standing(change: Change, waiver: Waiver = WAIVER, now: datetime = NOW) -> Standing:
    (one,) = judged(plan(change, waivers=(waiver,)), now)
    # What alarms is the other side of the same coin.
    left = alarming(plan(change, waivers=(waiver,)), now, since_base=False)
    assert left == (() if one.standing is Standing.HOLDS else (change,))
    return one.standing


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        (CHANGE, Standing.HOLDS),
        (replace(CHANGE, before=10), Standing.LIVE_DIFFERS),
        (replace(CHANGE, before=None, action=Action.ADD), Standing.LIVE_DIFFERS),
        (replace(CHANGE, after=14), Standing.GIT_MOVED),
        (replace(CHANGE, after=None, action=Action.REMOVE), Standing.GIT_MOVED),
        (replace(CHANGE, before=10, after=14), Standing.GIT_MOVED),
        (replace(CHANGE, path=BETA), Standing.UNUSED),
        (replace(CHANGE, before=Mark.SENSITIVE, after=Mark.SENSITIVE), Standing.SECRET),
        (replace(CHANGE, after=Mark.SENSITIVE), Standing.SECRET),
        (replace(CHANGE, before=Mark.NOT_RETURNED), Standing.SECRET),
    ],
)
def test_a_waiver_holds_for_its_path_its_live_value_and_its_written_value(change: Change, expected: Standing) -> None:
    assert standing(change) is expected


@pytest.mark.parametrize("movement", [None, *Movement])
def test_whoever_moved_what_since_a_base_it_holds_for_the_values_that_it_names(movement: Movement | None) -> None:
    assert standing(replace(CHANGE, movement=movement)) is Standing.HOLDS


@pytest.mark.parametrize(
    ("before", "after", "value", "instead_of", "expected"),
    [
        (True, None, True, None, Standing.HOLDS),
        (None, True, None, True, Standing.HOLDS),
        (None, True, True, None, Standing.GIT_MOVED),
        (True, None, None, True, Standing.GIT_MOVED),
    ],
)
def test_a_member_of_a_list_is_waived_as_there_or_as_missing(
    before: Any, after: Any, value: Any, instead_of: Any, expected: Standing
) -> None:
    action = Action.REMOVE if before else Action.ADD
    waiver = replace(WAIVER, path=BETA, value=value, instead_of=instead_of)
    assert standing(Change(BETA, action, before, after), waiver) is expected


@pytest.mark.parametrize(
    ("now", "holds", "left"),
    [
        (datetime(2026, 12, 30, 23, 59, 59, tzinfo=UTC), True, 1),
        (datetime(2026, 12, 31, 0, 0, 0, tzinfo=UTC), True, 0),
        (datetime(2026, 12, 31, 23, 59, 59, 999999, tzinfo=UTC), True, 0),
        (datetime(2027, 1, 1, 0, 0, 0, tzinfo=UTC), False, -1),
        # The day is that of UTC, wherever the clock is.
        (datetime(2027, 1, 1, 9, 59, 59, tzinfo=timezone(timedelta(hours=10))), True, 0),
        (datetime(2026, 12, 31, 19, 0, 0, tzinfo=timezone(timedelta(hours=-5))), False, -1),
    ],
)
def test_it_holds_until_the_end_of_its_day_in_utc(now: datetime, holds: bool, left: int) -> None:
    assert standing(CHANGE, now=now) is (Standing.HOLDS if holds else Standing.EXPIRED)
    assert days_left(WAIVER, now) == left


def test_the_last_day_of_the_calendar_is_a_day_like_any_other() -> None:
    assert standing(CHANGE, replace(WAIVER, expires=date.max)) is Standing.HOLDS


def test_only_what_is_waived_is_taken_from_what_alarms() -> None:
    other = Change(BETA, Action.ADD, None, True)
    assert alarming(plan(CHANGE, other), NOW, since_base=False) == (other,)
    assert alarming(plan(CHANGE, other, waivers=()), NOW, since_base=False) == (CHANGE, other)


def test_of_two_waivers_for_one_difference_one_that_holds_is_enough() -> None:
    expired = replace(WAIVER, expires=date(2020, 1, 1))
    assert alarming(plan(CHANGE, waivers=(expired, WAIVER)), NOW, since_base=False) == ()


def test_it_is_said_until_when_it_holds_or_why_it_does_not() -> None:
    (holds,) = judged(plan(CHANGE), NOW)
    (expired,) = judged(plan(CHANGE, waivers=(replace(WAIVER, expires=date(2026, 11, 24)),)), NOW)
    about = "(ada@example.com): UserPoolConfigs.PasswordPolicy.MinimumLength"
    assert words(holds) == f"Waived until 2026-12-31 {about}: {WAIVER.reason}"
    assert words(expired) == f"No longer waived {about}: the waiver expired on 2026-11-24"
