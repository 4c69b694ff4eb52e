"""Which files are meant: paths, folders and standard input, and where the project begins."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from reconciler.config.codes import problem
from reconciler.config.source import STDIN
from reconciler.errors import Diagnostic, Origin

PROJECT_FILE = "reconciler.yaml"
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

    The nearest folder above the path with ``reconciler.yaml``, else the top of the git work tree, else the
    current folder.
    """
    here = Path.cwd() if first_path == "-" else Path(first_path)
    folder = resolved(here)
    for marker in (PROJECT_FILE, ".git"):
        for candidate in (folder, *folder.parents):
            if os.path.lexists(candidate / marker):
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
            inside = _inside(Path(path))
            if not inside:
                hint = "documents end in .yaml, .yml or .json; hidden folders are not searched"
                problems.append(problem("no-documents", Origin(path, 1, 1), path, hint=hint))
            for file in inside:
                real = resolved(file)
                # Through a link a pull request could show the lines of any file of the machine.
                if file.is_symlink() and not any(real.is_relative_to(top) for top in (root, resolved(Path(path)))):
                    origin = Origin(str(file), 1, 1)
                    problems.append(problem("outside-project", origin, "It is a link out of the project."))
                else:
                    found.append(Found(str(file), file, path, real))
        elif os.path.lexists(path):
            found.append(Found(path, Path(path), path, resolved(Path(path))))
        else:
            problems.append(problem("missing-path", Origin(path, 1, 1), path))
    return _each_once(found), problems


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


def _each_once(found: Sequence[Found]) -> list[Found]:
    kept: dict[Path | None, Found] = {}
    for file in found:
        kept.setdefault(file.real, file)
    return list(kept.values())
