"""What an unchanged target costs after its read, against a deep copy of the answer: ``python -m benchmarks.unchanged``.

Arguments: a folder with one document, rounds, and calls a round. Prints the seconds a call of every round, as JSON.
"""

from __future__ import annotations

import json
import os
import sys
import time
from collections.abc import Callable, Mapping
from copy import deepcopy
from typing import Any

import reconciler
from benchmarks.fleet import ENDPOINT
from reconciler.core.gateway import Backend
from reconciler.core.model import Desired, Job, Path, Target
from reconciler.core.proof import Proofs
from reconciler.operations.plan import prepare_target


class Remembering:
    """A gateway that answers with what was read before."""

    def __init__(self, config: Mapping[str, Any]) -> None:
        self._config = config

    def get_auth(self, _target: Target, _hidden: frozenset[Path] = frozenset()) -> Mapping[str, Any]:
        """What was read."""
        return self._config

    def get_backend(self, app: str, environment: str | None) -> Backend:
        """Not read for an unchanged target."""
        raise NotImplementedError(app, environment)

    def get_job(self, target: Target, job_id: str) -> Job:
        """Not read by a plan."""
        raise NotImplementedError(target, job_id)

    def list_jobs(self, target: Target) -> tuple[Job, ...]:
        """Not read by a plan."""
        raise NotImplementedError(target)


def read(folder: str) -> tuple[Desired, Mapping[str, Any]]:
    """The folder's document, and the ResourceConfig of its target."""
    fleet = reconciler.load([folder], endpoint_url=os.environ[ENDPOINT])
    (desired,) = fleet.located.desired
    return desired, fleet.reader_of(desired).get_auth(desired.target)


def seconds(call: Callable[[], object], calls: int) -> float:
    """The CPU that a call takes."""
    before = time.process_time()
    for _ in range(calls):
        call()
    return (time.process_time() - before) / calls


def main(folder: str, rounds: int, calls: int) -> None:
    """Take turns."""
    desired, config = read(folder)
    reader, proofs = Remembering(config), Proofs()

    def plan() -> object:
        return prepare_target(desired, reader, proofs)

    def copy() -> object:
        return deepcopy(config)

    if prepare_target(desired, reader, proofs).plan.changes:
        sys.exit("the target is not unchanged")
    taken = [(seconds(plan, calls), seconds(copy, calls)) for _ in range(rounds)]
    ours, theirs = zip(*taken, strict=True)
    sys.stdout.write(json.dumps({"ours": ours, "theirs": theirs}))


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]), int(sys.argv[3]))
