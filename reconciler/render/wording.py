"""The sentences that every format uses: headlines, sums, and how a plan or an apply ended.

Atlantis, tfcmt and others match terraform's sentences literally, so these have one home.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable

from reconciler.core.model import Action, OutcomeKind
from reconciler.errors import Diagnostic, Severity
from reconciler.render.messages import MANY, first_of
from reconciler.render.report import OutcomeReport, OutcomeRow, Report, Status, TargetRow
from reconciler.render.rows import Line

NO_CHANGES = "No changes. Your infrastructure matches the configuration."
NOTHING_BACK = "No changes. Nothing more of it can be brought back: what is named here stays as it is now."
NO_DRIFT = "No drift. Live matches the configuration."
DIRECTION = "Changes go from live to the configuration: they are what an apply would do."

MOVED = "moved where nothing was planned"

_ACTIONS = {Action.ADD: "to add", Action.CHANGE: "to change", Action.REMOVE: "to remove"}


def heading(target: TargetRow, report: Report) -> str:
    """What the plan says of one target that differs, as terraform says it of a resource."""
    if report.headline == "drift":
        return f"{target.name} has drifted"
    match target.status:
        case Status.BLOCKED:
            return f"{target.name} is blocked"
        case Status.GUARDED:
            return f"{target.name} is guarded"
        case _:
            return f"{target.name} will be updated in-place"


def plan_line(report: Report) -> str:
    """The one line that sums up a plan, or drift."""
    if report.headline == "drift":
        return _drift_line(report)
    different = len(report.different)
    failed = report.count(Status.FAILED) + report.count(Status.UNREAD)
    if different:
        return f"Plan: 0 to add, {different} to change, 0 to destroy."
    if failed:
        return f"Planning failed. {failed} of {len(report.targets)} targets could not be planned."
    return unchanged_line(report)


def _drift_line(report: Report) -> str:
    total, different = len(report.targets), len(report.different)
    failed = report.count(Status.FAILED) + report.count(Status.UNREAD)
    unread = f" {failed} could not be compared." if failed else ""
    if different:
        return f"Drift: {different} of {total} targets differ from the configuration.{unread}"
    if failed:
        return f"No drift found in {total - failed} of {total} targets.{unread}"
    waived = sum(target.waived for target in report.targets)
    if waived:
        return f"No drift but what is waived: {waived} {'value' if waived == 1 else 'values'}."
    return f"No drift. Nothing moved outside git since {report.base}." if report.base else NO_DRIFT


def unchanged_line(report: Report | OutcomeReport) -> str:
    """What to say where nothing changes: live is as it is desired, unless a part of it can't be had back."""
    return NOTHING_BACK if report.remainder else NO_CHANGES


def obstacles_line(report: Report) -> str:
    """Why the plan as a whole can't be applied; empty where it can, or where there is nothing to apply."""
    if report.applicable or not report.different or report.headline == "drift":
        return ""
    statuses = (Status.BLOCKED, Status.GUARDED, Status.FAILED, Status.UNREAD)
    return f"This plan can't be applied: {_sum((report.count(status), status.value) for status in statuses)}."


def targets_line(report: Report) -> str:
    """How many targets there are of which kind; empty for a single one."""
    total = len(report.targets)
    if total <= 1:
        return ""
    statuses = (Status.CHANGED, Status.UNCHANGED, Status.BLOCKED, Status.GUARDED)
    counts = [(report.count(status), status.value) for status in statuses]
    planned = [(sum(count for count, _ in counts), f"planned ({_sum(counts)})")]
    without = [(report.count(status), status.value) for status in (Status.FAILED, Status.UNREAD)]
    return f"{total} targets: {_sum([*planned, *without])}."


def unread_line(report: Report) -> str:
    """Which targets were not read before the run was interrupted; a few are named. Empty where all were."""
    names = [target.name for target in report.targets if target.status is Status.UNREAD]
    if not names:
        return ""
    were = "1 target was" if len(names) == 1 else f"{len(names)} targets were"
    return f"{were} not read, because the run was interrupted: {first_of(names)}"


def wave_of(target: TargetRow, report: Report) -> str:
    """The wave in which an apply sends a target; empty where there is one wave alone."""
    return f"wave {target.wave}" if len(report.waves) > 1 else ""


def waves_line(report: Report) -> str:
    """How many targets an apply sends in each wave; empty where there is one wave alone."""
    waves = report.waves
    if len(waves) <= 1:
        return ""
    if len(waves) > MANY:
        return f"{len(waves)} waves, one after another, from {min(waves)} to {max(waves)}."
    counts = ", ".join(f"{count} in wave {wave}" for wave, count in waves.items())
    return f"{len(waves)} waves, one after another: {counts}."


def base_line(report: Report, spelled: Callable[[str], str] = str) -> str:
    """Who moved how many attributes since the base, whose name is ``spelled``; empty where nobody asked."""
    if not report.base:
        return ""
    told = _sum((count, movement.value) for movement, count in report.movements.items())
    none = "who moved what is not known" if report.different else "no difference is left"
    return f"Since {spelled(report.base)}: {told or none}."


def change_line(row: Line) -> str:
    """One attribute's change where no diff stands around it: with its whole path."""
    if row.is_member:
        return f"{row.symbol} {row.path}: {row.text.removesuffix(',')}{_remark(row)}"
    return f"{row.symbol} {row.path}{row.text.removeprefix(row.path.rpartition('.')[2])}{_remark(row)}"


def plain_line(row: Line) -> str:
    """One line of a diff, with neither colours nor markup."""
    comment = f" # {row.comment}" if row.comment else ""
    return f"{'    ' * row.depth}{row.symbol} {row.text}{comment}"


def _remark(row: Line) -> str:
    return f" # {row.remark}" if row.remark else ""


def changes_of(target: TargetRow) -> str:
    """How many attributes of a target move, by action."""
    return _sum((count, _ACTIONS[action]) for action, count in target.counts)


def outcome_line(report: OutcomeReport) -> str:
    """The last line of an apply: terraform's where all went well, and nowhere else."""
    if report.complete:
        return f"Apply complete! Resources: 0 added, {report.count(OutcomeKind.APPLIED)} changed, 0 destroyed."
    return f"Apply did not complete: {_sum((report.count(kind), kind.value) for kind in OutcomeKind)}."


def result_of(target: OutcomeRow) -> str:
    """What became of one target, in a few words."""
    told = f": {target.message.summary}" if target.message.summary else ""
    changes = f"{target.changes} change{'s' if target.changes != 1 else ''}" if target.changes else ""
    if target.kind is OutcomeKind.APPLIED:
        told = f", {changes}{told}" if changes else told
    elif changes:
        told = f"{told} ({changes} planned)"
    return f"{target.kind.value}{told}{f' [job {target.job}]' if target.job else ''}"


def diagnostics_line(diagnostics: Iterable[Diagnostic]) -> str:
    """How many problems there are."""
    severities = [diagnostic.severity for diagnostic in diagnostics]
    if not severities:
        return "Success! The configuration is valid."
    errors, warnings = severities.count(Severity.ERROR), severities.count(Severity.WARNING)
    parts = [(errors, f"error{'s' if errors != 1 else ''}"), (warnings, f"warning{'s' if warnings != 1 else ''}")]
    return f"{_sum(parts)}."


def _sum(parts: Iterable[tuple[int, str]]) -> str:
    return ", ".join(f"{count} {word}" for count, word in parts if count)
