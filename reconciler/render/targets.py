"""Which targets documents describe, and where what they are reached by comes from: for people and for machines."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from reconciler.core.given import Given
from reconciler.core.model import Desired, Path
from reconciler.errors import Origin
from reconciler.render.harmless import fence, line, without_commands

TARGETS_FORMAT_VERSION = "1.0"


@dataclass(frozen=True, slots=True)
class Listed:
    """One target that would be touched, and what it is reached by, such as its region."""

    desired: Desired
    given: Mapping[str, Given]


def targets_text(targets: Sequence[Listed], unmeant: int, unfit: Sequence[Origin]) -> str:
    """A few lines for each target, and how many there are.

    Args:
        targets: those that are meant.
        unmeant: how many more the options leave out.
        unfit: the places of overrides that none of all these fits.
    """
    paragraphs = ["\n".join(_lines(target)) for target in targets]
    left_out = f", {unmeant} left out" if unmeant else ""
    sums = [f"{len(targets)} target{'s' if len(targets) != 1 else ''}{left_out}."]
    sums += [line(f"No target fits the override at {origin}.") for origin in unfit]
    return "\n\n".join([*paragraphs, "\n".join(sums)]) + "\n"


def targets_markdown(targets: Sequence[Listed], unmeant: int, unfit: Sequence[Origin]) -> str:
    """The same, in a block that no forge makes anything of."""
    text = without_commands(targets_text(targets, unmeant, unfit))
    mark = fence(text)
    return f"{mark}\n{text}{mark}\n"


def targets_json(targets: Sequence[Listed]) -> str:
    """An object for each target, in the order of the input; ``from`` tells where each value comes from."""
    listed = {"targets_version": TARGETS_FORMAT_VERSION, "targets": [_object(target) for target in targets]}
    return json.dumps(listed, indent=2, ensure_ascii=False) + "\n"


def _lines(target: Listed) -> Iterator[str]:
    desired, where = target.desired, target.desired.target
    yield f"{line(desired.name)}  ({line(str(desired.origin))})"
    yield line(f"  app {where.app}, environment {where.environment}, resource {where.resource}")
    width = max((len(given.value) for given in target.given.values()), default=0)
    for key, given in target.given.items():
        yield line(f"  {key:<12}  {given.value:<{width}}  # {given.where}")
    if desired.labels:
        yield line(f"  labels {', '.join(f'{key}={value}' for key, value in desired.labels.items())}")
    yield f"  manages {', '.join(_blocks(desired)) or 'nothing'}"


def _blocks(desired: Desired) -> Iterator[str]:
    """What a document manages, by block, each with the number of its settings."""
    counts: dict[str, int] = {}
    for path in desired.settings:
        counts[_block(path)] = counts.get(_block(path), 0) + 1
    return (f"{block} ({count})" for block, count in counts.items())


def _block(path: Path) -> str:
    return path[1] if len(path) > 1 else path[0]


def _object(target: Listed) -> dict[str, Any]:
    desired, where = target.desired, target.desired.target
    return {
        "name": desired.name,
        "app": where.app,
        "environment": where.environment,
        "resource": where.resource,
        **{key: given.value for key, given in target.given.items() if key != "wave"},
        "wave": desired.wave,
        "labels": dict(desired.labels),
        "origin": str(desired.origin),
        "from": {key: given.where for key, given in target.given.items()},
    }
