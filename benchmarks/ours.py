"""The plan of a fleet from its first read to its last diff: ``python -m benchmarks.ours FOLDER PARALLELISM``.

Prints the seconds of CPU that it took, as JSON; the documents are loaded and the client is made before, as in bare.py.
"""

from __future__ import annotations

import json
import os
import sys
import time
from collections.abc import Callable

from benchmarks.fleet import ENDPOINT
from reconciler.core.model import Plan, TargetFailure
from reconciler.operations.plan import plan
from reconciler.wiring import Connection, Selection, Services


def planner(folder: str, parallelism: int) -> Callable[[], Plan]:
    """What plans the fleet as the command does; its documents are loaded."""
    services = Services(Connection(endpoint_url=os.environ[ENDPOINT]), first_path=folder, parallelism=parallelism)
    loaded = services.load([folder], Selection(), stdin=bytes, network=True)
    desired = services.locate(loaded).desired
    services.reader_of(desired[0])

    def made() -> Plan:
        return plan(
            desired,
            services.reader_of,
            now="2024-01-01T00:00:00Z",
            remembered=services.books.remembered(desired),
            parallelism=parallelism,
        )

    return made


def main(folder: str, parallelism: int) -> None:
    """Plan once."""
    made = planner(folder, parallelism)
    before = time.process_time()
    targets = made().targets
    took = time.process_time() - before
    if any(isinstance(target, TargetFailure) or target.changes for target in targets):
        sys.exit("a target is not unchanged")
    sys.stdout.write(json.dumps({"cpu": took}))


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]))
