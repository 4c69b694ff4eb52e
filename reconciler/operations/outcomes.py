"""Outcomes in words: of a target, of a problem because of which nothing was sent, and where to look next."""

from __future__ import annotations

import shlex

from reconciler.core.model import EMBEDDED, Finding, Outcome, OutcomeKind, Target, TargetPlan
from reconciler.errors import AccessProblem, AnotherJobRunning, LedgerProblem, ReconcilerError, TargetLocked

NOTHING_SENT = "nothing was sent"


def outcome_of(
    plan: TargetPlan,
    kind: OutcomeKind,
    summary: str = "",
    *,
    detail: str = "",
    hint: str = "",
    findings: tuple[Finding, ...] = (),
) -> Outcome:
    """An outcome of a target."""
    return Outcome(plan.name, plan.target, kind, summary, detail, hint, findings=findings)


def skipped(plan: TargetPlan, why: str = NOTHING_SENT) -> Outcome:
    """The outcome of a target that was not started; one that needs nothing is as it is desired all the same."""
    if not plan.changes:
        return outcome_of(plan, OutcomeKind.UNCHANGED)
    return outcome_of(plan, OutcomeKind.SKIPPED, why)


def failed(plan: TargetPlan, problem: ReconcilerError) -> Outcome:
    """The outcome of a target for which nothing was sent, because of a problem."""
    hint = problem.hint
    match problem:
        case LedgerProblem():
            kind, hint = OutcomeKind.FAILED, lines("this run sent nothing", hint)
        case AnotherJobRunning() | TargetLocked():
            kind = OutcomeKind.LOCKED
        case AccessProblem():
            kind = OutcomeKind.DENIED
        case _:
            kind = OutcomeKind.FAILED
    return outcome_of(plan, kind, problem.summary, detail=problem.detail, hint=hint)


def command(words: str, target: Target) -> str:
    """A command of ours, with the option that reaches a target of the embedded backend."""
    return f"reconciler {words}{' --emulator' if target.endpoint == EMBEDDED else ''}"


def how_to_look(target: Target, job: str | None) -> str:
    """The command of the AWS CLI that shows the job, or all of them."""
    operation = "get-backend-job" if job else "list-backend-jobs"
    words = ["aws", "amplifybackend", operation, "--app-id", target.app]
    words += ["--backend-environment-name", target.environment, "--region", target.region]
    words += ["--job-id", job] if job else []
    if target.endpoint == EMBEDDED:
        return f"serve the backend with 'reconciler emulator', and look at it with: {shlex.join(words)}"
    words += ["--endpoint-url", target.endpoint] if target.endpoint else []
    return f"look at it with: {shlex.join(words)}"


def lines(*parts: str) -> str:
    """The parts that are not empty, a line each."""
    return "\n".join(part for part in parts if part)
