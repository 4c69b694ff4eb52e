"""What only the HTTP transport does: connections, lengths, slow bodies."""

from __future__ import annotations

import socket
import struct
import threading
from http.client import HTTPConnection
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

import pytest

from reconciler.emulator import serve

if TYPE_CHECKING:
    from collections.abc import Iterator

    from reconciler.emulator import Server
    from tests.emulator.conftest import Backend

HEADERS = {"Authorization": "AWS4-HMAC-SHA256 Credential=A/20240101/us-east-1/amplifybackend/aws4_request, Signature=x"}
PATH = "/backend/d2k7example/auth/staging/details"
BODY = b'{"resourceName": "shopauth"}'


@pytest.fixture
def slept() -> list[float]:
    """What the server would have slept."""
    return []


@pytest.fixture
def server(backend: Backend, slept: list[float]) -> Iterator[Server]:
    with serve(backend.emulator, sleep=slept.append) as server:
        yield server


@pytest.fixture
def connection(server: Server) -> Iterator[HTTPConnection]:
    address = urlsplit(server.url)
    assert address.hostname is not None
    connection = HTTPConnection(address.hostname, address.port, timeout=60)
    yield connection
    connection.close()


def test_a_connection_serves_one_request_after_another(connection: HTTPConnection) -> None:
    sockets = set()
    for _ in range(3):
        connection.request("POST", PATH, BODY, HEADERS)
        response = connection.getresponse()
        body = response.read()
        assert (response.status, response.version) == (200, 11)
        assert int(response.headers["Content-Length"]) == len(body)
        sockets.add(id(connection.sock))
    assert len(sockets) == 1


def test_a_query_is_ignored(connection: HTTPConnection) -> None:
    connection.request("POST", f"{PATH}?a=b", BODY, HEADERS)
    assert connection.getresponse().status == 200


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({"Content-Length": "2000000"}, 413),
        ({"Content-Length": "some"}, 411),
        ({"Content-Length": "-1"}, 411),
        ({"Transfer-Encoding": "chunked"}, 411),
    ],
)
def test_a_body_without_a_usable_length_is_refused_and_the_connection_closed(
    connection: HTTPConnection, headers: dict[str, str], status: int
) -> None:
    connection.putrequest("POST", PATH)
    for name, value in {**HEADERS, **headers}.items():
        connection.putheader(name, value)
    connection.endheaders()
    response = connection.getresponse()
    assert response.status == status
    assert response.headers["Connection"] == "close"


def test_a_slow_body_trickles_but_arrives_whole(
    backend: Backend, connection: HTTPConnection, slept: list[float]
) -> None:
    backend.fault("slow,seconds=40")
    connection.request("POST", PATH, BODY, HEADERS)
    response = connection.getresponse()
    assert len(response.read()) == int(response.headers["Content-Length"])
    assert len(slept) > 10
    assert sum(slept) == pytest.approx(40)


@pytest.mark.parametrize("hangs_up", [True, False])
def test_only_a_client_that_hangs_up_goes_unmentioned(
    backend: Backend, capsys: pytest.CaptureFixture[str], hangs_up: bool
) -> None:
    threads: list[threading.Thread] = []
    interrupted = threading.Event()

    def interrupt(_: float) -> None:
        threads.append(threading.current_thread())
        raw.close()
        interrupted.set()
        if not hangs_up:
            raise RuntimeError("broken clock")

    backend.fault("slow,seconds=1")
    with serve(backend.emulator, sleep=interrupt) as server:
        address = urlsplit(server.url)
        raw = socket.create_connection((address.hostname, address.port), timeout=60)
        # Closing now resets the connection, so that the server's next write fails.
        raw.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        head = "".join(f"{name}: {value}\r\n" for name, value in HEADERS.items())
        raw.sendall(f"POST {PATH} HTTP/1.1\r\nContent-Length: {len(BODY)}\r\n{head}\r\n".encode() + BODY)
        assert interrupted.wait(60)
        threads[0].join(60)
    assert ("broken clock" in capsys.readouterr().err) is not hangs_up


def test_a_state_that_breaks_is_a_server_error(backend: Backend, connection: HTTPConnection) -> None:
    backend.emulator.close()
    for path in backend.emulator.state.parent.iterdir():
        path.write_bytes(b"broken " * 1000)
    connection.request("POST", PATH, BODY, HEADERS)
    response = connection.getresponse()
    assert (response.status, response.headers["x-amzn-ErrorType"]) == (500, "InternalServerError")


def test_a_server_can_be_stopped_from_another_thread(backend: Backend) -> None:
    server = serve(backend.emulator)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    server.shutdown()
    thread.join(60)
    assert not thread.is_alive()
    server.close()


def test_a_port_in_use_is_an_error_and_ipv6_has_brackets(backend: Backend, server: Server) -> None:
    port = urlsplit(server.url).port
    assert port is not None
    with pytest.raises(OSError, match="in use"):
        serve(backend.emulator, port=port)
    try:
        other = serve(backend.emulator, "::1")
    except OSError:
        pytest.skip("no IPv6 here")
    assert other.url.startswith("http://[::1]:")
    other.close()
