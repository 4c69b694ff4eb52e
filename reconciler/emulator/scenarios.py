"""What goes wrong in a rehearsal, in one JSON object: a shipped profile, or a file of one's own."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from importlib.resources import files
from typing import Any, NoReturn

from reconciler.emulator.faults import Fault
from reconciler.emulator.store import Document
from reconciler.emulator.switches import Switches

_KEYS = ("description", "switches", "faults", "seed")


@dataclass(frozen=True, slots=True)
class Scenario:
    """How the service behaves, and what fails.

    Attributes:
        description: What it is a rehearsal of, in one line.
        switches: The switches that are not at their defaults, by name.
        faults: What fails.
        seed: Which requests the faults with a probability hit; None where it doesn't say.
    """

    description: str
    switches: Mapping[str, Any]
    faults: tuple[Fault, ...]
    seed: int | None


def profiles() -> dict[str, Scenario]:
    """Return the scenarios that come with the emulator, by name."""
    text = files("reconciler.emulator").joinpath("profiles.json").read_text("utf-8")
    return {name: _scenario(values) for name, values in json.loads(text).items()}


def read_scenario(text: str) -> Scenario:
    """Return the scenario written as a JSON object with `switches`, `faults`, `seed` and `description`.

    Raises:
        ValueError: It is no such object; the text names the entry.
    """
    try:
        values = json.loads(text, parse_constant=_refuse_constant)
    except RecursionError:
        raise ValueError("nested too deep") from None
    except json.JSONDecodeError as error:
        raise ValueError(f"not JSON: {error}") from None
    return _scenario(values)


def _scenario(values: Any) -> Scenario:
    if not isinstance(values, dict):
        raise ValueError('must be an object such as {"switches": {}, "faults": []}')  # noqa: TRY004 - of what was written
    unknown = sorted(set(values) - set(_KEYS))
    if unknown:
        raise ValueError(f"{unknown[0]}: no such key; there are {', '.join(_KEYS)}")
    description, seed = values.get("description", ""), values.get("seed")
    if not isinstance(description, str):
        raise ValueError("description: must be text")  # noqa: TRY004 - of what was written
    if isinstance(seed, bool) or not isinstance(seed, int | None):
        raise ValueError(f"seed: {seed} must be a whole number")  # noqa: TRY004 - of what was written
    entries = values.get("faults", [])
    if not isinstance(entries, list):
        raise ValueError("faults: must be a list")  # noqa: TRY004 - of what was written
    return Scenario(description, _switches(values.get("switches", {})), _faults(entries), seed)


def _switches(values: Any) -> Document:
    try:
        Switches().updated(values)
    except ValueError as error:
        raise ValueError(f"switches: {error}") from None
    return dict(values)


def _faults(entries: list[Any]) -> tuple[Fault, ...]:
    faults = []
    for index, entry in enumerate(entries):
        try:
            faults.append(Fault.from_object(entry))
        except ValueError as error:
            raise ValueError(f"faults[{index}]: {error}") from None
    return tuple(faults)


def _refuse_constant(name: str) -> NoReturn:
    raise ValueError(f"{name}: not a number of JSON")
