"""The results as a table in markdown, and as JSON."""

from __future__ import annotations

import json
import math
import os
import platform
from collections.abc import Sequence
from dataclasses import asdict
from statistics import median
from typing import Any

from benchmarks.bench import Sizes
from benchmarks.rows import Result

_COLUMNS = ("what", "against", "min / median / max", "theirs", "figure (of pairs)", "to reach", "reached")
_MILLI, _MICRO = 1e-3, 1e-6


def table(results: Sequence[Result]) -> str:
    """The table: both measures, the figure of their medians with the range of the pairs, and whether it is reached."""
    lines = [_line(_COLUMNS), _line(("---",) * len(_COLUMNS))]
    lines += [_line(_cells(result)) for result in results]
    return "\n".join(lines)


def report(results: Sequence[Result], sizes: Sizes) -> str:
    """The same as JSON, with every measure: seconds, KB or requests, as `unit` says."""
    machine = {
        "cpus": os.cpu_count(),
        "machine": platform.machine(),
        "system": platform.system(),
        "python": platform.python_version(),
    }
    rows = [_document(result) for result in results]
    return json.dumps({"machine": machine, "sizes": asdict(sizes), "rows": rows}, indent=2) + "\n"


def figure(result: Result) -> str:
    """The figure with its unit."""
    return f"{number(result.figure)} {result.row.figured}".strip()


def to_reach(result: Result) -> str:
    """What is to be reached, in words."""
    bound = "at least" if result.row.least else "at most"
    return f"{bound} {result.row.reach:g} {result.row.figured}".strip()


def verdict(result: Result) -> str:
    """Whether it is reached, and why the figure does not count if so."""
    return "yes" if result.reached else f"NO: {result.taken.failed}" if result.taken.failed else "NO"


def number(value: float) -> str:
    """A figure as short as it is precise."""
    digits = max(2 - int(math.log10(max(abs(value), 1))), 0)
    return f"{value:.{digits}f}"


def _cells(result: Result) -> tuple[str, ...]:
    taken, unit = result.taken, result.row.unit
    pairs = f" ({number(result.lowest)} to {number(result.highest)})" if len(taken.ours) > 1 else ""
    return (
        result.what,
        result.against,
        _range(taken.ours, unit),
        _range(taken.theirs, unit),
        f"**{figure(result)}**{pairs}",
        to_reach(result),
        verdict(result),
    )


def _document(result: Result) -> dict[str, Any]:
    row, taken = result.row, result.taken
    return {
        "name": row.name,
        "what": result.what,
        "against": result.against,
        "unit": row.unit,
        "ours": {"min": min(taken.ours), "median": median(taken.ours), "max": max(taken.ours), "all": taken.ours},
        "theirs": {
            "min": min(taken.theirs),
            "median": median(taken.theirs),
            "max": max(taken.theirs),
            "all": taken.theirs,
        },
        "figure": result.figure,
        "lowest": result.lowest,
        "highest": result.highest,
        "figure_unit": row.figured or "ratio",
        "reach": row.reach,
        "bound": "at least" if row.least else "at most",
        "reached": result.reached,
        "failed": taken.failed,
    }


def _range(values: tuple[float, ...], unit: str) -> str:
    largest = max(values)
    match unit:
        case "s" if largest < _MILLI:
            scale, unit = _MICRO, "µs"
        case "s" if largest < 1:
            scale, unit = _MILLI, "ms"
        case "KB":
            scale, unit = 1024, "MB"
        case "requests":
            return f"{' / '.join(f'{value:.0f}' for value in sorted(set(values)))} requests"
        case _:
            scale = 1
    if len(values) == 1:
        return f"{number(values[0] / scale)} {unit}"
    shown = (number(value / scale) for value in (min(values), median(values), largest))
    return f"{' / '.join(shown)} {unit}"


def _line(cells: Sequence[str]) -> str:
    return f"| {' | '.join(cells)} |"
