"""The command that begins: pull."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Annotated

import typer

from reconciler.cli.console import check_file, write_error, write_file, write_result
from reconciler.cli.options import Reach, Show
from reconciler.cli.run import start
from reconciler.errors import UsageProblem


def pull(
    reach: Reach,
    app_id: Annotated[str, typer.Option(help="The Amplify app's id.")],
    env: Annotated[str, typer.Option(help="The backend environment's name.")],
    resource: Annotated[
        str | None, typer.Option(help="The auth resource's name; looked up when it is left out.")
    ] = None,
    name: Annotated[str | None, typer.Option(help="The target's name; RESOURCE-ENV when it is left out.")] = None,
    out: Annotated[str | None, typer.Option(metavar="FILE", help="Write to a file instead of standard output.")] = None,
    force: Annotated[bool, typer.Option("--force", help="Overwrite the file.")] = False,
    quiet: Annotated[bool, typer.Option("--quiet", "-q", help="No progress on standard error.")] = False,
    debug: Annotated[bool, typer.Option("--debug", help="Our own log records on standard error.")] = False,
) -> None:
    """Write the live configuration as a document, to begin with. Never prints a secret."""
    from reconciler.config.dump import dump_document
    from reconciler.operations.pull import pull as read

    if out is not None and Path(out).exists() and not force:
        raise UsageProblem(f"{out} exists", hint="overwrite it with --force, or name another file")
    if out is not None:
        check_file(out)
    run = start(reach, Show(quiet=quiet, debug=debug), first_path=out or ".")
    wanted = run.services.target(app_id, env, resource or "")
    known = run.services.books.remembered(())(wanted)
    for notice in (notice for notice in known.notices if notice.code == "ledger-unread"):
        write_error(f"Warning: {notice.summary}; texts that may be secret are left out\n")
    wanted = replace(wanted, hidden=known.proofs.hidden)
    pulled = read(run.services.reader_of(wanted), wanted)
    text = dump_document(name, pulled.target, pulled.config)
    if out is None:
        write_result(text)
        return
    write_file(out, text)
    if not quiet:
        write_error(f"Wrote {out}\n")
