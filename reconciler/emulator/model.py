"""The routes and shapes of AmplifyBackend, read from botocore's own service model."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any
from urllib.parse import unquote

from botocore.loaders import Loader

SERVICE = "amplifybackend"


@dataclass(frozen=True, slots=True)
class Operation:
    """One modelled operation: its name, its route and the names of its two shapes."""

    name: str
    method: str
    segments: tuple[str, ...]
    input_shape: str
    output_shape: str

    def match(self, method: str, segments: tuple[str, ...]) -> dict[str, str] | None:
        """Return the path's values by their wire names, or None where this is another route."""
        if method != self.method or len(segments) != len(self.segments):
            return None
        values: dict[str, str] = {}
        for pattern, segment in zip(self.segments, segments, strict=True):
            if pattern.startswith("{"):
                if not segment:
                    return None
                values[pattern[1:-1]] = unquote(segment)
            elif pattern != segment:
                return None
        return values


@dataclass(frozen=True, slots=True)
class ServiceModel:
    """Every operation and shape of the service, in the raw form of botocore's JSON."""

    operations: Mapping[str, Operation]
    shapes: Mapping[str, Mapping[str, Any]]

    def route(self, method: str, path: str) -> tuple[Operation, dict[str, str]] | None:
        """Return the operation which `path` (without its query) stands for and the path's values."""
        segments = tuple(path.removeprefix("/").split("/"))
        for operation in self.operations.values():
            values = operation.match(method, segments)
            if values is not None:
                return operation, values
        return None

    def members(self, shape: str) -> Mapping[str, Mapping[str, Any]]:
        """Return a structure's members by their API names."""
        members: Mapping[str, Mapping[str, Any]] = self.shapes[shape].get("members", {})
        return members

    def names_below(self, shape: str) -> frozenset[str]:
        """Return the API names of all members in the tree of `shape`."""
        found: set[str] = set()
        for name, member in self.members(shape).items():
            found |= {name} | self.names_below(member["shape"])
        return frozenset(found)

    def error_status(self, code: str) -> int:
        """Return the HTTP status of a modelled error."""
        status: int = self.shapes[code]["error"]["httpStatusCode"]
        return status


@cache
def service_model() -> ServiceModel:
    """Load the model once a process."""
    raw = Loader().load_service_model(SERVICE, "service-2")
    operations = {
        name: Operation(
            name=name,
            method=entry["http"]["method"],
            segments=tuple(entry["http"]["requestUri"].strip("/").split("/")),
            input_shape=entry["input"]["shape"],
            output_shape=entry["output"]["shape"],
        )
        for name, entry in raw["operations"].items()
    }
    return ServiceModel(operations, raw["shapes"])
