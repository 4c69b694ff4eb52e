"""Values of the command line that are what they should be, so that typer need not import what converts them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from typing import Any

from typer.core import TyperCommand

_TEXT = (str, str | None, list[str], list[str] | None)


class Command(TyperCommand):
    """A command that takes defaults, and text where text is wanted, as they are."""

    def get_params(self, ctx: Any) -> Any:
        """The command's parameters, the one for help included."""
        return unconverted(super().get_params(ctx), self.callback)


def unconverted(parameters: Sequence[Any], callback: Callable[..., Any] | None) -> Sequence[Any]:
    """Parameters that leave to typer only what has to be converted.

    Newer releases of typer convert every value by pydantic, and import it for the None of ``--help`` already: as
    long again as typer itself takes.

    Args:
        parameters: those of a command; they are changed.
        callback: what the command calls, for the types that it declares.
    """
    declared = getattr(callback, "__annotations__", {})
    for parameter in parameters:
        text = getattr(declared.get(parameter.name), "__origin__", None) in _TEXT
        if not isinstance(parameter.process_value, partial):
            parameter.process_value = partial(_processed, parameter, parameter.process_value, text)
    return parameters


def _processed(parameter: Any, convert: Any, text: bool, context: Any, value: Any) -> Any:
    default = context.get_parameter_source(parameter.name).name == "DEFAULT"
    missing = parameter.required and not value
    watched = parameter.callback is not None and value is not None
    if missing or watched or not (text or default):
        return convert(context, value)
    several = getattr(parameter, "multiple", False) or parameter.nargs == -1
    return () if several and value is None else value  # older releases of typer take no None for none of several
