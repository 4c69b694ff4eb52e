"""The processes that fault schedules share in one worker, and what the worker has counted."""

from __future__ import annotations

import functools
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.faults.harness import Bench
from tests.faults.programs import Zygote
from tests.faults.schedules import Steps
from tests.faults.verdict import Verdict

Tally = dict[str, Verdict]


@pytest.fixture(scope="session")
def zygote() -> Iterator[Zygote]:
    """Starts every process of this worker."""
    with Zygote() as started:
        yield started


@pytest.fixture(scope="session")
def steps(zygote: Zygote, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Steps]:
    """Counts the steps of an apply that nobody disturbs, once for each setting."""
    with Bench(zygote, tmp_path_factory.mktemp("steps") / "bench") as bench:
        yield functools.cache(bench.steps)


@pytest.fixture
def bench(zygote: Zygote, tmp_path: Path) -> Iterator[Bench]:
    """A served backend of one's own."""
    with Bench(zygote, tmp_path / "bench") as made:
        yield made


@pytest.fixture(scope="session")
def tally() -> Tally:
    """The verdicts of this worker on each family."""
    return {}
