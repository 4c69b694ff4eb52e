"""Two ways to reach the emulator: inside a botocore client, and over HTTP on loopback."""

import sys
import threading
import time
from collections.abc import Callable, Iterator
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from io import BytesIO
from socket import AF_INET, AF_INET6, SHUT_RDWR
from socketserver import TCPServer
from types import TracebackType
from typing import Any, Protocol, Self
from urllib.parse import urlsplit

from botocore.awsrequest import AWSPreparedRequest, AWSResponse
from botocore.compat import HTTPHeaders
from botocore.exceptions import ConnectionClosedError

from reconciler.emulator.answers import Response, ServiceError
from reconciler.emulator.core import Emulator
from reconciler.emulator.model import SERVICE
from reconciler.emulator.store import StateError

_BODY_LIMIT = 1_000_000
_PIECES = 20


class Events(Protocol):
    """What `attach` needs of a botocore event emitter."""

    def register(self, event_name: str, handler: Callable[..., Any]) -> None:
        """Call `handler` for the event and those below it."""


def attach(events: Events, emulator: Emulator) -> None:
    """Let a botocore client or session reach the emulator without a network.

    Args:
        events: `client.meta.events` or `session.events`; the latter before the client is made.
        emulator: What answers every amplifybackend request from now on.
    """

    def answer(request: AWSPreparedRequest, **_: Any) -> AWSResponse:
        headers = {name: _text(value) for name, value in request.headers.items()}
        response = emulator.handle(request.method, urlsplit(request.url).path, headers, _bytes(request.body))
        if response.dropped:
            raise ConnectionClosedError(request=request, endpoint_url=request.url)
        return AWSResponse(request.url, response.status, HTTPHeaders.from_dict(response.headers), _Raw(response.body))

    events.register(f"before-send.{SERVICE}", answer)


class _Raw(BytesIO):
    """A body in the form in which botocore reads one."""

    def stream(self, **_: Any) -> Iterator[bytes]:
        yield self.read()


class Server:
    """The emulator on a TCP port; a context manager that serves in the background while it is open."""

    def __init__(self, emulator: Emulator, host: str, port: int, sleep: Callable[[float], None]) -> None:
        self._server = _HttpServer(host, port, emulator, sleep)
        self._thread: threading.Thread | None = None
        name = f"[{host}]" if ":" in host else host
        self.url = f"http://{name}:{self._server.server_address[1]}"

    def serve_forever(self) -> None:
        """Serve in this thread until `shutdown`, or an exception such as KeyboardInterrupt."""
        self._server.serve_forever(poll_interval=0.05)

    def start(self) -> None:
        """Serve in a thread of its own."""
        self._thread = threading.Thread(target=self.serve_forever, name="emulator", daemon=True)
        self._thread.start()

    def shutdown(self) -> None:
        """Stop serving, from another thread than the one that serves."""
        self._server.shutdown()

    def close(self) -> None:
        """Stop serving in the background and give the port back."""
        if self._thread is not None:
            self.shutdown()
            self._thread.join()
            self._thread = None
        self._server.server_close()

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.close()


def serve(
    emulator: Emulator, host: str = "127.0.0.1", port: int = 0, *, sleep: Callable[[float], None] = time.sleep
) -> Server:
    """Return a server that listens already; `with`, `start` or `serve_forever` lets it answer.

    Args:
        emulator: What answers.
        host: Address to listen on.
        port: Port to listen on; 0 takes a free one, see the server's `url`.
        sleep: Waits between the pieces of a slow body.

    Raises:
        OSError: The address cannot be listened on.
    """
    return Server(emulator, host, port, sleep)


class _HttpServer(ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 128

    def __init__(self, host: str, port: int, emulator: Emulator, sleep: Callable[[float], None]) -> None:
        self.address_family = AF_INET6 if ":" in host else AF_INET
        self.emulator = emulator
        self.sleep = sleep
        super().__init__((host, port), _Handler)

    def server_bind(self) -> None:
        # HTTPServer's own looks the host's name up, which can take seconds.
        TCPServer.server_bind(self)

    def handle_error(self, request: Any, client_address: Any) -> None:
        # A client that goes away in the middle is its own business.
        if not isinstance(sys.exception(), ConnectionError):
            super().handle_error(request, client_address)


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    # Without it, the second answer on a kept connection waits 40 ms for an acknowledgement.
    disable_nagle_algorithm = True
    server: _HttpServer

    def _serve(self) -> None:
        length = self.headers.get("Content-Length", "0")
        if not (length.isascii() and length.isdecimal()) or "Transfer-Encoding" in self.headers:
            self._refuse(HTTPStatus.LENGTH_REQUIRED)
        elif int(length) > _BODY_LIMIT:
            self._refuse(HTTPStatus.REQUEST_ENTITY_TOO_LARGE)
        else:
            body = self.rfile.read(int(length))
            self._send(self._answer(body))

    def _answer(self, body: bytes) -> Response:
        try:
            return self.server.emulator.handle(self.command, self.path, dict(self.headers), body)
        except StateError as error:
            return ServiceError("InternalServerError", str(error), HTTPStatus.INTERNAL_SERVER_ERROR).response()

    do_GET = do_POST = do_PUT = do_DELETE = do_PATCH = do_OPTIONS = _serve  # noqa: N815 - http.server's names

    def _refuse(self, status: HTTPStatus) -> None:
        # The body stays unread, so the connection cannot be used again.
        self.close_connection = True
        self._send(ServiceError("BadRequestException", status.phrase, status).response())

    def _send(self, response: Response) -> None:
        if response.dropped:
            self.close_connection = True
            self.connection.shutdown(SHUT_RDWR)
            return
        fields = {**response.headers, "Content-Length": str(len(response.body))}
        if self.close_connection:
            fields["Connection"] = "close"
        head = [f"HTTP/1.1 {response.status} {HTTPStatus(response.status).phrase}"]
        head += [f"{name}: {value}" for name, value in fields.items()]
        start = "\r\n".join([*head, "", ""]).encode("latin-1")
        if response.trickle_seconds:
            self._trickle(start, response)
        else:
            self.wfile.write(start + response.body)

    def _trickle(self, start: bytes, response: Response) -> None:
        self.wfile.write(start)
        step = max(1, -(-len(response.body) // _PIECES))
        for begin in range(0, len(response.body), step):
            self.server.sleep(response.trickle_seconds / _PIECES)
            self.wfile.write(response.body[begin : begin + step])

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - http.server's name
        """Say nothing: what was asked is in the emulator's own log."""


def _bytes(body: Any) -> bytes:
    # botocore serialises this service's requests to bytes, or to nothing.
    return bytes(body or b"")


def _text(value: str | bytes) -> str:
    return value.decode("latin-1") if isinstance(value, bytes) else value
