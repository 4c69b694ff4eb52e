"""The way to the ledger: where it is, who writes into it, and what it tells before a plan."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from contextlib import suppress
from datetime import UTC, datetime
from functools import cached_property
from pathlib import Path
from secrets import token_hex
from typing import TYPE_CHECKING

from reconciler.core.model import Access, Commit, Desired, Finding, Plan
from reconciler.errors import UNKEPT, LedgerProblem, UsageProblem

if TYPE_CHECKING:
    from reconciler.aws.session import Sessions
    from reconciler.ledger.ledger import Ledger
    from reconciler.operations.keeping import Keeping
    from reconciler.wiring.choices import Connection

LEDGER_VARIABLE = "RECONCILER_LEDGER"


class Bookkeeping:
    """The ledger of one command, found when it is first needed."""

    def __init__(
        self,
        connection: Connection,
        environ: Mapping[str, str],
        project_root: Path,
        state_path: Path,
        *,
        make_state: Callable[[], Path],
        sessions: Callable[[], Sessions],
    ) -> None:
        """Remember where to look.

        Args:
            connection: what the command line says.
            environ: the environment.
            project_root: where the project file would be.
            state_path: where the folder of what we keep is, or would be.
            make_state: makes that folder.
            sessions: what reaches AWS.
        """
        self._connection = connection
        self._environ = environ
        self._project_root = project_root
        self._state_path = state_path
        self._make_state = make_state
        self._sessions = sessions

    @cached_property
    def shared(self) -> str | None:
        """The shared ledger, as people name it; None where the ledger is a folder of this machine.

        Raises:
            UsageProblem: the place can't be a ledger, or the embedded backend would write into a shared one.
        """
        from reconciler.core.store import is_address, parse_location

        location = self._location
        if location is None or not is_address(location):
            return None
        try:
            parse_location(location)
        except ValueError as problem:
            hint = "name a folder, or s3://bucket/prefix; a folder with a colon in its name is written ./name"
            raise UsageProblem("The ledger's place can't be used", detail=str(problem), hint=hint) from None
        return location.rstrip("/")

    @property
    def _location(self) -> str | None:
        from reconciler.core.store import is_address

        given = self._connection.ledger
        if self._connection.emulator:
            if given is not None and is_address(given):
                raise UsageProblem("--emulator keeps a ledger of its own", hint="leave --ledger out")
            return given
        return given or self._environ.get(LEDGER_VARIABLE) or self._project_ledger

    @cached_property
    def _project_ledger(self) -> str | None:
        """The project file's ledger; a folder is relative to that file."""
        from reconciler.config.project import read_project
        from reconciler.core.store import is_address

        written = read_project(self._project_root).ledger
        return written if written is None or is_address(written) else str(self._project_root / written)

    @cached_property
    def ledger(self) -> Ledger:
        """What was applied. Nothing is made or written before the first record.

        Raises:
            UsageProblem: the place can't be a ledger.
        """
        from reconciler.ledger.filelock import FileLeases
        from reconciler.ledger.folder import FolderStore
        from reconciler.ledger.ledger import Ledger

        if self.shared is not None:
            from reconciler.ledger.heartbeat import StoreLeases

            store = self._sessions().store(Access(profile=self._connection.profile), self.shared)
            return Ledger(store, StoreLeases(store, token=lambda: token_hex(16)))
        named = self._location
        own = self._state_path / "emulator" if self._connection.emulator else self._state_path
        folder = Path(named) if named else own / "ledger"
        return Ledger(FolderStore(folder), FileLeases(folder / "locks"))

    def keeping(self, command: str, plan: Plan) -> Keeping:
        """One run's way to the ledger, with the AWS identities that the plan's targets are reached with.

        Args:
            command: the command's name.
            plan: what is carried out.

        Raises:
            UsageProblem: the place can't be a ledger.
            LedgerProblem: the folder that the ledger would be in can't be made.
        """
        from reconciler import __version__
        from reconciler.core.planfile import digest_of
        from reconciler.ledger.record import Run, run_id
        from reconciler.ledger.who import who
        from reconciler.operations.keeping import Keeping

        if self._location is None:
            try:
                self._make_state()
            except UsageProblem as problem:
                raise LedgerProblem(problem.summary, detail=problem.detail, hint=problem.hint) from None
        now = datetime.now(UTC)
        started = now.strftime("%Y-%m-%dT%H:%M:%SZ")
        digest = digest_of(plan, version=__version__)
        name = run_id(started, f"{now.microsecond // 1000:03x}{token_hex(3)}")  # those of one second sort by time too
        run = Run(name, command, started, who(self._environ), digest, plan.commit, plan.folder)
        callers = {
            (target.desired.access, target.target.region): self._sessions().caller(
                target.desired.access, target.target.region
            )
            for target in plan.planned
            if target.target.endpoint is None
        }
        return Keeping(self.ledger, run, lambda target: callers.get((target.access, target.target.region)))

    def notices(self) -> Callable[[Desired], tuple[Finding, ...]]:
        """What the ledger tells of a target before it is planned: an update that nobody has settled.

        Raises:
            UsageProblem: the place can't be a ledger.
        """
        ledger = self.ledger  # made here: its client is shared by the threads that ask
        return lambda desired: _notices(ledger, desired)

    def commit_of(self, desired: Iterable[Desired]) -> Commit | None:
        """The commit of the repository in which the documents are."""
        from reconciler.git import commit_of

        read = {
            origin.file
            for target in desired
            for origin in (target.origin, *(setting.origin for setting in target.settings.values()))
        }
        return commit_of(read, Path.cwd())


def _notices(ledger: Ledger, desired: Desired) -> tuple[Finding, ...]:
    from reconciler.ledger.record import key_of
    from reconciler.operations.outcomes import command

    try:
        opened = ledger.under_way(desired.target)
    except UNKEPT as problem:
        summary = f"whether an update is under way is not known: {problem.summary}"
        return (Finding("ledger-unread", summary, problem.detail, problem.hint),)
    if opened is None:
        return ()
    run = opened.intent.run
    with suppress(*UNKEPT):
        for found in ledger.leases.held():
            if found.key == key_of(desired.target):
                held = f"run {found.holder.run} holds this target"
                summary = f"{held}: it is at work, and what is live may move, or it died just now"
                detail = f"It is of {found.holder.who}, since {found.holder.since}."
                return (Finding("at-work", summary, detail, "plan again when it has ended"),)
    return (
        Finding(
            "under-way",
            f"run {run.id} sent an update, or was about to, and did not see its end",
            f"It was started at {run.started} by {run.who}.",
            f"settle it with: {command('apply --resume', desired.target)}; any apply of this target does that first",
        ),
    )
