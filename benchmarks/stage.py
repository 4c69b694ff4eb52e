"""Puts the fleet into an emulator's state, or counts its requests: ``python -m benchmarks.stage put|count FOLDER [N]``.

A process of its own, so that the one that measures stays small: see measure.py.
"""

from __future__ import annotations

import sys
from pathlib import Path

import yaml

from benchmarks.fleet import ENVIRONMENT, EXAMPLE, RESOURCE, app_of
from reconciler.emulator import EMULATOR_ACCOUNT, EMULATOR_REGION, Emulator


def put(emulator: Emulator, count: int) -> None:
    """Let the example and the fleet be live as their documents want them."""
    example = yaml.safe_load(EXAMPLE.read_text(encoding="utf-8"))
    for app in (example["AppId"], *map(app_of, range(count))):
        emulator.put_live(EMULATOR_ACCOUNT, EMULATOR_REGION, app, ENVIRONMENT, RESOURCE, example["ResourceConfig"])


def main(action: str, folder: str, *count: str) -> None:
    """Do it."""
    # Where `reconciler emulator --state-dir FOLDER` keeps it.
    with Emulator(Path(folder) / "emulator" / "state.sqlite") as emulator:
        if action == "put":
            put(emulator, int(count[0]))
        else:
            sys.stdout.write(f"{len(emulator.requests())}\n")


if __name__ == "__main__":
    main(*sys.argv[1:])
