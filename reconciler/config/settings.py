"""The leaves of a merged document: a flat mapping from path to value and place."""

from __future__ import annotations

from reconciler.config.nodes import ListNode, MappingNode, Node, ScalarNode
from reconciler.config.rules import manages_nothing
from reconciler.core.fields import FIELD
from reconciler.core.model import Path, Scalar, Setting
from reconciler.core.references import Template, parse_references


def settings_of(config: Node | None) -> dict[Path, Setting]:
    """What a sound ``ResourceConfig`` manages; None stands where something is removed."""
    settings: dict[Path, Setting] = {}
    if isinstance(config, MappingNode):
        _collect(config, (), settings)
    return settings


def _collect(mapping: MappingNode, above: Path, settings: dict[Path, Setting]) -> None:
    for key, entry in mapping.entries.items():
        path: Path = (*above, key)
        node = entry.node
        match node:
            case MappingNode():
                _collect(node, path, settings)
            case ListNode(items=items):
                if not manages_nothing(path, node):
                    members = tuple(Setting(_written(item), item.origin) for item in items)
                    settings[path] = Setting(members, node.origin)
            case ScalarNode(value=float() as number) if path in FIELD:
                # The schema takes only whole numbers; 8.0 is how the AWS CLI prints an 8.
                settings[path] = Setting(int(number), node.origin)
            case _:
                settings[path] = Setting(_written(node), node.origin)


def _written(node: Node) -> Scalar | Template | None:
    value = node.value if isinstance(node, ScalarNode) else None
    return parse_references(value) if isinstance(value, str) else value
