"""Each operation, as boto3 sees it over both transports."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import boto3
import pytest
from botocore.exceptions import ClientError

from reconciler.emulator import EMULATOR_ACCOUNT, EMULATOR_REGION, Emulator, attach
from tests.emulator.conftest import APP, AUTH, ENVIRONMENT, client_for

if TYPE_CHECKING:
    from tests.emulator.conftest import Backend

NEW = {"AppId": "d1new", "BackendEnvironmentName": "test"}
SMALL = {
    "AuthResources": "USER_POOL_ONLY",
    "Service": "COGNITO",
    "UserPoolConfigs": {
        "UserPoolName": "newpool",
        "SignInMethod": "USERNAME",
        "RequiredSignUpAttributes": ["EMAIL", "NAME"],
    },
}


def refused(code: str, status: int, call: Any, **arguments: Any) -> str:
    """Return the text of the error that the call must fail with."""
    with pytest.raises(ClientError) as caught:
        call(**arguments)
    assert caught.value.response["Error"]["Code"] == code
    assert caught.value.response["ResponseMetadata"]["HTTPStatusCode"] == status
    return caught.value.response["Error"]["Message"]


def test_a_backend_lives_from_its_creation_to_its_removal(either: Backend) -> None:
    client = either.client
    started = client.create_backend(**NEW, AppName="new")
    assert (started["Status"], started["Operation"]) == ("RUNNING", "CreateBackend")
    refused("NotFoundException", 404, client.get_backend, AppId="d1new")
    either.wait()
    assert client.get_backend(AppId="d1new")["BackendEnvironmentList"] == ["test"]
    client.create_backend_auth(**NEW, ResourceName="newauth", ResourceConfig=SMALL)
    either.wait()
    answer = client.get_backend_auth(**NEW, ResourceName="newauth")
    assert answer["ResourceConfig"] == {
        **SMALL,
        "UserPoolConfigs": {
            **SMALL["UserPoolConfigs"],  # type: ignore[dict-item]
            "Mfa": {"MFAMode": "OFF"},
            "PasswordPolicy": {"MinimumLength": 8.0, "AdditionalConstraints": []},
        },
    }
    update = {name: SMALL[name] for name in ("AuthResources", "Service")} | {"UserPoolConfigs": {}}
    client.update_backend_auth(**NEW, ResourceName="newauth", ResourceConfig=update)
    either.wait()
    client.delete_backend_auth(**NEW, ResourceName="newauth")
    either.wait()
    refused("NotFoundException", 404, client.get_backend_auth, **NEW, ResourceName="newauth")
    jobs = client.list_backend_jobs(**NEW)["Jobs"]
    assert [job["Operation"] for job in jobs] == [
        "DeleteBackendAuth",
        "UpdateBackendAuth",
        "CreateBackendAuth",
        "CreateBackend",
    ]
    assert {job["Status"] for job in jobs} == {"COMPLETED"}


def test_get_backend_names_the_environments_and_has_meta_for_one_alone(either: Backend) -> None:
    answer = either.client.get_backend(AppId=APP)
    assert answer["AppName"] == "shop"
    assert answer["BackendEnvironmentList"] == ["dev", "prod", "staging"]
    assert "AmplifyMetaConfig" not in answer
    entry = either.meta()["auth"]["shopauth"]
    assert (entry["service"], entry["serviceType"]) == ("Cognito", "managed")
    assert entry["output"]["HostedUIDomain"] == "shop-signin-staging"
    refused("NotFoundException", 404, either.client.get_backend, AppId="nobody")
    refused("NotFoundException", 404, either.client.get_backend, AppId=APP, BackendEnvironmentName="none")


def test_imported_auth_reads_like_any_but_cannot_be_updated(either: Backend) -> None:
    client = either.client
    client.create_backend(**NEW, AppName="new")
    either.wait()
    pools = {"UserPoolId": "us-east-1_Abc", "IdentityPoolId": "i", "NativeClientId": "n", "WebClientId": "w"}
    client.import_backend_auth(**NEW, **pools)
    either.wait()
    config = client.get_backend_auth(**NEW, ResourceName="newauth")["ResourceConfig"]
    assert config["AuthResources"] == "IDENTITY_POOL_AND_USER_POOL"
    entry = json.loads(client.get_backend(**NEW)["AmplifyMetaConfig"])["auth"]["newauth"]
    assert entry["serviceType"] == "imported"
    assert entry["output"]["UserPoolId"] == "us-east-1_Abc"
    update = {"AuthResources": "USER_POOL_ONLY", "Service": "COGNITO", "UserPoolConfigs": {}}
    names = {**NEW, "ResourceName": "newauth", "ResourceConfig": update}
    assert "mported" in refused("BadRequestException", 400, client.update_backend_auth, **names)


def test_a_job_runs_by_the_clock_and_its_effect_comes_at_its_end(either: Backend) -> None:
    either.switch("job_seconds=30")
    started = either.send({"PasswordPolicy": {"MinimumLength": 12}})
    names = {**ENVIRONMENT, "JobId": started["JobId"]}
    either.wait(29)
    job = either.client.get_backend_job(**names)
    assert (job["Status"], job["CreateTime"], job["UpdateTime"]) == ("RUNNING", "1700000000000", "1700000000000")
    assert either.pool()["PasswordPolicy"]["MinimumLength"] == 8.0
    either.wait(1)
    assert either.pool()["PasswordPolicy"]["MinimumLength"] == 12.0
    job = either.client.get_backend_job(**names)
    assert (job["Status"], job["UpdateTime"]) == ("COMPLETED", "1700000030000")
    refused("NotFoundException", 404, either.client.get_backend_job, **ENVIRONMENT, JobId="none")


def test_an_environment_runs_one_job_at_a_time_and_another_one_its_own(either: Backend) -> None:
    either.send()
    with pytest.raises(ClientError) as caught:
        either.send()
    assert caught.value.response["Error"] == {
        "Code": "ValidationException",
        "Message": "There is already a pending job for the requested appId: d2k7example and "
        "backendEnvironmentName: staging, wait for it to complete before creating a new job.",
    }
    assert caught.value.response["ResponseMetadata"]["HTTPStatusCode"] == 400
    names = {"AppId": APP, "BackendEnvironmentName": "dev", "ResourceName": "shopauth"}
    assert either.client.delete_backend_auth(**names)["Status"] == "RUNNING"


def test_jobs_are_listed_by_page_and_filter(either: Backend) -> None:
    either.switch("job_seconds=0")
    ids = [either.send()["JobId"] for _ in range(7)][::-1]
    first = either.client.list_backend_jobs(**ENVIRONMENT, MaxResults=4)
    second = either.client.list_backend_jobs(**ENVIRONMENT, MaxResults=4, NextToken=first["NextToken"])
    assert [job["JobId"] for job in first["Jobs"] + second["Jobs"]] == ids
    assert "NextToken" not in second

    def count(**filters: str) -> int:
        return len(either.client.list_backend_jobs(**ENVIRONMENT, **filters)["Jobs"])

    assert count(JobId=ids[3]) == 1
    assert count(Operation="UpdateBackendAuth", Status="COMPLETED") == 7
    assert count(Status="RUNNING") == count(Operation="CreateBackend") == 0
    listing = either.client.list_backend_jobs
    assert "from 1 to 25" in refused("BadRequestException", 400, listing, **ENVIRONMENT, MaxResults=26)
    refused("BadRequestException", 400, listing, **ENVIRONMENT, NextToken="other")
    refused("NotFoundException", 404, listing, AppId=APP, BackendEnvironmentName="none")


@pytest.mark.parametrize("other", [{"AppId": "x"}, {"BackendEnvironmentName": "x"}, {"ResourceName": "x"}])
def test_auth_under_another_name_is_not_found(either: Backend, other: dict[str, str]) -> None:
    refused("NotFoundException", 404, either.client.get_backend_auth, **{**AUTH, **other})
    config = {"AuthResources": "USER_POOL_ONLY", "Service": "COGNITO", "UserPoolConfigs": {}}
    names = {**AUTH, **other, "ResourceConfig": config}
    refused("NotFoundException", 404, either.client.update_backend_auth, **names)


def test_auth_created_and_imported_without_an_identity_pool_has_none(backend: Backend) -> None:
    backend.switch("job_seconds=0", "pool_name_suffix=on")
    client = backend.client
    client.create_backend(**NEW, AppName="new")
    pools = {"UserPoolId": "u", "NativeClientId": "n", "WebClientId": "w"}
    client.import_backend_auth(**NEW, **pools)
    read = {**NEW, "ResourceName": "newauth"}
    assert "IdentityPoolConfigs" not in client.get_backend_auth(**read)["ResourceConfig"]
    client.delete_backend_auth(**read)
    oauth = {
        "OAuthGrantType": "CODE",
        "OAuthScopes": ["OPENID"],
        "RedirectSignInURIs": [],
        "RedirectSignOutURIs": ["app://"],
    }
    config: dict[str, Any] = {**SMALL, "UserPoolConfigs": {**SMALL["UserPoolConfigs"], "OAuth": oauth}}  # type: ignore[dict-item]
    client.create_backend_auth(**read, ResourceConfig=config)
    answer = client.get_backend_auth(**read)["ResourceConfig"]
    assert "OAuth" not in answer["UserPoolConfigs"]
    assert answer["UserPoolConfigs"]["UserPoolName"] == "newpool-test"


def test_what_exists_is_not_created_again(backend: Backend) -> None:
    client = backend.client
    refused("BadRequestException", 400, client.create_backend, **ENVIRONMENT, AppName="shop")
    refused("BadRequestException", 400, client.create_backend_auth, **AUTH, ResourceConfig=SMALL)


@pytest.mark.parametrize(
    ("config", "text"),
    [
        ({"AuthResources": "BOTH"}, "resourceConfig.authResources: must be one of USER_POOL_ONLY"),
        ({"UserPoolConfigs": {"Mfa": {"MFAMode": "on"}}}, "resourceConfig.userPoolConfigs.mfa.MFAMode"),
        (
            {"UserPoolConfigs": {"PasswordPolicy": {"AdditionalConstraints": ["REQUIRE_LUCK"]}}},
            "passwordPolicy.additionalConstraints[0]: must be one of REQUIRE_DIGIT",
        ),
    ],
)
def test_an_unknown_enum_value_is_refused_with_its_place(backend: Backend, config: dict[str, Any], text: str) -> None:
    whole = {"AuthResources": "USER_POOL_ONLY", "Service": "COGNITO", "UserPoolConfigs": {}, **config}
    names = {**AUTH, "ResourceConfig": whole}
    assert text in refused("BadRequestException", 400, backend.client.update_backend_auth, **names)


def test_modelled_operations_that_are_not_served_say_so(either: Backend) -> None:
    message = refused("BadRequestException", 400, either.client.list_s3_buckets)
    assert message == "The emulator does not serve ListS3Buckets"


def test_accounts_and_regions_are_told_apart_by_the_credentials(backend: Backend) -> None:
    emulator = backend.emulator
    account = "123456789012"
    emulator.put_live(account, "eu-west-1", APP, "staging", "shopauth", {}, "elsewhere")
    for options, app_name in (
        ({"access_key": account, "region": "eu-west-1"}, "elsewhere"),
        ({"access_key": "AKIAEXAMPLE"}, "shop"),
    ):
        client = client_for(**options)
        attach(client.meta.events, emulator)
        assert client.get_backend(AppId=APP)["AppName"] == app_name
        client.close()
    assert emulator.live(account, EMULATOR_REGION, APP, "staging") is None
    assert emulator.live(EMULATOR_ACCOUNT, EMULATOR_REGION, APP, "staging") is not None


@pytest.mark.parametrize(
    ("method", "path", "authorized"),
    [
        ("POST", "/backend/a/auth/staging/details", False),
        ("POST", "/nowhere", True),
        ("PUT", "/backend", True),
        ("POST", "/backend//auth/staging/details", True),
    ],
)
def test_no_credentials_and_no_such_route_are_refused_as_a_gateway_does(
    backend: Backend, method: str, path: str, authorized: bool
) -> None:
    scope = "AWS4-HMAC-SHA256 Credential=AKIA/20240101/us-east-1/amplifybackend/aws4_request, Signature=x"
    response = backend.emulator.handle(method, path, {"authorization": scope} if authorized else {}, b"{}")
    assert response.status == 403
    assert response.headers["x-amzn-ErrorType"] == "MissingAuthenticationTokenException"


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"[]",
        b"nonsense",
        b"\xff\xfe",
        b"[" * 100_000,
        b'{"resourceName": 1}',
        b'{"resourceName": "a", "appId": "b"}',
        b'{"resourceName": "a", "signInMethod": "EMAIL"}',
        b'{"ResourceName": "a"}',
        b'{"resourceName": null}',
    ],
)
def test_a_body_that_does_not_fit_its_shape_is_a_bad_request(backend: Backend, body: bytes) -> None:
    scope = "AWS4-HMAC-SHA256 Credential=AKIA/20240101/us-east-1/amplifybackend/aws4_request, Signature=x"
    response = backend.emulator.handle(
        "POST", "/backend/d2k7example/auth/staging/details", {"Authorization": scope}, body
    )
    assert response.status == 400
    assert response.headers["x-amzn-ErrorType"] == "BadRequestException"


def test_a_late_job_can_find_that_another_one_was_there_first(backend: Backend) -> None:
    client = backend.client
    backend.fault("timeout_late_job,seconds=30")
    refused("GatewayTimeoutException", 504, client.create_backend, **NEW, AppName="new")
    client.create_backend(**NEW, AppName="new")
    backend.fault("timeout_late_job,seconds=30")
    with pytest.raises(ClientError):
        backend.send()
    client.delete_backend_auth(**AUTH)
    backend.wait()
    assert {job["Status"] for job in client.list_backend_jobs(**NEW)["Jobs"]} == {"COMPLETED", "FAILED"}
    assert {job["Operation"]: job["Status"] for job in backend.jobs()} == {
        "DeleteBackendAuth": "COMPLETED",
        "UpdateBackendAuth": "FAILED",
    }


def test_a_whole_session_can_reach_the_emulator(backend: Backend) -> None:
    session = boto3.Session(aws_access_key_id="a", aws_secret_access_key="b", region_name=EMULATOR_REGION)
    attach(session.events, backend.emulator)
    client: Any = session.client("amplifybackend")
    assert client.get_backend(AppId=APP)["AppName"] == "shop"
    client.close()


def test_a_number_must_be_finite(backend: Backend) -> None:
    scope = "AWS4-HMAC-SHA256 Credential=AKIA/20240101/us-east-1/amplifybackend/aws4_request, Signature=x"
    body = b"""{"resourceName": "shopauth", "resourceConfig": {"authResources": "USER_POOL_ONLY",
      "service": "COGNITO", "userPoolConfigs": {"passwordPolicy": {"minimumLength": 1e999}}}}"""
    response = backend.emulator.handle("POST", "/backend/d2k7example/auth/staging", {"Authorization": scope}, body)
    assert response.status == 400
    assert b"minimumLength: must be a finite number" in response.body


def test_requests_are_logged_with_their_decoded_bodies(either: Backend) -> None:
    either.read()
    either.send({"PasswordPolicy": {"MinimumLength": 12}})
    (request,) = either.emulator.requests("UpdateBackendAuth")
    assert request.path == "/backend/d2k7example/auth/staging"
    assert request.body["ResourceConfig"]["UserPoolConfigs"] == {"PasswordPolicy": {"MinimumLength": 12}}
    assert [entry.operation for entry in either.emulator.requests()] == ["GetBackendAuth", "UpdateBackendAuth"]


def test_an_emulator_without_seed_begins_empty(backend: Backend) -> None:
    state = backend.emulator.state.with_name("empty.db")
    with Emulator(state, seed=False) as empty:
        assert empty.live(EMULATOR_ACCOUNT, EMULATOR_REGION, APP, "staging") is None
    with Emulator(state) as again:
        assert again.live(EMULATOR_ACCOUNT, EMULATOR_REGION, APP, "staging") is None
