"""``python -m reconciler``, and the console script."""

import gc
import os
import signal
import sys
from types import FrameType

_INTERRUPTED, _TERMINATED = 130, 143
_NEW_OBJECTS = 50_000
"""How many may come before garbage is looked for: nearly all that a start makes stays, and the look takes a tenth of
its time."""


def run() -> None:
    """Run the program; Ctrl-C ends it in the same way from its first import to its last flush."""
    gc.set_threshold(_NEW_OBJECTS)
    interrupted: list[int] = []

    def interrupt(number: int, frame: FrameType | None) -> None:
        interrupted.append(number)
        signal.default_int_handler(number, frame)

    if signal.getsignal(signal.SIGINT) is signal.default_int_handler:  # and not ignored, as in the background
        signal.signal(signal.SIGINT, interrupt)
    try:
        from reconciler.cli.main import main

        code = main()
        for stream in (sys.stdout, sys.stderr):
            if stream is not None:
                stream.flush()
    except KeyboardInterrupt:
        code = _INTERRUPTED
    except Exception:
        if not interrupted:
            raise
        code = _INTERRUPTED  # some packages take a Ctrl-C during their import for a fault of that import
    # A read that is still under way after Ctrl-C would hold the interpreter, or fail in its ruins.
    if code in {_INTERRUPTED, _TERMINATED}:
        os._exit(code)
    sys.exit(code)


if __name__ == "__main__":
    run()
