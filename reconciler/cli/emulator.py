"""The embedded backend: serve it, and put documents in as live."""

from __future__ import annotations

from typing import Annotated

import typer

from reconciler.cli.console import write_error, write_result
from reconciler.cli.options import Choice, Paths, Reach, Show, grouped
from reconciler.cli.run import load, start
from reconciler.errors import UsageProblem

emulator = typer.Typer(
    help="Serve the embedded AmplifyBackend, to try and to test without an AWS account.",
    invoke_without_command=True,
    rich_markup_mode=None,
)

State = Annotated[
    str | None,
    typer.Option("--state-dir", envvar="RECONCILER_STATE_DIR", help="Where .reconciler is kept."),
]


@emulator.callback()
def serve(
    context: typer.Context,
    host: Annotated[str, typer.Option(help="The address to listen on.")] = "127.0.0.1",
    port: Annotated[int, typer.Option(min=0, max=65535, help="The port to listen on; 0 takes a free one.")] = 0,
    switch: Annotated[
        list[str] | None,
        typer.Option(metavar="NAME=VALUE", help="How the service behaves where nobody knows (repeatable)."),
    ] = None,
    state_dir: State = None,
) -> None:
    """Serve the embedded AmplifyBackend, to try and to test without an AWS account."""
    if context.invoked_subcommand is not None:
        return
    from reconciler.emulator import (
        EMULATOR_ACCESS_KEY,
        EMULATOR_REGION,
        EMULATOR_SECRET_KEY,
        Switches,
    )
    from reconciler.emulator import serve as listen

    run = start(Reach(emulator=True, state_dir=state_dir), Show())
    backend = run.services.emulator
    try:
        backend.configure(Switches.parse(switch or (), backend.switches))
    except ValueError as problem:
        raise UsageProblem("--switch takes NAME=VALUE", detail=str(problem)) from None
    try:
        server = listen(backend, host, port)
    except OSError as problem:
        raise UsageProblem(f"{host}:{port} can't be listened on: {problem.strerror}") from None
    write_result(
        f"# The embedded AmplifyBackend listens on {server.url}. Ctrl-C ends it.\n"
        "# For the AWS CLI and boto3, in another shell:\n"
        f"export AWS_ACCESS_KEY_ID={EMULATOR_ACCESS_KEY}\n"
        f"export AWS_SECRET_ACCESS_KEY={EMULATOR_SECRET_KEY}\n"
        f"export AWS_DEFAULT_REGION={EMULATOR_REGION}\n"
        f"export AWS_ENDPOINT_URL_AMPLIFYBACKEND={server.url}\n"
    )
    try:
        server.serve_forever()
    except KeyboardInterrupt:
        write_error("\nStopped.\n")
    finally:
        server.close()


@grouped
def seed(paths: Paths, choice: Choice, state_dir: State = None) -> None:
    """Put documents in as the live configuration of the embedded backend."""
    from reconciler.core.model import Secret
    from reconciler.core.normalise import desired_tree
    from reconciler.core.tree import as_api, leaves, put
    from reconciler.emulator import EMULATOR_ACCOUNT

    run = start(Reach(emulator=True, state_dir=state_dir), Show(), first_path=paths[0])
    located, _ = run.services.locate(load(run, paths, choice, None, network=True))
    for desired in located:
        tree = desired_tree(desired)
        config = as_api(tree)
        for row, value in leaves(tree):
            if isinstance(value, Secret):
                put(config, row.path, value.reveal())
        target = desired.target
        run.services.emulator.put_live(
            EMULATOR_ACCOUNT, target.region, target.app, target.environment, target.resource, config
        )
        write_result(f"{desired.name}: seeded as live\n")


emulator.command()(seed)
