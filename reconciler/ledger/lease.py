"""One apply at a time: what holding a target means, however it is held."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol


@dataclass(frozen=True, slots=True)
class Holder:
    """Who holds a target: its name in that run, the run, the person and machine, and since when (ISO 8601, UTC)."""

    target: str
    run: str
    who: str
    since: str


@dataclass(frozen=True, slots=True)
class Held:
    """A lease that somebody holds; ``tag`` names this very one, ``age`` is seconds since its last sign of life.

    ``breakable`` is False where the operating system keeps the lease and frees it when its holder ends.
    """

    key: str
    holder: Holder
    tag: str
    age: float
    breakable: bool


class Lease(Protocol):
    """A target that is ours until it is released."""

    def lost(self) -> bool:
        """Whether somebody else may hold the target by now, or it was released: then nothing may be sent any more."""
        ...

    def release(self) -> None:
        """Give the target back. Never raises: a lease that can't be given back ends by itself."""
        ...


class Leases(Protocol):
    """Gives leases, one for a key at a time."""

    def acquire(
        self, key: str, holder: Holder, *, timeout: float, now: Callable[[], float], sleep: Callable[[float], None]
    ) -> Lease:
        """Take a lease; wait for it for at most ``timeout`` seconds.

        Args:
            key: what is held.
            holder: who we are.
            timeout: seconds; with 0 a lease that is held is refused at once.
            now: monotonic seconds.
            sleep: waits; whatever it raises ends the waiting.

        Raises:
            TargetLocked: somebody holds it; says who.
            LedgerProblem, AccessProblem: nobody can tell, because the ledger can't be read or written.
        """
        ...

    def held(self) -> tuple[Held, ...]:
        """Every lease that is held now.

        Raises:
            LedgerProblem, AccessProblem: they can't be read.
        """
        ...

    def break_(self, held: Held) -> bool:
        """Take a lease away from its holder; False where it is another by now, or can't be broken.

        Raises:
            LedgerProblem, AccessProblem: it can't be written.
        """
        ...
