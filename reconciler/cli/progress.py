"""Progress on standard error: a line for each change of a few targets, one live line for many, sums for a log."""

from __future__ import annotations

import os
import re
import sys
import threading
import time
from dataclasses import dataclass, field

from reconciler.cli.console import write_error
from reconciler.cli.options import Show
from reconciler.operations.fleet import Observer

_FEW = 10
_QUIET_SECONDS = 60.0
_REDRAWN = 0.2
_ELAPSED = re.compile(r"\d+s elapsed")
_MINUTE, _HOUR = 60, 3600


@dataclass(frozen=True, slots=True)
class Stage:
    """What is done to many targets, and how far it is. ``failed`` has an entry for each target that is done.

    That is a list because threads may append to one without a lock.
    """

    doing: str
    total: int
    began: float
    failed: list[bool] = field(default_factory=list)

    def pace(self, now: float, *, over: bool = False) -> str:
        """How far it is, such as ``400 of 1000 (20/s, 30s left, 2 failed)``, or how far it came."""
        done, failed, seconds = len(self.failed), sum(self.failed), max(now - self.began, 0.001)
        told = []
        if done:
            rate = done / seconds
            told.append(f"{rate:.0f}/s" if rate >= _FEW else f"{rate:.1f}/s")
            told.append(f"in {_span(seconds)}" if over else f"{_span((self.total - done) / rate)} left")
        if failed:
            told.append(f"{failed} failed")
        return f"{done} of {self.total}" + (f" ({', '.join(told)})" if told else "")


def _span(seconds: float) -> str:
    """Seconds as people say them."""
    if seconds < 2 * _MINUTE:
        return f"{seconds:.0f}s"
    if seconds < 2 * _HOUR:
        return f"{seconds / _MINUTE:.0f}m"
    return f"{seconds / _HOUR:.0f}h"


class Progress(Observer):
    """Tells people, or a log, how far a command is.

    A few targets have a line for each change. What is done to many is told on one live line where standard
    error is a terminal; elsewhere at its start, at its end, and as often as a pipeline wants to hear that its
    command is alive.
    """

    def __init__(self, show: Show, *, quiet_seconds: float = _QUIET_SECONDS) -> None:
        """Be silent where ``show`` says so; nothing is said twice within ``quiet_seconds`` where nobody looks."""
        self._show = show
        self._quiet_seconds = quiet_seconds
        self._lock = threading.Lock()
        self._told: dict[str, tuple[str, float]] = {}
        self._stage: Stage | None = None
        self._doing = self._done = ""
        self._over = threading.Event()
        self._teller: threading.Thread | None = None

    def started(self, doing: str, total: int) -> None:
        """Begin to count, where there are too many targets for a line each."""
        self._doing, self._done = doing, ""
        if self._show.quiet or total <= _FEW:
            return
        self._stage = Stage(doing, total, time.monotonic())
        self._over.clear()
        tell = self._draw if self._drawn() else self._count
        self._teller = threading.Thread(target=tell, args=(self._stage,), daemon=True)
        self._teller.start()

    def finished(self, name: str, *, failed: bool) -> None:  # noqa: ARG002 - the bar names nobody
        """Count a target."""
        stage = self._stage
        if stage is not None:
            stage.failed.append(failed)

    def ended(self) -> None:
        """Stop counting; the live line is gone after it."""
        teller, self._teller, self._stage = self._teller, None, None
        self._done = self._doing
        if teller is not None:
            self._over.set()
            teller.join()

    def __call__(self, name: str, message: str) -> None:
        """Tell what is happening to a target, unless it is what happens to all of many.

        What a stage does is told no more once it has ended: by then the result is shown, and who was stopped is late.
        """
        stage = self._stage
        if self._show.quiet or message == self._done or (stage is not None and message == stage.doing):
            return
        kind = _ELAPSED.sub("", message)
        now = time.monotonic()
        with self._lock:
            last, at = self._told.get(name, ("", 0.0))
            live = sys.stderr is not None and sys.stderr.isatty()
            if kind == last and not live and now - at < self._quiet_seconds:
                return
            self._told[name] = (kind, now)
            write_error(f"{name}: {message}\n")

    def _drawn(self) -> bool:
        """Whether a line can be drawn over: our own records would go through the middle of it."""
        return (
            sys.stderr is not None
            and sys.stderr.isatty()
            and os.environ.get("TERM") != "dumb"
            and not (self._show.verbose or self._show.debug)
        )

    def _count(self, stage: Stage) -> None:
        doing = stage.doing.rstrip(".")
        write_error(f"{doing} of {stage.total} targets...\n")
        while not self._over.wait(self._quiet_seconds):
            write_error(f"{doing}: {stage.pace(time.monotonic())}\n")
        write_error(f"{doing}: {stage.pace(time.monotonic(), over=True)}\n")

    def _draw(self, stage: Stage) -> None:
        """The live line. What others write to standard error meanwhile, rich puts above it."""
        if self._over.wait(_REDRAWN):  # over before anybody could read it
            return
        from rich.console import Console
        from rich.progress import BarColumn, TextColumn
        from rich.progress import Progress as Bar

        columns = (TextColumn("{task.description}", markup=False), BarColumn(20), TextColumn("{task.fields[pace]}"))
        console = Console(stderr=True, no_color=True if self._show.no_color else None)
        with Bar(*columns, console=console, transient=True, auto_refresh=False) as bar:
            drawn = bar.add_task(stage.doing, total=stage.total, pace="")
            while True:
                bar.update(drawn, completed=len(stage.failed), pace=stage.pace(time.monotonic()), refresh=True)
                if self._over.wait(_REDRAWN):
                    return
