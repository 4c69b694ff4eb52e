"""A fleet of ten thousand is planned whole, and in memory that grows with its documents alone."""

from __future__ import annotations

from pathlib import Path

import pytest

from benchmarks.bench import Bench, Sizes

SIZES = Sizes(targets=1_000, large=10_000)
MOST_KB_A_TARGET = 24


@pytest.mark.broad
def test_ten_thousand_targets_are_planned_in_bounded_memory(tmp_path: Path) -> None:
    with Bench(tmp_path, SIZES) as bench:
        small, large = (bench.plan(bench.fleet(count), bench.near) for count in (SIZES.targets, SIZES.large))
    assert large.output.splitlines()[-1].startswith("10000 targets: 10000 planned (10000 unchanged)")
    assert (large.peak - small.peak) / (SIZES.large - SIZES.targets) <= MOST_KB_A_TARGET
