"""The commands that look into the ledger: history, and unlock for a lease that was left behind."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Annotated

import typer

from reconciler.cli.carry import looked_in, plans_of, stoppable, tell
from reconciler.cli.console import confirm, show_problem, write_error, write_result
from reconciler.cli.exits import Exit, of_outcomes, worst
from reconciler.cli.options import LedgerPlace, Reach, Show
from reconciler.cli.output import emit, history_renderers, record_renderers
from reconciler.cli.run import Run, start
from reconciler.core.model import OutcomeKind
from reconciler.errors import LedgerDamaged, UsageProblem
from reconciler.operations.jobs import Waiting
from reconciler.render.harmless import line

if TYPE_CHECKING:
    from reconciler.ledger.lease import Held
    from reconciler.ledger.ledger import Ledger
    from reconciler.ledger.record import Record


def history(
    reach: Reach,
    show: Show,
    what: Annotated[
        str | None, typer.Argument(metavar="[TARGET|RUN]", help="Only this target's runs, or all of one run.")
    ] = None,
    limit: Annotated[int, typer.Option(min=1, help="The most runs that are listed.")] = 20,
    ledger: LedgerPlace = None,
) -> None:
    """List what was applied, the newest first, or show one run. Reads the ledger alone."""
    from reconciler.ledger.ledger import is_run

    run = start(reach, show, ledger=ledger)
    place = run.services.books.ledger
    damaged: list[LedgerDamaged] = []
    if what is not None and is_run(what):
        emit(record_renderers(_of_run(place, what, damaged)), show)
    else:
        _list(place, what, limit, damaged, show)
    for problem in damaged:
        show_problem(problem, "Warning")
    if damaged:
        raise typer.Exit(Exit.ERROR)


def _list(ledger: Ledger, target: str | None, limit: int, damaged: list[LedgerDamaged], show: Show) -> None:
    """The newest runs, and before them what is under way; what can't be understood hides none of the others."""
    from reconciler.ledger.record import Entry
    from reconciler.render.history import nothing_text

    opened = ledger.all_under_way(damaged.append)
    open_ = [Entry(entry.intent) for entry in opened if target in {None, entry.intent.plan.name}]
    entries = [*open_, *(Entry(record) for record in ledger.newest(target, limit, damaged.append))]
    known: set[str] = set()
    if not entries and not damaged:
        known = {word for _, word in ledger.runs()} | {entry.intent.plan.name for entry in opened}
    emit(history_renderers(entries, nothing_text(target, sorted(known), damaged=bool(damaged))), show)
    if not entries:
        looked_in(ledger)


def _of_run(ledger: Ledger, run: str, damaged: list[LedgerDamaged]) -> tuple[Record, ...]:
    """All that one run did."""
    records = ledger.found(run)
    if records:
        return records
    if any(entry.intent.run.id == run for entry in ledger.all_under_way(damaged.append)):
        hint = "settle it with 'reconciler apply --resume'"
        raise UsageProblem(f"Run {run} has no record yet: its update is under way", hint=hint)
    raise UsageProblem(f"{ledger.name} has no run {run}", hint="list them with 'reconciler history'")


def unlock(
    reach: Reach,
    show: Show,
    target: Annotated[str | None, typer.Argument(metavar="[TARGET]", help="Only this target's lease.")] = None,
    force: Annotated[bool, typer.Option("--force", help="Do not ask.")] = False,
    abandon: Annotated[
        bool, typer.Option("--abandon", help="Give up updates under way too, whose end nobody can see any more.")
    ] = False,
    ledger: LedgerPlace = None,
) -> None:
    """Show who holds which target, and take a lease away from a holder that is gone. Asks first."""
    run = start(reach, show, ledger=ledger)
    place = run.services.books.ledger
    held = [found for found in place.leases.held() if target in {None, found.holder.target}]
    codes = [_take_away(place, held, force=force) if held else Exit.DONE]
    if not held:
        write_result(f"Nothing is locked{f': {target} is free' if target else ''}.\n")
        looked_in(place)
    if abandon:
        codes.append(_give_up(run, target, force=force))
    raise typer.Exit(worst(codes))


def _take_away(ledger: Ledger, held: Sequence[Held], *, force: bool) -> Exit:
    """Take leases away from their holders, as far as that is possible."""
    write_result("".join(f"{_told(found)}\n" for found in held))
    breakable = [found for found in held if found.breakable]
    if not breakable:
        write_error("The operating system frees these when their process ends: end the process.\n")
        return Exit.LOCKED
    if not force:
        confirm(
            "Take them away? An apply that is still at work notices it with its next sign of life, up to 20s later, "
            "and may send its update until then.",
            otherwise="give --force",
        )
    taken = [ledger.leases.break_(found) for found in breakable]
    write_result(f"Unlocked {sum(taken)} of {len(held)}.\n")
    if not all(taken):
        write_error("A lease that was not taken away was renewed or released meanwhile: its holder is alive.\n")
    return Exit.DONE if all(taken) and len(taken) == len(held) else Exit.LOCKED


def _give_up(run: Run, target: str | None, *, force: bool) -> Exit:
    """Close the journal of updates whose end nobody can see any more."""
    from reconciler.operations.outcomes import how_to_look
    from reconciler.operations.resume import give_up
    from reconciler.operations.settle import Following

    books = run.services.books
    damaged: list[LedgerDamaged] = []
    opened = [e for e in books.ledger.all_under_way(damaged.append) if target in {None, e.intent.plan.name}]
    for problem in damaged:
        show_problem(problem, "Warning")
    if not opened:
        write_result("No update is under way.\n")
        return Exit.ERROR if damaged else Exit.DONE
    for entry in opened:
        intent = entry.intent
        job = f"job {intent.job}" if intent.job else "no job is known"
        write_result(line(f"{intent.plan.name}: run {intent.run.id} of {intent.run.who} sent an update, {job}") + "\n")
        write_result(line(f"  {how_to_look(intent.plan.target, intent.job)}") + "\n")
    if not force:
        confirm("Give them up? Whether they landed is then for the next plan to show.", otherwise="give --force")
    plan = plans_of(opened)
    with stoppable() as (clock, stopped):
        following = Following(clock, Waiting(), run.events)
        outcomes = give_up(opened, keeping=books.keeping("unlock", plan, sends=False), following=following)
    others = [outcome for outcome in outcomes if outcome.kind is not OutcomeKind.UNKNOWN]
    code = stopped[0] if stopped else of_outcomes(others, saved=False)
    if others:
        code = tell(others, plan, code, run)
    write_result(f"Gave up {len(outcomes) - len(others)} of {len(opened)}.\n")
    return worst([code, Exit.ERROR if damaged else Exit.DONE])


def _told(found: Held) -> str:
    holder = found.holder
    alive = f", last sign of life {found.age:.0f}s ago" if found.breakable else ""
    return line(f"{holder.target}: held by run {holder.run} of {holder.who} since {holder.since}{alive}")
