"""The pace of reads, by a simulation in virtual time: the limit is found, kept, and left behind when it is lifted."""

from __future__ import annotations

import itertools
from dataclasses import dataclass, field

import pytest

from reconciler.aws.pace import Pace
from tests.unit.aws.traffic import Service, run

READS = 1000
RATE = 20


@pytest.mark.parametrize("workers", [8, 32])
@pytest.mark.parametrize("latency", [0.003, 0.05])
@pytest.mark.parametrize("burst", [2, 3, 5, 20])
def test_a_fleet_takes_hardly_longer_than_the_limit_allows_and_sends_hardly_more_than_it_needs(
    burst: int, latency: float, workers: int
) -> None:
    for seed in range(3):
        done = run(Service(RATE, burst), reads=READS, workers=workers, latency=latency, seed=seed)
        assert done.seconds <= 1.06 * READS / RATE
        assert done.sent <= 1.05 * READS


def test_a_limit_without_any_burst_costs_little_more() -> None:
    done = run(Service(RATE), reads=READS, workers=8, latency=0.003)
    assert done.seconds <= 1.15 * READS / RATE
    assert done.sent <= 1.05 * READS


@pytest.mark.parametrize("workers", [8, 32])
def test_threads_that_wake_too_late_cost_little(workers: int) -> None:
    done = run(Service(RATE, 3), reads=READS, workers=workers, latency=0.003, late=0.005)
    assert done.seconds <= 1.1 * READS / RATE
    assert done.sent <= 1.05 * READS


@pytest.mark.parametrize(("rate", "reads"), [(2, 200), (5, 500), (50, 2500), (100, 5000)])
def test_every_limit_is_found(rate: float, reads: int) -> None:
    done = run(Service(rate, 5), reads=reads, workers=8, latency=0.02)
    assert done.seconds <= 1.1 * reads / rate
    assert done.sent <= 1.05 * reads + 8


def test_who_is_not_throttled_waits_for_nothing() -> None:
    done = run(Service(None), reads=READS, workers=8, latency=0.05)
    assert done.sent == READS
    assert done.seconds == pytest.approx(READS / 8 * 0.051, rel=0.05)


@pytest.mark.parametrize("rate", [10, 5])
def test_a_limit_that_falls_is_kept(rate: float) -> None:
    done = run(Service(RATE, 3, later=((20, rate),)), reads=READS, workers=8, latency=0.02)
    assert done.seconds <= 1.1 * (20 + (READS - 20 * RATE) / rate)
    assert done.sent <= 1.05 * READS


def test_a_limit_that_is_lifted_is_left_behind() -> None:
    done = run(Service(RATE, 3, later=((20, None),)), reads=READS, workers=8, latency=0.02)
    assert done.seconds <= 20 + 15  # with the limit there would be 30 seconds left


def test_processes_that_share_a_limit_find_each_its_part() -> None:
    done = run(Service(RATE, 5), reads=READS, workers=16, processes=2, latency=0.02)
    assert done.seconds <= 1.1 * READS / RATE
    assert done.sent <= 1.12 * READS


def test_a_service_that_names_how_long_to_wait_is_no_slower() -> None:
    done = run(Service(RATE, 3, after=1), reads=READS, workers=8, latency=0.02)
    assert done.seconds <= 1.1 * READS / RATE
    assert done.refusals <= 3


@dataclass
class Gate:
    """A pace and its clock."""

    at: float = 0
    pace: Pace = field(init=False)

    def __post_init__(self) -> None:
        self.pace = Pace(lambda: self.at, lambda: 0.5)

    def due(self, turn: object) -> float:
        """Wait for the turn; when it came."""
        while seconds := self.pace.ask(turn):
            self.at += seconds
        return self.at

    def refuse(self) -> None:
        """Refuse the read that was sent last."""
        sent, self.at = self.at, self.at + 0.001
        self.pace.refused(sent)


def test_a_refusal_is_followed_by_ever_longer_waits_until_one_passes() -> None:
    gate = Gate()
    gate.refuse()
    times = [gate.at]
    for _ in range(5):
        times.append(gate.due(object()))
        gate.refuse()
    waits = [later - before for before, later in itertools.pairwise(times)]
    assert all(later == pytest.approx(2 * before, rel=0.05) for before, later in itertools.pairwise(waits))


def test_refusals_of_what_was_sent_at_once_slow_down_once() -> None:
    one, many = Gate(), Gate()
    one.pace.refused(0)
    for _ in range(30):
        many.pace.refused(0)
    assert one.due(object()) == many.due(object())


def test_all_wait_as_long_as_the_service_names_where_nothing_passes() -> None:
    gate = Gate()
    gate.pace.refused(0, after=7)
    assert gate.pace.ask(object()) < 1
    gate.pace.refused(0, after=7)
    assert gate.due(object()) >= 7


def test_a_service_that_refuses_everything_is_closed_after_a_minute_until_it_is_looked_at_again() -> None:
    gate = Gate()
    while not gate.pace.closed:
        gate.due(object())
        gate.refuse()
    assert 45 <= gate.at <= 120
    gate.due(object())
    assert gate.pace.closed
    gate.pace.passed(gate.at)
    gate.refuse()
    assert not gate.pace.closed


def test_a_service_that_names_a_very_long_wait_is_closed() -> None:
    gate = Gate()
    gate.pace.refused(0, after=3600)
    gate.pace.refused(0, after=3600)
    assert gate.pace.closed


def test_who_gives_up_waiting_holds_up_nobody() -> None:
    gate = Gate()
    gate.pace.refused(0)
    gone, next_in_line, alone = object(), object(), Gate()
    alone.pace.refused(0)
    assert gate.pace.ask(gone)
    assert gate.pace.ask(next_in_line)
    gate.pace.leave(gone)
    gate.pace.leave(gone)
    assert gate.due(next_in_line) == alone.due(object())


def test_reads_that_fail_otherwise_are_not_tried_again_for_ever() -> None:
    pace = Gate().pace
    tries = sum(pace.spend_retry() for _ in range(1000))
    assert 10 <= tries <= 200
    assert not pace.spend_retry()
    pace.passed(0)
    assert pace.spend_retry()
