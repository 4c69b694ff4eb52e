"""Jobs: one at a time in an environment, their progress read off the clock, their effect at their end."""

from collections.abc import Callable, Mapping
from copy import deepcopy
from dataclasses import dataclass
from typing import Any
from uuid import uuid4

from reconciler.emulator import auth, faults, hits
from reconciler.emulator.answers import ServiceError
from reconciler.emulator.faults import Fault
from reconciler.emulator.meta import RESOURCE, extras
from reconciler.emulator.rules import reasons
from reconciler.emulator.store import App, Document, Environment, Row, Transaction
from reconciler.emulator.switches import Switches

_COLLATERAL = ("UserPoolConfigs.PasswordPolicy.MinimumLength", 20)
_META_COLLATERAL = (f"{RESOURCE}.output.UserPoolId", "us-east-1_Replaced1")


@dataclass(frozen=True, slots=True)
class Call:
    """One request on its way through the service.

    Attributes:
        transaction: The state.
        switches: How the service behaves.
        now: Seconds since the epoch.
        app: The app that the request is about.
        operation: The API operation's name.
        number: The request's number, different for each.
        late: Seconds after which a job that this request starts comes to light.
    """

    transaction: Transaction
    switches: Switches
    now: float
    app: App
    operation: str
    number: int
    late: float = 0.0


def new_environment(app_name: str, now: float) -> Document:
    """Return an environment without auth."""
    return {
        "app_name": app_name,
        "resource": None,
        "config": None,
        "imported": None,
        "generation": 0,
        "pushed": now,
        "cleared": [],
        "meta_changes": [],
        "stale": None,
        "revert": None,
    }


def start(call: Call, key: Environment, request: Document) -> Document:
    """Start the job that carries out `request`, and return the job as the service answers.

    Raises:
        ServiceError: Another job is running there.
    """
    if any(row.document["outcome"] is None for row in _visible(call, key)):
        raise ServiceError(
            "ValidationException",
            f"There is already a pending job for the requested appId: {key.app} and backendEnvironmentName: "
            f"{key.environment}, wait for it to complete before creating a new job.",
        )
    fault = hits.take(call.transaction, faults.JOB, call.operation, request, number=call.number, now=call.now)
    seconds = fault.seconds if fault and fault.seconds else call.switches.job_seconds
    begin = call.now + call.late
    stuck = fault is not None and fault.kind == "job_stuck"
    label = (fault.text or "QUEUED") if fault and fault.kind == "job_unknown_status" else "RUNNING"
    row = call.transaction.add_job(
        key,
        {
            "id": str(uuid4()),
            "operation": call.operation,
            "request": request,
            "begin": begin,
            "finish": None if stuck else begin + seconds,
            "label": label,
            "outcome": None,
            "error": "",
            "fault": fault.document() if fault else None,
        },
    )
    settle(call.transaction, call.app, call.switches, call.now)
    for stored in call.transaction.jobs(key):
        if stored.number == row.number:
            row = stored
    answer = describe(key, row)
    shown = ("AppId", "BackendEnvironmentName", "Error", "JobId", "Operation", "Status")
    hidden = "JobId" if call.switches.job_id == "absent" else ""
    return {name: answer[name] for name in shown if name in answer and name != hidden}


def listed(call: Call, key: Environment) -> list[Row]:
    """Return an environment's jobs that have come to light, the newest first."""
    return _visible(call, key)


def describe(key: Environment, row: Row) -> Document:
    """Return a job in API names."""
    job = row.document
    changed = job["begin"] if job["outcome"] is None else job["finish"]
    answer = {
        "AppId": key.app,
        "BackendEnvironmentName": key.environment,
        "JobId": job["id"],
        "Operation": job["operation"],
        "Status": job["outcome"] or job["label"],
        "CreateTime": _milliseconds(job["begin"]),
        "UpdateTime": _milliseconds(changed),
    }
    return answer | ({"Error": job["error"]} if job["error"] else {})


def settle(transaction: Transaction, app: App, switches: Switches, now: float) -> None:
    """Carry out every job of an app whose time has come, in the order in which they end."""
    due = [
        (job.document["finish"], job.number, key, job)
        for key, job in transaction.unsettled_jobs(app)
        if job.document["finish"] is not None and job.document["finish"] <= now
    ]
    for finish, _, key, row in sorted(due, key=lambda entry: entry[:2]):
        job = row.document
        document = transaction.environment(key)
        fault = Fault(**job["fault"]) if job["fault"] else None
        try:
            after = _effect(document, key.environment, job, fault, switches=switches, finish=finish)
        except auth.JobRefusedError as error:
            job |= {"outcome": "FAILED", "error": faults.transcript(fault, str(error))}
        else:
            job["outcome"] = "COMPLETED"
            if after is not None:
                transaction.put_environment(key, after)
        transaction.put_job(row, settled=True)


def _visible(call: Call, key: Environment) -> list[Row]:
    return [row for row in call.transaction.jobs(key) if row.document["begin"] <= call.now]


def _effect(
    before: Document | None,
    environment: str,
    job: Document,
    fault: Fault | None,
    *,
    switches: Switches,
    finish: float,
) -> Document | None:
    """Return the environment after a job, or None where nothing changes."""
    kind = fault.kind if fault else ""
    if kind == "job_failed":
        raise auth.JobRefusedError("Resource handler returned message: Invalid request provided")
    if kind == "no_effect":
        return None
    if before is None:
        return new_environment(job["request"].get("AppName", ""), finish)
    after = deepcopy(before)
    _EFFECTS[job["operation"]](after, job["request"], switches)
    if switches.rules == "enforced" and after["config"] is not None:
        found = reasons(after["config"], environment)
        if found:
            raise auth.JobRefusedError("; ".join(found))
    after["pushed"] = finish
    if fault is not None and after["config"] is not None:
        _add_fault(before, after, fault)
    if switches.stale_reads:
        shown = {"resource": before["resource"], "config": before["config"]}
        after["stale"] = {**shown, "reads": switches.stale_reads}
    return after


def _add_fault(before: Document, after: Document, fault: Fault) -> None:
    match fault.kind:
        case "collateral":
            path, value = (fault.field, fault.value) if fault.field else _COLLATERAL
            *above, name = path.split(".")
            place = after["config"]
            for step in above:
                place = place.setdefault(step, {})
            if value is None:
                place.pop(name, None)
            else:
                place[name] = value
        case "meta_collateral":
            after["meta_changes"].append((fault.field, fault.value) if fault.field else _META_COLLATERAL)
        case "revert":
            after["revert"] = {"config": before["config"], "reads": fault.reads}


def _create_backend(_document: Document, _request: Document, _switches: Switches) -> None:
    raise auth.JobRefusedError("The backend environment exists already")


def _create_auth(document: Document, request: Document, _switches: Switches) -> None:
    auth.refuse_mfa_off_with_settings(request["ResourceConfig"]["UserPoolConfigs"].get("Mfa", {}))
    put_auth(document, request["ResourceName"], request["ResourceConfig"])


def put_auth(document: Document, resource: str, config: Document) -> None:
    """Give an environment new auth, in place."""
    document |= {
        "resource": resource,
        "config": auth.created(resource, config),
        "imported": None,
        "generation": document["generation"] + 1,
        "cleared": [],
        "meta_changes": [],
        "stale": None,
        "revert": None,
    }


def _update_auth(document: Document, request: Document, switches: Switches) -> None:
    if document["config"] is None:
        raise auth.JobRefusedError("There is no auth resource")
    document["config"] = auth.updated(request["ResourceName"], document["config"], request["ResourceConfig"], switches)
    document["cleared"] = sorted({*document["cleared"], *extras(switches, document)})
    document["revert"] = None


def _delete_auth(document: Document, _request: Document, _switches: Switches) -> None:
    document |= {"resource": None, "config": None, "imported": None, "stale": None, "revert": None}


def _import_auth(document: Document, request: Document, _switches: Switches) -> None:
    resource = f"{document['app_name'] or 'imported'}auth"
    config: Document = {}
    if "IdentityPoolId" in request:
        config["IdentityPoolConfigs"] = {"UnauthenticatedLogin": False}
    put_auth(document, resource, config)
    names = ("UserPoolId", "IdentityPoolId", "NativeClientId", "WebClientId")
    document["imported"] = {name: request[name] for name in names if name in request}


_EFFECTS: Mapping[str, Callable[[Document, Document, Switches], None]] = {
    "CreateBackend": _create_backend,
    "CreateBackendAuth": _create_auth,
    "UpdateBackendAuth": _update_auth,
    "DeleteBackendAuth": _delete_auth,
    "ImportBackendAuth": _import_auth,
}


def _milliseconds(seconds: Any) -> str:
    return str(int(seconds * 1000))
