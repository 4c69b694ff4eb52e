"""A saved plan is for one account, region, endpoint and way of access, and for no other."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from reconciler.core.model import EMBEDDED, Plan, TargetPlan
from reconciler.errors import PlanRefused


@dataclass(frozen=True, slots=True)
class Reached:
    """What the command line says that a run would reach; None where it leaves that to the plan."""

    embedded: bool
    endpoint: str | None = None
    region: str | None = None
    profile: str | None = None


def check_binding(plan: Plan, reached: Reached, account_of: Callable[[TargetPlan], str | None]) -> None:
    """Refuse a plan that was made for something else.

    Args:
        plan: the saved plan.
        reached: what this run would reach.
        account_of: the account that a target's credentials belong to now, or None.

    Raises:
        PlanRefused: names the target, and what differs.
    """
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
