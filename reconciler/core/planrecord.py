"""One target's plan as JSON data and back: the part of a saved plan that apply reads."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from reconciler.core.fields import FIELD, FIELDS
from reconciler.core.model import (
    Access,
    Action,
    Change,
    Desired,
    FailureKind,
    Finding,
    Mark,
    Movement,
    Path,
    Scalar,
    Setting,
    Target,
    TargetFailure,
    TargetPlan,
    Tree,
)
from reconciler.core.references import Template, parse_references
from reconciler.core.secret import Doubt, Proof, SecretState, Standing
from reconciler.core.tree import ABSENT, as_api, get, leaves, put
from reconciler.errors import Diagnostic, Origin, Severity


def write_target(target: TargetPlan | TargetFailure) -> dict[str, Any]:
    """A target's plan, or why it has none, as JSON data without any secret."""
    if isinstance(target, TargetFailure):
        return {
            "name": target.name,
            "target": _plain(target.target),
            "failed": {
                "kind": target.kind.value,
                "summary": target.summary,
                "detail": target.detail,
                "hint": target.hint,
                "diagnostics": [_diagnostic(diagnostic) for diagnostic in target.diagnostics],
            },
        }
    desired = target.desired
    return {
        "name": target.name,
        "target": _plain(target.target),
        "access": _plain(desired.access),
        "origin": _place(desired.origin),
        "allow": sorted(desired.allow),
        "labels": dict(desired.labels),
        "wave": desired.wave,
        "send_secrets": sorted(list(path) for path in desired.sends),
        "hidden": sorted(list(path) for path in desired.hidden),
        "desired": [
            {"path": list(path), "value": _setting(path, setting), "origin": _place(setting.origin)}
            for path, setting in desired.settings.items()
        ],
        "fingerprint": target.fingerprint,
        "live": write_tree(target.live),
        "planned": write_tree(target.planned),
        "changes": [_change(change) for change in target.changes],
        "sent": list(target.sent),
        "secrets": [_standing(standing) for standing in target.secrets],
        "blocks": [write_finding(finding) for finding in target.blocks],
        "guards": [write_finding(finding) for finding in target.guards],
        "warnings": [write_finding(finding) for finding in target.warnings],
        "notes": [write_finding(finding) for finding in target.notes],
        "unchanged": target.unchanged,
        "unmanaged": target.unmanaged,
        "applyable": target.applyable,
    }


def _plain(value: Target | Access) -> dict[str, str | None]:
    return {name: getattr(value, name) for name in type(value).__slots__}


def _place(origin: Origin | None) -> list[str | int] | None:
    return None if origin is None else [origin.file, origin.line, origin.column]


def _setting(path: Path, setting: Setting) -> Any:
    if isinstance(setting.value, tuple):
        return [{"value": member.value, "origin": _place(member.origin)} for member in setting.value]
    if not isinstance(setting.value, Template):
        return setting.value
    # Elsewhere than in a secret's field a text may look like a reference, and be none.
    return setting.value.text if FIELD[path].secret else {"reference": setting.value.text}


def _standing(standing: Standing) -> dict[str, Any]:
    return {
        "path": list(standing.path),
        "state": standing.proof.value,
        "doubt": None if standing.doubt is None else standing.doubt.name,
        "fingerprint": standing.fingerprint,
    }


def write_tree(tree: Tree) -> dict[str, Any]:
    """A canonical tree in the API's shape, a word in place of each secret and each mark."""
    shaped = as_api(tree)
    for row, value in leaves(tree):
        if isinstance(value, SecretState):
            put(shaped, row.path, value.value if row.secret else {"secret": value.value})
        elif isinstance(value, Mark):
            put(shaped, row.path, {"mark": value.name})
    return shaped


def _value(value: Scalar | Mark | None) -> Any:
    return {"mark": value.name} if isinstance(value, Mark) else value


def _change(change: Change) -> dict[str, Any]:
    return {
        "path": list(change.path),
        "action": change.action.value,
        "before": _value(change.before),
        "after": _value(change.after),
        "origin": _place(change.origin),
        "blocked": change.blocked,
        "unproven": change.unproven,
        "movement": None if change.movement is None else change.movement.value,
    }


def write_finding(finding: Finding) -> dict[str, Any]:
    """A finding as JSON data."""
    return {
        "code": finding.code,
        "summary": finding.summary,
        "detail": finding.detail,
        "hint": finding.hint,
        "origin": _place(finding.origin),
        "about": finding.about,
    }


def _diagnostic(diagnostic: Diagnostic) -> dict[str, Any]:
    return {
        "severity": diagnostic.severity.value,
        "code": diagnostic.code,
        "summary": diagnostic.summary,
        "detail": diagnostic.detail,
        "hint": diagnostic.hint,
        "origin": _place(diagnostic.origin),
        "excerpt": diagnostic.excerpt,
        "target": diagnostic.target,
    }


def read_target(data: Mapping[str, Any]) -> TargetPlan | TargetFailure:
    """What :func:`write_target` wrote.

    Raises:
        KeyError, TypeError, ValueError, AttributeError: the data has another shape.
    """
    target = Target(**data["target"])
    if "failed" in data:
        failed = data["failed"]
        diagnostics = tuple(_read_diagnostic(diagnostic) for diagnostic in failed["diagnostics"])
        kind = FailureKind(failed["kind"])
        return TargetFailure(
            data["name"], target, kind, failed["summary"], failed["detail"], failed["hint"], diagnostics
        )
    desired = Desired(
        name=data["name"],
        target=target,
        access=Access(**data["access"]),
        settings=dict(_read_setting(setting) for setting in data["desired"]),
        origin=_need_place(data["origin"]),
        allow=frozenset(data["allow"]),
        labels=data["labels"],
        # What follows is in no record of an earlier version; a saved plan of one is refused before.
        sends=frozenset(tuple(path) for path in data.get("send_secrets", ())),
        hidden=frozenset(tuple(path) for path in data.get("hidden", ())),
        wave=_whole(data.get("wave", 0)),
    )
    return TargetPlan(
        desired=desired,
        fingerprint=data["fingerprint"],
        live=read_tree(data["live"]),
        planned=read_tree(data["planned"]),
        changes=tuple(_read_change(change) for change in data["changes"]),
        sent=tuple(data["sent"]),
        secrets=tuple(_read_standing(standing) for standing in data.get("secrets", ())),
        blocks=tuple(read_finding(finding) for finding in data["blocks"]),
        guards=tuple(read_finding(finding) for finding in data["guards"]),
        warnings=tuple(read_finding(finding) for finding in data["warnings"]),
        notes=tuple(read_finding(finding) for finding in data["notes"]),
        unchanged=data["unchanged"],
        unmanaged=data["unmanaged"],
    )


def _whole(data: Any) -> int:
    if type(data) is not int:
        raise TypeError("a wave is a whole number")
    return data


def _read_setting(data: Mapping[str, Any]) -> tuple[Path, Setting]:
    path, value = tuple(data["path"]), data["value"]
    if isinstance(value, list):
        value = tuple(Setting(member["value"], _need_place(member["origin"])) for member in value)
    elif isinstance(value, dict):
        value = _reference(value["reference"])
    elif path in FIELD and FIELD[path].secret and isinstance(value, str):
        value = _reference(value)
    return path, Setting(value, _need_place(data["origin"]))


def _reference(text: str) -> Template:
    template = parse_references(text)
    if not isinstance(template, Template):
        raise TypeError("a plan holds a reference where a secret is, and nothing else")
    return template


def _read_standing(data: Mapping[str, Any]) -> Standing:
    doubt = None if data["doubt"] is None else Doubt[data["doubt"]]
    return Standing(tuple(data["path"]), Proof(data["state"]), doubt, data["fingerprint"])


def read_tree(shaped: Mapping[str, Any]) -> Tree:
    """What :func:`write_tree` wrote."""
    tree: Tree = {}
    for row in FIELDS:
        value = get(dict(shaped), row.path)
        if value is ABSENT:
            continue
        if isinstance(value, dict):
            put(tree, row.path, SecretState(value["secret"]) if "secret" in value else Mark[value["mark"]])
        elif isinstance(value, list) is not (row.is_set and value is not None):
            raise TypeError("a list stands where a set is, and nowhere else")
        elif row.secret:
            put(tree, row.path, SecretState(value))
        else:
            put(tree, row.path, dict.fromkeys(value, True) if isinstance(value, list) else value)
    return tree


def _read_value(value: Any) -> Any:
    return Mark[value["mark"]] if isinstance(value, dict) else value


def _read_change(data: Mapping[str, Any]) -> Change:
    path, before, after = tuple(data["path"]), _read_value(data["before"]), _read_value(data["after"])
    if path in FIELD and FIELD[path].secret and not all(isinstance(value, Mark | None) for value in (before, after)):
        raise TypeError("a plan holds a word where a secret is, and nothing else")
    return Change(
        path=path,
        action=Action(data["action"]),
        before=before,
        after=after,
        origin=_read_place(data["origin"]),
        blocked=data["blocked"],
        unproven=data["unproven"],
        movement=None if data.get("movement") is None else Movement(data["movement"]),
    )


def read_finding(data: Mapping[str, Any]) -> Finding:
    """What :func:`write_finding` wrote."""
    about = data.get("about", "")  # in no record of an earlier version
    return Finding(data["code"], data["summary"], data["detail"], data["hint"], _read_place(data["origin"]), about)


def _read_diagnostic(data: Mapping[str, Any]) -> Diagnostic:
    return Diagnostic(
        Severity(data["severity"]),
        data["code"],
        data["summary"],
        data["detail"],
        data["hint"],
        _read_place(data["origin"]),
        data["excerpt"],
        data["target"],
    )


def _read_place(data: Any) -> Origin | None:
    return None if data is None else _need_place(data)


def _need_place(data: Any) -> Origin:
    match data:
        case [str(file), int(line), int(column)]:
            return Origin(file, line, column)
        case _:
            raise TypeError("a place is a file, a line and a column")
