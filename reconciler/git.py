"""Which commit the documents were read at, from git itself."""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Iterable
from pathlib import Path

from reconciler.core.model import Commit

_SECONDS = 10


def commit_of(files: Iterable[str], folder: Path) -> Commit | None:
    """The commit of the work tree around a folder; dirty where one of the files differs from it, or is not in it.

    Args:
        files: the documents' files; names that are no files, such as that of standard input, are not looked at.
        folder: from where the files are named.

    Returns:
        None where there is no work tree, no commit yet, or no git.
    """
    head = _git(folder, "rev-parse", "--verify", "--quiet", "HEAD^{commit}")
    if not head:
        return None
    named = sorted({file for file in files if (folder / file).exists()})
    # Untracked files are asked for by name: people's git may be told not to show them.
    shown = ["--porcelain", "--ignored", "--untracked-files=normal"]
    changed = _git(folder, "status", *shown, "--", *named) if named else ""
    return Commit(head, dirty=changed is None or bool(changed))


def _git(folder: Path, *arguments: str) -> str | None:
    """What git answers; None where it can't."""
    # Without optional locks looking at the status never stands in the way of somebody's own git.
    program = shutil.which("git")
    if program is None:
        return None
    command = [program, "--no-optional-locks", "--literal-pathspecs", *arguments]
    try:
        answer = subprocess.run(
            command, cwd=folder, stdin=subprocess.DEVNULL, capture_output=True, timeout=_SECONDS, check=False
        )
    except (OSError, subprocess.TimeoutExpired):
        return None
    return answer.stdout.decode("utf-8", "replace").strip() if answer.returncode == 0 else None
