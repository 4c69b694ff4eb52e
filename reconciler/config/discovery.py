"""Which files are meant: paths, folders and standard input, and where the project begins."""

from __future__ import annotations

import itertools
import os
from collections.abc import Sequence
from dataclasses import dataclass
from glob import has_magic
from pathlib import Path

from reconciler.config.codes import problem
from reconciler.config.source import STDIN
from reconciler.errors import Diagnostic, Origin

PROJECT_FILE = "reconciler.yaml"
MISNAMED = ("reconciler.yml", "reconciler.json")
"""What people may call the project file; it is told, since a file that nobody reads would look like one that is."""
PROJECT_FILES = frozenset({PROJECT_FILE, *MISNAMED})
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
    folder = resolved(Path.cwd() if first_path == "-" else _first(first_path))
    for markers in ((PROJECT_FILE, *MISNAMED), (".git",)):
        for candidate in (folder, *folder.parents):
            if any(os.path.lexists(candidate / marker) for marker in markers):
                return candidate
    return resolved(Path.cwd())


def _first(path: str) -> Path:
    """A path itself; of a glob what it matches first, so that quotes don't make another project of it."""
    if os.path.lexists(path) or not has_magic(path):
        return Path(path)
    top = literal(path)
    inside = resolved(top)  # a link that leads elsewhere must not choose the project
    return next((match for match in _matching(path) if resolved(match).is_relative_to(inside)), top)


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
            _sort_out(_matching(path) or [nothing], path, (root, resolved(literal(path))), found, problems)
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
        if not any(real.is_relative_to(top) for top in tops):
            problems.append(problem("outside-project", Origin(str(file), 1, 1), "It is a link out of the project."))
        else:
            found.append(Found(str(file), file, asked, real))


def of_another_project(found: Sequence[Found], root: Path) -> list[Diagnostic]:
    """The files between which and the run's project there is one of their own, whose words nobody would read."""
    homes: dict[Path, Path] = {}
    problems = []
    for file in found:
        if file.path is None or file.real is None:
            continue
        home = _home(file.real.parent, root, homes)
        if home != root and (name := _project_file(home)):
            detail = f"Its project file is {os.path.relpath(home / name)}, and this run's project is {root}."
            hint = "run it for each project of its own"
            problems.append(problem("another-project", Origin(file.name, 1, 1), detail, hint=hint))
    return problems


def _home(folder: Path, root: Path, known: dict[Path, Path]) -> Path:
    """The nearest folder above with a project file, up to the run's project; else that, or the topmost."""
    if folder not in known:
        ends = folder in {root, folder.parent} or _project_file(folder) is not None
        known[folder] = folder if ends else _home(folder.parent, root, known)
    return known[folder]


def _project_file(folder: Path) -> str | None:
    """The name of a folder's project file, whatever people called it; None where there is none."""
    return next((name for name in (PROJECT_FILE, *MISNAMED) if os.path.lexists(folder / name)), None)


def project_file_above(root: Path) -> Path | None:
    """The nearest project file above a project, up to the top of its git work tree; None where there is none."""
    for folder in (root, *root.parents):
        if folder != root and (name := _project_file(folder)):
            return folder / name
        if os.path.lexists(folder / ".git"):
            break
    return None


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
            if Path(name).suffix.lower() in DOCUMENT_SUFFIXES and name not in PROJECT_FILES and not name.startswith(".")
        )
    return sorted(files, key=lambda file: file.relative_to(folder).parts)


def _matching(pattern: str) -> list[Path]:
    """The documents' files that a glob matches, or that are below folders that it matches, sorted.

    ``**`` is any depth, and like all below folders it follows no links. Nothing matches what is hidden.
    """
    top = literal(pattern)
    rest = str(Path(pattern).relative_to(top))
    try:
        matched = sorted(top.glob(rest), key=lambda path: path.relative_to(top).parts)
    except (ValueError, NotImplementedError):  # of '**' beside other characters, for example
        return []
    return [
        file
        for path in matched
        if not any(part.startswith(".") for part in path.relative_to(top).parts)
        for file in (_inside(path) if path.is_dir() else [path])
        if file.suffix.lower() in DOCUMENT_SUFFIXES and file.name not in PROJECT_FILES
    ]


def literal(pattern: str) -> Path:
    """The folder of a glob's first part that has magic in it."""
    parts = Path(pattern).parts
    return Path(*itertools.takewhile(lambda part: not has_magic(part), parts))


def _each_once(found: Sequence[Found]) -> list[Found]:
    kept: dict[Path | None, Found] = {}
    for file in found:
        kept.setdefault(file.real, file)
    return list(kept.values())
