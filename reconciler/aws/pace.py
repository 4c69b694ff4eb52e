"""How fast a service lets us read: a token bucket that all threads share, at the rate that it was seen to pass."""

from __future__ import annotations

import threading
from collections.abc import Callable

_FIRST_RATE = 20.0
"""Reads a second once the first was refused, before anything is known."""
_VAIN = 11
"""So many refusals running, with twice the wait each time, are about a minute: the service counts as closed."""
_SLOWEST_RATE = _FIRST_RATE / 2**_VAIN
_CLOSED_SECONDS = 300
"""A service that names a longer wait counts as closed too."""
_CAREFUL, _BOLD = 0.05, 0.5
"""The least and the most that is doubted of a measured rate, as shares of it."""
_STEP = 5
"""Reads in which the rate comes back to what was measured, times the doubt, so that refusals are few."""
_STEEPEST = 20
"""Reads in which the rate may double, about: what a refusal tells must not come too late."""
_BEYOND = 4
"""How steeply the rate rises beyond what a limit that stays would have refused."""
_SHARE, _MOST_SHARE = 0.25, 0.5
"""By how much, and how much at most, a measured rate is moved towards what was sent: see :meth:`Pace._measure`."""
_LONGEST_LOOK = 0.25
"""Seconds after which whoever waits looks again: meanwhile the rate may have risen."""
_SHORTEST_LOOK = 0.001
_RETRIES = 100
"""Reads that failed otherwise and may be tried again before one succeeds."""


class Pace:
    """A token bucket of one token: without a limit until a read is refused, then as fast as reads were seen to pass.

    A refusal tells that the service's own bucket is empty, so what passed between two refusals over the time between
    them is its rate. From a little below that the rate rises again as reads pass: by a cubic, which is flat near what
    was measured and steep beyond it. A limit that stays is touched once in many reads, and one that was lifted is soon
    left behind. How flat, that is the doubt: the fewer reads were measured, and the farther the rate had risen above
    them, the bigger the steps. A refusal of what was sent before the rate last fell says nothing new.
    """

    def __init__(self, now: Callable[[], float], random: Callable[[], float]) -> None:
        """Begin without a limit.

        Args:
            now: monotonic seconds.
            random: a number from 0 to 1, for the jitter after a refusal: others share the service.
        """
        self._now = now
        self._random = random
        self._lock = threading.Lock()
        self._line: list[object] = []
        self._limited = False
        self._rate = self._measured = _FIRST_RATE
        self._doubt, self._begun, self._way = _BOLD, 1.0, 1.0
        self._share = self._latency = 0.0
        self._next = self._fell = 0.0
        self._passed = self._pressing = self._vain = self._running = 0
        self._retries = _RETRIES

    def ask(self, turn: object) -> float:
        """Ask to send a read.

        Args:
            turn: stands for the read in the line of those that wait; it leaves with its turn, or by :meth:`leave`.

        Returns:
            0 where it is to be sent now, else in how many seconds to ask again.
        """
        if not self._limited:
            return 0.0
        with self._lock:
            now = self._now()
            early = self._next - now
            if early > 0:
                if turn not in self._line:
                    self._line.append(turn)
                behind = self._line.index(turn) / self._rate
                return min(max(early + behind, _SHORTEST_LOOK), _LONGEST_LOOK)
            if turn in self._line:
                self._line.remove(turn)
            slot = 1 / self._rate
            if -early < slot:  # who comes later was not held up, and says nothing of a higher rate
                self._pressing += 1
                self._rise()
            self._next = max(self._next, now - _CAREFUL * slot) + slot  # made up for where the doubt allows it
            return 0.0

    def leave(self, turn: object) -> None:
        """Give up waiting."""
        with self._lock:
            if turn in self._line:
                self._line.remove(turn)

    def passed(self, sent: float) -> None:
        """The service took a read that was sent then."""
        if self._retries < _RETRIES:
            self._retries += 1
        if not self._limited:
            return
        with self._lock:
            self._running = 0
            self._latency += (self._now() - sent - self._latency) / 8
            if sent > self._fell or not self._vain:
                self._vain = 0
                self._passed += 1

    def refused(self, sent: float, after: float = 0) -> None:
        """The service refused a read that was sent then, and named so many seconds to wait, or none."""
        with self._lock:
            now = self._now()
            self._running += 1
            if not self._limited or sent > self._fell:
                self._fall(now)
            if self._running > 1:  # not this one alone: nothing passes
                self._next = max(self._next, now + after)

    def spend_retry(self) -> bool:
        """Whether a read that failed otherwise may be tried again: not for ever where hardly one succeeds."""
        with self._lock:
            if not self._retries:
                return False
            self._retries -= 1
            return True

    @property
    def closed(self) -> bool:
        """Whether the service has refused every read for about a minute, and it is too early to look again."""
        early = self._next - self._now()
        return early > _CLOSED_SECONDS or (self._vain >= _VAIN and early > 0)

    def _rise(self) -> None:
        """Set the rate to where the reads have brought it that passed under pressure since it fell."""
        step = max(_STEP, self._measured * self._latency) / self._doubt
        self._way = self._begun + self._pressing / step
        most = self._rate * (1 + 1 / max(_STEEPEST, self._rate * self._latency))
        beyond = max(self._way - 2, 0)  # as far above as it began below: the limit is another one now
        wanted = self._measured * (1 + self._doubt * (self._way - 1) ** 3 + _BEYOND * beyond**2)
        self._rate = max(min(wanted, most), _SLOWEST_RATE)

    def _fall(self, now: float) -> None:
        """Set the rate to a little less than what passed since it last fell."""
        if not self._passed:
            self._vain += 1
            self._measured = max(self._rate / 2, _SLOWEST_RATE) if self._limited else _FIRST_RATE
            self._doubt, self._begun = _BOLD, 1.0
        else:
            self._measure(now)
            self._begun = 1 - (_CAREFUL / self._doubt) ** (1 / 3)
        self._limited, self._fell = True, now
        self._passed = self._pressing = 0
        self._rise()
        self._next = now + (1 + self._random()) / self._rate

    def _measure(self, now: float) -> None:
        """Take the rate from what passed, and from how it came to this refusal.

        A bucket that was full for a while lost some of its rate, which then lies between what passed and what was sent:
        where reads passed at more than was measured before, it is taken to be nearer to what was sent.
        """
        passed = self._passed / max(now - self._fell, _SHORTEST_LOOK)
        doubt = max(2 / (self._passed + 1), (1 - passed / self._rate) / 4)
        self._doubt = min(max(doubt, _CAREFUL), _BOLD)
        self._share = min(self._share + _SHARE, _MOST_SHARE) if self._way > 1 else self._share / 2
        passed = min(max(passed, self._rate / 4), self._rate)
        self._measured = passed + self._share * (self._rate - passed)
