"""The exit codes hold their order of precedence."""

from __future__ import annotations

import pytest

from reconciler.cli.exits import Exit, of_error, of_outcomes, of_plan, worst
from reconciler.core.model import FailureKind, Outcome, OutcomeKind, Plan, Target, TargetFailure
from reconciler.errors import (
    AccessProblem,
    AnotherJobRunning,
    AnswerLost,
    GuardRefused,
    LedgerProblem,
    PlanRefused,
    ReadFailed,
    ReconcilerError,
    TargetLocked,
    UsageProblem,
)

TARGET = Target("app", "prod", "auth", "us-east-1")


def outcomes(*kinds: OutcomeKind) -> list[Outcome]:
    return [Outcome(f"t{number}", TARGET, kind) for number, kind in enumerate(kinds)]


@pytest.mark.parametrize(
    ("kinds", "code"),
    [
        ([OutcomeKind.APPLIED], Exit.DONE),
        ([OutcomeKind.APPLIED, OutcomeKind.UNCHANGED], Exit.DONE),
        ([OutcomeKind.STALE, OutcomeKind.SKIPPED], Exit.PLAN_REFUSED),
        ([OutcomeKind.STALE, OutcomeKind.UNCHANGED, OutcomeKind.SKIPPED], Exit.PLAN_REFUSED),
        ([OutcomeKind.APPLIED, OutcomeKind.FAILED, OutcomeKind.SKIPPED], Exit.MIXED),
        ([OutcomeKind.FAILED, OutcomeKind.UNCHANGED, OutcomeKind.SKIPPED], Exit.ERROR),
        ([OutcomeKind.APPLIED, OutcomeKind.UNKNOWN, OutcomeKind.SKIPPED], Exit.UNKNOWN),
        ([OutcomeKind.GUARDED], Exit.GUARDED),
        ([OutcomeKind.BLOCKED], Exit.GUARDED),
        ([OutcomeKind.DENIED], Exit.ACCESS),
        ([OutcomeKind.LOCKED], Exit.LOCKED),
        ([OutcomeKind.FAILED, OutcomeKind.FAILED], Exit.ERROR),
        ([OutcomeKind.FAILED, OutcomeKind.APPLIED], Exit.MIXED),
        ([OutcomeKind.UNVERIFIED, OutcomeKind.APPLIED], Exit.UNVERIFIED),
        ([OutcomeKind.UNVERIFIED, OutcomeKind.TIMED_OUT], Exit.UNKNOWN),
        ([OutcomeKind.UNKNOWN, OutcomeKind.FAILED], Exit.UNKNOWN),
        ([OutcomeKind.LOCKED, OutcomeKind.APPLIED], Exit.MIXED),
        ([OutcomeKind.LOCKED, OutcomeKind.SKIPPED], Exit.LOCKED),
        ([OutcomeKind.LOCKED, OutcomeKind.UNCHANGED, OutcomeKind.SKIPPED], Exit.LOCKED),
        ([OutcomeKind.LOCKED, OutcomeKind.DENIED], Exit.MIXED),
        ([OutcomeKind.LOCKED, OutcomeKind.UNKNOWN], Exit.UNKNOWN),
    ],
)
def test_outcomes_become_one_code(kinds: list[OutcomeKind], code: Exit) -> None:
    assert of_outcomes(outcomes(*kinds), saved=False) is code


def test_every_outcome_has_a_code() -> None:
    for kind in OutcomeKind:
        assert of_outcomes(outcomes(kind), saved=True) in set(Exit)


def test_precedence_is_the_documented_one() -> None:
    order = [130, 143, 9, 8, 6, 7, 5, 3, 4, 1, 2, 0]
    for place, code in enumerate(order):
        assert worst([Exit(other) for other in order[place:]]) == code


@pytest.mark.parametrize(
    ("kinds", "code"),
    [
        ([FailureKind.READ], Exit.ERROR),
        ([FailureKind.ACCESS], Exit.ACCESS),
        ([FailureKind.ACCESS, FailureKind.READ], Exit.MIXED),
    ],
)
def test_failed_targets_are_errors_and_never_drift(kinds: list[FailureKind], code: Exit) -> None:
    failures = tuple(TargetFailure("t", TARGET, kind, "failed") for kind in kinds)
    assert of_plan(Plan(failures, "2026-01-01T00:00:00Z"), changes=Exit.CHANGES) is code


@pytest.mark.parametrize(
    ("problem", "code"),
    [
        (UsageProblem, 64),
        (PlanRefused, 3),
        (GuardRefused, 4),
        (AccessProblem, 5),
        (AnotherJobRunning, 7),
        (TargetLocked, 7),
        (LedgerProblem, 1),
        (AnswerLost, 9),
        (ReadFailed, 1),
    ],
)
def test_each_error_has_its_code(problem: type[ReconcilerError], code: int) -> None:
    assert of_error(problem("it failed")) == code
