"""Sessions: credentials and regions as the AWS CLI finds them, and the caller's account from STS."""

from __future__ import annotations

import os
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from reconciler.aws.session import Sessions, Transport
from reconciler.core.model import Access
from reconciler.errors import AccessProblem

IDENTITY = b"""<GetCallerIdentityResponse xmlns="https://sts.amazonaws.com/doc/2011-06-15/"><GetCallerIdentityResult>
<Arn>arn:aws:iam::123456789012:user/ci</Arn><UserId>AIDA</UserId><Account>123456789012</Account>
</GetCallerIdentityResult><ResponseMetadata><RequestId>1</RequestId></ResponseMetadata></GetCallerIdentityResponse>"""


@pytest.fixture(autouse=True)
def _nothing_configured(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    for name in [name for name in os.environ if name.startswith("AWS_")]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    monkeypatch.setenv("AWS_CONFIG_FILE", str(tmp_path / "config"))
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", str(tmp_path / "credentials"))
    (tmp_path / "config").write_text(
        "[default]\nregion = eu-west-1\n[profile shop]\nregion = us-west-2\n[profile bare]\n"
    )


@contextmanager
def answering(body: bytes) -> Iterator[tuple[str, list[str]]]:
    """Something that answers everything alike: its URL, and the paths that it was asked for."""
    asked: list[str] = []

    class Handler(BaseHTTPRequestHandler):
        """Answers every request alike."""

        def do_POST(self) -> None:
            asked.append(self.path)
            self.rfile.read(int(self.headers["Content-Length"]))
            self.send_response(200)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_arguments: object) -> None:
            """Stay quiet."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_address[1]}", asked
        server.shutdown()


@pytest.fixture
def sts() -> Iterator[tuple[str, list[str]]]:
    """An STS that tells who calls; the backend's emulator has none."""
    with answering(IDENTITY) as answers:
        yield answers


def test_a_profile_has_its_region() -> None:
    sessions = Sessions(Transport())
    assert sessions.region_of(None) == "eu-west-1"
    assert sessions.region_of("shop") == "us-west-2"
    assert sessions.region_of("bare") is None


def test_a_profile_that_is_not_there_is_an_access_problem() -> None:
    with pytest.raises(AccessProblem, match="does not exist"):
        Sessions(Transport()).region_of("nobody")


def test_the_account_is_asked_for_once(sts: tuple[str, list[str]], monkeypatch: pytest.MonkeyPatch) -> None:
    url, asked = sts
    monkeypatch.setenv("AWS_ENDPOINT_URL_STS", url)
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "AKIAEXAMPLE")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "secret")
    sessions = Sessions(Transport())
    assert sessions.account(Access(), "us-east-1") == "123456789012"
    assert sessions.account(Access(), "us-east-1") == "123456789012"
    assert len(asked) == 1


def test_an_account_that_cant_be_had_is_unknown() -> None:
    assert Sessions(Transport()).account(Access(), "us-east-1") is None


@pytest.mark.parametrize(
    "body",
    [b"", b"<html><body>Welcome to our hotel<br></body></html>", b"\x00\xff", b"{}", IDENTITY[:200], b"<a/>"],
    ids=["nothing", "a captive portal", "no text", "JSON", "cut off", "other XML"],
)
def test_an_answer_that_is_none_of_sts_leaves_the_account_unknown(body: bytes, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "AKIAEXAMPLE")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "secret")
    with answering(body) as (url, asked):
        monkeypatch.setenv("AWS_ENDPOINT_URL_STS", url)
        sessions = Sessions(Transport())
        assert sessions.account(Access(), "us-east-1") is None
        assert sessions.caller(Access(), "us-east-1") is None
    assert asked == ["/"]


def test_a_region_or_endpoint_that_is_none_is_an_error_of_ours() -> None:
    with pytest.raises(Exception, match="the client failed"):
        Sessions(Transport()).reader(Access(), "us-east-1", "not a url")
