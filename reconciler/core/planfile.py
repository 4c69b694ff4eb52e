"""Plans as JSON and back: terraform's plan representation, with all of our own under one key."""

from __future__ import annotations

import json
from collections.abc import Container, Mapping, Sequence
from typing import Any

from reconciler.core import fields
from reconciler.core.fields import CREATE_ONLY, FIELD, SHAPE, Field, Mismatch, Shape
from reconciler.core.model import Change, Commit, Mark, Path, Plan, TargetPlan, Tree
from reconciler.core.planrecord import read_target, write_target
from reconciler.core.secret import Secret, SecretState
from reconciler.core.threeway import drifted
from reconciler.core.tree import ABSENT, as_api, drop, get, leaves, put
from reconciler.errors import PlanRefused

FORMAT_VERSION = "1.2"
TERRAFORM_VERSION = "1.9.8"
"""The terraform whose plan representation this is; tools that read plans ask for it."""
RESOURCE_TYPE = "amplifybackend_auth"
PROVIDER = "registry.terraform.io/reconciler/amplifybackend"
PLAN_VERSION = 5
_CANONICAL = json.JSONEncoder(sort_keys=True, ensure_ascii=False, separators=(",", ":"))


def fingerprint(tree: Tree) -> str:
    """A digest of a whole live configuration: the same for the same state, however it was spelt.

    Sets are sorted, and of a secret only its state word goes in. Members whose reads are unreliable, and
    which no update can change, stay out: they would make a plan stale at random.
    """
    flat: dict[str, Any] = {}
    _flatten(tree, SHAPE, flat)
    return _digest(flat)


def _flatten(tree: Tree, shape: Shape, flat: dict[str, Any]) -> None:
    for name, value in tree.items():
        below = shape[name]
        if not isinstance(below, Field):
            _flatten(value, below, flat)
        elif below.create_only is not Mismatch.WARNING:
            flat[below.name] = value if type(value) is str else _plain(value)


def _plain(value: Any) -> Any:
    match value:
        case dict():
            return sorted(value)
        case Secret():
            return SecretState.READABLE.value
        case SecretState():
            return value.value
        case Mark():
            return value.name
        case _:
            return value


def to_json(plan: Plan, *, version: str, waived: Sequence[Mapping[str, Any]] = ()) -> dict[str, Any]:
    """The plan as JSON data; ``version`` is that of the tool that made it. No secret is in it.

    ``waived`` are the changes that are no drift, of which an apply takes no notice; only drift tells of them.
    """
    quiet = {(one["target"], tuple(one["path"])) for one in waived}
    body: dict[str, Any] = {
        "format_version": FORMAT_VERSION,
        "terraform_version": TERRAFORM_VERSION,
        "planned_values": {"root_module": {"resources": [_planned_value(target) for target in plan.planned]}},
        "resource_changes": [_resource_change(target) for target in plan.planned],
        "resource_drift": [
            _resource_drift(target, moved) for target in plan.planned if (moved := _moved(target, plan, quiet))
        ],
        "configuration": {"root_module": {}},
        "timestamp": plan.created,
        "errored": bool(plan.failures),
        "complete": not plan.failures,
        "applyable": applyable(plan),
        "reconciler": {
            "plan_version": PLAN_VERSION,
            "catalogue_version": fields.VERSION,
            "version": version,
            "folder": plan.folder,
            "project": plan.project,
            "ruled": plan.ruled,
            "commit": None if plan.commit is None else {"id": plan.commit.id, "dirty": plan.commit.dirty},
            "ledger": plan.ledger,
            "base": plan.base,
            "targets": [write_target(target) for target in plan.targets],
        },
    }
    if waived:
        body["reconciler"]["waived"] = list(waived)
    body["reconciler"]["digest"] = _digest(body)
    return body


def digest_of(plan: Plan, *, version: str) -> str:
    """The digest under which a plan is known: that of its saved form."""
    return plan.digest or str(to_json(plan, version=version)["reconciler"]["digest"])


def applyable(plan: Plan) -> bool:
    """Whether every target was planned, something is to be done, and nothing is in the way."""
    changed = [target for target in plan.planned if target.changes]
    return bool(changed) and not plan.failures and all(target.applyable for target in changed)


def from_json(text: str) -> Plan:
    """Read a saved plan.

    Raises:
        PlanRefused: the text is no plan, was damaged or edited, or is of another version.
    """
    try:
        body = json.loads(text)
    except (ValueError, RecursionError):
        raise PlanRefused("The plan file is not JSON", hint="plan again with --out") from None
    if not isinstance(body, dict) or not isinstance(body.get("reconciler"), dict):
        raise PlanRefused("The file is no plan of reconciler", hint="plan with --out and apply that file")
    own = dict(body["reconciler"])
    if (own.get("plan_version"), own.get("catalogue_version")) != (PLAN_VERSION, fields.VERSION):
        raise PlanRefused("The plan was made by another version of reconciler", hint="plan again with this one")
    recorded = str(own.pop("digest", None))
    if recorded != _digest({**body, "reconciler": own}):
        raise PlanRefused(
            "The plan file is damaged or was edited", detail="its digest does not match", hint="plan again"
        )
    try:
        targets = tuple(read_target(target) for target in own["targets"])
        commit = None if own["commit"] is None else Commit(**own["commit"])
        return Plan(
            targets,
            body["timestamp"],
            own["folder"],
            commit,
            own["ledger"],
            recorded,
            _relative(own["project"]),
            own["base"],
            own["ruled"] is True,
        )
    except (KeyError, TypeError, ValueError, AttributeError):
        raise PlanRefused("The plan file does not have the shape of a plan", hint="plan again with --out") from None


def _relative(path: Any) -> str:
    """A path that leads from one folder to another.

    Raises:
        ValueError: it is none.
    """
    if not isinstance(path, str) or not path.isprintable() or not path or path.startswith("/"):
        raise ValueError("no relative path")
    return path


def _digest(value: Any) -> str:
    import hashlib  # OpenSSL comes with it, which most commands never need

    return "sha256:" + hashlib.sha256(_CANONICAL.encode(value).encode("utf-8", "surrogatepass")).hexdigest()


# --- terraform's part --------------------------------------------------------------------------


def _address(name: str) -> dict[str, Any]:
    return {
        "address": f"{RESOURCE_TYPE}.{name}",
        "mode": "managed",
        "type": RESOURCE_TYPE,
        "name": name,
        "provider_name": PROVIDER,
    }


def _values(plan: TargetPlan, tree: Tree) -> dict[str, Any]:
    """A tree as terraform shows a resource's values: null for a secret, nothing for what is not known."""
    target = plan.target
    shaped = as_api(tree)
    for row, value in leaves(tree):
        if isinstance(value, SecretState):
            put(shaped, row.path, None)
        elif isinstance(value, Mark):
            parent = get(shaped, row.path[:-1])
            del parent[row.path[-1]]
    identity = {
        "AppId": target.app,
        "BackendEnvironmentName": target.environment,
        "ResourceName": target.resource,
    }
    return {**identity, "ResourceConfig": shaped}


def _sensitive(tree: Tree) -> dict[str, Any]:
    marks: dict[str, Any] = {}
    for row, value in leaves(tree):
        if row.secret or isinstance(value, SecretState):
            put(marks, ("ResourceConfig", *row.path), True)
    return marks


def _planned_value(plan: TargetPlan) -> dict[str, Any]:
    return {
        **_address(plan.name),
        "schema_version": 0,
        "values": _values(plan, plan.planned),
        "sensitive_values": _sensitive(plan.planned),
    }


def _resource_change(plan: TargetPlan) -> dict[str, Any]:
    after = _values(plan, plan.planned)
    unknown: dict[str, Any] = {}
    for row, value in leaves(plan.planned):
        if isinstance(value, Mark):
            put(unknown, ("ResourceConfig", *row.path), True)
    for change in plan.changes:
        if change.blocked and FIELD.get(change.path) in CREATE_ONLY:
            put(after, ("ResourceConfig", *change.path), change.after)
        elif change.after is Mark.SENSITIVE:
            parent = get(after, ("ResourceConfig", *change.path[:-1]))
            parent.pop(change.path[-1], None)
            put(unknown, ("ResourceConfig", *change.path), True)
    return {
        **_address(plan.name),
        "change": {
            "actions": ["update"] if plan.changes else ["no-op"],
            "before": _values(plan, plan.live),
            "after": after,
            "after_unknown": unknown,
            "before_sensitive": _sensitive(plan.live),
            "after_sensitive": _sensitive(plan.planned),
        },
    }


def _moved(target: TargetPlan, plan: Plan, waived: Container[tuple[str, Path]]) -> list[Change]:
    """What moved outside git; without a base nobody can tell that from what is not applied yet."""
    moved = drifted(target, since_base=True) if plan.base is not None else ()
    return [change for change in moved if (target.name, change.path) not in waived]


def _resource_drift(plan: TargetPlan, moved: Sequence[Change]) -> dict[str, Any]:
    """What moved outside git, the way terraform tells it: from what was there before it did to what is live."""
    change = _resource_change(plan)["change"]
    sides = {"before": _before(plan, moved), "after": change["before"]}
    marks = {"before_sensitive": change["after_sensitive"], "after_sensitive": change["before_sensitive"]}
    return {**_address(plan.name), "change": {"actions": ["update"], **sides, "after_unknown": {}, **marks}}


def _before(plan: TargetPlan, moved: Sequence[Change]) -> dict[str, Any]:
    """Live, as it would be had nothing moved outside git."""
    values = _values(plan, plan.live)
    for change in moved:
        place, around = ("ResourceConfig", *change.path), FIELD.get(change.path[:-1])
        if around is not None and around.is_set:
            members = set(present if (present := get(values, place[:-1])) is not ABSENT else ()) - {place[-1]}
            put(values, place[:-1], sorted(members | ({place[-1]} if change.after else set())))
        elif change.after is None:
            drop(values, place)
        elif not isinstance(change.after, Mark):
            put(values, place, change.after)
    return values
