"""A project with the example, and a runner's folder round it, as GitHub makes one for each step."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]


@dataclass(frozen=True)
class Step:
    """What one run of the action's script left behind."""

    code: int
    log: str
    outputs: dict[str, str]
    summary: str


@dataclass(frozen=True)
class Runner:
    """A checkout, and where the runner keeps its own files."""

    work: Path
    own: Path

    def run(self, *, inputs: dict[str, str], environ: dict[str, str] | None = None) -> Step:
        """Run action/run.sh as the composite action does."""
        for name in ("output", "summary"):
            (self.own / name).write_text("", encoding="utf-8")
        environment = {
            "PATH": os.environ["PATH"],
            "PYTHONPATH": str(ROOT),
            "RECONCILER": str(self.own / "reconciler"),
            "RUNNER_TEMP": str(self.own),
            "GITHUB_OUTPUT": str(self.own / "output"),
            "GITHUB_STEP_SUMMARY": str(self.own / "summary"),
            **{f"INPUT_{name.upper().replace('-', '_')}": value for name, value in inputs.items()},
            **(environ or {}),
        }
        done = subprocess.run(
            ["bash", str(ROOT / "action" / "run.sh")],
            cwd=self.work,
            env=environment,
            check=False,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        written = (self.own / "output").read_text(encoding="utf-8").splitlines()
        outputs = dict(line.split("=", 1) for line in written)
        return Step(done.returncode, done.stdout, outputs, (self.own / "summary").read_text(encoding="utf-8"))


@pytest.fixture
def runner(tmp_path: Path) -> Runner:
    work, own = tmp_path / "work", tmp_path / "runner"
    work.mkdir()
    own.mkdir()
    shutil.copy(ROOT / "examples" / "auth.yaml", work / "auth.yaml")
    (work / "reconciler.yaml").write_text("poll_interval: 0.1\n", encoding="utf-8")
    program = own / "reconciler"
    program.write_text(f'#!/bin/sh\nexec "{sys.executable}" -P -m reconciler "$@"\n', encoding="utf-8")
    program.chmod(0o755)
    return Runner(work, own)
