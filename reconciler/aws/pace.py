"""How fast a service lets us read: a token bucket that all threads share, at the rate that it was seen to pass."""

from __future__ import annotations

import logging
import math
import threading
from collections.abc import Callable

_log = logging.getLogger(__name__)
_FIRST_RATE = 20.0
"""Reads a second once there is a limit, where nothing passed since it was reached."""
_SLOWEST_RATE = 1.0
"""Reads a second even where nothing passes: so we get our part of what others leave, and see when they are gone."""
_MOST_EXCESS = 24
_UNPACED, _HELPLESS = (4, 1), (3, 2)
"""What a refusal adds to the excess, and what a read that passes takes from it. Where a fifth is refused for a while, a
limit is looked for; where slowing down was seen not to help, two fifths tell of one."""
_SOON = 16
"""A limit that is kept refuses one read in many more."""
_OFTEN = 6
"""So many refusals that came soon, with twice that allowed for each that did not: slowing down does not help."""
_NOTHING = 4
"""So many refusals running: nothing passes."""
_CLOSED_SECONDS = 60
"""How long nothing may pass until the service counts as closed."""
_LONGEST_HOLD = 300
"""Seconds that the service may name; more is not believed."""
_CAREFUL, _BOLD = 0.05, 0.5
"""The least and the most that is doubted of a measured rate, as shares of it."""
_STEP, _STEP_SECONDS = 5, 2.5
"""Reads, or seconds where that is less, in which the rate comes back to what was measured, times the doubt, so that
refusals are few."""
_STEEPEST, _STEEPEST_SECONDS = 20, 5
"""Reads, or seconds where that is less, in which the rate may double, about: what a refusal tells must not come too
late."""
_HELPLESS_STEEPEST = 5
"""The same where slowing down did not help."""
_BEYOND = 4
"""How steeply the rate rises beyond what a limit that stays would have refused."""
_SHARE, _MOST_SHARE = 0.25, 0.5
"""By how much, and how much at most, a measured rate is moved towards what was sent: see :meth:`Pace._measure`."""
_LONGEST_LOOK = 0.25
"""Seconds after which whoever waits looks again: meanwhile the rate may have risen."""
_SHORTEST_LOOK = 0.001
_RETRIES = 100
"""Reads that failed otherwise and may be tried again before one succeeds."""
_TOLD_RATE, _TOLD_SECONDS = 50, 60
"""Reads a second; who may send more hardly waits, and is told nothing. Nobody is told twice within so many seconds."""


class Pace:
    """A token bucket of one token: without a limit until reads are refused, then as fast as reads were seen to pass.

    Refusals now and then are no limit: their reads are made again, as after any other failure. Where they are many,
    they tell that the service's own bucket is empty, so what passed between two refusals over the time between them is
    its rate. From a little below that the rate rises again as reads pass: by a cubic, which is flat near what was
    measured and steep beyond it. A limit that stays is touched once in many reads, and one that was lifted is soon
    left behind. How flat, that is the doubt: the fewer reads were measured, the bigger the steps. A refusal of what was
    sent before the rate last fell says nothing new.

    Not every refusal is for our rate: a service may refuse at random, or others may use up what it lets pass. Then
    slowing down does not help. It is known by refusals that go on to come soon after the rate fell, which a limit that
    was measured does not do. The rate goes back to what it was before and rises, whatever is refused, until the
    refusals outweigh what passes.
    """

    def __init__(self, now: Callable[[], float], random: Callable[[], float], place: str) -> None:
        """Begin without a limit.

        Args:
            now: monotonic seconds.
            random: a number from 0 to 1, for the jitter after a refusal: others share the service.
            place: where the service is, such as its region, for who is told that it slows us down.
        """
        self._now = now
        self._random = random
        self._place = place
        self._lock = threading.Lock()
        self._line: list[object] = []
        self._limited = False
        self._rate = self._measured = self._before = _FIRST_RATE
        self._doubt, self._begun, self._way = _BOLD, 1.0, 1.0
        self._share = self._latency = 0.0
        self._next = self._fell = 0.0
        self._held = self._held_by = 0.0
        self._vain = False
        self._passed = self._sent = self._running = self._excess = self._often = 0
        self._closes = math.inf
        self._told = (-math.inf, 2.0 * _TOLD_RATE)
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
            early = max(self._next, self._held) - now
            if early > 0:
                if turn not in self._line:
                    self._line.append(turn)
                behind = self._line.index(turn) / self._rate
                return min(max(early + behind, _SHORTEST_LOOK), _LONGEST_LOOK)
            if turn in self._line:
                self._line.remove(turn)
            slot = 1 / self._rate
            self._sent += 1
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
        if not self._limited and not self._excess:
            return
        with self._lock:
            self._running = 0
            self._excess = max(self._excess - (_HELPLESS if self._limited else _UNPACED)[1], 0)
            self._latency += (self._now() - sent - self._latency) / 8
            if sent > self._held_by:
                self._held = 0.0
            if sent > self._fell or not self._vain:
                self._vain = False
                self._passed += 1

    def refused(self, sent: float, after: float = 0) -> None:
        """The service refused a read that was sent then, and named so many seconds to wait, or none."""
        with self._lock:
            now = self._now()
            self._running += 1
            if self._running == 1:
                self._closes = now + _CLOSED_SECONDS
            if not self._limited:
                if not self._excess:
                    self._fell, self._passed, self._vain = now, 0, True
                self._excess += _UNPACED[0]
                if self._excess >= _MOST_EXCESS:
                    self._limit(now)
            elif sent > self._fell:
                self._excess += _HELPLESS[0]
                if not self._helpless or self._excess >= _MOST_EXCESS:
                    self._fall(now)
            if after and self._running >= _NOTHING:
                believed = after if after <= _LONGEST_HOLD else _CLOSED_SECONDS
                if self._running == _NOTHING:
                    self._closes = max(self._closes, now + believed)
                self._held, self._held_by = max(self._held, now + believed), sent
            slow = self._news(now)
        if slow is not None:
            text = "the service in %s refuses reads that come too fast: slowing down to about %d a second"
            _log.warning(text, self._place, round(slow))

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
        return self._running >= _NOTHING and self._closes <= self._now() < max(self._next, self._held)

    @property
    def _helpless(self) -> bool:
        return self._often >= _OFTEN

    def _rise(self) -> None:
        """Set the rate to where the reads have brought it that were sent since it fell."""
        at_once = self._rate * self._latency
        if self._helpless:
            self._rate *= 1 + 1 / max(_HELPLESS_STEEPEST, at_once)
            return
        step = max(min(_STEP, self._measured * _STEP_SECONDS), self._measured * self._latency) / self._doubt
        self._way = self._begun + self._sent / step
        most = self._rate * (1 + 1 / max(min(_STEEPEST, self._rate * _STEEPEST_SECONDS), at_once))
        beyond = max(self._way - 2, 0)  # as far above as it began below: the limit is another one now
        wanted = self._measured * (1 + self._doubt * (self._way - 1) ** 3 + _BEYOND * beyond**2)
        self._rate = max(min(wanted, most), _SLOWEST_RATE)

    def _limit(self, now: float) -> None:
        """Begin with a limit, at the rate that passed since the refusals began."""
        if self._passed:
            self._rate = max(self._passed / max(now - self._fell, _SHORTEST_LOOK), _SLOWEST_RATE)
        self._measured = self._before = self._rate
        self._limited, self._excess = True, 0
        self._pause(now)

    def _fall(self, now: float) -> None:
        """Set the rate to a little less than what passed since it last fell, or back where that did not help."""
        if self._excess >= _MOST_EXCESS or self._running >= _NOTHING:
            self._excess = self._often = 0
        elif self._passed < _SOON:
            self._often += 1
        else:
            self._often = max(self._often - 2, 0)
        if self._passed:
            self._measure(now)
            self._begun = 1 - (_CAREFUL / self._doubt) ** (1 / 3)
        else:
            self._measured = max(self._rate / 2, _SLOWEST_RATE)
            self._doubt, self._begun = _BOLD, 1.0
        if not self._often:
            self._before = self._measured
        self._pause(now)

    def _pause(self, now: float) -> None:
        """Send nothing for a moment, and then at the rate that was measured."""
        self._fell, self._vain = now, not self._passed
        self._passed = self._sent = 0
        if self._helpless:
            self._rate = self._before
        else:
            self._rise()
        self._next = now + (1 + self._random()) / self._rate

    def _measure(self, now: float) -> None:
        """Take the rate from what passed, and from how it came to this refusal.

        A bucket that was full for a while lost some of its rate, which then lies between what passed and what was sent:
        where reads passed at more than was measured before, it is taken to be nearer to what was sent.
        """
        passed = self._passed / max(now - self._fell, _SHORTEST_LOOK)
        self._doubt = min(max(2 / (self._passed + 1), _CAREFUL), _BOLD)
        self._share = min(self._share + _SHARE, _MOST_SHARE) if self._way > 1 else self._share / 2
        passed = min(max(passed, self._rate / 4), self._rate)
        self._measured = max(passed + self._share * (self._rate - passed), _SLOWEST_RATE)

    def _news(self, now: float) -> float | None:
        """The rate where people should hear why they wait, or that they wait much longer than they heard."""
        at, rate = self._told
        if not self._limited or now - at < _TOLD_SECONDS or self._rate > rate / 2:
            return None
        self._told = now, self._rate
        return self._rate
