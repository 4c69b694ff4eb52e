"""The documents as they were: at a commit of git, or when each was last applied."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING

from reconciler.config.discovery import literal
from reconciler.core.model import DONE, Desired, Setting
from reconciler.core.model import Path as FieldPath
from reconciler.errors import Diagnostic, InputProblem, LedgerDamaged, Origin, UsageProblem

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
    from reconciler.config.discovery import DOCUMENT_SUFFIXES, PROJECT_FILES
    from reconciler.git import files_at
    from reconciler.operations.plan import Base

    wanted = {document.identity: document for document in desired}
    suffixes = DOCUMENT_SUFFIXES | {suffix for path in paths if (suffix := Path(path).suffix.lower())}
    with TemporaryDirectory(prefix="reconciler-base-") as folder:
        into = Path(os.path.realpath(folder))
        top = files_at(ref, reading.root, suffixes, into)
        for name in PROJECT_FILES:  # it is today's that speaks
            for written in into.rglob(name):
                if not written.is_dir():
                    written.unlink()
        then = _Then(ref, top, into)
        loaded = [_load([place for path in paths if (place := then.of(path)) is not None], then, reading)]
        if not {document.identity for document in loaded[0].desired} >= wanted.keys():
            loaded.append(_load([str(into / reading.root.relative_to(top))], then, reading))
        documents = {document.identity: document for found in reversed(loaded) for document in found.desired}
        missing = [document for key, document in wanted.items() if key not in documents]
        sound, broken = then.files_of(loaded)
        there = [document for document in missing if _is_there(document, then, suffixes, sound)]
        wrong = [problem for problem in loaded[0].errors if problem.code not in {"no-documents", "missing-path"}]
        if there and wrong:
            raise InputProblem(tuple(then.told(problem) for problem in wrong))
        if broken:  # whose documents these were nobody knows
            there = missing
        known = [then.document(document) for key, document in documents.items() if key in wanted]
    base = dict[tuple[str, str, str], Desired]()
    unsure = dict[tuple[str, str, str], tuple[FieldPath, ...]]()
    for document, problems in reading.references.resolve(known, secrets=False):
        key = document.identity
        base[key], unsure[key] = _without_unknown(document, problems, wanted[key])
    # Of these git said nothing then; of those that it had, and that could not be read, nobody knows what it said.
    base |= {document.identity: replace(document, settings={}) for document in missing if document not in there}
    return Base(ref, base, unsure)


def _is_there(document: Desired, then: _Then, suffixes: frozenset[str], sound: set[str]) -> bool:
    """Whether a file that was not soundly read may be that of a document: then it is not new, and nobody knows it."""
    from reconciler.git import mentioning

    target = document.target
    files = mentioning(then.ref, then.top, (target.app, target.environment, "BackendEnvironmentName"))
    return files is None or any(Path(file).suffix.lower() in suffixes and file not in sound for file in files)


def _without_unknown(
    document: Desired, problems: Sequence[Diagnostic], now: Desired
) -> tuple[Desired, tuple[FieldPath, ...]]:
    """A document as if git had not moved what can't be told: then whatever differs from it counts as drift."""
    places = {problem.origin for problem in problems}
    unknown = [path for path, setting in document.settings.items() if not places.isdisjoint(_places(setting))]
    kept = {path: setting for path, setting in document.settings.items() if path not in unknown}
    today = {path: now.settings[path] for path in unknown if path in now.settings}
    return replace(document, settings=kept | today), tuple(unknown)


def _places(setting: Setting) -> list[Origin]:
    members = setting.value if isinstance(setting.value, tuple) else ()
    return [setting.origin, *(member.origin for member in members)]


def _load(paths: Sequence[str], then: _Then, reading: Reading) -> Loaded:
    from reconciler.config.desired import load

    return load(
        paths,
        defaults=reading.defaults,
        environ=reading.environ,
        root=then.into / reading.root.relative_to(then.top),
        expand_text=lambda template, origin: reading.references.resolver.expand_text(template, then.now(origin)),
        project=_without_waivers(reading.project),
    )


def _without_waivers(project: Project) -> Project:
    """What is waived is waived of the documents of now."""
    overrides = tuple(replace(override, waivers=()) for override in project.overrides)
    return replace(project, waivers=(), overrides=overrides)


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
        if named.exists():
            place = Path(os.path.realpath(named.parent), named.name)
        else:  # a glob, or what is not there any more
            fixed = literal(str(named))
            place = Path(os.path.realpath(fixed), named.relative_to(fixed))
        place = Path(os.path.normpath(place))
        if not place.is_relative_to(self.top):
            raise UsageProblem(f"--base {self.ref} can't tell what {path} was", detail=f"it is not in {self.top}")
        inside = str(place.relative_to(self.top))
        exists = os.path.lexists(self.into / inside) or any(self.into.glob(inside))
        return str(self.into / inside) if exists else None

    def files_of(self, loaded: Sequence[Loaded]) -> tuple[set[str], set[str]]:
        """The files, named from the top, of which all was understood, and those that hold documents with errors."""
        documents = [document for found in loaded for document in found.desired]
        named = {document.origin.file for document in documents}
        named |= {setting.origin.file for document in documents for setting in document.settings.values()}
        bad = {problem.origin.file for found in loaded for problem in found.errors if problem.origin is not None}
        broken = {place for place in map(self._inside, bad) if place and b"AppId" in (self.into / place).read_bytes()}
        return {place for place in map(self._inside, named - bad) if place}, broken

    def _inside(self, file: str) -> str:
        """A file of the commit, named from the top; empty for one that is none."""
        place = Path(os.path.normpath(Path.cwd() / file))
        return str(place.relative_to(self.into)) if place.is_relative_to(self.into) and place.is_file() else ""

    def now(self, origin: Origin) -> Origin:
        """A place of the commit as people name it from the current folder."""
        place = Path.cwd() / origin.file
        if not place.is_relative_to(self.into):
            return origin
        return replace(origin, file=os.path.relpath(self.top / place.relative_to(self.into)))

    def told(self, problem: Diagnostic) -> Diagnostic:
        """A problem of a document of then."""
        origin = problem.origin
        if origin is not None and (place := self.now(origin)) != origin:
            origin = replace(place, file=f"{self.ref}:{place.file}")
        detail = problem.detail.replace(os.path.relpath(self.into), os.path.relpath(self.top))
        return replace(problem, origin=origin, detail=detail.replace(str(self.into), str(self.top)))

    def document(self, document: Desired) -> Desired:
        """A document with its places in the work tree: references to files are followed from there."""
        settings = {path: self._setting(setting) for path, setting in document.settings.items()}
        return replace(document, settings=settings, origin=self.now(document.origin))

    def _setting(self, setting: Setting) -> Setting:
        value = setting.value
        if isinstance(value, tuple):
            value = tuple(self._setting(member) for member in value)
        return Setting(value, self.now(setting.origin))


def last_applied(ledger: Ledger, documents: Sequence[Desired], *, parallelism: int) -> Base:
    """What each document was when it was last sent, or found to be live by an apply.

    An update that was not proven counts: what it left is ours, and what else differs is drift. A record that is
    damaged is none.

    Args:
        ledger: what knows of them.
        documents: those of now.
        parallelism: the most that are looked up at once.

    Raises:
        LedgerProblem: the ledger can't be read.
    """
    from reconciler.operations.fleet import for_each
    from reconciler.operations.plan import Base

    runs: dict[str, list[str]] = {}
    for run, word in ledger.runs():
        runs.setdefault(word, []).append(run)
    found = for_each(documents, lambda document: _last(ledger, document, runs), parallelism=parallelism)
    named = zip(documents, found, strict=True)
    return Base(LAST_APPLIED, {document.identity: was for document, was in named if was is not None})


def known_otherwise(ledger: Ledger, documents: Sequence[Desired], *, parallelism: int) -> Iterator[Desired]:
    """The documents that say something else than when they were last applied, or of which nobody knows what they said.

    The arguments, and what it raises, are those of :func:`last_applied`.
    """
    base = last_applied(ledger, documents, parallelism=parallelism)
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
        if (record.outcome.kind in DONE or record.may_have_landed) and key_of(record.plan.target) == key_of(
            document.target
        ):
            return record.plan.desired
    return None


def _records(ledger: Ledger, runs: Sequence[str], word: str) -> Iterator[Record]:
    """The records of a target, the newest first, up to one that is damaged: behind it nobody knows what came last."""
    for run in runs:
        try:
            record = ledger.record(run, word)
        except LedgerDamaged:
            return
        if record is not None:
            yield record
