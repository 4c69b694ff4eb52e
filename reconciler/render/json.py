"""JSON on one line, as terraform prints it: plans, outcomes, and diagnostics like those of ``terraform validate``."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from reconciler.core import planfile
from reconciler.core.model import DONE, Change, Finding, Mark, Outcome, OutcomeKind, Plan, Scalar, Waiver
from reconciler.core.waivers import Standing, judged
from reconciler.errors import Diagnostic, Origin, Severity
from reconciler.render.harmless import without_commands

OUTCOME_FORMAT_VERSION = "1.0"
DIAGNOSTICS_FORMAT_VERSION = "1.0"


def plan_json(plan: Plan, version: str) -> str:
    """The plan as a saved plan is written; :func:`reconciler.core.planfile.from_json` reads it.

    Args:
        plan: what was planned.
        version: that of the tool.
    """
    return _line(planfile.to_json(plan, version=version))


def drift_json(plan: Plan, version: str) -> str:
    """The plan, with what is waived under ``reconciler.waived``: each waiver that holds, and its target's name."""
    now = datetime.fromisoformat(plan.created)
    waived = [
        {"target": target.name, **waiver_object(one.waiver)}
        for target in plan.planned
        for one in judged(target, now)
        if one.standing is Standing.HOLDS
    ]
    return _line(planfile.to_json(plan, version=version, waived=waived))


def waiver_object(waiver: Waiver) -> dict[str, Any]:
    """A waiver as data; None stands for what is absent, and True for a member of a list that is there."""
    return {
        "path": list(waiver.path),
        "value": waiver.value,
        "instead_of": waiver.instead_of,
        "owner": waiver.owner,
        "reason": waiver.reason,
        "expires": waiver.expires.isoformat(),
        "origin": [waiver.origin.file, waiver.origin.line, waiver.origin.column],
    }


def outcome_json(outcomes: Sequence[Outcome], version: str) -> str:
    """What became of each target.

    Args:
        outcomes: in the order of the plan.
        version: that of the tool.
    """
    kinds = [outcome.kind for outcome in outcomes]
    return _line(
        {
            "format_version": OUTCOME_FORMAT_VERSION,
            "version": version,
            "complete": all(kind in DONE for kind in kinds),
            "counts": {kind.value: kinds.count(kind) for kind in OutcomeKind if kind in kinds},
            "outcomes": [_outcome(outcome) for outcome in outcomes],
        }
    )


def diagnostics_json(diagnostics: Sequence[Diagnostic]) -> str:
    """Problems of the input in the shape of ``terraform validate -json``, with their codes and hints."""
    severities = [diagnostic.severity for diagnostic in diagnostics]
    return _line(
        {
            "format_version": DIAGNOSTICS_FORMAT_VERSION,
            "valid": Severity.ERROR not in severities,
            "error_count": severities.count(Severity.ERROR),
            "warning_count": severities.count(Severity.WARNING),
            "diagnostics": [_diagnostic(diagnostic) for diagnostic in diagnostics],
        }
    )


def _line(body: Mapping[str, Any]) -> str:
    """ASCII alone, so that nothing in it is a control, a bidi sign or half a character; equal data when read back."""
    return without_commands(json.dumps(body, separators=(",", ":"))) + "\n"


def _outcome(outcome: Outcome) -> dict[str, Any]:
    target = outcome.target
    return {
        "name": outcome.name,
        "address": f"{planfile.RESOURCE_TYPE}.{outcome.name}",
        "target": {
            "account": target.account,
            "region": target.region,
            "endpoint": target.endpoint,
            "app": target.app,
            "environment": target.environment,
            "resource": target.resource,
        },
        "kind": outcome.kind.value,
        "summary": outcome.summary,
        "detail": outcome.detail,
        "hint": outcome.hint,
        "job": outcome.job,
        "changes": [_change(change) for change in outcome.changes],
        "collateral": [_change(change) for change in (outcome.collateral.changes if outcome.collateral else ())],
        "findings": [_finding(finding) for finding in outcome.findings],
    }


def _change(change: Change) -> dict[str, Any]:
    return {
        "path": list(change.path),
        "action": change.action.value,
        "before": _value(change.before),
        "after": _value(change.after),
        "unproven": change.unproven,
        **_range(change.origin),
    }


def _value(value: Scalar | Mark | None) -> Any:
    """A value as it is; a mark the way a saved plan writes it, so that no string is taken for one."""
    return {"mark": value.name} if isinstance(value, Mark) else value


def _finding(finding: Finding) -> dict[str, Any]:
    return {
        "code": finding.code,
        "summary": finding.summary,
        "detail": finding.detail,
        "hint": finding.hint,
        **_range(finding.origin),
    }


def _diagnostic(diagnostic: Diagnostic) -> dict[str, Any]:
    target = {} if diagnostic.target is None else {"target": diagnostic.target}
    return {
        "severity": diagnostic.severity.value,
        "code": diagnostic.code,
        "summary": diagnostic.summary,
        "detail": diagnostic.detail,
        "hint": diagnostic.hint,
        **_range(diagnostic.origin),
        **target,
    }


def _range(origin: Origin | None) -> dict[str, Any]:
    """Where something is written, as terraform says it; nothing where that is not known."""
    if origin is None:
        return {}
    return {"range": {"filename": origin.file, "start": {"line": origin.line, "column": origin.column}}}
