"""The composition root: where things are kept, which endpoint is meant, whose plan it is."""

from __future__ import annotations

from pathlib import Path

import pytest

from reconciler.core.model import EMBEDDED, Plan, TargetPlan
from reconciler.errors import InputProblem, PlanRefused, UsageProblem
from reconciler.wiring import Connection, Selection, Services
from tests.unit.core.builders import prepared

DOCUMENT = """
region: us-east-1
AppId: d2k7example
BackendEnvironmentName: prod
ResourceName: shopauth
ResourceConfig: {Service: COGNITO}
"""


@pytest.fixture(autouse=True)
def _in_a_project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    for name in ("AWS_ACCESS_KEY_ID", "AWS_PROFILE", "AWS_ENDPOINT_URL", "AWS_REGION", "AWS_DEFAULT_REGION"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("AWS_CONFIG_FILE", str(tmp_path / "none"))
    Path("auth.yaml").write_text(DOCUMENT, encoding="utf-8")


URL = "http://127.0.0.1:9"


@pytest.mark.parametrize(
    ("connection", "environ", "endpoint"),
    [
        (Connection(), {}, None),
        (Connection(endpoint_url=URL), {}, URL),
        (Connection(), {"AWS_ENDPOINT_URL_AMPLIFYBACKEND": URL, "AWS_ENDPOINT_URL": "http://other"}, URL),
        (Connection(), {"AWS_ENDPOINT_URL": URL}, URL),
        (Connection(), {"AWS_ENDPOINT_URL": URL, "AWS_IGNORE_CONFIGURED_ENDPOINT_URLS": "true"}, None),
        (Connection(emulator=True), {"AWS_ENDPOINT_URL": URL}, EMBEDDED),
        (Connection(emulator=True), {"AWS_PROFILE": "nobody"}, EMBEDDED),
    ],
)
def test_the_endpoint_is_the_one_that_boto3_would_use(
    connection: Connection, environ: dict[str, str], endpoint: str | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in environ.items():
        monkeypatch.setenv(name, value)
    services = Services(connection)
    (located,) = services.locate(services.load(["auth.yaml"], Selection(), stdin=bytes, network=True)).desired
    assert located.target.endpoint == endpoint
    services.reader_of(located)


def test_a_profile_may_configure_the_endpoint(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "config").write_text(
        f"[default]\nservices = here\n[services here]\namplifybackend =\n  endpoint_url = {URL}\n", encoding="utf-8"
    )
    monkeypatch.setenv("AWS_CONFIG_FILE", str(tmp_path / "config"))
    services = Services(Connection())
    (located,) = services.locate(services.load(["auth.yaml"], Selection(), stdin=bytes, network=True)).desired
    assert located.target.endpoint == URL


def test_a_profile_that_is_not_there_fails_its_target_alone() -> None:
    Path("other.yaml").write_text(DOCUMENT.replace("prod", "dev") + "profile: nobody\n", encoding="utf-8")
    services = Services(Connection())
    loaded = services.load(["auth.yaml", "other.yaml"], Selection(), stdin=bytes, network=True)
    located = services.locate(loaded).desired
    assert [desired.target.account for desired in located] == [None, None]


def test_the_embedded_backend_refuses_another_endpoint() -> None:
    Path("auth.yaml").write_text(DOCUMENT + f"endpoint_url: {URL}\n", encoding="utf-8")
    services = Services(Connection(emulator=True))
    with pytest.raises(InputProblem):
        services.locate(services.load(["auth.yaml"], Selection(), stdin=bytes, network=True))


def test_the_embedded_backend_and_another_endpoint_exclude_one_another() -> None:
    with pytest.raises(UsageProblem):
        Services(Connection(emulator=True, endpoint_url="http://127.0.0.1:9"))


def test_an_account_that_nobody_knows_is_a_warning() -> None:
    services = Services(Connection(), environ={})
    warnings = services.locate(services.load(["auth.yaml"], Selection(), stdin=bytes, network=True)).warnings
    assert "unknown-account" in {warning.code for warning in warnings}


def test_state_is_kept_beside_the_project_file_and_elsewhere_when_told() -> None:
    Path("deep/down").mkdir(parents=True)
    Path("deep/reconciler.yaml").write_text("", encoding="utf-8")
    assert Services(Connection(), first_path="deep/down").place.state_folder() == Path.cwd() / "deep" / ".reconciler"
    assert Services(Connection(state_dir="other")).place.state_folder() == Path("other")


def test_an_endpoint_with_a_password_is_refused_wherever_it_is_configured(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(UsageProblem, match="password") as given:
        Services(Connection(endpoint_url="http://me:hunter2@127.0.0.1:9/"))
    monkeypatch.setenv("AWS_ENDPOINT_URL_AMPLIFYBACKEND", "http://me:hunter2@127.0.0.1:9/")
    with pytest.raises(UsageProblem, match="password") as configured:
        Services(Connection(region="us-east-1"), environ={}).target("app", "prod", "auth")
    for caught in (given, configured):
        assert "hunter2" not in f"{caught.value} {caught.value.hint}"


def test_a_state_folder_that_cant_be_made_is_said() -> None:
    with pytest.raises(UsageProblem, match="can't be written"):
        Services(Connection(state_dir="auth.yaml/state")).place.state_folder()


def test_a_state_that_is_no_state_is_said() -> None:
    Path("state/emulator").mkdir(parents=True)
    Path("state/emulator/state.sqlite").write_bytes(b"no database" * 500)
    with pytest.raises(UsageProblem):
        _ = Services(Connection(emulator=True, state_dir="state")).emulator


def test_a_target_named_on_the_command_line_needs_a_region() -> None:
    with pytest.raises(UsageProblem, match="region"):
        Services(Connection(), environ={}).target("app", "prod", "auth")
    assert (
        Services(Connection(), environ={"AWS_REGION": "eu-west-1"}).target("a", "e", "r").target.region == "eu-west-1"
    )


def saved(account: str | None) -> Plan:
    plan: TargetPlan = prepared({"UserPoolConfigs.PasswordPolicy.MinimumLength": 9}).plan
    assert plan.target.account == "123456789012"
    assert account is None
    return Plan((plan,), "2026-01-01T00:00:00Z")


def test_a_plan_of_another_account_is_refused() -> None:
    with pytest.raises(PlanRefused) as caught:
        Services(Connection(), environ={}).recorded.check_binding(saved(None))
    assert "123456789012" in caught.value.detail
