"""The program: its commands, and how a run ends."""

from __future__ import annotations

import sys
from typing import Annotated, Any

import typer

from reconciler.cli.commands import Commands, register
from reconciler.cli.console import abandon_errors, abandon_result, show_error, write_error
from reconciler.cli.exits import Exit, of_error
from reconciler.errors import InputProblem, ReconcilerError
from reconciler.version import __version__

# Typer vendors click in some releases, so its exceptions are reached through typer's own.
_ClickException: Any = typer.BadParameter.__mro__[2]

app = typer.Typer(
    name="reconciler",
    cls=Commands,
    help="AWS Amplify (Gen 1) sign-in configuration as code: plan, apply and drift for backend auth.",
    no_args_is_help=True,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
)
register(app)


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


def main(arguments: list[str] | None = None) -> int:
    """Run one command line and return its exit code."""
    command: Any = typer.main.get_command(app)
    if sys.stdout is None:
        write_error("Error: standard output is closed, so nothing could be shown, and nothing is done\n")
        return Exit.ERROR
    try:
        result = command.main(args=arguments, prog_name="reconciler", standalone_mode=False)
        return int(result or 0)
    except ReconcilerError as problem:
        if isinstance(problem, InputProblem):
            from reconciler.cli.output import show_diagnostics

            show_diagnostics(problem.diagnostics)
        else:
            show_error(problem)
        return of_error(problem)
    except _ClickException as problem:
        try:
            problem.show()
        except OSError:  # nobody reads it, and the code stands
            abandon_errors()
        return Exit.USAGE
    except (KeyboardInterrupt, typer.Abort):
        write_error("\nInterrupted.\n")
        return Exit.INTERRUPTED
    except BrokenPipeError:
        abandon_result()  # the reader left, as `| head` does
        return Exit.ERROR
