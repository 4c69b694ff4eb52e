"""What tests of the ledger share: what is kept, targets and jobs of their own, and a bucket."""

from __future__ import annotations

import json
import uuid
from pathlib import Path
from typing import Any

import boto3
import pytest

from reconciler.emulator import (
    EMULATOR_ACCESS_KEY,
    EMULATOR_ACCOUNT,
    EMULATOR_REGION,
    EMULATOR_SECRET_KEY,
    Server,
)
from tests.cli.conftest import Project

APP = "d2k7example"
FAST = ("--poll-interval", "0.02", "--job-timeout", "30")
"""Waits that end soon."""
ENDED = ("--poll-interval", "0", "--job-timeout", "0")
"""No wait for a job at all."""


def embedded_ledger(project: Project) -> Path:
    """Where the embedded backend's applies are recorded."""
    return project.folder / ".reconciler" / "emulator" / "ledger"


def kept(folder: Path) -> list[dict[str, Any]]:
    """Every record in a ledger's folder, by run and target."""
    return [json.loads(path.read_text(encoding="utf-8")) for path in sorted(folder.glob("runs/*/*.json"))]


def listed(project: Project, *arguments: str) -> list[dict[str, Any]]:
    """What `history` tells a machine."""
    result = project.run("history", *arguments, "--format", "json")
    assert result.code == 0, result.err
    records: list[dict[str, Any]] = json.loads(result.out)["records"]
    return records


def live(project: Project, environment: str = "prod") -> dict[str, Any]:
    """The truth, secrets included."""
    config = project.emulator.live(EMULATOR_ACCOUNT, EMULATOR_REGION, APP, environment)
    assert config is not None
    return config


def document(project: Project, environment: str, *, length: int = 10) -> str:
    """A document of another environment; its name is ``shop-`` and the environment's."""
    name = f"{environment}.yaml"
    text = f"""
name: shop-{environment}
region: {EMULATOR_REGION}
AppId: {APP}
BackendEnvironmentName: {environment}
ResourceName: shopauth
ResourceConfig:
  UserPoolConfigs:
    PasswordPolicy:
      MinimumLength: {length}
"""
    (project.folder / name).write_text(text, encoding="utf-8")
    return name


def foreign_job(project: Project, server: Server) -> str:
    """The id of a job that another tool starts, and that changes nothing."""
    client: Any = boto3.client(
        "amplifybackend",
        endpoint_url=server.url,
        region_name=EMULATOR_REGION,
        aws_access_key_id=EMULATOR_ACCESS_KEY,
        aws_secret_access_key=EMULATOR_SECRET_KEY,
    )
    target = {"AppId": APP, "BackendEnvironmentName": "prod", "ResourceName": "shopauth"}
    config = live(project)
    config["IdentityPoolConfigs"].pop("IdentityPoolName")
    for created in ("SignInMethod", "UserPoolName", "RequiredSignUpAttributes"):
        config["UserPoolConfigs"].pop(created)
    answer = client.update_backend_auth(**target, ResourceConfig=config)
    job: str = answer["JobId"]
    return job


def new_bucket(moto: str, monkeypatch: pytest.MonkeyPatch) -> str:
    """A bucket of moto's, which the environment's S3 is from now on."""
    monkeypatch.setenv("AWS_ENDPOINT_URL_S3", moto)
    name = f"ledger-{uuid.uuid4().hex}"
    client = boto3.client(
        "s3",
        endpoint_url=moto,
        region_name="us-east-1",
        aws_access_key_id="AKIAEXAMPLE",
        aws_secret_access_key="secret",
    )
    client.create_bucket(Bucket=name)
    return name
