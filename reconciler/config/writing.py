"""Write the values of a document as YAML, key by key in the order of the schema."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from reconciler.config.quoting import quoted, quoted_in_line
from reconciler.config.schema import AUTH, schema_of
from reconciler.config.violations import ROOT_KEY, Place
from reconciler.core.fields import CONSTRAINTS
from reconciler.core.model import Path


class Comments:
    """What is said about the values that are written; this one says nothing.

    Places are from the top of the document. A comment is one line, without its ``#``.
    """

    def above(self, place: Path, schema: Mapping[str, Any]) -> str | None:
        """What stands in a line of its own above a key that is written; ``schema`` describes its value."""
        del place, schema
        return None

    def beside(self, place: Place) -> str | None:
        """What stands at the end of a value's line."""
        del place
        return None

    def instead(self, place: Path) -> str | None:
        """What stands where a key is left out."""
        del place
        return None


def written(tree: Mapping[str, Any], comments: Comments) -> str:
    """The text of one document.

    Args:
        tree: the whole document in nested mappings and lists. Text stands as a document has it: a reference is
            a reference, and a literal ``${`` is written ``$${``. None is a removal. What says nothing (an empty
            mapping, an empty list where it is no order to empty anything) is left out.
        comments: what is said about the values.
    """
    return "\n".join(_Writer(comments).mapping(tree, (), "")) + "\n"


class _Writer:
    """Writes nested mappings with comments."""

    def __init__(self, comments: Comments) -> None:
        self._comments = comments

    def mapping(self, tree: Mapping[str, Any], place: Path, indent: str) -> Iterator[str]:
        """The lines of one mapping: in the schema's order, or in its own where its keys are anybody's."""
        for key, schema in _properties(place, tree).items():
            below: Path = (*place, key)
            if key in tree:
                yield from self._member(tree[key], below, indent, self._comments.above(below, schema))
            elif instead := self._comments.instead(below):
                yield f"{indent}# {instead}"

    def _member(self, value: Any, place: Path, indent: str, comment: str | None) -> Iterator[str]:
        inner = indent + "  "
        explained = [f"{indent}# {comment}"] if comment else []
        key = f"{quoted_in_line(place[-1])}:"
        match value:
            case Mapping():
                lines = [*self.mapping(value, place, inner)]
                if any(not line.lstrip().startswith("#") for line in lines):
                    yield from (*explained, indent + key, *lines)
                elif place == (ROOT_KEY,):
                    yield from (*explained, f"{indent}{key} {{}}", *lines)
                elif lines:
                    # With nothing but comments in it the key would stand for null, and remove the block.
                    yield from (*explained, f"{indent}# {key}", *lines)
            case list() | tuple() if value:
                yield from (*explained, indent + key)
                for index, item in enumerate(value):
                    yield from self._value(f"{inner}-", item, (*place, index), inner + "  ")
            case list() | tuple():
                if place[1:] == CONSTRAINTS:
                    yield from (*explained, *self._value(indent + key, value, place, inner))
            case _:
                yield from (*explained, *self._value(indent + key, value, place, inner))

    def _value(self, before: str, value: Any, place: Place, inner: str) -> Iterator[str]:
        """One value after its key or hyphen. A block of text has the comment beside its head, outside the text."""
        if isinstance(value, Mapping):
            yield from self._item(before, value, place, inner)
            return
        head, *block = _scalar(value, inner).split("\n")
        comment = self._comments.beside(place)
        yield f"{before} {head}  # {comment}" if comment else f"{before} {head}"
        yield from block

    def _item(self, before: str, value: Mapping[str, Any], place: Place, inner: str) -> Iterator[str]:
        """A mapping of scalars as an item of a list, its first key beside the hyphen."""
        for key, below in value.items():
            yield from self._value(f"{before} {key}:", below, (*place, key), inner + "  ")
            before = inner[:-1]


def _scalar(value: Any, indent: str) -> str:
    match value:
        case bool():
            return "true" if value else "false"
        case float() if value.is_integer():
            return str(int(value))
        case str():
            return quoted(value, indent)
        case None:
            return "null"
        case _:
            return str(value)


def _properties(place: Path, tree: Mapping[str, Any]) -> Mapping[str, Any]:
    """The schemas of a mapping's keys."""
    schema = schema_of(AUTH)
    for part in place:
        schema = schema["properties"][part]
    properties: Mapping[str, Any] = schema.get("properties") or {key: {} for key in tree}
    return properties
