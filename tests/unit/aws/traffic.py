"""A fleet that reads from a service with a token bucket, in virtual time: one event after another, no thread."""

from __future__ import annotations

import heapq
import itertools
import math
import random
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from functools import partial

from reconciler.aws.pace import Pace

_THINKING = 0.001
_UNEVEN = 0.2


@dataclass
class Service:
    """Lets ``rate`` requests a second pass, ``burst`` at once; None lets all pass.

    ``later`` has other rates from a second on, in order; ``after`` is what a refusal names in Retry-After. A share
    of ``chance`` of the requests is refused whatever their rate. Someone else, who never slows down, sends ``foreign``
    requests a second until he ``leaves``.
    """

    rate: float | None
    burst: int = 1
    later: tuple[tuple[float, float | None], ...] = ()
    after: float = 0
    chance: float = 0
    foreign: float = 0
    leaves: float = math.inf
    tokens: float = field(init=False)
    at: float = 0
    others: float = 0

    def __post_init__(self) -> None:
        self.tokens = self.burst

    def takes(self, now: float, random: float) -> bool:
        """Whether a request that comes now passes; ``random`` is drawn from 0 to 1."""
        while self.foreign and self.others < min(now, self.leaves):
            self._takes(self.others)
            self.others += 1 / self.foreign
        return random >= self.chance and self._takes(now)

    def _takes(self, now: float) -> bool:
        rate = next((rate for since, rate in reversed(self.later) if now >= since), self.rate)
        if rate is None:
            return True
        self.tokens = min(self.burst, self.tokens + (now - self.at) * rate)
        self.at = now
        if self.tokens < 1:
            return False
        self.tokens -= 1
        return True


@dataclass(frozen=True)
class Run:
    """What came of it: when each read was answered, requests sent, the most refusals of one read, reads given up."""

    answered: tuple[float, ...]
    sent: int
    refusals: int
    failed: int

    @property
    def seconds(self) -> float:
        """When the last read was answered."""
        return self.answered[-1]


def run(
    service: Service, *, reads: int, workers: int, latency: float, processes: int = 1, late: float = 0, seed: int = 0
) -> Run:
    """Read so many things with so many workers.

    Args:
        service: what is read.
        reads: of how many things.
        workers: how many threads all processes have together.
        latency: seconds until an answer, give or take a fifth.
        processes: how many there are; each knows nothing of the others.
        late: by how many seconds a thread that waits wakes too late, on average.
        seed: which run it is.
    """
    fleet = _Fleet(service, reads, latency, late, random.Random(seed))  # noqa: S311 - a simulation
    return fleet.run(workers, processes)


@dataclass
class _Fleet:
    """Workers, each of which reads one thing after another."""

    service: Service
    left: int
    latency: float
    late: float
    chance: random.Random
    now: float = 0
    sent: int = 0
    answered: list[float] = field(default_factory=list)
    failed: int = 0
    events: list[tuple[float, int, Callable[[], None]]] = field(default_factory=list)
    order: Iterator[int] = field(default_factory=itertools.count)
    refusals: Counter[object] = field(default_factory=Counter)

    def run(self, workers: int, processes: int) -> Run:
        """Let all events happen."""
        paces = [Pace(lambda: self.now, self.chance.random, "eu-west-1") for _ in range(processes)]
        for worker in range(workers):
            self._after(self.chance.random() * 0.002, partial(self._next, paces[worker % processes]))
        while self.events:
            self.now, _, event = heapq.heappop(self.events)
            event()
        return Run(tuple(self.answered), self.sent, max(self.refusals.values(), default=0), self.failed)

    def _after(self, seconds: float, event: Callable[[], None]) -> None:
        heapq.heappush(self.events, (self.now + seconds, next(self.order), event))

    def _next(self, pace: Pace) -> None:
        if self.left:
            self.left -= 1
            self._after(_THINKING, partial(self._ask, pace, object()))

    def _ask(self, pace: Pace, turn: object) -> None:
        if seconds := pace.ask(turn):
            if pace.closed:
                pace.leave(turn)
                self.failed += 1
                self._next(pace)
                return
            late = self.chance.expovariate(1 / self.late) if self.late else 0
            self._after(seconds + late, partial(self._ask, pace, turn))
            return
        self.sent += 1
        way = self.latency / 2 * self.chance.uniform(1 - _UNEVEN, 1 + _UNEVEN)
        self._after(way, partial(self._arrive, pace, turn, self.now))

    def _arrive(self, pace: Pace, turn: object, since: float) -> None:
        takes = self.service.takes(self.now, self.chance.random())
        self._after(self.latency / 2, partial(self._answered, pace, turn, since, takes=takes))

    def _answered(self, pace: Pace, turn: object, since: float, *, takes: bool) -> None:
        if takes:
            pace.passed(since)
            self.answered.append(self.now)
            self._next(pace)
        else:
            pace.refused(since, self.service.after)
            self.refusals[turn] += 1
            pause = min(0.05 * 2 ** (self.refusals[turn] - 1), 20) * self.chance.random()
            self._after(max(pause, self.service.after), partial(self._ask, pace, turn))
