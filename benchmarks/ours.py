"""The plan of a fleet from its first read to its last diff: ``python -m benchmarks.ours FOLDER PARALLELISM``.

Prints the seconds of CPU that it took, as JSON; the documents are loaded and the client is made before, as in bare.py.
"""

from __future__ import annotations

import json
import os
import sys
import time
from collections.abc import Callable

import reconciler
from benchmarks.fleet import ENDPOINT


def planner(folder: str, parallelism: int) -> Callable[[], reconciler.Plan]:
    """What plans the fleet as the command does; its documents are loaded, and its client is made."""
    fleet = reconciler.load([folder], endpoint_url=os.environ[ENDPOINT], parallelism=parallelism)
    fleet.reader_of(fleet.located.desired[0])
    return lambda: reconciler.plan(fleet, with_commit=False)


def main(folder: str, parallelism: int) -> None:
    """Plan once."""
    made = planner(folder, parallelism)
    before = time.process_time()
    targets = made().targets
    took = time.process_time() - before
    if any(isinstance(target, reconciler.TargetFailure) or target.changes for target in targets):
        sys.exit("a target is not unchanged")
    sys.stdout.write(json.dumps({"cpu": took}))


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]))
