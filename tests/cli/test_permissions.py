"""The policy that iam-policy prints: what runs really call at AWS, and nothing else."""

from __future__ import annotations

import json
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import boto3
import botocore
import pytest

from reconciler.emulator import EMULATOR_ACCESS_KEY, EMULATOR_SECRET_KEY, Server
from tests.cli.conftest import Project
from tests.cli.ledgers import FAST, new_bucket

REGION = "us-east-1"
ROLE = "arn:aws:iam::123456789012:role/reader"
PROVIDERS = """\
      SocialProviderSettings:
        Google:
          ClientId: 1234-shop
          ClientSecret: ${{ssm:{name}?role_arn={role}}}
        Facebook:
          ClientId: 5678-shop
          ClientSecret: ${{secretsmanager:{name}}}
"""
ACTIONS = {"s3:ListObjectsV2": "s3:ListBucket"}
FREE = "sts:GetCallerIdentity"
"""What anybody may call."""


@pytest.fixture
def ledger(project: Project, server: Server, moto: str, monkeypatch: pytest.MonkeyPatch) -> str:
    """A new ledger in S3, and a document whose secrets are in SSM, behind a role, and in Secrets Manager."""
    monkeypatch.setenv("AWS_ENDPOINT_URL_AMPLIFYBACKEND", server.url)
    monkeypatch.setenv("AWS_DEFAULT_REGION", REGION)
    for service in ("SSM", "SECRETS_MANAGER", "STS"):
        monkeypatch.setenv(f"AWS_ENDPOINT_URL_{service}", moto)
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", EMULATOR_ACCESS_KEY)
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", EMULATOR_SECRET_KEY)
    name = f"/permissions/{uuid.uuid4().hex}"
    roles: Any = boto3.client("sts", region_name=REGION)
    held = roles.assume_role(RoleArn=ROLE, RoleSessionName="test")["Credentials"]
    parameters: Any = boto3.client(
        "ssm",
        region_name=REGION,
        aws_access_key_id=held["AccessKeyId"],
        aws_secret_access_key=held["SecretAccessKey"],
        aws_session_token=held["SessionToken"],
    )
    parameters.put_parameter(Name=name, Value="GOCSPX-google", Type="SecureString")
    secrets: Any = boto3.client("secretsmanager", region_name=REGION)
    secrets.create_secret(Name=name, SecretString="facebooks")
    text, found, _ = project.document.read_text(encoding="utf-8").partition("      # Social logins")
    assert found
    project.document.write_text(text + PROVIDERS.format(name=name, role=ROLE), encoding="utf-8")
    return f"s3://{new_bucket(moto, monkeypatch)}/team"


def policy(project: Project, *arguments: str) -> list[dict[str, Any]]:
    result = project.run("iam-policy", "auth.yaml", *arguments)
    assert result.code == 0, result.err
    statements: list[dict[str, Any]] = json.loads(result.out)["Statement"]
    return statements


def allowed(project: Project, *arguments: str) -> set[str]:
    """The actions that the policies of whoever starts the run and of the role allow."""
    both = [*policy(project, *arguments), *policy(project, *arguments, "--role", ROLE)]
    return {action for statement in both for action in statement["Action"]}


@contextmanager
def calls() -> Iterator[set[str]]:
    """The actions that are called at AWS meanwhile."""
    called: set[str] = set()

    def note(model: Any, **_rest: object) -> None:
        action = f"{model.service_model.service_name}:{model.name}"
        called.add(ACTIONS.get(action, action))

    def listen(session: Any) -> None:
        session.register("before-call", note)

    botocore.register_initializer(listen)
    try:
        yield called
    finally:
        botocore.unregister_initializer(listen)
    called.discard(FREE)


def test_a_policy_allows_what_reading_and_applying_call_and_nothing_else(project: Project, ledger: str) -> None:
    at = ("--ledger", ledger)
    with calls() as called:
        planned = project.run("plan", "auth.yaml", *at)
        looked = project.run("history", *at)
    assert (planned.code, looked.code) == (0, 0), planned
    assert called == allowed(project, *at, "--read-only")
    project.switch("job_seconds=0.05")
    with calls() as called:
        applied = project.run("apply", "auth.yaml", *at, *FAST, "--auto-approve", "--send-secrets")
        looked = project.run("history", *at)
    assert (applied.code, looked.code) == (0, 0), applied
    assert called == allowed(project, *at)


def test_a_policy_needs_no_credentials_and_no_network_and_shows_its_notes_elsewhere(
    project: Project, ledger: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_ENDPOINT_URL_AMPLIFYBACKEND"):
        monkeypatch.delenv(name)
    with calls() as called:
        result = project.run("iam-policy", "auth.yaml", "--ledger", ledger)
    assert (result.code, called) == (0, set())
    assert f"give --role {ROLE}" in result.err
    assert "kms:Decrypt" in result.err
    assert {statement["Effect"] for statement in json.loads(result.out)["Statement"]} == {"Allow"}


def test_without_secrets_nothing_of_them_may_be_read(project: Project, ledger: str) -> None:
    actions = [statement["Action"] for statement in policy(project, "--without-secrets", "--ledger", ledger)]
    services = {action.partition(":")[0] for names in actions for action in names}
    assert services == {"amplifybackend", "s3"}


def test_the_ledger_and_its_key_of_the_project_file_are_in_the_policy(project: Project) -> None:
    Path("reconciler.yaml").write_text(
        "region: eu-west-1\nledger: s3://kept/team\nledger_key: ${ssm:/team/key}\n", encoding="utf-8"
    )
    found = {statement["Sid"]: statement["Resource"] for statement in policy(project)}
    assert found["ReadParameters"] == ["arn:aws:ssm:eu-west-1:*:parameter/team/key"]
    assert found["KeepLedger"] == ["arn:aws:s3:::kept/team/*"]


def test_a_role_that_nothing_assumes_has_no_policy(project: Project) -> None:
    refused = project.run("iam-policy", "auth.yaml", "--role", ROLE)
    assert (refused.code, refused.out) == (64, "")
    assert ROLE in refused.err
