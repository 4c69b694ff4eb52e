"""Leases that live by a heartbeat: for machines that share nothing but a store."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import asdict, dataclass, replace

from reconciler.core.store import Store, Stored
from reconciler.errors import LedgerProblem, ReconcilerError, TargetLocked
from reconciler.ledger.lease import Held, Holder

_FOLDER = "leases/"
_SUFFIX = ".json"
_STEP = 1.0
_RACES = 20
_MARGIN = 0.25
"""The part of its ttl for which a lease that was not renewed is nobody's: lost for us, not yet free for others.

It is for what is on its way to the service, and for stores whose times are whole seconds.
"""
_RETRIES = 4
"""How many times in the time of one beat a heartbeat that failed is tried again."""
_PATIENCE = 5.0


@dataclass(frozen=True, slots=True)
class _Entry:
    """A lease as the store has it: ``token`` is new for each lease, ``beat`` for each version of one."""

    holder: Holder
    token: str
    beat: int = 0
    released: bool = False

    def encode(self) -> bytes:
        return json.dumps(asdict(self)).encode()


@dataclass(frozen=True, slots=True)
class _Timing:
    """Seconds, and how they pass; a lease is good for ``trusted`` of them after it was written."""

    ttl: float
    beat: float
    clock: Callable[[], float]
    wait: Callable[[threading.Event, float], bool]

    @property
    def trusted(self) -> float:
        return self.ttl * (1 - _MARGIN)


def seconds_since_boot() -> float:
    """A monotonic clock that goes on while the machine sleeps, where there is one: leases expire meanwhile, too."""
    return time.clock_gettime(getattr(time, "CLOCK_BOOTTIME", time.CLOCK_MONOTONIC))


class StoreLease:
    """A lease in a store, renewed by a thread of its own until it is released."""

    def __init__(self, store: Store, key: str, entry: _Entry, tag: str, begun: float, timing: _Timing) -> None:
        """Keep a lease that stands in the store as ``entry``; ``begun`` is the time before it was written."""
        self._store = store
        self._key = key
        self._entry = entry
        self._tag = tag
        self._timing = timing
        self._good_until = begun + timing.trusted
        self._lost = False
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._keep, daemon=True, name=f"lease of {key}")
        self._thread.start()

    def lost(self) -> bool:
        """Whether it is another's, or may be soon: no heartbeat came through, or it was released.

        Once lost, it stays lost.
        """
        if self._stop.is_set() or self._timing.clock() >= self._good_until:
            self._lost = True
        return self._lost

    def release(self) -> None:
        """Give it back. A store that does not answer soon is left behind: the lease ends by itself."""
        self._stop.set()
        self._thread.join(min(self._timing.beat, _PATIENCE))

    def _keep(self) -> None:
        """Renew until told to stop, then release. All writes are made here, so that none meets another."""
        pause = self._timing.beat
        while not self._timing.wait(self._stop, pause):
            pause = self._timing.beat
            try:
                self._renew()
            except ReconcilerError:
                pause /= _RETRIES
        with suppress(ReconcilerError):
            self._write(released=True)

    def _renew(self) -> None:
        if self.lost():
            return
        begun = self._timing.clock()
        if self._write(released=False):
            self._good_until = begun + self._timing.trusted
        else:
            self._lost = True

    def _write(self, *, released: bool) -> bool:
        """Write the next version; False where the lease is not ours any more."""
        for _ in range(2):
            entry = replace(self._entry, beat=self._entry.beat + 1, released=released)
            tag = self._store.put_if_match(self._key, entry.encode(), self._tag)
            if tag is not None:
                self._entry, self._tag = entry, tag
                return True
            stored = self._store.get(self._key)
            found = None if stored is None else _decode(self._store, self._key, stored)
            if stored is None or found is None or found.token != self._entry.token or found.released:
                return False
            # It is a version of ours that was written although the store's answer did not reach us.
            self._entry, self._tag = found, stored.tag
        return False


class StoreLeases:
    """:class:`~reconciler.ledger.lease.Leases` as objects ``leases/<key>.json`` of a store.

    Their age is told by the store's clock, and whether ours is still good by a monotonic one: clocks of two
    machines are never compared. All who share a store need the same ``ttl``.
    """

    def __init__(
        self,
        store: Store,
        *,
        ttl: float = 60,
        beat: float = 20,
        token: Callable[[], str],
        clock: Callable[[], float] = seconds_since_boot,
        wait: Callable[[threading.Event, float], bool] = threading.Event.wait,
    ) -> None:
        """Give leases in a store.

        Args:
            store: where they are kept.
            ttl: seconds without a heartbeat after which others may take a lease.
            beat: seconds between two heartbeats; well below ``ttl``.
            token: makes a word that was never used before.
            clock: monotonic seconds.
            wait: waits for an event for at most so many seconds, and tells whether it came.
        """
        self._store = store
        self._token = token
        self._timing = _Timing(ttl, beat, clock, wait)

    def acquire(
        self, key: str, holder: Holder, *, timeout: float, now: Callable[[], float], sleep: Callable[[float], None]
    ) -> StoreLease:
        """Take a lease; wait for it for at most ``timeout`` seconds.

        Raises:
            TargetLocked: somebody holds it; says who, and when it was last renewed.
            LedgerProblem: the store can't be read or written, or what it has is no lease.
        """
        deadline = now() + timeout
        while True:
            found = self._try(key, holder)
            if isinstance(found, StoreLease):
                return found
            left = deadline - now()
            if left <= 0:
                raise self._locked(holder.target, found)
            sleep(min(_STEP, left))

    def held(self) -> tuple[Held, ...]:
        """Every lease that is neither released nor expired.

        Raises:
            LedgerProblem: they can't be read.
        """
        paths = [path for path in self._store.list(_FOLDER) if path.endswith(_SUFFIX)]
        looked = ((path.removeprefix(_FOLDER).removesuffix(_SUFFIX), self._store.get(path)) for path in paths)
        found = (self._held(key, stored) for key, stored in looked if stored is not None)
        return tuple(held for held in found if held is not None)

    def break_(self, held: Held) -> bool:
        """Release a lease in its holder's place; False where it is another version by now.

        Raises:
            LedgerProblem: it can't be written.
        """
        entry = _Entry(held.holder, self._token(), released=True)
        return self._store.put_if_match(_path(held.key), entry.encode(), held.tag) is not None

    def _try(self, key: str, holder: Holder) -> StoreLease | Held:
        """The lease, or who has it. Whoever is overtaken by somebody else looks again who that is."""
        path = _path(key)
        for _ in range(_RACES):
            stored = self._store.get(path)
            held = None if stored is None else self._held(key, stored)
            if held is not None:
                return held
            entry, begun = _Entry(holder, self._token()), self._timing.clock()
            if stored is None:
                tag = self._store.put_if_absent(path, entry.encode())
            else:
                tag = self._store.put_if_match(path, entry.encode(), stored.tag)
            if tag is not None:
                return StoreLease(self._store, path, entry, tag, begun, self._timing)
        raise LedgerProblem(
            f"{path} in {self._store.name} can't be written",
            detail=f"it is free, and somebody else was faster {_RACES} times",
            hint="try again; if it stays, the store may not know conditional writes",
        )

    def _held(self, key: str, stored: Stored) -> Held | None:
        """The lease that an object stands for; None where it is free."""
        entry = _decode(self._store, _path(key), stored)
        if entry.released or stored.age > self._timing.ttl:
            return None
        return Held(key, entry.holder, stored.tag, stored.age, breakable=True)

    def _locked(self, target: str, held: Held) -> TargetLocked:
        theirs = held.holder
        return TargetLocked(
            f"{target} is locked by another run",
            detail=f"run {theirs.run} of {theirs.who} has held {theirs.target} since {theirs.since}, "
            f"and gave a sign of life {held.age:.0f} seconds ago",
            hint="wait until that run has ended; if it is dead, "
            f"its lease ends {self._timing.ttl:.0f} seconds after its last sign of life",
        )


def _path(key: str) -> str:
    return f"{_FOLDER}{key}{_SUFFIX}"


def _decode(store: Store, path: str, stored: Stored) -> _Entry:
    with suppress(ValueError, RecursionError):
        match json.loads(stored.data):
            case {
                "holder": {"target": str(target), "run": str(run), "who": str(who), "since": str(since)},
                "token": str(token),
                "beat": int(beat),
                "released": bool(released),
            }:
                return _Entry(Holder(target, run, who, since), token, beat, released)
    raise LedgerProblem(
        f"{path} in {store.name} is no lease",
        detail="it was not written by this program, or was damaged",
        hint="look at it; where no apply is at work, delete it",
    )
