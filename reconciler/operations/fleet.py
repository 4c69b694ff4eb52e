"""Do the same for many targets at once; one target is a fleet of one."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from queue import Empty, SimpleQueue
from threading import Thread
from typing import Generic, TypeVar

_Item = TypeVar("_Item")
_Result = TypeVar("_Result")

_LOOK = 0.1
"""Seconds between two looks at whether to stop."""


class Observer:
    """Told of progress, by any thread, and so in no time; override what you want to hear, each does nothing.

    A stage is one thing that is done to many targets: :meth:`started`, then of each target :meth:`__call__`
    and :meth:`finished`, then :meth:`ended`. There is one stage at a time. What concerns one target may be told
    outside of a stage too.
    """

    def started(self, doing: str, total: int) -> None:
        """A stage begins: what is done, such as ``Reading live configuration...``, and to how many targets."""

    def __call__(self, name: str, message: str) -> None:
        """What is happening to a target; where it is only what the stage does, ``message`` is its ``doing``."""

    def finished(self, name: str, *, failed: bool) -> None:
        """The stage is through with a target, which nothing can be done to any more where it ``failed``."""

    def ended(self) -> None:
        """The stage ends; where it was stopped before all were finished, some may still be told of after it."""


silent = Observer()
"""An observer that nobody listens to."""


@dataclass(frozen=True, slots=True)
class Stopping(Generic[_Item, _Result]):
    """How a fleet is stopped before its end.

    ``asked`` is looked at ten times a second. Once it is true nothing more is started, what is under way is
    waited for no longer, and ``left`` tells what comes of an item that has no result.
    """

    asked: Callable[[], bool]
    left: Callable[[_Item], _Result]


def for_each(
    items: Sequence[_Item],
    work: Callable[[_Item], _Result],
    *,
    parallelism: int,
    stopping: Stopping[_Item, _Result] | None = None,
) -> tuple[_Result, ...]:
    """The results in the order of the items, whatever finishes first.

    Args:
        items: what to work on.
        work: called once for each item, in up to ``parallelism`` threads; it does not share state. What it
            raises ends the whole, and is raised here.
        parallelism: the most items under way at once.
        stopping: how to stop before the end. With it no work is done in the caller's thread, not even of one
            item: what hangs there could not be left.
    """
    if stopping is None and (len(items) <= 1 or parallelism <= 1):
        return tuple(work(item) for item in items)
    waiting = deque(() if stopping is not None and stopping.asked() else range(len(items)))
    results: dict[int, _Result] = {}
    leaving: SimpleQueue[BaseException | None] = SimpleQueue()

    def worker() -> None:
        problem: BaseException | None = None
        try:
            while (number := _next(waiting)) is not None:
                results[number] = work(items[number])
        except BaseException as raised:  # noqa: BLE001 - it is raised where the results are waited for
            problem = raised
        leaving.put(problem)

    at_work = min(parallelism, len(items))
    try:
        for _ in range(at_work):
            # A daemon, since what is no longer waited for must not hold the process.
            Thread(target=worker, daemon=True).start()
        while at_work and not (stopping is not None and stopping.asked()):
            try:
                problem = leaving.get(timeout=None if stopping is None else _LOOK)
            except Empty:
                continue
            if problem is not None:
                raise problem
            at_work -= 1
    finally:
        waiting.clear()
    if stopping is None:
        return tuple(results[number] for number in range(len(items)))
    return tuple(results[number] if number in results else stopping.left(item) for number, item in enumerate(items))


def _next(waiting: deque[int]) -> int | None:
    """The next number, or None where another thread took the last; a deque may be emptied by all at once."""
    with suppress(IndexError):
        return waiting.popleft()
    return None
