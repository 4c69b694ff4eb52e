"""The real AWS CLI, unchanged, against the emulator."""

from __future__ import annotations

import json
import subprocess
from typing import TYPE_CHECKING, Any

import pytest

from reconciler.emulator import EMULATOR_ACCESS_KEY, EMULATOR_REGION, EMULATOR_SECRET_KEY, Server, serve

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.emulator.conftest import Backend

pytestmark = pytest.mark.aws
AUTH = ["--app-id", "d2k7example", "--backend-environment-name", "staging"]


@pytest.fixture
def server(backend: Backend) -> Iterator[Server]:
    with serve(backend.emulator) as server:
        yield server


def aws(executable: Path, server: Server, home: Path, *arguments: str) -> Any:
    """Return what the CLI prints, or its error text where it fails."""
    done = subprocess.run(
        [executable, "amplifybackend", *arguments, "--endpoint-url", server.url, "--output", "json"],
        capture_output=True,
        text=True,
        check=False,
        env={
            "HOME": str(home),
            "PATH": "/usr/bin:/bin",
            "AWS_ACCESS_KEY_ID": EMULATOR_ACCESS_KEY,
            "AWS_SECRET_ACCESS_KEY": EMULATOR_SECRET_KEY,
            "AWS_DEFAULT_REGION": EMULATOR_REGION,
            "AWS_MAX_ATTEMPTS": "1",
        },
    )
    return json.loads(done.stdout) if done.returncode == 0 else done.stderr


def test_the_aws_cli_reads_updates_and_waits(backend: Backend, server: Server, aws_cli: Path, tmp_path: Path) -> None:
    named = [*AUTH, "--resource-name", "shopauth"]
    config = aws(aws_cli, server, tmp_path, "get-backend-auth", *named)["ResourceConfig"]
    assert config["UserPoolConfigs"]["UserPoolName"] == "shop_userpool"
    assert "staging" in aws(aws_cli, server, tmp_path, "get-backend", *AUTH)["BackendEnvironmentList"]
    policy = {"MinimumLength": 14, "AdditionalConstraints": ["REQUIRE_DIGIT"]}
    change = {
        "AuthResources": config["AuthResources"],
        "Service": "COGNITO",
        "UserPoolConfigs": {"PasswordPolicy": policy},
    }
    job = aws(aws_cli, server, tmp_path, "update-backend-auth", *named, "--resource-config", json.dumps(change))
    assert job["Status"] == "RUNNING"
    backend.wait()
    job = aws(aws_cli, server, tmp_path, "get-backend-job", *AUTH, "--job-id", job["JobId"])
    assert job["Status"] == "COMPLETED"
    assert len(aws(aws_cli, server, tmp_path, "list-backend-jobs", *AUTH)["Jobs"]) == 1
    assert backend.live()["UserPoolConfigs"]["PasswordPolicy"] == policy


def test_the_aws_cli_shows_our_errors(server: Server, aws_cli: Path, tmp_path: Path) -> None:
    error = aws(aws_cli, server, tmp_path, "get-backend-auth", *AUTH, "--resource-name", "other")
    assert "(NotFoundException) when calling the GetBackendAuth operation" in error
