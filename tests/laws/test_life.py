"""A backend's life at random: documents, other people, faults, deaths in the middle, resumes and restores.

Whatever happens in whatever order: an update is sent at most once and never without being journalled, each one
ends in a record or stands open in the journal, what is said to be applied is, and no secret is written.
"""

from __future__ import annotations

import json
import shutil
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from hypothesis import event, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from reconciler.core.model import EMBEDDED, Mark, Outcome, OutcomeKind, Plan, Target, TargetPlan
from reconciler.core.normalise import live_tree
from reconciler.core.planfile import from_json, to_json
from reconciler.core.tree import ABSENT, get
from reconciler.emulator import EMULATOR_ACCOUNT, EMULATOR_REGION, Fault, Switches
from reconciler.errors import ReconcilerError
from reconciler.ledger.filelock import FileLeases
from reconciler.ledger.folder import FolderStore
from reconciler.ledger.ledger import Ledger, Opened
from reconciler.operations.apply import apply
from reconciler.operations.fleet import silent
from reconciler.operations.jobs import Waiting
from reconciler.operations.plan import plan
from reconciler.operations.restore import ways_back, with_remainder
from reconciler.operations.resume import resume
from reconciler.operations.settle import Following
from tests.laws.conftest import APP, ENVIRONMENT, GUARDS, RESOURCE, Bench, Trial, new_bench
from tests.laws.strategies import CANARY, Written, configurations, documents
from tests.unit.operations.ledgers import Died, Watched

pytestmark = pytest.mark.broad

TARGET = Target(APP, ENVIRONMENT, RESOURCE, EMULATOR_REGION, EMULATOR_ACCOUNT, EMBEDDED)
DEATHS = st.one_of(st.none(), st.none(), st.integers(0, 70))
"""After how many steps an apply dies; None lets it live."""

SERVICES = st.fixed_dictionaries(
    {
        "secrets": st.sampled_from(["absent", "clear", "masked"]),
        "omitted": st.sampled_from(["reset", "keep"]),
        "domain": st.sampled_from(["plain", "suffix"]),
        "stale_reads": st.sampled_from([0, 2]),
        "job_id": st.sampled_from(["present", "absent"]),
        "job_seconds": st.sampled_from([0.0, 25.0, 5_000.0]),
    }
)
UPDATE = "UpdateBackendAuth"
FAULTS = st.sampled_from(
    [
        *(Fault(kind, operation="Get*") for kind in ("throttle", "truncated", "html", "error200", "drop_after")),
        *(Fault(kind, operation="ListBackendJobs") for kind in ("throttle", "null", "drop_before")),
        *(
            Fault(kind, operation=UPDATE)
            for kind in ("throttle", "timeout_before", "timeout_after", "drop_before", "drop_after", "access_denied")
        ),
        Fault("timeout_late_job", operation=UPDATE, seconds=15),
        *(Fault(kind, operation=UPDATE) for kind in ("empty", "truncated", "wrong_types", "error")),
        *(Fault(kind, operation=UPDATE) for kind in ("job_failed", "no_effect", "collateral", "meta_collateral")),
        Fault("job_unknown_status", operation=UPDATE, seconds=25),
    ]
)


@dataclass
class Fate:
    """How many steps are left until the process dies; None while it lives on."""

    left: int | None = None

    def step(self) -> None:
        """One step: a request before or after it is carried out, a write before or after, a wait."""
        if self.left is None:
            return
        if self.left == 0:
            raise Died
        self.left -= 1


class Life(RuleBasedStateMachine):
    """One environment, from its first document to whatever comes."""

    bench: Bench
    trial: Trial

    def __init__(self) -> None:
        super().__init__()
        self.folder = Path(tempfile.mkdtemp())
        self.fate = Fate()
        self.written = Written({"Service": "COGNITO"})
        self.saved: Plan | None = None
        self.begun: list[str] = []

    @initialize(live=configurations(), service=SERVICES)
    def begin(self, live: dict[str, Any], service: dict[str, Any]) -> None:
        self.bench = new_bench(self.folder, step=self.fate.step)
        self.trial = self.bench.trial(live, Switches().updated(service))
        store = Watched(FolderStore(self.folder / "ledger"), lambda _: self.fate.step(), self._wrote)
        ledger = Ledger(store, FileLeases(self.folder / "ledger" / "locks"))
        self.trial.services.books.ledger = ledger
        self.ledger = ledger

    def teardown(self) -> None:
        if hasattr(self, "bench"):
            self.bench.close()
        shutil.rmtree(self.folder)

    # --- what people and the world do --------------------------------------------------------

    @rule(written=documents())
    def edit(self, written: Written) -> None:
        self.written = written
        self.trial.environ.clear()
        self.trial.environ.update(written.environ)

    @rule(config=configurations())
    def somebody_clicks(self, config: dict[str, Any]) -> None:
        self.trial.emulator.put_live(EMULATOR_ACCOUNT, EMULATOR_REGION, APP, ENVIRONMENT, RESOURCE, config)

    @rule(service=SERVICES)
    def the_service_behaves_otherwise(self, service: dict[str, Any]) -> None:
        self.trial.emulator.configure(Switches().updated(service))

    @rule(fault=FAULTS)
    def something_will_go_wrong(self, fault: Fault) -> None:
        self.trial.emulator.inject([fault])

    @rule(seconds=st.sampled_from([20, 2_000, 100_000]))
    def time_passes(self, seconds: int) -> None:
        self.trial.time.now += seconds

    # --- what the tool does ------------------------------------------------------------------

    @rule()
    def plan_and_save(self) -> None:
        before = (self.updates, self.kept())
        made = self.planned()
        assert (self.updates, self.kept()) == before, "a plan writes nothing"
        if made is not None and not made.failures:
            self.saved = from_json(json.dumps(to_json(made, version="test")))

    @rule(written=documents(), death=DEATHS)
    def apply_new_documents(self, written: Written, death: int | None) -> None:
        self.edit(written)
        self.apply_documents(death)

    @rule(death=DEATHS)
    def apply_documents(self, death: int | None) -> None:
        made = self.planned()
        if made is not None:
            self.carry_out(made, death, saved=False)

    @precondition(lambda self: self.saved is not None)
    @rule(death=DEATHS)
    def apply_the_saved_plan(self, death: int | None) -> None:
        assert self.saved is not None
        self.carry_out(self.saved, death, saved=True)

    @rule()
    def resume(self) -> None:
        opened = self.ledger.all_under_way()
        before = self.updates
        for outcome in self.settled(opened):
            event(f"resumed: {outcome.kind}")
        assert self.updates == before, "a resume sends nothing"

    @rule()
    def restore(self) -> None:
        sent = ([record for record in self.ledger.found(run) if record.sent] for run, _ in self.ledger.runs())
        records = next((found for found in sent if found), None)
        if records is None:
            return
        services = self.trial.services
        resolve = services.references.of_plan(".", (record.plan.desired for record in records))
        desired, left_out = ways_back(records, lambda _: resolve, place="ledger", allow=frozenset(GUARDS))
        made = with_remainder(plan(desired, services.reader_of, now="2026-01-01T00:00:00Z"), records, left_out)
        self.carry_out(made, None, saved=False)

    # --- how ---------------------------------------------------------------------------------

    def planned(self) -> Plan | None:
        try:
            return self.trial.plan(self.written.config)
        except ReconcilerError:
            return None

    def carry_out(self, made: Plan, death: int | None, *, saved: bool) -> None:
        before, began = self.updates, len(self.begun)
        services = self.trial.services
        self.fate.left = death
        try:
            (outcome,) = apply(
                made,
                services.writer_of,
                services.references.of_plan(".", (target.desired for target in made.planned)),
                keeping=services.books.keeping("apply", made),
                clock=self.trial.clock(self.fate.step),
                waiting=Waiting(job_timeout=3_600),
                saved=saved,
            )
        except Died:
            event("died")
            outcome = None
        finally:
            self.fate.left = None
        assert self.updates - before <= len(self.begun) - began <= 1, "sent once, and only what is journalled"
        if outcome is not None:
            event(f"{'saved' if saved else 'documents'}: {outcome.kind}")
            assert not outcome.unrecorded
            if outcome.kind is OutcomeKind.APPLIED and self.updates > before:
                self.stands(made.planned[0])

    def settled(self, opened: tuple[Opened, ...]) -> tuple[Outcome, ...]:
        services = self.trial.services
        made = Plan(tuple(entry.intent.plan for entry in opened), "")
        following = Following(self.trial.clock(), Waiting(job_timeout=3_600), silent)
        keeping = services.books.keeping("resume", made)
        return resume(opened, services.writer_of, keeping=keeping, following=following)

    def stands(self, target: TargetPlan) -> None:
        """What an apply says to have applied is the truth."""
        truth = live_tree(self.trial.live())
        for change in target.changes:
            planned = get(target.planned, change.path)
            if change.after is Mark.SENSITIVE or isinstance(planned, Mark):
                continue
            assert (get(truth, change.path) is ABSENT) == (planned is ABSENT), change
            assert planned is ABSENT or get(truth, change.path) == planned, change

    @property
    def updates(self) -> int:
        return len(self.trial.updates)

    def _wrote(self, key: str, data: bytes, tag: str | None) -> None:
        """Note the runs that journalled an intent, and perhaps die after the write."""
        body = json.loads(data)
        if tag is not None and key.startswith("journal/") and body["open"] and body["run"] not in self.begun:
            self.begun.append(body["run"])
        self.fate.step()

    def kept(self) -> Mapping[str, bytes]:
        """Every byte of the ledger."""
        folder = self.folder / "ledger"
        return {str(path): path.read_bytes() for path in folder.rglob("*.json")} if folder.exists() else {}

    # --- what always holds -------------------------------------------------------------------

    @invariant()
    def every_update_has_a_record_or_stands_open(self) -> None:
        if not hasattr(self, "store"):
            return
        opened = {entry.intent.run.id for entry in self.ledger.all_under_way()}
        for run in self.begun:
            assert run in opened or self.ledger.found(run), f"run {run} left no trace"

    @invariant()
    def no_secret_is_in_the_ledger(self) -> None:
        assert not [path for path, data in self.kept().items() if CANARY.encode() in data]


TestLife = Life.TestCase
TestLife.settings = settings(max_examples=settings().max_examples // 2, stateful_step_count=25)
