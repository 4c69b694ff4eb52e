"""Whether a noun that was made of JSON holds what its fields declare: JSON itself promises no types."""

from __future__ import annotations

from collections.abc import Hashable, Mapping
from dataclasses import is_dataclass
from functools import cache
from types import UnionType
from typing import Any, TypeVar, Union, get_args, get_origin, get_type_hints

_Noun = TypeVar("_Noun")


def as_declared(noun: _Noun) -> _Noun:
    """The dataclass itself, when all that is in it is of the declared types.

    Raises:
        TypeError: something is not; names the field that holds it.
    """
    kind: Any = type(noun)
    for name, hint in _fields(kind).items():
        if not _fits(getattr(noun, name), hint):
            raise TypeError(f"{name} holds something else than it declares")
    return noun


@cache
def _fields(kind: Hashable) -> dict[str, Any]:
    return get_type_hints(kind)


def _fits(value: Any, hint: Any) -> bool:
    """Whether a value is of a type as the project's nouns write them."""
    origin, arguments = get_origin(hint), get_args(hint)
    if hint is Any:
        return True
    if origin in {Union, UnionType}:
        return any(_fits(value, part) for part in arguments)
    if origin is not None and issubclass(origin, Mapping):
        keys, values = arguments
        return isinstance(value, origin) and all(_fits(key, keys) and _fits(value[key], values) for key in value)
    if origin is not None:  # a tuple or a set, whose members are all alike
        return isinstance(value, origin) and all(_fits(member, arguments[0]) for member in value)
    return _is(value, hint)


def _is(value: Any, kind: Any) -> bool:
    """Whether a value is of a class, and if that is a noun, all that is in it."""
    if isinstance(value, bool):
        return kind is bool  # for Python a truth is a number, too
    if not isinstance(value, int | float if kind is float else kind):
        return False
    return not is_dataclass(value) or all(_fits(getattr(value, name), hint) for name, hint in _fields(kind).items())
