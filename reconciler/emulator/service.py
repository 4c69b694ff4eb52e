"""The operations which the emulator serves, each a function from a request to an answer in API names."""

from collections.abc import Callable, Mapping
from copy import deepcopy

from reconciler.emulator import jobs, reading
from reconciler.emulator.answers import ServiceError
from reconciler.emulator.jobs import Call
from reconciler.emulator.meta import meta_config
from reconciler.emulator.store import Document, Environment

_PAGE = 25


def serve_operation(call: Call, request: Document) -> Document:
    """Return the answer to a decoded request.

    Raises:
        ServiceError: The service refuses it.
    """
    if call.operation not in _OPERATIONS:
        raise ServiceError("BadRequestException", f"The emulator does not serve {call.operation}")
    jobs.settle(call.transaction, call.app, call.switches, call.now)
    return _OPERATIONS[call.operation](call, request)


def _key(call: Call, request: Document) -> Environment:
    return Environment(*call.app, request["BackendEnvironmentName"])


def _existing(call: Call, request: Document) -> Document:
    """Return the environment's document.

    Raises:
        ServiceError: There is none.
    """
    document = call.transaction.environment(_key(call, request))
    if document is None:
        raise ServiceError(
            "NotFoundException",
            f"Backend environment {request['BackendEnvironmentName']} does not exist for app {call.app.app}",
        )
    return document


def _with_auth(call: Call, request: Document) -> Document:
    """Return the environment's document, which has auth of the requested name.

    Raises:
        ServiceError: There is no such environment or auth.
    """
    document = _existing(call, request)
    if document["config"] is None or document["resource"] != request["ResourceName"]:
        raise ServiceError("NotFoundException", _no_auth(request))
    return document


def _no_auth(request: Document) -> str:
    return (
        f"Auth resource {request['ResourceName']} does not exist in backend environment "
        f"{request['BackendEnvironmentName']}"
    )


def _get_backend(call: Call, request: Document) -> Document:
    environments = call.transaction.environments(call.app)
    if not environments:
        raise ServiceError("NotFoundException", f"App {call.app.app} does not exist")
    answer: Document = {
        "AppId": call.app.app,
        "AppName": next(iter(environments.values()))["app_name"],
        "BackendEnvironmentList": list(environments),
    }
    if "BackendEnvironmentName" in request:
        document = _existing(call, request)
        resource, config = _seen(document)
        answer["BackendEnvironmentName"] = request["BackendEnvironmentName"]
        answer["AmplifyFeatureFlags"] = '{"features": {"auth": {"enablecaseinsensitivity": true}}}'
        answer["AmplifyMetaConfig"] = meta_config(
            _key(call, request), {**document, "resource": resource}, config, call.switches
        )
    return answer


def _get_backend_auth(call: Call, request: Document) -> Document:
    key = _key(call, request)
    document = call.transaction.environment(key)
    resource, config = (None, None) if document is None else _seen(document)
    if document is not None:
        _count_read(call, key, document)
    answer: Document = {"AppId": key.app, "BackendEnvironmentName": key.environment}
    if config is not None and resource == request["ResourceName"]:
        answer["ResourceName"] = resource
        answer["ResourceConfig"] = reading.shown(config, key.environment, call.switches, call.number)
        return reading.without_missing(answer, call.switches)
    match call.switches.absent_auth:
        case "notfound":
            raise ServiceError("NotFoundException", _no_auth(request))
        case "badrequest":
            raise ServiceError("BadRequestException", f"ResourceNotFoundException: {_no_auth(request)}")
        case _:
            return answer | {"Error": _no_auth(request)}


def _seen(document: Document) -> tuple[str | None, Document | None]:
    """Return name and configuration of the auth that a read sees just now."""
    seen = document["stale"] or document
    return seen["resource"], seen["config"]


def _count_read(call: Call, key: Environment, document: Document) -> None:
    """Bring what lasts for a number of reads closer to its end."""
    changed = deepcopy(document)
    stale, revert = changed["stale"], changed["revert"]
    if stale:
        stale["reads"] -= 1
        if not stale["reads"]:
            changed["stale"] = None
    elif revert:
        revert["reads"] -= 1
        if revert["reads"] <= 0:
            changed |= {"config": revert["config"], "revert": None}
    if changed != document:
        call.transaction.put_environment(key, changed)


def _create_backend(call: Call, request: Document) -> Document:
    key = _key(call, request)
    if call.transaction.environment(key) is not None:
        raise ServiceError("BadRequestException", f"Backend environment {key.environment} already exists")
    return jobs.start(call, key, request)


def _create_backend_auth(call: Call, request: Document) -> Document:
    if _existing(call, request)["config"] is not None:
        raise ServiceError("BadRequestException", "Auth has already been added to this backend environment")
    return jobs.start(call, _key(call, request), request)


def _update_backend_auth(call: Call, request: Document) -> Document:
    if _with_auth(call, request)["imported"]:
        raise ServiceError("BadRequestException", "Imported auth cannot be updated")
    return jobs.start(call, _key(call, request), request)


def _delete_backend_auth(call: Call, request: Document) -> Document:
    _with_auth(call, request)
    return jobs.start(call, _key(call, request), request)


def _get_backend_job(call: Call, request: Document) -> Document:
    key = _key(call, request)
    for row in jobs.listed(call, key):
        if row.document["id"] == request["JobId"]:
            return jobs.describe(key, row)
    raise ServiceError("NotFoundException", f"Job {request['JobId']} does not exist")


def _list_backend_jobs(call: Call, request: Document) -> Document:
    key = _key(call, request)
    rows = jobs.listed(call, key)
    if not rows:
        _existing(call, request)
    token = request.get("NextToken", "")
    if token and not (token.isascii() and token.isdecimal()):
        raise ServiceError("BadRequestException", "Invalid NextToken")
    filters = {name: request[name] for name in ("JobId", "Operation", "Status") if name in request}
    found = [
        (row.number, job)
        for row in rows
        if not token or row.number < int(token)
        if filters.items() <= (job := jobs.describe(key, row)).items()
    ]
    limit = request.get("MaxResults", _PAGE)
    answer: Document = {"Jobs": [job for _, job in found[:limit]]}
    if len(found) > limit:
        answer["NextToken"] = str(found[limit - 1][0])
    return answer


_OPERATIONS: Mapping[str, Callable[[Call, Document], Document]] = {
    "GetBackend": _get_backend,
    "CreateBackend": _create_backend,
    "CreateBackendAuth": _create_backend_auth,
    "GetBackendAuth": _get_backend_auth,
    "UpdateBackendAuth": _update_backend_auth,
    "DeleteBackendAuth": _delete_backend_auth,
    "ImportBackendAuth": _create_backend_auth,
    "GetBackendJob": _get_backend_job,
    "ListBackendJobs": _list_backend_jobs,
}
