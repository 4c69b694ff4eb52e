"""Whose change it is, for every way in which base, document and live can stand to one another."""

from __future__ import annotations

from collections.abc import Callable
from itertools import product
from typing import Any

from reconciler.core.threeway import UNMANAGED, movement

Golden = Callable[[str, str], None]

WRITTEN: tuple[Any, ...] = (UNMANAGED, None, "a", "b", "c")
THERE: tuple[Any, ...] = (None, "a", "b")


def _word(value: Any) -> str:
    return "unmanaged" if value is UNMANAGED else "absent" if value is None else str(value)


def test_the_whole_truth_table(golden: Golden) -> None:
    rows = ["base       desired    live       whose change"]
    for base, desired, live in product(WRITTEN, WRITTEN, THERE):
        found = movement(base, desired, live)
        rows.append(f"{_word(base):<11}{_word(desired):<11}{_word(live):<11}{found.value if found else '-'}")
    golden("movements.txt", "\n".join(rows) + "\n")
