"""Waivers as documents and the project file write them: what may be said, and what it comes to."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from datetime import date

from reconciler.config.masking import Span, is_secret_key
from reconciler.config.nodes import ListNode, MappingNode, Node, ScalarNode
from reconciler.config.rules import Finding, spelling_hint, value_findings
from reconciler.config.source import Source
from reconciler.config.violations import ROOT_KEY
from reconciler.core.fields import BLOCK, FIELD, Field, Kind
from reconciler.core.model import Scalar, Waiver, dotted
from reconciler.errors import Diagnostic, Origin

WAIVERS = "waivers"
"""The key at which they stand."""

_VALUES = ("value", "instead_of")
_TOLD = frozenset({"path", "owner", "reason", "expires"})
_MEMBER = {"present": True, "absent": None}
_TYPES: dict[Kind, tuple[type, str]] = {
    Kind.BOOLEAN: (bool, "true or false"),
    Kind.INTEGER: (int, "a whole number"),
}
_TEXT = (str, "text")


def hide_secrets(source: Source, waivers: Node | None) -> None:
    """Keep out of every excerpt what a waiver says of a secret: it may be the secret itself."""
    for item in waivers.items if isinstance(waivers, ListNode) else ():
        path = _text(item, "path")
        if is_secret_key(path.rpartition(".")[2]) and isinstance(item, MappingNode):
            for key, entry in item.entries.items():
                if key not in _TOLD:
                    line, column = entry.node.origin.line - 1, entry.node.origin.column - 1
                    source.hide(Span(line, column, line, column + 1))


def check_waivers(source: Source, waivers: Node | None, bad: Collection[int]) -> Iterator[Diagnostic]:
    """What is wrong with waivers beyond their shape; ``bad`` are the indexes of those whose shape is wrong."""
    seen: dict[tuple[str, str], Origin] = {}
    for index, item in enumerate(waivers.items if isinstance(waivers, ListNode) else ()):
        place = item.get("path") if isinstance(item, MappingNode) else None
        if not isinstance(item, MappingNode) or not isinstance(place, ScalarNode):
            continue
        row = FIELD.get(tuple(_text(item, "path").split(".")))
        if row is None:
            finding = _unknown(_text(item, "path"))
            yield source.problem(finding.code, place.origin, finding.detail, hint=finding.hint)
        elif row.secret:
            hint = "what is not known to be in order can't be accepted: remove the waiver"
            yield source.problem("waiver-on-secret", place.origin, row.name, hint=hint)
        elif index not in bad:
            for key, finding in _findings(item, row):
                node = item.get(key) or item
                yield source.problem(finding.code, node.origin, finding.detail, hint=finding.hint)
            about = row.name, _text(item, "member")
            if about in seen:
                yield source.problem("duplicate-waiver", place.origin, f"The other is in {seen[about]}.")
            seen.setdefault(about, place.origin)


def waivers_of(waivers: Node | None) -> tuple[Waiver, ...]:
    """The waivers of a list in which nothing is wrong."""
    items = waivers.items if isinstance(waivers, ListNode) else ()
    return tuple(_waiver(item) for item in items if isinstance(item, MappingNode))


def _waiver(item: MappingNode) -> Waiver:
    path = tuple(_text(item, "path").split("."))
    value, instead_of = (_value(item.get(key)) for key in _VALUES)
    if "member" in item.entries:
        path = (*path, _text(item, "member"))
        value = _MEMBER[str(value)]
        instead_of = None if value else True
    return Waiver(
        path,
        value,
        instead_of,
        _text(item, "owner"),
        _text(item, "reason"),
        date.fromisoformat(_text(item, "expires")),
        item.entries["path"].node.origin,
    )


def _findings(item: MappingNode, row: Field) -> Iterator[tuple[str, Finding]]:
    """What is wrong with a waiver for a setting, and the key that is to blame."""
    for key in ("owner", "reason", "member"):
        for finding in value_findings((WAIVERS, key), _text(item, key)):
            yield key, finding
    try:
        date.fromisoformat(_text(item, "expires"))
    except ValueError:
        yield "expires", Finding("bad-date", "expires", "write a day such as 2026-12-31")
    if row.is_set:
        yield from _of_a_member(item, row)
    elif "member" in item.entries:
        yield "member", Finding("bad-waiver", f"{row.name} is no list: it has no members.", "leave member out")
    else:
        yield from _of_a_setting(item, row)


def _of_a_member(item: MappingNode, row: Field) -> Iterator[tuple[str, Finding]]:
    if "member" not in item.entries:
        hint = "write 'member:', and 'value: present' or 'value: absent'"
        yield "path", Finding("bad-waiver", f"{row.name} is a list: its members are waived one by one.", hint)
        return
    if row.choices and _text(item, "member") not in row.choices:
        yield "member", _no_choice(row, _text(item, "member"), "member")
    if _value(item.get("value")) not in _MEMBER:
        hint = "write 'value: present' or 'value: absent'"
        yield "value", Finding("bad-waiver", "The value of a member is whether live has it.", hint)
    if "instead_of" in item.entries:
        detail = "A member is there or not: what it is instead of is told by its value."
        yield "instead_of", Finding("bad-waiver", detail, "leave instead_of out")


def _of_a_setting(item: MappingNode, row: Field) -> Iterator[tuple[str, Finding]]:
    if "instead_of" not in item.entries:
        hint = "write what the document says while this is accepted: once it says another thing, the waiver ends"
        yield "path", Finding("missing-key", f"instead_of for {row.name}", hint)
        return
    before = _value(item.get("value")), _value(item.get("instead_of"))
    wanted, words = _TYPES.get(row.kind, _TEXT)
    for key, value in zip(_VALUES, before, strict=True):
        if value is not None and type(value) is not wanted:
            yield key, Finding("wrong-type", f"{key} of {row.name} must be {words}, or null where it is absent.")
        elif row.choices and value is not None and value not in row.choices:
            yield key, _no_choice(row, str(value), key)
    if before[0] == before[1]:
        yield "value", Finding("bad-waiver", "value and instead_of are the same: that is no difference.")


def _no_choice(row: Field, value: str, key: str) -> Finding:
    hint = spelling_hint(value, row.choices) or f"one of: {', '.join(row.choices)}"
    return Finding("not-allowed-value", f"{key} of {row.name}", hint)


def _unknown(path: str) -> Finding:
    below = path.removeprefix(ROOT_KEY + ".")
    if tuple(path.split(".")) in BLOCK:
        return Finding("bad-waiver", f"{path} is a block.", "waive its settings one by one")
    known = [dotted(row) for row in FIELD]
    return Finding("unknown-path", hint=f"did you mean '{below}'?" if below in known else spelling_hint(path, known))


def _value(node: Node | None) -> Scalar | None:
    """The value of a scalar, a whole number also where it is written as ``8.0``."""
    value = node.value if isinstance(node, ScalarNode) else None
    return int(value) if isinstance(value, float) and value.is_integer() else value


def _text(item: Node, key: str) -> str:
    node = item.get(key) if isinstance(item, MappingNode) else None
    return node.value if isinstance(node, ScalarNode) and isinstance(node.value, str) else ""
