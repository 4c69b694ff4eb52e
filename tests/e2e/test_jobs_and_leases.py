"""Whose turn it is: another tool's job, a job that never ends, and a target that another run holds."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from reconciler.core.gateway import Gateway
from reconciler.core.model import Desired, Job, Outcome, OutcomeKind, Plan
from reconciler.errors import LedgerProblem
from reconciler.ledger.lease import Holder, Lease
from reconciler.ledger.ledger import Ledger
from reconciler.ledger.record import key_of
from reconciler.operations.jobs import Stopped, Waiting
from tests.e2e.conftest import Between, World, document, only, policy
from tests.unit.operations.ledgers import Died, MemoryLeases, MemoryStore, Watched

ON_UPDATE = "operation=UpdateBackendAuth"
DAY = 24 * 60 * 60
ENVIRONMENTS = ("dev", "prod")


def both(world: World, length: int = 12) -> Plan:
    """A plan of two environments."""
    for name in ENVIRONMENTS:
        world.seed(environment=name)
    return world.plan(*(document(policy(length), environment=name, name=name) for name in ENVIRONMENTS))


def kinds(outcomes: tuple[Outcome, ...]) -> list[OutcomeKind]:
    return [outcome.kind for outcome in outcomes]


def length_of(world: World) -> Any:
    return world.live()["UserPoolConfigs"]["PasswordPolicy"]["MinimumLength"]


# --- another tool's job -------------------------------------------------------------------------


def test_another_tools_job_is_refused_by_its_id_and_age_before_anything_is_sent(world: World) -> None:
    made = world.plan(document(policy(12)))
    theirs = world.elsewhere()
    world.time.now += 42
    (outcome,) = world.apply_all(made)
    assert outcome.kind is OutcomeKind.LOCKED
    assert outcome.detail == f"job {theirs.id}, UpdateBackendAuth, RUNNING, started 42s ago"
    assert "--wait-for-jobs" in outcome.hint
    assert len(world.updates) == 1, "theirs alone"
    assert world.ledger.all_under_way() == ()


def test_one_busy_target_means_that_nothing_is_sent_to_any(world: World) -> None:
    made = both(world)
    world.elsewhere(environment="prod")
    assert kinds(world.apply_all(made)) == [OutcomeKind.SKIPPED, OutcomeKind.LOCKED]
    assert len(world.updates) == 1, "theirs alone"


def test_a_job_that_began_after_the_first_look_is_seen_right_before_the_update(world: World) -> None:
    made, began = both(world), list[Job]()
    start = world.time.now

    def sleep(seconds: float) -> None:
        if world.time.now - start >= 110 and not began:
            began.append(world.elsewhere(environment="prod"))
        world.time.sleep(seconds)

    outcomes = world.apply_all(made, sleep=sleep)
    assert kinds(outcomes) == [OutcomeKind.APPLIED, OutcomeKind.LOCKED]
    assert str(began[0].id) in outcomes[1].detail
    assert [sent.body["BackendEnvironmentName"] for sent in world.updates] == ["dev", "prod"]


def test_a_job_of_an_environment_that_changes_nothing_is_in_nobodys_way(world: World) -> None:
    world.elsewhere()
    assert world.apply(policy(8)).kind is OutcomeKind.UNCHANGED


def test_waiting_for_jobs_waits_and_then_applies(world: World) -> None:
    made = world.plan(document(policy(12)))
    world.elsewhere()
    begun = world.time.now
    (outcome,) = world.apply_all(made, Waiting(for_jobs=True))
    assert outcome.kind is OutcomeKind.APPLIED
    assert world.time.now - begun >= 240, "their job, and then ours"
    assert length_of(world) == 12


def test_waiting_for_a_job_that_moved_something_ends_in_a_stale_plan(world: World) -> None:
    made = world.plan(document(policy(12)))
    world.elsewhere(33)
    (outcome,) = world.apply_all(made, Waiting(for_jobs=True))
    assert outcome.kind is OutcomeKind.STALE
    assert len(world.updates) == 1, "theirs alone"
    assert length_of(world) == 33


def test_waiting_for_a_job_ends_at_the_deadline(world: World) -> None:
    made = world.plan(document(policy(12)))
    world.fault(f"job_stuck,{ON_UPDATE}")
    theirs = world.elsewhere()
    begun = world.time.now
    (outcome,) = world.apply_all(made, Waiting(for_jobs=True, poll_interval=40, job_timeout=100))
    assert outcome.kind is OutcomeKind.LOCKED
    assert world.time.now - begun == pytest.approx(100)
    assert str(theirs.id) in outcome.detail
    assert outcome.hint == "it did not end in time: try again later"


def test_stopping_while_waiting_for_a_job_sends_nothing(world: World) -> None:
    made = world.plan(document(policy(12)))
    world.elsewhere()

    def stop(seconds: float) -> None:
        if seconds:
            raise Stopped

    (outcome,) = world.apply_all(made, Waiting(for_jobs=True), sleep=stop)
    assert outcome.kind is OutcomeKind.SKIPPED
    assert len(world.updates) == 1, "theirs alone"


# --- a status that nobody knows -----------------------------------------------------------------


def with_jobs(world: World, *others: Job) -> Callable[[Desired], Gateway]:
    """A service that lists these jobs besides its own."""

    def after(call: str, answer: Any) -> Any:
        return (*answer, *others) if call == "list_jobs" else answer

    return lambda desired: Between(world.services.writer_of(desired), after=after)


def job(world: World, status: str, age: float | None) -> Job:
    created = None if age is None else int((world.time.now - age) * 1000)
    return Job("theirs", status, "UpdateBackendAuth", created=created)


@pytest.mark.parametrize(
    ("status", "age", "locked"),
    [
        ("PAUSED", 0, True),
        ("PAUSED", DAY - 10, True),
        ("PAUSED", DAY + 10, False),
        ("PAUSED", None, True),
        ("", DAY - 10, True),
        ("", DAY + 10, False),
        ("RUNNING", DAY + 10, True),
        ("RUNNING", None, True),
        ("FAILED", 0, False),
        ("COMPLETED", 0, False),
    ],
)
def test_a_status_that_nobody_knows_counts_as_running_for_a_day_only(
    world: World, status: str, age: float | None, locked: bool
) -> None:
    made = world.plan(document(policy(12)))
    (outcome,) = world.apply_all(made, writer_of=with_jobs(world, job(world, status, age)))
    assert outcome.kind is (OutcomeKind.LOCKED if locked else OutcomeKind.APPLIED)
    assert len(world.updates) == (not locked)


@pytest.mark.parametrize(
    ("status", "age", "told"),
    [
        ("PAUSED", 90.0, "job theirs, UpdateBackendAuth, PAUSED, started 90s ago"),
        ("", 90.0, "job theirs, UpdateBackendAuth, no status, started 90s ago"),
        ("PAUSED", None, "job theirs, UpdateBackendAuth, PAUSED"),
        ("PAUSED", -90.0, "job theirs, UpdateBackendAuth, PAUSED, started 0s ago"),
    ],
)
def test_what_is_not_known_of_a_job_is_not_made_up(world: World, status: str, age: float | None, told: str) -> None:
    made = world.plan(document(policy(12)))
    (outcome,) = world.apply_all(made, writer_of=with_jobs(world, job(world, status, age)))
    assert outcome.detail == told


def test_when_the_day_has_passed_the_services_own_refusal_is_the_last_line(world: World) -> None:
    made = world.plan(document(policy(12)))
    world.fault(f"job_unknown_status,{ON_UPDATE},text=PAUSED,seconds=999999")
    world.elsewhere()
    world.time.now += DAY + 10
    (outcome,) = world.apply_all(made)
    assert outcome.kind is OutcomeKind.LOCKED
    assert "already a pending job" in outcome.detail
    assert len(world.updates) == 2, "ours was refused, and is not sent again"
    assert world.ledger.all_under_way() == ()
    assert world.records()[0].sent is False


# --- a job that never ends ----------------------------------------------------------------------


def test_two_hours_of_a_stuck_job_end_on_the_second(world: World) -> None:
    world.fault(f"job_stuck,{ON_UPDATE}")
    begun = world.time.now
    (outcome,) = world.apply_all(world.plan(document(policy(12))), Waiting(job_timeout=7200))
    assert outcome.kind is OutcomeKind.TIMED_OUT
    assert outcome.summary == "the job had not ended after 7200s, its status is RUNNING"
    assert world.time.now - begun == pytest.approx(7200)
    assert len(world.emulator.requests("GetBackendJob")) == 720
    assert len(world.updates) == 1
    (opened,) = world.ledger.all_under_way()
    assert opened.intent.job == outcome.job


# --- leases -------------------------------------------------------------------------------------


def hold(world: World, made: Plan, name: str) -> Lease:
    """Another run holds a target."""
    (target,) = [target.target for target in made.planned if target.name == name]
    holder = Holder(name, "another-run", "her@there", "2026-01-01T00:00:00Z")
    return world.ledger.leases.acquire(key_of(target), holder, timeout=0, now=world.time, sleep=world.time.sleep)


def held(world: World) -> list[str]:
    return sorted(lease.holder.target for lease in world.ledger.leases.held())


def test_a_target_that_another_run_holds_is_locked_and_nothing_is_sent_to_any(world: World) -> None:
    made = both(world)
    lease = hold(world, made, "prod")
    outcomes = world.apply_all(made, saved=True)
    assert kinds(outcomes) == [OutcomeKind.SKIPPED, OutcomeKind.LOCKED]
    assert "run another-run of her@there has held prod since 2026-01-01T00:00:00Z" in outcomes[1].detail
    assert world.updates == ()
    assert world.ledger.all_under_way() == ()
    lease.release()
    assert kinds(world.apply_all(made, saved=True)) == [OutcomeKind.APPLIED] * 2


def test_another_resource_of_the_same_environment_is_held_along(world: World) -> None:
    made = world.plan(document(policy(12)))
    target = replace(only(made).target, resource="another")
    holder = Holder("another", "another-run", "her@there", "2026-01-01T00:00:00Z")
    acquire = world.ledger.leases.acquire
    lease = acquire(key_of(target), holder, timeout=0, now=world.time, sleep=world.time.sleep)
    assert kinds(world.apply_all(made)) == [OutcomeKind.LOCKED]
    lease.release()


def test_a_held_target_without_changes_is_in_nobodys_way(world: World) -> None:
    world.seed(environment="dev")
    made = world.plan(
        document(policy(8), environment="dev", name="dev"), document(policy(12), environment="prod", name="prod")
    )
    lease = hold(world, made, "dev")
    assert kinds(world.apply_all(made)) == [OutcomeKind.UNCHANGED, OutcomeKind.APPLIED]
    lease.release()


def test_a_lease_is_waited_for_as_long_as_is_wanted(world: World) -> None:
    made = world.plan(document(policy(12)))
    lease = hold(world, made, "shop")
    begun = world.time.now
    assert kinds(world.apply_all(made, Waiting(for_lease=30))) == [OutcomeKind.LOCKED]
    assert world.time.now - begun == pytest.approx(30)

    def sleep(seconds: float) -> None:
        world.time.sleep(seconds)
        if world.time.now - begun > 40:
            lease.release()

    assert kinds(world.apply_all(made, Waiting(for_lease=30), sleep=sleep)) == [OutcomeKind.APPLIED]


def test_stopping_while_waiting_for_a_lease_sends_nothing(world: World) -> None:
    made = world.plan(document(policy(12)))
    lease = hold(world, made, "shop")

    def stop(_seconds: float) -> None:
        raise Stopped

    assert kinds(world.apply_all(made, Waiting(for_lease=30), sleep=stop)) == [OutcomeKind.SKIPPED]
    lease.release()
    assert held(world) == []


def with_leases(world: World, leases: MemoryLeases) -> None:
    world.services.books.ledger = replace(world.ledger, leases=leases)


def test_a_lease_that_is_lost_right_before_the_update_means_that_nothing_is_sent(world: World) -> None:
    made = both(world)
    leases = MemoryLeases(gone=lambda: True)
    with_leases(world, leases)
    outcomes = world.apply_all(made, saved=True)
    assert kinds(outcomes) == [OutcomeKind.LOCKED] * 2
    assert outcomes[0].summary == "the lease was lost: another apply may be at work"
    assert world.updates == ()
    assert world.ledger.all_under_way() == ()
    assert [hold.released for hold in leases.given] == [True, True]
    with_leases(world, MemoryLeases())
    assert kinds(world.apply_all(made, saved=True)) == [OutcomeKind.APPLIED] * 2


def test_a_lease_that_is_lost_after_the_first_update_stops_the_second(world: World) -> None:
    made = both(world)
    with_leases(world, MemoryLeases(gone=lambda: len(world.updates) > 0))
    assert kinds(world.apply_all(made)) == [OutcomeKind.APPLIED, OutcomeKind.LOCKED]
    assert [sent.body["BackendEnvironmentName"] for sent in world.updates] == ["dev"]


def test_a_lease_that_is_lost_while_the_intent_is_written_means_that_nothing_is_sent(world: World) -> None:
    made = world.plan(document(policy(12)))
    with_leases(world, MemoryLeases(gone=lambda: bool(world.ledger.all_under_way())))
    (outcome,) = world.apply_all(made)
    assert outcome.kind is OutcomeKind.LOCKED
    assert (world.updates, world.ledger.all_under_way()) == ((), ())
    (record,) = world.records()
    assert (record.sent, record.outcome.kind) == (False, OutcomeKind.LOCKED)


def test_a_ledger_that_failed_once_is_not_waited_for_again(world: World) -> None:
    asked: list[str] = []

    class Silent(MemoryLeases):
        def acquire(self, key: str, holder: Holder, **_how: Any) -> Lease:
            asked.append(f"{holder.target} {key}")
            raise LedgerProblem("the store does not answer")

    made = both(world)
    world.services.books.ledger = Ledger(Watched(MemoryStore(), asked.append), Silent())
    outcomes = world.apply_all(made)
    assert kinds(outcomes) == [OutcomeKind.FAILED] * 2
    assert {outcome.summary for outcome in outcomes} == {"the store does not answer"}
    assert len(asked) == 1, "one lease, and no record"


@pytest.mark.parametrize("fault", ["", "job_failed", "job_stuck", "throttle", "drop_after", "access_denied"])
def test_targets_are_held_through_the_whole_apply_and_given_back_whatever_comes(world: World, fault: str) -> None:
    made, seen = both(world), list[list[str]]()
    if fault:
        world.fault(f"{fault},{ON_UPDATE}")

    def sleep(seconds: float) -> None:
        seen.append(held(world))
        world.time.sleep(seconds)

    world.apply_all(made, Waiting(job_timeout=100), sleep=sleep)
    assert seen
    assert seen.pop(0) == ["dev"], "one may stop between two leases"
    assert all(names == ["dev", "prod"] for names in seen)
    assert held(world) == []


@pytest.mark.parametrize("moment", [0, 1, 3, 5, 9])
@pytest.mark.parametrize("raised", [Stopped, Died])
def test_targets_are_given_back_when_a_run_is_stopped_at_any_moment(
    world: World, moment: int, raised: type[BaseException]
) -> None:
    made, moments = both(world), list[float]()

    def stop(seconds: float) -> None:
        moments.append(seconds)
        if len(moments) > moment:
            raise raised
        world.time.sleep(seconds)

    if raised is Died:
        with pytest.raises(Died):
            world.apply_all(made, sleep=stop)
    else:
        world.apply_all(made, sleep=stop)
    assert len(moments) > moment
    assert held(world) == []


def test_a_plan_and_a_plan_without_changes_hold_nothing(world: World) -> None:
    leases = MemoryLeases()
    with_leases(world, leases)
    world.plan(document(policy(12)))
    world.apply(policy(8))
    assert leases.given == []


def test_a_blocked_plan_holds_nothing(world: World) -> None:
    leases = MemoryLeases()
    with_leases(world, leases)
    world.seed(imported=True)
    assert world.apply(policy(12)).kind is OutcomeKind.BLOCKED
    assert leases.given == []


def test_two_applies_of_one_target_never_hold_it_together(world: World) -> None:
    made = world.plan(document(policy(12)))
    seen: list[Outcome] = []

    def meanwhile(seconds: float) -> None:
        if seconds and not seen:
            seen.extend(world.apply_all(world.plan(document(policy(13)))))
        world.time.sleep(seconds)

    assert kinds(world.apply_all(made, sleep=meanwhile)) == [OutcomeKind.APPLIED]
    assert kinds(tuple(seen)) == [OutcomeKind.LOCKED]
    assert "shop is locked by another run" in seen[0].summary
    assert len(world.updates) == 1
    assert length_of(world) == 12
