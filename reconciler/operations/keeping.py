"""What one run keeps in the ledger: its intents before they are sent, and a record of what became of each target."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import datetime

from reconciler.core.meta import sealed
from reconciler.core.model import UNRECORDED, Desired, Finding, Live, Outcome, TargetPlan
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
    sent: set[str] = field(default_factory=set)
    """The targets, by name, for which something may have been sent."""
    recorded: set[tuple[str, str]] = field(default_factory=set)
    """The records written, by run and target."""

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
        opened = self.ledger.begin(Intent(self.run, item.plan, before, jobs, self.caller_of(item.plan.desired)))
        self.sent.add(item.plan.name)
        return opened

    def refused(self, opened: Opened, outcome: Outcome, ended: datetime, seconds: float) -> Outcome:
        """Record an update that the service refused, and close its journal: nothing was sent after all.

        Returns:
            The outcome; with a finding where the ledger could not be written.
        """
        self.sent.discard(opened.intent.plan.name)
        return self._closed(opened, self.record(opened.intent.plan, outcome, ended, seconds))

    def name_job(self, opened: Opened, job: str | None) -> Opened:
        """Journal which job is ours. Where that fails the job is found again by what was there before."""
        if job is None:
            return opened
        try:
            return self.ledger.name_job(opened, job)
        except UNKEPT:
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
        return self._closed(opened, outcome) if settled.ended else outcome

    def record(self, plan: TargetPlan, outcome: Outcome, ended: datetime, seconds: float) -> Outcome:
        """Record an outcome that no step before has recorded: nothing was sent.

        Returns:
            The outcome; with a finding where the ledger could not be written.
        """
        if outcome.unrecorded or any(name == plan.name for _, name in self.recorded):
            return outcome
        return self._written(self._record(plan, outcome, ended, seconds, sent=False))

    def _closed(self, opened: Opened, outcome: Outcome) -> Outcome:
        """Close the journal, once the ledger has the outcome: never the other way round."""
        if not outcome.unrecorded:
            try:
                self.ledger.settle(opened, self.run)
            except UNKEPT as problem:
                return _told(outcome, problem)
        return outcome

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
            return _told(record.outcome, problem)
        self.recorded.add((record.run.id, record.plan.name))
        return record.outcome


def _told(outcome: Outcome, problem: ReconcilerError) -> Outcome:
    if problem.summary == outcome.summary:
        return outcome  # the same is what the outcome is about
    hint = problem.hint or "keep this output"
    finding = Finding(UNRECORDED, f"the ledger does not have this: {problem.summary}", problem.detail, hint)
    return replace(outcome, findings=(*outcome.findings, finding))
