"""A deadline of our own over a whole call: botocore has none, and an answer may trickle in for ever."""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Callable
from queue import Empty, SimpleQueue
from typing import Any, TypeVar

_T = TypeVar("_T")
_Answers = SimpleQueue[tuple[Any, BaseException | None]]
_Calls = SimpleQueue[tuple[Callable[[], Any], _Answers]]

_LOOK = 1
"""Seconds after which whoever waits looks up: a signal that came just before the wait does not end it."""

_idle: list[_Calls] = []
"""One queue for each daemon thread that waits for a call: a thread kept costs a fifth of one started for each call."""


def within(seconds: float, call: Callable[[], _T]) -> _T:
    """Run a call with a deadline.

    The call goes on in a daemon thread when the deadline has passed; nobody waits for it.

    Raises:
        TimeoutError: no result within ``seconds``. Whatever the call raises is raised here.
    """
    answers: _Answers = SimpleQueue()
    try:
        calls = _idle.pop()
    except IndexError:
        calls = SimpleQueue()
        threading.Thread(target=_serve, args=(calls,), daemon=True).start()
    until = time.monotonic() + seconds
    calls.put((call, answers))
    while True:
        left = max(until - time.monotonic(), 0)
        try:
            result, problem = answers.get(timeout=min(left, _LOOK))
        except Empty:
            if left <= _LOOK:
                raise TimeoutError from None
        else:
            break
    if problem is not None:
        try:
            raise problem
        finally:
            del problem  # it holds this frame, which would hold it
    answered: _T = result
    return answered


def _serve(calls: _Calls) -> None:
    """Make one call after another; between them nothing of a call is held."""
    while True:
        _answer(*calls.get(), calls)


def _answer(call: Callable[[], Any], answers: _Answers, calls: _Calls) -> None:
    answer: tuple[Any, BaseException | None]
    try:
        answer = call(), None
    except BaseException as raised:  # noqa: BLE001 - it is raised again in the thread that asked
        answer = None, raised
    _idle.append(calls)  # first, so that whoever is answered finds it for his next call
    answers.put(answer)
    del answer


os.register_at_fork(after_in_child=_idle.clear)  # a fork has none of the threads
