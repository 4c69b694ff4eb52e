"""Targets that the ledger or a saved plan names: whether this run means them, may reach them, and how."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import TYPE_CHECKING

from reconciler.core.model import EMBEDDED, Desired, Plan, Target
from reconciler.errors import AccessProblem

if TYPE_CHECKING:
    from reconciler.aws.session import Sessions
    from reconciler.wiring.bookkeeping import Bookkeeping
    from reconciler.wiring.choices import Connection


class Recorded:
    """Holds what was recorded or saved against what this run would reach."""

    def __init__(self, connection: Connection, books: Bookkeeping, sessions: Callable[[], Sessions]) -> None:
        """Remember the choices; ``sessions`` reach AWS, and are made when they are first needed."""
        self._connection = connection
        self._books = books
        self._sessions = sessions

    def covers(self, target: Target) -> bool:
        """Whether the command line leaves a target of the ledger in: its backend, its endpoint and its region."""
        connection = self._connection
        return (
            (target.endpoint == EMBEDDED) == connection.emulator
            and connection.endpoint_url in {None, target.endpoint}
            and connection.region in {None, target.region}
        )

    def reached(self, desired: Desired) -> Desired:
        """A document of the ledger with this run's own way of access.

        Whoever applied it may have used another profile, on another machine: the command line's comes first, and
        the recorded one counts where it exists here.
        """
        if self._connection.emulator:
            return desired
        recorded = desired.access.profile if desired.access.profile in self._sessions().profiles() else None
        return replace(desired, access=replace(desired.access, profile=self._connection.profile or recorded))

    def check_account(self, desired: Desired, written: str | None = None) -> None:
        """Refuse credentials of another account than a target's: there, nothing of it would be found.

        Args:
            desired: a target of the ledger.
            written: the account that its document names now, which is believed where STS does not tell.

        Raises:
            AccessProblem: names both accounts.
        """
        target = desired.target
        if target.endpoint is not None or target.account is None:
            return
        account = self._sessions().account(desired.access, target.region) or written
        if account is None:
            raise AccessProblem(
                f"nobody can tell whether these credentials are of account {target.account}, where the target is",
                detail="STS did not answer",
                hint="let STS be reached, or write 'account' into the document and apply that",
            )
        if account != target.account:
            raise AccessProblem(
                f"these credentials are not of account {target.account}, where the target is",
                detail=f"they are of {account}",
                hint="use the account's credentials, or name its profile with --profile",
            )

    def check_binding(self, plan: Plan) -> None:
        """Refuse a plan that was made for something else than this run would reach.

        Raises:
            PlanRefused: it is foreign; says in what.
        """
        from reconciler.operations.binding import Reached, check_binding

        connection = self._connection
        reached = Reached(
            connection.emulator,
            self._books.shared or self._books.ledger.name,
            connection.endpoint_url,
            connection.region,
            connection.profile,
        )
        if not connection.emulator:
            ways = {one.desired.access: one.target.region for one in plan.planned if one.target.endpoint is None}
            self._sessions().ask_callers(tuple(ways.items()))
        check_binding(
            plan, reached, lambda target: self._sessions().account(target.desired.access, target.target.region)
        )
