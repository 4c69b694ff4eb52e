"""The command that goes back: restore."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from fnmatch import fnmatchcase
from typing import TYPE_CHECKING, Annotated

import typer

from reconciler.cli.carry import carry_out, nothing_to_do, refuse, settle_first, show_plan, waiting_of
from reconciler.cli.console import confirm
from reconciler.cli.options import Allow, Choice, LedgerPlace, MaxFailures, Patience, Reach, Show
from reconciler.cli.run import make_plan, start
from reconciler.core.model import Finding, OutcomeKind, Plan, TargetFailure, TargetPlan
from reconciler.core.planfile import applyable
from reconciler.errors import LedgerDamaged, UsageProblem
from reconciler.wiring import Located, guards

if TYPE_CHECKING:
    from reconciler.ledger.ledger import Ledger
    from reconciler.ledger.record import Record
    from reconciler.wiring import Services


def restore(
    reach: Reach,
    choice: Choice,
    show: Show,
    patience: Patience,
    run_id: Annotated[str, typer.Argument(metavar="RUN", help="The run to go back from, as 'history' lists it.")],
    allow: Allow = None,
    auto_approve: Annotated[bool, typer.Option("--auto-approve", help="Do not ask before applying.")] = False,
    max_failures: MaxFailures = 0,
    ledger: LedgerPlace = None,
) -> None:
    """Plan the way back to what was live before a run, show it, ask, and apply it like any plan.

    What does not come back, such as secrets, is named in the plan.
    """
    from reconciler.operations.restore import ways_back, with_remainder

    run = start(reach, show, parallelism=choice.parallelism, ledger=ledger)
    services = run.services
    place = services.books.ledger
    records = [_reached(record, services) for record in _chosen(place, run_id, choice)]
    services.recorded.check_binding(Plan(tuple(record.plan for record in records), ""))
    waiting = waiting_of(patience, run.services)
    settle_first(run, [record.plan.desired for record in records], waiting)
    desired, left_out = ways_back(
        records,
        lambda record: services.references.of_plan(record.run.folder, [record.plan.desired]),
        place=place.name,
        allow=guards(allow or ()),
    )
    made = replace(make_plan(run, Located(desired), with_commit=False), folder=records[0].run.folder)
    plan = _with_later(with_remainder(made, records, left_out), place, records)
    show_plan(plan, show)
    if not any(target.changes for target in plan.planned):
        nothing_to_do(plan, run)
    if plan.failures:
        raise typer.Exit(refuse(plan, run))
    if applyable(plan) and not auto_approve:
        confirm(f"Do you want to go back from run {run_id}?", otherwise="give --auto-approve")
    raise typer.Exit(carry_out(run, plan, waiting, command="restore", saved=False, max_failures=max_failures))


def _reached(record: Record, services: Services) -> Record:
    """A record with our way of access to its target."""
    return replace(record, plan=replace(record.plan, desired=services.recorded.reached(record.plan.desired)))


def _chosen(ledger: Ledger, run_id: str, choice: Choice) -> list[Record]:
    """The records of the updates to go back from.

    Raises:
        UsageProblem: the ledger has no such run, or the run has no such target, or sent it nothing.
    """
    from reconciler.ledger.ledger import is_run

    found = ledger.found(run_id) if is_run(run_id) else ()
    if not found:
        hint = "list them with 'reconciler history'; one that is under way is settled by 'reconciler apply --resume'"
        raise UsageProblem(f"{ledger.name} has no run {run_id}", hint=hint)
    names = [record.plan.name for record in found]
    for pattern in (*(choice.target or ()), *(choice.exclude or ())):
        if not any(fnmatchcase(name, pattern) for name in names):
            raise UsageProblem(f"Run {run_id} has no target {pattern}", hint=f"it has: {', '.join(names)}")
    selection = choice.selection()
    chosen = [record for record in found if selection.means(record.plan.desired)]
    if not chosen:
        raise UsageProblem(f"No target of run {run_id} is left", hint=f"it has: {', '.join(names)}")
    sent = [record for record in chosen if record.sent]
    if not sent:
        to = "" if len(chosen) == len(found) else f" to {', '.join(record.plan.name for record in chosen)}"
        raise UsageProblem(f"Run {run_id} sent nothing{to}", hint="there is nothing to go back from")
    return sent


def _with_later(plan: Plan, ledger: Ledger, records: Sequence[Record]) -> Plan:
    """The plan, which says of each target whose later updates are taken back with the run's own."""

    def one(target: TargetPlan | TargetFailure, record: Record) -> TargetPlan | TargetFailure:
        if isinstance(target, TargetFailure) or not target.changes:
            return target
        return replace(target, notes=(*target.notes, *_later(ledger, record)))

    return replace(plan, targets=tuple(one(*parts) for parts in zip(plan.targets, records, strict=True)))


def _later(ledger: Ledger, record: Record) -> tuple[Finding, ...]:
    """The note that names the runs which changed a target since."""
    damaged: list[LedgerDamaged] = []
    later = [
        (update.resumes or update.run.id, update.run.started)
        for update in ledger.since(record, damaged.append)
        if update.outcome.kind is not OutcomeKind.FAILED  # then nothing moved
    ]
    notes = [
        Finding(
            "later-unread",
            f"whether a later run changed this target is not known: {problem.summary}",
            problem.detail,
            problem.hint,
        )
        for problem in damaged
    ]
    match later:
        case []:
            pass
        case [(run, at)]:
            notes.append(
                Finding("changed-since", f"run {run} of {at} changed this target since; this takes that back too")
            )
        case _:
            runs = "\n".join(f"run {run} of {at}" for run, at in later)
            notes.append(
                Finding("changed-since", f"{len(later)} runs changed this target since; this takes that back too", runs)
            )
    return tuple(notes)
