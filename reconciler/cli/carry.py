"""From a plan that was shown to what became of it: what apply, its --resume and restore share."""

from __future__ import annotations

import shlex
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import typer

from reconciler.cli.console import abandon_result, colourful, show_error, show_problem, write_error, write_result
from reconciler.cli.exits import Exit, of_outcomes, of_plan, worst
from reconciler.cli.options import Format, Patience, Show
from reconciler.cli.output import emit, outcome_renderers, plan_renderers, write_reports, write_result_of
from reconciler.cli.run import Run
from reconciler.cli.signals import first_signal
from reconciler.core.model import Access, Desired, Outcome, OutcomeKind, Plan
from reconciler.errors import UNKEPT, OutputProblem
from reconciler.operations.jobs import Clock, Stopped, Waiting
from reconciler.wiring import Located, Services

if TYPE_CHECKING:
    from reconciler.aws.amplify import Writer
    from reconciler.ledger.ledger import Ledger, Opened
    from reconciler.operations.keeping import Keeping

_TO_SETTLE = frozenset({OutcomeKind.UNKNOWN, OutcomeKind.TIMED_OUT, OutcomeKind.LOCKED})
_LOOK = 0.1
"""Seconds between two looks at whether to stop."""


def waiting_of(patience: Patience, services: Services) -> Waiting:
    """How long a run waits: as the command says, else as the project file does."""
    default = services.waiting()
    return Waiting(
        default.poll_interval if patience.poll_interval is None else patience.poll_interval,
        default.job_timeout if patience.job_timeout is None else patience.job_timeout,
        patience.verify_polls,
        patience.wait_for_jobs,
        patience.lock_timeout,
    )


def show_plan(plan: Plan, show: Show) -> None:
    """What is about to be sent is shown, on standard error where standard output is for a machine."""
    text = plan_renderers(plan, drift=False)[Format.TEXT]
    if show.format is Format.TEXT:
        write_result(text(colourful(no_color=show.no_color)))
    else:
        write_error(text(False))


def settle_first(run: Run, desired: Sequence[Desired], waiting: Waiting) -> None:
    """Settle what earlier runs left open of these targets; where that does not end well nothing is planned."""
    from reconciler.ledger.record import key_of

    ledger = run.services.books.ledger
    found = [(ledger.under_way(document.target), document) for document in desired]
    opened = [reached_by(entry, document.access) for entry, document in found if entry is not None]
    if not opened:
        return
    accounts = {key_of(document.target): document.target.account for document in desired}
    outcomes, code = resume_all(run, opened, waiting, accounts)
    go_on = {OutcomeKind.APPLIED, OutcomeKind.FAILED, OutcomeKind.UNCHANGED}
    settled = all(outcome.kind in go_on and not outcome.unrecorded for outcome in outcomes)
    if code in {Exit.DONE, Exit.ERROR} and settled and not any(ledger.still_open(entry) for entry in opened):
        for entry, outcome in zip(opened, outcomes, strict=True):
            became = f"{outcome.kind.value}{f': {outcome.summary}' if outcome.summary else ''}"
            run.events(outcome.name, f"The update of run {entry.intent.run.id} is settled: {became}")
        return
    raise typer.Exit(tell(outcomes, plans_of(opened), code, run))


def resume_all(
    run: Run, opened: Sequence[Opened], waiting: Waiting, accounts: Mapping[str, str | None] | None = None
) -> tuple[tuple[Outcome, ...], Exit]:
    """Settle updates that are in the journal: what became of each, and the code of that.

    Args:
        run: the command's services.
        opened: the entries, with our way of access.
        waiting: how long to wait.
        accounts: by the target's key, the account that its document names.
    """
    from reconciler.ledger.record import key_of
    from reconciler.operations.resume import resume
    from reconciler.operations.settle import Following

    services = run.services
    keeping = services.books.keeping("resume", plans_of(opened), sends=False)

    def gateway_of(desired: Desired) -> Writer:
        services.recorded.check_account(desired, (accounts or {}).get(key_of(desired.target)))
        return services.writer_of(desired)

    with stoppable() as (clock, stopped):
        services.sessions.wait_by(clock.sleep)
        outcomes = resume(
            opened,
            gateway_of,
            keeping=keeping,
            following=Following(clock, waiting, run.events),
            parallelism=run.parallelism,
        )
    return outcomes, stopped[0] if stopped else of_outcomes(outcomes, saved=False)


def reached_by(entry: Opened, access: Access) -> Opened:
    """An entry of the journal with our way of access to its target, which is not that of whoever left it."""
    plan = entry.intent.plan
    plan = replace(plan, desired=replace(plan.desired, access=access))
    return replace(entry, intent=replace(entry.intent, plan=plan))


def plans_of(opened: Sequence[Opened]) -> Plan:
    """What the journal's entries were about to carry out, as one plan."""
    return Plan(tuple(entry.intent.plan for entry in opened), "")


def carry_out(run: Run, plan: Plan, waiting: Waiting, *, command: str, saved: bool, max_failures: int) -> Exit:
    """Apply a plan that was shown and confirmed, and tell what became of it."""
    services = run.services
    keeping = services.books.keeping(command, plan)
    if services.environ.get("CI") and services.books.shared is None and not run.services.embedded:
        write_error(
            f"Note: the ledger is this machine's own ({services.books.ledger.name}). Where it does not outlive the "
            "job, a plan can be applied twice, an interrupted apply can't be resumed, and no secret is in sync: name a "
            "shared one with --ledger s3://bucket/prefix\n"
        )
    outcomes, stopped = _carry_out(run, plan, waiting, keeping, saved=saved, max_failures=max_failures)
    if saved:  # that these are in order was seen just now
        seen = {outcome.name for outcome in outcomes if outcome.kind is OutcomeKind.UNCHANGED}
        remember(replace(plan, targets=tuple(target for target in plan.planned if target.name in seen)), run)
    return tell(outcomes, plan, stopped or of_outcomes(outcomes, saved=saved), run)


def looked_in(ledger: Ledger) -> None:
    """Say of which ledger it is that it has nothing: another folder's project may have another."""
    write_error(f"Looked in {ledger.name}.\n")


def tell(outcomes: Sequence[Outcome], plan: Plan, code: Exit, run: Run) -> Exit:
    """Show what became of each target; what was done decides the code, whatever can't be written after it."""
    if any(outcome.unrecorded for outcome in outcomes):
        code = worst([code, Exit.ERROR])
    try:
        emit(outcome_renderers(outcomes, plan, run.events.ended_updates), run.show, run.events)
    except OutputProblem as problem:
        show_error(problem)
        code = worst([code, Exit.ERROR])
    except BrokenPipeError:
        abandon_result()
        show_error(OutputProblem("Nobody reads standard output any more", hint="'reconciler history' has the outcome"))
        code = worst([code, Exit.ERROR])
    if any(outcome.kind in _TO_SETTLE for outcome in outcomes) and run.services.place.is_elsewhere:
        # The embedded backend of another folder knows nothing of it.
        named = "" if run.services.embedded else f", or with --ledger {shlex.quote(run.services.books.ledger.name)}"
        folder = run.services.place.from_here
        write_error(f"Note: the project is {folder}: apply --resume, history and unlock find this there{named}\n")
    return code


def remember(plan: Plan, run: Run) -> None:
    """Let the ledger know what was found to be in order; that it can't be told is no reason to fail."""
    try:
        run.services.books.found_in_sync(plan, parallelism=run.parallelism)
    except UNKEPT as problem:
        show_problem(problem, "Warning")


def nothing_to_do(plan: Plan, run: Run) -> None:
    """End a run in which no target changes."""
    outcomes = [Outcome(target.name, target.target, OutcomeKind.UNCHANGED) for target in plan.planned]
    if plan.failures:
        raise typer.Exit(refuse(plan, run))
    if run.show.format is not Format.TEXT or run.show.report:
        emit(outcome_renderers(outcomes, plan), run.show, run.events)
    raise typer.Exit(Exit.DONE)


def refuse(plan: Plan, run: Run) -> Exit:
    """Nothing is sent while a target could not be planned."""
    from reconciler.render.messages import first_of

    renderers = plan_renderers(plan, drift=False)
    write_reports(renderers, run.show, run.events)
    if run.show.format is not Format.TEXT:
        write_result_of(renderers, run.show, run.events)
    names = first_of([target.name for target in plan.failures])
    write_error(f"\nNothing was sent: {names} could not be planned. Leave targets out with --exclude NAME.\n")
    return of_plan(Plan(plan.failures, plan.created), changes=Exit.DONE)


def _carry_out(
    run: Run, plan: Plan, waiting: Waiting, keeping: Keeping, *, saved: bool, max_failures: int
) -> tuple[tuple[Outcome, ...], Exit | None]:
    from reconciler.api import Fleet
    from reconciler.api import apply as perform
    from reconciler.operations.outcomes import how_to_look

    with stoppable() as (clock, stopped):
        run.services.sessions.wait_by(clock.sleep)
        try:
            outcomes = perform(
                Fleet(run.services, Located(())),
                plan,
                observer=run.events,
                waiting=waiting,
                clock=clock,
                max_failures=max_failures,
                saved=saved,
                keeping=keeping,
            )
        except KeyboardInterrupt:
            for target in (target for target in plan.planned if target.name in keeping.sent):
                write_error(f"{target.name}: if its update was sent, it goes on; {how_to_look(target.target, None)}\n")
            raise
    return outcomes, stopped[0] if stopped else None


@contextmanager
def stoppable() -> Iterator[tuple[Clock, list[Exit]]]:
    """A clock whose sleep ends with the first Ctrl-C, SIGTERM or SIGHUP; a second one ends the process as usual.

    An update that is being sent is not interrupted: its answer is worth more than a second.
    """
    stopped: list[Exit] = []

    def stop(code: Exit) -> None:
        stopped.append(code)
        write_error("\nStopping: what was sent goes on. Press Ctrl-C again to leave at once.\n")

    def sleep(seconds: float) -> None:
        # Looked at, and not waited for: a handler that wakes the thread it interrupts could lock itself out.
        end = time.monotonic() + seconds
        while not stopped:
            left = end - time.monotonic()
            if left <= 0:
                return
            time.sleep(min(left, _LOOK))
        raise Stopped

    with first_signal(stop):
        yield Clock(time.monotonic, sleep, lambda: datetime.now(UTC)), stopped
