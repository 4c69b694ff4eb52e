"""Lay documents over those that they extend; each base is read, checked and merged once."""

from __future__ import annotations

import os
from dataclasses import dataclass, field
from pathlib import Path

from reconciler.config.checking import check_document
from reconciler.config.discovery import DOCUMENT_SUFFIXES, resolved
from reconciler.config.document import DEEPEST, compose
from reconciler.config.nodes import Entry, ListNode, MappingNode, Node, ScalarNode
from reconciler.config.rules import spelling_hint
from reconciler.config.settings import Settings
from reconciler.config.source import Source, read_file
from reconciler.config.violations import ROOT_KEY
from reconciler.core.fields import BLOCK, FIELD
from reconciler.core.model import dotted
from reconciler.errors import Diagnostic, Severity

_NOT_INHERITED = frozenset({"name", "extends", "unmanaged"})
_NOTHING: dict[str, Entry] = {}


@dataclass(frozen=True, slots=True)
class Document:
    """One document as written; ``whole`` tells that its YAML was read without a problem."""

    source: Source
    node: MappingNode
    whole: bool


@dataclass(frozen=True, slots=True)
class Layered:
    """A document with those that it extends below it; ``sound`` tells that none of them has an error."""

    node: MappingNode
    sound: bool


@dataclass(slots=True)
class Layers:
    """Reads and merges; everything is remembered, since thousands of documents may share a base."""

    root: Path
    sources: dict[str, Source] = field(default_factory=dict)
    problems: list[Diagnostic] = field(default_factory=list)
    extended: set[Path] = field(default_factory=set)
    settings: Settings = field(default_factory=Settings)
    _files: dict[Path, tuple[Document, ...] | None] = field(default_factory=dict)
    _bases: dict[Path, Layered] = field(default_factory=dict)
    _checked: dict[int, bool] = field(default_factory=dict)
    _reals: dict[Path, Path] = field(default_factory=dict)

    def is_base(self, document: Document) -> bool:
        """Whether another document extends this one."""
        return document.source.real in self.extended

    def add(self, source: Source) -> tuple[Document, ...]:
        """The mappings of a file; what is wrong with its YAML is recorded."""
        self.sources[source.name] = source
        nodes, problems = compose(source)
        self.problems.extend(problems)
        whole = not problems
        documents = tuple(Document(source, node, whole) for node in nodes if isinstance(node, MappingNode))
        for node in nodes:
            if not isinstance(node, MappingNode):
                self._report(source, "not-an-auth-document", node, "It is no mapping of keys to values.")
        if source.real is not None:
            readable = len(documents) == len(nodes) and (whole or len(documents) == 1)
            self._files[source.real] = documents if readable else None
        return documents

    def mark_bases(self, document: Document) -> None:
        """Remember which files a document extends."""
        folder = _folder(document.source)
        for _, text in _extended(document.node):
            self.extended.add(self._real(folder / text))

    def layer(self, document: Document) -> Layered:
        """A document over all that it extends."""
        own = () if document.source.real is None else (document.source.real,)
        return self._layer(document, own)

    def _layer(self, document: Document, chain: tuple[Path, ...]) -> Layered:
        sound = self._check(document)
        below = MappingNode(_NOTHING, document.node.origin)
        for place, text in _extended(document.node):
            base = self._base(document.source, place, text, chain)
            sound = sound and base.sound
            below = merge(below, base.node)
        below, removed = self._unmanage(document, below)
        own = {key: entry for key, entry in document.node.entries.items() if key not in _NOT_INHERITED}
        return Layered(merge(below, MappingNode(own, document.node.origin)), sound and removed)

    def _base(self, source: Source, place: ScalarNode, text: str, chain: tuple[Path, ...]) -> Layered:
        """The merged document behind one ``extends``; an unsound one when there is a problem."""
        path = _folder(source) / text
        real = self._real(path)
        if not real.is_relative_to(self.root):
            hint = "the project begins at the top of the git work tree, or where reconciler.yaml is"
            return self._no_base(source, "outside-project", place, f"The project is {self.root}.", hint)
        if os.path.isfile(path) and not _may_be_base(real.relative_to(self.root)):  # noqa: PTH113 - as below
            return self._no_base(source, "bad-base", place, hint="a base ends in .yaml, .yml or .json")
        if real in chain:
            names = " -> ".join(step.name for step in (*chain[chain.index(real) :], real))
            return self._no_base(source, "extends-cycle", place, names)
        if len(chain) > DEEPEST:
            return self._no_base(source, "too-deep", place, "Too many documents extend one another.")
        if real not in self._bases:
            self._bases[real] = self._read_base(source, place, path, (*chain, real))
        return self._bases[real]

    def _read_base(self, source: Source, place: ScalarNode, path: Path, chain: tuple[Path, ...]) -> Layered:
        real = chain[-1]
        if real not in self._files:
            if not os.path.isfile(path):  # noqa: PTH113 - is_file() raises on a name that is too long
                detail = "It is a folder." if os.path.isdir(path) else ""  # noqa: PTH112 - the same
                return self._no_base(source, "missing-base", place, detail, "the path is relative to this file")
            read = read_file(_display(source, path), path, real)
            if isinstance(read, Diagnostic):
                self.problems.append(read)
                self._files[real] = None
            else:
                self.add(read)
        documents = self._files[real]
        if documents is None:
            return Layered(MappingNode(_NOTHING, place.origin), sound=False)
        if len(documents) != 1:
            hint = "keep what several documents share in a file of its own"
            return self._no_base(source, "base-with-several-documents", place, hint=hint)
        layered = self._layer(documents[0], chain)
        return layered if documents[0].whole else Layered(layered.node, sound=False)

    def _real(self, path: Path) -> Path:
        """A path with its links resolved; remembered, since each look costs several system calls."""
        if path not in self._reals:
            self._reals[path] = resolved(path)
        return self._reals[path]

    def _check(self, document: Document) -> bool:
        """Whether a document has no error of its own; it is checked once."""
        key = id(document.node)
        if key not in self._checked:
            problems = check_document(document.source, document.node)
            self.problems.extend(problems)
            errors = any(found.severity is Severity.ERROR for found in problems)
            self._checked[key] = document.whole and not errors
        return self._checked[key]

    def _unmanage(self, document: Document, below: MappingNode) -> tuple[MappingNode, bool]:
        """What remains of the bases once ``unmanaged`` is taken out of them, and whether its paths exist."""
        listed = document.node.get("unmanaged")
        sound = True
        for item in listed.items if isinstance(listed, ListNode) else ():
            if not isinstance(item, ScalarNode) or not isinstance(item.value, str):
                continue
            path = tuple(item.value.split("."))
            if path not in FIELD and path not in BLOCK:
                known = [dotted(known) for known in (*BLOCK, *FIELD)]
                wrong = item.value.removeprefix(ROOT_KEY + ".")
                hint = f"did you mean '{wrong}'?" if wrong in known else spelling_hint(wrong, known)
                self._report(document.source, "unknown-path", item, hint=hint)
                sound = False
                continue
            if _writes(document.node, (ROOT_KEY, *path)):
                detail = f"{item.value} is written in this document too."
                self._report(document.source, "unmanaged-written", item, detail, "remove one of the two")
                sound = False
                continue
            kept = without(below, (ROOT_KEY, *path))
            if kept is below:
                self._report(document.source, "unmanaged-nothing", item, hint="remove the line")
            below = kept
        return below, sound

    def _report(self, source: Source, code: str, node: Node, detail: str = "", hint: str = "") -> None:
        self.problems.append(source.problem(code, node.origin, detail, hint=hint))

    def _no_base(self, source: Source, code: str, node: Node, detail: str = "", hint: str = "") -> Layered:
        """Stands for a base that can't be had, once its problem is recorded."""
        self._report(source, code, node, detail, hint)
        return Layered(MappingNode(_NOTHING, node.origin), sound=False)


def merge(below: MappingNode, above: MappingNode) -> MappingNode:
    """One mapping over another: mappings merge, everything else replaces what is below it."""
    if not below.entries:
        return above
    entries = dict(below.entries)
    for key, entry in above.entries.items():
        under = entries.get(key)
        if under and isinstance(under.node, MappingNode) and isinstance(entry.node, MappingNode):
            entries[key] = Entry(entry.key, merge(under.node, entry.node))
        else:
            entries[key] = entry
    return MappingNode(entries, above.origin)


def without(node: MappingNode, path: tuple[str, ...]) -> MappingNode:
    """A mapping without what stands at a path; the very same mapping when nothing stands there."""
    entry = node.entries.get(path[0])
    if entry is None:
        return node
    entries = dict(node.entries)
    if len(path) == 1:
        del entries[path[0]]
        return MappingNode(entries, node.origin)
    if not isinstance(entry.node, MappingNode):
        return node
    inner = without(entry.node, path[1:])
    if inner is entry.node:
        return node
    entries[path[0]] = Entry(entry.key, inner)
    return MappingNode(entries, node.origin)


def _writes(node: MappingNode, path: tuple[str, ...]) -> bool:
    """Whether a document itself writes what stands at a path."""
    return without(node, path) is not node


def _extended(node: MappingNode) -> list[tuple[ScalarNode, str]]:
    """What a document extends, in order, each with its place; what is no text is no file."""
    written = node.get("extends")
    items = written.items if isinstance(written, ListNode) else (written,)
    return [
        (item, item.value)
        for item in items
        if isinstance(item, ScalarNode)
        and isinstance(item.value, str)
        and item.value
        # A path with a control character is reported as such, and no system call takes a NUL.
        and item.value.isprintable()
    ]


def _may_be_base(path: Path) -> bool:
    """Whether a file of the project is one that documents are kept in: its lines may be shown in problems."""
    return path.suffix.lower() in DOCUMENT_SUFFIXES and not any(part.startswith(".") for part in path.parts)


def _folder(source: Source) -> Path:
    return Path.cwd() if source.path is None else source.path.parent


def _display(source: Source, path: Path) -> str:
    """A base's path as a person would write it: beside the document's own."""
    return os.path.normpath(path if source.path else path.relative_to(Path.cwd()))
