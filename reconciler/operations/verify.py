"""Prove an update: read until every planned path stands and nothing else moved, or say what did not."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from reconciler.core.diff import Difference
from reconciler.core.fields import FIELD
from reconciler.core.gateway import ReadGateway
from reconciler.core.model import Finding, Live, Mark, TargetPlan, Tree, dotted
from reconciler.core.references import Template
from reconciler.core.secret import Secret, SecretState
from reconciler.core.targetplan import Prepared
from reconciler.core.verify import Verdict, judge
from reconciler.errors import Origin, ServiceProblem
from reconciler.operations.fleet import Observer
from reconciler.operations.jobs import Clock, Waiting
from reconciler.operations.live import read_live


@dataclass(frozen=True, slots=True)
class Verified:
    """What is not as planned, and what moved and was not planned as a plan shows it; both empty where all is well.

    ``stands`` is the configuration that was read last, canonical, secrets in it.
    """

    findings: tuple[Finding, ...] = ()
    collateral: TargetPlan | None = None
    stands: Tree = field(default_factory=dict)


UNSEEN = frozenset({"unread", "unsettled"})
"""Findings that say that nobody saw what stands: a later look can tell."""


def verify(
    prepared: Prepared, before: Live, reader: ReadGateway, *, clock: Clock, waiting: Waiting, observer: Observer
) -> Verified:
    """What is not as planned; nothing when two equal reads running show the plan and nothing else.

    Reads at the poll interval, at most ``waiting.verify_polls`` times: a read right after a job may be stale.
    """
    name = prepared.plan.name
    stood: str | None = None
    proof = Verified()
    for poll in range(waiting.verify_polls):
        if poll:
            clock.sleep(waiting.poll_interval)
        observer(name, f"Verifying... [read {poll + 1} of at most {waiting.verify_polls}]")
        try:
            after = read_live(reader, prepared.plan.desired, with_meta=True)
        except ServiceProblem as problem:
            stood = None
            unread = Finding("unread", f"the result can't be read: {problem.summary}", problem.detail, problem.hint)
            proof = Verified((unread,))
            continue
        verdict = judge(prepared, before, after)
        if verdict.stands and stood == after.fingerprint:
            return Verified(stands=after.tree)
        stood = after.fingerprint if verdict.stands else None
        unsettled = Finding("unsettled", "the result was seen in the last read only", hint="raise --verify-polls")
        proof = Verified(tuple(_findings(prepared, verdict)) or (unsettled,), verdict.collateral)
    return proof


def _findings(prepared: Prepared, verdict: Verdict) -> Iterator[Finding]:
    for difference in verdict.missing:
        path = dotted(difference.path)
        origin = _origin(prepared, difference)
        yield Finding("not-arrived", f"{path} did not arrive: live still has what it had before", origin=origin)
    for difference in verdict.rewritten:
        path, origin = dotted(difference.path), _origin(prepared, difference)
        stores = _shown(difference, difference.after)
        where = f" in {origin.file}:{origin.line}" if origin else ""
        yield Finding(
            "rewritten",
            f"{path}: the service stores {stores}",
            hint=f"if that is its form of what was planned, write {stores}{where}",
            origin=origin,
        )
    for difference in verdict.moved:
        was, stands = _shown(difference, difference.before), _shown(difference, difference.after)
        yield Finding("moved", f"{dotted(difference.path)} moved and was not planned: {was} -> {stands}")
    for place in verdict.meta:
        yield Finding(
            "moved-in-meta",
            f"AmplifyMetaConfig auth.{dotted(place)} moved and was not planned",
            hint="this API can't bring it back: look at it in the Amplify console or with the Amplify CLI",
        )


def _origin(prepared: Prepared, difference: Difference) -> Origin | None:
    change = next((change for change in prepared.plan.changes if change.path == difference.path), None)
    return change.origin if change is not None else None


def _shown(difference: Difference, value: Any) -> str:
    row = FIELD.get(difference.path)
    if value is None:
        return "nothing"
    if isinstance(value, (Secret, SecretState, Template)) or (row is not None and row.secret):
        return Mark.SENSITIVE.value
    return "true" if value is True else "false" if value is False else str(value)
