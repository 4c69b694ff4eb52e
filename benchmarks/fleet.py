"""A fleet of unchanged targets: its documents, and the emulator in a process of its own that has them live."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

ROOT = Path(__file__).parents[1]
EXAMPLE = ROOT / "examples" / "auth.yaml"
ENVIRONMENT = "prod"
RESOURCE = "shopauth"
RECONCILER = str(Path(sys.executable).with_name("reconciler"))

ENDPOINT = "AWS_ENDPOINT_URL_AMPLIFYBACKEND"
_ITS_OWN = re.compile(r"(name|AppId|BackendEnvironmentName):")


class Unmeasurable(Exception):
    """A program of the benchmark did not do what is measured; the text says which and what it said."""


def app_of(number: int) -> str:
    """The AppId of a target of the fleet; the targets count from 0."""
    return f"d{number:06}fleet"


def write_fleet(folder: Path, count: int) -> Path:
    """Write a base with all that targets share, and a document for each; returns the folder."""
    folder.mkdir()
    # The project's file: what is found upward ends here.
    (folder / "reconciler.yaml").touch()
    lines = EXAMPLE.read_text(encoding="utf-8").splitlines(keepends=True)
    (folder / "base.yaml").write_text("".join(line for line in lines if not _ITS_OWN.match(line)), encoding="utf-8")
    for number in range(count):
        (folder / f"shop-{number:06}.yaml").write_text(
            f"extends: base.yaml\nname: shop-{number:06}\n"
            f"AppId: {app_of(number)}\nBackendEnvironmentName: {ENVIRONMENT}\n",
            encoding="utf-8",
        )
    return folder


def plain_environment() -> dict[str, str]:
    """The environment of this process without what AWS's tools or ours would read of its user."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("AWS_", "RECONCILER_"))}
    nothing = {"AWS_CONFIG_FILE": os.devnull, "AWS_SHARED_CREDENTIALS_FILE": os.devnull}
    return {**kept, **nothing, "AWS_EC2_METADATA_DISABLED": "true", "AWS_PAGER": ""}


@contextmanager
def served(state: Path, count: int, *, rate: float = 0, burst: int = 1) -> Iterator[dict[str, str]]:
    """The environment in which every tool reaches an emulator that has the fleet's targets live.

    Args:
        state: the folder of its state; made here.
        count: how many targets it has.
        rate: the most requests a second that it lets pass, 429 for the others; 0 lets all pass.
        burst: how many pass at once before the rate counts.
    """
    environment = plain_environment()
    state.mkdir()
    subprocess.run(
        [sys.executable, "-m", "benchmarks.stage", "put", str(state), str(count)], check=True, cwd=ROOT, env=environment
    )
    command = [RECONCILER, "emulator", "--port", "0", "--state-dir", str(state)]
    if rate:
        faults = state / "faults.json"
        throttle = {"kind": "throttle", "times": 0, "rate": rate, "burst": burst}
        faults.write_text(json.dumps({"faults": [throttle]}), encoding="utf-8")
        command += ["--faults", str(faults)]
    with _started(command, environment) as lines:
        # It prints them for a shell, and the endpoint last.
        for line in lines:
            if line.startswith("export "):
                name, _, value = line.removeprefix("export ").strip().partition("=")
                environment[name] = value
            if ENDPOINT in environment:
                break
        yield environment


@contextmanager
def delayed(environment: Mapping[str, str], seconds: float) -> Iterator[dict[str, str]]:
    """The same environment, in which every answer of the service comes so much later."""
    command = [sys.executable, "-m", "benchmarks.relay", environment[ENDPOINT], str(seconds)]
    with _started(command, plain_environment()) as lines:
        yield {**environment, ENDPOINT: next(lines).strip()}


def requests_received(state: Path) -> int:
    """How many requests an emulator got since its state was made."""
    command = [sys.executable, "-m", "benchmarks.stage", "count", str(state)]
    done = subprocess.run(command, check=True, capture_output=True, text=True, cwd=ROOT, env=plain_environment())
    return int(done.stdout)


@contextmanager
def _started(command: list[str], environment: Mapping[str, str]) -> Iterator[Iterator[str]]:
    """The lines that a server prints; it ends with the context.

    Raises:
        Unmeasurable: it ended before it printed anything.
    """
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, cwd=ROOT, env=environment) as server:
        assert server.stdout is not None  # noqa: S101 - it is a pipe
        try:
            first = server.stdout.readline()
            if not first:
                raise Unmeasurable(f"{' '.join(command)} does not start")
            yield _chained(first, server.stdout)
        finally:
            server.terminate()


def _chained(first: str, rest: Iterator[str]) -> Iterator[str]:
    yield first
    yield from rest
