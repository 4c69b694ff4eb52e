"""What plan, drift and apply share: from options to services, documents and a plan."""

from __future__ import annotations

import logging
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from reconciler.cli.console import write_error
from reconciler.cli.events import Events
from reconciler.cli.options import ALL_SECRETS, Choice, Reach, Show, sent_secrets
from reconciler.cli.output import problems_as_result, reports_of, spare, spare_documents, warn
from reconciler.cli.progress import Progress
from reconciler.core.model import NOT_BOUND, Desired, Path, Plan, TargetFailure, TargetPlan
from reconciler.errors import InputProblem, Severity, UsageProblem
from reconciler.wiring import Connection, Follow, Located, Services

if TYPE_CHECKING:
    from reconciler.config.desired import Loaded
    from reconciler.operations.plan import Base

_LARGEST_STDIN = 1_000_001


@dataclass(frozen=True, slots=True)
class Run:
    """One command's services, what listens to its progress, and choices."""

    services: Services
    show: Show
    events: Events
    parallelism: int


def start(
    reach: Reach, show: Show, *, first_path: str = ".", parallelism: int | None = None, ledger: str | None = None
) -> Run:
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
    spare([services.place.root / "reconciler.yaml"], show, "the project file")
    return Run(services, show, Events(show, Progress(show)), services.parallelism)


def load(run: Run, paths: Sequence[str], choice: Choice, allow: Sequence[str] | None, *, network: bool) -> Loaded:
    """Read the documents of a command."""
    selection = choice.selection(allow)
    loaded = run.services.load(paths, selection, stdin=lambda: sys.stdin.buffer.read(_LARGEST_STDIN), network=network)
    spare_documents(loaded.desired, run.show)
    return loaded


def checked(run: Run, paths: Sequence[str], choice: Choice, *, strict: bool, network: bool) -> Loaded:
    """Read the documents of a command that follows none of their references; arguments as :func:`located` has them.

    Raises:
        InputProblem: there are errors, or with ``strict`` warnings.
    """
    loaded = load(run, paths, choice, None, network=network)
    problems = run.services.check(loaded)
    if any(problem.severity is Severity.ERROR for problem in problems):
        raise InputProblem(problems)
    warn(problems, strict=strict)
    return loaded


def located(
    run: Run,
    paths: Sequence[str],
    choice: Choice,
    allow: Sequence[str] | None,
    *,
    strict: bool,
    follow: Follow = Follow.ALL,
    sends: Sequence[str] | None = None,
) -> Located:
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
        found = run.services.locate(loaded, follow)
        warn(found.warnings, strict=strict)
    for name in sends or ():
        if name != ALL_SECRETS and not any(
            sent_secrets([name]) & set(document.settings) for document in loaded.desired
        ):
            raise UsageProblem(f"No document writes a secret of {name}", hint="look at --send-secrets")
    return replace(found, targets=tuple(_sending(target, chosen) for target in found.targets)) if chosen else found


def base_of(run: Run, name: str | None, paths: Sequence[str], found: Located) -> Base | None:
    """The documents as they were; None where nobody asked."""
    if name is None:
        return None
    with problems_as_result(run.show):
        return run.services.base(name, paths, found.desired)


def _sending(target: Desired | TargetFailure, secrets: frozenset[Path]) -> Desired | TargetFailure:
    return target if isinstance(target, TargetFailure) else replace(target, sends=secrets)


def make_plan(
    run: Run,
    located: Located,
    *,
    with_commit: bool = True,
    saved: bool = False,
    base: Base | None = None,
    stopped: Callable[[], bool] | None = None,
) -> Plan:
    """Read live, and plan.

    Args:
        run: the command's services.
        located: the documents, resolved and located.
        with_commit: whether the plan is kept, and so must tell the commit that the documents were read at.
        saved: whether it is applied later, when its references may point to other values.
        base: the documents as they were.
        stopped: whether to read no further.
    """
    from reconciler.api import Fleet, plan

    fleet = Fleet(run.services, located)
    made = plan(fleet, base=base, observer=run.events, stopped=stopped, with_commit=with_commit)
    run.events.check()
    return made if saved else replace(made, targets=tuple(_as_it_is_now(target) for target in made.targets))


def _as_it_is_now(target: TargetPlan | TargetFailure) -> TargetPlan | TargetFailure:
    """A target without what concerns only plans that are applied later."""
    if isinstance(target, TargetFailure) or target.unresolved:
        return target
    return replace(target, notes=tuple(note for note in target.notes if note.code != NOT_BOUND))


class _Records(logging.Handler):
    """Writes records as all other words go to standard error: above the live line, where there is one."""

    def emit(self, record: logging.LogRecord) -> None:
        """Write one."""
        write_error(f"{self.format(record)}\n")


def _log(show: Show) -> None:
    """Our own records only: the debug records of botocore and its transport hold bodies and tokens."""
    level = logging.DEBUG if show.debug else logging.INFO if show.verbose else logging.WARNING
    logging.basicConfig(handlers=[_Records()], level=logging.WARNING, format="%(levelname)s %(name)s: %(message)s")
    logging.getLogger("reconciler").setLevel(level)
