"""A delivery over real HTTP: signed, tried again, sent to no other host, and silent about the address."""

from __future__ import annotations

import gc
import hashlib
import hmac
import json
import socket
import threading
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from reconciler.core.secret import Secret
from reconciler.notify.address import refusal
from reconciler.notify.delivery import SIGNATURE, Answer, Clock, deliver

BODY = json.dumps({"text": "Schlüssel"}).encode()
NOW = 1_900_000_000
HOSTS = frozenset({"127.0.0.1"})


@dataclass
class Receiver:
    """A server that answers each POST by the next of its answers, and is no proxy; it keeps what it got."""

    url: str = ""
    answers: list[tuple[int, dict[str, str]]] = field(default_factory=list)
    got: list[tuple[str, Mapping[str, str], bytes]] = field(default_factory=list)
    connects: list[str] = field(default_factory=list)


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    kept = Receiver()

    class Handler(BaseHTTPRequestHandler):
        """Answers by the list."""

        def do_POST(self) -> None:
            kept.got.append((self.path, dict(self.headers), self.rfile.read(int(self.headers["Content-Length"]))))
            status, headers = kept.answers.pop(0)
            self.send_response(status)
            for name, value in {"Content-Length": "0", **headers}.items():
                self.send_header(name, value)
            self.end_headers()

        def do_CONNECT(self) -> None:
            kept.connects.append(self.path)
            self.send_error(403)

        def log_message(self, *_arguments: object) -> None:
            """Stay quiet."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
        kept.url = f"http://127.0.0.1:{server.server_port}/services/canary"
        yield kept
        server.shutdown()


class Time:
    """A clock that moves when somebody pauses."""

    def __init__(self) -> None:
        self.pauses: list[float] = []

    @property
    def clock(self) -> Clock:
        return Clock(lambda: sum(self.pauses), lambda: NOW + sum(self.pauses), self.pauses.append, _at_once)


def _at_once(_seconds: float, call: Callable[[], Answer]) -> Answer:
    return call()


def test_a_body_arrives_once_with_a_signature_that_proves_sender_and_time(receiver: Receiver) -> None:
    receiver.answers = [(202, {})]
    secret = Secret("s3cret")
    assert deliver(Secret(receiver.url + "\n"), BODY, Time().clock, hosts=HOSTS, secret=secret) is None
    ((path, headers, body),) = receiver.got
    assert (path, body) == ("/services/canary", BODY)
    assert headers["Content-Type"] == "application/json; charset=utf-8"
    expected = hmac.new(b"s3cret", f"{NOW}.".encode() + BODY, hashlib.sha256).hexdigest()
    assert headers[SIGNATURE] == f"t={NOW},v1={expected}"


def test_without_a_secret_nothing_is_signed(receiver: Receiver) -> None:
    receiver.answers = [(200, {})]
    assert deliver(Secret(receiver.url), BODY, Time().clock, hosts=HOSTS) is None
    assert SIGNATURE not in receiver.got[0][1]


@pytest.mark.parametrize(
    ("answers", "pauses"),
    [
        ([(503, {}), (200, {})], [1]),
        ([(429, {"Retry-After": "3"}), (500, {}), (204, {})], [3, 4]),
        ([(429, {"Retry-After": "86400"}), (200, {})], [20]),
        ([(503, {"Retry-After": "Wed, 21 Oct 2037 07:28:00 GMT"}), (200, {})], [1]),
    ],
)
def test_what_may_pass_is_tried_again_after_a_pause(
    receiver: Receiver, answers: list[tuple[int, dict[str, str]]], pauses: list[float]
) -> None:
    receiver.answers, time = [*answers], Time()
    assert deliver(Secret(receiver.url), BODY, time.clock, hosts=HOSTS) is None
    assert (time.pauses, len(receiver.got)) == (pauses, len(answers))


@pytest.mark.parametrize(
    ("answers", "tries", "problem"),
    [
        ([(503, {})] * 9, 4, "it answered with 503"),
        ([(429, {"Retry-After": "20"})] * 9, 3, "it answered with 429"),
        ([(404, {})], 1, "it answered with 404"),
    ],
    ids=["tries", "deadline", "final"],
)
def test_tries_end(receiver: Receiver, answers: list[tuple[int, dict[str, str]]], tries: int, problem: str) -> None:
    receiver.answers = [*answers]
    assert deliver(Secret(receiver.url), BODY, Time().clock, hosts=HOSTS) == problem
    assert len(receiver.got) == tries


def test_a_redirect_is_not_followed(receiver: Receiver) -> None:
    receiver.answers = [(307, {"Location": receiver.url + "/elsewhere"}), (200, {})]
    problem = deliver(Secret(receiver.url), BODY, Time().clock, hosts=HOSTS)
    assert problem == "it answered with a redirect (307), and none is followed"
    assert len(receiver.got) == 1


def test_a_host_that_does_not_answer_is_told_by_kind_alone() -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{free.getsockname()[1]}/canary"
    time = Time()
    assert deliver(Secret(url), BODY, time.clock, hosts=HOSTS) == "no answer came (ConnectionRefusedError)"
    assert len(time.pauses) == 3


def test_a_try_that_takes_too_long_is_given_up(receiver: Receiver) -> None:
    def never(_seconds: float, _call: Callable[[], Answer]) -> Answer:
        raise TimeoutError

    time = Time()
    clock = Clock(time.clock.now, time.clock.since_1970, time.pauses.append, never)
    assert deliver(Secret(receiver.url), BODY, clock, hosts=HOSTS) == "no answer came (it took too long)"


@pytest.mark.filterwarnings(
    "ignore::pytest.PytestUnraisableExceptionWarning"
)  # http.client leaves a refused tunnel open
def test_this_machine_is_reached_directly_and_others_as_configured(
    receiver: Receiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("http_proxy", "http://127.0.0.1:9/")
    receiver.answers = [(200, {})]
    assert deliver(Secret(receiver.url), BODY, Time().clock, hosts=HOSTS) is None
    monkeypatch.setenv("https_proxy", receiver.url)
    assert deliver(Secret("https://hooks.test/"), BODY, Time().clock, hosts={"hooks.test"}) is not None
    gc.collect()
    assert set(receiver.connects) == {"hooks.test:443"}


def test_a_host_that_is_not_listed_gets_nothing(receiver: Receiver) -> None:
    assert deliver(Secret(receiver.url), BODY, Time().clock, hosts={"localhost"}) == "its host is not in notify_hosts"
    assert receiver.got == []


@pytest.mark.parametrize(
    ("url", "allowed"),
    [
        ("https://hooks.slack.com/services/T0", True),
        ("https://HOOKS.slack.com./services/T0", True),
        ("https://hooks.slack.com:8443", True),
        ("https://a.example.com/x?key=1", True),
        ("http://127.0.0.1:8080/x", True),
        ("http://hooks.slack.com/services/T0", False),
        ("https://hooks.slack.com.evil.test/", False),
        ("https://evilhooks.slack.com/", False),
        ("https://example.com/", False),
        ("https://evilexample.com/", False),
        ("https://hooks.slack.com@evil.test/", False),
        ("https://evil.test#@hooks.slack.com/", False),
        ("https://evil.test\\@hooks.slack.com/", False),
        ("https://evil.test/\r\nHost: hooks.slack.com", False),
        ("https://[::1]/", False),
        ("http://127.0.0.1.evil.test/", False),
        ("http://127.0.0.1.listed.test/", False),
        ("https://127.0.0.1.listed.test/", True),
        ("http://127.0.0.2/", True),
        ("https://UPPER.TEST/", True),
        ("https://hooks.slack.com/#@evil.test/", False),
        ("https://hooks.slack.com/\\evil.test", False),
        ("file:///etc/passwd", False),
        ("", False),
    ],
)
def test_only_listed_hosts_may_be_told_however_an_address_is_written(url: str, allowed: bool) -> None:
    hosts = {"hooks.slack.com", ".example.com", "127.0.0.1", "127.0.0.2", "Upper.Test", ".listed.test"}
    assert (refusal(url, hosts) is None) is allowed


def test_the_embedded_backend_tells_only_this_machine() -> None:
    hosts = {"hooks.slack.com", "localhost"}
    assert refusal("http://localhost/x", hosts, only_loopback=True) is None
    assert refusal("https://hooks.slack.com/x", hosts, only_loopback=True) is not None
