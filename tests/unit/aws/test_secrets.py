"""What references fetch from AWS, over HTTP: values of moto's services, and every way in which there is none."""

from __future__ import annotations

import json
import threading
import uuid
from collections.abc import Callable, Iterator
from typing import Any

import boto3
import pytest

from reconciler.aws.secrets import AwsSecrets
from reconciler.aws.session import Sessions, Transport
from reconciler.core.model import Access
from reconciler.core.secret import Secret
from reconciler.core.sources import Fetched, Source
from reconciler.errors import AccessProblem, NotFound, ReadFailed, ServiceProblem
from tests.unit.aws.conftest import ROLE, ROLE_ACCOUNT, Answer, Asked, Scripted, serving

REGION = "us-east-1"
CANARY = "Canary7value"
SERVICES = ("ssm", "secretsmanager")

pytestmark = pytest.mark.usefixtures("user")


@pytest.fixture
def aws(moto: str, monkeypatch: pytest.MonkeyPatch) -> str:
    """moto, as the endpoint of every service."""
    monkeypatch.setenv("AWS_ENDPOINT_URL", moto)
    return moto


@pytest.fixture
def service(monkeypatch: pytest.MonkeyPatch) -> Iterator[Scripted]:
    """SSM and Secrets Manager that answer as a test has it; nothing, unless it says what."""
    with serving(lambda _asked: (200, b"{}")) as scripted:
        monkeypatch.setenv("AWS_ENDPOINT_URL_SSM", scripted.url)
        monkeypatch.setenv("AWS_ENDPOINT_URL_SECRETS_MANAGER", scripted.url)
        yield scripted


# --- values ------------------------------------------------------------------------------------


@pytest.mark.parametrize(("kind", "sensitive"), [("SecureString", True), ("String", False)])
def test_a_parameter_is_as_sensitive_as_its_type(aws: str, kind: str, sensitive: bool) -> None:
    name = parameter(aws, "tr3asure", kind)
    assert fetch(Source("ssm", name, REGION, Access())) == Fetched(Secret("tr3asure"), sensitive)


def test_a_list_is_no_text(aws: str) -> None:
    problem = problem_of(Source("ssm", parameter(aws, "a,b", "StringList"), REGION, Access()))
    assert type(problem) is ReadFailed
    assert "StringList" in problem.summary


def test_a_version_or_a_label_of_a_parameter_is_part_of_its_name(aws: str) -> None:
    name = parameter(aws, "first")
    made = client(aws, "ssm")
    made.put_parameter(Name=name, Value="second", Type="SecureString", Overwrite=True)
    made.label_parameter_version(Name=name, ParameterVersion=1, Labels=["blessed"])
    found = {
        selector: text(Source("ssm", f"{name}{selector}", REGION, Access())) for selector in ("", ":1", ":blessed")
    }
    assert found == {"": "second", ":1": "first", ":blessed": "first"}
    assert type(problem_of(Source("ssm", f"{name}:7", REGION, Access()))) is NotFound


def test_a_parameter_is_found_by_its_arn(aws: str) -> None:
    name = parameter(aws, "tr3asure")
    arn = f"arn:aws:ssm:{REGION}:123456789012:parameter{name}"
    assert text(Source("ssm", arn, REGION, Access())) == "tr3asure"


def test_a_secret_is_sensitive_and_is_found_by_name_and_by_arn(aws: str) -> None:
    name, arn, _ = secret(aws, "tr3asure")
    for known in (name, arn):
        found = fetch(Source("secretsmanager", known, REGION, Access()))
        assert found == Fetched(Secret("tr3asure"), sensitive=True)


def test_a_stage_and_an_id_choose_the_version_of_a_secret(aws: str) -> None:
    name, _, first = secret(aws, "first")
    client(aws, "secretsmanager").put_secret_value(SecretId=name, SecretString="second")
    assert text(Source("secretsmanager", name, REGION, Access())) == "second"
    assert text(Source("secretsmanager", name, REGION, Access(), version_stage="AWSPREVIOUS")) == "first"
    assert text(Source("secretsmanager", name, REGION, Access(), version_id=first)) == "first"


def test_a_secret_that_is_binary_is_no_text(aws: str) -> None:
    name = f"shop-{uuid.uuid4().hex}"
    client(aws, "secretsmanager").create_secret(Name=name, SecretBinary=b"tr3asure")
    problem = problem_of(Source("secretsmanager", name, REGION, Access()))
    assert type(problem) is ReadFailed
    assert "binary" in problem.summary


@pytest.mark.parametrize("service_name", SERVICES)
def test_what_is_missing_is_not_found(aws: str, service_name: str) -> None:
    assert aws
    assert type(problem_of(Source(service_name, f"/{uuid.uuid4().hex}", REGION, Access()))) is NotFound


def test_a_source_is_fetched_in_its_own_region(aws: str) -> None:
    name = parameter(aws, "far", region="ap-southeast-2")
    there, here = (Source("ssm", name, region, Access()) for region in ("ap-southeast-2", REGION))
    found = secrets().fetch([there, here])
    assert found[there] == Fetched(Secret("far"), sensitive=True)
    assert type(found[here]) is NotFound


def test_a_role_opens_what_only_its_account_has(aws: str) -> None:
    name = parameter(aws, "of the role", credentials=assumed(aws))
    with_role, without = (Source("ssm", name, REGION, access) for access in (Access(role_arn=ROLE), Access()))
    found = secrets().fetch([with_role, without])
    assert found[with_role] == Fetched(Secret("of the role"), sensitive=True)
    assert type(found[without]) is NotFound


# --- how it is asked -----------------------------------------------------------------------------


def test_each_source_is_asked_for_once_in_clients_made_by_the_thread_that_asks(aws: str) -> None:
    one, other = (Source("ssm", parameter(aws, value), REGION, Access()) for value in ("one", "other"))
    secret_of = Source("secretsmanager", secret(aws, "third")[0], REGION, Access())
    sent: list[str] = []
    makers: list[threading.Thread] = []

    def watch(events: Any) -> None:
        events.register("before-send.*", lambda request, **_: sent.append(request.headers["X-Amz-Target"].decode()))
        events.register("creating-client-class.*", lambda **_: makers.append(threading.current_thread()))

    provider = AwsSecrets(Sessions(Transport(hook=watch)), parallelism=4)
    found = provider.fetch([one, other, one, secret_of, one, secret_of])
    assert list(found) == [one, other, secret_of]
    assert sorted(sent) == ["AmazonSSM.GetParameter"] * 2 + ["secretsmanager.GetSecretValue"]
    assert makers == [threading.current_thread()] * 2


def test_sources_are_fetched_side_by_side(service: Scripted) -> None:
    together = threading.Barrier(2)

    def both(_asked: Asked) -> Answer:
        together.wait(30)
        return value("tr3asure")

    service.script = both
    sources = [Source("ssm", name, REGION, Access()) for name in ("/one", "/other")]
    found = AwsSecrets(Sessions(Transport()), parallelism=2).fetch(sources)
    assert set(found.values()) == {Fetched(Secret("tr3asure"), sensitive=True)}
    assert len(service.asked) == 2


def test_nothing_is_asked_for_nothing(service: Scripted) -> None:
    assert secrets().fetch([]) == {}
    assert service.asked == []


def test_a_service_that_is_busy_is_asked_again(service: Scripted) -> None:
    answers = [error("ThrottlingException"), error("InternalServerError", 500), None, value("tr3asure")]
    service.script = lambda _asked: answers.pop(0)
    assert text(Source("ssm", "/shop", REGION, Access())) == "tr3asure"


# --- what goes wrong -----------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("service_name", "code", "status", "kind", "hint"),
    [
        ("ssm", "AccessDeniedException", 400, AccessProblem, "ssm:GetParameter"),
        ("ssm", "AccessDeniedException", 400, AccessProblem, "kms:Decrypt"),
        ("ssm", "InvalidKeyId", 400, AccessProblem, "kms:Decrypt"),
        ("ssm", "ExpiredTokenException", 400, AccessProblem, "renew the credentials"),
        ("ssm", "UnrecognizedClientException", 400, AccessProblem, "renew the credentials"),
        ("ssm", "InvalidSignatureException", 400, AccessProblem, "clock"),
        ("ssm", "ParameterNotFound", 400, NotFound, ""),
        ("ssm", "ParameterVersionNotFound", 400, NotFound, ""),
        ("ssm", "ValidationException", 400, ReadFailed, ""),
        ("ssm", "ThrottlingException", 400, ReadFailed, "try again"),
        ("ssm", "InternalServerError", 500, ReadFailed, "try again"),
        ("secretsmanager", "AccessDeniedException", 400, AccessProblem, "secretsmanager:GetSecretValue"),
        ("secretsmanager", "KMSAccessDeniedException", 400, AccessProblem, "kms:Decrypt"),
        ("secretsmanager", "DecryptionFailure", 400, AccessProblem, "kms:Decrypt"),
        ("secretsmanager", "ResourceNotFoundException", 400, NotFound, ""),
        ("secretsmanager", "InvalidRequestException", 400, ReadFailed, "marked for deletion"),
        ("secretsmanager", "InternalServiceError", 500, ReadFailed, "try again"),
    ],
)
def test_an_error_tells_its_code_and_what_to_do(
    service: Scripted, service_name: str, code: str, status: int, kind: type[ServiceProblem], hint: str
) -> None:
    service.script = lambda _asked: error(code, status)
    problem = problem_of(Source(service_name, "/shop", REGION, Access()))
    assert type(problem) is kind
    assert code in f"{problem.summary} {problem.detail}"
    assert hint in problem.hint


GARBAGE = {
    "nothing": b"",
    "an object of nothing": b"{}",
    "a page": f"<html>{CANARY}</html>".encode(),
    "a list": f'["{CANARY}"]'.encode(),
    "null": b"null",
    "a text": f'"{CANARY}"'.encode(),
    "cut off": f'{{"Parameter": {{"Type": "SecureString", "Value": "{CANARY}'.encode(),
    "no text": f"\xff\xfe{CANARY}".encode("latin-1"),
    "an empty parameter": b'{"Parameter": {}}',
    "a parameter that is none": f'{{"Parameter": "{CANARY}"}}'.encode(),
    "a list of parameters": f'{{"Parameter": ["{CANARY}"]}}'.encode(),
    "no parameter": b'{"Parameter": null}',
    "no value": b'{"Parameter": {"Type": "SecureString"}}',
    "no type": f'{{"Parameter": {{"Value": "{CANARY}"}}}}'.encode(),
    "a type that is none": f'{{"Parameter": {{"Type": "{CANARY}", "Value": "{CANARY}"}}}}'.encode(),
    "a type that is a list": f'{{"Parameter": {{"Type": ["{CANARY}"], "Value": "{CANARY}"}}}}'.encode(),
    "a value that is a list": f'{{"Parameter": {{"Type": "SecureString", "Value": ["{CANARY}"]}}}}'.encode(),
    "a value that is a number": b'{"Parameter": {"Type": "String", "Value": 7}}',
    "a secret that is an object": f'{{"SecretString": {{"a": "{CANARY}"}}}}'.encode(),
    "a secret that is a number": b'{"SecretString": 7}',
    "a secret that is neither": b'{"SecretString": null, "SecretBinary": null}',
    "a binary that is none": f'{{"SecretBinary": "{CANARY}!"}}'.encode(),
    "deep": b'{"Parameter":' * 100_000,
}


@pytest.mark.parametrize("service_name", SERVICES)
@pytest.mark.parametrize("body", GARBAGE.values(), ids=GARBAGE)
def test_an_answer_that_is_none_is_a_failed_read(service: Scripted, service_name: str, body: bytes) -> None:
    service.script = lambda _asked: (200, body)
    assert type(problem_of(Source(service_name, "/shop", REGION, Access()))) is ReadFailed


UNTOLD: dict[str, Answer] = {
    "denied": (400, json.dumps({"__type": "AccessDeniedException", "message": CANARY}).encode()),
    "absent": (400, json.dumps({"__type": "ParameterNotFound", "message": CANARY}).encode()),
    "a code that is none": (400, json.dumps({"__type": f"com.amazonaws#{CANARY}", "message": CANARY}).encode()),
    "a page for an error": (403, f"<html>{CANARY}</html>".encode()),
    "broken": (500, f"{CANARY}".encode()),
    **{name: (200, body) for name, body in GARBAGE.items()},
}


@pytest.mark.parametrize("service_name", SERVICES)
@pytest.mark.parametrize("answer", UNTOLD.values(), ids=UNTOLD)
def test_nothing_of_a_value_is_told(
    service: Scripted, service_name: str, answer: Answer, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("DEBUG", "reconciler")
    service.script = lambda _asked: answer
    problem = problem_of(Source(service_name, "/shop", REGION, Access()))
    told = (str(problem), repr(problem), problem.args, problem.summary, problem.detail, problem.hint, caplog.text)
    assert CANARY not in repr(told)
    assert problem.__cause__ is None
    assert problem.__context__ is None


def test_nothing_of_a_value_that_came_is_told(service: Scripted, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level("DEBUG", "reconciler")
    service.script = lambda _asked: value(CANARY)
    found = secrets().fetch([Source("ssm", "/shop", REGION, Access())])
    assert CANARY not in f"{found!r} {caplog.text}"
    assert "GetParameter: status 200" in caplog.text


def test_one_sources_problem_is_no_other_ones(service: Scripted) -> None:
    def one_is_gone(asked: Asked) -> Answer:
        return error("ParameterNotFound") if "/gone" in asked.body else value("tr3asure")

    service.script = one_is_gone
    gone, here = (Source("ssm", name, REGION, Access()) for name in ("/gone", "/here"))
    nobody = Source("ssm", "/here", REGION, Access(profile="nobody"))
    nowhere = Source("ssm", "/here", "no region", Access())
    found = secrets().fetch([gone, nobody, nowhere, here])
    assert found[here] == Fetched(Secret("tr3asure"), sensitive=True)
    assert [type(found[source]) for source in (gone, nobody, nowhere)] == [NotFound, AccessProblem, ReadFailed]


def test_an_endpoint_that_is_none_is_the_sources_problem(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_ENDPOINT_URL_SSM", "not a url")
    problem = problem_of(Source("ssm", "/shop", REGION, Access()))
    assert type(problem) is ReadFailed
    assert "as it is configured" in problem.summary


def test_an_endpoint_that_nobody_answers_is_a_failed_read(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_ENDPOINT_URL_SSM", "http://127.0.0.1:9")
    problem = problem_of(Source("ssm", "/shop", REGION, Access()))
    assert type(problem) is ReadFailed
    assert "can't be reached" in problem.summary


def test_an_answer_that_never_comes_is_a_failed_read(service: Scripted) -> None:
    answering = threading.Event()

    def never(_asked: Asked) -> Answer:
        answering.wait(30)
        return value("tr3asure")

    service.script = never
    sessions = Sessions(Transport(read_timeout=0.02, connect_timeout=0.02))
    source = Source("ssm", "/shop", REGION, Access())
    problem = AwsSecrets(sessions, parallelism=1).fetch([source])[source]
    answering.set()
    assert type(problem) is ReadFailed


def test_no_credentials_are_an_access_problem(service: Scripted, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("AWS_ACCESS_KEY_ID")
    monkeypatch.delenv("AWS_SECRET_ACCESS_KEY")
    assert type(problem_of(Source("ssm", "/shop", REGION, Access()))) is AccessProblem
    assert service.asked == []


# --- builders ----------------------------------------------------------------------------------


def secrets() -> AwsSecrets:
    """A provider as the program makes one."""
    return AwsSecrets(Sessions(Transport()), parallelism=4)


def fetch(source: Source) -> Fetched:
    """What stands at a source."""
    found = secrets().fetch([source])[source]
    assert isinstance(found, Fetched)
    return found


def text(source: Source) -> str:
    """The text that stands at a source."""
    return fetch(source).text.reveal()


def problem_of(source: Source) -> ServiceProblem:
    """Why a source can't be had."""
    found = secrets().fetch([source])[source]
    assert isinstance(found, ServiceProblem)
    return found


def value(content: str) -> Answer:
    """What SSM answers for a SecureString."""
    return 200, json.dumps({"Parameter": {"Type": "SecureString", "Value": content}}).encode()


def error(code: str, status: int = 400) -> Answer:
    """An error as both services spell it."""
    return status, json.dumps({"__type": code, "message": CANARY}).encode()


def client(url: str, name: str, *, region: str = REGION, credentials: tuple[str, str, str] | None = None) -> Any:
    """A client of moto's, for whoever puts values in."""
    key, password, token = credentials or ("AKIAEXAMPLE", "secret", None)
    make: Callable[..., Any] = boto3.client
    return make(
        name,
        region_name=region,
        endpoint_url=url,
        aws_access_key_id=key,
        aws_secret_access_key=password,
        aws_session_token=token,
    )


def assumed(url: str) -> tuple[str, str, str]:
    """Credentials of the role, in its account."""
    given = client(url, "sts").assume_role(RoleArn=ROLE, RoleSessionName="test")
    assert f":{ROLE_ACCOUNT}:" in given["AssumedRoleUser"]["Arn"]
    parts = given["Credentials"]
    return parts["AccessKeyId"], parts["SecretAccessKey"], parts["SessionToken"]


def parameter(
    url: str,
    content: str,
    kind: str = "SecureString",
    *,
    region: str = REGION,
    credentials: tuple[str, str, str] | None = None,
) -> str:
    """The name of a new parameter."""
    name = f"/shop/{uuid.uuid4().hex}"
    client(url, "ssm", region=region, credentials=credentials).put_parameter(Name=name, Value=content, Type=kind)
    return name


def secret(url: str, content: str) -> tuple[str, str, str]:
    """Name, ARN and version id of a new secret."""
    made = client(url, "secretsmanager").create_secret(Name=f"shop-{uuid.uuid4().hex}", SecretString=content)
    return made["Name"], made["ARN"], made["VersionId"]
