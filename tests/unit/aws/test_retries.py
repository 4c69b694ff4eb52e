"""What becomes of a read that fails: it is made again at the right time, or it is given up."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import pytest
from botocore import exceptions as aws

from reconciler.aws.errors import ReadsRefused, read_problem, retry_after
from reconciler.aws.pace import Pace
from reconciler.aws.retries import Retries
from reconciler.errors import ReadFailed
from tests.unit.aws.conftest import VirtualTime


def answered(status: int, code: str = "", *, operation: str = "GetBackendAuth", **headers: str) -> aws.ClientError:
    """What botocore raises for an answer; ``retry_after`` is the header of that name."""
    metadata = {"HTTPStatusCode": status, "HTTPHeaders": {name.replace("_", "-"): headers[name] for name in headers}}
    response: Any = {"Error": {"Code": code or str(status), "Message": "canary"}, "ResponseMetadata": metadata}
    return aws.ClientError(response, operation)


THROTTLED = answered(429, "TooManyRequestsException")
RESET = aws.ConnectionClosedError(endpoint_url="http://canary")


@dataclass
class Service:
    """Answers as it is told, the last thing for ever, each after ``seconds``."""

    time: VirtualTime
    answers: list[Exception | str]
    seconds: float = 0.01
    asked: list[float] = field(default_factory=list)

    def __call__(self) -> str:
        self.asked.append(self.time.at)
        self.time.at += self.seconds
        answer = self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]
        if isinstance(answer, Exception):
            raise answer
        return answer


@dataclass
class World:
    """A way to read, and its time."""

    time: VirtualTime = field(default_factory=VirtualTime)
    deadline: float = 600
    pace: Pace = field(init=False)

    def __post_init__(self) -> None:
        self.pace = Pace(self.time.now, self.time.random, "eu-west-1")

    @property
    def retries(self) -> Retries:
        return Retries(self.pace, self.time.timing, self.deadline)

    def service(self, *answers: Exception | str, seconds: float = 0.01) -> Service:
        return Service(self.time, list(answers), seconds)


@pytest.fixture
def world() -> World:
    return World()


@pytest.mark.parametrize(
    "failure",
    [
        answered(500),
        answered(502),
        answered(503),
        answered(504, "GatewayTimeoutException"),
        answered(400, "RequestTimeout"),
        RESET,
        aws.ReadTimeoutError(endpoint_url="http://canary"),
        aws.ConnectTimeoutError(endpoint_url="http://canary"),
        aws.EndpointConnectionError(endpoint_url="http://canary"),
    ],
)
def test_a_read_whose_way_failed_is_made_again(world: World, failure: Exception) -> None:
    service = world.service(failure, failure, "auth")
    assert world.retries.read(service) == "auth"
    assert len(service.asked) == 3


@pytest.mark.parametrize(
    "failure",
    [
        answered(400, "ValidationException"),
        answered(403, "AccessDeniedException"),
        answered(404, "NotFoundException"),
        answered(429, "Throttling", operation="AssumeRole"),
        answered(500, operation="AssumeRoleWithWebIdentity"),
        aws.NoCredentialsError(),
    ],
)
def test_a_read_that_was_refused_for_a_reason_is_not_made_again(world: World, failure: Exception) -> None:
    service = world.service(failure, "auth")
    with pytest.raises(type(failure)):
        world.retries.read(service)
    assert len(service.asked) == 1


def test_a_read_whose_way_fails_is_given_up_at_the_fifth_time(world: World) -> None:
    service = world.service(RESET)
    with pytest.raises(aws.ConnectionClosedError):
        world.retries.read(service)
    assert len(service.asked) == 5


def test_pauses_are_drawn_from_nothing_to_a_most_that_doubles(world: World) -> None:
    world.time.chances = [0.0, 1.0, 0.5, 1.0]
    with pytest.raises(aws.ConnectionClosedError):
        world.retries.read(world.service(RESET))
    assert world.time.slept == pytest.approx([0.1, 0.1, 0.4])


def test_a_read_is_not_made_again_after_its_deadline() -> None:
    world = World(deadline=100)
    service = world.service(RESET, seconds=60)
    with pytest.raises(aws.ConnectionClosedError):
        world.retries.read(service)
    assert len(service.asked) == 2


def test_a_service_that_hardly_ever_answers_is_not_asked_five_times_for_each_read(world: World) -> None:
    service = world.service(RESET)
    for _ in range(1000):
        with pytest.raises(aws.ConnectionClosedError):
            world.retries.read(service)
    assert len(service.asked) <= 1200


def test_a_read_is_throttled_more_often_than_it_may_fail(world: World) -> None:
    service = world.service(*([THROTTLED] * 8), "auth")
    assert world.retries.read(service) == "auth"
    assert len(service.asked) == 9


def test_time_in_the_line_does_not_count_against_the_deadline() -> None:
    world = World(deadline=1)
    assert world.retries.read(world.service(*([THROTTLED] * 8), "auth")) == "auth"
    assert world.time.at > 1


def test_calls_that_are_refused_do_not_count_against_the_deadline_but_those_that_fail_do() -> None:
    world = World(deadline=1)
    service = world.service(*([THROTTLED] * 8), RESET, THROTTLED, RESET, seconds=0.6)
    with pytest.raises(aws.ConnectionClosedError):
        world.retries.read(service)
    assert len(service.asked) == 11


@pytest.mark.parametrize("code", ["TooManyRequestsException", "ThrottlingException", "Throttling", "429"])
def test_throttling_goes_by_many_names(world: World, code: str) -> None:
    status = 400 if code.startswith("Throttling") else 429
    service = world.service(*([answered(status, code)] * 6), "auth")
    assert world.retries.read(service) == "auth"


@pytest.mark.parametrize("failure", [THROTTLED, answered(503)], ids=["throttled", "unavailable"])
def test_a_read_waits_as_long_as_its_answer_asks_for(world: World, failure: aws.ClientError) -> None:
    status = failure.response["ResponseMetadata"]["HTTPStatusCode"]
    service = world.service(answered(status, retry_after="17"), "auth")
    assert world.retries.read(service) == "auth"
    assert service.asked[1] - service.asked[0] >= 17


@pytest.mark.parametrize(
    ("headers", "seconds"),
    [
        ({}, 0),
        ({"retry_after": "3"}, 3),
        ({"retry_after": "Wed, 21 Oct 2026 07:28:30 GMT", "date": "Wed, 21 Oct 2026 07:28:00 GMT"}, 30),
        ({"retry_after": "Wed, 21 Oct 2026 07:28:00 GMT", "date": "Wed, 21 Oct 2026 07:28:30 GMT"}, 0),
        ({"retry_after": "Wed, 21 Oct 2015 07:28:00 GMT"}, 0),
        ({"retry_after": "-1"}, 0),
        ({"retry_after": "soon"}, 0),
        ({"retry_after": "Wed, 21 Oct 2026 07:28:30 GMT", "date": "canary"}, 0),
        ({"retry_after": "9" * 400}, 999_999_999),
    ],
)
def test_retry_after_is_read_in_seconds_and_as_a_date(headers: dict[str, str], seconds: float) -> None:
    assert retry_after(answered(429, **headers)) == seconds


def test_a_wait_of_an_hour_is_not_waited_for(world: World) -> None:
    service = world.service(answered(429, retry_after="3600"), "auth")
    with pytest.raises(aws.ClientError):
        world.retries.read(service)
    assert world.time.at < 1


def test_a_read_waits_no_longer_in_all_than_one_answer_may_ask_for(world: World) -> None:
    service = world.service(answered(429, retry_after="200"))
    with pytest.raises(aws.ClientError):
        world.retries.read(service)
    assert len(service.asked) == 2
    assert 200 <= world.time.at < 201


def test_a_service_that_failed_is_looked_at_again_long_before_the_time_that_it_names(world: World) -> None:
    assert world.retries.read(world.service(answered(503, retry_after="500"), "auth")) == "auth"
    assert world.time.at <= 31


def test_a_read_that_is_refused_now_and_then_is_made_again_after_a_short_pause(world: World) -> None:
    for _ in range(50):
        assert world.retries.read(world.service(*([THROTTLED] * 2), *(["auth"] * 9))) == "auth"
        for _ in range(8):
            world.retries.read(world.service("auth"))
    assert world.time.slept == pytest.approx([0.025, 0.05] * 50)


def test_a_limit_of_one_read_alone_ends_that_read(world: World) -> None:
    others = world.service("auth")
    refusals = 0

    def refused() -> str:
        nonlocal refusals
        refusals += 1
        for _ in range(5):
            world.retries.read(others)
        raise THROTTLED

    with pytest.raises(aws.ClientError):
        world.retries.read(refused)
    assert 10 <= refusals <= 30


def test_reads_of_a_service_that_refuses_all_fail_after_a_minute_and_the_next_ones_at_once(world: World) -> None:
    service = world.service(THROTTLED)
    with pytest.raises(aws.ClientError):
        world.retries.read(service)
    assert 45 <= world.time.at <= 180
    asked, began = len(service.asked), world.time.at
    for _ in range(100):
        with pytest.raises(ReadsRefused):
            world.retries.read(service)
    assert len(service.asked) == asked
    assert world.time.at == began


def test_a_read_that_was_never_sent_says_why() -> None:
    problem = read_problem(ReadsRefused(), "GetBackendAuth")
    assert isinstance(problem, ReadFailed)
    assert "refuses every read" in problem.summary
    assert problem.hint == read_problem(THROTTLED, "GetBackendAuth").hint


class Stopped(Exception):
    """Somebody wants to stop."""


@pytest.mark.parametrize("failure", [THROTTLED, RESET, answered(503, retry_after="60")])
def test_who_is_stopped_while_waiting_stops_at_once_and_leaves_the_line(world: World, failure: Exception) -> None:
    def stop(_seconds: float) -> None:
        raise Stopped

    world.time.chances = [0.5]
    service, timing = world.service(failure), world.time.timing
    retries = Retries(world.pace, timing, world.deadline)
    timing.sleep = stop
    with pytest.raises(Stopped):
        retries.read(service)
    timing.sleep = world.time.sleep
    assert len(service.asked) == 1
    assert retries.read(world.service("auth")) == "auth"
    assert world.time.at < 1


def test_a_call_that_overruns_is_not_made_again() -> None:
    world = World(deadline=0.01)
    calls: list[Callable[[], None]] = []

    def slow() -> None:
        calls.append(slow)
        raise TimeoutError

    with pytest.raises(TimeoutError):
        world.retries.read(slow)
    assert len(calls) == 1
