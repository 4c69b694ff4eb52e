"""The embedded backend: serve it, and put documents in as live."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from typer.core import TyperGroup

from reconciler.cli.console import write_error, write_result
from reconciler.cli.options import Choice, Paths, Reach, Show, grouped
from reconciler.cli.run import load, start
from reconciler.errors import InputProblem, UsageProblem

if TYPE_CHECKING:
    from reconciler.emulator import Emulator, Scenario


class _WithProfiles(TyperGroup):
    """Help that ends with the profiles; they are read only where it is shown, because that takes botocore."""

    def format_epilog(self, ctx: Any, formatter: Any) -> None:  # noqa: ARG002 - click's signature
        """Write every profile and what it is a rehearsal of."""
        from reconciler.emulator import profiles

        with formatter.section("Profiles"):
            formatter.write_dl([(name, scenario.description) for name, scenario in profiles().items()])


emulator = typer.Typer(
    cls=_WithProfiles,
    help="Serve the embedded AmplifyBackend, to try and to test without an AWS account.",
    invoke_without_command=True,
    rich_markup_mode=None,
    add_completion=False,
)

State = Annotated[
    str | None,
    typer.Option("--state-dir", envvar="RECONCILER_STATE_DIR", help="The folder that stands in for .reconciler."),
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
    profile: Annotated[
        str | None,
        typer.Option(metavar="NAME", help="What goes wrong, in place of what did so far: one of those below."),
    ] = None,
    faults: Annotated[
        str | None,
        typer.Option(metavar="FILE", help="The same from a JSON file with switches and faults, on top of a profile."),
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
    )
    from reconciler.emulator import serve as listen

    scenarios = _scenarios(profile, faults)
    run = start(Reach(emulator=True, state_dir=state_dir), Show())
    backend = run.services.emulator
    _set_up(backend, scenarios, switch or [])
    try:
        server = listen(backend, host, port)
    except OSError as problem:
        raise UsageProblem(f"{host}:{port} can't be listened on: {problem.strerror}") from None
    try:
        write_result(
            f"# The embedded AmplifyBackend listens on {server.url}. Ctrl-C ends it.\n"
            f"# It serves {os.path.relpath(backend.state)}, as --emulator does in the same project.\n"
            "# For the AWS CLI and boto3, in another shell:\n"
            f"export AWS_ACCESS_KEY_ID={EMULATOR_ACCESS_KEY}\n"
            f"export AWS_SECRET_ACCESS_KEY={EMULATOR_SECRET_KEY}\n"
            f"export AWS_DEFAULT_REGION={EMULATOR_REGION}\n"
            f"export AWS_ENDPOINT_URL_AMPLIFYBACKEND={server.url}\n"
        )
        server.serve_forever()
    except KeyboardInterrupt:
        write_error("\nStopped.\n")
    finally:
        server.close()


def _scenarios(profile: str | None, file: str | None) -> tuple[Scenario, ...]:
    """Return the scenarios that the options name; what a later one says goes on top."""
    from reconciler.emulator import profiles, read_scenario

    found: list[Scenario] = []
    if profile is not None:
        shipped = profiles()
        if profile not in shipped:
            known = "\n  ".join(f"{name}: {scenario.description}" for name, scenario in shipped.items())
            raise UsageProblem(f"--profile knows no {profile}; there are", detail=known)
        found.append(shipped[profile])
    if file is not None:
        try:
            found.append(read_scenario(Path(file).read_text(encoding="utf-8")))
        except OSError as problem:
            raise UsageProblem(f"--faults can't read {file}: {problem.strerror}") from None
        except ValueError as problem:
            raise UsageProblem(
                f"--faults takes a JSON file of faults, and {file} is none", detail=str(problem)
            ) from None
    return tuple(found)


def _set_up(backend: Emulator, scenarios: tuple[Scenario, ...], switch: list[str]) -> None:
    """Put scenarios and switches in force; without a scenario, the faults to come stay, and other switches too."""
    from reconciler.emulator import Switches

    switches = Switches() if scenarios else backend.switches
    for scenario in scenarios:
        switches = switches.updated(scenario.switches)
    try:
        switches = Switches.parse(switch, switches)
    except ValueError as problem:
        raise UsageProblem("--switch takes NAME=VALUE", detail=str(problem)) from None
    if not scenarios:
        backend.configure(switches)
        return
    seeds = [scenario.seed for scenario in scenarios if scenario.seed is not None]
    new = [fault for scenario in scenarios for fault in scenario.faults]
    backend.stage(switches, new, seeds[-1] if seeds else 0)


@grouped
def seed(paths: Paths, choice: Choice, state_dir: State = None) -> None:
    """Put documents in as the live configuration of the embedded backend."""
    from reconciler.core.normalise import desired_tree
    from reconciler.core.secret import Secret
    from reconciler.core.tree import as_api, leaves, put
    from reconciler.emulator import EMULATOR_ACCOUNT

    run = start(Reach(emulator=True, state_dir=state_dir), Show(), first_path=paths[0])
    located = run.services.locate(load(run, paths, choice, None, network=True))
    if located.problems:
        raise InputProblem(located.problems)
    for desired in located.desired:
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
