"""The command that writes: apply."""

from __future__ import annotations

import signal
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from types import FrameType
from typing import Annotated, Any

import typer

from reconciler.cli.console import colourful, confirm, show_error, write_error, write_result
from reconciler.cli.exits import Exit, of_outcomes, of_plan, worst
from reconciler.cli.options import Allow, Choice, Format, Paths, Reach, Show, Strict
from reconciler.cli.output import emit, outcome_renderers, plan_renderers, write_reports
from reconciler.cli.plan import read_plan
from reconciler.cli.run import Run, make_plan, start
from reconciler.core.model import Outcome, OutcomeKind, Plan
from reconciler.core.planfile import applyable, from_json
from reconciler.errors import OutputProblem, PlanRefused, UsageProblem
from reconciler.operations.jobs import Clock, Stopped, Waiting


def apply(
    paths: Paths,
    reach: Reach,
    choice: Choice,
    show: Show,
    allow: Allow = None,
    strict: Strict = False,
    auto_approve: Annotated[bool, typer.Option("--auto-approve", help="Do not ask before applying.")] = False,
    poll_interval: Annotated[float, typer.Option(min=0, help="Seconds between looks at a job or a result.")] = 10,
    job_timeout: Annotated[float, typer.Option(min=0, help="Seconds until a job counts as not ending.")] = 1800,
    verify_polls: Annotated[int, typer.Option(min=2, help="The most reads that prove a result.")] = 6,
) -> None:
    """Show the plan, ask, update where there is drift, wait for the job, and prove the result.

    PATH is documents, or one plan saved with plan --out, which is applied without a prompt.
    """
    run = start(reach, show, first_path=paths[0], parallelism=choice.parallelism)
    saved = _is_plan(paths)
    if saved:
        _only_for_documents(choice, allow, strict=strict)
        plan = _saved(run, paths[0])
    else:
        plan = make_plan(run, paths, choice, allow, strict=strict)
        _show(plan, show)
    if not any(target.changes for target in plan.planned):
        _nothing_to_do(plan, show, saved=saved)
    if plan.failures:
        raise typer.Exit(_refuse(plan, show))
    if applyable(plan) and not saved and not auto_approve:
        confirm("Do you want to perform these actions?")
    waiting = Waiting(poll_interval, job_timeout, verify_polls)
    outcomes, stopped = _carry_out(run, plan, waiting)
    code = stopped or of_outcomes(outcomes, saved=saved)
    try:
        emit(outcome_renderers(outcomes, plan), show)
    except OutputProblem as problem:
        # What was done decides the code: a report that can't be written must not look like nothing was sent.
        show_error(problem)
        code = worst([code, Exit.ERROR])
    raise typer.Exit(code)


def _show(plan: Plan, show: Show) -> None:
    """What is about to be sent is shown, on standard error where standard output is for a machine."""
    text = plan_renderers(plan, drift=False)[Format.TEXT]
    if show.format is Format.TEXT:
        write_result(text(colourful(no_color=show.no_color)))
    else:
        write_error(text(False))


def _is_plan(paths: Sequence[str]) -> bool:
    """Whether the one path is a saved plan; a plan among other paths is a slip."""
    from reconciler.config.source import is_saved_plan

    plans = [path for path in paths if is_saved_plan(Path(path))]
    if plans and len(paths) > 1:
        raise UsageProblem("A saved plan is applied alone", detail=f"{plans[0]} is one of {len(paths)} paths")
    return bool(plans)


def _only_for_documents(choice: Choice, allow: Sequence[str] | None, *, strict: bool) -> None:
    if choice.target or choice.exclude or allow or strict:
        hint = "give --target, --exclude, --allow and --strict when planning"
        raise UsageProblem("A saved plan is applied as it is", hint=hint)


def _saved(run: Run, path: str) -> Plan:
    """A saved plan that this run may apply."""
    plan = from_json(read_plan(path))
    if plan.failures:
        names = ", ".join(target.name for target in plan.failures)
        raise PlanRefused("The plan has targets that could not be planned", detail=names, hint="plan again")
    run.services.check_binding(plan)
    return plan


def _nothing_to_do(plan: Plan, show: Show, *, saved: bool) -> None:
    """End a run in which no target changes."""
    outcomes = [Outcome(target.name, target.target, OutcomeKind.UNCHANGED) for target in plan.planned]
    if plan.failures:
        raise typer.Exit(_refuse(plan, show))
    if saved or show.format is not Format.TEXT or show.report:
        emit(outcome_renderers(outcomes, plan), show)
    raise typer.Exit(Exit.DONE)


def _refuse(plan: Plan, show: Show) -> Exit:
    """Nothing is sent while a target could not be planned."""
    renderers = plan_renderers(plan, drift=False)
    write_reports(renderers, show)
    if show.format is not Format.TEXT:
        write_result(renderers[show.format](False))
    names = ", ".join(target.name for target in plan.failures)
    write_error(f"\nNothing was sent: {names} could not be planned. Leave targets out with --exclude NAME.\n")
    return of_plan(Plan(plan.failures, plan.created), changes=Exit.DONE)


def _carry_out(run: Run, plan: Plan, waiting: Waiting) -> tuple[tuple[Outcome, ...], Exit | None]:
    from reconciler.operations.apply import apply as carry_out
    from reconciler.operations.settle import how_to_look

    with _stoppable() as (clock, stopped):
        try:
            outcomes = carry_out(
                plan,
                run.services.writer_of,
                run.services.resolve_planned(plan),
                clock=clock,
                waiting=waiting,
                parallelism=run.parallelism,
                observer=run.progress,
            )
        except KeyboardInterrupt:
            for target in (target for target in plan.planned if target.changes):
                write_error(f"{target.name}: if its update was sent, it goes on; {how_to_look(target.target, None)}\n")
            raise
    return outcomes, stopped[0] if stopped else None


@contextmanager
def _stoppable() -> Iterator[tuple[Clock, list[Exit]]]:
    """A clock whose sleep ends with the first Ctrl-C, SIGTERM or SIGHUP; a second one ends the process as usual.

    An update that is being sent is not interrupted: its answer is worth more than a second.
    """
    asked = threading.Event()
    stopped: list[Exit] = []
    before: dict[signal.Signals, Any] = {}

    def stop(number: int, _frame: FrameType | None) -> None:
        stopped.append(Exit.INTERRUPTED if number == signal.SIGINT else Exit.TERMINATED)
        asked.set()
        for name, handler in before.items():
            signal.signal(name, handler)
        write_error("\nStopping: what was sent goes on. Press Ctrl-C again to leave at once.\n")

    def sleep(seconds: float) -> None:
        if asked.wait(seconds):
            raise Stopped

    for name in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        handler = signal.getsignal(name)
        if handler is not signal.SIG_IGN:  # as nohup leaves SIGHUP
            before[name] = handler
            signal.signal(name, stop)
    try:
        yield Clock(time.monotonic, sleep), stopped
    finally:
        for name, handler in before.items():
            signal.signal(name, handler)
