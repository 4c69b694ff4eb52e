"""The ledger between processes: killed, stopped and racing ones, with a folder of the machine and with S3."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from reconciler.emulator import Server
from tests.cli.conftest import ROOT, Project, Start
from tests.cli.ledgers import FAST, live, new_bucket
from tests.cli.test_processes import ENDLESS, read_until

RACERS = 8
LONG = "job_seconds=3"
"""Long enough for whoever started the job to be stopped before it ends."""


@pytest.fixture(params=["folder", "s3"])
def options(
    request: pytest.FixtureRequest, project: Project, server: Server, monkeypatch: pytest.MonkeyPatch
) -> tuple[str, ...]:
    """The options that reach the served backend, and keep the ledger in a folder or in a bucket."""
    place = str(project.folder / "kept")
    if request.param == "s3":
        place = f"s3://{new_bucket(request.getfixturevalue('moto'), monkeypatch)}/team"
    return ("--endpoint-url", server.url, "--ledger", place)


def shared(options: tuple[str, ...]) -> bool:
    """Whether the ledger is one that other machines use."""
    return options[-1].startswith("s3:")


def waiting(start: Start, *options: str, document: str = "auth.yaml") -> subprocess.Popen[str]:
    """An apply that waits for its job."""
    process = start("apply", document, *options, "--auto-approve", "--poll-interval", "0.02")
    read_until(process, "Still updating")
    return process


def killed(process: subprocess.Popen[str]) -> None:
    process.kill()
    process.communicate(timeout=ENDLESS)
    assert process.returncode == -signal.SIGKILL


def records(project: Project, options: tuple[str, ...]) -> list[dict[str, Any]]:
    told: list[dict[str, Any]] = json.loads(project.run("history", *options, "--format", "json").out)["records"]
    return told


def test_what_a_killed_apply_left_is_told_adopted_and_proven(
    project: Project, start: Start, options: tuple[str, ...]
) -> None:
    project.switch(LONG)
    killed(waiting(start, *options))
    planned = project.run("plan", "auth.yaml", *options)
    assert planned.code == 0
    known = "or it died just now" if shared(options) else "sent an update, or was about to, and did not see its end"
    assert known in planned.out
    if shared(options):
        held = project.run("apply", "auth.yaml", *options, *FAST, "--auto-approve")
        assert held.code == 7, "the lease of a dead process lasts for its 60 seconds"
        assert project.run("unlock", *options, "--force").out.endswith("Unlocked 1 of 1.\n")
    adopted = project.run("apply", "--resume", *options, *FAST)
    assert adopted.code == 0, adopted
    (record,) = records(project, options)
    assert record["outcome"]["kind"] == "applied"
    (job,) = record["jobs"]
    assert f"[job {job}]" in adopted.out
    assert project.run("plan", "auth.yaml", *options, "--detailed-exitcode").code == 0
    assert project.updates() == 1


@pytest.mark.parametrize(("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_a_stopped_apply_gives_its_target_back_and_leaves_its_update_to_the_next(
    project: Project, start: Start, options: tuple[str, ...], number: signal.Signals, code: int
) -> None:
    project.switch(LONG)
    process = waiting(start, *options)
    process.send_signal(number)
    out, err = process.communicate(timeout=ENDLESS)
    assert (process.returncode, "Traceback" in err) == (code, False)
    assert "its job goes on" in out
    assert project.run("unlock", *options).out == "Nothing is locked.\n"
    assert project.run("apply", "auth.yaml", *options, *FAST, "--auto-approve").code == 0
    assert project.updates() == 1
    assert {record["outcome"]["kind"] for record in records(project, options)} == {"applied", "unknown"}


def test_of_eight_applies_at_once_exactly_one_lands(project: Project, start: Start, options: tuple[str, ...]) -> None:
    project.switch("job_seconds=1")
    racers = [start("apply", "auth.yaml", *options, *FAST, "--auto-approve") for _ in range(RACERS)]
    ends = [racer.communicate(timeout=ENDLESS) for racer in racers]
    codes = [racer.returncode for racer in racers]
    assert project.updates() == 1, codes
    assert 0 in codes
    assert set(codes) <= {0, 3, 7}, ends
    assert not [err for _, err in ends if "Traceback" in err]
    landed = [out for out, _ in ends if "Apply complete! Resources: 0 added, 1 changed, 0 destroyed." in out]
    assert len(landed) == 1
    assert [record["outcome"]["kind"] for record in records(project, options) if record["sent"]] == ["applied"]
    assert live(project)["UserPoolConfigs"]["PasswordPolicy"]["MinimumLength"] == 12
    assert project.run("unlock", *options).out == "Nothing is locked.\n"


def test_a_saved_plan_that_eight_apply_at_once_is_used_once(
    project: Project, start: Start, options: tuple[str, ...]
) -> None:
    project.switch("job_seconds=1")
    assert project.run("plan", "auth.yaml", *options, "--out", "plan.json").code == 0
    racers = [start("apply", "plan.json", *options, *FAST, "--lock-timeout", "30") for _ in range(RACERS)]
    ends = [racer.communicate(timeout=ENDLESS) for racer in racers]
    assert sorted(racer.returncode for racer in racers) == [0, *[3] * (RACERS - 1)], ends
    assert project.updates() == 1


def test_a_ledger_in_s3_is_one_for_all_checkouts(
    project: Project, start: Start, server: Server, moto: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    options = ("--endpoint-url", server.url, "--ledger", f"s3://{new_bucket(moto, monkeypatch)}/team")
    project.switch(LONG)
    killed(waiting(start, *options))
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    shutil.copy(project.document, elsewhere)

    def there(*arguments: str) -> subprocess.CompletedProcess[str]:
        command = [sys.executable, "-m", "reconciler", *arguments, *options]
        return subprocess.run(
            command,
            cwd=elsewhere,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=ENDLESS,
            check=False,
            env={**os.environ, "PYTHONPATH": str(ROOT)},
        )

    locked = there("apply", "auth.yaml", *FAST, "--auto-approve")
    assert locked.returncode == 7
    assert there("unlock", "--force").returncode == 0
    resumed = there("apply", "auth.yaml", *FAST, "--auto-approve")
    assert resumed.returncode == 0, resumed
    assert project.updates() == 1
    assert there("history").stdout == project.run("history", *options).out
    assert not (elsewhere / ".reconciler").exists()
