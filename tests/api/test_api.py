"""The public API: a program of twenty lines, an injected gateway and observer, and what it raises."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import pytest

import reconciler
from reconciler.core.gateway import Backend
from reconciler.core.model import Job, Target
from reconciler.core.model import Path as SettingPath
from reconciler.errors import PlanRefused, ReadFailed

ROOT = Path(__file__).parents[2]
BASE = """\
region: us-east-1
ResourceName: shopauth
ResourceConfig:
  AuthResources: IDENTITY_POOL_AND_USER_POOL
  Service: COGNITO
  UserPoolConfigs:
    SignInMethod: EMAIL
    PasswordPolicy: {MinimumLength: 12}
"""


@pytest.fixture
def apps(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Two documents that ask for more than what is live in the embedded backend."""
    monkeypatch.chdir(tmp_path)
    for name in [name for name in os.environ if name.startswith(("AWS_", "RECONCILER_"))]:
        monkeypatch.delenv(name)
    (tmp_path / "reconciler.yaml").write_text("poll_interval: 0.1\n", encoding="utf-8")
    folder = tmp_path / "apps"
    folder.mkdir()
    (tmp_path / "base.yaml").write_text(BASE, encoding="utf-8")
    for tier in ("dev", "prod"):
        document = f"extends: ../base.yaml\nname: shop-{tier}\nAppId: d{tier}\nBackendEnvironmentName: {tier}\n"
        (folder / f"{tier}.yaml").write_text(document + f"labels: {{tier: {tier}}}\n", encoding="utf-8")
    seeded = reconciler.load(["apps"], emulator=True)
    for desired in seeded.targets:
        assert isinstance(desired, reconciler.Desired)
        target = desired.target
        config = {
            "AuthResources": "IDENTITY_POOL_AND_USER_POOL",
            "Service": "COGNITO",
            "UserPoolConfigs": {"SignInMethod": "EMAIL", "PasswordPolicy": {"MinimumLength": 8}},
        }
        seeded.services.emulator.put_live(
            str(target.account), target.region, target.app, target.environment, target.resource, config
        )
    return folder


def test_the_program_in_the_examples_does_what_it_says(apps: Path) -> None:
    program = ROOT / "examples" / "fleet.py"
    assert len([line for line in program.read_text(encoding="utf-8").splitlines() if line]) <= 20
    ran = subprocess.run(
        [sys.executable, str(program)],
        cwd=apps.parent,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert (ran.returncode, ran.stderr) == (0, "")
    moved = "UserPoolConfigs.PasswordPolicy.MinimumLength 8 -> 12"
    lines = ran.stdout.splitlines()
    assert lines[0] == f"shop-dev {moved}"
    assert not any("shop-prod" in line for line in lines)
    assert "shop-dev: Modifying..." in lines
    assert lines[-1] == "shop-dev: applied"
    again = reconciler.plan(reconciler.load(["apps"], emulator=True))
    assert [len(target.changes) for target in again.planned] == [0, 1]


@dataclass
class Recording:
    """A gateway that notes each call, and answers with another's words."""

    inner: reconciler.Gateway
    calls: list[str]
    broken: bool = False

    def get_auth(self, target: Target, hidden: frozenset[SettingPath] = frozenset()) -> Mapping[str, Any]:
        self.calls.append(f"read {target.environment}")
        if self.broken:
            raise ReadFailed("the line is cut")
        return self.inner.get_auth(target, hidden)

    def get_backend(self, app: str, environment: str | None) -> Backend:
        return self.inner.get_backend(app, environment)

    def get_job(self, target: Target, job_id: str) -> Job:
        return self.inner.get_job(target, job_id)

    def list_jobs(self, target: Target) -> tuple[Job, ...]:
        return self.inner.list_jobs(target)

    def update_auth(self, target: Target, config: Mapping[str, Any]) -> Job:
        self.calls.append(f"update {target.environment}")
        return self.inner.update_auth(target, config)


class Answering:
    """A gateway of a service in which every pool is alike."""

    def get_auth(self, _target: Target, _hidden: frozenset[SettingPath] = frozenset()) -> Mapping[str, Any]:
        pool = {"SignInMethod": "EMAIL", "PasswordPolicy": {"MinimumLength": 12}}
        return {"AuthResources": "IDENTITY_POOL_AND_USER_POOL", "Service": "COGNITO", "UserPoolConfigs": pool}

    def get_backend(self, app: str, environment: str | None) -> Backend:
        raise NotImplementedError(app, environment)

    def get_job(self, target: Target, job_id: str) -> Job:
        raise NotImplementedError(target, job_id)

    def list_jobs(self, target: Target) -> tuple[Job, ...]:
        raise NotImplementedError(target)


def other_account(desired: reconciler.Desired) -> reconciler.Desired:
    return replace(desired, target=replace(desired.target, account="111122223333"))


@dataclass
class Heard(reconciler.Observer):
    """An observer that notes what it was told."""

    told: list[tuple[str, str]] = field(default_factory=list)
    lock: threading.Lock = field(default_factory=threading.Lock)

    def __call__(self, name: str, message: str) -> None:
        with self.lock:
            self.told.append((name, message))


@pytest.mark.usefixtures("apps")
def test_a_gateway_and_an_observer_can_be_put_in() -> None:
    fleet = reconciler.load(["apps"], emulator=True, parallelism=2)
    calls: list[str] = []
    heard = Heard()

    def gateway(desired: reconciler.Desired) -> Recording:
        return Recording(fleet.writer_of(desired), calls)

    plan = reconciler.plan(fleet, gateway=gateway, observer=heard)
    assert sorted(calls) == ["read dev", "read prod"]
    assert {name for name, _ in heard.told} == {"shop-dev", "shop-prod"}
    outcomes = reconciler.apply(fleet, plan, gateway=gateway, observer=heard)
    assert [outcome.kind for outcome in outcomes] == [reconciler.OutcomeKind.APPLIED] * 2
    assert calls.count("update dev") == calls.count("update prod") == 1
    assert ("shop-dev", "Modifying...") in heard.told


@pytest.mark.usefixtures("apps")
def test_one_targets_failure_is_a_value_and_apply_sends_nothing_then() -> None:
    fleet = reconciler.load(["apps"], emulator=True)
    calls: list[str] = []

    def gateway(desired: reconciler.Desired) -> Recording:
        return Recording(fleet.writer_of(desired), calls, broken=desired.name == "shop-dev")

    plan = reconciler.plan(fleet, gateway=gateway)
    assert [failure.summary for failure in plan.failures] == ["the line is cut"]
    assert [target.name for target in plan.planned] == ["shop-prod"]
    outcomes = reconciler.apply(fleet, plan, gateway=gateway)
    kinds = [(outcome.name, outcome.kind) for outcome in outcomes]
    assert kinds == [
        ("shop-dev", reconciler.OutcomeKind.FAILED),
        ("shop-prod", reconciler.OutcomeKind.SKIPPED),
    ]
    assert not any(call.startswith("update") for call in calls)


@pytest.mark.usefixtures("apps")
def test_a_plan_is_applied_only_where_it_was_made() -> None:
    plan = reconciler.plan(reconciler.load("apps", emulator=True))
    elsewhere = reconciler.load("apps", endpoint_url="http://127.0.0.1:9")
    with pytest.raises(PlanRefused, match="was made on the embedded backend"):
        reconciler.apply(elsewhere, plan)


def test_a_plan_is_not_applied_with_the_credentials_of_another_account(
    apps: Path, moto: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(name, "testing")
    monkeypatch.setenv("AWS_ENDPOINT_URL_STS", moto)
    fleet = reconciler.load(apps)
    plan = reconciler.plan(fleet, gateway=lambda _desired: Answering())
    assert {target.target.account for target in plan.planned} == {"123456789012"}
    foreign = tuple(replace(one, desired=other_account(one.desired)) for one in plan.planned)
    with pytest.raises(PlanRefused, match="was made for another account"):
        reconciler.apply(fleet, replace(plan, targets=foreign))


def test_one_path_may_stand_alone_and_none_is_refused(apps: Path) -> None:
    assert len(reconciler.load(str(apps), emulator=True).targets) == 2
    with pytest.raises(reconciler.UsageProblem, match="No path is given"):
        reconciler.load([], emulator=True)
    with pytest.raises(reconciler.UsageProblem, match="At least one target"):
        reconciler.load(apps, emulator=True, parallelism=0)


def test_what_is_wrong_with_documents_is_raised_all_at_once(apps: Path) -> None:
    (apps / "prod.yaml").write_text("AppId: 8\nBackendEnvironmentName: prod\nregoin: us-east-1\n", encoding="utf-8")
    with pytest.raises(reconciler.InputProblem) as refused:
        reconciler.load([apps], emulator=True)
    assert sorted(problem.code for problem in refused.value.diagnostics if problem.origin) == [
        "missing-key",
        "unknown-key",
        "wrong-type",
    ]


def test_what_is_public_can_be_imported_and_costs_nothing_before() -> None:
    for name in reconciler.__all__:
        assert getattr(reconciler, name) is not None
    with pytest.raises(AttributeError, match="has no attribute 'destroy'"):
        _ = reconciler.destroy
    code = "import reconciler, sys; print(sorted(name for name in sys.modules if name.startswith('reconciler')))"
    ran = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd=ROOT)
    assert ran.stdout == "['reconciler', 'reconciler.version']\n"
