"""The commands that touch no network: validate, schema."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated

import typer

from reconciler.cli.console import write_result
from reconciler.cli.exits import Exit
from reconciler.cli.options import Choice, Paths, Reach, Show, Strict
from reconciler.cli.output import diagnostics_renderers, emit
from reconciler.cli.run import load, start
from reconciler.errors import Severity


class Contract(StrEnum):
    """A published schema."""

    AUTH = "auth"
    PROJECT = "project"
    PLAN = "plan"


def validate(paths: Paths, show: Show, strict: Strict = False) -> None:
    """Check documents without any network; references need not resolve."""
    run = start(Reach(), show, first_path=paths[0])
    problems = run.services.check(load(run, paths, Choice(), None, network=False))
    emit(diagnostics_renderers(problems), show)
    failed = any(strict or problem.severity is Severity.ERROR for problem in problems)
    raise typer.Exit(Exit.ERROR if failed else Exit.DONE)


def schema(
    name: Annotated[Contract, typer.Argument(help="Of documents, of reconciler.yaml, or of saved plans.")],
) -> None:
    """Print a published JSON schema."""
    from reconciler.config.schema import schema_text

    write_result(schema_text(name.value))
