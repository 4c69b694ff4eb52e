"""What a target is reached by, such as its region, and who said so."""

from __future__ import annotations

from dataclasses import dataclass

from reconciler.errors import Origin


@dataclass(frozen=True, slots=True)
class Given:
    """A value, and where it comes from as people name it: a place in a file, an option, a variable.

    ``origin`` is the place in a file, where it is one.
    """

    value: str
    where: str
    origin: Origin | None = None
