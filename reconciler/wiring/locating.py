"""Where each document's target really is, and whether this run may plan it: region, references, endpoint, account."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from reconciler.core.model import EMBEDDED, Desired, FailureKind, TargetFailure
from reconciler.errors import Diagnostic, InputProblem, Origin, ServiceProblem, Severity, UsageProblem
from reconciler.wiring.choices import Connection, Follow

if TYPE_CHECKING:
    from reconciler.aws.session import Sessions
    from reconciler.config.desired import Loaded
    from reconciler.wiring.references import References

UNKNOWN_ACCOUNT = "unknown-account"
"""The code of the warning that nobody tells which account a target is in."""
UNCHECKED_ACCOUNT = "unchecked-account"
"""The code of the warning that nobody tells whether the credentials are of the account that the document writes."""


@dataclass(frozen=True, slots=True)
class Located:
    """The documents ready to be planned, or why one is not, in the order of the input; and warnings."""

    targets: tuple[Desired | TargetFailure, ...]
    warnings: tuple[Diagnostic, ...] = ()

    @property
    def desired(self) -> tuple[Desired, ...]:
        """The documents that are ready to be planned."""
        return tuple(target for target in self.targets if isinstance(target, Desired))

    @property
    def problems(self) -> tuple[Diagnostic, ...]:
        """What is wrong with those that are not, as far as it has a place."""
        failures = (target for target in self.targets if isinstance(target, TargetFailure))
        return tuple(problem for failure in failures for problem in failure.diagnostics)


class Locating:
    """Resolves documents and finds their targets; from the main thread only."""

    def __init__(self, connection: Connection, references: References, sessions: Callable[[], Sessions]) -> None:
        """Remember the choices.

        Args:
            connection: how to reach the service.
            references: what follows references.
            sessions: what reaches AWS; made when it is first needed.
        """
        self._connection = connection
        self._references = references
        self._sessions = sessions

    def locate(self, loaded: Loaded, follow: Follow) -> Located:
        """Resolve every document and say where its target really is.

        What is wrong with a document itself stops the run before anything is asked for; what its references point
        to, and whose credentials there are, concerns its own target alone.

        Args:
            loaded: the documents.
            follow: which references are followed.

        Raises:
            InputProblem: there are errors in the documents.
        """
        check = self._references.resolver.check
        problems = (*loaded.diagnostics, *(found for desired in loaded.desired for found in check(desired)))
        problems = (*problems, *self._elsewhere(loaded.desired))
        if not any(problem.severity is Severity.ERROR for problem in problems):
            problems = (*problems, *self.without_service(loaded))
        if any(problem.severity is Severity.ERROR for problem in problems):
            raise InputProblem(problems)
        self._ask_callers(loaded.desired)
        known = follow is not Follow.NOTHING  # whoever settles what others sent looks at the account later
        located = tuple(self._checked(desired) if known else self.located(desired) for desired in loaded.desired)
        warnings = (*problems, *self._unasked(located, loaded.desired))
        return Located(self._resolved(located, follow), warnings)

    def located(self, desired: Desired) -> Desired:
        """The document with its endpoint and account; what can't be asked stays unknown, and its read will tell."""
        target = desired.target
        if self._connection.emulator:
            from reconciler.emulator import EMULATOR_ACCOUNT

            return replace(desired, target=replace(target, endpoint=EMBEDDED, account=EMULATOR_ACCOUNT))
        try:
            endpoint = self._endpoint(desired)
            account = target.account
            if account is None and endpoint is None:
                account = self._sessions().account(desired.access, target.region)
        except ServiceProblem:
            return desired
        refuse_credentials(endpoint)
        return replace(desired, target=replace(target, endpoint=endpoint, account=account))

    def _endpoint(self, desired: Desired) -> str | None:
        target = desired.target
        return target.endpoint or self._sessions().configured_endpoint(desired.access, target.region)

    def _elsewhere(self, documents: Sequence[Desired]) -> tuple[Diagnostic, ...]:
        """Documents of another endpoint than the embedded backend."""
        return tuple(
            Diagnostic(
                Severity.ERROR,
                "contradicts-option",
                "The document and the command line say different things",
                "--emulator uses the embedded backend, and endpoint_url names another",
                "leave one of them out",
                desired.origin,
                target=desired.name,
            )
            for desired in documents
            if self._connection.emulator and desired.target.endpoint
        )

    def without_service(self, loaded: Loaded) -> tuple[Diagnostic, ...]:
        """Regions in which nobody would answer, which a read would only tell after its time is out; no network."""
        from reconciler.config.codes import problem

        hint = "look at the region; where it is newer than this botocore, upgrade that, or name --endpoint-url"
        served: dict[str, bool] = {}
        found: dict[Origin, Diagnostic] = {}
        for desired in () if self._connection.emulator else loaded.desired:
            region, given = desired.target.region, loaded.given[desired.name]["region"]
            place = given.origin or desired.origin
            if place not in found and not self._serves(desired, served):
                detail = region if given.origin else f"{region}, from {given.where}"
                found[place] = problem("region-without-service", place, detail, hint=hint, target=desired.name)
        return tuple(found.values())

    def _serves(self, desired: Desired, served: dict[str, bool]) -> bool:
        """Whether somebody would answer; ``served`` remembers of which regions botocore knows it."""
        region = desired.target.region
        try:
            if self._endpoint(desired) is not None:
                return True
            if region not in served:
                served[region] = self._sessions().serves(desired.access, region)
        except ServiceProblem:
            return True  # its read will tell what is wrong
        return served[region]

    def _resolved(
        self, targets: Sequence[Desired | TargetFailure], follow: Follow
    ) -> tuple[Desired | TargetFailure, ...]:
        """The targets with their references followed; of those that have failed nothing is asked for."""
        if follow is Follow.NOTHING:
            return tuple(targets)
        good = [target for target in targets if isinstance(target, Desired)]
        found = iter(self._references.resolve(good, secrets=follow is Follow.ALL))
        return tuple(
            target if isinstance(target, TargetFailure) else _failed_if_wrong(*next(found)) for target in targets
        )

    def _ask_callers(self, documents: Sequence[Desired]) -> None:
        """Ask STS once for each way of access, for all at once: one after another they would take a fleet's time."""
        if self._connection.emulator:
            return
        ways = {}
        for desired in documents:
            if desired.access not in ways:
                try:
                    if self._endpoint(desired) is None:
                        ways[desired.access] = desired.target.region
                except ServiceProblem:
                    continue
        self._sessions().ask_callers(tuple(ways.items()))

    def _checked(self, written: Desired) -> Desired | TargetFailure:
        """The document's target, unless these credentials are of another account than it is in."""
        try:
            located = self.located(written)
        except UsageProblem as problem:  # of an endpoint that its profile names
            return TargetFailure(
                written.name, written.target, FailureKind.INPUT, problem.summary, problem.detail, problem.hint
            )
        account = located.target.account
        caller = self._caller(located)
        if caller is None or caller == account:
            return located
        return TargetFailure(
            located.name,
            written.target,
            FailureKind.ACCESS,
            f"these credentials are not of account {account}, where the target is",
            f"they are of {caller}",
            "use the account's credentials: name a profile or a role, or mend 'account'",
        )

    def _caller(self, desired: Desired) -> str | None:
        """The account of the credentials that a target is reached with; None where there is none, or nobody tells."""
        if desired.target.endpoint is not None:
            return None
        try:
            return self._sessions().account(desired.access, desired.target.region)
        except ServiceProblem:
            return None

    def _unasked(
        self, located: Sequence[Desired | TargetFailure], written: Sequence[Desired]
    ) -> tuple[Diagnostic, ...]:
        """Warnings of accounts that STS did not tell: one for all targets of which the same is not known."""
        unasked: dict[str, list[Desired]] = {}
        for target, document in zip(located, written, strict=True):
            if isinstance(target, Desired) and self._is_unasked(target):
                code = UNKNOWN_ACCOUNT if document.target.account is None else UNCHECKED_ACCOUNT
                unasked.setdefault(code, []).append(target)
        return tuple(_of_account(code, targets) for code, targets in unasked.items())

    def _is_unasked(self, desired: Desired) -> bool:
        """Whether STS was asked and did not tell; where nobody can be asked its read will tell why."""
        if desired.target.endpoint is not None:
            return False
        try:
            return self._sessions().account(desired.access, desired.target.region) is None
        except ServiceProblem:
            return False


def _of_account(code: str, targets: Sequence[Desired]) -> Diagnostic:
    others = f"; so it is for {len(targets) - 1} more targets" if len(targets) > 1 else ""
    if code == UNKNOWN_ACCOUNT:
        summary, why = "The AWS account is not known", "It is not in the document, and STS did not tell"
        hint = "write 'account' into the document"
    else:
        summary, why = "Whose credentials these are is not known", "STS did not tell whether they are of the account"
        hint = "let STS be reached; until then apply sends nothing"
    first = targets[0]
    return Diagnostic(Severity.WARNING, code, summary, why + others, hint, first.origin, target=first.name)


def refuse_credentials(endpoint: str | None) -> None:
    """An endpoint stands in plans and in the ledger.

    Raises:
        UsageProblem: it has a user or a password in it.
    """
    if endpoint is not None and "@" in endpoint.partition("://")[2].partition("/")[0]:
        hint = "leave them out: an endpoint is written into plans and into the ledger"
        raise UsageProblem("The endpoint has a user and a password in it", hint=hint)


def _failed_if_wrong(desired: Desired, problems: tuple[Diagnostic, ...]) -> Desired | TargetFailure:
    """A target, or why it can't be planned where its references have no good value."""
    from reconciler.core.sources import DENIED

    if not problems:
        return desired
    denied = any(found.code == DENIED for found in problems)
    return TargetFailure(
        desired.name,
        desired.target,
        FailureKind.ACCESS if denied else FailureKind.INPUT,
        "its references can't be followed",
        diagnostics=problems,
    )
