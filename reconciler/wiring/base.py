"""The documents as they were: at a commit of git, or when each was last applied."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING

from reconciler.core.model import DONE, Desired, Setting
from reconciler.core.model import Path as FieldPath
from reconciler.errors import Diagnostic, InputProblem, Origin, UsageProblem

if TYPE_CHECKING:
    from reconciler.config.desired import Defaults, Loaded
    from reconciler.config.project import Project
    from reconciler.ledger.ledger import Ledger
    from reconciler.ledger.record import Record
    from reconciler.operations.plan import Base
    from reconciler.wiring.references import References

LAST_APPLIED = "last-applied"
"""The base that is no commit: what the ledger knows to have been applied."""


@dataclass(frozen=True, slots=True)
class Reading:
    """What the documents of a commit are read with: all of it is of today."""

    defaults: Defaults
    environ: Mapping[str, str]
    root: Path
    project: Project
    references: References


def at_commit(ref: str, paths: Sequence[str], desired: Sequence[Desired], reading: Reading) -> Base:
    """The documents behind the same paths at a commit; references in them have the values of today.

    A document that has moved to another file since is looked for in the whole project of then.

    Args:
        ref: what git calls the commit.
        paths: what was named.
        desired: the documents of now; others of then are of no interest.
        reading: what the documents are read with.

    Raises:
        UsageProblem: there is no such commit, git can't be asked, or a path is not in its repository.
        InputProblem: there are errors in the documents of then.
    """
    from reconciler.config.discovery import DOCUMENT_SUFFIXES
    from reconciler.git import files_at
    from reconciler.operations.plan import Base, identity

    wanted = {identity(document): document for document in desired}
    with TemporaryDirectory(prefix="reconciler-base-") as folder:
        into = Path(os.path.realpath(folder))
        top = files_at(ref, reading.root, DOCUMENT_SUFFIXES, into)
        then = _Then(ref, top, into)
        loaded = _load([place for path in paths if (place := then.of(path)) is not None], then, reading)
        if loaded.errors:
            raise InputProblem(tuple(then.told(problem) for problem in loaded.errors))
        found = {identity(document): document for document in loaded.desired}
        if not found.keys() >= wanted.keys():
            elsewhere = _load([str(into / reading.root.relative_to(top))], then, reading)
            found = {identity(document): document for document in elsewhere.desired} | found
        documents = [then.document(document) for key, document in found.items() if key in wanted]
    resolved = (document for document, _ in reading.references.resolve(documents, secrets=False))
    new = {key: replace(document, settings={}) for key, document in wanted.items()}  # git said nothing of it then
    return Base(ref, new | {identity(document): document for document in resolved})


def _load(paths: Sequence[str], then: _Then, reading: Reading) -> Loaded:
    from reconciler.config.desired import load

    return load(
        paths,
        defaults=reading.defaults,
        environ=reading.environ,
        root=then.into / reading.root.relative_to(then.top),
        expand_text=lambda template, origin: reading.references.resolver.expand_text(template, then.now(origin)),
        project=reading.project,
    )


@dataclass(frozen=True, slots=True)
class _Then:
    """Places at a commit, which is written out below ``into``, and the same places in the work tree."""

    ref: str
    top: Path
    into: Path

    def of(self, path: str) -> str | None:
        """Where a path was at the commit; None where it was not there. A glob stays one.

        Raises:
            UsageProblem: it can't have been there.
        """
        if path == "-":
            hint = "name files, or compare with last-applied"
            raise UsageProblem(f"--base {self.ref} can't tell what standard input was", hint=hint)
        named = Path.cwd() / path
        place = Path(os.path.realpath(named.parent), named.name) if named.exists() else named
        place = Path(os.path.normpath(place))
        if not place.is_relative_to(self.top):
            raise UsageProblem(f"--base {self.ref} can't tell what {path} was", detail=f"it is not in {self.top}")
        inside = str(place.relative_to(self.top))
        exists = os.path.lexists(self.into / inside) or any(self.into.glob(inside))
        return str(self.into / inside) if exists else None

    def now(self, origin: Origin) -> Origin:
        """A place of the commit as people name it from the current folder."""
        place = Path.cwd() / origin.file
        if not place.is_relative_to(self.into):
            return origin
        return replace(origin, file=os.path.relpath(self.top / place.relative_to(self.into)))

    def told(self, problem: Diagnostic) -> Diagnostic:
        """A problem of a document of then."""
        place = self.now(problem.origin) if problem.origin is not None else None
        origin = replace(place, file=f"{self.ref}:{place.file}") if place is not None else None
        return replace(problem, origin=origin, detail=problem.detail.replace(str(self.into), str(self.top)))

    def document(self, document: Desired) -> Desired:
        """A document with its places in the work tree: references to files are followed from there."""
        settings = {path: self._setting(setting) for path, setting in document.settings.items()}
        return replace(document, settings=settings, origin=self.now(document.origin))

    def _setting(self, setting: Setting) -> Setting:
        value = setting.value
        if isinstance(value, tuple):
            value = tuple(self._setting(member) for member in value)
        return Setting(value, self.now(setting.origin))


def last_applied(ledger: Ledger, documents: Sequence[Desired]) -> Base:
    """What each document was when it was last applied, or found to be live by an apply.

    Raises:
        LedgerProblem: the ledger can't be read.
    """
    from reconciler.operations.plan import Base, identity

    runs: dict[str, list[str]] = {}
    for run, word in ledger.runs():
        runs.setdefault(word, []).append(run)
    found = ((document, _last(ledger, document, runs)) for document in documents)
    return Base(LAST_APPLIED, {identity(document): was for document, was in found if was is not None})


def known_otherwise(ledger: Ledger, documents: Sequence[Desired]) -> Iterator[Desired]:
    """The documents that say something else than when they were last applied, or of which nobody knows what they said.

    Raises:
        LedgerProblem: the ledger can't be read.
    """
    base = last_applied(ledger, documents)
    for document in documents:
        was = base.of(document)
        if was is None or _said(was) != _said(document):
            yield document


def _said(document: Desired) -> Mapping[FieldPath, object]:
    """What a document says, wherever it is written."""
    return {
        path: frozenset(member.value for member in setting.value) if isinstance(setting.value, tuple) else setting.value
        for path, setting in document.settings.items()
    }


def _last(ledger: Ledger, document: Desired, runs: dict[str, list[str]]) -> Desired | None:
    from reconciler.ledger.record import key_of, word_of

    word = word_of(document.name)
    for record in _records(ledger, runs.get(word, ()), word):
        if record.outcome.kind in DONE and key_of(record.plan.target) == key_of(document.target):
            return record.plan.desired
    return None


def _records(ledger: Ledger, runs: Sequence[str], word: str) -> Iterator[Record]:
    for run in runs:
        record = ledger.record(run, word)
        if record is not None:
            yield record
