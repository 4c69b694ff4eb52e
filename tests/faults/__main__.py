"""Carries schedules out by name, and shows what each of their runs wrote: ``python -m tests.faults GLOB``."""

from __future__ import annotations

import functools
import sys
import tempfile
from fnmatch import fnmatchcase
from pathlib import Path

from tests.faults.harness import Bench
from tests.faults.programs import Zygote
from tests.faults.schedules import FAMILIES


def main(pattern: str) -> int:
    """Carry out the schedules whose names match, and return 1 where one of them did what must never happen."""
    folder = Path(tempfile.mkdtemp(prefix="faults-"))
    with Zygote() as zygote, Bench(zygote, folder / "bench") as bench:
        steps = functools.cache(bench.steps)
        named = [schedule for family in FAMILIES for schedule in family.schedules(steps)]
        chosen = [schedule for schedule in named if fnmatchcase(schedule.name, pattern)]
        verdict = bench.judge_all(chosen)
    if len(chosen) == 1:
        *_, project = sorted((folder / "bench").glob("d*"))
        for path in sorted(path for path in project.rglob("*") if path.is_file()):
            print(f"--- {path.relative_to(project)}\n{path.read_text('utf-8', 'replace')}")  # noqa: T201 - its purpose
    print(f"{verdict.schedules} of {len(named)} schedules, below {folder / 'bench'}")  # noqa: T201 - the same
    print("\n".join(verdict.notes or ("Nothing happened that must never happen.",)))  # noqa: T201 - the same
    return int(any(verdict.counts))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1] if len(sys.argv) > 1 else "*"))
