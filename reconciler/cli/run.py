"""What plan, drift and apply share: from options to services, documents and a plan."""

from __future__ import annotations

import logging
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from reconciler.cli.options import ALL_SECRETS, Choice, Reach, Show, sent_secrets
from reconciler.cli.output import problems_as_result, reports_of, warn
from reconciler.cli.progress import Progress
from reconciler.core.model import NOT_BOUND, Desired, Plan, TargetFailure, TargetPlan
from reconciler.errors import UsageProblem
from reconciler.wiring import Connection, Follow, Selection, Services

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


def start(reach: Reach, show: Show, *, first_path: str = ".", parallelism: int = 1, ledger: str | None = None) -> Run:
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
        ledger=ledger,
    )
    services = Services(connection, first_path=first_path, parallelism=parallelism)
    return Run(services, show, Progress(show), parallelism)


def load(run: Run, paths: Sequence[str], choice: Choice, allow: Sequence[str] | None, *, network: bool) -> Loaded:
    """Read the documents of a command."""
    selection = Selection(tuple(choice.target or ()), tuple(choice.exclude or ()), tuple(allow or ()))
    return run.services.load(paths, selection, stdin=lambda: sys.stdin.buffer.read(_LARGEST_STDIN), network=network)


def located(
    run: Run,
    paths: Sequence[str],
    choice: Choice,
    allow: Sequence[str] | None,
    *,
    strict: bool,
    follow: Follow = Follow.ALL,
    sends: Sequence[str] | None = None,
) -> tuple[Desired, ...]:
    """Load, check and resolve documents, and say where their targets are.

    Args:
        run: the command's services.
        paths: what was named.
        choice: which targets are meant.
        allow: guards that may pass.
        strict: whether warnings stop the run.
        follow: which references are followed.
        sends: the secrets to send though nobody has proven them, as ``--send-secrets`` names them.
    """
    chosen = sent_secrets(sends or ())
    with problems_as_result(run.show):
        loaded = load(run, paths, choice, allow, network=True)
        desired, warnings = run.services.locate(loaded, follow)
        warn(warnings, strict=strict)
    for name in sends or ():
        if name != ALL_SECRETS and not any(sent_secrets([name]) & set(document.settings) for document in desired):
            raise UsageProblem(f"No document writes a secret of {name}", hint="look at --send-secrets")
    return tuple(replace(document, sends=chosen) for document in desired)


def make_plan(
    run: Run,
    desired: Sequence[Desired],
    *,
    with_commit: bool = True,
    saved: bool = False,
    stopped: Callable[[], bool] | None = None,
) -> Plan:
    """Read live, and plan.

    Args:
        run: the command's services.
        desired: the documents, resolved and located.
        with_commit: whether the plan is kept, and so must tell the commit that the documents were read at.
        saved: whether it is applied later, when its references may point to other values.
        stopped: whether to read no further.
    """
    from reconciler.operations.plan import plan

    made = plan(
        desired,
        run.services.reader_of,
        now=datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ"),
        folder=run.services.folder,
        commit=run.services.books.commit_of(desired) if with_commit else None,
        ledger=run.services.books.shared,
        remembered=run.services.books.remembered(desired),
        parallelism=run.parallelism,
        observer=run.progress,
        stopped=stopped,
    )
    return made if saved else replace(made, targets=tuple(_as_it_is_now(target) for target in made.targets))


def _as_it_is_now(target: TargetPlan | TargetFailure) -> TargetPlan | TargetFailure:
    """A target without what concerns only plans that are applied later."""
    if isinstance(target, TargetFailure) or target.unresolved:
        return target
    return replace(target, notes=tuple(note for note in target.notes if note.code != NOT_BOUND))


def _log(show: Show) -> None:
    """Our own records only: the debug records of botocore and its transport hold bodies and tokens."""
    level = logging.DEBUG if show.debug else logging.INFO if show.verbose else logging.WARNING
    logging.basicConfig(stream=sys.stderr, level=logging.WARNING, format="%(levelname)s %(name)s: %(message)s")
    logging.getLogger("reconciler").setLevel(level)
