"""The leaves of merged documents: a flat mapping from path to value and place."""

from __future__ import annotations

from reconciler.config.nodes import ListNode, MappingNode, Node, ScalarNode
from reconciler.config.rules import manages_nothing
from reconciler.core.fields import BLOCK, FIELD
from reconciler.core.model import Path, Scalar, Setting
from reconciler.core.normalise import Managed
from reconciler.core.references import Template, parse_references

_PATHS: dict[Path, Path] = {path: path for path in (*FIELD, *BLOCK)}


class Settings:
    """Reads what documents manage. What several of them have of one base is the same object in all of them.

    A fleet of thousands would otherwise hold, and read, each setting of its base thousands of times.
    """

    def __init__(self) -> None:
        # By identity, since that is cheap, and safe while the node is held beside its reading.
        self._wholes: dict[int, tuple[Node, Managed]] = {}
        self._leaves: dict[int, tuple[Node, Setting]] = {}

    def of(self, config: Node | None) -> Managed:
        """What a sound ``ResourceConfig`` manages; None stands where something is removed."""
        if not isinstance(config, MappingNode):
            return Managed()
        known = self._wholes.get(id(config))
        if known is None:
            settings = Managed()
            self._collect(config, (), settings)
            known = self._wholes[id(config)] = (config, settings)
        return known[1]

    def _collect(self, mapping: MappingNode, above: Path, settings: dict[Path, Setting]) -> None:
        for key, entry in mapping.entries.items():
            path: Path = (*above, key)
            node = entry.node
            if isinstance(node, MappingNode):
                self._collect(node, path, settings)
            elif not manages_nothing(path, node):
                settings[_PATHS.get(path, path)] = self._leaf(path, node)

    def _leaf(self, path: Path, node: Node) -> Setting:
        known = self._leaves.get(id(node))
        if known is None:
            known = self._leaves[id(node)] = (node, _read(path, node))
        return known[1]


def _read(path: Path, node: Node) -> Setting:
    match node:
        case ListNode(items=items):
            return Setting(tuple(Setting(_written(item), item.origin) for item in items), node.origin)
        case ScalarNode(value=float() as number) if path in FIELD:
            # The schema takes only whole numbers; 8.0 is how the AWS CLI prints an 8.
            return Setting(int(number), node.origin)
        case _:
            return Setting(_written(node), node.origin)


def _written(node: Node) -> Scalar | Template | None:
    value = node.value if isinstance(node, ScalarNode) else None
    return parse_references(value) if isinstance(value, str) else value
