"""The exit codes: stable, and decided here and nowhere else."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from enum import IntEnum
from typing import TYPE_CHECKING

from reconciler.errors import (
    AccessProblem,
    AnotherJobRunning,
    AnswerLost,
    GuardRefused,
    InputProblem,
    PlanRefused,
    ReconcilerError,
    TargetLocked,
    UsageProblem,
)

if TYPE_CHECKING:
    from reconciler.core.model import Outcome, Plan


class Exit(IntEnum):
    """What a run says to the pipeline that started it."""

    DONE = 0
    ERROR = 1
    CHANGES = 2
    PLAN_REFUSED = 3
    GUARDED = 4
    ACCESS = 5
    MIXED = 6
    LOCKED = 7
    UNVERIFIED = 8
    UNKNOWN = 9
    USAGE = 64
    INTERRUPTED = 130
    TERMINATED = 143


_PRECEDENCE = (
    Exit.INTERRUPTED,
    Exit.TERMINATED,
    Exit.UNKNOWN,
    Exit.UNVERIFIED,
    Exit.MIXED,
    Exit.LOCKED,
    Exit.ACCESS,
    Exit.PLAN_REFUSED,
    Exit.GUARDED,
    Exit.ERROR,
    Exit.CHANGES,
    Exit.DONE,
)


_ERRORS: tuple[tuple[type[ReconcilerError], Exit], ...] = (
    (UsageProblem, Exit.USAGE),
    (PlanRefused, Exit.PLAN_REFUSED),
    (GuardRefused, Exit.GUARDED),
    (AccessProblem, Exit.ACCESS),
    (AnotherJobRunning, Exit.LOCKED),
    (TargetLocked, Exit.LOCKED),
    (AnswerLost, Exit.UNKNOWN),
)


def of_error(problem: ReconcilerError) -> Exit:
    """The code of an error that ends a run."""
    from reconciler.core.sources import DENIED

    if isinstance(problem, InputProblem) and any(found.code == DENIED for found in problem.diagnostics):
        return Exit.ACCESS
    return next((code for kind, code in _ERRORS if isinstance(problem, kind)), Exit.ERROR)


def of_plan(plan: Plan, *, changes: Exit) -> Exit:
    """The code of a plan; ``changes`` is what changes mean: :attr:`Exit.CHANGES` or done."""
    return _of_targets(plan, changes, [bool(target.changes) for target in plan.planned])


def of_drift(plan: Plan) -> Exit:
    """The code of a drift run: what git moved since the base, and what is waived, is no drift."""
    from reconciler.core.waivers import alarming

    now, since = datetime.fromisoformat(plan.created), plan.base is not None
    return _of_targets(plan, Exit.CHANGES, [bool(alarming(target, now, since_base=since)) for target in plan.planned])


def _of_targets(plan: Plan, changes: Exit, different: Iterable[bool]) -> Exit:
    """The codes of what was planned, with those of what could not be."""
    from reconciler.core.model import FailureKind

    codes = [Exit.ACCESS if failed.kind is FailureKind.ACCESS else Exit.ERROR for failed in plan.failures]
    codes += [changes if differs else Exit.DONE for differs in different]
    if not plan.failures:
        return worst(codes)
    return _together(codes)


def of_outcomes(outcomes: Iterable[Outcome], *, saved: bool) -> Exit:
    """The code of an apply; ``saved`` is whether a saved plan was applied, which blocked changes refuse."""
    from reconciler.core.model import OutcomeKind

    codes = {
        OutcomeKind.APPLIED: Exit.DONE,
        OutcomeKind.UNCHANGED: Exit.DONE,
        OutcomeKind.STALE: Exit.PLAN_REFUSED,
        OutcomeKind.BLOCKED: Exit.PLAN_REFUSED if saved else Exit.GUARDED,
        OutcomeKind.GUARDED: Exit.GUARDED,
        OutcomeKind.LOCKED: Exit.LOCKED,
        OutcomeKind.DENIED: Exit.ACCESS,
        OutcomeKind.FAILED: Exit.ERROR,
        OutcomeKind.TIMED_OUT: Exit.UNKNOWN,
        OutcomeKind.UNVERIFIED: Exit.UNVERIFIED,
        OutcomeKind.UNKNOWN: Exit.UNKNOWN,
    }
    kinds = [outcome.kind for outcome in outcomes]
    # Those that were skipped because of others, or that need nothing, have no say in what went wrong.
    silent = {OutcomeKind.SKIPPED, OutcomeKind.UNCHANGED}
    return _together([codes[kind] for kind in kinds if kind not in silent])


def worst(codes: Iterable[Exit]) -> Exit:
    """The code that comes first in the order of precedence."""
    held = set(codes)
    return next((code for code in _PRECEDENCE if code in held), Exit.DONE)


def _together(codes: list[Exit]) -> Exit:
    """One target's own code, or all alike; several that are not all alike are mixed, unless something outranks it."""
    return worst(codes) if len(set(codes)) <= 1 else worst([*codes, Exit.MIXED])
