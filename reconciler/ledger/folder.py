"""A ledger in a folder: one file an object, whole at every moment, for every process of one machine."""

from __future__ import annotations

import errno
import fcntl
import hashlib
import os
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from reconciler.core.store import KEY, PREFIX, Stored
from reconciler.errors import LedgerProblem


class FolderStore:
    """A :class:`~reconciler.core.store.Store` on the local file system; a key is a path below the folder.

    The folder is made by the first write; until then it reads as empty.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    @property
    def name(self) -> str:
        """The folder."""
        return str(self._folder)

    def get(self, key: str) -> Stored | None:
        """The object, or None where there is none."""
        path = self._path(key)
        with problems(self._folder):
            return _read(path)

    def list(self, prefix: str) -> tuple[str, ...]:
        """Every key that begins with ``prefix``, sorted; files that are no objects are passed over."""
        if not PREFIX.fullmatch(prefix):
            raise ValueError(f"{prefix!r} begins no key")
        top = self._folder / prefix.rpartition("/")[0]
        with problems(self._folder):
            paths = [Path(folder, name) for folder, _, names in os.walk(top, onerror=_not_empty) for name in names]
        keys = (path.relative_to(self._folder).as_posix() for path in paths)
        return tuple(sorted(key for key in keys if key.startswith(prefix) and KEY.fullmatch(key)))

    def put_if_absent(self, key: str, data: bytes) -> str | None:
        """Write a new object and return its tag; None where there is one already."""
        return self._put(key, data, None)

    def put_if_match(self, key: str, data: bytes, tag: str) -> str | None:
        """Replace the version that ``tag`` names; None where another stands there now."""
        return self._put(key, data, tag)

    def _put(self, key: str, data: bytes, expected: str | None) -> str | None:
        path = self._path(key)
        with problems(self._folder):
            make_folder(self._folder)
            with alone(self._folder):
                found = _read(path)
                if (found.tag if found else None) != expected:
                    return None
                make_folder(path.parent)
                _write(path, data)
                # Every folder on the way, and not only a new one: who made it may have died before it was synced.
                for folder in path.relative_to(self._folder).parents:
                    _sync(self._folder / folder)
        return _tag(data)

    def _path(self, key: str) -> Path:
        if not KEY.fullmatch(key):
            raise ValueError(f"{key!r} is no key")
        return self._folder / key


@contextmanager
def problems(folder: Path) -> Iterator[None]:
    """Tell what the operating system refuses as a problem of the ledger.

    Raises:
        LedgerProblem: in place of each OSError.
    """
    try:
        yield
    except OSError as problem:
        raise LedgerProblem(
            f"the ledger in {folder} can't be read or written",
            detail=f"{problem.filename or folder}: {problem.strerror or type(problem).__name__}",
            hint="look at the folder's owner and permissions, and at the space on its disk",
        ) from problem


@contextmanager
def alone(folder: Path) -> Iterator[None]:
    """Let one thread of one process at a time do something in a folder that exists; the others wait.

    The kernel opens the way again when its holder dies.
    """
    # Opened anew each time, since threads that shared one open file would share its lock.
    descriptor = os.open(folder / ".lock", os.O_RDWR | os.O_CREAT, 0o600)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield
    finally:
        # Unlocked, not only closed: a child that was forked meanwhile has the same open file.
        fcntl.flock(descriptor, fcntl.LOCK_UN)
        os.close(descriptor)


def make_folder(folder: Path) -> None:
    """Make a folder and those above it that are missing, for their owner alone, so that they survive a crash."""
    if not folder.is_dir():
        make_folder(folder.parent)
        folder.mkdir(mode=0o700, exist_ok=True)
        _sync(folder.parent)


def _read(path: str | Path) -> Stored | None:
    try:
        with open(path, "rb") as file:  # noqa: PTH123 - a fleet asks for thousands, and a Path costs more than the look
            data = file.read()
            written = os.fstat(file.fileno()).st_mtime
    except FileNotFoundError:
        return None
    return Stored(data, _tag(data), max(0.0, time.time() - written))


def _write(path: Path, data: bytes) -> None:
    descriptor, temporary = tempfile.mkstemp(prefix=".", dir=path.parent)
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        Path(temporary).replace(path)
    except BaseException:
        Path(temporary).unlink(missing_ok=True)
        raise


def _sync(folder: Path) -> None:
    """Bring a folder's names to the disk: a file's own fsync does not."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _not_empty(problem: OSError) -> None:
    """Let a folder that is not there read as empty, and nothing else."""
    if problem.errno != errno.ENOENT:
        raise problem


def _tag(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()
