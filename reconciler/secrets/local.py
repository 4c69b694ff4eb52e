"""Values on this machine: variables of the environment, and files."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from reconciler.core.references import OPEN_PREFIX, Reference
from reconciler.errors import Origin
from reconciler.secrets.problems import unresolved

LARGEST = 1_000_000
"""Bytes that a file may have that a reference points to."""


@dataclass(frozen=True, slots=True)
class Local:
    """Knows the environment, where the project ends, and the folder from which the documents are named.

    ``env_names`` are variables that any field may refer to because the project file lists them.
    """

    environ: Mapping[str, str] = field(repr=False)
    project_root: Path
    folder: Path
    env_names: frozenset[str] = frozenset()

    def is_open(self, variable: str) -> bool:
        """Whether any field may refer to a variable, so that a plan may show it."""
        return variable.startswith(OPEN_PREFIX) or variable in self.env_names

    def path(self, reference: Reference, origin: Origin) -> Path:
        """The file that a reference names: relative to the document's own, wherever this program was started."""
        return (self.folder / origin.file).parent / reference.name

    def is_public(self, reference: Reference, origin: Origin) -> bool:
        """Whether a file is the project's and not hidden: .git and .env hold what nobody may print."""
        root, real = _real(self.project_root), _real(self.path(reference, origin))
        return real.is_relative_to(root) and not any(part.startswith(".") for part in real.relative_to(root).parts)

    def text(self, reference: Reference, origin: Origin) -> str:
        """What a variable or a file holds; a file loses one line end.

        Raises:
            Unresolved: there is nothing, or nothing that can be read.
        """
        return self._variable(reference, origin) if reference.scheme == "env" else self._file(reference, origin)

    def _variable(self, reference: Reference, origin: Origin) -> str:
        value = self.environ.get(reference.name)
        # As in a shell, ':-' stands in for an empty variable too.
        if reference.default is not None and not value:
            return reference.default
        if value is None:
            raise unresolved("unset-reference", reference, origin, f"set {reference.name}")
        return value

    def _file(self, reference: Reference, origin: Origin) -> str:
        try:
            with self.path(reference, origin).open("rb") as file:
                data = file.read(LARGEST + 1)
            text = data.decode("utf-8")
        except FileNotFoundError:
            hint = "the path is relative to the document's file"
            raise unresolved("unset-reference", reference, origin, hint) from None
        except OSError as error:
            raise unresolved("unreadable-reference", reference, origin, error.strerror or "") from None
        except UnicodeDecodeError:
            # Without "from None" a traceback could show the bytes.
            raise unresolved("unreadable-reference", reference, origin, "it must be text in UTF-8") from None
        if len(data) > LARGEST:
            raise unresolved("unreadable-reference", reference, origin, "it is larger than 1 MB")
        return text.removesuffix("\n").removesuffix("\r")


def _real(path: Path) -> Path:
    """A path with its links resolved; links that go in circles stay as they are and can't be opened."""
    return Path(os.path.realpath(path))
