"""``python -m reconciler``, and the console script."""

import os
import sys

_INTERRUPTED = 130


def run() -> None:
    """Run the program; Ctrl-C ends it in the same way from its first import to its last flush."""
    try:
        from reconciler.cli.main import main

        code = main()
        for stream in (sys.stdout, sys.stderr):
            if stream is not None:
                stream.flush()
    except KeyboardInterrupt:
        code = _INTERRUPTED
    # A read that is still under way after Ctrl-C would hold the interpreter until its timeout.
    if code == _INTERRUPTED:
        os._exit(code)
    sys.exit(code)


if __name__ == "__main__":
    run()
