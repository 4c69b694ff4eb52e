"""Waves go one after another, and a failure stops those that follow."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from dataclasses import replace
from threading import Barrier

import pytest

from reconciler.core.gateway import Gateway
from reconciler.core.model import Desired, Outcome, OutcomeKind, Plan
from reconciler.core.planfile import from_json, to_json
from reconciler.emulator import Fault
from reconciler.operations.jobs import Stopped
from tests.e2e.conftest import Between, World, configuration, document, policy
from tests.unit.operations.ledgers import MemoryLeases

APPLIED, FAILED, SKIPPED, UNCHANGED = (
    OutcomeKind.APPLIED,
    OutcomeKind.FAILED,
    OutcomeKind.SKIPPED,
    OutcomeKind.UNCHANGED,
)


def in_waves(world: World, **waves: int) -> Plan:
    """Plan one changed target for each environment, in a wave each."""
    for environment in waves:
        world.seed(environment=environment)
    return world.plan(
        *(document(policy(12), environment=name, name=name, wave=wave) for name, wave in waves.items()),
    )


def fail_jobs(world: World, *environments: str) -> None:
    for environment in environments:
        world.fault(f"job_failed,operation=UpdateBackendAuth,environment={environment}")


def sent(world: World) -> list[str]:
    """The environments that were sent an update, in order."""
    return [update.body["BackendEnvironmentName"] for update in world.updates]


def kinds(outcomes: Sequence[Outcome]) -> list[OutcomeKind]:
    return [outcome.kind for outcome in outcomes]


def watched(world: World, before: Callable[[str, str], None]) -> Callable[[Desired], Gateway]:
    """The way to the service, with somebody who is told of each call and the environment it is for."""

    def writer_of(desired: Desired) -> Gateway:
        return Between(world.services.writer_of(desired), lambda call: before(call, desired.target.environment))

    return writer_of


# --- order --------------------------------------------------------------------------------------


def test_the_lowest_wave_is_sent_first_and_results_come_in_the_order_of_the_input(world: World) -> None:
    made = in_waves(world, last=20, first=0, second=1, third=3)
    outcomes = world.apply_all(made)
    assert sent(world) == ["first", "second", "third", "last"]
    assert [(outcome.name, outcome.kind) for outcome in outcomes] == [
        (name, APPLIED) for name in ("last", "first", "second", "third")
    ]


def test_targets_of_a_wave_go_together_and_a_wave_waits_for_the_end_of_the_one_before(world: World) -> None:
    waves = {"prod": 1, "dev": 0, "eu": 1, "test": 0}
    made = in_waves(world, **waves)
    together = Barrier(2)
    under_way: list[tuple[int, set[int]]] = []

    def before(call: str, environment: str) -> None:
        if call == "update_auth":
            together.wait(timeout=30)  # until both of the wave are about to be sent
            open_now = {waves[opened.intent.plan.name] for opened in world.ledger.all_under_way()}
            under_way.append((waves[environment], open_now))
            together.wait(timeout=30)

    assert kinds(world.apply_all(made, writer_of=watched(world, before), parallelism=4)) == [APPLIED] * 4
    assert under_way == [(0, {0}), (0, {0}), (1, {1}), (1, {1})]


def test_a_saved_plan_is_applied_in_the_waves_it_was_made_with(world: World) -> None:
    made = in_waves(world, prod=2, dev=1)
    saved = from_json(json.dumps(to_json(made, version="1.0")))
    assert [target.desired.wave for target in saved.planned] == [2, 1]
    assert kinds(world.apply_all(saved, saved=True)) == [APPLIED] * 2
    assert sent(world) == ["dev", "prod"]


def test_the_way_back_goes_in_the_same_waves(world: World) -> None:
    made = in_waves(world, prod=1, dev=0)
    keeping = world.keeping(made)
    world.apply_all(made, keeping=keeping)
    assert kinds(world.apply_all(world.way_back(keeping.run.id))) == [APPLIED] * 2
    assert sent(world) == ["dev", "prod", "dev", "prod"]


# --- failures -----------------------------------------------------------------------------------


def test_a_failure_stops_the_waves_that_follow(world: World) -> None:
    made = in_waves(world, dev=0, test=1, prod=2, eu=2)
    fail_jobs(world, "test")
    keeping = world.keeping(made)
    outcomes = world.apply_all(made, keeping=keeping)
    assert kinds(outcomes) == [APPLIED, FAILED, SKIPPED, SKIPPED]
    assert [outcome.summary for outcome in outcomes[2:]] == [
        "nothing was sent: there was 1 failure by the end of wave 1"
    ] * 2
    assert sent(world) == ["dev", "test"]
    assert world.live("prod") == world.live("eu") == configuration()
    assert {record.plan.name: record.sent for record in world.ledger.records(keeping.run.id)} == {
        "dev": True,
        "test": True,
        "prod": False,
        "eu": False,
    }
    assert world.ledger.all_under_way() == ()


def test_a_wave_is_carried_out_to_its_end_whatever_fails_in_it(world: World) -> None:
    made = in_waves(world, dev=0, test=0, prod=0)
    fail_jobs(world, "dev", "test")
    assert kinds(world.apply_all(made)) == [FAILED, FAILED, APPLIED]


def test_as_many_failures_as_are_allowed_stop_nothing(world: World) -> None:
    made = in_waves(world, dev=0, test=1, prod=2)
    fail_jobs(world, "dev")
    assert kinds(world.apply_all(made, max_failures=1)) == [FAILED, APPLIED, APPLIED]


def test_failures_of_all_waves_count_together(world: World) -> None:
    made = in_waves(world, dev=0, test=3, prod=4)
    fail_jobs(world, "dev", "test")
    outcomes = world.apply_all(made, max_failures=1)
    assert kinds(outcomes) == [FAILED, FAILED, SKIPPED]
    assert outcomes[2].summary == "nothing was sent: there were 2 failures by the end of wave 3"


@pytest.mark.parametrize(
    ("fault", "kind"),
    [
        ("job_stuck", OutcomeKind.TIMED_OUT),
        ("collateral", OutcomeKind.UNVERIFIED),
        ("access_denied", OutcomeKind.DENIED),
    ],
)
def test_whatever_ends_otherwise_than_applied_is_a_failure(world: World, fault: str, kind: OutcomeKind) -> None:
    made = in_waves(world, dev=0, prod=1)
    world.emulator.inject([Fault.parse(f"{fault},operation=UpdateBackendAuth,environment=dev")])
    assert kinds(world.apply_all(made)) == [kind, SKIPPED]


def test_a_target_that_needs_nothing_stays_unchanged_in_a_wave_that_is_skipped(world: World) -> None:
    for environment in ("dev", "test", "prod"):
        world.seed(environment=environment)
    lengths = {"dev": 12, "test": 8, "prod": 12}
    made = world.plan(
        *(
            document(policy(length), environment=name, name=name, wave=wave)
            for wave, (name, length) in enumerate(lengths.items())
        )
    )
    fail_jobs(world, "dev")
    assert kinds(world.apply_all(made)) == [FAILED, UNCHANGED, SKIPPED]


def test_a_plan_whose_first_wave_was_refused_may_be_used_again_and_one_that_sent_something_not(world: World) -> None:
    made = in_waves(world, dev=0, prod=1)
    world.fault("throttle,operation=UpdateBackendAuth,environment=dev")
    assert kinds(world.apply_all(made, saved=True)) == [FAILED, SKIPPED]
    fail_jobs(world, "prod")
    assert kinds(world.apply_all(made, saved=True)) == [APPLIED, FAILED]
    assert kinds(world.apply_all(made, saved=True)) == [OutcomeKind.STALE] * 2
    assert sent(world) == ["dev", "dev", "prod"], "the first of which the service refused"


# --- all of them, before anything is sent to any ------------------------------------------------


def test_a_stale_target_of_the_last_wave_means_that_nothing_is_sent_to_any(world: World) -> None:
    made = in_waves(world, dev=0, prod=1)
    moved = configuration()
    moved["IdentityPoolConfigs"]["UnauthenticatedLogin"] = False
    world.seed(moved, environment="prod")
    outcomes = world.apply_all(made, max_failures=9)
    assert kinds(outcomes) == [SKIPPED, OutcomeKind.STALE]
    assert outcomes[0].summary == "nothing was sent, because prod is stale"
    assert world.updates == ()


def test_what_moves_while_an_earlier_wave_is_under_way_is_seen_right_before_the_update(world: World) -> None:
    made = in_waves(world, dev=0, prod=1)

    def somebody_else(seconds: float) -> None:
        if seconds:  # the job of the first wave runs
            moved = configuration()
            moved["IdentityPoolConfigs"]["UnauthenticatedLogin"] = False
            world.seed(moved, environment="prod")
        world.time.sleep(seconds)

    assert kinds(world.apply_all(made, sleep=somebody_else)) == [APPLIED, OutcomeKind.STALE]
    assert sent(world) == ["dev"]


def test_a_target_whose_lease_was_lost_while_an_earlier_wave_was_under_way_is_refused(world: World) -> None:
    made = in_waves(world, dev=0, prod=1)
    leases = MemoryLeases(gone=lambda: bool(world.updates))
    world.services.books.ledger = replace(world.ledger, leases=leases)
    assert kinds(world.apply_all(made)) == [APPLIED, OutcomeKind.LOCKED]
    assert sent(world) == ["dev"]
    assert [hold.released for hold in leases.given] == [True, True]


# --- stopping -----------------------------------------------------------------------------------


def test_what_was_not_started_when_a_run_is_stopped_between_waves_is_skipped_and_not_looked_at(world: World) -> None:
    made = in_waves(world, dev=0, test=1, prod=2)
    looked: list[str] = []

    def before(call: str, environment: str) -> None:
        if call == "list_jobs":
            looked.append(environment)

    def stop(seconds: float) -> None:
        if world.records():  # the first wave has ended
            raise Stopped
        world.time.sleep(seconds)

    outcomes = world.apply_all(made, sleep=stop, max_failures=9, writer_of=watched(world, before))
    assert kinds(outcomes) == [APPLIED, SKIPPED, SKIPPED]
    assert [outcome.summary for outcome in outcomes[1:]] == ["nothing was sent"] * 2
    assert sent(world) == ["dev"]
    assert looked == ["dev", "test", "prod", "dev"], "all before anything was sent, and one right before its update"


def test_a_run_that_is_stopped_while_a_wave_is_under_way_starts_no_other(world: World) -> None:
    made = in_waves(world, dev=0, prod=1)

    def stop(_seconds: float) -> None:
        if world.updates:
            raise Stopped

    outcomes = world.apply_all(made, sleep=stop, max_failures=9)
    assert kinds(outcomes) == [OutcomeKind.UNKNOWN, SKIPPED]
    assert outcomes[1].summary == "nothing was sent"
    assert sent(world) == ["dev"]
