"""Each fault, by what it does to a caller and to the state."""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING, Any

import pytest
from botocore.exceptions import ClientError, ConnectionClosedError

from reconciler.emulator import KINDS, PLANTED_JOB_SECRET, Fault
from tests.emulator.conftest import AUTH

if TYPE_CHECKING:
    from tests.emulator.conftest import Backend

LONGER = {"PasswordPolicy": {"MinimumLength": 12, "AdditionalConstraints": ["REQUIRE_DIGIT"]}}


def length(backend: Backend) -> Any:
    return backend.live()["UserPoolConfigs"]["PasswordPolicy"]["MinimumLength"]


@pytest.mark.parametrize(
    ("fault", "status", "code"),
    [
        ("throttle", 429, "TooManyRequestsException"),
        ("timeout_before", 504, "GatewayTimeoutException"),
        ("access_denied", 403, "AccessDeniedException"),
        ("expired", 403, "ExpiredTokenException"),
        ("error,code=ConflictException,status=409,text=A deployment is already in progress", 409, "ConflictException"),
        ("error,status=504,code=-", 504, "504"),
    ],
)
def test_some_faults_stand_in_for_the_answer_and_nothing_is_done(
    either: Backend, fault: str, status: int, code: str
) -> None:
    either.fault(fault)
    with pytest.raises(ClientError) as caught:
        either.send(LONGER)
    assert caught.value.response["ResponseMetadata"]["HTTPStatusCode"] == status
    assert caught.value.response["Error"]["Code"] == code
    assert either.jobs() == []
    assert len(either.emulator.requests("UpdateBackendAuth")) == 1


@pytest.mark.parametrize("kind", ["throttle", "error,status=503"])
def test_what_stands_in_for_an_answer_may_say_how_long_to_wait(either: Backend, kind: str) -> None:
    either.fault(f"{kind},retry_after=3")
    either.fault(kind)
    told = []
    for _ in range(2):
        with pytest.raises(ClientError) as caught:
            either.send(LONGER)
        told.append(caught.value.response["ResponseMetadata"]["HTTPHeaders"].get("retry-after"))
    assert told == ["3", None]


@pytest.mark.parametrize("fault", ["timeout_after", "drop_after"])
def test_some_faults_lose_the_answer_of_a_job_that_started(either: Backend, fault: str) -> None:
    either.fault(fault)
    with pytest.raises((ClientError, ConnectionClosedError)):
        either.send(LONGER)
    assert [job["Status"] for job in either.jobs()] == ["RUNNING"]
    either.wait()
    assert length(either) == 12


def test_a_dropped_connection_may_have_done_nothing(either: Backend) -> None:
    either.fault("drop_before")
    with pytest.raises(ConnectionClosedError):
        either.send(LONGER)
    assert either.jobs() == []


def test_a_late_job_comes_to_light_only_later(backend: Backend) -> None:
    backend.switch("job_seconds=10")
    backend.fault("timeout_late_job,seconds=30")
    with pytest.raises(ClientError):
        backend.send(LONGER)
    backend.wait(29)
    assert backend.jobs() == []
    backend.wait(1)
    assert [job["Status"] for job in backend.jobs()] == ["RUNNING"]
    assert length(backend) == 8
    backend.wait(10)
    assert [job["Status"] for job in backend.jobs()] == ["COMPLETED"]
    assert length(backend) == 12


@pytest.mark.parametrize("fault", ["truncated", "empty", "html"])
def test_a_mangled_answer_reads_as_nothing_at_all(either: Backend, fault: str) -> None:
    either.fault(fault)
    answer = either.read()
    assert set(answer) == {"ResponseMetadata"}
    assert answer["ResponseMetadata"]["HTTPStatusCode"] == 200
    assert set(either.read()) > {"ResponseMetadata"}


@pytest.mark.parametrize("fault", ["null", "array", "wrong_types"])
def test_an_answer_of_another_type_makes_the_client_fail(backend: Backend, fault: str) -> None:
    backend.fault(fault)
    with pytest.raises((TypeError, AttributeError, ValueError)):
        backend.read()["ResourceConfig"]["UserPoolConfigs"]


def test_an_answer_may_be_an_error_with_status_200(either: Backend) -> None:
    either.fault("error200,text=Not today")
    assert either.read()["Error"] == "Not today"


def test_a_failed_job_carries_a_long_transcript_with_a_secret(backend: Backend) -> None:
    backend.fault("job_failed")
    job = backend.update(LONGER)
    assert job["Status"] == "FAILED"
    assert length(backend) == 8
    for part in ("\x1b[31m", "┌──", "⠙", "/codebuild/amplify", "Reason: ", "UPDATE_FAILED", PLANTED_JOB_SECRET):
        assert part in job["Error"]
    assert len(job["Error"]) > 4000
    backend.fault("job_failed,text=auth headless is missing the following inputParams googleClientId")
    assert backend.update(LONGER)["Error"].startswith("auth headless is missing")


def test_a_stuck_job_runs_for_ever_and_lets_no_other_start(backend: Backend) -> None:
    backend.fault("job_stuck")
    assert backend.update(LONGER)["Status"] == "RUNNING"
    backend.wait(10_000_000)
    with pytest.raises(ClientError, match="There is already a pending job"):
        backend.send(LONGER)


def test_a_job_may_have_a_status_that_nobody_knows_before_it_completes(backend: Backend) -> None:
    backend.fault("job_unknown_status,seconds=100,text=QUEUED")
    assert backend.update(LONGER)["Status"] == "QUEUED"
    backend.wait()
    assert backend.jobs()[0]["Status"] == "COMPLETED"
    assert length(backend) == 12


def test_a_job_may_complete_without_effect(backend: Backend) -> None:
    before = backend.live()
    backend.fault("no_effect")
    assert backend.update(LONGER)["Status"] == "COMPLETED"
    assert backend.live() == before


def test_a_job_may_change_more_than_was_asked(backend: Backend) -> None:
    backend.fault("collateral")
    backend.fault("collateral,field=IdentityPoolConfigs.UnauthenticatedLogin,value=false")
    backend.fault("collateral,field=UserPoolConfigs.OAuth,value=null")
    backend.update(LONGER)
    assert length(backend) == 20
    backend.update(LONGER)
    assert length(backend) == 12
    assert backend.live()["IdentityPoolConfigs"]["UnauthenticatedLogin"] is False
    backend.update(LONGER)
    assert "OAuth" not in backend.live()["UserPoolConfigs"]


def test_a_job_may_change_the_meta_alone(backend: Backend) -> None:
    backend.switch("user_groups=on", "omitted=keep")
    before = backend.meta()["auth"]["shopauth"]["output"]
    backend.fault("meta_collateral")
    backend.fault("meta_collateral,field=*.serviceType,value=imported")
    backend.fault('{"kind": "meta_collateral", "field": "*.output.HostedUIDomain", "value": null}')
    backend.update()
    output = backend.meta()["auth"]["shopauth"]["output"]
    assert output["UserPoolId"] != before["UserPoolId"]
    assert output["UserPoolName"] == before["UserPoolName"]
    backend.update()
    assert backend.meta()["auth"]["shopauth"]["serviceType"] == "imported"
    assert "HostedUIDomain" in backend.meta()["auth"]["shopauth"]["output"]
    backend.update()
    assert "HostedUIDomain" not in backend.meta()["auth"]["shopauth"]["output"]


def test_an_effect_may_revert_after_a_number_of_reads(backend: Backend) -> None:
    backend.fault("revert,reads=2")
    backend.update(LONGER)
    assert [backend.pool()["PasswordPolicy"]["MinimumLength"] for _ in range(4)] == [12.0, 12.0, 8.0, 8.0]


def test_a_fault_waits_for_its_operation_skips_and_hits_so_many_times(backend: Backend) -> None:
    backend.fault("throttle,operation=GetBackendA*,skip=1,times=2")
    backend.jobs()
    outcomes = []
    for _ in range(4):
        try:
            backend.read()
        except ClientError:
            outcomes.append("throttled")
        else:
            outcomes.append("answered")
    assert outcomes == ["answered", "throttled", "throttled", "answered"]
    assert backend.emulator.faults() == ()


def test_a_fault_without_end_lasts_until_it_is_cleared(backend: Backend) -> None:
    backend.fault("throttle,times=0,environment=staging")
    for _ in range(3):
        with pytest.raises(ClientError, match="TooManyRequests"):
            backend.read()
    assert backend.client.get_backend_auth(**{**AUTH, "BackendEnvironmentName": "dev"})["ResourceConfig"]
    backend.emulator.clear_faults()
    assert backend.read()["ResourceConfig"]


def test_faults_of_the_wire_and_of_the_job_can_hit_one_request(backend: Backend) -> None:
    backend.fault("job_failed")
    backend.fault("timeout_after,operation=UpdateBackendAuth")
    with pytest.raises(ClientError, match="GatewayTimeout"):
        backend.send(LONGER)
    backend.wait()
    assert backend.jobs()[0]["Status"] == "FAILED"


def test_faults_can_be_injected_as_data(backend: Backend) -> None:
    new = [Fault("throttle", "Get*", times=3), Fault("collateral", field="A.B", value=[1])]
    backend.emulator.inject(new)
    assert list(backend.emulator.faults()) == new
    assert len(set(KINDS)) == len(KINDS)
    assert all(one != other for one, other in pairwise(KINDS))


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("fire", "fire: no such fault; there are throttle"),
        ("throttle,colour=red", "colour=red: write name=value"),
        ("throttle,times=many", "times=many: must be a number"),
        ("throttle,times=-1", "must be a number, not negative"),
        ('{"kind": "throttle", "colour": 1}', "colour: no attribute of a fault"),
        ('{"times": 1}', "kind: missing"),
        ('{"kind": "throttle", "times": "many"}', "times=many: must be a number"),
    ],
)
def test_a_wrong_fault_is_refused_with_what_would_be_right(text: str, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        Fault.parse(text)
