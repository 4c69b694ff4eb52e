"""What plan, drift and apply share: from options to services, documents and a plan."""

from __future__ import annotations

import logging
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from reconciler.cli.console import Progress
from reconciler.cli.options import Choice, Reach, Show
from reconciler.cli.output import problems_as_result, reports_of, warn
from reconciler.core.model import Plan
from reconciler.wiring import Connection, Selection, Services

if TYPE_CHECKING:
    from reconciler.config.desired import Loaded

_LARGEST_STDIN = 1_000_001


@dataclass(frozen=True, slots=True)
class Run:
    """One command's services, progress and choices."""

    services: Services
    show: Show
    progress: Progress
    parallelism: int


def start(reach: Reach, show: Show, *, first_path: str = ".", parallelism: int = 1) -> Run:
    """Set up logging and services; what is wrong with the options is said here, before any work."""
    reports_of(show)
    _log(show)
    connection = Connection(
        region=reach.region,
        profile=reach.profile,
        endpoint_url=reach.endpoint_url,
        ca_bundle=reach.ca_bundle,
        read_timeout=reach.cli_read_timeout,
        connect_timeout=reach.cli_connect_timeout,
        emulator=reach.emulator,
        state_dir=reach.state_dir,
    )
    services = Services(connection, first_path=first_path, parallelism=parallelism)
    return Run(services, show, Progress(quiet=show.quiet), parallelism)


def load(run: Run, paths: Sequence[str], choice: Choice, allow: Sequence[str] | None, *, network: bool) -> Loaded:
    """Read the documents of a command."""
    selection = Selection(tuple(choice.target or ()), tuple(choice.exclude or ()), tuple(allow or ()))
    return run.services.load(paths, selection, stdin=lambda: sys.stdin.buffer.read(_LARGEST_STDIN), network=network)


def make_plan(run: Run, paths: Sequence[str], choice: Choice, allow: Sequence[str] | None, *, strict: bool) -> Plan:
    """Load, check, resolve, read and plan."""
    from reconciler.operations.plan import plan

    with problems_as_result(run.show):
        desired, warnings = run.services.locate(load(run, paths, choice, allow, network=True))
        warn(warnings, strict=strict)
    return plan(
        desired,
        run.services.reader_of,
        now=datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ"),
        folder=run.services.folder,
        parallelism=run.parallelism,
        observer=run.progress,
    )


def _log(show: Show) -> None:
    """Our own records only: the debug records of botocore and its transport hold bodies and tokens."""
    level = logging.DEBUG if show.debug else logging.INFO if show.verbose else logging.WARNING
    logging.basicConfig(stream=sys.stderr, level=logging.WARNING, format="%(levelname)s %(name)s: %(message)s")
    logging.getLogger("reconciler").setLevel(level)
