"""What differs between two canonical trees, leaf by leaf; the only place that knows deepdiff."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from reconciler.core.fields import FIELDS
from reconciler.core.model import Path, Scalar, Tree
from reconciler.core.references import Template
from reconciler.core.secret import Secret, SecretState

_ORDER = {row.path: number for number, row in enumerate(FIELDS)}


@dataclass(frozen=True, slots=True)
class Difference:
    """One path with its values before and after; None is absent, a member of a set is True."""

    path: Path
    before: Any
    after: Any


def differences(before: Tree, after: Tree) -> tuple[Difference, ...]:
    """Each leaf and each member of a set that differs, in the catalogue's order.

    Secrets are compared by value, also with a text in clear, and come back as the objects that stand in the
    trees. A secret that either side does not know is no difference.
    """
    if before == after:
        return ()
    from deepdiff import DeepDiff

    left, right = _comparable(before, after)
    if left == right:
        return ()
    found = DeepDiff(left, right, view="tree", threshold_to_diff_deeper=0, ignore_numeric_type_changes=True)
    paths: set[Path] = set()
    for levels in found.values():
        for level in levels:
            path = tuple(str(part) for part in level.path(output_format="list"))
            there = level.t2 if isinstance(level.t2, dict) else level.t1
            paths.update((*path, *rest) for rest in _below(there))
    return tuple(Difference(path, _value(before, path), _value(after, path)) for path in sorted(paths, key=_place))


def _comparable(before: Tree, after: Tree) -> tuple[Tree, Tree]:
    """Both trees with each secret as a word: the same word unless both sides know and differ."""
    left, right = _shallow(before), _shallow(after)
    for path in {*(path for path, _ in _secrets(before)), *(path for path, _ in _secrets(after))}:
        old, new = _value(before, path), _value(after, path)
        if old is not None:
            _replace(left, path, "secret")
        if new is not None:
            _replace(right, path, "another secret" if _known(old) and _known(new) and not _same(old, new) else "secret")
    return left, right


def _secrets(tree: Tree, above: Path = ()) -> Iterator[tuple[Path, Any]]:
    for key, value in tree.items():
        if isinstance(value, dict):
            yield from _secrets(value, (*above, key))
        elif _is_secret(value):
            yield (*above, key), value


def _known(value: Any) -> bool:
    """Whether a value can be compared: a secret that was read or resolved, or the text in clear beside one."""
    return isinstance(value, (Secret, str))


def _same(old: Secret | str, new: Secret | str) -> bool:
    return _as_secret(old) == _as_secret(new)


def _as_secret(value: Secret | str) -> Secret:
    return value if isinstance(value, Secret) else Secret(value)


def _is_secret(value: Any) -> bool:
    return isinstance(value, (Secret, SecretState, Template))


def _shallow(tree: Tree) -> Tree:
    return {key: _shallow(value) if isinstance(value, dict) else value for key, value in tree.items()}


def _replace(tree: Tree, path: Path, word: Scalar) -> None:
    for part in path[:-1]:
        tree = tree[part]
    tree[path[-1]] = word


def _value(tree: Tree, path: Path) -> Any:
    node: Any = tree
    for part in path:
        if not isinstance(node, dict):
            return None
        node = node.get(part)
    return node


def _below(value: Any) -> Iterator[Path]:
    if not isinstance(value, dict):
        yield ()
        return
    for key, below in value.items():
        yield from ((key, *rest) for rest in _below(below))


def _place(path: Path) -> tuple[int, Path]:
    return (_ORDER.get(path, _ORDER.get(path[:-1], len(_ORDER))), path)
