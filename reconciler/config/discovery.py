"""Which files are meant: paths, folders and standard input, and where the project begins."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass
from glob import glob, has_magic
from pathlib import Path

from reconciler.config.codes import problem
from reconciler.config.source import STDIN
from reconciler.errors import Diagnostic, Origin

PROJECT_FILE = "reconciler.yaml"
MISNAMED = ("reconciler.yml", "reconciler.json")
"""What people may call the project file; it is told, since a file that nobody reads would look like one that is."""
DOCUMENT_SUFFIXES = frozenset({".yaml", ".yml", ".json"})


@dataclass(frozen=True, slots=True)
class Found:
    """One file to read; ``path`` is None for standard input.

    ``asked`` is the path that led to it, ``real`` its own path with links resolved.
    """

    name: str
    path: Path | None
    asked: str
    real: Path | None = None

    @property
    def named(self) -> bool:
        """Whether the file itself was asked for, and not a folder above it."""
        return self.path is None or self.asked == self.name


def project_root(first_path: str) -> Path:
    """Where the project begins, with links resolved.

    The nearest folder above the path with the project file, else the top of the git work tree, else the
    current folder.
    """
    here = Path.cwd() if first_path == "-" else Path(first_path)
    folder = resolved(here)
    for markers in ((PROJECT_FILE, *MISNAMED), (".git",)):
        for candidate in (folder, *folder.parents):
            if any(os.path.lexists(candidate / marker) for marker in markers):
                return candidate
    return resolved(Path.cwd())


def discover(paths: Sequence[str], root: Path) -> tuple[list[Found], list[Diagnostic]]:
    """The files behind the paths, each once, in the order of the paths; and the paths that lead nowhere."""
    found: list[Found] = []
    problems: list[Diagnostic] = []
    for path in paths:
        if path == "-":
            found.append(Found(STDIN, None, path))
        elif os.path.isdir(path):  # noqa: PTH112 - is_dir() raises on a name that is too long
            hint = "documents end in .yaml, .yml or .json; hidden folders are not searched"
            nothing = problem("no-documents", Origin(path, 1, 1), path, hint=hint)
            _sort_out(_inside(Path(path)) or [nothing], path, (root, resolved(Path(path))), found, problems)
        elif os.path.lexists(path):
            found.append(Found(path, Path(path), path, resolved(Path(path))))
        elif has_magic(path):
            hint = "no document's file matches; quote a glob, so that the shell leaves it alone"
            nothing = problem("missing-path", Origin(path, 1, 1), path, hint=hint)
            _sort_out(_matching(path) or [nothing], path, (root,), found, problems)
        else:
            problems.append(problem("missing-path", Origin(path, 1, 1), path))
    return _each_once(found), problems


def _sort_out(
    inside: Sequence[Path] | Sequence[Diagnostic],
    asked: str,
    tops: Sequence[Path],
    found: list[Found],
    problems: list[Diagnostic],
) -> None:
    """Tell the files that may be read from links that lead out of what was asked for."""
    for file in inside:
        if isinstance(file, Diagnostic):
            problems.append(file)
            continue
        real = resolved(file)
        # Through a link a pull request could show the lines of any file of the machine.
        if file.is_symlink() and not any(real.is_relative_to(top) for top in tops):
            problems.append(problem("outside-project", Origin(str(file), 1, 1), "It is a link out of the project."))
        else:
            found.append(Found(str(file), file, asked, real))


def resolved(path: Path) -> Path:
    """A path with its links resolved; links that go in circles stay as they are and can't be opened."""
    return Path(os.path.realpath(path))


def _inside(folder: Path) -> list[Path]:
    """The documents' files below a folder, sorted. Links to folders are not followed: they may go in circles."""
    files: list[Path] = []
    for above, folders, names in os.walk(folder):
        folders[:] = [name for name in folders if not name.startswith(".")]
        files.extend(
            Path(above) / name
            for name in names
            if Path(name).suffix.lower() in DOCUMENT_SUFFIXES and name != PROJECT_FILE and not name.startswith(".")
        )
    return sorted(files, key=lambda file: file.relative_to(folder).parts)


def _matching(pattern: str) -> list[Path]:
    """The documents' files that a glob matches, or that are below folders that it matches; ``**`` is any depth."""
    matched = [Path(match) for match in sorted(glob(pattern, recursive=True))]  # noqa: PTH207 - it may be absolute
    return [
        file
        for path in matched
        for file in (_inside(path) if path.is_dir() else [path])
        if file.suffix.lower() in DOCUMENT_SUFFIXES and file.name != PROJECT_FILE
    ]


def _each_once(found: Sequence[Found]) -> list[Found]:
    kept: dict[Path | None, Found] = {}
    for file in found:
        kept.setdefault(file.real, file)
    return list(kept.values())
