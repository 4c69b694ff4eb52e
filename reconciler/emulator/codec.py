"""Between the wire's JSON and the API's names, with the checks that the service makes of a request."""

import json
import math
from collections.abc import Mapping
from typing import Any

from reconciler.emulator.answers import ServiceError
from reconciler.emulator.model import Operation, ServiceModel

_PYTHON_TYPES: Mapping[str, tuple[type, ...]] = {
    "string": (str,),
    "boolean": (bool,),
    "integer": (int,),
    "long": (int,),
    "double": (int, float),
    "list": (list,),
    "structure": (dict,),
}


def decode_request(model: ServiceModel, operation: Operation, values: Mapping[str, str], body: bytes) -> dict[str, Any]:
    """Return a request in API names.

    Args:
        model: The shapes.
        operation: What is asked for.
        values: The path's values by wire name.
        body: The JSON object of the request, or nothing.

    Raises:
        ServiceError: BadRequestException, where the request does not fit its shape.
    """
    wire = _object(body) if body.strip() else {}
    for name in values:
        if name in wire:
            raise _refused(f"{name}: stands in the path, not in the body")
    decoded: dict[str, Any] = decode(model, operation.input_shape, {**wire, **values})
    return decoded


def decode(model: ServiceModel, shape: str, value: Any, path: str = "", *, wire: bool = True) -> Any:
    """Return `value` in API names after checking names, types, enums, ranges and required members.

    With `wire` False the value already has API names and required members may be missing.

    Raises:
        ServiceError: BadRequestException that names the place.
    """
    entry = model.shapes[shape]
    where = path or "request"
    kind: str = entry["type"]
    if not _has_type(value, kind):
        raise _refused(f"{where}: must be a {kind}")
    if kind == "structure":
        return _decode_structure(model, shape, value, path, wire=wire)
    if kind == "list":
        member = entry["member"]["shape"]
        return [decode(model, member, item, f"{where}[{index}]", wire=wire) for index, item in enumerate(value)]
    if "enum" in entry and value not in entry["enum"]:
        raise _refused(f"{where}: must be one of {', '.join(entry['enum'])}")
    if isinstance(value, float) and not math.isfinite(value):
        raise _refused(f"{where}: must be a finite number")
    if kind == "integer" and not entry.get("min", value) <= value <= entry.get("max", value):
        raise _refused(f"{where}: must be from {entry['min']} to {entry['max']}")
    return value


def encode(model: ServiceModel, shape: str, value: Any) -> Any:
    """Return an answer in wire names; its types are not checked, as the service's answers are not."""
    entry = model.shapes[shape]
    if entry["type"] == "structure" and isinstance(value, dict):
        members = entry["members"]
        return {
            members[name].get("locationName", name): encode(model, members[name]["shape"], item)
            for name, item in value.items()
        }
    if entry["type"] == "list" and isinstance(value, list):
        return [encode(model, entry["member"]["shape"], item) for item in value]
    return value


def _decode_structure(
    model: ServiceModel, shape: str, value: dict[str, Any], path: str, *, wire: bool
) -> dict[str, Any]:
    names = {
        (member.get("locationName", name) if wire else name): (name, member["shape"])
        for name, member in model.members(shape).items()
    }
    decoded: dict[str, Any] = {}
    for key, item in value.items():
        where = f"{path}.{key}" if path else str(key)
        if key not in names:
            raise _refused(f"{where}: unknown member")
        name, member_shape = names[key]
        if item is not None:
            decoded[name] = decode(model, member_shape, item, where, wire=wire)
    missing = [name for name in model.shapes[shape].get("required", ()) if name not in decoded]
    if wire and missing:
        raise _refused(f"{path or 'request'}: misses {', '.join(missing)}")
    return decoded


def _has_type(value: Any, kind: str) -> bool:
    # Python's booleans are integers, JSON's are not.
    return isinstance(value, _PYTHON_TYPES[kind]) and (kind == "boolean" or not isinstance(value, bool))


def _object(body: bytes) -> dict[str, Any]:
    try:
        wire = json.loads(body)
    except (ValueError, RecursionError) as error:
        raise _refused("the body is not JSON") from error
    if not isinstance(wire, dict):
        raise _refused("the body is not a JSON object")
    return wire


def _refused(text: str) -> ServiceError:
    return ServiceError("BadRequestException", f"Invalid request: {text}")
