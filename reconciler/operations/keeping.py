"""What one run keeps in the ledger: its intents before they are sent, and a record of what became of each target."""

from __future__ import annotations

import contextlib
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import datetime

from reconciler.core.fields import OAUTH
from reconciler.core.meta import sealed
from reconciler.core.model import IN_CLEAR, UNRECORDED, Desired, Finding, Live, Outcome, Target, TargetPlan
from reconciler.core.proof import Key, Proofs, provable
from reconciler.core.targetplan import states
from reconciler.errors import UNKEPT, ReconcilerError
from reconciler.ledger.lease import Holder
from reconciler.ledger.ledger import Ledger, Opened
from reconciler.ledger.record import Intent, Record, Run
from reconciler.operations.settle import Checked, Settled


@dataclass(frozen=True, slots=True)
class Keeping:
    """One run's way to the ledger. ``caller_of`` tells the AWS identity that a target is reached with, if it can."""

    ledger: Ledger
    run: Run
    caller_of: Callable[[Desired], str | None]
    key: Key | None = None
    """The key of the secrets' fingerprints; without one nothing is proven."""
    sent: set[str] = field(default_factory=set)
    """The targets, by name, for which something may have been sent."""
    recorded: set[tuple[str, str]] = field(default_factory=set)
    """The records written, by run and target."""
    broken: list[ReconcilerError] = field(default_factory=list)
    """Why what was not sent could not be recorded: nobody tries again for the targets that are left."""

    def resuming(self, intent: Intent) -> Keeping:
        """The same for the part of this run that settles another run's update: a run with an id of its own."""
        token = intent.run.id.rpartition("-")[2]
        run = replace(
            self.run,
            id=f"{self.run.id}-{token}",
            command="resume",
            digest=intent.run.digest,
            commit=intent.run.commit,
            folder=intent.run.folder,
        )
        return replace(self, run=run)

    def proofs_of(self, target: Target) -> Proofs:
        """What the ledger knows of a target's secrets.

        Raises:
            LedgerProblem: it can't be read.
        """
        left = self.ledger.known(target).left
        return Proofs(left.proven, self.key, left.hidden)

    def holder(self, plan: TargetPlan) -> Holder:
        """How a lease on a target names this run."""
        return Holder(plan.name, self.run.id, str(self.run.who), self.run.started)

    def begin(self, item: Checked, jobs: frozenset[str]) -> Opened:
        """Journal what is about to be sent.

        Raises:
            LedgerProblem: it can't be written, so nothing may be sent.
        """
        meta = None if item.live.meta is None else sealed(item.live.meta, self.run.id)
        before: Live = replace(item.live, tree=states(item.live.tree), meta=meta)
        made = item.prepared
        proving = provable(item.plan.target, made.planned, made.live, sent=OAUTH in made.sent, key=self.key)
        caller = self.caller_of(item.plan.desired)
        opened = self.ledger.begin(Intent(self.run, item.plan, before, jobs, caller, proving=proving))
        self.sent.add(item.plan.name)
        return opened

    def refused(self, opened: Opened, outcome: Outcome, ended: datetime, seconds: float) -> Outcome:
        """Record an update that the service refused, and close its journal: nothing was sent after all.

        Returns:
            The outcome; with a finding where the ledger could not be written.
        """
        self.sent.discard(opened.intent.plan.name)
        return self._closed(opened, self.record(opened.intent.plan, outcome, ended, seconds), landed=False)

    def name_job(self, opened: Opened, job: str | None) -> Opened:
        """Journal which job is ours. Where that fails the job is found again by what was there before."""
        if job is None:
            return opened
        try:
            return self.ledger.name_job(opened, job)
        except UNKEPT:
            return self._as_written(opened)

    def _as_written(self, opened: Opened) -> Opened:
        """The journal as it stands: a write whose answer was lost may have been one."""
        with contextlib.suppress(*UNKEPT):
            return self.ledger.still_open(opened) or opened
        return opened

    def finish(self, opened: Opened, settled: Settled, ended: datetime, seconds: float) -> Outcome:
        """Record what became of an update, and close its journal where nothing more can be learnt.

        Returns:
            The outcome; with a finding where the ledger could not be written.
        """
        intent = opened.intent
        resumes = intent.run.id if intent.run.id != self.run.id else None
        unseen = intent.before.meta.unseen if intent.before.meta is not None else ()
        record = self._record(intent.plan, settled.outcome, ended, seconds, sent=True)
        outcome = self._written(replace(record, unseen=unseen, resumes=resumes))
        # What was not seen to land may land yet: of secrets only a refusal proves that they are as they were.
        return self._closed(opened, outcome, landed=settled.landed or None) if settled.ended else outcome

    def record(self, plan: TargetPlan, outcome: Outcome, ended: datetime, seconds: float) -> Outcome:
        """Record an outcome that no step before has recorded: nothing was sent.

        Returns:
            The outcome; with a finding where the ledger could not be written.
        """
        known = plan.name in self.sent or (self.run.id, plan.name) in self.recorded
        if outcome.unrecorded or known:
            return outcome  # what was sent is in the journal, at least
        if any(finding.code == IN_CLEAR for finding in outcome.findings):
            return outcome
        if self.broken:
            return _told(outcome, self.broken[0])
        return self._written(self._record(plan, outcome, ended, seconds, sent=False))

    def leave_out(self, plan: TargetPlan) -> None:
        """Record nothing more of a target: what is told of it is the outcome of an update that is recorded."""
        self.recorded.add((self.run.id, plan.name))

    def free(self, intent: Intent) -> None:
        """Let the plan of an update be used again that did not land, where nothing else of its run may have landed.

        A ledger that can't be written leaves it used, which is the safe side.
        """
        with contextlib.suppress(*UNKEPT):
            open_too = any(opened.intent.run.id == intent.run.id for opened in self.ledger.all_under_way())
            if not open_too and not any(record.may_have_landed for record in self.ledger.found(intent.run.id)):
                self.ledger.free(intent.run.digest, intent.run.id, self.run)

    def _closed(self, opened: Opened, outcome: Outcome, *, landed: bool | None) -> Outcome:
        """Close the journal, once the ledger has the outcome: never the other way round."""
        if not outcome.unrecorded:
            try:
                shown = outcome.collateral
                moved = frozenset(change.path for change in shown.changes) if shown is not None else frozenset()
                self.ledger.settle(opened, self.run, landed=landed, moved=moved)
            except UNKEPT as problem:
                return self._not_closed(opened, outcome, problem)
        return outcome

    def _not_closed(self, opened: Opened, outcome: Outcome, problem: ReconcilerError) -> Outcome:
        """The outcome, with what became of a journal that we seem not to have closed."""
        with contextlib.suppress(*UNKEPT):
            if self.ledger.closed_by(opened.intent.plan.target) == self.run.id:
                return outcome  # it was closed, and the answer was lost
            if self.ledger.still_open(opened) is None:
                return replace(outcome, findings=(*outcome.findings, _SETTLED_TOO))
        return _told(outcome, problem, "its journal could not be closed")

    def _record(self, plan: TargetPlan, outcome: Outcome, ended: datetime, seconds: float, *, sent: bool) -> Record:
        return Record(
            run=self.run,
            plan=plan,
            outcome=outcome,
            ended=ended.strftime("%Y-%m-%dT%H:%M:%SZ"),
            seconds=seconds,
            sent=sent,
            jobs=(outcome.job,) if outcome.job else (),
            caller=self.caller_of(plan.desired),
        )

    def _written(self, record: Record) -> Outcome:
        try:
            self.ledger.write(record)
        except UNKEPT as problem:
            if not record.sent:
                self.broken.append(problem)
            return _told(record.outcome, problem)
        self.recorded.add((record.run.id, record.plan.name))
        return record.outcome


_SETTLED_TOO = Finding(
    "settled-too",
    "another run has settled this update as well: it held the target meanwhile",
    hint="look at 'reconciler history', and plan again to see whether everything is as it should be",
)


def _told(outcome: Outcome, problem: ReconcilerError, lacks: str = "the ledger does not have this") -> Outcome:
    if problem.summary == outcome.summary:
        return outcome  # the same is what the outcome is about
    hint = problem.hint or "keep this output"
    finding = Finding(UNRECORDED, f"{lacks}: {problem.summary}", problem.detail, hint)
    return replace(outcome, findings=(*outcome.findings, finding))
