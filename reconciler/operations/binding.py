"""A saved plan is for one account, region, endpoint, way of access and shared ledger, for a while, and for no other."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from reconciler.core.model import EMBEDDED, Plan, TargetPlan
from reconciler.errors import PlanRefused

_AHEAD = timedelta(minutes=10)


@dataclass(frozen=True, slots=True)
class Reached:
    """What a run would reach; None where the command line leaves that to the plan. ``ledger`` names its ledger."""

    embedded: bool
    ledger: str
    endpoint: str | None = None
    region: str | None = None
    profile: str | None = None


def check_age(plan: Plan, *, now: datetime, oldest: timedelta) -> None:
    """Refuse a plan that was made too long ago, or that nobody can have made yet.

    Raises:
        PlanRefused: says how old it is.
    """
    try:
        made = datetime.fromisoformat(plan.created)
    except ValueError:
        raise PlanRefused("The plan does not tell when it was made", hint="plan again") from None
    age = now - (made if made.tzinfo else made.replace(tzinfo=UTC))
    if age > oldest:
        raise PlanRefused(
            "The plan is too old",
            detail=f"it was made at {plan.created}, {_spoken(age)} ago, and may be {_spoken(oldest)} old",
            hint="plan again, or raise --max-plan-age",
        )
    if age < -_AHEAD:
        raise PlanRefused(
            "The plan was made in the future",
            detail=f"it was made at {plan.created}, and here it is {now:%Y-%m-%dT%H:%M:%SZ}",
            hint="look at the clocks of this machine and of the one that planned",
        )


def _spoken(age: timedelta) -> str:
    hours, seconds = divmod(int(age.total_seconds()), 3600)
    return f"{hours}h" if hours and not seconds else f"{hours}h{seconds // 60}m" if hours else f"{seconds}s"


def check_binding(plan: Plan, reached: Reached, account_of: Callable[[TargetPlan], str | None]) -> None:
    """Refuse a plan that was made for something else.

    Args:
        plan: the saved plan.
        reached: what this run would reach.
        account_of: the account that a target's credentials belong to now, or None.

    Raises:
        PlanRefused: names the target, and what differs.
    """
    if plan.ledger is not None and plan.ledger != reached.ledger:
        raise PlanRefused(
            "The plan was made with another ledger",
            detail=f"planned with {plan.ledger}, this run has {reached.ledger}",
            hint=f"give --ledger {plan.ledger}, or plan again",
        )
    for plan_ in plan.planned:
        target = plan_.target
        if (target.endpoint == EMBEDDED) != reached.embedded:
            made = "was" if target.endpoint == EMBEDDED else "was not"
            raise PlanRefused(
                f"The plan of {plan_.name} {made} made on the embedded backend",
                hint="apply it with the options it was planned with",
            )
        for what, given, planned in (
            ("endpoint", reached.endpoint, target.endpoint),
            ("region", reached.region, target.region),
            ("profile", reached.profile, plan_.desired.access.profile),
        ):
            if given is not None and given != planned:
                raise PlanRefused(
                    f"The plan of {plan_.name} was made for another {what}",
                    detail=f"planned for {planned or 'none'}, given {given}",
                    hint="plan again",
                )
        if target.endpoint is None and (account := account_of(plan_)) != target.account:
            raise PlanRefused(
                f"The plan of {plan_.name} was made for another account",
                detail=f"planned for {target.account or 'an unknown one'}, this is {account or 'an unknown one'}",
                hint="use the credentials it was planned with, or plan again",
            )
