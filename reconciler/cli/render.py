"""The command that shows what documents come to before anything is resolved: render."""

from __future__ import annotations

from typing import Annotated

import typer

from reconciler.cli.console import write_result
from reconciler.cli.options import Choice, Excludes, Labels, Paths, Reach, Show, Strict, Targets
from reconciler.cli.run import checked, start


def render(
    paths: Paths,
    target: Targets = None,
    exclude: Excludes = None,
    label: Labels = None,
    origins: Annotated[
        bool, typer.Option("--origins", help="End each value's line with the file and line it comes from.")
    ] = False,
    strict: Strict = False,
) -> None:
    """Print each target's merged document, references in place. No network, and no way to print a secret."""
    from reconciler.config.render import render_documents

    run = start(Reach(), Show(), first_path=paths[0])
    loaded = checked(run, paths, Choice(target, exclude, label), strict=strict, network=False)
    write_result(render_documents(loaded, origins=origins))
