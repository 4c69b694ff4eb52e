"""What the rows share: sizes, fleets on disk, and services that run while there are rows to measure."""

from __future__ import annotations

import json
import sys
from contextlib import ExitStack
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from benchmarks.fleet import ENDPOINT, EXAMPLE, RECONCILER, delayed, requests_received, served, write_fleet
from benchmarks.measure import Usage, run


@dataclass(frozen=True, slots=True)
class Sizes:
    """How much is measured.

    Attributes:
        targets: targets of a fleet.
        large: targets of a large one.
        sample: targets that the AWS CLI reads; its time is scaled to `targets`.
        throttled: targets that are planned against a limited rate.
        rate: requests a second that are let pass then.
        burst: how many of them may come at once.
        repeat: times that a pair is measured; what takes a second more often, what takes minutes three times at
            most, and a limited rate once.
        parallelism: targets under way at once, ours and theirs.
        latency: seconds that an answer takes where the service is far away.
    """

    targets: int = 1_000
    large: int = 10_000
    sample: int = 100
    throttled: int = 1_000
    rate: int = 20
    burst: int = 20
    repeat: int = 7
    parallelism: int = 8
    latency: float = 0.05

    @property
    def often(self) -> int:
        """Times that what takes a second is measured."""
        return 3 * self.repeat if self.repeat > 1 else 1

    @property
    def seldom(self) -> int:
        """Times that what takes minutes is measured."""
        return min(self.repeat, 3)


@dataclass(frozen=True, slots=True)
class Throttled:
    """A plan against a limited rate: seconds, requests that were sent, and how it ended."""

    wall: float
    sent: int
    failed: str


class Bench:
    """Makes what a row needs when it first needs it; a context manager.

    Args:
        folder: holds everything that is written.
        sizes: how much is measured.
    """

    def __init__(self, folder: Path, sizes: Sizes) -> None:
        self.folder = folder
        self.sizes = sizes
        self._open = ExitStack()
        self._fleets: dict[int, Path] = {}

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self._open.close()

    @cached_property
    def near(self) -> dict[str, str]:
        """The environment that reaches a service that has every target and answers at once."""
        count = max(self.sizes.targets, self.sizes.large)
        return self._open.enter_context(served(self.folder / "state", count))

    @cached_property
    def far(self) -> dict[str, str]:
        """The environment that reaches the same service from far away."""
        return self._open.enter_context(delayed(self.near, self.sizes.latency))

    def fleet(self, count: int) -> Path:
        """The documents of a fleet."""
        if count not in self._fleets:
            self._fleets[count] = write_fleet(self.folder / f"fleet-{count}", count)
        return self._fleets[count]

    @cached_property
    def single(self) -> Path:
        """A project of one document, whose target is live as it wants it."""
        folder = self.folder / "single"
        folder.mkdir()
        (folder / "reconciler.yaml").touch()
        (folder / "auth.yaml").write_text(EXAMPLE.read_text(encoding="utf-8"), encoding="utf-8")
        return folder

    def plan(self, documents: Path, environment: dict[str, str]) -> Usage:
        """The command `plan` on a folder of unchanged targets, from its start to its end."""
        return run(self._plan(documents, environment), environment)

    def planning(self, count: int) -> float:
        """Seconds of CPU from the first read of a fleet to its last diff."""
        return float(self.child("ours", self.fleet(count), self.sizes.parallelism)["cpu"])

    def bare(self, environment: dict[str, str]) -> tuple[Usage, float]:
        """Bare boto3 making the fleet's reads: the process, and the seconds of CPU of the reads alone."""
        used = run(_module("bare", self.sizes.targets, self.sizes.parallelism), environment)
        return used, float(json.loads(used.output)["cpu"])

    def child(self, module: str, *arguments: object) -> Any:
        """What a measuring process of ours prints."""
        return json.loads(run(_module(module, *arguments), self.near).output)

    @cached_property
    def throttled(self) -> Throttled:
        """One plan of a fleet against a limited rate."""
        sizes, state = self.sizes, self.folder / "throttled"
        documents = self.fleet(sizes.throttled)
        with served(state, sizes.throttled, rate=sizes.rate, burst=sizes.burst) as environment:
            used = run(self._plan(documents, environment), environment, may_fail=True)
            sent = requests_received(state)
        return Throttled(used.wall, sent, used.output.strip().rpartition("\n")[2] if used.exitcode else "")

    def _plan(self, documents: Path, environment: dict[str, str]) -> list[str]:
        # Only to learn whether the environment names another endpoint would it make two clients more.
        options = ["--endpoint-url", environment[ENDPOINT], "--parallelism", str(self.sizes.parallelism)]
        return [RECONCILER, "plan", str(documents), "--quiet", *options]


def _module(name: str, *arguments: object) -> list[str]:
    return [sys.executable, "-m", f"benchmarks.{name}", *map(str, arguments)]
