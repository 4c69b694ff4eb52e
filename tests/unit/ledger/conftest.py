"""Places for a ledger: a folder, and a bucket of a server that speaks S3 over a wire which can break."""

from __future__ import annotations

import http.client
import os
import subprocess
import sys
import threading
import uuid
from collections import deque
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Literal
from urllib.parse import urlsplit

import boto3
import pytest

from reconciler.aws.session import Sessions, Transport
from reconciler.core.model import Access
from reconciler.core.store import Store
from reconciler.ledger.folder import FolderStore

ROOT = Path(__file__).parents[3]
_HOP = {"connection", "transfer-encoding", "date", "server"}

OPEN = """
import sys
from pathlib import Path
from reconciler.ledger.folder import FolderStore

def opened(location):
    if not location.startswith("s3://"):
        return FolderStore(Path(location))
    from reconciler.aws.session import Sessions, Transport
    from reconciler.core.model import Access
    return Sessions(Transport()).store(Access(), location)
"""
"""How a program of a test opens a place that it was named."""


def opened(location: str) -> Store:
    """A store as the program makes one: of a folder, or of ``s3://bucket/prefix``."""
    if location.startswith("s3://"):
        return Sessions(Transport()).store(Access(), location)
    return FolderStore(Path(location))


Start = Callable[..., "subprocess.Popen[str]"]


@pytest.fixture
def start() -> Iterator[Start]:
    """Start Python programs, with pipes as their input and output; what still runs at the end is killed."""
    started: list[subprocess.Popen[str]] = []

    def begin(program: str, *arguments: str) -> subprocess.Popen[str]:
        process = subprocess.Popen(
            [sys.executable, "-c", program, *arguments],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            env={**os.environ, "PYTHONPATH": str(ROOT)},
        )
        started.append(process)
        return process

    yield begin
    for process in started:
        process.kill()
        process.communicate()


def told(process: subprocess.Popen[str]) -> str:
    """The next line that a program writes."""
    assert process.stdout is not None
    return process.stdout.readline().strip()


def tell(process: subprocess.Popen[str], line: str = "go") -> None:
    """Write a line to a program."""
    assert process.stdin is not None
    process.stdin.write(f"{line}\n")
    process.stdin.flush()


@dataclass(frozen=True)
class Answer:
    """What the wire answers in the server's place."""

    status: int
    body: bytes = b""

    @classmethod
    def error(cls, status: int, code: str) -> Answer:
        """An error as S3 spells it, with a text that nobody should ever see."""
        return cls(status, f"<Error><Code>{code}</Code><Message>canary</Message></Error>".encode())


@dataclass
class Wire:
    """The way to the S3 server. ``faults`` befall the next requests, one each.

    ``lost`` carries the request to the server and loses the answer; ``cut`` loses the second half of its body.
    ``date`` stands in place of the server's in every answer, and ``seen`` tells each request's method.
    """

    url: str = ""
    faults: deque[Answer | Literal["lost", "cut"]] = field(default_factory=deque)
    date: str | None = None
    seen: list[str] = field(default_factory=list)
    gate: threading.Event = field(default_factory=threading.Event)
    """What requests wait for; it is open unless a test closes it."""


def _handler(wire: Wire, server: str) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        """Carries each request on, unless something is to befall it."""

        protocol_version = "HTTP/1.1"

        def _carry(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
            wire.seen.append(self.command)
            wire.gate.wait()
            fault = wire.faults.popleft() if wire.faults else None
            if isinstance(fault, Answer):
                self._answer(fault.status, {}, fault.body)
                return
            connection = http.client.HTTPConnection(urlsplit(server).netloc)
            headers = {name: value for name, value in self.headers.items() if name.lower() != "expect"}
            connection.request(self.command, self.path, body, headers)
            answer = connection.getresponse()
            content = answer.read()
            connection.close()
            if fault == "lost":
                self.close_connection = True
                return
            self._answer(answer.status, dict(answer.getheaders()), content, cut=fault == "cut")

        do_GET = do_PUT = _carry

        def _answer(self, status: int, headers: dict[str, str], body: bytes, *, cut: bool = False) -> None:
            self.send_response_only(status)
            for name, value in headers.items():
                if name.lower() not in _HOP | {"content-length"}:
                    self.send_header(name, value)
            date = self.date_time_string() if wire.date is None else wire.date
            if date:
                self.send_header("Date", date)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body[: len(body) // 2] if cut else body)
            self.close_connection = self.close_connection or cut

        def log_message(self, *_arguments: object) -> None:
            """Stay quiet."""

    return Handler


class _Quiet(ThreadingHTTPServer):
    """A server that says nothing of clients that hang up: breaking off is what they are here for."""

    def handle_error(self, *_arguments: object) -> None:
        """Stay quiet."""


@pytest.fixture
def wire(moto: str) -> Iterator[Wire]:
    """A way to the S3 server that can break."""
    wire = Wire()
    wire.gate.set()
    with _Quiet(("127.0.0.1", 0), _handler(wire, moto)) as server:
        threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
        wire.url = f"http://127.0.0.1:{server.server_address[1]}"
        yield wire
        wire.gate.set()
        server.shutdown()


@pytest.fixture
def bucket(moto: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """A new bucket, and an environment as a user of it has one."""
    for name in [name for name in os.environ if name.startswith("AWS_")]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    monkeypatch.setenv("AWS_CONFIG_FILE", str(tmp_path / "config"))
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", str(tmp_path / "credentials"))
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "AKIAEXAMPLE")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "secret")
    monkeypatch.setenv("AWS_ENDPOINT_URL_S3", moto)
    name = f"ledger-{uuid.uuid4().hex}"
    boto3.client("s3", region_name="us-east-1").create_bucket(Bucket=name)
    return name


@pytest.fixture(params=["folder", "s3"])
def location(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """A place of each kind that nobody wrote to yet."""
    if request.param == "folder":
        return str(tmp_path / "state" / "ledger")
    return f"s3://{request.getfixturevalue('bucket')}/team/ledger"


@pytest.fixture
def store(location: str) -> Store:
    """A store of each kind."""
    return opened(location)


@pytest.fixture
def broken(bucket: str, wire: Wire, monkeypatch: pytest.MonkeyPatch) -> Store:
    """An S3 store at the end of the wire; botocore tries again without its pause."""
    monkeypatch.setattr("botocore.retries.standard.ExponentialBackoff.delay_amount", lambda *_arguments: 0)
    monkeypatch.setenv("AWS_ENDPOINT_URL_S3", wire.url)
    return opened(f"s3://{bucket}/ledger")
