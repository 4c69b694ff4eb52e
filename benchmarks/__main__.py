"""Measures every row and prints the table: ``python -m benchmarks``."""

from __future__ import annotations

import argparse
import sys
import tempfile
from dataclasses import replace
from fnmatch import fnmatchcase
from pathlib import Path

from benchmarks.bench import Bench, Sizes
from benchmarks.fleet import Unmeasurable
from benchmarks.plot import plot
from benchmarks.rows import ROWS, Result, measured
from benchmarks.table import figure, report, table, to_reach, verdict

_SMALL = Sizes(targets=5, large=20, sample=4, throttled=25, repeat=1)


def main(words: list[str]) -> int:
    """Measure, print and write; returns 0 whether or not what is to be reached is, and 1 where a row is missing."""
    options = _parser().parse_args(words)
    rows = [row for row in ROWS if not options.only or any(fnmatchcase(row.name, glob) for glob in options.only)]
    if not rows:
        return _complain(f"no row is named so; there are {', '.join(row.name for row in ROWS)}")
    sizes = _sizes(options)
    if sizes.large <= sizes.targets:
        return _complain(f"--large {sizes.large} must be above --targets {sizes.targets}")
    results: list[Result] = []
    with tempfile.TemporaryDirectory(prefix="benchmarks-") as folder, Bench(Path(folder), sizes) as bench:
        for row in rows:
            try:
                result = measured(row, bench)
            except Unmeasurable as problem:
                _complain(f"{row.name} can't be measured: {problem}")
                continue
            # A run takes minutes, and tells how far it is.
            sys.stderr.write(f"{row.name}: {figure(result)}, {to_reach(result)}: {verdict(result)}\n")
            results.append(result)
    sys.stdout.write(f"{table(results)}\n")
    if options.json:
        options.json.write_text(report(results, sizes), encoding="utf-8")
    if options.svg:
        options.svg.write_text(plot(results), encoding="utf-8")
    return int(len(results) < len(rows))


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    names = ", ".join(row.name for row in ROWS)
    parser.add_argument("--only", metavar="ROW", action="append", help=f"only this row (a glob; repeatable): {names}")
    parser.add_argument("--small", action="store_true", help="a size that only shows that everything runs")
    full = Sizes()
    for name, help_text in (
        ("targets", "targets of a fleet"),
        ("large", "targets of a large fleet"),
        ("sample", "targets that the AWS CLI reads, scaled to the fleet"),
        ("throttled", "targets planned against a limited rate"),
        ("repeat", "times that a pair is measured"),
        ("parallelism", "targets under way at once"),
    ):
        parser.add_argument(f"--{name}", metavar="N", type=_positive, help=f"{help_text} [{getattr(full, name)}]")
    parser.add_argument("--json", metavar="FILE", type=Path, help="write the results as JSON too")
    parser.add_argument("--svg", metavar="FILE", type=Path, help="write them as a picture too")
    return parser


def _sizes(options: argparse.Namespace) -> Sizes:
    base = _SMALL if options.small else Sizes()
    names = ("targets", "large", "sample", "throttled", "repeat", "parallelism")
    given = {name: getattr(options, name) for name in names if getattr(options, name) is not None}
    sizes = replace(base, **given)
    return replace(sizes, sample=min(sizes.sample, sizes.targets))


def _positive(text: str) -> int:
    if not text.isdecimal() or not int(text):
        raise argparse.ArgumentTypeError(f"{text} is no whole number above 0")
    return int(text)


def _complain(text: str) -> int:
    sys.stderr.write(f"benchmarks: {text}\n")
    return 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
