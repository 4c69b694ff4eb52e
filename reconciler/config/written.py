"""A reference that stands in the project file for a secret: it and nothing else, and its place."""

from __future__ import annotations

from dataclasses import dataclass

from reconciler.config.nodes import Node, ScalarNode
from reconciler.core.references import ReferenceSyntax, Template, parse_references
from reconciler.errors import Origin


@dataclass(frozen=True, slots=True)
class Written:
    """A reference, and where it is written."""

    template: Template
    origin: Origin


def written_at(node: Node | None) -> Written | None:
    """The reference at a sound node; None where there is none."""
    template = parse_references(str(node.value)) if isinstance(node, ScalarNode) else None
    return Written(template, node.origin) if node is not None and isinstance(template, Template) else None


def wrong_secret(text: str) -> str:
    """The code of what is wrong with a reference that stands for a secret; empty where nothing is."""
    try:
        template = parse_references(text)
    except ReferenceSyntax:
        return "bad-reference"
    return "plaintext-secret" if not isinstance(template, Template) or template.tells else ""
