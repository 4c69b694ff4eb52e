"""What the ledger must have kept of every update that the service took."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

LEDGER = Path(".reconciler", "ledger")


def ledger_lost(project: Path, jobs: frozenset[str], *, over: bool) -> int:
    """How many records are lost: updates that none tells of, files that can't be read, a journal left open.

    Args:
        project: the project's folder.
        jobs: the ids of all jobs that updates of this project's target started.
        over: whether every update's end is known by now, so that no journal may be open.
    """
    ledger = project / LEDGER
    if not ledger.exists():
        return 0
    lost, told = 0, set[str]()
    for record in _objects(ledger / "runs"):
        if record is None or "kind" not in record.get("outcome", {}):
            lost += 1
        else:
            told.update(record.get("jobs", ()))
    for journal in _objects(ledger / "journal"):
        if journal is None:
            lost += 1
        elif journal.get("open"):
            lost += int(over)
            told.add(str(journal.get("job")))
    return lost + len(jobs - told)


def _objects(folder: Path) -> Iterator[Mapping[str, Any] | None]:
    """Each JSON object below a folder; None for one that is damaged."""
    for path in sorted(folder.rglob("*.json")):
        try:
            read = json.loads(path.read_bytes())
        except ValueError:
            read = None
        yield read if isinstance(read, dict) else None
