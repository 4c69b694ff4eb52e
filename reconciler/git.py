"""Which commit the documents were read at, and what they were at another, from git itself."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Iterable, Sequence
from pathlib import Path

from reconciler.core.model import Commit
from reconciler.errors import UsageProblem

_SECONDS = 10
_FILE, _LINK = "100", "120000"
"""How the modes of files and of links begin in what git lists."""
_NOTHING_FOUND, _NO_ANSWER = 1, -1
_CHOOSES = ("GIT_DIR", "GIT_WORK_TREE", "GIT_COMMON_DIR", "GIT_INDEX_FILE", "GIT_OBJECT_DIRECTORY", "GIT_PREFIX")
"""What git sets for its hooks, so that they look at the repository that runs them and at no other."""


def commit_of(files: Iterable[str], folder: Path, *, seconds: float = _SECONDS) -> Commit | None:
    """The commit of the repository in which files are; dirty where one of them differs from it, or is not in it.

    A file behind a link is looked at too, as well as the link.

    Args:
        files: the documents' files; names that are no files, such as that of standard input, are not looked at.
        folder: from where the files are named.
        seconds: how long git may take for one answer.

    Returns:
        None where no file is in a repository, where they are in several, or where one of those has no commit
        yet, or can't be asked.
    """
    named = [path for file in files if os.path.lexists(path := folder / file)]
    paths = sorted({_placed(path) for path in named} | {Path(os.path.realpath(path)) for path in named})
    above = {parent: _above(parent) for parent in {path.parent for path in paths}}
    found = {_top_and_head(top, seconds) for top in above.values() if top is not None}
    if len(found) != 1:
        return None
    (only,) = found
    if only is None:
        return None
    top, head = only
    inside = [path for path in paths if above[path.parent] is not None]
    return Commit(head, dirty=True if len(inside) < len(paths) else _differs(top, inside, seconds))


def files_at(ref: str, folder: Path, suffixes: frozenset[str], into: Path, *, seconds: float = _SECONDS) -> Path:
    """Write the files of a folder, as they were at a commit, below another folder, at the same places.

    Args:
        ref: what git calls the commit: a branch, a tag, an id.
        folder: the folder, in a work tree.
        suffixes: which files are wanted, by how their names end, in lower case; links are written whatever their name,
            and one that names a place of the work tree by its whole path leads to the same place below ``into``.
        into: an empty folder that stands for the top of the work tree.
        seconds: how long git may take for one answer.

    Returns:
        The top of the work tree.

    Raises:
        UsageProblem: there is no repository, or no such commit in it, or git can't be asked.
    """
    folder = Path(os.path.realpath(folder))
    top = next((above for above in (folder, *folder.parents) if os.path.lexists(above / ".git")), None)
    if top is None:
        raise UsageProblem(f"--base {ref} needs a git repository", detail=f"{folder} is in none")
    commit = _commit(ref, top, seconds)
    if not commit:
        if _git(top, seconds, "rev-parse", "--git-dir") is None:
            hint = "is git installed, and is the folder yours? 'git status' there tells"
            raise UsageProblem(f"--base {ref} can't be read: git does not answer", detail=f"in {top}", hint=hint)
        hint = "fetch it first: a checkout in CI often has one commit alone"
        raise UsageProblem(f"--base: git knows no commit {ref}", detail=f"in {top}", hint=hint)
    inside = folder.relative_to(top).as_posix()
    listed = _git(
        top, seconds, "ls-tree", "-r", "-z", "--full-tree", commit, "--", *([] if inside == "." else [inside])
    )
    entries = [entry.partition("\t") for entry in (listed or "").split("\0") if entry]
    wanted = [
        (name, *told.split()[::2])
        for told, _, name in entries
        if told.startswith(_LINK) or (told.startswith(_FILE) and Path(name).suffix.lower() in suffixes)
    ]
    contents = _blobs(top, [blob for _, _, blob in wanted], seconds)
    if listed is None or contents is None:
        raise UsageProblem(f"--base: git can't show the files of {ref}", detail=f"in {top}")
    for (name, mode, _), content in zip(wanted, contents, strict=True):
        place = into / name
        place.parent.mkdir(parents=True, exist_ok=True)
        if mode == _LINK:
            place.symlink_to(_as_then(os.fsdecode(content), top, into))
        else:
            place.write_bytes(content)
    return top


def mentioning(ref: str, top: Path, texts: Sequence[str], *, seconds: float = _SECONDS) -> tuple[str, ...] | None:
    """The files of a commit that have all of these texts in them, named from the top; None where git can't tell.

    Args:
        ref: what git calls the commit.
        top: the top of the work tree.
        texts: what is looked for, literally.
        seconds: how long git may take.
    """
    commit = _commit(ref, top, seconds)
    patterns = [argument for text in texts for argument in ("-e", text)]
    command = (
        "grep",
        "--no-color",
        "--files-with-matches",
        "-z",
        "--full-name",
        "--fixed-strings",
        "--all-match",
        *patterns,
    )
    answer = _ask(top, seconds, *command, commit or ref, "--")
    if answer.returncode not in {0, _NOTHING_FOUND}:
        return None
    return tuple(name.partition(":")[2] for name in os.fsdecode(answer.stdout).split("\0") if name)


def _commit(ref: str, top: Path, seconds: float) -> str | None:
    """A commit's id; None or empty where git knows none by that name."""
    return _git(top, seconds, "rev-parse", "--verify", "--quiet", "--end-of-options", f"{ref}^{{commit}}")


def _as_then(target: str, top: Path, into: Path) -> str:
    """Where a link leads that stood in the work tree; a whole path elsewhere leads nowhere, since that is of today."""
    path = Path(os.path.normpath(target))
    if not path.is_absolute():
        return target
    return str(into / path.relative_to(top)) if path.is_relative_to(top) else str(into / ".git" / "elsewhere")


def _blobs(top: Path, ids: Sequence[str], seconds: float) -> list[bytes] | None:
    """What is in each of these; None where git can't tell, or not in time."""
    answer = _run(top, seconds, "cat-file", "--batch", given="".join(f"{blob}\n" for blob in ids).encode())
    contents: list[bytes] = []
    for blob in ids if answer is not None else ():
        head, _, answer = (answer or b"").partition(b"\n")
        told = head.decode("ascii", "replace").split()
        if told[:2] != [blob, "blob"]:
            return None
        size = int(told[2])
        contents.append(answer[:size])
        answer = answer[size + 1 :]
    return None if answer is None else contents


def _placed(path: Path) -> Path:
    """Where a file is, or the link that bears its name: links on the way to it are resolved."""
    return Path(os.path.realpath(path.parent)) / path.name


def _above(folder: Path) -> Path | None:
    """The nearest folder, this one or above it, that looks like the top of a work tree or of a submodule."""
    return next((top for top in (folder, *folder.parents) if os.path.lexists(top / ".git")), None)


def _top_and_head(folder: Path, seconds: float) -> tuple[Path, str] | None:
    """The top of the work tree around a folder, and the commit there; None where git can't tell both."""
    told = _git(folder, seconds, "rev-parse", "--show-toplevel", "HEAD^{commit}")
    if told is None:
        return None
    top, _, head = told.rpartition("\n")
    return Path(top), head


def _differs(top: Path, paths: Sequence[Path], seconds: float) -> bool | None:
    """Whether a file differs from the commit; None where git can't tell, or not in time."""
    # Untracked files are asked for by name: people's git may be told not to show them.
    shown = ["--porcelain", "--ignored", "--untracked-files=normal"]
    changed = _git(top, seconds, "status", *shown, "--", *(str(path) for path in paths))
    return None if changed is None else bool(changed)


def _git(folder: Path, seconds: float, *arguments: str) -> str | None:
    """What git answers; None where it can't."""
    answer = _run(folder, seconds, *arguments)
    return None if answer is None else os.fsdecode(answer).strip()


def _run(folder: Path, seconds: float, *arguments: str, given: bytes = b"") -> bytes | None:
    """What git writes when it is given something; None where it can't."""
    answer = _ask(folder, seconds, *arguments, given=given)
    return answer.stdout if answer.returncode == 0 else None


def _ask(folder: Path, seconds: float, *arguments: str, given: bytes = b"") -> subprocess.CompletedProcess[bytes]:
    """Git's answer; one with an odd code where there is no git, or where it takes too long."""
    # Without optional locks looking at the status never stands in the way of somebody's own git.
    program = shutil.which("git")
    if program is None:
        return subprocess.CompletedProcess([], _NO_ANSWER, b"")
    command = [program, "--no-optional-locks", "--literal-pathspecs", *arguments]
    environment = {name: value for name, value in os.environ.items() if name not in _CHOOSES}
    try:
        return subprocess.run(
            command,
            cwd=folder,
            env=environment,
            input=given,
            capture_output=True,
            timeout=seconds,
            check=False,
        )
    except (OSError, subprocess.TimeoutExpired):
        return subprocess.CompletedProcess([], _NO_ANSWER, b"")
