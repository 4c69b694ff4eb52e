"""A project of one's own, and the program run in it: in this process, or as a real one."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from reconciler.cli.main import main
from reconciler.emulator import Emulator, Server, Switches, serve

ROOT = Path(__file__).parents[2]


@dataclass(frozen=True)
class Result:
    """What a run left behind."""

    code: int
    out: str
    err: str


@dataclass(frozen=True)
class Project:
    """A folder with the example, and its embedded backend."""

    folder: Path
    emulator: Emulator
    capture: pytest.CaptureFixture[str]

    @property
    def document(self) -> Path:
        return self.folder / "auth.yaml"

    def run(self, *arguments: str) -> Result:
        """Run one command line in this process."""
        self.capture.readouterr()
        code = main(list(arguments))
        written = self.capture.readouterr()
        return Result(int(code), written.out, written.err)

    def edit(self, old: str, new: str) -> None:
        """Replace a text that stands in the document once."""
        text = self.document.read_text(encoding="utf-8")
        assert text.count(old) == 1
        self.document.write_text(text.replace(old, new), encoding="utf-8")

    def switch(self, *items: str) -> None:
        self.emulator.configure(Switches.parse(items, self.emulator.switches))

    def updates(self) -> int:
        return len(self.emulator.requests("UpdateBackendAuth"))


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Iterator[Project]:
    shutil.copy(ROOT / "examples" / "auth.yaml", tmp_path / "auth.yaml")
    monkeypatch.chdir(tmp_path)
    for name in [name for name in os.environ if name.startswith(("AWS_", "RECONCILER_"))]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    monkeypatch.setenv("AWS_CONFIG_FILE", str(tmp_path / "no-config"))
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", str(tmp_path / "no-credentials"))
    with Emulator(tmp_path / ".reconciler" / "emulator" / "state.sqlite") as emulator:
        emulator.configure(Switches.parse(["job_seconds=0"]))
        yield Project(tmp_path, emulator, capsys)


@pytest.fixture
def server(project: Project, monkeypatch: pytest.MonkeyPatch) -> Iterator[Server]:
    """The project's backend over real HTTP, with credentials for it."""
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "000000000000")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "emulator")
    with serve(project.emulator) as running:
        yield running


Start = Callable[..., "subprocess.Popen[str]"]


@pytest.fixture
def start(project: Project) -> Iterator[Start]:
    """Starts the program as a process of its own in the project; what still runs at the end is killed."""
    started: list[subprocess.Popen[str]] = []

    def begin(*arguments: str) -> subprocess.Popen[str]:
        process = subprocess.Popen(
            [sys.executable, "-m", "reconciler", *arguments],
            cwd=project.folder,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            env={**os.environ, "PYTHONPATH": str(ROOT), "PYTHONUNBUFFERED": "1"},
        )
        started.append(process)
        return process

    yield begin
    for process in started:
        process.kill()
        process.communicate()
