"""Make a read until it is answered: at the pace that the service takes, and again when the way to it failed."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeVar

from botocore.exceptions import BotoCoreError, ClientError

from reconciler.aws.deadline import within
from reconciler.aws.errors import ReadsRefused, retry_after, throttled, transient
from reconciler.aws.pace import Pace

_T = TypeVar("_T")
ATTEMPTS = 5
"""How often a read is sent that fails otherwise than by being refused for its rate."""
_REFUSALS, _REFUSED_SECONDS = 20, 60
"""How often, and how long at least, one read may be refused while others pass: then the limit is its own."""
_FIRST_PAUSE, _LONGEST_PAUSE = 0.05, 20
_LONGEST_NAMED = 300
"""Seconds; a read that is refused and told to wait longer, in all, is given up."""
_LONGEST_OUTAGE = 30
"""Seconds; a service that failed and names a longer time is looked at again after these."""


@dataclass(slots=True)
class Timing:
    """Time as it is passed in: monotonic seconds, how to wait for seconds, and a random number from 0 to 1.

    What ``sleep`` raises ends the read that waits; it may be replaced while reads are under way.
    """

    now: Callable[[], float]
    sleep: Callable[[float], None]
    random: Callable[[], float]


class Retries:
    """Makes reads, from any thread. botocore's own retries are to be off."""

    def __init__(self, pace: Pace, timing: Timing, deadline: float) -> None:
        """Remember how.

        Args:
            pace: shared with everyone who reads from the same service.
            timing: time.
            deadline: the most seconds that one call may take, and all calls of a read that fail otherwise than by
                being refused, with the pauses after them. Being refused and waiting for the pace do not count: who is
                throttled is served later.
        """
        self._pace = pace
        self._timing = timing
        self._deadline = deadline

    def read(self, call: Callable[[], _T]) -> _T:
        """What a call returns that can be made any number of times.

        Raises:
            TimeoutError: the deadline passed during a call.
            ReadsRefused: it was not sent, since the service refuses everybody.
        """
        now = self._timing.now
        left, failures, refusals = self._deadline, 0, 0
        since = waited = 0.0
        while True:
            self._wait_for_turn()
            sent = now()
            try:
                answer = within(left, call)
            except (BotoCoreError, ClientError) as problem:
                named = retry_after(problem)
                if throttled(problem):
                    self._pace.refused(sent, named)
                    since = sent if not refusals else since
                    refusals += 1
                    waited += named
                    own = refusals >= _REFUSALS and now() - since >= _REFUSED_SECONDS
                    if own or self._pace.closed or waited > _LONGEST_NAMED:
                        raise
                    pause = max(self._jitter(refusals), named)
                elif transient(problem):
                    failures += 1
                    pause = max(self._jitter(failures), min(named, _LONGEST_OUTAGE))
                    left -= now() - sent + pause
                    if failures == ATTEMPTS or left <= 0 or not self._pace.spend_retry():
                        raise
                else:
                    if isinstance(problem, ClientError):
                        self._pace.passed(sent)  # it was answered, if not as was hoped
                    raise
            else:
                self._pace.passed(sent)
                return answer
            if pause:
                self._timing.sleep(pause)

    def _jitter(self, times: int) -> float:
        """Seconds to wait after something went wrong so many times: others may try again at the same moment."""
        return self._timing.random() * min(_FIRST_PAUSE * 2.0 ** (times - 1), _LONGEST_PAUSE)

    def _wait_for_turn(self) -> None:
        pace, turn = self._pace, object()
        while seconds := pace.ask(turn):
            if pace.closed:
                pace.leave(turn)
                raise ReadsRefused
            try:
                self._timing.sleep(seconds)
            except BaseException:
                pace.leave(turn)
                raise
