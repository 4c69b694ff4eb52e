"""Programs that live in environments of their own, installed once for all tests and benchmarks."""

import fcntl
import os
import subprocess
import sys
import venv
from pathlib import Path

_CACHE = Path(__file__).parents[1] / ".cache"


def executable(name: str, *, package: str) -> Path:
    """Return a program: the one that $RECONCILER_TEST_<NAME> names, or one installed once into .cache."""
    given = os.environ.get(f"RECONCILER_TEST_{name.upper().replace('-', '_')}")
    if given:
        return Path(given)
    home = _CACHE / package
    done = home / "installed"
    _CACHE.mkdir(exist_ok=True)
    with (_CACHE / f"{package}.lock").open("w") as lock:
        # The workers of one test run, and several runs, wait here for the first.
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not done.exists():
            venv.create(home, clear=True, with_pip=True)
            python = str(home / "bin" / "python")
            install = ["-m", "pip", "install", "--quiet", "--disable-pip-version-check", package]
            subprocess.run([python, *install], check=True, stdout=sys.stderr)
            done.touch()
    return home / "bin" / name
