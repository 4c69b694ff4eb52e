"""Where a run is: its project, what the project file says, and the folder of what is kept."""

from __future__ import annotations

import os
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

from reconciler.errors import Diagnostic, InputProblem, UsageProblem

if TYPE_CHECKING:
    from reconciler.config.project import Project

STATE_FOLDER = ".reconciler"


class Place:
    """A project, found upward from a path, and the folder of what is kept beside it."""

    def __init__(self, first_path: str, state_dir: str | None) -> None:
        """Remember where to look.

        Args:
            first_path: the path above which the project is.
            state_dir: the folder that stands in for :data:`STATE_FOLDER`.
        """
        self._first_path = first_path
        self._state_dir = state_dir

    @cached_property
    def root(self) -> Path:
        """Beside the nearest ``reconciler.yaml``, else the top of the work tree, else the current folder."""
        from reconciler.config.discovery import project_root

        return project_root(self._first_path)

    @property
    def from_here(self) -> str:
        """The project's root, relative to the current folder."""
        return os.path.relpath(self.root)

    @property
    def here(self) -> str:
        """The current folder, relative to the project's root."""
        return os.path.relpath(Path.cwd(), self.root)

    @property
    def is_elsewhere(self) -> bool:
        """Whether a command that names no path would find another project in the current folder."""
        from reconciler.config.discovery import project_root

        return project_root(".") != self.root

    @property
    def project(self) -> Project:
        """What the project file says.

        Raises:
            InputProblem: it has errors.
        """
        project, problems = self.read
        if problems:
            raise InputProblem(problems)
        return project

    @cached_property
    def read(self) -> tuple[Project, tuple[Diagnostic, ...]]:
        """What the project file says, and every problem of it; with one it says nothing."""
        from reconciler.config.project import Project, read_project

        try:
            return read_project(self.root), ()
        except InputProblem as problem:
            return Project(), problem.diagnostics

    @property
    def state_path(self) -> Path:
        """Where the folder of what we keep is, or would be."""
        return Path(self._state_dir) if self._state_dir else self.root / STATE_FOLDER

    def state_folder(self) -> Path:
        """The folder of what we keep; made, and ignored by git, when it is not there.

        Raises:
            UsageProblem: it can't be written.
        """
        folder = self.state_path
        try:
            folder.mkdir(parents=True, exist_ok=True, mode=0o700)
            ignore = folder / ".gitignore"
            # In a folder that is somebody's it would hide what is theirs.
            if not ignore.exists() and (self._state_dir is None or not any(folder.iterdir())):
                with os.fdopen(os.open(ignore, os.O_WRONLY | os.O_CREAT, 0o600), "w", encoding="utf-8") as file:
                    file.write("*\n")
        except OSError as problem:
            raise UsageProblem(
                f"{folder} can't be written: {problem.strerror}", hint="name another folder with --state-dir"
            ) from None
        return folder
