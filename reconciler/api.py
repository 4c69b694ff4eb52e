"""The public API: load documents, plan, apply. The command line does its work through the same functions.

``examples/fleet.py`` is a program that uses it.
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, TypeAlias

from reconciler.core.gateway import Gateway, ReadGateway
from reconciler.core.model import Desired, Outcome, Plan, TargetFailure
from reconciler.errors import Diagnostic, UsageProblem
from reconciler.operations.fleet import Observer, silent
from reconciler.wiring import Connection, Follow, Located, Selection, Services

if TYPE_CHECKING:
    from reconciler.operations.jobs import Clock, Waiting
    from reconciler.operations.keeping import Keeping
    from reconciler.operations.plan import Base


_Paths: TypeAlias = str | os.PathLike[str] | Sequence[str | os.PathLike[str]]
"""Files, folders or globs, one or several."""


@dataclass(frozen=True, slots=True)
class Fleet:
    """Documents that were read, checked and located, and what reaches their targets. One target is a fleet of one.

    Use it from the thread that loaded it: clients are made there, and shared by the threads that work.
    """

    services: Services
    located: Located

    @property
    def targets(self) -> tuple[Desired | TargetFailure, ...]:
        """What is desired of each target, or why it can't be planned, in the order of the input."""
        return self.located.targets

    @property
    def warnings(self) -> tuple[Diagnostic, ...]:
        """What is odd about the documents, and does not stand in the way."""
        return self.located.warnings

    def base(self, name: str, paths: _Paths) -> Base:
        """The documents as they were at a commit of git, or, named ``last-applied``, as the ledger tells.

        Args:
            name: what git calls the commit, or ``last-applied``.
            paths: what was loaded.

        Raises:
            UsageProblem: there is no such commit, or git can't be asked.
            InputProblem: there are errors in the documents of then.
            LedgerProblem: the ledger can't be read.
        """
        return self.services.base(name, _named(paths), self.located.desired)

    def reader_of(self, desired: Desired) -> ReadGateway:
        """The gateway to one target that only reads."""
        return self.services.reader_of(desired)

    def writer_of(self, desired: Desired) -> Gateway:
        """The gateway to one target that can update it."""
        return self.services.writer_of(desired)


def load(
    paths: _Paths,
    *,
    selection: Selection | None = None,
    region: str | None = None,
    profile: str | None = None,
    endpoint_url: str | None = None,
    emulator: bool = False,
    state_dir: str | None = None,
    ledger: str | None = None,
    parallelism: int | None = None,
    secrets: bool = True,
    environ: Mapping[str, str] | None = None,
) -> Fleet:
    """Read documents, follow their references, and find their targets.

    Args:
        paths: files, folders or globs, one or several. The project file is looked for upward from the first.
        selection: which targets are meant, and which guards may pass; all, and none, by default.
        region: the region of documents that name none.
        profile: the AWS profile of documents that name none.
        endpoint_url: another endpoint, for amplifybackend alone.
        emulator: whether to use the embedded backend: no AWS account is needed.
        state_dir: where ``.reconciler`` is kept instead of beside the project.
        ledger: where applies are recorded: a folder, or ``s3://bucket/prefix``.
        parallelism: the most targets under way at once; by default what the project file says, else 8.
        secrets: False leaves the references in secret fields unresolved.
        environ: where variables are looked up that documents and options name; the process's own by default.
            Credentials are always looked for as boto3 does.

    Raises:
        InputProblem: there are errors in the documents or in the project file: all of them.
        UsageProblem: the arguments don't fit together, or choose no target.
    """
    connection = Connection(
        region=region,
        profile=profile,
        endpoint_url=endpoint_url,
        emulator=emulator,
        state_dir=state_dir,
        ledger=ledger,
    )
    names = _named(paths)
    if not names:
        raise UsageProblem("No path is given", hint="name documents: files, folders or globs")
    services = Services(connection, first_path=names[0], environ=environ, parallelism=parallelism)
    loaded = services.load(names, selection or Selection(), stdin=bytes, network=True)
    return Fleet(services, services.locate(loaded, Follow.ALL if secrets else Follow.NO_SECRETS))


def plan(
    fleet: Fleet,
    *,
    gateway: Callable[[Desired], ReadGateway] | None = None,
    base: Base | None = None,
    observer: Observer = silent,
    stopped: Callable[[], bool] | None = None,
    with_commit: bool = True,
) -> Plan:
    """Read each target, and say what would change. Never writes to the service.

    Args:
        fleet: what was loaded.
        gateway: what reads a target; called in this thread. By default boto3's client, as the fleet was loaded.
        base: the documents as they were, as :meth:`Fleet.base` returns them, to tell who moved what.
        observer: told of progress, by the threads that work.
        stopped: whether to read no further; what was not read is in the plan as a failure of the kind ``interrupted``.
        with_commit: whether to look up the commit that the documents were read at.

    Returns:
        A plan, or why there is none, for each target, in the order of the input: one target's failure never hides
        another's plan.

    Raises:
        UsageProblem: the ledger's place, or its key, can't be used.
    """
    from reconciler.operations.plan import plan as made

    services, desired = fleet.services, fleet.located.desired
    plan = made(
        fleet.targets,
        gateway or services.reader_of,
        now=datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ"),
        folder=services.place.here,
        project=services.place.from_here,
        ruled=services.place.project.source is not None,
        commit=services.books.commit_of(desired) if with_commit else None,
        ledger=services.books.shared,
        base=base,
        remembered=services.books.remembered(desired),
        parallelism=services.parallelism,
        observer=observer,
        stopped=stopped,
    )
    return services.railed(plan)


def apply(
    fleet: Fleet,
    plan: Plan,
    *,
    gateway: Callable[[Desired], Gateway] | None = None,
    observer: Observer = silent,
    waiting: Waiting | None = None,
    clock: Clock | None = None,
    max_failures: int = 0,
    saved: bool = False,
    keeping: Keeping | None = None,
) -> tuple[Outcome, ...]:
    """Carry out a plan: update where there is drift, wait for the jobs, and prove the result.

    Nothing is sent that the plan does not show, and nothing at all while a target of it could not be planned, or is
    blocked, guarded, locked or no longer as it was planned. Every apply is recorded in the ledger.

    Args:
        fleet: what the plan was made of.
        plan: what :func:`plan` returned. Look at it before: here nobody is asked.
        gateway: what reads and updates a target; called in this thread. By default boto3's clients.
        observer: told of progress, by the threads that work.
        waiting: how long to wait for jobs, results and leases; by default what the project file says.
        clock: time; its ``sleep`` raises ``Stopped`` to stop a run, which leaves what was sent to its end.
        max_failures: the most targets that may fail before a later wave begins.
        saved: whether the plan was saved, and so applies only once.
        keeping: how the run is called in the ledger; an apply by default.

    Returns:
        What became of each target, in the order of the plan.

    Raises:
        PlanRefused: the plan was made for something else than the fleet reaches: another account, endpoint or ledger.
        LedgerProblem: the ledger's folder can't be made.
        UsageProblem: the ledger's place, or its key, can't be used.
    """
    from reconciler.operations.apply import apply as carried_out
    from reconciler.operations.jobs import Clock

    services = fleet.services
    services.recorded.check_binding(plan)
    plan = services.railed(plan)  # one that was saved may be older than the rail
    needing = [target.desired for target in plan.planned if target.changes or target.unresolved]
    return carried_out(
        plan,
        gateway or services.writer_of,
        services.references.of_plan(plan.folder, needing),
        keeping=keeping or services.books.keeping("apply", plan),
        clock=clock or Clock(time.monotonic, time.sleep, lambda: datetime.now(UTC)),
        waiting=waiting or services.waiting(),
        saved=saved,
        parallelism=services.parallelism,
        max_failures=max_failures,
        observer=observer,
    )


def _named(paths: _Paths) -> list[str]:
    return [os.fspath(path) for path in ([paths] if isinstance(paths, str | os.PathLike) else paths)]
