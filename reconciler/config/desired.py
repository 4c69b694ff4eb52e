"""From paths to desired states: find documents, layer them, and settle which target each describes."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path as FilePath

from reconciler.config.codes import problem
from reconciler.config.discovery import Found, discover, of_another_project, project_root, resolved
from reconciler.config.identity import Identities, Identity
from reconciler.config.layers import Document, Layered, Layers
from reconciler.config.nodes import MappingNode
from reconciler.config.project import Project
from reconciler.config.rules import merged_findings
from reconciler.config.schema import looks_like_auth
from reconciler.config.source import STDIN, Source, is_of_a_ledger, is_saved_plan, read_file, read_stdin
from reconciler.config.texts import ExpandText, Texts
from reconciler.config.violations import ROOT_KEY
from reconciler.config.waivers import WAIVERS, waivers_of
from reconciler.config.ways import Defaults, Ways
from reconciler.core.fields import FIELD
from reconciler.core.given import Given
from reconciler.core.model import Desired, Path, Setting, Waiver, dotted
from reconciler.core.references import Template
from reconciler.errors import Diagnostic, Origin, Severity

__all__ = ["Defaults", "Loaded", "load", "project_root"]


@dataclass(frozen=True, slots=True)
class Loaded:
    """What documents ask for, and every problem found, in the order of files and lines.

    ``merged`` holds the document of each target in ``desired``, by name, laid over all that it extends: every value
    as written, and its place. ``given`` tells, by name, where what a target is reached by comes from.
    ``unfit`` are the places of the project's overrides that none of these targets fits.
    """

    desired: tuple[Desired, ...]
    diagnostics: tuple[Diagnostic, ...]
    merged: Mapping[str, MappingNode] = field(default_factory=dict)
    given: Mapping[str, Mapping[str, Given]] = field(default_factory=dict)
    unfit: tuple[Origin, ...] = ()

    @property
    def errors(self) -> tuple[Diagnostic, ...]:
        """The problems that stand in the way."""
        return tuple(found for found in self.diagnostics if found.severity is Severity.ERROR)


def load(
    paths: Sequence[str],
    *,
    defaults: Defaults,
    environ: Mapping[str, str],
    stdin: Callable[[], bytes] | None = None,
    resolve: bool = True,
    root: FilePath | None = None,
    expand_text: ExpandText | None = None,
    project: Project | None = None,
) -> Loaded:
    """Read documents and everything they extend.

    Args:
        paths: files, folders, or ``-`` for standard input.
        defaults: what the command line says; it fills what a document leaves out.
        environ: where ``AWS_REGION`` and ``AWS_DEFAULT_REGION`` are looked up.
        stdin: reads standard input, at most one byte more than a file may have.
        resolve: whether references in the identity (AppId, region, ...) are expanded; without it they are
            left as written, and a missing region is no problem.
        root: where the project begins; by default found from the first path.
        expand_text: expands the references of one text, or says why it can't.
        project: what the project file says; nothing by default.

    Returns:
        The targets without an error, in the order of files, and all problems.
    """
    root = resolved(root or project_root(paths[0] if paths else "."))
    found, problems = discover(paths, root)
    order = list(dict.fromkeys([*paths, *(file.name for file in found)]))
    layers = Layers(root)
    layers.problems.extend([*problems, *of_another_project(found, root)])
    documents = _read_all(found, layers, stdin)
    for document in documents:
        layers.mark_bases(document)
    project = project or Project()
    if project.source is not None:
        layers.sources[project.source.name] = project.source
    texts = Texts(layers.sources, expand_text if resolve else None)
    identities = Identities(texts, Ways(defaults, environ, texts, resolve=resolve), project)
    desired: list[Desired] = []
    merged: dict[str, MappingNode] = {}
    for document in documents:
        if not _is_auth(document, layers):
            continue
        layered = layers.layer(document)
        state = _target(document, layered, layers, identities)
        if state is not None:
            desired.append(state)
            merged[state.name] = _named(document, layered.node)
    unfit = tuple(override.origin for override in project.overrides if override.origin not in identities.fitted)
    if identities.certain and _is_whole(paths, root):
        for origin in unfit:  # of a part of the project nobody can tell
            texts.report("unfit-override", origin, hint="look at the names and labels that 'reconciler targets' lists")
    diagnostics = _in_order([*layers.problems, *texts.problems], [*order, *layers.sources])
    return Loaded(tuple(desired), diagnostics, merged, identities.given, unfit)


def _is_whole(paths: Sequence[str], root: FilePath) -> bool:
    """Whether all of a project is read."""
    folders = (FilePath(path) for path in paths if os.path.isdir(path))  # noqa: PTH112 - it raises on a name too long
    return any(root.is_relative_to(resolved(folder)) for folder in folders)


def _read_all(found: Sequence[Found], layers: Layers, stdin: Callable[[], bytes] | None) -> list[Document]:
    """The documents of all files. A path that turns out to hold none would look like nothing to do."""
    documents: list[Document] = []
    empty: dict[str, bool] = {}
    for file in found:
        before = len(layers.problems)
        read = _read(file, layers, stdin)
        documents.extend(read)
        nothing = not read and len(layers.problems) == before
        empty[file.asked] = empty.get(file.asked, True) and nothing
    for asked in (asked for asked, nothing in empty.items() if nothing):
        origin = Origin(STDIN if asked == "-" else asked, 1, 1)
        layers.problems.append(problem("no-documents", origin, "There are only comments, or nothing at all."))
    return documents


def _read(file: Found, layers: Layers, stdin: Callable[[], bytes] | None) -> tuple[Document, ...]:
    """The documents of one file; in a folder saved plans, and what a ledger keeps, are nobody's documents."""
    if file.path is None or file.real is None:
        read: Source | Diagnostic = read_stdin(stdin or bytes)
    elif not file.named and (is_saved_plan(file.path) or is_of_a_ledger(file.path)):
        return ()
    else:
        read = read_file(file.name, file.path, file.real)
    if isinstance(read, Diagnostic):
        layers.problems.append(read)
        return ()
    return layers.add(read)


def _is_auth(document: Document, layers: Layers) -> bool:
    """Whether a document is meant for us; a base may hold anything that an auth document may."""
    keys = frozenset(document.node.entries)
    if looks_like_auth(keys) or layers.is_base(document):
        return True
    hint = "it has none of AppId, BackendEnvironmentName, ResourceName, ResourceConfig and extends"
    if "format_version" in keys:
        hint = "this is a saved plan: show and apply take it"
    layers.problems.append(document.source.problem("not-an-auth-document", document.node.origin, hint=hint))
    return False


def _target(document: Document, layered: Layered, layers: Layers, identities: Identities) -> Desired | None:
    """The desired state of one document, or None for a base and for what has an error."""
    if not document.whole:
        return None
    if "AppId" not in layered.node.entries and layers.is_base(document):
        return None
    identity = identities.settle(document, layered.node)
    if not layered.sound:
        return None
    settings = layers.settings.of(layered.node.get(ROOT_KEY))
    config = layered.node.get(ROOT_KEY)
    if not settings and (config is None or isinstance(config, MappingNode)):
        identities.texts.report("manages-nothing", document.node.origin)
    environment = identity.target.environment if identity and "${" not in identity.target.environment else None
    sound = True
    for place, finding in merged_findings(settings, environment):
        origin = settings[place].origin
        identities.texts.report(finding.code, origin, finding.detail, finding.hint)
        sound = False
    if identity is None or not sound:
        return None
    waivers = _waivers(layered.node, settings, identity, identities)
    if waivers is None:
        return None
    return Desired(
        name=identity.name,
        target=identity.target,
        access=identity.access,
        settings=settings,
        origin=document.node.origin,
        allow=identity.allow,
        labels=identity.labels,
        wave=identity.wave,
        observed=identity.observed,
        waivers=waivers,
    )


def _waivers(
    node: MappingNode, settings: Mapping[Path, Setting], identity: Identity, identities: Identities
) -> tuple[Waiver, ...] | None:
    """What is waived for a target, in its document and in the project file; None where one may be for a secret."""
    waivers = (*waivers_of(node.get(WAIVERS)), *identities.project.waivers_for(identity.name, identity.labels))
    sound = True
    for waiver in waivers:
        setting = settings.get(waiver.path)
        written = setting.value if setting is not None and FIELD[waiver.path].may_hide else None
        if isinstance(written, Template) and written.is_remote:
            detail = f"{identity.name} has {written.text} at {dotted(waiver.path)}."
            identities.texts.report("waiver-on-secret", waiver.origin, detail, "remove the waiver")
            sound = False
    return waivers if sound else None


def _named(document: Document, node: MappingNode) -> MappingNode:
    """A merged document with the name that is written in the document itself: it is the one key that stays there."""
    name = document.node.entries.get("name")
    return MappingNode({"name": name, **node.entries}, node.origin) if name else node


def _in_order(problems: Sequence[Diagnostic], files: Sequence[str]) -> tuple[Diagnostic, ...]:
    """Each problem once, by file and line."""
    rank = {name: index for index, name in reversed(list(enumerate(files)))}

    def key(found: Diagnostic) -> tuple[int, Origin]:
        origin = found.origin or Origin("", 0, 0)
        return rank.get(origin.file, len(rank)), origin

    return tuple(sorted(dict.fromkeys(problems), key=key))
