"""Counts what a run does to the world outside, and kills or stops the process right before a chosen step.

Nothing in the program knows of it: Python's audit events tell of requests and files, and what has no event is
wrapped. A step is told before it is taken, so that a kill at it leaves the world without it.
"""

from __future__ import annotations

import http.client
import os
import re
import signal
import sys
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

_OPERATIONS = (
    (re.compile(rb"POST /backend/[^/]+/auth/[^/]+/details "), "GetBackendAuth"),
    (re.compile(rb"POST /backend/[^/]+/auth/[^/]+ "), "UpdateBackendAuth"),
    (re.compile(rb"POST /backend/[^/]+/details "), "GetBackend"),
    (re.compile(rb"POST /backend/[^/]+/job/[^/]+ "), "ListBackendJobs"),
    (re.compile(rb"GET /backend/[^/]+/job/[^/]+/[^/]+ "), "GetBackendJob"),
)
_REQUEST_LINE = re.compile(rb"[A-Z]+ /\S* HTTP/1\.1\r\n")
_WRITES = os.O_WRONLY | os.O_RDWR | os.O_CREAT | os.O_TRUNC
_AT_ONE_PATH = {"os.mkdir": "mkdir", "os.remove": "remove", "os.rmdir": "rmdir", "os.truncate": "truncate"}
_AT_TWO_PATHS = {"os.rename": "rename", "os.link": "link"}
_AT_DESCRIPTOR = {"fcntl.flock": "lock", "fcntl.lockf": "lock"}


class Steps:
    """The steps of this process, from now on.

    Args:
        told: the file that gets a line for each step before it is taken.
        watched: only files below this folder count; the folder may appear later.
        at: the number of the step, from 1, right before which the process gets ``sends``; 0 for none.
        sends: SIGKILL or SIGSTOP.
    """

    def __init__(self, told: Path, watched: Path, at: int, sends: signal.Signals) -> None:
        self._told = os.open(told, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
        self._watched = watched.resolve()
        self._at = at
        self._sends = sends
        self._lock = threading.Lock()
        self._count = 0
        self._operation = "a request"

    def watch(self) -> None:
        """Begin."""
        real_answer = http.client.HTTPConnection.getresponse

        def answer(connection: http.client.HTTPConnection) -> http.client.HTTPResponse:
            operation = self._operation
            self._take(f"{operation} was sent")
            response = real_answer(connection)
            self._take(f"{operation} was answered")
            return response

        http.client.HTTPConnection.getresponse = answer  # type: ignore[method-assign, assignment]
        os.fsync = self._before("fsync", os.fsync)  # type: ignore[assignment]
        os.fdatasync = self._before("fsync", os.fdatasync)  # type: ignore[assignment]
        sys.addaudithook(self._heard)

    def _take(self, name: str) -> None:
        with self._lock:
            self._count += 1
            os.write(self._told, f"{name}\n".encode())
            if self._count == self._at:
                # To this very thread: a stop that another thread takes would let this one go on for a moment.
                signal.pthread_kill(threading.get_ident(), self._sends)

    def _heard(self, event: str, details: tuple[Any, ...]) -> None:
        if event == "http.client.send":
            self._sending(bytes(details[1]))
        elif event == "http.client.connect":
            self._take("connect")
        elif event == "open":
            path, _, flags = details
            if flags & _WRITES:
                self._at_path("write", path)
        elif event in _AT_ONE_PATH:
            self._at_path(_AT_ONE_PATH[event], details[0])
        elif event in _AT_TWO_PATHS:
            self._at_path(_AT_TWO_PATHS[event], details[1])
        elif event in _AT_DESCRIPTOR:
            self._at_descriptor(_AT_DESCRIPTOR[event], details[0])

    def _sending(self, data: bytes) -> None:
        if _REQUEST_LINE.match(data) is None:
            self._take(f"{self._operation}'s body")
            return
        self._operation = next((name for line, name in _OPERATIONS if line.match(data)), "a request")
        self._take(self._operation)

    def _before(self, name: str, real: Callable[[Any], None]) -> Callable[[Any], None]:
        def call(descriptor: Any) -> None:
            self._at_descriptor(name, descriptor)
            real(descriptor)

        return call

    def _at_descriptor(self, name: str, descriptor: Any) -> None:
        number = descriptor if isinstance(descriptor, int) else descriptor.fileno()
        path = Path(f"/proc/self/fd/{number}").readlink()
        self._at_path(name, path / "its entries" if path.is_dir() else path)

    def _at_path(self, name: str, path: Any) -> None:
        if isinstance(path, int):
            return
        place = self._place(Path(os.path.abspath(os.fsdecode(path))))  # noqa: PTH100 - a link must not be followed
        if place is not None:
            self._take(f"{name} in {place}")

    def _place(self, path: Path) -> str | None:
        """The folder by its first two words: what is below has names that differ from run to run."""
        if not path.is_relative_to(self._watched):
            return None
        return "/".join(path.relative_to(self._watched).parts[:-1][:2]) or self._watched.name
