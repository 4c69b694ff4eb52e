"""A user's environment, and servers that answer as a test has it: the services that no emulator of ours stands for."""

from __future__ import annotations

import os
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from types import SimpleNamespace

import pytest

from reconciler.aws.retries import Timing

SOURCE_KEY = "AKIASOURCE"
ROLE = "arn:aws:iam::210987654321:role/deploy"
ROLE_ACCOUNT = "210987654321"


@dataclass(frozen=True)
class Asked:
    """One request as a server saw it: ``target`` is ``X-Amz-Target``, ``credential`` what it was signed with."""

    target: str
    credential: str
    body: str


Answer = tuple[int, bytes] | None
"""A status and a body; None hangs up."""


@dataclass
class Scripted:
    """A server that answers as ``script`` says, and remembers what it was asked."""

    script: Callable[[Asked], Answer]
    url: str = ""
    asked: list[Asked] = field(default_factory=list)


class _Quiet(ThreadingHTTPServer):
    """A server that says nothing of clients that hang up: some tests do not wait for the answer."""

    def handle_error(self, *_arguments: object) -> None:
        """Stay quiet."""


@contextmanager
def serving(script: Callable[[Asked], Answer]) -> Iterator[Scripted]:
    """Something on a port that answers each POST by a script, each in a thread of its own."""
    scripted = Scripted(script)

    class Handler(BaseHTTPRequestHandler):
        """Answers by the script."""

        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"])).decode()
            credential = self.headers["Authorization"].partition("Credential=")[2].partition(",")[0]
            asked = Asked(self.headers.get("X-Amz-Target", ""), credential, body)
            scripted.asked.append(asked)
            answer = scripted.script(asked)
            if answer is None:
                self.close_connection = True
                return
            status, content = answer
            self.send_response(status)
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)

        def log_message(self, *_arguments: object) -> None:
            """Stay quiet."""

    with _Quiet(("127.0.0.1", 0), Handler) as server:
        threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
        scripted.url = f"http://127.0.0.1:{server.server_address[1]}"
        yield scripted
        server.shutdown()


def role_answer(*, key: str = ROLE_ACCOUNT, lasting: timedelta = timedelta(hours=1)) -> Answer:
    """What STS answers to AssumeRole; by default with a key by which the emulator knows the role's account."""
    end = (datetime.now(UTC) + lasting).strftime("%Y-%m-%dT%H:%M:%SZ")
    return 200, (
        '<AssumeRoleResponse xmlns="https://sts.amazonaws.com/doc/2011-06-15/"><AssumeRoleResult><Credentials>'
        f"<AccessKeyId>{key}</AccessKeyId><SecretAccessKey>s</SecretAccessKey><SessionToken>t</SessionToken>"
        f"<Expiration>{end}</Expiration></Credentials></AssumeRoleResult></AssumeRoleResponse>"
    ).encode()


def sts_error(status: int, code: str) -> Answer:
    """How STS says no, with a text that nobody should ever see."""
    return (
        status,
        f"<ErrorResponse><Error><Code>{code}</Code><Message>canary</Message></Error></ErrorResponse>".encode(),
    )


@dataclass
class VirtualTime:
    """A clock that nobody waits for: who sleeps sets it forward. ``chances`` are drawn first, then only halves."""

    at: float = 0
    slept: list[float] = field(default_factory=list)
    chances: list[float] = field(default_factory=list)

    def now(self) -> float:
        return self.at

    def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        self.at += seconds

    def random(self) -> float:
        return self.chances.pop(0) if self.chances else 0.5

    @property
    def timing(self) -> Timing:
        return Timing(self.now, self.sleep, self.random)


@pytest.fixture
def user(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """An environment with credentials and nothing else, and retries that come without delay."""
    for name in [name for name in os.environ if name.startswith("AWS_")]:
        monkeypatch.delenv(name)
    settings: Mapping[str, str] = {
        "AWS_EC2_METADATA_DISABLED": "true",
        "AWS_CONFIG_FILE": str(tmp_path / "config"),
        "AWS_SHARED_CREDENTIALS_FILE": str(tmp_path / "credentials"),
        "AWS_ACCESS_KEY_ID": SOURCE_KEY,
        "AWS_SECRET_ACCESS_KEY": "secret",
    }
    for name, value in settings.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setattr("botocore.endpoint.time", SimpleNamespace(sleep=lambda _seconds: None))
    clock = VirtualTime()
    monkeypatch.setattr("reconciler.aws.session.time", SimpleNamespace(sleep=clock.sleep, monotonic=clock.now))
