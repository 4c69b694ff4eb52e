"""What a YAML document is made of: scalars, lists and mappings, each with its place."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, TypeAlias

from reconciler.errors import Origin


@dataclass(frozen=True, slots=True)
class ScalarNode:
    """A scalar as the core schema reads it."""

    value: str | int | float | bool | None
    origin: Origin


@dataclass(frozen=True, slots=True)
class ListNode:
    """A list."""

    items: tuple[Node, ...]
    origin: Origin


@dataclass(frozen=True, slots=True)
class Entry:
    """A value in a mapping, and where its key stands."""

    key: Origin
    node: Node


@dataclass(frozen=True, slots=True)
class MappingNode:
    """A mapping; keys are text whatever their spelling, in the order in which they were written."""

    entries: dict[str, Entry]
    origin: Origin

    def get(self, key: str) -> Node | None:
        """The value at a key, or None."""
        entry = self.entries.get(key)
        return entry.node if entry else None


Node: TypeAlias = ScalarNode | ListNode | MappingNode


def plain(node: Node) -> Any:
    """The value without its places, as the JSON schema is applied to it."""
    match node:
        case ScalarNode(value=value):
            return value
        case ListNode(items=items):
            return [plain(item) for item in items]
        case MappingNode(entries=entries):
            return {key: plain(entry.node) for key, entry in entries.items()}


def at(node: Node, path: tuple[str | int, ...]) -> Node:
    """The node at a path of keys and indexes, which must exist."""
    for part in path:
        if isinstance(node, MappingNode):
            node = node.entries[str(part)].node
        elif isinstance(node, ListNode):
            node = node.items[int(part)]
    return node
