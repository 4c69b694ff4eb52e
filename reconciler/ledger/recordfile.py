"""Records and the journal as JSON and back: indented for people, one object a file for jq. No secret is in them."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import asdict, replace
from typing import Any, TypeVar

from reconciler.core.declared import as_declared
from reconciler.core.model import Commit, Live, Meta, Outcome, OutcomeKind, Path, TargetPlan
from reconciler.core.planrecord import read_finding, read_target, read_tree, write_finding, write_target, write_tree
from reconciler.core.proof import Proven
from reconciler.core.targetplan import states
from reconciler.errors import LedgerDamaged
from reconciler.ledger.record import RECORD_VERSION, Intent, Left, Pipeline, Record, Run, Who

_T = TypeVar("_T")


def record_text(record: Record) -> bytes:
    """A record as it is kept."""
    outcome = record.outcome
    return _text(
        {
            **_run(record.run, record.caller),
            "resumes": record.resumes,
            "ended": record.ended,
            "seconds": round(record.seconds, 3),
            "sent": record.sent,
            "jobs": list(record.jobs),
            "outcome": {
                "kind": outcome.kind.value,
                "summary": outcome.summary,
                "detail": outcome.detail,
                "hint": outcome.hint,
                "findings": [write_finding(finding) for finding in outcome.findings],
                "collateral": None if outcome.collateral is None else write_target(outcome.collateral),
            },
            "unseen": list(record.unseen),
            "plan": _plan_body(record.plan),
        }
    )


def read_record(key: str, data: bytes) -> Record:
    """What :func:`record_text` wrote.

    Raises:
        LedgerDamaged: it is something else; names the key.
    """

    def read(body: Mapping[str, Any]) -> Record:
        plan, told = _plan(body["plan"]), body["outcome"]
        jobs = tuple(body["jobs"])
        outcome = Outcome(
            plan.name,
            plan.target,
            OutcomeKind(told["kind"]),
            told["summary"],
            told["detail"],
            told["hint"],
            job=jobs[-1] if jobs else None,
            changes=plan.changes if told["kind"] == OutcomeKind.APPLIED.value else (),
            findings=tuple(read_finding(finding) for finding in told["findings"]),
            collateral=None if told["collateral"] is None else _plan(told["collateral"]),
        )
        record = Record(
            run=_read_run(body),
            plan=plan,
            outcome=outcome,
            ended=body["ended"],
            seconds=body["seconds"],
            sent=body["sent"],
            jobs=jobs,
            unseen=tuple(body["unseen"]),
            caller=body["who"]["caller"],
            resumes=body["resumes"],
        )
        return as_declared(record)

    return _read(key, data, read)


def intent_text(intent: Intent) -> bytes:
    """An open journal as it is kept."""
    before = intent.before
    return _text(
        {
            "open": True,
            **_run(intent.run, intent.caller),
            "job": intent.job,
            "jobs_before": sorted(intent.jobs),
            "before": {
                "tree": write_tree(states(before.tree)),
                "fingerprint": before.fingerprint,
                "domain_read": before.domain_read,
                "domain_settled": before.domain_settled,
                "meta": None if before.meta is None else asdict(before.meta),
            },
            "proven": _proven_body(intent.proven),
            "proving": _proven_body(intent.proving),
            "hidden": sorted(list(path) for path in intent.hidden),
            "plan": _plan_body(intent.plan),
        }
    )


def settled_text(intent: Intent, run: Run, left: Left) -> bytes:
    """A journal that is closed: this run settled the update of the intent's run, and this is left of secrets."""
    return _text(
        {
            "open": False,
            "record_version": RECORD_VERSION,
            "run": intent.run.id,
            "settled_by": run.id,
            "proven": _proven_body(left.proven),
            "hidden": sorted(list(path) for path in left.hidden),
        }
    )


def read_left(key: str, data: bytes) -> Left:
    """What a closed journal tells of secrets; one of an earlier version tells nothing.

    Raises:
        LedgerDamaged: it is no journal; names the key.
    """

    def read(body: Mapping[str, Any]) -> Left:
        return as_declared(Left(_proven(body), _hidden(body)))

    return _read(key, data, read)


def read_settler(key: str, data: bytes) -> str | None:
    """The run that closed a journal, or None where it is open.

    Raises:
        LedgerDamaged: it is no journal; names the key.
    """
    return _read(key, data, lambda body: None if body["open"] else str(body["settled_by"]))


def read_intent(key: str, data: bytes) -> Intent | None:
    """The intent of a journal, or None where it is closed.

    Raises:
        LedgerDamaged: it is no journal; names the key.
    """

    def read(body: Mapping[str, Any]) -> Intent | None:
        if body["open"] is False:
            return None
        before = body["before"]
        meta = before["meta"]
        if meta is not None:
            meta = Meta(**{**meta, "resources": tuple(meta["resources"]), "unseen": tuple(meta["unseen"])})
        live = Live(
            tree=read_tree(before["tree"]),
            fingerprint=before["fingerprint"],
            domain_read=before["domain_read"],
            domain_settled=before["domain_settled"],
            meta=meta,
        )
        intent = Intent(
            run=_read_run(body),
            plan=_plan(body["plan"]),
            before=live,
            jobs=frozenset(body["jobs_before"]),
            caller=body["who"]["caller"],
            job=body["job"],
            proven=_proven(body),
            proving=_proven(body, "proving"),
            hidden=_hidden(body),
        )
        return as_declared(intent)

    return _read(key, data, read)


def _run(run: Run, caller: str | None) -> dict[str, Any]:
    return {
        "record_version": RECORD_VERSION,
        "run": run.id,
        "command": run.command,
        "started": run.started,
        "who": {**asdict(run.who), "caller": caller},
        "commit": None if run.commit is None else asdict(run.commit),
        "folder": run.folder,
        "plan_digest": run.digest,
    }


def _read_run(body: Mapping[str, Any]) -> Run:
    who, commit = body["who"], body["commit"]
    pipeline = None if who["pipeline"] is None else Pipeline(**who["pipeline"])
    return Run(
        id=body["run"],
        command=body["command"],
        started=body["started"],
        who=Who(who["user"], who["host"], pipeline),
        digest=body["plan_digest"],
        commit=None if commit is None else Commit(**commit),
        folder=body["folder"],
    )


def _proven_body(proven: Mapping[Path, Proven]) -> list[dict[str, Any]]:
    return [{"path": list(path), **asdict(proof)} for path, proof in sorted(proven.items())]


def _proven(body: Mapping[str, Any], name: str = "proven") -> dict[Path, Proven]:
    return {
        tuple(proof["path"]): Proven(proof["fingerprint"], proof["certain"], proof["beside"], proof["source"])
        for proof in body.get(name, ())
    }


def _hidden(body: Mapping[str, Any]) -> frozenset[Path]:
    return frozenset(tuple(path) for path in body.get("hidden", ()))


def _plan_body(plan: TargetPlan) -> dict[str, Any]:
    """A plan without the fingerprints that bind it: here stand those alone of what was sent and proven."""
    return write_target(replace(plan, secrets=tuple(replace(secret, fingerprint=None) for secret in plan.secrets)))


def _plan(data: Mapping[str, Any]) -> TargetPlan:
    plan = read_target(data)
    if not isinstance(plan, TargetPlan):
        raise TypeError("a target that could not be planned is never recorded")
    return plan


def _text(body: Mapping[str, Any]) -> bytes:
    return (json.dumps(body, indent=2, ensure_ascii=True) + "\n").encode()


def _read(key: str, data: bytes, read: Callable[[Mapping[str, Any]], _T]) -> _T:
    try:
        body = json.loads(data)
        version = body["record_version"]
        if version == RECORD_VERSION:
            return read(body)
    except (KeyError, TypeError, ValueError, AttributeError, RecursionError):
        hint = "look at it, and move it away"
        if key.startswith("journal/"):
            hint = "an update may be under way: wait until 'aws amplifybackend list-backend-jobs' shows none that runs"
            hint += "\nthen move the file away, and plan again"
        summary = f"The ledger's {key} can't be understood"
        raise LedgerDamaged(summary, detail="it is damaged, or not ours", hint=hint) from None
    raise LedgerDamaged(
        f"The ledger's {key} is of another version",
        detail=f"its version is {version if isinstance(version, int) else 'no number'}",
        hint="use a newer reconciler",
    )
