"""The commands that look into the ledger: history, and unlock for a lease that was left behind."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Annotated

import typer

from reconciler.cli.console import confirm, write_error, write_result
from reconciler.cli.exits import Exit
from reconciler.cli.options import LedgerPlace, Reach, Show
from reconciler.cli.output import emit, history_renderers, record_renderers
from reconciler.cli.run import start
from reconciler.errors import UsageProblem

if TYPE_CHECKING:
    from reconciler.ledger.lease import Held
    from reconciler.ledger.ledger import Ledger
    from reconciler.ledger.record import Entry

_RUN = re.compile(r"\d{8}T\d{6}Z-[0-9a-f-]+")


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
    run = start(reach, show, ledger=ledger)
    place = run.services.books.ledger
    if what is None or not _RUN.fullmatch(what):
        emit(history_renderers(_listed(place, what, limit)), show)
        return
    records = place.found(what)
    if not records:
        open_ = [entry for entry in place.all_under_way() if entry.intent.run.id == what]
        if open_:
            hint = "settle it with 'reconciler apply --resume'"
            raise UsageProblem(f"Run {what} has no record yet: its update is under way", hint=hint)
        raise UsageProblem(f"{place.name} has no run {what}", hint="list them with 'reconciler history'")
    emit(record_renderers(records), show)


def _listed(ledger: Ledger, target: str | None, limit: int) -> list[Entry]:
    """The newest runs, and before them what is under way."""
    from reconciler.ledger.record import Entry

    open_ = [Entry(entry.intent) for entry in ledger.all_under_way() if target in {None, entry.intent.plan.name}]
    recorded = (ledger.record(run, word) for run, word in ledger.runs(target)[:limit])
    return [*open_, *(Entry(record) for record in recorded if record is not None)]


def unlock(
    reach: Reach,
    show: Show,
    target: Annotated[str | None, typer.Argument(metavar="[TARGET]", help="Only this target's lease.")] = None,
    force: Annotated[bool, typer.Option("--force", help="Do not ask.")] = False,
    ledger: LedgerPlace = None,
) -> None:
    """Show who holds which target, and take a lease away from a holder that is gone. Asks first."""
    run = start(reach, show, ledger=ledger)
    leases = run.services.books.ledger.leases
    held = [found for found in leases.held() if target in {None, found.holder.target}]
    if not held:
        write_result(f"Nothing is locked{f': {target} is free' if target else ''}.\n")
        return
    write_result("".join(f"{_told(found)}\n" for found in held))
    breakable = [found for found in held if found.breakable]
    if not breakable:
        write_error("The operating system frees these when their process ends: end the process.\n")
        raise typer.Exit(Exit.LOCKED)
    if not force:
        confirm("Take them away? An apply that is still at work would stop before it sends anything more.")
    taken = [leases.break_(found) for found in breakable]
    write_result(f"Unlocked {sum(taken)} of {len(held)}.\n")
    if not all(taken):
        write_error("A lease that was not taken away was renewed or released meanwhile: its holder is alive.\n")
    raise typer.Exit(Exit.DONE if all(taken) and len(taken) == len(held) else Exit.LOCKED)


def _told(found: Held) -> str:
    from reconciler.render.harmless import line

    holder = found.holder
    alive = f", last sign of life {found.age:.0f}s ago" if found.breakable else ""
    return line(f"{holder.target}: held by run {holder.run} of {holder.who} since {holder.since}{alive}")
