"""Ledgers that can be told to fail, and that are watched: for what a folder and a bucket do only on a bad day."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

from reconciler.core.store import Store, Stored
from reconciler.errors import LedgerProblem, TargetLocked
from reconciler.ledger.lease import Held, Holder, Lease
from reconciler.ledger.ledger import Ledger
from reconciler.ledger.record import Run, Who
from reconciler.operations.keeping import Keeping

RUN = Run("20260101T000000Z-0000aaaa", "apply", "2026-01-01T00:00:00Z", Who("me", "here"), "sha256:1")


class Died(BaseException):
    """The process is gone: nothing in it may catch this."""


@dataclass(frozen=True)
class Watched:
    """A place for objects whose writes somebody watches, who may raise before one or after it.

    ``before`` is told the key, ``after`` the key, the data, and the tag, which is None where nothing was written.
    """

    store: Store
    before: Callable[[str], None] = lambda _: None
    after: Callable[[str, bytes, str | None], None] = lambda *_: None

    @property
    def name(self) -> str:
        return self.store.name

    def get(self, key: str) -> Stored | None:
        return self.store.get(key)

    def list(self, prefix: str) -> tuple[str, ...]:
        return self.store.list(prefix)

    def put_if_absent(self, key: str, data: bytes) -> str | None:
        return self._put(key, data, lambda: self.store.put_if_absent(key, data))

    def put_if_match(self, key: str, data: bytes, tag: str) -> str | None:
        return self._put(key, data, lambda: self.store.put_if_match(key, data, tag))

    def _put(self, key: str, data: bytes, put: Callable[[], str | None]) -> str | None:
        self.before(key)
        tag = put()
        self.after(key, data, tag)
        return tag


@dataclass
class MemoryStore:
    """Objects in a dictionary; ``refuses`` tells which keys can't be written."""

    objects: dict[str, bytes] = field(default_factory=dict)
    refuses: Callable[[str], bool] = lambda _: False
    name: str = "memory"

    def get(self, key: str) -> Stored | None:
        data = self.objects.get(key)
        return None if data is None else Stored(data, str(hash(data)), 0)

    def list(self, prefix: str) -> tuple[str, ...]:
        return tuple(sorted(key for key in self.objects if key.startswith(prefix)))

    def put_if_absent(self, key: str, data: bytes) -> str | None:
        return None if key in self.objects else self._put(key, data)

    def put_if_match(self, key: str, data: bytes, tag: str) -> str | None:
        there = self.get(key)
        return self._put(key, data) if there is not None and there.tag == tag else None

    def _put(self, key: str, data: bytes) -> str:
        if self.refuses(key):
            raise LedgerProblem("memory can't be written")
        self.objects[key] = data
        return str(hash(data))


@dataclass
class Hold:
    """A lease that is lost when ``gone`` says so."""

    gone: Callable[[], bool]
    released: bool = False

    def lost(self) -> bool:
        return self.gone()

    def release(self) -> None:
        self.released = True


@dataclass
class MemoryLeases:
    """Leases that are given to everybody but for the keys in ``taken``."""

    taken: set[str] = field(default_factory=set)
    gone: Callable[[], bool] = lambda: False
    given: list[Hold] = field(default_factory=list)

    def acquire(
        self, key: str, holder: Holder, *, timeout: float, now: Callable[[], float], sleep: Callable[[float], None]
    ) -> Lease:
        del holder, timeout, now, sleep
        if key in self.taken:
            raise TargetLocked("somebody holds it")
        self.given.append(Hold(self.gone))
        return self.given[-1]

    def held(self) -> tuple[Held, ...]:
        return ()

    def break_(self, held: Held) -> bool:
        del held
        return False


def keeping(store: MemoryStore | None = None, leases: MemoryLeases | None = None, run: Run = RUN) -> Keeping:
    """One run's way to a ledger in memory."""
    return Keeping(Ledger(store or MemoryStore(), leases or MemoryLeases()), run, lambda _: None)
