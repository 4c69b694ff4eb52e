"""``python -m reconciler``, and the console script."""

import gc
import os
import sys

_INTERRUPTED, _TERMINATED = 130, 143
_NEW_OBJECTS = 100_000
"""How many may come before garbage is looked for: a start makes about as many, and nearly all of them stay."""


def run() -> None:
    """Run the program; Ctrl-C ends it in the same way from its first import to its last flush."""
    gc.set_threshold(_NEW_OBJECTS)
    interrupted: list[int] = []

    def interrupt(number: int, _frame: object) -> None:
        interrupted.append(number)
        raise KeyboardInterrupt

    try:
        import signal

        if signal.getsignal(signal.SIGINT) is signal.default_int_handler:  # and not ignored, as in the background
            signal.signal(signal.SIGINT, interrupt)
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
    gc.freeze()  # the interpreter would look through all of it for garbage as it ends: a tenth of a short run
    sys.exit(code)


if __name__ == "__main__":
    run()
