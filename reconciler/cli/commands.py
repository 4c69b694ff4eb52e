"""The commands: what each says of itself in the help of all of them, and its import when it is called."""

from __future__ import annotations

from collections.abc import Mapping
from importlib import import_module
from types import MappingProxyType
from typing import Any

import typer
from typer.core import TyperGroup

from reconciler.cli.values import Command, unconverted

COMMANDS: Mapping[str, tuple[str, str]] = MappingProxyType(
    {
        "plan": ("plan", "Read the live configuration and show what apply would change."),
        "apply": ("apply", "Show the plan, ask, update where there is drift, wait for the job, and prove the result."),
        "drift": ("plan", "Tell what moved outside git: exits with 2 when live differs, 0 when it does not."),
        "validate": ("validate", "Check documents without any network; references need not resolve."),
        "targets": ("targets", "List the targets that a run would touch, and where each value comes from."),
        "iam-policy": ("iam_policy", "Print the least IAM policy that a run of these documents needs."),
        "waivers": ("waivers", "List the differences that are waived, and how many days each has left."),
        "render": ("render", "Print each target's merged document, references in place."),
        "pull": ("pull", "Write the live configuration as a document, to begin with."),
        "show": ("plan", "Show a saved plan in any format."),
        "history": ("history", "List what was applied, the newest first, or show one run."),
        "restore": (
            "restore",
            "Plan the way back to what was live before a run, show it, ask, and apply it like any plan.",
        ),
        "unlock": ("history", "Show who holds which target, and take a lease away from a holder that is gone."),
        "schema": ("validate", "Print a published JSON schema."),
        "emulator": ("emulator", "Serve the embedded AmplifyBackend, to try and to test without an AWS account."),
    }
)
"""Each command in the order of the help: the module that holds it, and the first sentence of its docstring."""


class Commands(TyperGroup):
    """The commands by their names alone, so that help and version import none of what the commands need."""

    def get_params(self, ctx: Any) -> Any:
        """The program's own parameters."""
        return unconverted(super().get_params(ctx), self.callback)

    def resolve_command(self, ctx: Any, args: list[str]) -> Any:
        """Import the command that is called; its group knows no more than its name."""
        name, named, rest = super().resolve_command(ctx, args)
        if name is None:
            return name, named, rest
        called = _imported(name)
        from reconciler.cli.options import with_values

        return name, called, with_values(rest)


def register(app: typer.Typer) -> None:
    """Make the commands known to the program, which must be of the class :class:`Commands`."""
    for name, (_, sentence) in COMMANDS.items():
        app.command(name, help=sentence)(_called_by_name)


def _called_by_name() -> None:
    """What stands in the place of a command until it is called."""


def _imported(name: str) -> Any:
    found = getattr(import_module(f"reconciler.cli.{COMMANDS[name][0]}"), name.replace("-", "_"))
    if isinstance(found, typer.Typer):
        return typer.main.get_command(found)
    from reconciler.cli.options import grouped

    alone = typer.Typer(rich_markup_mode=None, add_completion=False)
    alone.command(name, cls=Command)(grouped(found))
    return typer.main.get_command(alone)
