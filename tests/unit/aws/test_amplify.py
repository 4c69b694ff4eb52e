"""The gateways over real boto3: what answers must have, and what each failure becomes."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from botocore import exceptions as aws

from reconciler.aws.amplify import Reader, Writer
from reconciler.aws.errors import read_problem, update_problem
from reconciler.aws.pace import Pace
from reconciler.aws.retries import Retries
from reconciler.aws.session import Sessions, Transport
from reconciler.core.model import Access, Target
from reconciler.core.secret import Secret
from reconciler.emulator import (
    EMULATOR_ACCESS_KEY,
    EMULATOR_SECRET_KEY,
    PLANTED_JOB_SECRET,
    Emulator,
    Fault,
    Switches,
    attach,
)
from reconciler.errors import (
    AccessProblem,
    AnotherJobRunning,
    AnswerLost,
    NotFound,
    ReadFailed,
    ServiceProblem,
    UpdateRefused,
)
from tests.unit.aws.conftest import VirtualTime

PROD = Target("d2k7example", "prod", "shopauth", "us-east-1")
CONFIG: dict[str, Any] = {
    "AuthResources": "USER_POOL_ONLY",
    "Service": "COGNITO",
    "UserPoolConfigs": {"PasswordPolicy": {"MinimumLength": 9}},
}


@dataclass(frozen=True)
class World:
    """The seeded backend and both gateways to it, and the time in which they wait."""

    emulator: Emulator
    sessions: Sessions
    time: VirtualTime

    @property
    def reader(self) -> Reader:
        return self.sessions.reader(Access(), "us-east-1", None)

    @property
    def writer(self) -> Writer:
        return self.sessions.writer(Access(), "us-east-1", None)

    def fault(self, kind: str, **more: Any) -> None:
        self.emulator.inject([Fault(kind, times=0, **more)])


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    with Emulator(tmp_path / "state.sqlite") as emulator:
        emulator.configure(Switches.parse(["job_seconds=0"]))
        time = VirtualTime()
        transport = Transport(timing=time.timing, hook=lambda events: attach(events, emulator))
        yield World(emulator, Sessions(transport, credentials=(EMULATOR_ACCESS_KEY, EMULATOR_SECRET_KEY)), time)


READS: list[Callable[[Reader], object]] = [
    lambda reader: reader.get_auth(PROD),
    lambda reader: reader.get_backend("d2k7example", "prod"),
    lambda reader: reader.list_jobs(PROD),
]


@pytest.mark.parametrize("read", READS, ids=["auth", "backend", "jobs"])
@pytest.mark.parametrize("kind", ["truncated", "empty", "html", "null", "array", "error200", "wrong_types"])
def test_an_answer_that_is_no_answer_is_a_failed_read(
    world: World, read: Callable[[Reader], object], kind: str
) -> None:
    world.fault(kind)
    with pytest.raises(ReadFailed):
        read(world.reader)


def test_a_job_without_a_status_is_a_failed_read(world: World) -> None:
    job = world.writer.update_auth(PROD, CONFIG)
    assert job.id is not None
    assert world.reader.get_job(PROD, job.id).status == "COMPLETED"
    world.fault("empty", operation="GetBackendJob")
    with pytest.raises(ReadFailed):
        world.reader.get_job(PROD, job.id)


def test_a_config_that_is_not_whole_is_a_failed_read(world: World) -> None:
    world.emulator.configure(Switches.parse(["missing=AuthResources"]))
    with pytest.raises(ReadFailed, match="not whole"):
        world.reader.get_auth(PROD)


@pytest.mark.parametrize(
    ("kind", "problem"),
    [
        ("access_denied", AccessProblem),
        ("expired", AccessProblem),
        ("drop_before", ReadFailed),
        ("timeout_before", ReadFailed),
        ("throttle", ReadFailed),
    ],
)
def test_each_failure_of_a_read_has_its_error(world: World, kind: str, problem: type[ServiceProblem]) -> None:
    world.fault(kind)
    with pytest.raises(problem):
        world.reader.get_backend("d2k7example", None)


def test_reads_are_tried_again(world: World) -> None:
    world.emulator.inject([Fault("throttle", times=2)])
    assert world.reader.get_backend("d2k7example", None).environments == ("dev", "prod", "staging")
    assert len(world.emulator.requests("GetBackend")) == 3


def test_readers_and_writers_of_an_account_and_a_region_share_their_pace(world: World) -> None:
    def reader(role: str | None, account: str | None) -> Reader:
        return world.sessions.reader(Access(role_arn=role), "us-east-1", None, account=account)

    world.emulator.inject([Fault("throttle", times=6)])
    reader(None, "000000000000").get_backend("d2k7example", None)
    began = world.time.at
    reader("arn:aws:iam::111111111111:role/plan", "111111111111").list_jobs(PROD)
    reader("arn:aws:iam::222222222222:role/plan", None).list_jobs(PROD)
    world.sessions.reader(Access(), "eu-west-1", None, account="000000000000")
    assert world.time.at == began
    same = Access(role_arn="arn:aws:iam::000000000000:role/apply")
    world.sessions.writer(same, "us-east-1", None, account="000000000000").list_jobs(PROD)
    assert world.time.at > began


def test_an_update_waits_for_no_pace(world: World) -> None:
    world.emulator.inject([Fault("throttle", times=8)])
    writer = world.writer
    writer.get_backend("d2k7example", None)
    began = world.time.at
    writer.update_auth(PROD, CONFIG)
    assert world.time.at == began


def test_a_read_that_waits_ends_as_the_run_does(world: World) -> None:
    class Stopped(Exception):
        """Somebody wants to stop."""

    def stop(_seconds: float) -> None:
        raise Stopped

    writer = world.writer
    world.sessions.wait_by(stop)
    world.fault("throttle")
    with pytest.raises(Stopped):
        writer.list_jobs(PROD)
    assert len(world.emulator.requests()) == 1


@pytest.mark.parametrize(
    ("kind", "problem"),
    [
        ("throttle", UpdateRefused),
        ("access_denied", AccessProblem),
        ("timeout_before", AnswerLost),
        ("timeout_after", AnswerLost),
        ("drop_before", AnswerLost),
        ("drop_after", AnswerLost),
        ("null", AnswerLost),
        ("array", AnswerLost),
    ],
)
def test_an_update_is_sent_once_whatever_happens(world: World, kind: str, problem: type[ServiceProblem]) -> None:
    world.fault(kind, operation="UpdateBackendAuth")
    with pytest.raises(problem):
        world.writer.update_auth(PROD, CONFIG)
    assert len(world.emulator.requests("UpdateBackendAuth")) == 1


def test_an_environment_with_a_job_is_busy(world: World) -> None:
    world.emulator.configure(Switches.parse(["job_seconds=600"]))
    world.writer.update_auth(PROD, CONFIG)
    with pytest.raises(AnotherJobRunning) as caught:
        world.writer.update_auth(PROD, CONFIG)
    assert "pending job" in caught.value.detail


def test_an_update_that_botocore_refuses_was_not_sent(world: World) -> None:
    with pytest.raises(UpdateRefused, match="not sent"):
        world.writer.update_auth(PROD, {**CONFIG, "UserPoolConfigs": {"SignInMethod": "EMAIL"}})
    assert world.emulator.requests("UpdateBackendAuth") == ()


def test_a_refused_update_says_what_to_do_where_it_is_known(world: World) -> None:
    text = "auth headless is missing the following inputParams googleClientId, facebookAppId"
    world.fault("error", operation="UpdateBackendAuth", status=400, code="BadRequestException", text=text)
    with pytest.raises(UpdateRefused) as caught:
        world.writer.update_auth(PROD, CONFIG)
    assert "social logins on its identity pool" in caught.value.hint


def test_a_throttled_update_says_that_nothing_was_changed_and_to_wait(world: World) -> None:
    world.fault("throttle", operation="UpdateBackendAuth")
    with pytest.raises(UpdateRefused) as caught:
        world.writer.update_auth(PROD, CONFIG)
    assert caught.value.hint.startswith("nothing was changed")
    assert "wait a minute, and apply again" in caught.value.hint


def test_jobs_of_every_page_are_listed(world: World) -> None:
    for _ in range(30):
        world.writer.update_auth(PROD, CONFIG)
    jobs = world.reader.list_jobs(PROD)
    assert len({job.id for job in jobs}) == 30
    assert all(job.created is not None and job.operation == "UpdateBackendAuth" for job in jobs)


def test_the_transcript_of_a_failed_job_goes_no_further_than_the_gateway(world: World) -> None:
    world.fault("job_failed", operation="UpdateBackendAuth")
    job = world.writer.update_auth(PROD, CONFIG)
    failed = world.reader.get_job(PROD, job.id or "")
    assert failed.status == "FAILED"
    assert failed.error is not None
    assert PLANTED_JOB_SECRET not in repr(failed)
    assert "Reason:" in failed.error
    assert "\x1b" not in failed.error


def test_the_reader_has_no_way_to_write(world: World) -> None:
    assert not hasattr(world.reader, "update_auth")
    assert type(world.reader) is Reader


def test_clients_are_made_once_for_each_way(world: World) -> None:
    assert world.reader is world.reader
    assert world.sessions.reader(Access(), "eu-west-1", None) is not world.reader


def answered(status: int, **error: str) -> aws.ClientError:
    """What botocore raises for an answer with this status."""
    response: Any = {"Error": error, "ResponseMetadata": {"HTTPStatusCode": status}}
    return aws.ClientError(response, "X")


@pytest.mark.parametrize(
    ("raised", "problem"),
    [
        (aws.NoCredentialsError(), AccessProblem),
        (aws.ProfileNotFound(profile="shop"), AccessProblem),
        (aws.EndpointConnectionError(endpoint_url="http://canary"), ReadFailed),
        (aws.ReadTimeoutError(endpoint_url="http://canary"), ReadFailed),
        (TimeoutError(), ReadFailed),
        (TypeError("canary"), ReadFailed),
        (answered(404, Code="404"), NotFound),
        (aws.ClientError({"Error": {"Code": "X", "Message": "ResourceNotFoundException: gone"}}, "X"), NotFound),
        (aws.ClientError({}, "X"), ReadFailed),
    ],
)
def test_no_text_of_botocore_is_shown(raised: Exception, problem: type[ServiceProblem]) -> None:
    made = read_problem(raised, "GetBackendAuth")
    assert type(made) is problem
    assert "canary" not in f"{made} {made.detail} {made.hint}"


@pytest.mark.parametrize(
    ("raised", "problem"),
    [
        (aws.NoCredentialsError(), AccessProblem),
        (aws.EndpointConnectionError(endpoint_url="http://x"), UpdateRefused),
        (aws.ReadTimeoutError(endpoint_url="http://x"), AnswerLost),
        (TimeoutError(), AnswerLost),
        (answered(504, Code="504"), AnswerLost),
        (answered(200), AnswerLost),
    ],
)
def test_an_update_in_doubt_counts_as_lost(raised: Exception, problem: type[ServiceProblem]) -> None:
    assert type(update_problem(raised)) is problem


def test_a_refusal_that_quotes_a_secret_is_masked(world: World) -> None:
    google = {"Google": {"ClientId": "id", "ClientSecret": Secret("plainsecret99")}}
    config = {**CONFIG, "UserPoolConfigs": {"OAuth": {"SocialProviderSettings": google}}}
    text = "Invalid value plainsecret99 for googleClientId"
    world.fault("error", status=400, code="BadRequestException", text=text)
    writer = world.writer
    with pytest.raises(UpdateRefused) as refused:
        writer.update_auth(PROD, config)
    with pytest.raises(ReadFailed) as failed:
        writer.list_jobs(PROD)
    for problem in (refused.value, failed.value):
        assert "plainsecret99" not in f"{problem.summary} {problem.detail} {problem.hint}"
        assert "Invalid value" in problem.summary


def test_a_list_with_something_that_is_no_job_is_a_failed_read() -> None:
    class Odd:
        """A client whose answer no service should give."""

        def list_backend_jobs(self, **_names: object) -> dict[str, Any]:
            return {"Jobs": [None]}

    time = VirtualTime()
    with pytest.raises(ReadFailed):
        Reader(Odd(), Retries(Pace(time.now, time.random, "eu-west-1"), time.timing, 30)).list_jobs(PROD)
