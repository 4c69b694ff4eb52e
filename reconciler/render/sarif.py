"""SARIF 2.1.0: each difference and each problem at its line of YAML, as code scanning shows findings."""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Iterable, Sequence
from itertools import chain
from typing import Any
from urllib.parse import quote

from reconciler.errors import Diagnostic, Origin
from reconciler.render.alerts import Alert, Level, change_alerts, diagnostic_alerts, message_alerts, outcome_alerts
from reconciler.render.harmless import without_commands
from reconciler.render.report import OutcomeReport, Report

SCHEMA = "https://json.schemastore.org/sarif-2.1.0.json"
_LINK = re.compile(r"(\\*)\[(?=(?:\\.|[^\\\]])*\]\()", re.DOTALL)


def plan_sarif(report: Report, version: str) -> str:
    """What differs, and what is to be said of a plan; ``version`` is that of the tool."""
    return _log(report.headline, chain(change_alerts(report), message_alerts(report)), version)


def outcome_sarif(report: OutcomeReport, version: str) -> str:
    """What did not become as it is desired; ``version`` is that of the tool."""
    return _log("apply", outcome_alerts(report), version)


def diagnostics_sarif(diagnostics: Sequence[Diagnostic], version: str) -> str:
    """Problems of the input; ``version`` is that of the tool."""
    return _log("validate", diagnostic_alerts(diagnostics), version)


def _log(category: str, alerts: Iterable[Alert], version: str) -> str:
    """One run; its category keeps what another command found open when this one finds nothing."""
    found = tuple(alerts)
    rules = {alert.code: alert.level for alert in reversed(found)}
    numbers = {code: number for number, code in enumerate(rules)}
    seen: Counter[str] = Counter()
    run = {
        "tool": {
            "driver": {
                "name": "reconciler",
                "version": version,
                "rules": [_rule(code, level) for code, level in rules.items()],
            }
        },
        "automationDetails": {"id": f"reconciler/{category}/"},
        "columnKind": "unicodeCodePoints",
        "results": [_result(alert, numbers[alert.code], seen) for alert in found],
    }
    body = {"$schema": SCHEMA, "version": "2.1.0", "runs": [run]}
    return without_commands(json.dumps(body, separators=(",", ":"))) + "\n"


def _rule(code: str, level: Level) -> dict[str, Any]:
    return {"id": code, "shortDescription": {"text": code}, "defaultConfiguration": {"level": level.value}}


def _result(alert: Alert, number: int, seen: Counter[str]) -> dict[str, Any]:
    text = "\n".join((alert.summary, *alert.more))
    return {
        "ruleId": alert.code,
        "ruleIndex": number,
        "level": alert.level.value,
        # A viewer makes a link of what looks like one, as markdown has it, unless its bracket is escaped.
        "message": {"text": _LINK.sub(r"\1\1\\[", text)},
        "locations": [] if alert.place is None else [_location(alert.place)],
        "partialFingerprints": {"primaryLocationLineHash": _fingerprint(alert, seen)},
    }


def _location(origin: Origin) -> dict[str, Any]:
    uri = f"{'file://' if origin.file.startswith('/') else ''}{quote(origin.file)}"
    region = {"startLine": origin.line, "startColumn": origin.column}
    return {"physicalLocation": {"artifactLocation": {"uri": uri}, "region": region}}


def _fingerprint(alert: Alert, seen: Counter[str]) -> str:
    """The same for the same finding, wherever its line moves and whatever value is live; equal ones are numbered."""
    import hashlib  # OpenSSL comes with it, which most commands never need

    file = "" if alert.origin is None else alert.origin.file
    what = json.dumps([alert.code, alert.target, file, alert.about or alert.text])
    digest = hashlib.sha256(what.encode()).hexdigest()
    seen[digest] += 1
    return f"{digest}:{seen[digest]}"
