"""One target's changes as the lines of terraform's diff: indented, marked, values quoted and secrets by name."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from reconciler.core.fields import FIELD, FIELDS
from reconciler.core.model import Action, Change, Mark, Movement, Path, Scalar, TargetPlan
from reconciler.core.planfile import RESOURCE_TYPE
from reconciler.core.tree import ABSENT, get
from reconciler.errors import Origin
from reconciler.render.harmless import line, name, place, quoted, quoted_pair, shown

_ORDER = {row.path: number for number, row in enumerate(FIELDS)}
_WILL_BE_SET = "(sensitive value, will be set)"
_CHANGED = "(sensitive value changed)"
SYMBOLS = {Action.ADD: "+", Action.CHANGE: "~", Action.REMOVE: "-"}


@dataclass(frozen=True, slots=True)
class Line:
    """One line of a diff: how deep it stands, its mark (``+``, ``-``, ``~`` or a space), its text, a remark.

    The line of a value also has its ``path``, dotted (a member of a set has its set's), and what stands there
    ``before`` and ``after``, for whoever shows these side by side; an absent value is empty. ``movement`` is the word
    for whose change it is, where there is a base to tell it by, and ``origin`` the place where it is written.
    """

    depth: int
    symbol: str
    text: str
    remark: str = ""
    path: str = ""
    before: str = ""
    after: str = ""
    movement: str = ""
    origin: Origin | None = None

    @property
    def is_member(self) -> bool:
        """Whether it is a member of a set that comes or goes."""
        return bool(self.path) and self.text.startswith('"')

    @property
    def comment(self) -> str:
        """What is said beside the text where there is but one line: whose change it is, and the remark."""
        whose = "" if self.movement == Movement.BLOCKED else self.movement  # the remark says that, and why
        return ", ".join(word for word in (whose, self.remark) if word)


def diff_lines(plan: TargetPlan) -> tuple[Line, ...]:
    """The changes of one target as terraform shows a resource; nothing for an unchanged target."""
    if not plan.changes:
        return ()
    lines = [Line(0, "~", f"resource {quoted(RESOURCE_TYPE)} {quoted(plan.name)} {{")]
    lines += _block(plan, sorted(plan.changes, key=lambda change: _place(plan, change)), ())
    hidden = _hidden(plan)
    if hidden:
        lines.append(Line(1, " ", hidden))
    lines.append(Line(0, " ", "}"))
    return tuple(lines)


def _place(plan: TargetPlan, change: Change) -> tuple[int, bool, int]:
    """The catalogue's order; in a set what goes before what comes, both as they are written."""
    path = change.path
    order = _ORDER.get(path, _ORDER.get(path[:-1], len(_ORDER)))
    comes = change.action is not Action.REMOVE
    if not _is_member(path):
        return order, False, 0
    members = get(plan.planned if comes else plan.live, path[:-1])
    written = list(members) if isinstance(members, dict) else []
    return order, comes, written.index(path[-1]) if path[-1] in written else len(written)


def _is_member(path: Path) -> bool:
    above = FIELD.get(path[:-1])
    return above is not None and above.is_set


def _block(plan: TargetPlan, changes: Sequence[Change], above: Path) -> list[Line]:
    """The lines of everything that moves below one path, in the order of the changes."""
    depth = len(above) + 1
    groups: dict[str, list[Change]] = {}
    for change in changes:
        groups.setdefault(change.path[len(above)] if len(change.path) > len(above) else "", []).append(change)
    lines: list[Line] = []
    for part, group in groups.items():
        path = (*above, part)
        deeper = [change for change in group if len(change.path) > len(path)]
        lines += [_leaf(change, depth) for change in group if len(change.path) <= len(path)]
        if not deeper:
            continue
        row = FIELD.get(path)
        opening, closing = ("[", "]") if row is not None and row.is_set else ("{", "}")
        lines.append(Line(depth, _symbol(plan, deeper, path), f"{name(part)} = {opening}"))
        lines += _block(plan, deeper, path)
        lines.append(Line(depth, " ", closing))
    return lines


def _symbol(plan: TargetPlan, changes: Sequence[Change], path: Path) -> str:
    """A block is new, or gone, when the other side has nothing of it."""
    actions = {change.action for change in changes}
    if actions == {Action.ADD} and get(plan.live, path) is ABSENT:
        return SYMBOLS[Action.ADD]
    if actions == {Action.REMOVE} and get(plan.planned, path) is ABSENT:
        return SYMBOLS[Action.REMOVE]
    return SYMBOLS[Action.CHANGE]


def _leaf(change: Change, depth: int) -> Line:
    last = change.path[-1] if change.path else ""
    remark = f"blocked: {line(change.blocked)}" if change.blocked else ""
    symbol = SYMBOLS[change.action]
    before, after = _sides(change)
    if _is_member(change.path):
        text = f"{quoted(last)},"
    elif after in {_WILL_BE_SET, _CHANGED}:
        text = f"{name(last)} {after}"
    else:
        text = f"{name(last)} = {' -> '.join(side for side in (before, after) if side)}"
    path = ".".join(name(part) for part in (change.path[:-1] if _is_member(change.path) else change.path))
    return Line(depth, symbol, text, remark, path, before, after, change.movement or "", place(change.origin))


def _sides(change: Change) -> tuple[str, str]:
    """What stands before and after; nothing on the side that has no value."""
    if _is_member(change.path):
        before = after = quoted(change.path[-1])
    elif change.unproven:
        before, after = Mark.SENSITIVE.value, _WILL_BE_SET
    elif change.before is change.after is Mark.SENSITIVE:
        before, after = Mark.SENSITIVE.value, _CHANGED
    elif isinstance(change.before, str) and isinstance(change.after, str):
        before, after = quoted_pair(change.before, change.after)
    else:
        before, after = _value(change.before), _value(change.after)
    return "" if change.action is Action.ADD else before, "" if change.action is Action.REMOVE else after


def _value(value: Scalar | Mark | None) -> str:
    match value:
        case Mark():
            return value.value
        case str():
            return quoted(value)
        case bool():
            return "true" if value else "false"
        case _:
            return shown(str(value))


def _hidden(plan: TargetPlan) -> str:
    """How many attributes are not shown, in terraform's words."""
    if not plan.unchanged + plan.unmanaged:
        return ""
    counts = [(plan.unchanged, "unchanged"), (plan.unmanaged, "unmanaged")]
    words = ", ".join(f"{count} {word}" for count, word in counts if count)
    return f"# ({words} attribute{'s' if plan.unchanged + plan.unmanaged > 1 else ''} hidden)"
