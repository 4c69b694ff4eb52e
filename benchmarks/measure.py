"""What a process takes, and two things measured in turn so that noise hits both.

This process imports nothing large: the peak memory of a child begins with that of its parent.
"""

from __future__ import annotations

import os
import shlex
import subprocess
import tempfile
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from benchmarks.fleet import ROOT, Unmeasurable


@dataclass(frozen=True, slots=True)
class Usage:
    """What a process took from its start to its end, with the children that it waited for.

    Attributes:
        wall: seconds.
        cpu: seconds, of user and system.
        peak: the most memory, in KB.
        output: what it wrote to standard output and error.
        exitcode: how it ended.
    """

    wall: float
    cpu: float
    peak: float
    output: str
    exitcode: int


def run(command: Sequence[str], environment: Mapping[str, str], *, may_fail: bool = False) -> Usage:
    """Run a command to its end, at the root of the tree.

    Raises:
        Unmeasurable: it failed, unless it may.
    """
    with tempfile.TemporaryFile("w+", encoding="utf-8") as output:
        before = time.perf_counter()
        process = subprocess.Popen(
            command, stdin=subprocess.DEVNULL, stdout=output, stderr=subprocess.STDOUT, cwd=ROOT, env=environment
        )
        # Unlike getrusage, it tells of this child alone.
        _, status, used = os.wait4(process.pid, 0)
        wall = time.perf_counter() - before
        process.returncode = os.waitstatus_to_exitcode(status)
        output.seek(0)
        text = output.read()
    if process.returncode and not may_fail:
        raise Unmeasurable(f"{shlex.join(command)} ended with {process.returncode}:\n{text[-2000:]}")
    return Usage(wall, used.ru_utime + used.ru_stime, used.ru_maxrss, text, process.returncode)


@dataclass(frozen=True, slots=True)
class Taken:
    """What two things took in turn, in seconds, KB or requests.

    Attributes:
        ours: ours, in the order of the runs.
        theirs: what it is held against.
        failed: why the runs of ours don't count, or nothing.
    """

    ours: tuple[float, ...]
    theirs: tuple[float, ...]
    failed: str = ""


def in_turn(ours: Callable[[], float], theirs: Callable[[], float], repeat: int, *, warm: bool = True) -> Taken:
    """Measure A B A B ...; where it is warm and not once, after one run of each that does not count."""
    if warm and repeat > 1:
        ours()
        theirs()
    pairs = [(ours(), theirs()) for _ in range(repeat)]
    return Taken(tuple(pair[0] for pair in pairs), tuple(pair[1] for pair in pairs))
