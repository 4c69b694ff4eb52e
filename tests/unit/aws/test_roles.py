"""Roles: assumed once through STS with the credentials that there are, for every client, and renewed in time."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from reconciler.aws.amplify import Reader
from reconciler.aws.secrets import AwsSecrets
from reconciler.aws.session import Sessions, Transport
from reconciler.core.model import Access, Target
from reconciler.core.sources import Source
from reconciler.emulator import EMULATOR_ACCESS_KEY, EMULATOR_SECRET_KEY, Emulator, Server, Switches, attach, serve
from reconciler.errors import AccessProblem, ReadFailed, ServiceProblem, UpdateRefused
from tests.unit.aws.conftest import (
    ROLE,
    ROLE_ACCOUNT,
    SOURCE_KEY,
    Answer,
    Asked,
    Scripted,
    role_answer,
    serving,
    sts_error,
)

ACCESS = Access(role_arn=ROLE)
REGION = "eu-central-1"
PROD = Target("d2k7example", "prod", "shopauth", REGION)
CONFIG: dict[str, Any] = {
    "AuthResources": "USER_POOL_ONLY",
    "Service": "COGNITO",
    "UserPoolConfigs": {"PasswordPolicy": {"MinimumLength": 9}},
}
CREATED = {"UserPoolName": "shop", "SignInMethod": "EMAIL", "RequiredSignUpAttributes": ["EMAIL"]}
SOURCE = Source("ssm", "/shop/secret", REGION, ACCESS)

pytestmark = pytest.mark.usefixtures("user")


@pytest.fixture
def emulator(tmp_path: Path) -> Iterator[Emulator]:
    """A backend that has the app of these tests in the role's account only."""
    with Emulator(tmp_path / "state.sqlite") as emulator:
        emulator.configure(Switches.parse(["job_seconds=0"]))
        config = {**CONFIG, "UserPoolConfigs": CREATED}
        emulator.put_live(ROLE_ACCOUNT, REGION, PROD.app, PROD.environment, PROD.resource, config)
        yield emulator


@pytest.fixture
def backend(emulator: Emulator) -> Iterator[Server]:
    """The same, over HTTP."""
    with serve(emulator) as server:
        yield server


@pytest.fixture
def sts(monkeypatch: pytest.MonkeyPatch) -> Iterator[Scripted]:
    """An STS that gives a key by which the emulator knows the role's account."""
    with serving(lambda _asked: role_answer()) as scripted:
        monkeypatch.setenv("AWS_ENDPOINT_URL_STS", scripted.url)
        yield scripted


def test_a_targets_role_reaches_the_account_of_the_role(backend: Server, emulator: Emulator, sts: Scripted) -> None:
    reader = Sessions(Transport()).reader(ACCESS, REGION, backend.url)
    assert reader.get_auth(PROD)["AuthResources"] == "USER_POOL_ONLY"
    assert {request.account for request in emulator.requests()} == {ROLE_ACCOUNT}
    [asked] = sts.asked
    assert asked.credential.startswith(f"{SOURCE_KEY}/")
    assert f"/{REGION}/sts/" in asked.credential
    assert "RoleSessionName=reconciler" in asked.body


def test_a_role_is_assumed_with_the_external_id_and_the_session_name_that_are_written(
    backend: Server, sts: Scripted
) -> None:
    access = Access(role_arn=ROLE, external_id="platform:team", session_name="nightly")
    Sessions(Transport()).reader(access, REGION, backend.url).get_auth(PROD)
    [asked] = sts.asked
    assert "ExternalId=platform%3Ateam" in asked.body
    assert "RoleSessionName=nightly" in asked.body


def test_callers_are_asked_for_at_once_and_once() -> None:
    together = threading.Barrier(2)

    def answer(asked: Asked) -> Answer:
        if "AssumeRole" in asked.body:
            together.wait(30)  # both are on their way, or neither is answered
            return role_answer()
        return sts_error(403, "AccessDenied")

    with pytest.MonkeyPatch.context() as patch, serving(answer) as scripted:
        patch.setenv("AWS_ENDPOINT_URL_STS", scripted.url)
        sessions = Sessions(Transport())
        ways = [(Access(role_arn=ROLE, session_name=name), REGION) for name in ("one", "two", "one")]
        sessions.ask_callers(ways)
        asked = len(scripted.asked)
        assert [sessions.account(access, region) for access, region in ways] == [None] * 3
        assert (asked, len(scripted.asked)) == (4, 4)


def test_a_role_updates_too(backend: Server, emulator: Emulator, sts: Scripted) -> None:
    writer = Sessions(Transport()).writer(ACCESS, REGION, backend.url)
    assert writer.update_auth(PROD, CONFIG).id is not None
    assert [request.account for request in emulator.requests("UpdateBackendAuth")] == [ROLE_ACCOUNT]
    assert len(sts.asked) == 1


def test_a_role_is_assumed_once_for_all_clients_and_threads(backend: Server, sts: Scripted) -> None:
    sessions = Sessions(Transport())
    reader, writer = sessions.reader(ACCESS, REGION, backend.url), sessions.writer(ACCESS, REGION, backend.url)
    other = sessions.reader(ACCESS, REGION, f"{backend.url}/")
    together = threading.Barrier(3)

    def read(gateway: Reader) -> None:
        together.wait(30)
        gateway.get_auth(PROD)

    with ThreadPoolExecutor(3) as pool:
        list(pool.map(read, (reader, writer, other)))
    assert sessions.caller(ACCESS, REGION) is None  # this STS knows AssumeRole only
    assert [asked.body.partition("&")[0] for asked in sts.asked] == ["Action=AssumeRole", "Action=GetCallerIdentity"]


@pytest.mark.parametrize(("lasting", "times"), [(timedelta(hours=1), 1), (timedelta(minutes=5), 3)])
def test_a_role_is_assumed_again_before_its_credentials_run_out(
    backend: Server, sts: Scripted, lasting: timedelta, times: int
) -> None:
    sts.script = lambda _asked: role_answer(lasting=lasting)
    reader = Sessions(Transport()).reader(ACCESS, REGION, backend.url)
    for _ in range(3):
        reader.get_auth(PROD)
    assert len(sts.asked) == times


def test_the_profiles_credentials_assume_the_role(backend: Server, sts: Scripted, tmp_path: Path) -> None:
    (tmp_path / "credentials").write_text("[shop]\naws_access_key_id = AKIASHOP\naws_secret_access_key = x\n")
    Sessions(Transport()).reader(Access("shop", ROLE), REGION, backend.url).get_auth(PROD)
    assert sts.asked[0].credential.startswith("AKIASHOP/")


def test_moto_knows_who_a_role_makes_of_the_caller(moto: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_ENDPOINT_URL_STS", moto)
    sessions = Sessions(Transport())
    assert sessions.account(ACCESS, REGION) == ROLE_ACCOUNT
    assert sessions.caller(ACCESS, REGION) == f"arn:aws:sts::{ROLE_ACCOUNT}:assumed-role/deploy/reconciler"
    assert sessions.account(Access(), REGION) != ROLE_ACCOUNT


def test_a_role_that_moto_gives_reaches_the_emulator(
    moto: str, backend: Server, emulator: Emulator, monkeypatch: pytest.MonkeyPatch
) -> None:
    signed: list[str] = []

    def watch(events: Any) -> None:
        events.register("before-send.amplifybackend", lambda request, **_: signed.append(_key(request)))

    monkeypatch.setenv("AWS_ENDPOINT_URL_STS", moto)
    reader = Sessions(Transport(hook=watch)).reader(ACCESS, "us-east-1", backend.url)
    assert reader.get_backend("d2k7example", None).environments == ("dev", "prod", "staging")
    assert len(emulator.requests("GetBackend")) == 1
    assert [key[:4] for key in signed] == ["ASIA"]


def test_fixed_credentials_assume_nothing(emulator: Emulator, sts: Scripted) -> None:
    transport = Transport(hook=lambda events: attach(events, emulator))
    sessions = Sessions(transport, credentials=(EMULATOR_ACCESS_KEY, EMULATOR_SECRET_KEY))
    assert sessions.reader(ACCESS, "us-east-1", None).get_backend("d2k7example", None).environments
    assert sts.asked == []


GARBAGE = [
    (200, b"{}"),
    (200, b"<html>Welcome to our hotel</html>"),
    (200, b""),
    (200, b"<a/>"),
    role_answer(key=""),
    (200, (role_answer() or (0, b""))[1].replace(b"-", b"x")),
]
DENIED = [sts_error(403, "AccessDenied"), sts_error(400, "ValidationError"), sts_error(403, "ExpiredToken")]
BROKEN = [None, sts_error(500, "InternalFailure"), sts_error(400, "Throttling"), *GARBAGE]


@pytest.mark.parametrize("answer", DENIED)
def test_a_role_that_is_denied_is_an_access_problem_of_every_client(
    backend: Server, emulator: Emulator, sts: Scripted, answer: Answer
) -> None:
    sts.script = lambda _asked: answer
    for problem in _problems(backend.url):
        assert type(problem) is AccessProblem
        assert f"the role {ROLE} can't be assumed: " in problem.summary
        assert problem.hint
        assert "canary" not in f"{problem.summary} {problem.detail} {problem.hint}"
    assert emulator.requests() == ()


@pytest.mark.parametrize("answer", BROKEN)
def test_an_update_without_the_roles_credentials_was_not_sent(
    backend: Server, emulator: Emulator, sts: Scripted, answer: Answer
) -> None:
    sts.script = lambda _asked: answer
    read, update, fetch = _problems(backend.url)
    assert [type(problem) for problem in (read, update, fetch)] == [ReadFailed, UpdateRefused, ReadFailed]
    for problem in (read, update, fetch):
        assert ROLE in problem.summary
        assert "canary" not in f"{problem.summary} {problem.detail} {problem.hint}"
    assert "was not sent" in update.summary
    assert emulator.requests() == ()


def test_an_sts_that_cant_be_reached_has_sent_nothing(
    backend: Server, emulator: Emulator, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AWS_ENDPOINT_URL_STS", "http://127.0.0.1:9")
    problems = _problems(backend.url)
    assert [type(problem) for problem in problems] == [ReadFailed, UpdateRefused, ReadFailed]
    assert all("STS can't be reached" in problem.summary for problem in problems)
    assert emulator.requests() == ()


def test_an_sts_that_never_answers_lets_no_update_out_later(backend: Server, emulator: Emulator, sts: Scripted) -> None:
    answering = threading.Event()

    def slow(_asked: Asked) -> Answer:
        answering.wait(30)
        return role_answer()

    sts.script = slow
    writer = Sessions(Transport(read_timeout=0.02, connect_timeout=0.02)).writer(ACCESS, REGION, backend.url)
    with pytest.raises(UpdateRefused, match="was not sent"):
        writer.update_auth(PROD, CONFIG)
    answering.set()
    assert emulator.requests() == ()


def test_no_credentials_assume_no_role(backend: Server, sts: Scripted, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("AWS_ACCESS_KEY_ID")
    monkeypatch.delenv("AWS_SECRET_ACCESS_KEY")
    for problem in _problems(backend.url):
        assert type(problem) is AccessProblem
        assert "no usable AWS credentials" in problem.summary
    assert sts.asked == []


def test_a_profile_whose_own_role_has_run_out_already_assumes_no_other(
    backend: Server, emulator: Emulator, sts: Scripted, tmp_path: Path
) -> None:
    (tmp_path / "credentials").write_text("[base]\naws_access_key_id = AKIABASE\naws_secret_access_key = x\n")
    (tmp_path / "config").write_text(f"[profile shop]\nrole_arn = {ROLE}x\nsource_profile = base\n")
    sts.script = lambda _asked: role_answer(lasting=timedelta(hours=-1))
    with pytest.raises(UpdateRefused, match=f"{ROLE} can't be assumed"):
        Sessions(Transport()).writer(Access("shop", ROLE), REGION, backend.url).update_auth(PROD, CONFIG)
    assert emulator.requests() == ()


def test_a_role_of_the_profile_that_is_denied_has_sent_nothing(
    backend: Server, emulator: Emulator, sts: Scripted, tmp_path: Path
) -> None:
    (tmp_path / "credentials").write_text("[base]\naws_access_key_id = AKIABASE\naws_secret_access_key = x\n")
    (tmp_path / "config").write_text(f"[profile shop]\nrole_arn = {ROLE}\nsource_profile = base\n")
    sts.script = lambda _asked: sts_error(500, "InternalFailure")
    with pytest.raises(UpdateRefused, match="was not sent"):
        Sessions(Transport()).writer(Access("shop"), REGION, backend.url).update_auth(PROD, CONFIG)
    sts.script = lambda _asked: sts_error(403, "AccessDenied")
    with pytest.raises(AccessProblem, match="the profile's role can't be assumed: AccessDenied"):
        Sessions(Transport()).writer(Access("shop"), REGION, backend.url).update_auth(PROD, CONFIG)
    assert emulator.requests() == ()


def test_what_sts_answered_is_logged_nowhere(backend: Server, sts: Scripted, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level("DEBUG", "reconciler")
    sts.script = lambda _asked: sts_error(403, "AccessDenied")
    _problems(backend.url)
    assert "canary" not in caplog.text
    assert not [record for record in caplog.records if record.exc_info]


def test_a_role_is_tried_again_when_sts_is_busy(backend: Server, sts: Scripted) -> None:
    answers = [sts_error(400, "Throttling"), None, role_answer()]
    sts.script = lambda _asked: answers.pop(0)
    assert Sessions(Transport()).reader(ACCESS, REGION, backend.url).get_auth(PROD)


def _problems(url: str) -> Sequence[ServiceProblem]:
    """What a read, an update and a fetch of a value raise, each of a session of its own."""

    def fetch() -> None:
        problem = AwsSecrets(Sessions(Transport()), parallelism=2).fetch([SOURCE])[SOURCE]
        assert isinstance(problem, ServiceProblem)
        raise problem

    attempts: tuple[Callable[[], object], ...] = (
        lambda: Sessions(Transport()).reader(ACCESS, REGION, url).get_auth(PROD),
        lambda: Sessions(Transport()).writer(ACCESS, REGION, url).update_auth(PROD, CONFIG),
        fetch,
    )
    problems = []
    for attempt in attempts:
        with pytest.raises(ServiceProblem) as caught:
            attempt()
        problems.append(caught.value)
    return problems


def _key(request: Any) -> str:
    """The access key that a request is signed with."""
    header = request.headers["Authorization"]
    text: str = header.decode() if isinstance(header, bytes) else header
    return text.partition("Credential=")[2].partition("/")[0]
