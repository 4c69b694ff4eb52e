"""From plain data to gateways, resolver and documents."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

from reconciler.core.model import EMBEDDED, Access, Desired, Target
from reconciler.errors import Diagnostic, InputProblem, ServiceProblem, Severity, UsageProblem
from reconciler.wiring.bookkeeping import Bookkeeping
from reconciler.wiring.choices import Connection, Follow, Selection, guards, selected
from reconciler.wiring.recorded import Recorded
from reconciler.wiring.references import References, Resolved

if TYPE_CHECKING:
    from reconciler.aws.amplify import Reader, Writer
    from reconciler.aws.session import Sessions, Transport
    from reconciler.config.desired import Loaded
    from reconciler.core.sources import SecretProvider
    from reconciler.emulator import Emulator

STATE_FOLDER = ".reconciler"
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
        parallelism: int = 1,
    ) -> None:
        """Remember the choices.

        Args:
            connection: how to reach the service.
            first_path: where the project is looked for.
            environ: the environment; the process's own by default.
            parallelism: the most targets under way at once.

        Raises:
            UsageProblem: the choices exclude one another.
        """
        if connection.emulator and connection.endpoint_url:
            raise UsageProblem("--emulator and --endpoint-url exclude one another", hint="give one of them")
        _refuse_credentials(connection.endpoint_url)
        self._connection = connection
        self._first_path = first_path
        self._environ = os.environ if environ is None else environ
        self._parallelism = parallelism

    @property
    def environ(self) -> Mapping[str, str]:
        """The environment."""
        return self._environ

    @property
    def embedded(self) -> bool:
        """Whether the embedded backend is used."""
        return self._connection.emulator

    # --- where things are --------------------------------------------------------------------

    @cached_property
    def project_root(self) -> Path:
        """Beside the nearest ``reconciler.yaml``, else the top of the work tree, else the current folder."""
        from reconciler.config.desired import project_root

        return project_root(self._first_path)

    @property
    def state_path(self) -> Path:
        """Where the folder of what we keep is, or would be."""
        named = self._connection.state_dir
        return Path(named) if named else self.project_root / STATE_FOLDER

    def state_folder(self) -> Path:
        """The folder of what we keep; made, and ignored by git, when it is not there."""
        folder = self.state_path
        try:
            folder.mkdir(parents=True, exist_ok=True, mode=0o700)
            ignore = folder / ".gitignore"
            if not ignore.exists():
                with os.fdopen(os.open(ignore, os.O_WRONLY | os.O_CREAT, 0o600), "w", encoding="utf-8") as file:
                    file.write("*\n")
        except OSError as problem:
            raise UsageProblem(
                f"{folder} can't be written: {problem.strerror}", hint="name another folder with --state-dir"
            ) from None
        return folder

    @cached_property
    def emulator(self) -> Emulator:
        """The embedded backend over its own state."""
        from reconciler.emulator import Emulator, StateError

        try:
            return Emulator(self.state_folder() / "emulator" / "state.sqlite")
        except StateError as problem:
            raise UsageProblem(str(problem), hint="remove the file to begin anew") from None

    @cached_property
    def books(self) -> Bookkeeping:
        """The way to the ledger."""
        return Bookkeeping(
            self._connection,
            self._environ,
            self.project_root,
            self.state_path,
            make_state=self.state_folder,
            sessions=lambda: self.sessions,
            references=self.references,
            region=self._default_region,
        )

    @cached_property
    def recorded(self) -> Recorded:
        """What holds targets of the ledger and of saved plans against this run."""
        return Recorded(self._connection, self.books, lambda: self.sessions)

    # --- documents ---------------------------------------------------------------------------

    @property
    def folder(self) -> str:
        """The current folder, relative to the project's root."""
        return os.path.relpath(Path.cwd(), self.project_root)

    @cached_property
    def references(self) -> References:
        """What follows the references of documents and plans."""
        return References(self._environ, self.project_root, self._secrets)

    def _secrets(self) -> SecretProvider:
        """What fetches from SSM and Secrets Manager, which the embedded backend is not: with the user's credentials."""
        from reconciler.aws.secrets import AwsSecrets
        from reconciler.aws.session import Sessions

        sessions = Sessions(self._transport) if self._connection.emulator else self.sessions
        return AwsSecrets(sessions, parallelism=max(self._parallelism, _FETCHES))

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
        from reconciler.config.desired import Defaults, load

        guards(selection.allow)
        defaults = Defaults(
            region=self._connection.region,
            profile=self._connection.profile,
            endpoint_url=self._connection.endpoint_url,
            region_of=self._region_of if network else None,
        )
        loaded = load(
            paths,
            defaults=defaults,
            environ={} if self._connection.emulator else self._environ,
            stdin=stdin,
            resolve=network,
            root=self.project_root,
            expand_text=self.references.resolver.expand_text,
        )
        return replace(loaded, desired=selected(loaded.desired, selection, whole=not loaded.errors))

    def check(self, loaded: Loaded) -> tuple[Diagnostic, ...]:
        """Every problem that can be found without following a reference."""
        resolver = self.references.resolver
        return (*loaded.diagnostics, *(found for desired in loaded.desired for found in resolver.check(desired)))

    def locate(self, loaded: Loaded, follow: Follow = Follow.ALL) -> tuple[tuple[Desired, ...], tuple[Diagnostic, ...]]:
        """Resolve every document and say where its target really is.

        Args:
            loaded: the documents.
            follow: which references are followed.

        Returns:
            The documents ready to be planned, and warnings.

        Raises:
            InputProblem: there are errors, in the documents or in what their references point to.
        """
        resolved: tuple[Resolved, ...] = tuple((desired, ()) for desired in loaded.desired)
        if follow is not Follow.NOTHING:
            resolved = self.references.resolve(loaded.desired, secrets=follow is Follow.ALL)
        elsewhere = tuple(
            Diagnostic(
                Severity.ERROR,
                "contradicts-option",
                "The document and the command line say different things",
                "--emulator uses the embedded backend, and endpoint_url names another",
                "leave one of them out",
                desired.origin,
                target=desired.name,
            )
            for desired in loaded.desired
            if self._connection.emulator and desired.target.endpoint
        )
        problems = (*loaded.diagnostics, *elsewhere, *(problem for _, found in resolved for problem in found))
        if any(problem.severity is Severity.ERROR for problem in problems):
            raise InputProblem(problems)
        located = tuple(self._located(desired) for desired, _ in resolved)
        unknown = tuple(
            Diagnostic(
                Severity.WARNING,
                "unknown-account",
                "The AWS account is not known",
                "It is not in the document, and STS did not tell",
                "write 'account' into the document",
                desired.origin,
                target=desired.name,
            )
            for desired in located
            if desired.target.account is None and desired.target.endpoint is None
        )
        return located, (*problems, *unknown)

    def _located(self, desired: Desired) -> Desired:
        """The document with its endpoint and account; what can't be asked stays unknown, and its read will tell."""
        target = desired.target
        if self._connection.emulator:
            from reconciler.emulator import EMULATOR_ACCOUNT

            return replace(desired, target=replace(target, endpoint=EMBEDDED, account=EMULATOR_ACCOUNT))
        try:
            endpoint = target.endpoint or self.sessions.configured_endpoint(desired.access, target.region)
            account = target.account
            if account is None and endpoint is None:
                account = self.sessions.account(desired.access, target.region)
        except ServiceProblem:
            return desired
        _refuse_credentials(endpoint)
        return replace(desired, target=replace(target, endpoint=endpoint, account=account))

    def _default_region(self) -> str | None:
        """The region of what names none itself."""
        return (
            self._connection.region
            or self._environ.get("AWS_REGION")
            or self._environ.get("AWS_DEFAULT_REGION")
            or self._region_of(self._connection.profile)
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
            connections=max(self._parallelism, _FETCHES),
        )

    def reader_of(self, desired: Desired) -> Reader:
        """The gateway of a target that only reads."""
        access, endpoint = self._way_to(desired)
        return self.sessions.reader(access, desired.target.region, endpoint)

    def writer_of(self, desired: Desired) -> Writer:
        """The gateway of a target that can update."""
        access, endpoint = self._way_to(desired)
        return self.sessions.writer(access, desired.target.region, endpoint)

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
        access = Access(profile=connection.profile)
        return self._located(Desired(f"{resource}-{environment}", target, access, {}, Origin("-", 1, 1)))


def _refuse_credentials(endpoint: str | None) -> None:
    """An endpoint stands in plans and in the ledger.

    Raises:
        UsageProblem: it has a user or a password in it.
    """
    if endpoint is not None and "@" in endpoint.partition("://")[2].partition("/")[0]:
        hint = "leave them out: an endpoint is written into plans and into the ledger"
        raise UsageProblem("The endpoint has a user and a password in it", hint=hint)
