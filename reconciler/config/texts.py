"""The texts that say which target is meant and how it is reached, with their references expanded."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import TypeAlias

from reconciler.config.nodes import Node, ScalarNode
from reconciler.config.schema import check_key
from reconciler.config.source import Source
from reconciler.core.references import REMOTE, ReferenceSyntax, Template, parse_references
from reconciler.errors import Diagnostic, Origin

ExpandText: TypeAlias = Callable[[Template, Origin], str | Diagnostic]
"""Expands the references of a text that is no secret, or says why it can't."""


@dataclass(frozen=True, slots=True)
class Texts:
    """Reads texts, and collects what is wrong with them.

    ``sources`` are the files by name; ``expand`` is None where references stay as they are.
    """

    sources: Mapping[str, Source]
    expand: ExpandText | None
    problems: list[Diagnostic] = field(default_factory=list)

    def read(self, key: str, node: Node | None) -> str | None:
        """The text at a key with its references expanded; None where there is none, or no good one."""
        value = node.value if isinstance(node, ScalarNode) else None
        if key == "account" and type(value) is int:
            return str(value)
        if node is None or not isinstance(value, str):
            return None
        try:
            written = parse_references(value)
        except ReferenceSyntax:
            return None
        if isinstance(written, str):
            return written
        if self.expand is None or any(reference.scheme in REMOTE for reference in written.references):
            return value  # one that may not stand here is told where the document is checked
        expanded = self.expand(written, node.origin)
        excerpt = self.sources[node.origin.file].excerpt(node.origin)
        problems = (
            [expanded] if isinstance(expanded, Diagnostic) else check_key(key, expanded, node.origin, excerpt=excerpt)
        )
        self.problems.extend(problems)
        return expanded if isinstance(expanded, str) and not problems else None

    def report(self, code: str, origin: Origin, detail: str = "", hint: str = "") -> None:
        """Record a problem with the line that it is about."""
        self.problems.append(self.sources[origin.file].problem(code, origin, detail, hint=hint))
