"""Check one document as written: its shape, its values, its references; each problem with its place."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from reconciler.config.masking import is_secret_key
from reconciler.config.nodes import Entry, ListNode, MappingNode, Node, ScalarNode, at, plain
from reconciler.config.rules import Finding, document_findings, value_findings
from reconciler.config.schema import check_key, check_setting, shape_findings
from reconciler.config.source import Source
from reconciler.config.violations import ROOT_KEY, Place
from reconciler.config.waivers import WAIVERS, check_waivers, hide_secrets
from reconciler.core.fields import FIELD
from reconciler.core.model import Path, dotted
from reconciler.core.references import REMOTE, ReferenceSyntax, Template, parse_references
from reconciler.errors import Diagnostic, Origin

_NO_REFERENCES = frozenset({"extends", "unmanaged", "allow"})


def check_document(source: Source, document: MappingNode) -> list[Diagnostic]:
    """Every problem of one document that can be told from it alone."""
    hide_secrets(source, document.get(WAIVERS))
    problems: list[Diagnostic] = []
    bad: set[tuple[str | int, ...]] = set()
    for place, finding in shape_findings(plain(document)):
        bad.add(place)
        problems.append(placed(source, document, place, finding))
    for place, node in scalars(document, ()):
        # What stands below something wrong has no meaning, and so no rules.
        if isinstance(node.value, str) and not any(place[:length] in bad for length in range(1, len(place) + 1)):
            problems.extend(_check_text(source, place, node, node.value))
    problems.extend(check_waivers(source, document.get(WAIVERS), items_of(bad, (WAIVERS,))))
    config = document.get(ROOT_KEY)
    if isinstance(config, MappingNode):
        for path, finding in document_findings(config):
            problems.append(placed(source, document, _with_index(config, (ROOT_KEY, *path)), finding))
    return problems


def _check_text(source: Source, place: tuple[str | int, ...], node: ScalarNode, text: str) -> Iterator[Diagnostic]:
    path = tuple(part for part in place if isinstance(part, str))
    if path[0] == WAIVERS:
        return  # they have rules of their own, and no references
    if path[0] == "labels" and is_secret_key(path[-1]):
        hint = "a label is shown in every report: leave the secret out"
        yield source.problem("plaintext-secret", node.origin, dotted(path), hint=hint)
        return
    try:
        value = text if path[0] in _NO_REFERENCES else parse_references(text)
    except ReferenceSyntax as error:
        row = FIELD.get(path[1:])
        hint = "" if row is not None and row.secret else "a literal '${' is written '$${'"
        yield source.problem("bad-reference", node.origin, f"{dotted(path)}: {error}.", hint=hint)
        return
    if isinstance(value, Template):
        row = FIELD.get(path[1:])
        if row is not None and row.secret and value.tells:
            hint = "write a reference and nothing else, without ':-' and a default: both are in clear"
            yield source.problem("plaintext-secret", node.origin, dotted(path[1:]), hint=hint)
        if path[0] != ROOT_KEY:
            yield from check_way(source, dotted(path), value, node.origin)
        return
    if value == text:
        for finding in value_findings(path, value):
            yield source.problem(finding.code, node.origin, finding.detail, hint=finding.hint)
        return
    yield from _check_escaped(source, path, value, node.origin)


def items_of(places: Iterable[Place], above: Place) -> frozenset[int]:
    """The indexes of the items of a list at or below which one of these places is."""
    below = (place[len(above)] for place in places if place[: len(above)] == above and len(place) > len(above))
    return frozenset(index for index in below if isinstance(index, int))


def check_way(source: Source, key: str, written: Template, origin: Origin) -> Iterator[Diagnostic]:
    """References that may not say which target is meant, or how it is reached."""
    hint = "which target is meant is no secret: use ${env:RECONCILER_VAR_NAME} or ${file:path}"
    for reference in written.references:
        if reference.scheme in REMOTE:
            yield source.problem("reference-not-allowed", origin, f"{key}: {reference}", hint=hint)


def _check_escaped(source: Source, path: Path, value: str, origin: Origin) -> Iterator[Diagnostic]:
    """A literal with ``$${`` in it passed the schema as a reference, so its rules are still to be applied."""
    row = FIELD[path[1:]] if path[0] == ROOT_KEY else None
    excerpt = source.excerpt(origin)
    if row is None:
        yield from check_key(path[0], value, origin, excerpt=excerpt)
    elif row.secret:
        hint = "write a reference such as ${env:NAME}, and replace this secret"
        yield source.problem("plaintext-secret", origin, dotted(path), hint=hint)
    else:
        yield from check_setting(row.path, value, origin, excerpt=excerpt)


def scalars(node: Node, place: tuple[str | int, ...]) -> Iterator[tuple[tuple[str | int, ...], ScalarNode]]:
    """Each scalar at or below a node, with its keys and indexes; ``place`` is the node's own."""
    if isinstance(node, ScalarNode):
        yield place, node
        return
    below = node.entries.items() if isinstance(node, MappingNode) else enumerate(node.items)
    for part, value in below:
        yield from scalars(value.node if isinstance(value, Entry) else value, (*place, part))


def placed(source: Source, document: MappingNode, place: tuple[str | int, ...], finding: Finding) -> Diagnostic:
    """A finding with the line that it is about."""
    holder = at(document, place[:-1])
    if isinstance(holder, MappingNode):
        entry = holder.entries[str(place[-1])]
        origin = entry.key if finding.at_key else entry.node.origin
    else:
        origin = at(document, place).origin
    return source.problem(finding.code, origin, finding.detail, hint=finding.hint)


def _with_index(config: MappingNode, place: tuple[str, ...]) -> tuple[str | int, ...]:
    """A place whose last part, below a list, is the index that it stands for."""
    node: Node = config
    for part in place[1:-1]:
        node = node.entries[part].node if isinstance(node, MappingNode) else node
    return (*place[:-1], int(place[-1])) if isinstance(node, ListNode) else place
