"""The program: its commands, and how a run ends."""

from __future__ import annotations

import sys
from contextlib import suppress
from typing import Annotated, Any

import typer

from reconciler import __version__
from reconciler.cli.apply import apply
from reconciler.cli.console import abandon_result, show_error, write_error
from reconciler.cli.emulator import emulator
from reconciler.cli.exits import Exit, of_error
from reconciler.cli.history import history, unlock
from reconciler.cli.options import grouped, with_values
from reconciler.cli.output import show_diagnostics
from reconciler.cli.plan import drift, plan, show
from reconciler.cli.pull import pull
from reconciler.cli.render import render
from reconciler.cli.restore import restore
from reconciler.cli.validate import schema, validate
from reconciler.errors import InputProblem, ReconcilerError

# Typer vendors click in some releases, so its exceptions are reached through typer's own.
_ClickException: Any = typer.BadParameter.__mro__[2]

app = typer.Typer(
    name="reconciler",
    help="AWS Amplify (Gen 1) sign-in configuration as code: plan, apply and drift for backend auth.",
    no_args_is_help=True,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
)


def _version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"reconciler {__version__}")
        raise typer.Exit


@app.callback()
def program(
    version: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Print the version.")
    ] = False,
) -> None:
    """AWS Amplify (Gen 1) sign-in configuration as code: plan, apply and drift for backend auth."""


for _command in (plan, apply, drift, validate, render, pull, show, history, restore, unlock, schema):
    app.command()(grouped(_command))
app.add_typer(emulator, name="emulator")


def main(arguments: list[str] | None = None) -> int:
    """Run one command line and return its exit code."""
    command: Any = typer.main.get_command(app)
    if sys.stdout is None:
        write_error("Error: standard output is closed, so nothing could be shown, and nothing is done\n")
        return Exit.ERROR
    try:
        given = with_values(sys.argv[1:] if arguments is None else arguments)
        result = command.main(args=given, prog_name="reconciler", standalone_mode=False)
        return int(result or 0)
    except ReconcilerError as problem:
        show_diagnostics(problem.diagnostics) if isinstance(problem, InputProblem) else show_error(problem)
        return of_error(problem)
    except _ClickException as problem:
        with suppress(OSError):  # nobody reads it, and the code stands
            problem.show()
        return Exit.USAGE
    except (KeyboardInterrupt, typer.Abort):
        write_error("\nInterrupted.\n")
        return Exit.INTERRUPTED
    except BrokenPipeError:
        abandon_result()  # the reader left, as `| head` does
        return Exit.ERROR
