"""Hands bytes on to a service, and its answers back some time later: ``python -m benchmarks.relay URL SECONDS``.

The emulator's own fault `slow` lets a body trickle in, which costs its reader CPU; a service that is far away
answers late and at once. The relay looks at no byte, so it is never what the others wait for: a request costs it
about a tenth of a millisecond.
"""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Callable
from functools import partial
from urllib.parse import urlsplit

_MOST = 1 << 16


async def relay(url: str, seconds: float) -> None:
    """Print the address that is listened on, and serve until the process ends."""
    parts = urlsplit(url)
    loop = asyncio.get_running_loop()

    async def connected(caller: asyncio.StreamReader, to_caller: asyncio.StreamWriter) -> None:
        service, to_service = await asyncio.open_connection(parts.hostname, parts.port)

        def late(action: Callable[[], None]) -> None:
            loop.call_later(seconds, action)

        await asyncio.gather(_pumped(caller, to_service, lambda act: act()), _pumped(service, to_caller, late))

    server = await asyncio.start_server(connected, "127.0.0.1", 0)
    sys.stdout.write(f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}\n")
    sys.stdout.flush()
    await server.serve_forever()


async def _pumped(
    source: asyncio.StreamReader, sink: asyncio.StreamWriter, when: Callable[[Callable[[], None]], None]
) -> None:
    while data := await _read(source):
        when(partial(sink.write, data))
    when(sink.close)


async def _read(source: asyncio.StreamReader) -> bytes:
    try:
        return await source.read(_MOST)
    except ConnectionError:
        return b""  # whoever hangs up hangs up


if __name__ == "__main__":
    asyncio.run(relay(sys.argv[1], float(sys.argv[2])))
