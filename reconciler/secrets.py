"""Resolve references: what a document points to becomes a secret or a plain value, just before it is needed.

A pull request must not be able to print the runner's environment or files into its own comment. So outside
secret fields only variables that were meant for it, and files of the project, can be referred to.
"""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path as FilePath
from types import MappingProxyType

from reconciler.core.fields import FIELD, Kind
from reconciler.core.model import Desired, Path, Scalar, Setting, dotted
from reconciler.core.references import Reference, Template
from reconciler.core.secret import Secret, looks_masked
from reconciler.errors import Diagnostic, Origin, Severity

CODES: Mapping[str, str] = MappingProxyType(
    {
        "unset-reference": "A reference has no value",
        "reference-not-allowed": "This reference may not be used here",
        "reference-unsupported": "This kind of reference is not available in this version",
        "unreadable-reference": "What a reference points to can't be read",
        "empty-secret": "A secret is empty",
        "masked-secret": "A mask stands where a secret belongs",
        "wrong-type": "The value has the wrong type",
    }
)
"""Code -> its summary, in one line; all of them are errors."""

OPEN_PREFIX = "RECONCILER_VAR_"
"""How the variables begin that any field may refer to."""

LARGEST = 1_000_000
"""Bytes that a file may have that a reference points to."""

_INTEGER = re.compile(r"\s*([-+]?\d{1,15})(\.0*)?\s*")
_BOOLEANS = {"true": True, "false": False}


class _Unresolved(Exception):
    """A reference without a value; carries the diagnostic, which never holds a value."""

    def __init__(self, diagnostic: Diagnostic) -> None:
        super().__init__(diagnostic.code)
        self.diagnostic = diagnostic


@dataclass(frozen=True, slots=True)
class Resolver:
    """Knows the environment and where the project ends.

    ``folder`` is the one from which the documents are named: the current one, or that in which a saved
    plan was made.
    """

    environ: Mapping[str, str]
    project_root: FilePath
    folder: FilePath = FilePath()

    def expand(self, desired: Desired) -> tuple[Desired, tuple[Diagnostic, ...]]:
        """Replace each reference by what it points to, read by its field's type.

        Secret fields become :class:`Secret`. Where something is wrong the template stays, and a
        diagnostic says what. Ranges and choices are for the caller to check again.
        """
        if not any(_is_open(setting) for setting in desired.settings.values()):
            return desired, ()
        problems: list[Diagnostic] = []
        settings = {
            path: self._setting(path, setting, problems) if _is_open(setting) else setting
            for path, setting in desired.settings.items()
        }
        named = tuple(replace(found, target=desired.name) for found in problems)
        return replace(desired, settings=settings), named

    def check(self, desired: Desired) -> tuple[Diagnostic, ...]:
        """What can be said of references without following them: whether each may stand where it does."""
        problems: list[Diagnostic] = []
        for path, setting in desired.settings.items():
            for member in setting.value if isinstance(setting.value, tuple) else (setting,):
                for reference in member.value.references if isinstance(member.value, Template) else ():
                    try:
                        self._permit(reference, member.origin, secret=FIELD[path].secret)
                    except _Unresolved as unresolved:
                        problems.append(replace(unresolved.diagnostic, target=desired.name))
        return tuple(problems)

    def lost_files(self, desired: Desired) -> tuple[Diagnostic, ...]:
        """References to files beside a document that is not here: another file of that name would be taken."""
        return tuple(
            _diagnostic(
                "unreadable-reference",
                setting.value.text,
                setting.origin,
                f"{setting.origin.file} is not here: apply the plan in the work tree in which it was made",
            )
            for setting in desired.settings.values()
            if isinstance(setting.value, Template)
            and any(reference.scheme == "file" for reference in setting.value.references)
            and not (self.folder / setting.origin.file).exists()
        )

    def expand_text(self, template: Template, origin: Origin) -> str | Diagnostic:
        """Expand a text that is no secret, such as a region, or say why it can't be."""
        try:
            return self._text(template, origin, secret=False)
        except _Unresolved as unresolved:
            return unresolved.diagnostic

    def _setting(self, path: Path, setting: Setting, problems: list[Diagnostic]) -> Setting:
        if isinstance(setting.value, tuple):
            members = tuple(self._setting(path, member, problems) for member in setting.value)
            return replace(setting, value=members)
        if not isinstance(setting.value, Template):
            return setting
        row = FIELD[path]
        try:
            text = self._text(setting.value, setting.origin, secret=row.secret)
            value = (
                _secret(path, setting.value, text, setting.origin)
                if row.secret
                else _read(path, row.kind, text, setting.origin)
            )
        except _Unresolved as unresolved:
            problems.append(unresolved.diagnostic)
            return setting
        return replace(setting, value=value)

    def _text(self, template: Template, origin: Origin, *, secret: bool) -> str:
        return "".join(
            part if isinstance(part, str) else self._value(part, origin, secret=secret) for part in template.parts
        )

    def _value(self, reference: Reference, origin: Origin, *, secret: bool) -> str:
        self._permit(reference, origin, secret=secret)
        value = self._variable(reference, origin) if reference.scheme == "env" else self._file(reference, origin)
        if any("\ud800" <= character <= "\udfff" for character in value):
            raise _problem("unreadable-reference", reference, origin, "it must be text in UTF-8")
        return value

    def _permit(self, reference: Reference, origin: Origin, *, secret: bool) -> None:
        """Refuse a reference that may not stand where it does, whatever it points to."""
        match reference.scheme:
            case "env" if not (secret or reference.name.startswith(OPEN_PREFIX)):
                hint = f"outside secret fields a variable's name begins with {OPEN_PREFIX}"
                raise _problem("reference-not-allowed", reference, origin, hint)
            case "file" if not reference.name.isprintable():
                raise _problem("unreadable-reference", reference, origin, "a path has no control characters")
            case "file" if not (secret or self._is_public(self._path(reference, origin))):
                hint = "outside secret fields a file is one of the project's, and not hidden"
                raise _problem("reference-not-allowed", reference, origin, hint)
            case "env" | "file":
                return
            case _:
                raise _problem("reference-unsupported", reference, origin, "use ${env:NAME} or ${file:path}")

    def _path(self, reference: Reference, origin: Origin) -> FilePath:
        """The file that a reference names: relative to the document's own, wherever this program was started."""
        return (self.folder / origin.file).parent / reference.name

    def _is_public(self, path: FilePath) -> bool:
        """Whether a file is the project's and not hidden: .git and .env hold what nobody may print."""
        root, real = _real(self.project_root), _real(path)
        return real.is_relative_to(root) and not any(part.startswith(".") for part in real.relative_to(root).parts)

    def _variable(self, reference: Reference, origin: Origin) -> str:
        value = self.environ.get(reference.name)
        # As in a shell, ':-' stands in for an empty variable too.
        if reference.default is not None and not value:
            return reference.default
        if value is None:
            raise _problem("unset-reference", reference, origin, f"set {reference.name}")
        return value

    def _file(self, reference: Reference, origin: Origin) -> str:
        path = self._path(reference, origin)
        try:
            with path.open("rb") as file:
                data = file.read(LARGEST + 1)
            text = data.decode("utf-8")
        except FileNotFoundError:
            raise _problem(
                "unset-reference", reference, origin, "the path is relative to the document's file"
            ) from None
        except OSError as error:
            raise _problem("unreadable-reference", reference, origin, error.strerror or "") from None
        except UnicodeDecodeError:
            # Without "from None" a traceback could show the bytes.
            raise _problem("unreadable-reference", reference, origin, "it must be text in UTF-8") from None
        if len(data) > LARGEST:
            raise _problem("unreadable-reference", reference, origin, "it is larger than 1 MB")
        return text.removesuffix("\n").removesuffix("\r")


def _real(path: FilePath) -> FilePath:
    """A path with its links resolved; links that go in circles stay as they are and can't be opened."""
    return FilePath(os.path.realpath(path))


def _is_open(setting: Setting) -> bool:
    """Whether there is something to resolve."""
    if isinstance(setting.value, tuple):
        return any(isinstance(member.value, Template) for member in setting.value)
    return isinstance(setting.value, Template)


def _secret(path: Path, template: Template, text: str, origin: Origin) -> Secret:
    source = template.text
    if not text.strip():
        raise _Unresolved(_diagnostic("empty-secret", f"{dotted(path)}: {source}", origin, "set it"))
    if looks_masked(text):
        hint = "a mask that is sent becomes the secret: put the real one there"
        raise _Unresolved(_diagnostic("masked-secret", f"{dotted(path)}: {source}", origin, hint))
    return Secret(text, source=source)


def _read(path: Path, kind: Kind, text: str, origin: Origin) -> Scalar:
    """A text read by its field's type; the text itself is not quoted when it does not fit."""
    match kind:
        case Kind.INTEGER:
            number = _INTEGER.fullmatch(text)
            if number is None:
                detail = f"{dotted(path)} must be a whole number once its references are expanded."
                raise _Unresolved(_diagnostic("wrong-type", detail, origin))
            return int(number[1])
        case Kind.BOOLEAN:
            value = _BOOLEANS.get(text.strip().lower())
            if value is None:
                detail = f"{dotted(path)} must be true or false once its references are expanded."
                raise _Unresolved(_diagnostic("wrong-type", detail, origin))
            return value
        case _:
            return text


def _problem(code: str, reference: Reference, origin: Origin, hint: str) -> _Unresolved:
    return _Unresolved(_diagnostic(code, f"${{{reference.scheme}:{reference.name}}}", origin, hint))


def _diagnostic(code: str, detail: str, origin: Origin, hint: str = "") -> Diagnostic:
    return Diagnostic(Severity.ERROR, code, CODES[code], detail, hint, origin)
