"""JUnit: a test case for each target, or for each document with problems, as Jenkins and GitLab read it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from xml.etree.ElementTree import Element, SubElement, indent, tostring

from reconciler.core.model import DONE, OutcomeKind
from reconciler.errors import Diagnostic, Origin
from reconciler.render.alerts import Alert, Level, diagnostic_alerts, in_file
from reconciler.render.messages import Message
from reconciler.render.report import DIFFERENT, OutcomeReport, OutcomeRow, Report, Status, TargetRow
from reconciler.render.wording import MOVED, base_line, changes_of, diagnostics_line, heading, plain_line, result_of

_UNDONE = frozenset({OutcomeKind.DENIED, OutcomeKind.FAILED, OutcomeKind.TIMED_OUT, OutcomeKind.UNKNOWN})
"""The outcomes that are errors, and no answer to whether the target is as it is desired."""


@dataclass(frozen=True, slots=True)
class _Case:
    """One test: ``result`` is empty where it passed, else ``failure``, ``error`` or ``skipped``.

    There is no ``file``: GitLab would show it, and Jenkins' schema refuses it.
    """

    name: str
    result: str = ""
    kind: str = ""
    message: str = ""
    text: str = ""


def plan_junit(report: Report) -> str:
    """A target that differs fails with its diff, one that could not be compared is an error."""
    cases = [_planned(target, report) for target in report.targets]
    remarks = [*(_told(one.message, one.names) for one in report.shared), *filter(None, [base_line(report)])]
    return _document(report.headline, cases, remarks)


def outcome_junit(report: OutcomeReport) -> str:
    """A target that is not as it is desired fails, or is an error where that is not known."""
    return _document("apply", [_carried_out(row) for row in report.targets])


def diagnostics_junit(diagnostics: Sequence[Diagnostic]) -> str:
    """Each document with errors fails; where there is no problem, one case tells so."""
    files: dict[str, list[Alert]] = {}
    for alert in diagnostic_alerts(diagnostics):
        files.setdefault("" if alert.place is None else alert.place.file, []).append(alert)
    cases = [_document_case(file, alerts) for file, alerts in files.items()]
    return _document("validate", cases or [_Case("configuration", text=diagnostics_line(diagnostics))])


def _document(command: str, cases: Sequence[_Case], remarks: Sequence[str] = ()) -> str:
    results = [case.result for case in cases]
    counts = {"tests": len(cases), "failures": results.count("failure"), "errors": results.count("error")}
    sums = {key: str(count) for key, count in counts.items()}
    root = Element("testsuites", {"name": "reconciler", **sums})
    suite = SubElement(root, "testsuite", {"name": command, **sums, "skipped": str(results.count("skipped"))})
    for case in cases:
        _append(suite, case, command)
    if remarks:
        SubElement(suite, "system-out").text = "\n".join(remarks)
    indent(root)
    return f'<?xml version="1.0" encoding="UTF-8"?>\n{tostring(root, encoding="unicode")}\n'


def _append(suite: Element, case: _Case, command: str) -> None:
    element = SubElement(suite, "testcase", {"name": case.name, "classname": f"reconciler.{command}"})
    if case.result == "skipped":
        SubElement(element, "skipped", message=case.message)
    elif case.result:
        SubElement(element, case.result, type=case.kind, message=case.message).text = case.text
    elif case.text:
        SubElement(element, "system-out").text = case.text


def _planned(target: TargetRow, report: Report) -> _Case:
    told = [*(_told(message, "Blocked by") for message in target.blocks)]
    told += [_told(message, "Guarded by") for message in target.guards]
    told += [_told(message, "Allowed") for message in target.allowed]
    told += [_told(message, message.tone.value) for message in (*target.errors, *target.remarks)]
    lines = [*(plain_line(row) for row in target.lines), *told]
    text = "\n".join([*lines, *_place(target.origin)])
    if target.status in DIFFERENT:
        message = f"{heading(target, report)}: {changes_of(target)}"
        return _Case(target.name, "failure", target.status.value, message, text)
    if target.status is Status.UNCHANGED:
        return _Case(target.name, text="\n".join(lines))
    summary = target.errors[0].summary if target.errors else target.status.value
    return _Case(target.name, "error", target.status.value, summary, text)


def _carried_out(row: OutcomeRow) -> _Case:
    told = [*row.message.detail, *row.message.hint, *(_told(finding, "Found") for finding in row.findings)]
    if row.collateral:
        told += [f"# {row.name} {MOVED}", *(plain_line(moved) for moved in row.collateral)]
    if row.kind in DONE:
        return _Case(row.name, text="\n".join(told))
    result = "error" if row.kind in _UNDONE else "failure"
    if row.kind is OutcomeKind.SKIPPED:
        result = "skipped"
    return _Case(row.name, result, row.kind.value, result_of(row), "\n".join((*told, *_place(row.origin))))


def _document_case(file: str, alerts: Sequence[Alert]) -> _Case:
    text = "\n".join("\n".join((_line_of(alert), *alert.more)) for alert in alerts)
    errors = [alert for alert in alerts if alert.level is Level.ERROR]
    name = file or "configuration"
    if not errors:
        return _Case(name, text=text)
    return _Case(name, "failure", errors[0].code, errors[0].summary, text)


def _line_of(alert: Alert) -> str:
    place = f"{alert.origin}: " if alert.origin is not None else ""
    return f"{place}{alert.level.value}: {alert.summary} ({alert.code})"


def _told(message: Message, word: str) -> str:
    place = [f"at {message.origin}"] if message.origin is not None else []
    return "\n  ".join((f"{word}: {message.summary} ({message.code})", *message.detail, *message.hint, *place))


def _place(origin: Origin | None) -> list[str]:
    return [] if in_file(origin) is None else [f"in {origin}"]
