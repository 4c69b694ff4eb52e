"""Real processes, as people start them: what they write, what their command lines show, what a killed one leaves."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from pathlib import Path

import pytest

from tests.cli.conftest import ROOT
from tests.faults.canary import forms
from tests.secrecy.stage import ALL_OF_IT, Stage, providers

pytestmark = pytest.mark.broad

_PATIENCE = 30.0
_LOOK = 0.02


def test_a_process_that_is_killed_during_its_job_leaves_no_secret_behind(stage: Stage) -> None:
    _prepare(stage)
    stage.switch("secrets=clear", "apple_key=clear", "job_seconds=60")
    with _started(stage, "apply", "auth.json", ALL_OF_IT, "--auto-approve", "--debug", "--emulator") as process:
        _wait_for(stage, "Update started")
        shown = b"".join(path.read_bytes() for path in _command_lines())
        process.kill()
    assert b"auth.json" in shown
    assert not [secret for secret in stage.secrets for form in forms(secret) if form in shown]
    stage.switch("secrets=clear", "apple_key=clear")
    with _started(stage, "apply", "--resume", "--debug", "--emulator", "--job-timeout", "0"):
        pass
    _clean(stage)


def test_a_process_that_breaks_leaves_no_secret_in_its_traceback(stage: Stage) -> None:
    _prepare(stage)
    sabotage = (
        "import sys, reconciler.core.request as request\n"
        "def overlay(live, wanted):\n    secret = repr(wanted)\n    raise RuntimeError('deep inside')\n"
        "request.overlay = overlay\nfrom reconciler.cli.main import main\nmain()\n"
    )
    command = [sys.executable, "-X", "dev", "-c", sabotage, "plan", "auth.json", "--emulator", "--debug"]
    ended = subprocess.run(command, cwd=stage.project, env=_environment(), capture_output=True, check=False)
    (stage.folder / "written" / "broken").write_bytes(ended.stdout + ended.stderr)
    assert b"deep inside" in ended.stdout + ended.stderr
    _clean(stage)


def _prepare(stage: Stage) -> None:
    """Let the first process make every folder and file itself."""
    (stage.folder / "written").mkdir()
    stage.write(providers(stage.references()))
    with _started(stage, "emulator", "seed", "auth.json"):
        pass
    assert not stage.loose()
    stage.live()


def _environment() -> dict[str, str]:
    return {**os.environ, "PYTHONPATH": str(ROOT), "PYTHONUNBUFFERED": "1", "PYTHONFAULTHANDLER": "1"}


def _started(stage: Stage, *arguments: str) -> subprocess.Popen[bytes]:
    """Start the program; what leaves the block waits for its end."""
    number = len(list((stage.folder / "written").iterdir()))
    with (stage.folder / "written" / f"process-{number}").open("wb") as written:
        return subprocess.Popen(
            [sys.executable, "-X", "dev", "-m", "reconciler", *arguments],
            cwd=stage.project,
            env=_environment(),
            stdin=subprocess.DEVNULL,
            stdout=written,
            stderr=subprocess.STDOUT,
            umask=0o022,
        )


def _wait_for(stage: Stage, text: str) -> None:
    deadline = time.monotonic() + _PATIENCE
    while not any(text in path.read_text(encoding="utf-8") for path in (stage.folder / "written").iterdir()):
        assert time.monotonic() < deadline, f"nobody says {text}"
        time.sleep(_LOOK)


def _command_lines() -> list[Path]:
    """The command lines of this process's children, as everybody on the machine can read them."""
    children = Path(f"/proc/self/task/{os.getpid()}/children")
    found = [path for child in children.read_text().split() for path in [Path("/proc", child, "cmdline")]]
    assert found
    return found


def _clean(stage: Stage) -> None:
    assert not stage.betrayals()
    assert not stage.loose()
