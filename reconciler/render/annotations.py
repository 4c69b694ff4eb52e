"""Annotations: workflow commands with which GitHub shows a message at the line of a file that it is about.

The commands and what must be escaped in them are GitHub's documentation of workflow commands.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from itertools import chain

from reconciler.errors import Diagnostic
from reconciler.render.alerts import Alert, Level, change_alerts, diagnostic_alerts, message_alerts, outcome_alerts
from reconciler.render.report import OutcomeReport, Report

_COMMANDS = {Level.ERROR: "error", Level.WARNING: "warning", Level.NOTE: "notice"}


def plan_annotations(report: Report) -> str:
    """A line for each attribute that differs, and for each thing that is to be said of a plan."""
    return _lines(chain(change_alerts(report), message_alerts(report)))


def outcome_annotations(report: OutcomeReport) -> str:
    """A line for each target that is not as it is desired, and for what was found there."""
    return _lines(outcome_alerts(report))


def diagnostics_annotations(diagnostics: Sequence[Diagnostic]) -> str:
    """A line for each problem of the input."""
    return _lines(diagnostic_alerts(diagnostics))


def _lines(alerts: Iterable[Alert]) -> str:
    return "".join(f"{_command(alert)}\n" for alert in alerts)


def _command(alert: Alert) -> str:
    given: dict[str, str] = {}
    if alert.place is not None:
        given = {"file": alert.place.file, "line": str(alert.place.line), "col": str(alert.place.column)}
    given["title"] = f"{alert.target}: {alert.code}" if alert.target else alert.code
    properties = ",".join(f"{key}={_property(value)}" for key, value in given.items())
    return f"::{_COMMANDS[alert.level]} {properties}::{_message(chr(10).join((alert.text, *alert.more)))}"


def _message(text: str) -> str:
    return text.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")


def _property(text: str) -> str:
    return _message(text).replace(":", "%3A").replace(",", "%2C")
