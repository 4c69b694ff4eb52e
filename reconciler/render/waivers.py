"""What is waived for which target, by whom, why and for how long: for people and for machines."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from datetime import datetime
from typing import Any

from reconciler.core.fields import FIELD
from reconciler.core.model import Desired, Path, Scalar, Waiver, dotted
from reconciler.core.waivers import days_left
from reconciler.render.harmless import fence, line, quoted, without_commands
from reconciler.render.json import waiver_object

WAIVERS_FORMAT_VERSION = "1.0"


def waivers_text(targets: Sequence[Desired], now: datetime) -> str:
    """A few lines for each waiver of each target, and how many there are.

    Args:
        targets: those that are meant; one without waivers is left out.
        now: the moment from which the days that are left are counted.
    """
    paragraphs = ["\n".join(_lines(target, now)) for target in targets if target.waivers]
    left = [days_left(waiver, now) for target in targets for waiver in target.waivers]
    expired = sum(days < 0 for days in left)
    gone = f", {expired} expired" if expired else ""
    return "\n\n".join([*paragraphs, f"{len(left)} waiver{'s' if len(left) != 1 else ''}{gone}."]) + "\n"


def waivers_markdown(targets: Sequence[Desired], now: datetime) -> str:
    """The same, in a block that no forge makes anything of."""
    text = without_commands(waivers_text(targets, now))
    mark = fence(text)
    return f"{mark}\n{text}{mark}\n"


def waivers_json(targets: Sequence[Desired], now: datetime) -> str:
    """An object for each waiver, in the order of the input; ``days_left`` is 0 on its last day, and then negative."""
    listed = [_object(target, waiver, now) for target in targets for waiver in target.waivers]
    body = {"waivers_version": WAIVERS_FORMAT_VERSION, "waivers": listed}
    return without_commands(json.dumps(body, indent=2)) + "\n"


def _lines(target: Desired, now: datetime) -> Iterator[str]:
    yield line(target.name)
    for waiver in target.waivers:
        yield f"  {line(dotted(waiver.path))}"
        yield f"    live      {_value(waiver.path, waiver.value)} instead of {_value(waiver.path, waiver.instead_of)}"
        yield line(f"    owner     {waiver.owner}")
        yield line(f"    reason    {waiver.reason}")
        yield f"    expires   {waiver.expires} ({_left(waiver, now)})"
        yield line(f"    written   {waiver.origin}")


def _left(waiver: Waiver, now: datetime) -> str:
    days = days_left(waiver, now)
    if days < 0:
        return "expired"
    return f"{days} day{'s' if days != 1 else ''} left" if days else "ends today"


def _value(path: Path, value: Scalar | None) -> str:
    match value:
        case True if path not in FIELD:
            return "present"  # a member of a list
        case None:
            return "absent"
        case str():
            return quoted(value)
        case _:
            return json.dumps(value)


def _object(target: Desired, waiver: Waiver, now: datetime) -> dict[str, Any]:
    days = days_left(waiver, now)
    return {"target": target.name, **waiver_object(waiver), "days_left": days, "expired": days < 0}
