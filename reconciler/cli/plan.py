"""The commands that only look: plan, drift, show."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from reconciler.cli.console import check_file, write_error, write_file
from reconciler.cli.exits import Exit, of_drift, of_plan
from reconciler.cli.options import (
    Allow,
    BaseName,
    Choice,
    LedgerPlace,
    Paths,
    Reach,
    SendSecrets,
    Show,
    Strict,
    WithoutSecrets,
)
from reconciler.cli.output import emit, plan_renderers, spare
from reconciler.cli.run import Run, base_of, located, make_plan, start
from reconciler.cli.signals import first_signal
from reconciler.core.model import Plan
from reconciler.core.planfile import applyable
from reconciler.errors import UsageProblem
from reconciler.wiring import Follow, Located

if TYPE_CHECKING:
    from reconciler.operations.plan import Base

_LARGEST_PLAN = 500_000_000


def plan(
    paths: Paths,
    reach: Reach,
    choice: Choice,
    show: Show,
    allow: Allow = None,
    strict: Strict = False,
    ledger: LedgerPlace = None,
    without_secrets: WithoutSecrets = False,
    send_secrets: SendSecrets = None,
    base: BaseName = None,
    out: Annotated[str | None, typer.Option(metavar="FILE", help="Save the plan, for apply and show.")] = None,
    detailed_exitcode: Annotated[
        bool, typer.Option("--detailed-exitcode", help="Exit with 2 when something would change.")
    ] = False,
) -> None:
    """Read the live configuration and show what apply would change. Never writes to the service."""
    run = start(reach, show, first_path=paths[0], parallelism=choice.parallelism, ledger=ledger)
    if out is not None:
        _check_out(out, paths)
        spare([out], show, "where the plan is saved")
    follow = following(without_secrets=without_secrets)
    found = located(run, paths, choice, allow, strict=strict, follow=follow, sends=send_secrets)
    made, stopped = _read(run, found, base_of(run, base, paths, found), saved=out is not None)
    if out is not None and stopped is None:
        from reconciler.render.json import plan_json
        from reconciler.version import __version__

        write_file(out, plan_json(made, __version__))
    emit(plan_renderers(made, drift=False), show, run.events)
    if stopped is not None:
        if out is not None:
            write_error(f"\nNothing was saved to {out}: the plan is not whole, since it was interrupted.\n")
        raise typer.Exit(stopped)
    if out is not None:
        write_error(f"\nSaved the plan to: {out}\n")
        if applyable(made):
            apply = f'reconciler apply "{out}"' + (" --emulator" if reach.emulator else "")
            write_error(f"\nTo perform exactly these actions, run the following command to apply:\n    {apply}\n")
    raise typer.Exit(of_plan(made, changes=Exit.CHANGES if detailed_exitcode else Exit.DONE))


def following(*, without_secrets: bool) -> Follow:
    """Which references are followed."""
    return Follow.NO_SECRETS if without_secrets else Follow.ALL


def _check_out(out: str, paths: Sequence[str]) -> None:
    check_file(out)
    if any(Path(path).exists() and Path(path).samefile(out) for path in paths if Path(out).exists()):
        raise UsageProblem(f"{out} is one of the documents", hint="save the plan to a file of its own")


def drift(
    paths: Paths,
    reach: Reach,
    choice: Choice,
    show: Show,
    allow: Allow = None,
    strict: Strict = False,
    ledger: LedgerPlace = None,
    without_secrets: WithoutSecrets = False,
    base: BaseName = None,
) -> None:
    """Tell what moved outside git: exits with 2 when live differs, 0 when it does not. Never writes."""
    run = start(reach, show, first_path=paths[0], parallelism=choice.parallelism, ledger=ledger)
    found = located(run, paths, choice, allow, strict=strict, follow=following(without_secrets=without_secrets))
    made, stopped = _read(run, found, base_of(run, base, paths, found), saved=False)
    emit(plan_renderers(made, drift=True), show, run.events)
    if stopped is not None:
        raise typer.Exit(stopped)
    for untold in run.services.notifying.notify(made):  # the code is about drift, whoever was told of it
        write_error(f"Warning: {untold}\n")
    raise typer.Exit(of_drift(made))


def _read(run: Run, found: Located, base: Base | None, *, saved: bool) -> tuple[Plan, Exit | None]:
    """The plan, and the code of a signal that came first: then what was not read until it came is in it as that."""
    stopped: list[Exit] = []

    def stop(code: Exit) -> None:
        stopped.append(code)
        write_error("\nStopping: what was read until now is shown. Press Ctrl-C again to leave at once.\n")

    with first_signal(stop):
        made = make_plan(run, found, with_commit=saved, saved=saved, base=base, stopped=lambda: bool(stopped))
    return made, stopped[0] if stopped else None


def show(
    planfile: Annotated[str, typer.Argument(metavar="PLANFILE", help="A plan saved with plan --out.")], show: Show
) -> None:
    """Show a saved plan in any format."""
    from reconciler.core.planfile import from_json

    emit(plan_renderers(from_json(read_plan(planfile)), drift=False), show)


def read_plan(path: str) -> str:
    """The text of a plan file.

    Raises:
        UsageProblem: it can't be read.
    """
    try:
        with Path(path).open("rb") as file:
            return file.read(_LARGEST_PLAN).decode("utf-8", "replace")
    except OSError as problem:
        raise UsageProblem(f"{path} can't be read: {problem.strerror}") from None
