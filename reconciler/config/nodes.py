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
    if isinstance(node, ScalarNode):
        return node.value
    if isinstance(node, ListNode):
        return [plain(item) for item in node.items]
    return {key: plain(entry.node) for key, entry in node.entries.items()}


def at(node: Node, path: tuple[str | int, ...]) -> Node:
    """The node at a path of keys and indexes.

    Raises:
        KeyError: the path leads below a scalar, or to a key that is not there.
    """
    for part in path:
        match node:
            case MappingNode(entries=entries):
                node = entries[str(part)].node
            case ListNode(items=items):
                node = items[int(part)]
            case _:
                raise KeyError(part)
    return node
