"""The program as processes: runs that a zygote starts, and the embedded backend served by one of them."""

from __future__ import annotations

import itertools
import json
import os
import re
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import IO, Any, Self

from tests.faults.zygote import Start

ROOT = Path(__file__).parents[2]
HANG_SECONDS = 60.0
"""How long a run may take by the wall clock: none needs a tenth of it."""

_LOOK = 0.005
_SERVED = re.compile(r"http://[0-9.]+:[0-9]+")


@dataclass(frozen=True, slots=True)
class Ended:
    """How a run ended: its exit code, or a signal's number below zero; ``hung`` is whether it had to be killed."""

    code: int
    hung: bool = False


class Run:
    """A run of the program that a zygote started."""

    def __init__(self, zygote: Zygote, start: Start) -> None:
        self.start = start
        self._zygote = zygote
        self._changed = threading.Condition()
        self._code: int | None = None
        self._lost = False
        self._stopped = False
        self._free = False

    def tell(self, report: Mapping[str, Any]) -> None:
        """Take a report of the zygote."""
        with self._changed:
            self._code = report.get("code", self._code)
            self._lost = self._lost or "lost" in report
            self._stopped = self._stopped or "stopped" in report
            if "stopped" in report and self._free:
                self.send(signal.SIGCONT)
            self._changed.notify_all()

    @property
    def over(self) -> bool:
        """Whether it has ended."""
        return self._code is not None or self._lost

    def ended(self) -> Ended:
        """Wait for its end; what hangs is killed."""
        if self._waited(lambda: self.over, HANG_SECONDS):
            return Ended(self._end())
        self.send(signal.SIGKILL)
        self._waited(lambda: self.over, HANG_SECONDS)
        return Ended(self._end(), hung=True)

    def ends_within(self, seconds: float) -> bool:
        """Wait for its end, so long at most, and return whether it came."""
        return self._waited(lambda: self.over, seconds)

    def stops_within(self, seconds: float) -> bool:
        """Wait until it has stopped itself or ended, so long at most, and return whether it has stopped."""
        self._waited(lambda: self._stopped or self.over, seconds)
        return self._stopped

    def go_on(self) -> None:
        """Let it go on where it has stopped itself, and not stop any more."""
        with self._changed:
            self._free = True
            if self._stopped:
                self.send(signal.SIGCONT)

    def send(self, number: signal.Signals) -> None:
        """Send it a signal."""
        self._zygote.write(json.dumps({"id": self.start.id, "signal": number}) + "\n")

    def _waited(self, true: Callable[[], bool], seconds: float) -> bool:
        with self._changed:
            return self._changed.wait_for(true, seconds)

    def _end(self) -> int:
        if self._code is None:
            raise RuntimeError("the zygote ended before its runs, or can't kill them")
        return self._code


class Zygote:
    """The process that starts all others; a context manager. Threads may share it."""

    def __init__(self) -> None:
        # Coverage of every run would double their time, and is had from the other tests.
        environment = {name: value for name, value in os.environ.items() if not name.startswith(("COV", "AWS_"))}
        self._process = subprocess.Popen(
            [sys.executable, "-m", "tests.faults.zygote"],
            cwd=ROOT,
            env={**environment, "PYTHONPATH": str(ROOT), "AWS_CONFIG_FILE": os.devnull},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            start_new_session=True,
        )
        self._ids = itertools.count(1)
        self._runs: dict[int, Run] = {}
        self._lock = threading.Lock()
        self._listener = threading.Thread(target=self._listen, name="zygote", daemon=True)
        self._listener.start()

    def begin(self, arguments: tuple[str, ...], **how: Any) -> Run:
        """Start a run; ``how`` are the other attributes of :class:`Start`."""
        if not self._listener.is_alive():
            raise RuntimeError("the zygote has ended: what it wrote to standard error says why")
        start = Start(next(self._ids), arguments, **how)
        run = self._runs[start.id] = Run(self, start)
        self.write(start.line())
        return run

    def write(self, line: str) -> None:
        """Request something."""
        with self._lock:
            _pipe(self._process.stdin).write(line)
            _pipe(self._process.stdin).flush()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        _pipe(self._process.stdin).close()
        self._listener.join()
        _pipe(self._process.stdout).close()
        self._process.wait()

    def _listen(self) -> None:
        for line in _pipe(self._process.stdout):
            report = json.loads(line)
            self._runs[report["id"]].tell(report)
        for run in list(self._runs.values()):
            run.tell({"lost": True})


class Served:
    """The embedded backend, served by a process of its own; a context manager.

    Attributes:
        state: Its state, which other processes may open.
        url: Where it listens.
    """

    def __init__(self, zygote: Zygote, folder: Path) -> None:
        folder.mkdir(parents=True)
        self.state = folder / "state" / "emulator" / "state.sqlite"
        self._out, self._err = folder / "out", folder / "err"
        self._run = zygote.begin(
            ("emulator", "--port", "0", "--state-dir", str(folder / "state")),
            environment={"PATH": os.environ["PATH"]},
            folder=str(folder),
            out=str(self._out),
            err=str(self._err),
        )
        self.url = self._address()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self._run.send(signal.SIGTERM)
        self._run.ended()

    def _address(self) -> str:
        """Wait for the address that it writes."""
        deadline = time.monotonic() + HANG_SECONDS
        while time.monotonic() < deadline and not self._run.over:
            found = _SERVED.search(self._out.read_text(encoding="utf-8")) if self._out.exists() else None
            if found is not None:
                return found[0]
            time.sleep(_LOOK)
        raise RuntimeError(f"the backend did not begin to listen: {self._err.read_text(encoding='utf-8')}")


def _pipe(stream: IO[str] | None) -> IO[str]:
    if stream is None:
        raise RuntimeError("the zygote has no pipe")
    return stream
