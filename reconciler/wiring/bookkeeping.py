"""The way to the ledger: where it is, who writes into it, and what it tells before a plan."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from contextlib import suppress
from datetime import UTC, datetime
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

from reconciler.core.model import Access, Commit, Desired, Finding, Plan, TargetPlan
from reconciler.errors import UNKEPT, InputProblem, LedgerProblem, UsageProblem

if TYPE_CHECKING:
    from reconciler.aws.session import Sessions
    from reconciler.config.project import Project
    from reconciler.core.permissions import Bucket
    from reconciler.core.proof import Key
    from reconciler.core.sources import Source
    from reconciler.ledger.ledger import Ledger, Opened
    from reconciler.operations.keeping import Keeping
    from reconciler.operations.plan import Remembered
    from reconciler.wiring.choices import Connection
    from reconciler.wiring.references import References

LEDGER_VARIABLE = "RECONCILER_LEDGER"


class Bookkeeping:
    """The ledger of one command, found when it is first needed."""

    def __init__(
        self,
        connection: Connection,
        environ: Mapping[str, str],
        project_root: Path,
        project: Callable[[], Project],
        state_path: Path,
        *,
        make_state: Callable[[], Path],
        sessions: Callable[[], Sessions],
        references: References,
        profile: Callable[[], str | None],
        region: Callable[[], str | None],
    ) -> None:
        """Remember where to look.

        Args:
            connection: what the command line says.
            environ: the environment.
            project_root: where the project file would be.
            project: what that file says.
            state_path: where the folder of what we keep is, or would be.
            make_state: makes that folder.
            sessions: what reaches AWS.
            references: what follows the reference to the key.
            profile: the profile whose credentials reach the ledger and its key.
            region: the region of a reference that names none.
        """
        self._connection = connection
        self._environ = environ
        self._project_root = project_root
        self._project = project
        self._state_path = state_path
        self._make_state = make_state
        self._sessions = sessions
        self._references = references
        self._profile = profile
        self._region = region

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
        from reconciler.core.store import is_address

        written = self._project().ledger
        return written if written is None or is_address(written) else str(self._project_root / written)

    @cached_property
    def key(self) -> Key | None:
        """The key of the secrets' fingerprints: from the environment, else from where the project file says.

        Like the ledger, that of the embedded backend is no project's.

        Raises:
            UsageProblem: it is too short, or kept in the project or in the ledger.
            InputProblem: its reference has no value.
        """
        from reconciler.core.secret import Secret
        from reconciler.wiring.ledgerkey import KEY_VARIABLE, followed, usable

        given = self._environ.get(KEY_VARIABLE)
        if given:
            return usable(Secret(given), KEY_VARIABLE)
        written = None if self._connection.emulator else self._project().ledger_key
        if written is None:
            return None
        kept = [self._project_root, *([] if self.shared else [Path(self.ledger.name)])]
        secret = followed(written, kept, self._references, profile=self._profile(), region=self._region())
        return usable(secret, f"ledger_key in {written.origin}")

    def bucket(self) -> Bucket | None:
        """Where the shared ledger is in S3; None where the ledger is a folder.

        Raises:
            UsageProblem: the place can't be a ledger.
        """
        from reconciler.core.permissions import Bucket
        from reconciler.core.store import parse_location

        return None if self.shared is None else Bucket(*parse_location(self.shared), self._region())

    def sources(self) -> tuple[Source, ...]:
        """What the key is fetched from at AWS: nothing where the environment has it."""
        from reconciler.secrets import Way
        from reconciler.wiring.ledgerkey import KEY_VARIABLE

        written = None if self._environ.get(KEY_VARIABLE) else self._project().ledger_key
        if written is None:
            return ()
        way = Way(Access(profile=self._profile()), self._region() or "")
        return tuple(self._references.resolver.sources_of(written.template, way))

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
            from secrets import token_hex

            from reconciler.ledger.heartbeat import StoreLeases

            store = self._sessions().store(Access(profile=self._profile()), self.shared)
            return Ledger(store, StoreLeases(store, token=lambda: token_hex(16)))
        named = self._location
        own = self._state_path / "emulator" if self._connection.emulator else self._state_path
        folder = Path(named) if named else own / "ledger"
        return Ledger(FolderStore(folder), FileLeases(folder / "locks"))

    def found_in_sync(self, plan: Plan, *, parallelism: int) -> None:
        """Record the targets of an apply to which nothing is sent, where the ledger has another state of them.

        Without it ``last-applied`` would go on meaning a state that git has left.

        Args:
            plan: what was planned, of which those count that don't change.
            parallelism: the most targets that are looked up or recorded at once.

        Raises:
            LedgerProblem: the ledger can't be read or written.
        """
        from reconciler.core.model import Outcome, OutcomeKind
        from reconciler.operations.fleet import for_each
        from reconciler.wiring.base import known_otherwise

        targets = [target for target in plan.planned if not target.changes and not target.unresolved]
        documents = [target.desired for target in targets]
        names = {document.name for document in known_otherwise(self.ledger, documents, parallelism=parallelism)}
        if not names:
            return
        keeping = self.keeping("apply", plan, sends=False)

        def record(target: TargetPlan) -> None:
            outcome = Outcome(target.name, target.target, OutcomeKind.UNCHANGED)
            keeping.record(target, outcome, datetime.now(UTC), 0.0)

        for_each([target for target in targets if target.name in names], record, parallelism=parallelism)
        if keeping.broken:
            raise keeping.broken[0]

    def keeping(self, command: str, plan: Plan, *, sends: bool = True) -> Keeping:
        """One run's way to the ledger, with the AWS identities that the plan's targets are reached with.

        Args:
            command: the command's name.
            plan: what is carried out.
            sends: False where it only settles what others sent: that needs no key.

        Raises:
            UsageProblem: the place can't be a ledger, or the key can't be used.
            InputProblem: the key's reference has no value.
            LedgerProblem: the folder that the ledger would be in can't be made.
        """
        from secrets import token_hex

        from reconciler.core.planfile import digest_of
        from reconciler.ledger.record import Run, run_id
        from reconciler.ledger.who import who
        from reconciler.operations.keeping import Keeping
        from reconciler.version import __version__

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
        needs = any(target.secrets and (target.changes or target.unresolved) for target in plan.planned)
        key = self.key if sends and needs else None
        return Keeping(self.ledger, run, lambda target: callers.get((target.access, target.target.region)), key)

    def remembered(self, documents: Iterable[Desired]) -> Callable[[Desired], Remembered]:
        """What the ledger tells of a target before it is planned: an update that nobody has settled, and its secrets.

        Args:
            documents: what is planned, its references resolved; the key is looked for where one of them has secrets.

        Raises:
            UsageProblem: the place can't be a ledger, or the key can't be used.
        """
        from reconciler.core.secret import Secret

        ledger = self.ledger  # made here: its client is shared by the threads that ask
        resolved = any(isinstance(one.value, Secret) for desired in documents for one in desired.settings.values())
        key, lost = None, tuple[Finding, ...]()
        try:
            key = self.key if resolved else None
        except InputProblem as problem:
            lost = tuple(
                Finding("ledger-key-missing", "the ledger's key can't be had", found.detail, found.hint, found.origin)
                for found in problem.diagnostics
            )
        return lambda desired: _remembered(ledger, key, lost, desired)

    def commit_of(self, desired: Iterable[Desired]) -> Commit | None:
        """The commit of the repository in which the documents are."""
        from reconciler.git import commit_of

        read = {
            origin.file
            for target in desired
            for origin in (target.origin, *(setting.origin for setting in target.settings.values()))
        }
        return commit_of(read, Path.cwd())


def _remembered(ledger: Ledger, key: Key | None, lost: tuple[Finding, ...], desired: Desired) -> Remembered:
    from reconciler.core.fields import HIDEABLE
    from reconciler.core.proof import Proofs
    from reconciler.operations.plan import Remembered

    try:
        known = ledger.known(desired.target)
    except UNKEPT as problem:
        summary = f"whether an update is under way is not known: {problem.summary}"
        notice = Finding("ledger-unread", summary, problem.detail, problem.hint)
        return Remembered((*lost, notice), Proofs(key=key, hidden=HIDEABLE, unread=True))
    notices = () if known.opened is None else _notices(ledger, known.opened, desired)
    return Remembered((*lost, *notices), Proofs(known.left.proven, key, known.left.hidden))


def _notices(ledger: Ledger, opened: Opened, desired: Desired) -> tuple[Finding, ...]:
    from reconciler.ledger.record import key_of
    from reconciler.operations.outcomes import command

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
