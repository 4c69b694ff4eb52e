"""The year in examples/gitops, played for real: git, the program, and the AWS CLI as the one who clicks."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from tests.programs import executable

ROOT = Path(__file__).parents[2]
STORY = ROOT / "examples" / "gitops"
_UNLIKE = (
    (re.compile(r"\b[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}\b"), "00000000-0000-0000-0000-000000000000"),
    (re.compile(r"\b\d{8}T\d{6}Z-[0-9a-f]{9}\b"), "20310504T030201Z-000000000"),
    (re.compile(r"\bsha256(:|&#58;)[0-9a-f]{64}\b"), rf"sha256\g<1>{'0' * 64}"),
    (re.compile(r"\b20\d\d-\d\d-\d\d\b"), "2031-05-04"),
    (re.compile(r"\b\d+ days? left"), "30 days left"),
)
"""What is another in every run, or at midnight: ids of jobs and runs, digests, days."""


@pytest.mark.aws
def test_the_year_goes_as_its_transcript_tells(tmp_path: Path) -> None:
    programs = tmp_path / "bin"
    programs.mkdir()
    (programs / "reconciler").write_text(f'#!/bin/sh\nexec "{sys.executable}" -m reconciler "$@"\n', encoding="utf-8")
    (programs / "aws").symlink_to(executable("aws", package="awscli"))
    for program in programs.iterdir():
        program.chmod(0o755)
    told = subprocess.run(
        ["bash", str(STORY / "year.sh")],
        check=False,
        capture_output=True,
        text=True,
        timeout=300,
        env={"PATH": f"{programs}{os.pathsep}{os.environ['PATH']}", "PYTHONPATH": str(ROOT), "TMPDIR": str(tmp_path)},
    )
    assert (told.returncode, told.stderr) == (0, "")
    text = told.stdout
    for unlike, alike in _UNLIKE:
        text = unlike.sub(alike, text)
    transcript = STORY / "transcript.txt"
    if os.environ.get("RECONCILER_UPDATE_GOLDEN") == "1":
        transcript.write_text(text, encoding="utf-8")
    assert text == transcript.read_text(encoding="utf-8")
    assert not any(path.name.startswith("tmp.") for path in tmp_path.iterdir())  # it leaves nothing behind


def test_the_story_in_the_readme_is_the_transcripts() -> None:
    story = (ROOT / "README.md").read_text(encoding="utf-8").split("## A year with it")[1].split("\n## ")[0]
    shown = re.findall(r"```console\n(.*?)```", story, re.DOTALL)
    assert len(shown) > 4
    transcript = (STORY / "transcript.txt").read_text(encoding="utf-8")
    assert [block for block in shown if block not in transcript] == []
