"""What happens, as lines of terraform's UI: on standard output the moment it happens, and in the report at the end."""

from __future__ import annotations

import threading
import time
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from reconciler.cli.console import write_result
from reconciler.cli.options import Format, Show
from reconciler.errors import OutputProblem
from reconciler.operations.fleet import Observer, silent

if TYPE_CHECKING:
    from reconciler.render.ndjson import Event


class Events(Observer):
    """Tells another observer, and keeps a line of each event where somebody asked for ``ndjson``.

    That standard output can't be written stops no update that is under way: :meth:`check` tells before and after.
    """

    def __init__(self, show: Show, observer: Observer = silent) -> None:
        """Listen for ``observer`` too."""
        self._observer = observer
        self._live = show.format is Format.NDJSON
        self._kept = self._live or any(text.startswith(f"{Format.NDJSON}=") for text in show.report or ())
        self._lock = threading.Lock()
        self._lines: list[str] = []
        self._written = 0
        self._broken: OSError | OutputProblem | None = None
        self._doing = ""
        self._began: dict[str, float] = {}
        self.ended_updates: set[str] = set()
        """The targets of which a line told that their update came to its end."""

    def started(self, doing: str, total: int) -> None:
        """Remember what is done."""
        self._doing = doing
        self._observer.started(doing, total)

    def __call__(self, name: str, message: str) -> None:
        """Tell what is happening to a target."""
        if self._kept:
            self._happened(name, message)
        self._observer(name, message)

    def finished(self, name: str, *, failed: bool) -> None:
        """Tell that a target was read, or that its update came to its end."""
        if self._kept:
            self._came_to_its_end(name, failed=failed)
        self._observer.finished(name, failed=failed)

    def ended(self) -> None:
        """Nothing is said of a stage itself."""
        self._observer.ended()

    def check(self) -> None:
        """See that whatever was told could be written.

        Raises:
            OSError, OutputProblem: standard output can't be written.
        """
        if self._broken is not None:
            raise self._broken

    def whole(self, result: str) -> str:
        """All lines: the version's, those of events, the result's."""
        self._open()
        return "".join((*self._lines, result))

    def rest(self, result: str) -> str:
        """What of them is not on standard output yet.

        Raises:
            OSError, OutputProblem: an event could not be written to it.
        """
        self.check()
        self._open()
        return "".join((*self._lines[self._written :], result))

    def _happened(self, name: str, message: str) -> None:
        from reconciler.operations.apply import MODIFYING
        from reconciler.operations.plan import READING
        from reconciler.render.ndjson import Event

        event, elapsed = Event.OTHER, None
        if message == READING:
            event = Event.READING
        elif message == MODIFYING:
            event, self._began[name] = Event.BEGUN, time.monotonic()
        elif name in self._began:
            event, elapsed = Event.GOES_ON, time.monotonic() - self._began[name]
        self._keep(event, name, message, elapsed)

    def _came_to_its_end(self, name: str, *, failed: bool) -> None:
        from reconciler.operations.plan import READING
        from reconciler.render.ndjson import COMPLETE, ERRORED, Event

        if (began := self._began.pop(name, None)) is not None:
            event, message = (Event.FAILED, ERRORED) if failed else (Event.DONE, COMPLETE)
            self.ended_updates.add(name)
            self._keep(event, name, message, time.monotonic() - began)
        elif self._doing == READING and not failed:
            self._keep(Event.READ, name, "Read", None)

    def _keep(self, event: Event, name: str, message: str, elapsed: float | None) -> None:
        from reconciler.render.ndjson import event_ndjson

        with self._lock:
            self._open()
            self._lines.append(event_ndjson(event, name, message, now(), elapsed=elapsed))
            if self._live and self._broken is None:
                unwritten, self._written = self._lines[self._written :], len(self._lines)
                try:
                    write_result("".join(unwritten))
                except (OSError, OutputProblem) as problem:
                    self._broken = problem

    def _open(self) -> None:
        from reconciler.render.ndjson import version_ndjson
        from reconciler.version import __version__

        if not self._lines:
            self._lines.append(version_ndjson(__version__, now()))


def now() -> str:
    """The time, in ISO 8601, UTC."""
    return datetime.now(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
