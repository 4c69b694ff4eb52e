"""Read scalars by YAML 1.2's core schema (https://yaml.org/spec/1.2.2/#103-core-schema).

YAML 1.1, which most Python tools read, makes ``ON`` a boolean, ``1:30`` a number and ``2024-01-01`` a date.
"""

from __future__ import annotations

import re
from collections.abc import Callable

_NUMBERS: tuple[tuple[re.Pattern[str], Callable[[str], int | float]], ...] = (
    (re.compile(r"[-+]?[0-9]+\Z"), int),
    (re.compile(r"[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?\Z"), float),
    (re.compile(r"0o[0-7]+\Z"), lambda text: int(text, base=8)),
    (re.compile(r"0x[0-9a-fA-F]+\Z"), lambda text: int(text, base=16)),
    (re.compile(r"[-+]?\.(inf|Inf|INF)\Z"), lambda text: float(text.replace(".", ""))),
    (re.compile(r"\.(nan|NaN|NAN)\Z"), lambda _: float("nan")),
)
_WORDS: dict[str, bool | None] = {
    **dict.fromkeys(("", "~", "null", "Null", "NULL")),
    **dict.fromkeys(("true", "True", "TRUE"), True),
    **dict.fromkeys(("false", "False", "FALSE"), False),
}
_LONGEST_NUMBER = 40
_MAY_BE_NUMBER = frozenset("+-.0123456789")
_TAG = "tag:yaml.org,2002:"
_TYPES: dict[str, tuple[type, ...]] = {
    "int": (int,),
    "float": (float, int),
    "bool": (bool,),
    "null": (type(None),),
}


class UnknownTag(ValueError):
    """A tag outside the core schema, or one that does not fit the value it stands at."""


def read_plain(text: str) -> str | int | float | bool | None:
    """A scalar without quotes; whatever is no null, boolean or number is a string."""
    if text in _WORDS:
        return _WORDS[text]
    # A number of thousands of digits is nobody's setting, and int() would refuse it or take for ever.
    if text[0] not in _MAY_BE_NUMBER or len(text) > _LONGEST_NUMBER:
        return text
    for pattern, convert in _NUMBERS:
        if pattern.match(text):
            return convert(text)
    return text


def read_tagged(tag: str, text: str) -> str | int | float | bool | None:
    """A scalar with an explicit tag.

    Raises:
        UnknownTag: the tag is not one of the core schema's, or the text is no such value.
    """
    if tag in {"!", _TAG + "str"}:
        return text
    types = _TYPES.get(tag.removeprefix(_TAG)) if tag.startswith(_TAG) else None
    value = read_plain(text)
    if types is None or not isinstance(value, types) or (isinstance(value, bool) and bool not in types):
        raise UnknownTag
    return value


def is_collection_tag(tag: str | None, kind: str) -> bool:
    """Whether a mapping or list may carry this tag; ``kind`` is ``map`` or ``seq``."""
    return tag is None or tag in {"!", _TAG + kind}


def reads_as_text(text: str) -> bool:
    """Whether a scalar without quotes would be read as the string itself."""
    return isinstance(read_plain(text), str)
