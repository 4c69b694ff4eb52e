"""Starts the program without the wait for its imports: one process imports everything, and forks one for each run.

It reads a JSON request a line and writes a JSON report a line. A run is requested by :class:`Start`, and gets a
signal by ``{"id": ..., "signal": ...}``; ``{"id": ..., "stopped": true}`` tells that a run stopped itself, and
``{"id": ..., "code": ...}`` how it ended: its exit code, or a signal's number below zero. A run is a real process
that goes the way of ``python -m reconciler``. When the requests end, whatever still runs is killed.
"""

from __future__ import annotations

import atexit
import contextlib
import gc
import importlib
import io
import json
import os
import select
import signal
import sys
import threading
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, NoReturn

_IMPORTED = (
    "boto3",
    "botocore.session",
    "deepdiff",
    "jsonschema",
    "yaml",
    "reconciler.aws.amplify",
    "reconciler.aws.session",
    "reconciler.cli.main",
    "reconciler.config.desired",
    "reconciler.config.schema",
    "reconciler.emulator",
    "reconciler.emulator.transports",
    "reconciler.operations.apply",
    "reconciler.operations.plan",
    "reconciler.render.json",
    "reconciler.render.markdown",
    "reconciler.render.report",
    "reconciler.render.terminal",
    "reconciler.secrets",
)


@dataclass(frozen=True, slots=True)
class Start:
    """One run of the program.

    Attributes:
        id: Names the run in reports; no other has it.
        arguments: The command line.
        environment: All variables.
        folder: The current folder.
        out: The file that standard output goes to.
        err: The file that standard error goes to.
        steps: The file that gets a line for each step, or none where nobody counts.
        watched: The folder whose files count.
        at: The step before which the process is killed or stopped; 0 for none.
        stops: Whether it is stopped instead of killed.
    """

    id: int
    arguments: tuple[str, ...]
    environment: dict[str, str]
    folder: str
    out: str
    err: str
    steps: str = ""
    watched: str = ""
    at: int = 0
    stops: bool = False

    def line(self) -> str:
        """The request."""
        return json.dumps(asdict(self)) + "\n"


def serve() -> None:
    """Serve requests. Returns in each run's own process, ready for the program, and there alone."""
    requests, reports = os.dup(0), os.dup(1)
    woken, wakes = os.pipe()
    for end in (woken, wakes):
        os.set_blocking(end, False)
    signal.set_wakeup_fd(wakes)
    signal.signal(signal.SIGCHLD, lambda _number, _frame: None)
    running: dict[int, int] = {}
    unread = b""
    while True:
        readable, _, _ = select.select([requests, woken], [], [])
        if woken in readable:
            os.read(woken, 4096)
            _report(running, reports)
        if requests not in readable:
            continue
        read = os.read(requests, 1 << 16)
        if not read:
            _end(running)
        *lines, unread = (unread + read).split(b"\n")
        for line in lines:
            request = json.loads(line)
            if "signal" in request:
                _signal(running, request["id"], request["signal"])
                continue
            process = os.fork()
            if process == 0:
                signal.set_wakeup_fd(-1)
                signal.signal(signal.SIGCHLD, signal.SIG_DFL)
                for descriptor in (requests, reports, woken, wakes):
                    os.close(descriptor)
                _become(Start(**request))
                return
            running[process] = request["id"]


def _become(start: Start) -> None:
    """Make this process the one that was asked for."""
    flags = os.O_WRONLY | os.O_CREAT | os.O_TRUNC
    places = (os.open(os.devnull, os.O_RDONLY), os.open(start.out, flags, 0o600), os.open(start.err, flags, 0o600))
    for standard, place in enumerate(places):
        os.dup2(place, standard)
        os.close(place)
    os.environ.clear()
    os.environ.update(start.environment)
    os.chdir(start.folder)
    sys.argv = ["reconciler", *start.arguments]
    if start.steps:
        from tests.faults.steps import Steps

        sends = signal.SIGSTOP if start.stops else signal.SIGKILL
        Steps(Path(start.steps), Path(start.watched), start.at, sends).watch()


def _report(running: dict[int, int], reports: int) -> None:
    """Tell of every run that ended or stopped."""
    while running:
        process, status = os.waitpid(-1, os.WNOHANG | os.WUNTRACED)
        if process == 0:
            return
        told: dict[str, Any] = {"id": running[process]}
        if os.WIFSTOPPED(status):
            told["stopped"] = True
        else:
            told["code"] = os.waitstatus_to_exitcode(status)
            del running[process]
        os.write(reports, json.dumps(told).encode() + b"\n")


def _signal(running: dict[int, int], run: int, number: int) -> None:
    for process, name in running.items():
        if name == run:
            os.kill(process, number)


def _end(running: dict[int, int]) -> None:
    for process in running:
        os.kill(process, signal.SIGKILL)
    for process in running:
        os.waitpid(process, 0)
    os._exit(0)


def _prepare() -> None:
    """Import what a run would, read what it would, and keep the collector from copying that into every run."""
    for name in _IMPORTED:
        importlib.import_module(name)
    import boto3

    from reconciler.cli.main import main
    from tests.service_models import share_service_models

    share_service_models()
    session = boto3.Session(aws_access_key_id="none", aws_secret_access_key="none", region_name="us-east-1")
    session.client("amplifybackend").close()
    with contextlib.redirect_stdout(io.StringIO()):
        main(["schema", "auth"])
    gc.collect()
    gc.freeze()


def _run() -> NoReturn:
    """Run the program, and leave as multiprocessing's forks do.

    To take the interpreter down as well would copy every page of it, and double a run's time.
    """
    from reconciler.__main__ import run

    try:
        run()
    except SystemExit as ended:
        code = ended.code
    for thread in threading.enumerate():
        if not thread.daemon and thread is not threading.current_thread():
            thread.join()
    atexit._run_exitfuncs()  # noqa: SLF001 - what the interpreter would call now
    os._exit(int(code or 0))


if __name__ == "__main__":
    _prepare()
    serve()
    _run()
