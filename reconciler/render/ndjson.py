"""NDJSON: the lines of terraform's machine-readable UI, of what happens and of what came of it.

Types and members are those of terraform's documentation of that format. Of an update whose end nobody saw as it came,
no line tells how long it took.
"""

from __future__ import annotations

import json
from collections.abc import Collection, Iterable, Iterator, Sequence
from enum import StrEnum
from typing import Any

from reconciler.core.model import OutcomeKind
from reconciler.core.planfile import RESOURCE_TYPE, TERRAFORM_VERSION
from reconciler.errors import Diagnostic
from reconciler.render.alerts import Alert, Level, diagnostic_alerts, message_alerts, outcome_alerts
from reconciler.render.harmless import without_commands
from reconciler.render.report import OutcomeReport, Report
from reconciler.render.wording import base_line, outcome_line, plan_line

UI_VERSION = "1.2"
_ERRORED = frozenset(
    {OutcomeKind.DENIED, OutcomeKind.FAILED, OutcomeKind.TIMED_OUT, OutcomeKind.UNVERIFIED, OutcomeKind.UNKNOWN}
)
"""The outcomes of an update that was tried, and did not end well."""
COMPLETE = "Modifications complete"
ERRORED = "Modifications errored"


class Event(StrEnum):
    """What happens to a target; the value is terraform's type of its line."""

    READING = "refresh_start"
    READ = "refresh_complete"
    BEGUN = "apply_start"
    GOES_ON = "apply_progress"
    DONE = "apply_complete"
    FAILED = "apply_errored"
    OTHER = "log"


_OF_UPDATES = frozenset({Event.BEGUN, Event.GOES_ON, Event.DONE, Event.FAILED})


def version_ndjson(version: str, when: str) -> str:
    """The line that stands before all others; ``version`` is that of the tool, ``when`` as in :func:`plan_ndjson`."""
    line = _line("version", f"reconciler {version}", terraform=TERRAFORM_VERSION, ui=UI_VERSION, reconciler=version)
    return _text([line], when)


def event_ndjson(event: Event, name: str, message: str, when: str, *, elapsed: float | None = None) -> str:
    """The line of one event, as it happens.

    Args:
        event: what happens.
        name: to which target.
        message: the same in words.
        when: the time, in ISO 8601.
        elapsed: for how many seconds an update has been under way.
    """
    hook = _resource(name)
    if event in _OF_UPDATES:
        hook["action"] = "update"
        if elapsed is not None:
            hook["elapsed_seconds"] = round(elapsed)
    members = {} if event is Event.OTHER else {"hook": hook}
    level = "error" if event is Event.FAILED else "info"
    return _text([_line(event.value, f"{_address(name)}: {message}", level, **members)], when)


def plan_ndjson(report: Report, when: str) -> str:
    """A plan, or drift.

    Args:
        report: what to show.
        when: the time of all lines, in ISO 8601.
    """
    drift = report.headline == "drift"
    type_, said = ("resource_drift", "Drift detected (update)") if drift else ("planned_change", "Plan to update")
    lines = [
        _line(type_, f"{_address(target.name)}: {said}", change={**_resource(target.name), "action": "update"})
        for target in report.different
    ]
    # Drift proposes nothing: terraform counts none in it either.
    lines.append(_summary(plan_line(report), 0 if drift else len(report.different), "plan"))
    lines += [_line(Event.OTHER.value, told) for told in filter(None, [base_line(report)])]
    return _text([*lines, *map(_diagnostic, message_alerts(report))], when)


def outcome_ndjson(report: OutcomeReport, when: str, ended: Collection[str] = ()) -> str:
    """What became of each target.

    Args:
        report: what to show.
        when: as in :func:`plan_ndjson`.
        ended: the targets of which :func:`event_ndjson` has told that their update came to its end.
    """
    lines = [*_hooks(report, ended), *map(_diagnostic, outcome_alerts(report))]
    lines.append(_summary(outcome_line(report), report.count(OutcomeKind.APPLIED), "apply"))
    return _text(lines, when)


def diagnostics_ndjson(diagnostics: Sequence[Diagnostic], when: str) -> str:
    """Problems of the input; ``when`` as in :func:`plan_ndjson`."""
    return _text(map(_diagnostic, diagnostic_alerts(diagnostics)), when)


def _text(lines: Iterable[dict[str, Any]], when: str) -> str:
    told = ({**line, "@timestamp": when} for line in lines)
    return "".join(f"{without_commands(json.dumps(line, separators=(',', ':')))}\n" for line in told)


def _line(type_: str, message: str, level: str = "info", **members: Any) -> dict[str, Any]:
    return {"@level": level, "@message": message, "@module": "terraform.ui", **members, "type": type_}


def _hooks(report: OutcomeReport, ended: Collection[str]) -> Iterator[dict[str, Any]]:
    for row in report.targets:
        if row.name in ended:
            continue
        hook = {**_resource(row.name), "action": "update"}
        if row.kind is OutcomeKind.APPLIED:
            yield _line(Event.DONE.value, f"{_address(row.name)}: {COMPLETE}", hook=hook)
        elif row.kind in _ERRORED:
            yield _line(Event.FAILED.value, f"{_address(row.name)}: {ERRORED}", hook=hook)


def _summary(message: str, changed: int, operation: str) -> dict[str, Any]:
    changes = {"add": 0, "change": changed, "import": 0, "remove": 0, "operation": operation}
    return _line("change_summary", message, changes=changes)


def _diagnostic(alert: Alert) -> dict[str, Any]:
    """What terraform calls a diagnostic is an error or a warning; a note is a line of its log."""
    if alert.level is Level.NOTE:
        return _line("log", "\n".join((alert.summary, *alert.more)))
    body: dict[str, Any] = {
        "severity": alert.level.value,
        "code": alert.code,
        "summary": alert.summary,
        "detail": "\n".join(alert.more),
    }
    if alert.target:
        body["address"] = _address(alert.target)
    if alert.place is not None:
        start = {"line": alert.place.line, "column": alert.place.column}
        body["range"] = {"filename": alert.place.file, "start": start}
    error = alert.level is Level.ERROR
    message = f"{'Error' if error else 'Warning'}: {alert.summary}"
    return _line("diagnostic", message, "error" if error else "warn", diagnostic=body)


def _resource(name: str) -> dict[str, Any]:
    address = _address(name)
    return {
        "resource": {
            "addr": address,
            "module": "",
            "resource": address,
            "implied_provider": "amplifybackend",
            "resource_type": RESOURCE_TYPE,
            "resource_name": name,
            "resource_key": None,
        }
    }


def _address(name: str) -> str:
    return f"{RESOURCE_TYPE}.{name}"
