"""Guard rails of a project: targets that are only observed, and paths that no apply may touch."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace

from reconciler.core.guards import GUARDS, PROTECTED
from reconciler.core.model import Change, Finding, Path, TargetPlan, dotted
from reconciler.errors import Origin

OBSERVED = "observed"
"""The code of the block that keeps apply from a target which a project only observes."""


@dataclass(frozen=True, slots=True)
class Rails:
    """What a project says of one target: the place that makes it only observed, and its protected paths with theirs."""

    observed: Origin | None = None
    protected: Mapping[Path, Origin] = field(default_factory=dict)


def railed(plan: TargetPlan, rails: Rails) -> TargetPlan:
    """A target's plan with what the rails put in its way; the plan itself where that is nothing more."""
    if not plan.changes:
        return plan
    known = {(finding.code, finding.about) for finding in (*plan.blocks, *plan.guards)}
    blocks = [one for one in _observed(plan, rails) if (one.code, one.about) not in known]
    guards = [one for one in _protected(plan, rails) if (one.code, one.about) not in known]
    if not blocks and not guards:
        return plan
    return replace(plan, blocks=(*plan.blocks, *blocks), guards=(*plan.guards, *guards))


def _observed(plan: TargetPlan, rails: Rails) -> Iterator[Finding]:
    if rails.observed is not None:
        yield Finding(
            OBSERVED,
            "the project only observes this target",
            hint=f"leave it out with --exclude {plan.name}, or change its mode in the project file",
            origin=rails.observed,
        )


def _protected(plan: TargetPlan, rails: Rails) -> Iterator[Finding]:
    for change in plan.changes:
        found = _protecting(change, rails)
        if found is not None:
            name = dotted(change.path)
            yield Finding(
                PROTECTED,
                GUARDS[PROTECTED],
                f"{name} changes, and {dotted(found)} is protected.",
                f"if that is meant, plan with --allow {PROTECTED}, or --allow {PROTECTED}:{name} for it alone",
                rails.protected[found],
                about=name,
            )


def _protecting(change: Change, rails: Rails) -> Path | None:
    """The protected path that a change touches: it is that, or below it, or a block that has it."""
    for path in rails.protected:
        shorter = min(len(path), len(change.path))
        if path[:shorter] == change.path[:shorter]:
            return path
    return None
