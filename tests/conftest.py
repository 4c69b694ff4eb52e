"""What tests of several packages share: the real AWS CLI, in an environment of its own."""

import fcntl
import os
import subprocess
import sys
import venv
from pathlib import Path

import pytest

_CACHE = Path(__file__).parents[1] / ".cache"


@pytest.fixture(scope="session")
def aws_cli() -> Path:
    """Return the `aws` executable: $RECONCILER_TEST_AWS, or one installed once into .cache/awscli.

    It pins its own botocore, so it cannot live beside the one under test.
    """
    given = os.environ.get("RECONCILER_TEST_AWS")
    if given:
        return Path(given)
    home = _CACHE / "awscli"
    executable = home / "bin" / "aws"
    done = home / "installed"
    _CACHE.mkdir(exist_ok=True)
    with (_CACHE / "awscli.lock").open("w") as lock:
        # The workers of one test run, and several runs, wait here for the first.
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not done.exists():
            venv.create(home, clear=True, with_pip=True)
            python = str(home / "bin" / "python")
            install = ["-m", "pip", "install", "--quiet", "--disable-pip-version-check", "awscli"]
            subprocess.run([python, *install], check=True, stdout=sys.stderr)
            done.touch()
    return executable
