"""From plain data to gateways, resolver and documents."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from functools import cached_property
from typing import TYPE_CHECKING

from reconciler.core.model import Access, Desired, Plan, Target, TargetPlan
from reconciler.errors import Diagnostic, InputProblem, PlanRefused, ServiceProblem, UsageProblem
from reconciler.wiring.bookkeeping import Bookkeeping
from reconciler.wiring.choices import Connection, Follow, Selection, guards, selected
from reconciler.wiring.locating import Located, Locating, refuse_credentials
from reconciler.wiring.notifying import Notifying
from reconciler.wiring.place import Place
from reconciler.wiring.recorded import Recorded
from reconciler.wiring.references import References

if TYPE_CHECKING:
    from reconciler.aws.amplify import Reader, Writer
    from reconciler.aws.session import Sessions, Transport
    from reconciler.config.desired import Defaults, Loaded
    from reconciler.core.permissions import Needs
    from reconciler.core.sources import SecretProvider
    from reconciler.emulator import Emulator
    from reconciler.operations.jobs import Waiting
    from reconciler.operations.plan import Base

PARALLELISM = 8
"""The most targets under way at once where nobody says otherwise."""
_FETCHES = 10
"""The least that may be fetched from AWS at once: a fetch is one small answer."""


class Services:
    """Everything that a command works with, made when it is first needed."""

    def __init__(
        self,
        connection: Connection,
        *,
        first_path: str = ".",
        environ: Mapping[str, str] | None = None,
        parallelism: int | None = None,
    ) -> None:
        """Remember the choices.

        Args:
            connection: how to reach the service.
            first_path: where the project is looked for.
            environ: the environment; the process's own by default.
            parallelism: the most targets under way at once; by default what the project file says.

        Raises:
            UsageProblem: the choices exclude one another.
        """
        if connection.emulator and connection.endpoint_url:
            raise UsageProblem("--emulator and --endpoint-url exclude one another", hint="give one of them")
        refuse_credentials(connection.endpoint_url)
        self._connection = connection
        self.place = Place(first_path, connection.state_dir)
        self._environ = os.environ if environ is None else environ
        if parallelism is not None and parallelism < 1:
            raise UsageProblem("At least one target is under way at once", hint="give a parallelism of 1 or more")
        self._parallelism = parallelism
        self._read: dict[tuple[str, str, str], Desired] = {}

    @property
    def environ(self) -> Mapping[str, str]:
        """The environment."""
        return self._environ

    @property
    def embedded(self) -> bool:
        """Whether the embedded backend is used."""
        return self._connection.emulator

    # --- what the command works with ----------------------------------------------------------

    def waiting(self) -> Waiting:
        """How long to wait, as far as the project file says."""
        from reconciler.operations.jobs import Waiting

        said, default = self.place.project, Waiting()
        return Waiting(
            default.poll_interval if said.poll_interval is None else said.poll_interval,
            default.job_timeout if said.job_timeout is None else said.job_timeout,
        )

    @property
    def parallelism(self) -> int:
        """The most targets under way at once: the command's, else the project's."""
        return self._parallelism or self.place.read[0].parallelism or PARALLELISM

    @cached_property
    def emulator(self) -> Emulator:
        """The embedded backend over its own state."""
        from reconciler.emulator import Emulator, StateError

        try:
            return Emulator(self.place.state_folder() / "emulator" / "state.sqlite")
        except StateError as problem:
            raise UsageProblem(str(problem), hint="remove the file to begin anew") from None

    @cached_property
    def books(self) -> Bookkeeping:
        """The way to the ledger."""
        return Bookkeeping(
            self._connection,
            self._environ,
            self.place.root,
            lambda: self.place.project,
            self.place.state_path,
            make_state=self.place.state_folder,
            sessions=lambda: self.sessions,
            references=self.references,
            profile=self._default_profile,
            region=self._default_region,
        )

    @cached_property
    def notifying(self) -> Notifying:
        """The webhooks that drift tells."""
        return Notifying(
            lambda: self.place.project,
            self.references,
            embedded=self._connection.emulator,
            profile=self._default_profile,
            region=self._default_region,
        )

    @cached_property
    def recorded(self) -> Recorded:
        """What holds targets of the ledger and of saved plans against this run."""
        return Recorded(self._connection, self.books, lambda: self.sessions)

    # --- documents ---------------------------------------------------------------------------

    @cached_property
    def references(self) -> References:
        """What follows the references of documents and plans."""
        env_names = self.place.read[0].env_names
        return References(self._environ, self.place.root, self._secrets, env_names)

    def _secrets(self) -> SecretProvider:
        """What fetches from SSM and Secrets Manager, which the embedded backend is not: with the user's credentials."""
        from reconciler.aws.secrets import AwsSecrets
        from reconciler.aws.session import Sessions

        sessions = Sessions(self._transport) if self._connection.emulator else self.sessions
        return AwsSecrets(sessions, parallelism=max(self.parallelism, _FETCHES))

    def load(self, paths: Sequence[str], selection: Selection, *, stdin: Callable[[], bytes], network: bool) -> Loaded:
        """Read and check documents.

        Args:
            paths: files, folders, or ``-``.
            selection: which targets, and which guards may pass.
            stdin: reads standard input.
            network: False for checks that touch no network and resolve no references.

        Raises:
            UsageProblem: a pattern matches no target, or a guard's name is not known.
        """
        from reconciler.config.desired import load

        guards(selection.allow)
        project, problems = self.place.read
        loaded = load(
            paths,
            defaults=self._defaults(network=network),
            environ=self._region_environ,
            stdin=stdin,
            resolve=network,
            root=self.place.root,
            expand_text=self.references.resolver.expand_text,
            project=project,
        )
        if problems:  # what documents lack may be in what could not be read
            found = (one for one in loaded.diagnostics if one.code not in {"no-region", "no-account"})
            loaded = replace(loaded, diagnostics=(*problems, *found))
        self._read |= {document.identity: document for document in loaded.desired}
        return replace(loaded, desired=selected(loaded.desired, selection, whole=not loaded.errors))

    def _defaults(self, *, network: bool) -> Defaults:
        """What the command line gives to documents that leave it out."""
        from reconciler.config.desired import Defaults

        return Defaults(
            region=self._connection.region,
            profile=self._connection.profile,
            endpoint_url=self._connection.endpoint_url,
            region_of=self._region_of if network else None,
        )

    @property
    def _region_environ(self) -> Mapping[str, str]:
        """Where the region of documents that name none is looked up."""
        return {} if self._connection.emulator else self._environ

    def base(self, name: str, paths: Sequence[str], desired: Sequence[Desired]) -> Base:
        """The documents as they were.

        Args:
            name: a commit, or :data:`LAST_APPLIED`.
            paths: what was named.
            desired: the documents of now.

        Raises:
            UsageProblem: there is no such commit, or git can't be asked.
            InputProblem: there are errors in the documents of then.
            LedgerProblem: the ledger can't be read.
        """
        from reconciler.wiring.base import LAST_APPLIED, Reading, at_commit, last_applied

        if name == LAST_APPLIED:
            return last_applied(self.books.ledger, desired, parallelism=self.parallelism)
        place = self.place
        defaults = self._defaults(network=True)
        reading = Reading(defaults, self._region_environ, place.root, place.project, self.references)
        return at_commit(name, paths, desired, reading)

    def railed(self, plan: Plan) -> Plan:
        """A plan with what the project file of now puts in its way; the plan itself where that is nothing more.

        A plan that was saved, and a way back, may have a name and labels that the document of now no longer has: it
        is that of now that counts, wherever in the project it is, and the plan's own where there is none any more.

        Raises:
            InputProblem: the project file has errors.
            PlanRefused: what its rails go by can't be told of a target.
        """
        from reconciler.core.rails import railed

        project = self.place.project
        now = self._as_now(plan) if project.rails_by_document else {}

        def seen(target: TargetPlan) -> TargetPlan:
            known = now.get(target.desired.identity, target.desired)
            return railed(target, project.rails_for(known.name, known.labels))

        targets = tuple(seen(target) if isinstance(target, TargetPlan) else target for target in plan.targets)
        same = all(new is old for new, old in zip(targets, plan.targets, strict=True))
        return plan if same else replace(plan, targets=targets)

    def _as_now(self, plan: Plan) -> Mapping[tuple[str, str, str], Desired]:
        """What describes each target of a plan now: what this run has read, else what is in the project.

        Raises:
            PlanRefused: the documents of now have errors, so that nobody knows what they say of a target.
        """
        missing = {target.desired.identity for target in plan.planned} - self._read.keys()
        if not missing:
            return self._read
        made_in = self.place.root / plan.folder
        own = {made_in / target.desired.origin.file for target in plan.planned}
        paths = [self.place.root, *(path for path in own if path.is_file())]
        loaded = self.load([os.path.relpath(path) for path in paths], Selection(), stdin=bytes, network=True)
        if loaded.errors and not missing <= self._read.keys():
            summary = "The project's rails go by names and labels, and its documents have errors"
            hint = "'reconciler validate' tells them: mend them first"
            raise PlanRefused(summary, detail=str(loaded.errors[0]), hint=hint)
        return self._read

    def check(self, loaded: Loaded) -> tuple[Diagnostic, ...]:
        """Every problem that can be found without following a reference."""
        resolver = self.references.resolver
        return (*loaded.diagnostics, *(found for desired in loaded.desired for found in resolver.check(desired)))

    def locate(self, loaded: Loaded, follow: Follow = Follow.ALL) -> Located:
        """Resolve every document and say where its target really is: see :meth:`Locating.locate`."""
        return self._locating.locate(loaded, follow)

    def configured_endpoint(self, desired: Desired) -> str | None:
        """Another endpoint that the environment or the target's profile configures; None where nobody can tell."""
        try:
            return self.sessions.configured_endpoint(desired.access, desired.target.region)
        except ServiceProblem:
            return None

    def check_reach(self, loaded: Loaded) -> tuple[Diagnostic, ...]:
        """What can be told, without any network, of whether targets can be reached."""
        return self._locating.without_service(loaded)

    def needs(self, documents: tuple[Desired, ...], *, secrets: bool) -> Needs:
        """What a run of documents works with, for its permissions; no reference is followed.

        Args:
            documents: those that are meant.
            secrets: False where references in secret fields stay as they are.
        """
        from reconciler.core.permissions import Fetch, Needs

        fetches = [
            Fetch(source, desired.target.account)
            for desired in documents
            for source in self.references.resolver.sources(desired, secrets=secrets)
        ]
        fetches += [Fetch(source) for source in (*self.books.sources(), *self.notifying.sources())]
        return Needs(documents, tuple(fetches), self.books.bucket())

    @cached_property
    def _locating(self) -> Locating:
        return Locating(self._connection, self.references, lambda: self.sessions)

    def _of_project(self, key: str) -> str | None:
        """What the project file says for all targets, its references followed.

        Raises:
            InputProblem: it has errors, or a reference of it has no value.
        """
        from reconciler.config.texts import Texts

        project = self.place.project
        entry = project.entries.get(key)
        if entry is None or project.source is None:
            return None
        texts = Texts({project.source.name: project.source}, self.references.resolver.expand_text)
        said = texts.read(key, entry.node)
        if texts.problems:
            raise InputProblem(tuple(texts.problems))
        return said

    def _default_profile(self) -> str | None:
        """The profile of what names none itself."""
        return self._connection.profile or (None if self._connection.emulator else self._of_project("profile"))

    def _default_region(self) -> str | None:
        """The region of what names none itself."""
        return (
            self._connection.region
            or self._of_project("region")
            or self._environ.get("AWS_REGION")
            or self._environ.get("AWS_DEFAULT_REGION")
            or self._region_of(self._default_profile())
        )

    def _region_of(self, profile: str | None) -> str | None:
        if self._connection.emulator:
            from reconciler.emulator import EMULATOR_REGION

            return EMULATOR_REGION
        try:
            return self.sessions.region_of(profile)
        except ServiceProblem:
            return None

    # --- the service -------------------------------------------------------------------------

    @cached_property
    def sessions(self) -> Sessions:
        """Sessions and clients; from the main thread only."""
        from reconciler.aws.session import Sessions

        if not self._connection.emulator:
            return Sessions(self._transport, known=self.references.known)
        from reconciler.emulator import EMULATOR_ACCESS_KEY, EMULATOR_SECRET_KEY, attach

        hooked = replace(self._transport, hook=lambda events: attach(events, self.emulator))
        return Sessions(hooked, credentials=(EMULATOR_ACCESS_KEY, EMULATOR_SECRET_KEY), known=self.references.known)

    @property
    def _transport(self) -> Transport:
        from reconciler.aws.session import Transport

        connection = self._connection
        return Transport(
            ca_bundle=connection.ca_bundle,
            read_timeout=connection.read_timeout,
            connect_timeout=connection.connect_timeout,
            connections=max(self.parallelism, _FETCHES),
        )

    def reader_of(self, desired: Desired) -> Reader:
        """The gateway of a target that only reads."""
        access, endpoint = self._way_to(desired)
        target = desired.target
        return self.sessions.reader(access, target.region, endpoint, account=target.account)

    def writer_of(self, desired: Desired) -> Writer:
        """The gateway of a target that can update."""
        access, endpoint = self._way_to(desired)
        target = desired.target
        return self.sessions.writer(access, target.region, endpoint, account=target.account)

    def _way_to(self, desired: Desired) -> tuple[Access, str | None]:
        if self._connection.emulator:
            return Access(), None
        return desired.access, desired.target.endpoint

    def target(self, app: str, environment: str, resource: str) -> Desired:
        """A target that is named on the command line and manages nothing.

        Raises:
            UsageProblem: no region is given or configured.
        """
        from reconciler.errors import Origin

        connection = self._connection
        region = self._default_region()
        if not region:
            raise UsageProblem("No region is given", hint="give --region, or set AWS_DEFAULT_REGION")
        target = Target(app, environment, resource, region, endpoint=connection.endpoint_url)
        access = Access(profile=self._default_profile())
        return self._locating.located(Desired(f"{resource}-{environment}", target, access, {}, Origin("-", 1, 1)))
