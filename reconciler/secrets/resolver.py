"""Resolve references: what a document points to becomes a secret or a plain value, just before it is needed.

What comes from a store of secrets is a secret wherever it stands.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path as FilePath

from reconciler.core.fields import FIELD, Field, Kind
from reconciler.core.model import Access, Desired, Setting
from reconciler.core.references import Reference, Template
from reconciler.core.secret import Secret
from reconciler.core.sources import DENIED, Fetched, Source, source_of
from reconciler.errors import AccessProblem, Diagnostic, NotFound, Origin, ServiceProblem
from reconciler.secrets.local import Local
from reconciler.secrets.permitted import refusal
from reconciler.secrets.problems import Unresolved, diagnostic, unresolved
from reconciler.secrets.reading import read, text_at


@dataclass(frozen=True, slots=True)
class Way:
    """How a document's references are followed: its way of access, and its region."""

    access: Access
    region: str


@dataclass(frozen=True, slots=True)
class Resolver:
    """Knows the environment, where the project ends, and what was fetched from AWS.

    ``folder`` is the one from which the documents are named: the current one, or that in which a saved
    plan was made. ``fetched`` has every source that :meth:`sources` names. ``env_names`` are the variables that the
    project file opens to any field.
    """

    environ: Mapping[str, str] = field(repr=False)
    project_root: FilePath
    folder: FilePath = FilePath()
    fetched: Mapping[Source, Fetched | ServiceProblem] = field(default_factory=dict)
    env_names: frozenset[str] = frozenset()

    def sources(self, desired: Desired, *, secrets: bool = True) -> Iterator[Source]:
        """What must be fetched from AWS before :meth:`expand` with the same arguments."""
        way = _way(desired)
        for row, place, template in _templates(desired):
            if secrets or not _is_secret(row, template):
                for reference in template.references:
                    source = source_of(reference, way.access, way.region)
                    if source is not None and refusal(reference, place, row, self._local) is None:
                        yield source

    def sources_of(self, template: Template, way: Way) -> Iterator[Source]:
        """What must be fetched from AWS before :meth:`expand_secret`."""
        for reference in template.references:
            source = source_of(reference, way.access, way.region)
            if source is not None:
                yield source

    def expand(
        self, desired: Desired, *, secrets: bool = True, planned: bool = False
    ) -> tuple[Desired, tuple[Diagnostic, ...]]:
        """Replace each reference by what it points to, read by its field's type.

        Secret fields become :class:`Secret`, and so does free text that comes from a store of secrets. Where
        something is wrong the template stays, and a diagnostic says what. Ranges and choices are for the caller to
        check again.

        Args:
            desired: a document, or what a plan holds of one.
            secrets: False leaves those in secret fields, and in free text those to Secrets Manager and what may not be
                read, as they are.
            planned: whether it is a plan's, in which whatever is still a reference is secret.
        """
        problems: list[Diagnostic] = []
        settings = dict(desired.settings)
        for path, setting in desired.settings.items():
            row = FIELD.get(path)
            if row is None or not _is_open(setting):
                continue
            if secrets or not (isinstance(setting.value, Template) and _is_secret(row, setting.value)):
                found: list[Diagnostic] = []
                settings[path] = self._setting(row, setting, _way(desired), found, planned=planned)
                left = not secrets and row.may_hide and all(one.code == DENIED for one in found)
                problems += [] if left else found
        if settings == desired.settings and not problems:
            return desired, ()
        return replace(desired, settings=settings), tuple(replace(found, target=desired.name) for found in problems)

    def check(self, desired: Desired) -> tuple[Diagnostic, ...]:
        """What can be said of references without following them: whether each may stand where it does."""
        return tuple(
            replace(refused, target=desired.name)
            for row, place, template in _templates(desired)
            for reference in template.references
            if (refused := refusal(reference, place, row, self._local)) is not None
        )

    def lost_files(self, desired: Desired) -> tuple[Diagnostic, ...]:
        """References to files beside a document that is not here: another file of that name would be taken."""
        return tuple(
            diagnostic(
                "unreadable-reference",
                template.text,
                place,
                f"{place.file} is not here: apply the plan in the work tree in which it was made",
            )
            for _, place, template in _templates(desired)
            if any(reference.scheme == "file" for reference in template.references)
            and not (self.folder / place.file).exists()
        )

    def expand_text(self, template: Template, origin: Origin) -> str | Diagnostic:
        """Expand a text that says which target is meant, such as a region, or say why it can't be."""
        try:
            return self._text(template, origin, None, Way(Access(), ""))[0]
        except Unresolved as problem:
            return problem.diagnostic

    def expand_secret(self, template: Template, origin: Origin, way: Way) -> Secret | Diagnostic:
        """Expand a secret that is no field's, or say why it can't be; what it points to at AWS is fetched before."""
        try:
            text, _ = self._text(template, origin, _ANY_SECRET, way)
        except Unresolved as problem:
            return problem.diagnostic
        return Secret(text, source=template.text)

    def _setting(self, row: Field, setting: Setting, way: Way, problems: list[Diagnostic], *, planned: bool) -> Setting:
        if isinstance(setting.value, tuple):
            members = tuple(self._setting(row, member, way, problems, planned=planned) for member in setting.value)
            return replace(setting, value=members)
        if not isinstance(setting.value, Template):
            return setting
        try:
            text, sensitive = self._text(setting.value, setting.origin, row, way)
            value = read(row, setting.value, setting.origin, text, sensitive=sensitive or planned)
        except Unresolved as problem:
            problems.append(problem.diagnostic)
            return setting
        return replace(setting, value=value)

    def _text(self, template: Template, origin: Origin, row: Field | None, way: Way) -> tuple[str, bool]:
        """The whole text, and whether some part of it is secret by where it comes from."""
        texts: list[str] = []
        sensitive = False
        for part in template.parts:
            if isinstance(part, str):
                texts.append(part)
                continue
            refused = refusal(part, origin, row, self._local)
            if refused is not None:
                raise Unresolved(refused)
            text, hidden = self._value(part, origin, way)
            if any("\ud800" <= character <= "\udfff" for character in text):
                raise unresolved("unreadable-reference", part, origin, "it must be text in UTF-8")
            texts.append(text)
            sensitive = sensitive or hidden
        return "".join(texts), sensitive

    def _value(self, reference: Reference, origin: Origin, way: Way) -> tuple[str, bool]:
        source = source_of(reference, way.access, way.region)
        if source is None:
            return self._local.text(reference, origin), False
        match self.fetched[source]:
            case Fetched(text, sensitive):
                whole = text.reveal()
                return (whole if reference.key is None else text_at(whole, reference, origin)), sensitive
            case NotFound() as problem:
                hint = problem.hint or "look at the name, the version and the region"
                raise unresolved("unset-reference", reference, origin, hint, f"{problem.summary} in {source.region}")
            case AccessProblem() as problem:
                raise unresolved(DENIED, reference, origin, problem.hint, problem.summary)
            case problem:
                raise unresolved("unreadable-reference", reference, origin, problem.hint, problem.summary)

    @property
    def _local(self) -> Local:
        return Local(self.environ, self.project_root, self.folder, self.env_names)


_ANY_SECRET = Field((), Kind.STRING, secret=True)


def _way(desired: Desired) -> Way:
    return Way(desired.access, desired.target.region)


def _templates(desired: Desired) -> Iterator[tuple[Field, Origin, Template]]:
    """Everything that is written with a reference in it, with its field and its place."""
    for path, setting in desired.settings.items():
        for member in setting.value if isinstance(setting.value, tuple) else (setting,):
            if isinstance(member.value, Template):
                yield FIELD[path], member.origin, member.value


def _is_secret(row: Field, template: Template) -> bool:
    """Whether a reference can be called secret without following it."""
    return row.secret or (row.may_hide and any(one.scheme == "secretsmanager" for one in template.references))


def _is_open(setting: Setting) -> bool:
    """Whether there is something to resolve."""
    if isinstance(setting.value, tuple):
        return any(isinstance(member.value, Template) for member in setting.value)
    return isinstance(setting.value, Template)
