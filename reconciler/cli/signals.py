"""Ctrl-C and its kin: the first one asks to stop, a second one ends the process as usual."""

from __future__ import annotations

import signal
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import FrameType
from typing import Any

from reconciler.cli.exits import Exit


@contextmanager
def first_signal(told: Callable[[Exit], None]) -> Iterator[None]:
    """Take the first Ctrl-C, SIGTERM or SIGHUP for a question; what is under way when it comes goes on.

    Args:
        told: called once, in the main thread, with the code with which the run ends because of it.
    """
    before: dict[signal.Signals, Any] = {}

    def give_back() -> None:
        for name, handler in before.items():
            signal.signal(name, handler)

    def take(number: int, _frame: FrameType | None) -> None:
        give_back()
        told(Exit.INTERRUPTED if number == signal.SIGINT else Exit.TERMINATED)

    for name in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        handler = signal.getsignal(name)
        if handler is not signal.SIG_IGN:  # as nohup leaves SIGHUP
            before[name] = handler
            signal.signal(name, take)
    try:
        yield
    finally:
        give_back()
