"""Do the same for many targets at once; one target is a fleet of one."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

_Item = TypeVar("_Item")
_Result = TypeVar("_Result")

Observer = Callable[[str, str], None]
"""Told of progress: a target's name, and what is happening to it."""


def silent(_name: str, _message: str) -> None:
    """An observer that nobody listens to."""


def for_each(items: Sequence[_Item], work: Callable[[_Item], _Result], *, parallelism: int) -> tuple[_Result, ...]:
    """The results in the order of the items, whatever finishes first.

    Args:
        items: what to work on.
        work: called once for each item, in up to ``parallelism`` threads; it does not share state.
        parallelism: the most items under way at once.
    """
    if len(items) <= 1 or parallelism <= 1:
        return tuple(work(item) for item in items)
    pool = ThreadPoolExecutor(max_workers=min(parallelism, len(items)))
    try:
        return tuple(pool.map(work, items))
    finally:
        pool.shutdown(wait=False, cancel_futures=True)
