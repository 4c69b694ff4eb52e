"""Walk canonical trees by path: get, put, drop, and the leaves that the catalogue knows."""

from __future__ import annotations

from typing import Any

from reconciler.core.fields import CONDITIONS, SHAPE, Field, Shape, When
from reconciler.core.model import Path, Tree

ABSENT: Any = type("Absent", (), {"__repr__": lambda _: "ABSENT", "__bool__": lambda _: False})()
"""What :func:`get` returns where there is nothing: None is a value, it removes."""


def get(tree: Tree, path: Path) -> Any:
    """The value at a path, or :data:`ABSENT`."""
    node: Any = tree
    for part in path:
        if not isinstance(node, dict) or part not in node:
            return ABSENT
        node = node[part]
    return node


def put(tree: Tree, path: Path, value: Any) -> None:
    """Set the value at a path; mappings on the way are made."""
    node = tree
    for part in path[:-1]:
        below = node.get(part)
        if not isinstance(below, dict):
            below = node[part] = {}
        node = below
    node[path[-1]] = value


def drop(tree: Tree, path: Path) -> None:
    """Remove what stands at a path, and each mapping that becomes empty by it."""
    nodes = [tree]
    for part in path[:-1]:
        below = nodes[-1].get(part)
        if not isinstance(below, dict):
            return
        nodes.append(below)
    nodes[-1].pop(path[-1], None)
    for depth in range(len(nodes) - 1, 0, -1):
        if nodes[depth]:
            return
        del nodes[depth - 1][path[depth - 1]]


def take(tree: Tree, path: Path) -> None:
    """Remove what stands at a path, and nothing else: a mapping may become empty by it."""
    parent = get(tree, path[:-1])
    if isinstance(parent, dict):
        parent.pop(path[-1], None)


def copied(tree: Tree) -> Tree:
    """A copy whose mappings are its own; the leaves are shared."""
    return {key: copied(value) if isinstance(value, dict) else value for key, value in tree.items()}


def leaves(tree: Tree) -> list[tuple[Field, Any]]:
    """The catalogue's leaves that a tree has, in the catalogue's order; a set is one leaf."""
    found: list[tuple[Field, Any]] = []
    _gather(tree, SHAPE, found)
    return found


def _gather(tree: Tree, shape: Shape, found: list[tuple[Field, Any]]) -> None:
    for name, below in shape.items():
        if name not in tree:
            continue
        value = tree[name]
        if isinstance(below, Field):
            found.append((below, value))
        elif isinstance(value, dict):
            _gather(value, below, found)


def holds(when: When | None, tree: Tree) -> bool:
    """Whether a leaf with this condition means something in a tree."""
    return when is None or (get(tree, when.path) in when.values) is not when.unless


def means_something(when: When | None, beside: Tree) -> bool:
    """Whether a block with this condition means something, by the mapping in which it stands."""
    return when is None or (beside.get(when.path[-1]) in when.values) is not when.unless


def drop_meaningless(tree: Tree) -> None:
    """Remove each block whose condition does not hold, in place."""
    for block, when in CONDITIONS.items():
        if not holds(when, tree):
            drop(tree, block)


def as_api(tree: Tree) -> dict[str, Any]:
    """A canonical tree in the API's shape: sets become lists, in the order in which they were written."""
    shaped: dict[str, Any] = {}
    for row, value in leaves(tree):
        put(
            shaped,
            row.path,
            list(value) if row.is_set and isinstance(value, dict) else value,
        )
    return shaped
