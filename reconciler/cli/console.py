"""The terminal: the result on standard output and nothing else, all other words on standard error, prompts."""

from __future__ import annotations

import contextlib
import os
import sys
from pathlib import Path
from typing import TextIO

from reconciler.errors import GuardRefused, OutputProblem, ReconcilerError, UsageProblem


def colourful(*, no_color: bool) -> bool:
    """Whether standard output is a terminal that wants colour."""
    return not no_color and not os.environ.get("NO_COLOR") and sys.stdout.isatty() and os.environ.get("TERM") != "dumb"


def write_result(text: str) -> None:
    """The result, to standard output; characters that its encoding lacks are escaped.

    Raises:
        OutputProblem: it can't be written, for example because the disk is full.
    """
    try:
        _write(sys.stdout, text)
    except BrokenPipeError:
        raise
    except OSError as problem:
        abandon_result()
        raise OutputProblem(f"standard output can't be written: {problem.strerror}") from None


def abandon_result() -> None:
    """Give standard output up: what is still buffered would be written, and fail, once more at the end."""
    _abandon(sys.stdout)


def abandon_errors() -> None:
    """Give standard error up, for the same reason: the interpreter would end with a code of its own."""
    if sys.stderr is not None:
        _abandon(sys.stderr)


def _abandon(stream: TextIO) -> None:
    os.dup2(os.open(os.devnull, os.O_WRONLY), stream.fileno())


def write_error(text: str) -> None:
    """Something that is not the result, to standard error; where that is closed nobody listens.

    That is no reason to stop: an update that was sent is followed to its end, and the exit code tells.
    """
    if sys.stderr is not None:
        try:
            _write(sys.stderr, text)
        except OSError:
            _abandon(sys.stderr)


def _write(stream: TextIO, text: str) -> None:
    encoding = stream.encoding or "utf-8"
    stream.write(text.encode(encoding, "backslashreplace").decode(encoding))
    stream.flush()


def show_error(problem: ReconcilerError) -> None:
    """An error with its detail and what to do."""
    show_problem(problem, "Error")


def show_problem(problem: ReconcilerError, word: str) -> None:
    """The same for what may be a warning only; ``word`` says which."""
    write_error(f"{word}: {problem.summary}\n")
    if problem.detail:
        write_error(f"  {problem.detail}\n")
    if problem.hint:
        write_error(f"  {problem.hint}\n")


def confirm(question: str, *, otherwise: str) -> None:
    """Ask for ``yes`` on the terminal.

    Args:
        question: what to ask.
        otherwise: what to do where there is no terminal.

    Raises:
        GuardRefused: there is no terminal to ask on, or the answer is not ``yes``.
    """
    if sys.stdin is None or not sys.stdin.isatty():
        raise GuardRefused(
            "There is no terminal to confirm on, and nothing was sent",
            hint=otherwise,
        )
    write_error(f"\n{question}\n  Only 'yes' will be accepted to approve.\n\n  Enter a value: ")
    if sys.stdin.readline().strip() != "yes":
        raise GuardRefused("Not confirmed, and nothing was sent")


def check_file(path: str) -> None:
    """Refuse a file that could not be written, before anything is done of which it would tell.

    Raises:
        UsageProblem: it is a folder, or its folder is not there or can't be written.
    """
    target = Path(path).resolve()
    if target.is_dir():
        raise UsageProblem(f"{path} is a folder", hint="name a file")
    if not target.parent.is_dir() or not os.access(target if target.exists() else target.parent, os.W_OK):
        raise UsageProblem(f"{path} can't be written", hint="make its folder, or name another file")


def write_file(path: str, text: str) -> None:
    """Write a file whole or not at all, readable by its owner only; a link is followed, a device written to.

    Raises:
        OutputProblem: it can't be written.
    """
    import tempfile

    target = Path(path).resolve()
    try:
        if target.exists() and not target.is_file():
            with target.open("w", encoding="utf-8", errors="backslashreplace") as device:
                device.write(text)
            return
        handle, temporary = tempfile.mkstemp(dir=target.parent, prefix=f".{target.name}.")
        try:
            with os.fdopen(handle, "w", encoding="utf-8", errors="backslashreplace") as file:
                file.write(text)
                file.flush()
                os.fsync(file.fileno())
            Path(temporary).replace(target)
        except OSError:
            with contextlib.suppress(FileNotFoundError):
                Path(temporary).unlink()
            raise
    except OSError as problem:
        raise OutputProblem(f"{path} can't be written: {problem.strerror}") from None
