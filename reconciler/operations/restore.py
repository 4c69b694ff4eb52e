"""Restore: plan the way back from a run, through the same reading, planning and guards as any plan."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace

from reconciler.core.model import NOT_RESTORED, Desired, Finding, Plan, TargetFailure, TargetPlan, dotted
from reconciler.core.restore import remainder, way_back, without
from reconciler.errors import Diagnostic
from reconciler.ledger.record import Record

Resolve = Callable[[Desired], tuple[Desired, tuple[Diagnostic, ...]]]


def ways_back(
    records: Sequence[Record], resolve_of: Callable[[Record], Resolve], *, place: str, allow: frozenset[str]
) -> tuple[tuple[Desired, ...], tuple[tuple[Finding, ...], ...]]:
    """The documents that lead back, their references resolved.

    A reference that can't be followed now is left out, and said: whether its secret is needed is for the plan to say.

    Args:
        records: one for each target, of updates that were sent.
        resolve_of: what resolves the references of a record's document.
        place: the ledger, as people name it.
        allow: guards that may pass.

    Returns:
        A document for each record, and what was left out of it.
    """
    desired: list[Desired] = []
    left_out: list[tuple[Finding, ...]] = []
    for record in records:
        document = way_back(record.plan, place=f"{place}/runs/{record.run.id}", allow=allow)
        expanded, problems = resolve_of(record)(document)
        by_place = {problem.origin: problem for problem in problems}
        unset = {path: by_place[one.origin] for path, one in document.settings.items() if one.origin in by_place}
        if unset:
            document = without(document, frozenset(unset))
            expanded, _ = resolve_of(record)(document)
        desired.append(expanded)
        left_out.append(
            tuple(
                Finding(
                    NOT_RESTORED,
                    f"{dotted(path)} is not sent: {_lowered(problem.summary)}",
                    problem.detail,
                    problem.hint,
                    problem.origin,
                )
                for path, problem in sorted(unset.items())
            )
        )
    return tuple(desired), tuple(left_out)


def _lowered(sentence: str) -> str:
    return sentence[:1].lower() + sentence[1:]


def with_remainder(made: Plan, records: Sequence[Record], left_out: Sequence[tuple[Finding, ...]]) -> Plan:
    """The plan of the way back, which says of each target what does not come back.

    Args:
        made: the plan of the documents that :func:`ways_back` returned.
        records: the same records, in the same order.
        left_out: what was left out of each document.
    """

    def one(
        target: TargetPlan | TargetFailure, record: Record, lost: tuple[Finding, ...]
    ) -> TargetPlan | TargetFailure:
        if isinstance(target, TargetFailure):
            return target
        named = tuple(remainder(record.plan, target, record.unseen))
        return replace(target, warnings=(*target.warnings, *lost, *named))

    targets = tuple(one(*parts) for parts in zip(made.targets, records, left_out, strict=True))
    return replace(made, targets=targets)
