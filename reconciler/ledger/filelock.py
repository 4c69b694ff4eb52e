"""Leases that the kernel keeps: a locked file each, free again the moment its holder ends, however it ends."""

from __future__ import annotations

import fcntl
import json
import os
import re
from collections.abc import Callable
from contextlib import ExitStack, suppress
from dataclasses import asdict, dataclass
from pathlib import Path

from reconciler.errors import TargetLocked
from reconciler.ledger.folder import alone, make_folder, problems
from reconciler.ledger.lease import Held, Holder

_STEP = 0.5
_SUFFIX = ".lock"
_KEY = re.compile("[A-Za-z0-9_-][A-Za-z0-9._-]*")
_MOST_BYTES = 65_536


@dataclass(frozen=True, slots=True)
class _Owner:
    """What a locked file says of the process that has locked it."""

    holder: Holder
    pid: int | None


_UNKNOWN = _Owner(Holder("unknown", "unknown", "somebody", "an unknown time"), None)


class FileLease:
    """A locked file. One that nobody refers to any more stays locked as long as the process lives."""

    def __init__(self, descriptor: int) -> None:
        """Keep a file that is open, and locked by us."""
        self._descriptor: int | None = descriptor

    def lost(self) -> bool:
        """Whether it was released: until then the kernel gives it to nobody else."""
        return self._descriptor is None

    def release(self) -> None:
        """Unlock the file. It is left there: others may have it open, and all must lock the same one."""
        descriptor, self._descriptor = self._descriptor, None
        if descriptor is not None:
            with suppress(OSError):
                _close(descriptor)


class FileLeases:
    """:class:`~reconciler.ledger.lease.Leases` for the processes of one machine, in a folder.

    A key is one word. Taking a lease and looking at one are done alone: a look is never in the way of somebody
    who wants the lease, and the name that is read is that of the one who holds it.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def acquire(
        self, key: str, holder: Holder, *, timeout: float, now: Callable[[], float], sleep: Callable[[float], None]
    ) -> FileLease:
        """Take a lease; wait for it for at most ``timeout`` seconds.

        Raises:
            TargetLocked: somebody holds it; says who, and which process.
            LedgerProblem: the folder can't be read or written.
        """
        if not _KEY.fullmatch(key):
            raise ValueError(f"{key!r} is no key of a lease")
        deadline = now() + timeout
        while True:
            found = self._try(key, holder)
            if isinstance(found, FileLease):
                return found
            left = deadline - now()
            if left <= 0:
                raise _locked(holder.target, found)
            sleep(min(_STEP, left))

    def held(self) -> tuple[Held, ...]:
        """Every lease whose file is locked now.

        Raises:
            LedgerProblem: the folder can't be read.
        """
        with problems(self._folder):
            try:
                names = sorted(path.name for path in self._folder.iterdir())
            except FileNotFoundError:
                return ()
            keys = [name.removesuffix(_SUFFIX) for name in names if name.endswith(_SUFFIX)]
            with alone(self._folder):
                return tuple(held for key in keys if _KEY.fullmatch(key) and (held := self._look(key)))

    def break_(self, held: Held) -> bool:  # noqa: ARG002 - the protocol's
        """False: what the kernel keeps ends with the process that holds it."""
        return False

    def _try(self, key: str, holder: Holder) -> FileLease | _Owner:
        """The lease, or who has it."""
        with problems(self._folder):
            make_folder(self._folder)
            with alone(self._folder), ExitStack() as undo:
                descriptor = self._open(key)
                undo.callback(_close, descriptor)
                if not _lock(descriptor):
                    return _owner(descriptor)
                os.ftruncate(descriptor, 0)
                os.pwrite(descriptor, json.dumps({**asdict(holder), "pid": os.getpid()}).encode(), 0)
                undo.pop_all()
                return FileLease(descriptor)

    def _look(self, key: str) -> Held | None:
        descriptor = self._open(key)
        try:
            owner = None if _lock(descriptor) else _owner(descriptor)
        finally:
            _close(descriptor)
        if owner is None:
            return None
        return Held(key, owner.holder, tag=f"{owner.holder.run}/{owner.pid}", age=0.0, breakable=False)

    def _open(self, key: str) -> int:
        # Python opens files so that programs which we start do not inherit them: none of them keeps a lease alive.
        return os.open(self._folder / f"{key}{_SUFFIX}", os.O_RDWR | os.O_CREAT, 0o600)


def _lock(descriptor: int) -> bool:
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def _close(descriptor: int) -> None:
    """Unlock and close: a child that is being forked has the same open file, so that closing alone would not do."""
    try:
        fcntl.flock(descriptor, fcntl.LOCK_UN)
    finally:
        os.close(descriptor)


def _owner(descriptor: int) -> _Owner:
    """Who a file says has locked it; the text may be missing or cut off where its disk was full."""
    with suppress(ValueError, RecursionError):
        match json.loads(os.pread(descriptor, _MOST_BYTES, 0)):
            case {"target": str(target), "run": str(run), "who": str(who), "since": str(since), "pid": int(pid)}:
                return _Owner(Holder(target, run, who, since), pid)
    return _UNKNOWN


def _locked(target: str, owner: _Owner) -> TargetLocked:
    theirs = owner.holder
    process = "an unknown process" if owner.pid is None else f"process {owner.pid}"
    return TargetLocked(
        f"{target} is locked by another run",
        detail=f"run {theirs.run} of {theirs.who} has held {theirs.target} since {theirs.since}, in {process}",
        hint=f"wait until that run has ended; to end it, end {process} on this machine",
    )
