"""The command that goes back: restore."""

from __future__ import annotations

from dataclasses import replace
from typing import Annotated

import typer

from reconciler.cli.carry import carry_out, nothing_to_do, refuse, settle_first, show_plan, waiting_of
from reconciler.cli.console import confirm
from reconciler.cli.options import Allow, Choice, LedgerPlace, Patience, Reach, Show, chosen_by_name
from reconciler.cli.run import make_plan, start
from reconciler.core.model import Plan
from reconciler.core.planfile import applyable
from reconciler.errors import UsageProblem
from reconciler.wiring import guards


def restore(
    reach: Reach,
    choice: Choice,
    show: Show,
    patience: Patience,
    run_id: Annotated[str, typer.Argument(metavar="RUN", help="The run to go back from, as 'history' lists it.")],
    allow: Allow = None,
    auto_approve: Annotated[bool, typer.Option("--auto-approve", help="Do not ask before applying.")] = False,
    ledger: LedgerPlace = None,
) -> None:
    """Plan the way back to what was live before a run, show it, ask, and apply it like any plan.

    What does not come back, such as secrets, is named in the plan.
    """
    from reconciler.operations.restore import ways_back, with_remainder

    run = start(reach, show, parallelism=choice.parallelism, ledger=ledger)
    services = run.services
    found = services.books.ledger.found(run_id)
    if not found:
        hint = "list them with 'reconciler history'; one that is under way is settled by 'reconciler apply --resume'"
        raise UsageProblem(f"{services.books.ledger.name} has no run {run_id}", hint=hint)
    records = [record for record in found if record.sent and chosen_by_name(record.plan.name, choice)]
    if not records:
        raise UsageProblem(f"Run {run_id} sent nothing", hint="there is nothing to go back from")
    services.check_binding(Plan(tuple(record.plan for record in records), ""))
    waiting = waiting_of(patience)
    settle_first(run, [record.plan.target for record in records], waiting)
    desired, left_out = ways_back(
        records,
        lambda record: services.resolve_planned(record.run.folder),
        place=services.books.ledger.name,
        allow=guards(allow or ()),
    )
    made = replace(make_plan(run, desired, with_commit=False), folder=records[0].run.folder)
    plan = with_remainder(made, records, left_out)
    show_plan(plan, show)
    if not any(target.changes for target in plan.planned):
        nothing_to_do(plan, show, saved=False)
    if plan.failures:
        raise typer.Exit(refuse(plan, show))
    if applyable(plan) and not auto_approve:
        confirm(f"Do you want to go back from run {run_id}?")
    raise typer.Exit(carry_out(run, plan, waiting, command="restore", saved=False))
