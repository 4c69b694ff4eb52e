"""The ledger over a store: what was applied (``runs/``), what is under way (``journal/``), plans used (``plans/``)."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace

from reconciler.core.model import Path, Target
from reconciler.core.store import Store
from reconciler.errors import LedgerDamaged, LedgerProblem
from reconciler.ledger.lease import Leases
from reconciler.ledger.record import Intent, Left, Record, Run, key_of, word_of
from reconciler.ledger.recordfile import (
    intent_text,
    read_intent,
    read_left,
    read_record,
    read_settler,
    record_text,
    settled_text,
)

_JOURNAL = "journal/"
_RUNS = "runs/"
_PLANS = "plans/"
_RUN = re.compile("[0-9]{8}T[0-9]{6}Z-[0-9a-f-]{1,64}")
_RACES = 20

Damaged = Callable[[LedgerDamaged], None]
"""Told of each thing that can't be understood, so that the others are read all the same; it may raise."""


def _stop(problem: LedgerDamaged) -> None:
    raise problem


def is_run(text: str) -> bool:
    """Whether a text can be the id of a run."""
    return _RUN.fullmatch(text) is not None


@dataclass(frozen=True, slots=True)
class Opened:
    """An intent that is journalled and not settled; ``tag`` is the journal's version."""

    intent: Intent
    tag: str


@dataclass(frozen=True, slots=True)
class Known:
    """What the journal tells of an environment: an update that nobody has settled, and what is left of secrets."""

    opened: Opened | None = None
    left: Left = field(default_factory=Left)


@dataclass(frozen=True, slots=True)
class Claim:
    """A saved plan that a run is using; ``tag`` is the claim's version."""

    digest: str
    tag: str


@dataclass(frozen=True, slots=True)
class Ledger:
    """What is remembered of applies. Every method raises LedgerProblem when the store can't be read or written."""

    store: Store
    leases: Leases

    @property
    def name(self) -> str:
        """How people name the place."""
        return self.store.name

    # --- the journal -------------------------------------------------------------------------

    def known(self, target: Target) -> Known:
        """What the journal tells of a target's environment; in one read."""
        key = _journal(target)
        stored = self.store.get(key)
        if stored is None:
            return Known()
        intent = read_intent(key, stored.data)
        if intent is None:
            return Known(None, read_left(key, stored.data))
        return Known(Opened(intent, stored.tag), intent.left(landed=None))

    def under_way(self, target: Target) -> Opened | None:
        """The update of a target's environment that nobody has settled."""
        return self.known(target).opened

    def still_open(self, opened: Opened) -> Opened | None:
        """An entry as it stands in the journal now; None where its run's update was settled since."""
        now = self.under_way(opened.intent.plan.target)
        return now if now is not None and now.intent.run.id == opened.intent.run.id else None

    def all_under_way(self, damaged: Damaged = _stop) -> tuple[Opened, ...]:
        """Every update that nobody has settled, in the order of their targets' keys."""
        found: list[Opened] = []
        for key in self.store.list(_JOURNAL):
            with _telling(damaged):
                opened = self._opened(key)
                found += [] if opened is None else [opened]
        return tuple(found)

    def closed_by(self, target: Target) -> str | None:
        """The run that settled the last update of a target's environment; None where that is under way."""
        key = _journal(target)
        stored = self.store.get(key)
        return None if stored is None else read_settler(key, stored.data)

    def begin(self, intent: Intent) -> Opened:
        """Write down what is about to be sent. Only what this returns for may be sent.

        Raises:
            LedgerProblem: it can't be written, or an update is under way that was not settled first.
        """
        key = _journal(intent.plan.target)
        stored = self.store.get(key)
        if stored is None:
            tag = self.store.put_if_absent(key, intent_text(intent))
        elif read_intent(key, stored.data) is None:
            left = read_left(key, stored.data)
            intent = replace(intent, proven=left.proven, hidden=left.hidden)
            tag = self.store.put_if_match(key, intent_text(intent), stored.tag)
        else:
            tag = None
        if tag is None:
            raise LedgerProblem(
                "another update of this environment is in the ledger's journal",
                detail=f"{key} was opened meanwhile",
                hint="apply again: it is settled first",
            )
        return Opened(intent, tag)

    def name_job(self, opened: Opened, job: str) -> Opened:
        """Write down which job is ours, once the service told."""
        intent = replace(opened.intent, job=job)
        return Opened(intent, self._swap(_journal(intent.plan.target), intent_text(intent), opened.tag))

    def settle(self, opened: Opened, run: Run, *, landed: bool | None, moved: frozenset[Path] = frozenset()) -> None:
        """Close the journal: the update's end is known, and recorded.

        Args:
            opened: its entry.
            run: who settles it.
            landed: whether the update is known to have landed as planned, or not to have; None where neither is known.
            moved: what was seen to move without being planned.
        """
        left = opened.intent.left(landed=landed, moved=moved)
        self._swap(_journal(opened.intent.plan.target), settled_text(opened.intent, run, left), opened.tag)

    def _opened(self, key: str) -> Opened | None:
        stored = self.store.get(key)
        intent = None if stored is None else read_intent(key, stored.data)
        return None if stored is None or intent is None else Opened(intent, stored.tag)

    def _swap(self, key: str, text: bytes, tag: str) -> str:
        written = self.store.put_if_match(key, text, tag)
        if written is None:
            raise LedgerProblem(f"the ledger's {key} was changed by somebody else", hint="look at 'reconciler history'")
        return written

    # --- records -----------------------------------------------------------------------------

    def write(self, record: Record) -> None:
        """Add a record; what is there is never changed."""
        key = f"{_RUNS}{record.run.id}/{word_of(record.plan.name)}.json"
        if self.store.put_if_absent(key, record_text(record)) is None:
            raise LedgerProblem(f"the ledger has {key} already", hint="look at 'reconciler history'")

    def runs(self, target: str | None = None) -> tuple[tuple[str, str], ...]:
        """The id of each run with the word of each of its targets, the newest first.

        Args:
            target: the name of the only target that is wanted.
        """
        wanted = None if target is None else word_of(target)
        listed = (_words(key) for key in self.store.list(_RUNS))
        named = [found for found in listed if found is not None and wanted in {None, found[1]}]
        return tuple(sorted(named, key=lambda found: found[0], reverse=True))

    def record(self, run: str, word: str) -> Record | None:
        """One target's record of one run."""
        key = f"{_RUNS}{run}/{word}.json"
        stored = self.store.get(key)
        return None if stored is None else read_record(key, stored.data)

    def newest(self, target: str | None, limit: int, damaged: Damaged = _stop) -> tuple[Record, ...]:
        """The newest records of all targets, or of one, the newest first."""
        found: list[Record] = []
        for run, word in self.runs(target)[:limit]:
            with _telling(damaged):
                record = self.record(run, word)
                found += [] if record is None else [record]
        return tuple(found)

    def since(self, record: Record, damaged: Damaged = _stop) -> tuple[Record, ...]:
        """What became of each update that was sent to the same target after a record's, the oldest first.

        Args:
            record: one of an update that was sent.
            damaged: told of records that can't be understood.
        """
        own = record.resumes or record.run.id
        found: dict[str, Record] = {}
        for run, word in reversed(self.runs(record.plan.name)):
            if run <= own:
                continue
            with _telling(damaged):
                later = self.record(run, word)
                if later is None or not later.sent or key_of(later.plan.target) != key_of(record.plan.target):
                    continue
                update = later.resumes or later.run.id
                if update > own:
                    found[update] = later
        return tuple(found.values())

    def records(self, run: str) -> tuple[Record, ...]:
        """All records of one run, in the order of the targets' names."""
        return tuple(self._records(run))

    def found(self, run: str) -> tuple[Record, ...]:
        """The records of a run; those of the runs that settled its updates where it did not see their end itself.

        Where several runs recorded a target, the last one knows most.
        """
        token = run.rpartition("-")[2]
        looks = [
            record
            for other, word in reversed(self.runs())
            if other != run and other.rpartition("-")[2] == token and (record := self.record(other, word)) is not None
        ]
        looks = [*self.records(run), *(record for record in looks if record.resumes == run)]
        last = {record.plan.name: record for record in sorted(looks, key=lambda record: record.ended)}
        return tuple(sorted(last.values(), key=lambda record: record.plan.name))

    def _records(self, run: str) -> Iterator[Record]:
        for found in (_words(key) for key in self.store.list(f"{_RUNS}{run}/")):
            record = None if found is None else self.record(run, found[1])
            if record is not None:
                yield record

    # --- plans that were used ----------------------------------------------------------------

    def claim(self, digest: str, run: Run) -> Claim | str:
        """Take a saved plan for this run, or say which run has taken it before."""
        key, text = _plan(digest), _claim_text(run, used=True)
        tag = self.store.put_if_absent(key, text)
        if tag is not None:
            return Claim(digest, tag)
        for _ in range(_RACES):
            stored = self.store.get(key)
            if stored is None:
                raise LedgerProblem(f"the ledger's {key} can't be read")
            taken = _taken_by(key, stored.data)
            if taken is not None:
                return taken
            tag = self.store.put_if_match(key, text, stored.tag)
            if tag is not None:
                return Claim(digest, tag)
        raise LedgerProblem(f"the ledger's {key} is taken and given back all the time", hint="apply again")

    def used_by(self, digest: str) -> str | None:
        """The run that has taken a plan; None where it is free."""
        stored = self.store.get(_plan(digest))
        return None if stored is None else _taken_by(_plan(digest), stored.data)

    def free(self, digest: str, taken_by: str, run: Run) -> None:
        """Free a plan that a run had taken, once it is known that nothing of it landed."""
        stored = self.store.get(_plan(digest))
        if stored is not None and _taken_by(_plan(digest), stored.data) == taken_by:
            self.give_back(Claim(digest, stored.tag), run)

    def give_back(self, claim: Claim, run: Run) -> None:
        """Free a plan of which nothing was sent, so that it can be tried again."""
        self._swap(_plan(claim.digest), _claim_text(run, used=False), claim.tag)


@contextmanager
def _telling(damaged: Damaged) -> Iterator[None]:
    try:
        yield
    except LedgerDamaged as problem:
        damaged(problem)


def _journal(target: Target) -> str:
    return f"{_JOURNAL}{key_of(target)}.json"


def _plan(digest: str) -> str:
    return f"{_PLANS}{digest.removeprefix('sha256:')}.json"


def _words(key: str) -> tuple[str, str] | None:
    """The run and the target that a record's key names; None for what is no record."""
    run, slash, file = key.removeprefix(_RUNS).partition("/")
    return (run, file.removesuffix(".json")) if slash and file.endswith(".json") and "/" not in file else None


def _claim_text(run: Run, *, used: bool) -> bytes:
    return (json.dumps({"used": used, "run": run.id, "at": run.started}) + "\n").encode()


def _taken_by(key: str, data: bytes) -> str | None:
    try:
        body = json.loads(data)
        return str(body["run"]) if body["used"] else None
    except (ValueError, KeyError, TypeError):
        raise LedgerDamaged(f"The ledger's {key} can't be understood", hint="look at it, and move it away") from None
