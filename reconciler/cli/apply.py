"""The command that writes: apply."""

from __future__ import annotations

import os
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Annotated

import typer

from reconciler.cli.carry import (
    carry_out,
    looked_in,
    nothing_to_do,
    plans_of,
    reached_by,
    refuse,
    remember,
    resume_all,
    settle_first,
    show_plan,
    tell,
    waiting_of,
)
from reconciler.cli.console import confirm, show_problem, write_result
from reconciler.cli.exits import Exit, worst
from reconciler.cli.options import (
    Allow,
    BaseName,
    Choice,
    Format,
    LedgerPlace,
    MaxFailures,
    PathsOrNone,
    Patience,
    Reach,
    SendSecrets,
    Show,
    Strict,
    age_of,
)
from reconciler.cli.output import outcome_renderers, spare, write_reports
from reconciler.cli.plan import read_plan
from reconciler.cli.run import Run, base_of, located, make_plan, start
from reconciler.core.model import Access, Plan
from reconciler.core.planfile import applyable, from_json
from reconciler.errors import AccessProblem, LedgerDamaged, PlanRefused, UsageProblem
from reconciler.operations.jobs import Waiting
from reconciler.wiring import UNCHECKED_ACCOUNT, Follow, Located

_ELSEWHERE = "The plan's project can't be told"
_WHERE_MADE = "apply it in the folder in which it was made, from a file that lies in no other project; or plan again"


def apply(
    reach: Reach,
    choice: Choice,
    show: Show,
    patience: Patience,
    paths: PathsOrNone = None,
    allow: Allow = None,
    strict: Strict = False,
    auto_approve: Annotated[bool, typer.Option("--auto-approve", help="Do not ask before applying.")] = False,
    resume: Annotated[
        bool, typer.Option("--resume", help="Only settle updates that an earlier run left open; sends nothing.")
    ] = False,
    max_plan_age: Annotated[
        str, typer.Option(metavar="AGE", help="How old a saved plan may be, such as 90m, 24h or 7d.")
    ] = "24h",
    send_secrets: SendSecrets = None,
    max_failures: MaxFailures = 0,
    base: BaseName = None,
    ledger: LedgerPlace = None,
) -> None:
    """Show the plan, ask, update where there is drift, wait for the job, and prove the result.

    PATH is documents, or one plan saved with plan --out, which is applied without a prompt. Every apply is
    recorded in the ledger, and settles first what an earlier one left open.
    """
    given = paths or []
    oldest = age_of(max_plan_age)
    if not given and not resume:
        raise UsageProblem("apply needs a PATH", hint="name documents or a saved plan, or give --resume")
    kept = from_json(read_plan(given[0])) if _is_plan(given) else None
    saved = kept is not None
    first = _project_of(given, kept)
    run = start(reach, show, first_path=first, parallelism=choice.parallelism, ledger=ledger)
    waiting = waiting_of(patience, run.services)
    if saved:
        spare(given, show, "the plan")
        _only_for_documents(choice, [*(allow or ()), *(send_secrets or ()), *filter(None, [base])], strict=strict)
    if resume:
        raise typer.Exit(_resume_only(run, given, choice, waiting, kept))
    if kept is not None:
        plan = _saved(run, kept, oldest)
    else:
        found = located(run, given, choice, allow, strict=strict, sends=send_secrets)
        _refuse_unchecked(found)
        settle_first(run, found.desired, waiting)
        plan = make_plan(run, found, base=base_of(run, base, given, found))
        show_plan(plan, show)
        remember(plan, run)
        if not any(target.changes for target in plan.planned):
            nothing_to_do(plan, run)
    if plan.failures:
        raise typer.Exit(refuse(plan, run))
    if applyable(plan) and not saved and not auto_approve:
        otherwise = "give --auto-approve, or save the plan with 'plan --out FILE' and apply that file"
        confirm("Do you want to perform these actions?", otherwise=otherwise)
    raise typer.Exit(carry_out(run, plan, waiting, command="apply", saved=saved, max_failures=max_failures))


def _refuse_unchecked(found: Located) -> None:
    """Nothing is sent while nobody can tell whether the credentials are of the account that is written.

    Raises:
        AccessProblem: names the first target of which that is so.
    """
    for warning in (warning for warning in found.warnings if warning.code == UNCHECKED_ACCOUNT):
        summary = f"{warning.target}: nobody can tell whether these credentials are of its account"
        raise AccessProblem(summary, detail=warning.detail, hint="let STS be reached, or leave 'account' out")


def _resume_only(run: Run, paths: Sequence[str], choice: Choice, waiting: Waiting, kept: Plan | None) -> Exit:
    """Settle the journal's open entries: all, or those of the given documents or plan."""
    from reconciler.ledger.record import key_of

    ledger, damaged = run.services.books.ledger, list[LedgerDamaged]()
    opened = ledger.all_under_way(damaged.append)
    left = len(opened)
    ways: dict[str, Access] = {}
    if paths:
        planned = () if kept is None else kept.planned
        desired = [run.services.recorded.reached(target.desired) for target in planned]
        desired = desired or list(located(run, paths, choice, None, strict=False, follow=Follow.NOTHING).desired)
        ways = {key_of(document.target): document.access for document in desired}
        found = (ledger.under_way(document.target) for document in desired)
        opened, damaged = tuple(entry for entry in found if entry is not None), []
    recorded, selection = run.services.recorded, choice.selection()
    chosen = [
        reached_by(entry, ways.get(key_of(plan.target)) or recorded.reached(plan.desired).access)
        for entry in opened
        if selection.means((plan := entry.intent.plan).desired) and recorded.covers(plan.target)
    ]
    for problem in damaged:
        show_problem(problem, "Warning")
    least = Exit.ERROR if damaged else Exit.DONE
    if not chosen:
        if run.show.format is not Format.TEXT:
            return tell((), plans_of(()), least, run)
        write_reports(outcome_renderers((), plans_of(())), run.show, run.events)
        elsewhere = f"none of the {left} updates under way was named" if left else ""
        write_result(f"Nothing to resume: {elsewhere or 'no update is under way'}.\n")
        looked_in(ledger)
        return least
    outcomes, code = resume_all(run, chosen, waiting)
    return tell(outcomes, plans_of(chosen), worst([code, least]), run)


def _project_of(paths: Sequence[str], kept: Plan | None) -> str:
    """The path above which the project is looked for: the first document's, or the current folder.

    A saved plan may lie anywhere, as artifacts of pipelines do, and that must not choose the ledger: the plan
    would be used once in each place, and the project's own ledger would know nothing of it, nor hold its target.
    So it says itself where, below the folder in which it was made and is applied, its project is. One that was made
    inside its project is applied in it; where its own place tells of another, nobody can know which is meant.

    Raises:
        PlanRefused: the project is not here, or may be another one.
    """
    if not paths or kept is None:
        return paths[0] if paths else "."
    from reconciler.config.discovery import PROJECT_FILE, project_root

    if kept.project not in {os.curdir, os.pardir} and not kept.project.startswith(os.pardir + os.sep):
        if project_root(kept.project) != Path(os.path.realpath(kept.project)):
            detail = f"there is no project in {kept.project} here"
            raise PlanRefused(_ELSEWHERE, detail=detail, hint=_WHERE_MADE)
        return kept.project
    here, place = project_root("."), project_root(paths[0])
    if Path(os.path.realpath(paths[0])).is_relative_to(os.path.realpath(".")) and place != here:
        detail = f"the project here is {here}, and where the plan lies it is {place}"
        raise PlanRefused(_ELSEWHERE, detail=detail, hint=_WHERE_MADE)
    if kept.ruled and not (here / PROJECT_FILE).is_file():
        detail = f"its project has a {PROJECT_FILE}, and {here} has none"
        raise PlanRefused(_ELSEWHERE, detail=detail, hint=_WHERE_MADE)
    return "."


def _is_plan(paths: Sequence[str]) -> bool:
    """Whether the one path is a saved plan; a plan among other paths is a slip."""
    from reconciler.config.source import is_saved_plan

    plans = [path for path in paths if is_saved_plan(Path(path))]
    if plans and len(paths) > 1:
        raise UsageProblem("A saved plan is applied alone", detail=f"{plans[0]} is one of {len(paths)} paths")
    return bool(plans)


def _only_for_documents(choice: Choice, chosen: Sequence[str], *, strict: bool) -> None:
    if choice.target or choice.exclude or choice.label or chosen or strict:
        hint = "give --target, --exclude, --label, --allow, --send-secrets, --base and --strict when planning"
        raise UsageProblem("A saved plan is applied as it is", hint=hint)


def _saved(run: Run, plan: Plan, oldest: timedelta) -> Plan:
    """A saved plan, if this run may apply it."""
    from reconciler.operations.binding import check_age

    if plan.failures:
        names = ", ".join(target.name for target in plan.failures)
        raise PlanRefused("The plan has targets that could not be planned", detail=names, hint="plan again")
    check_age(plan, now=datetime.now(UTC), oldest=oldest)
    run.services.recorded.check_binding(plan)
    return plan
