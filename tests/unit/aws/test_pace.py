"""The pace of reads, by a simulation in virtual time: a limit is found, kept, and left behind; others are none."""

from __future__ import annotations

import itertools
import logging
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


@pytest.mark.parametrize("latency", [0.2, 0.3])
def test_a_limit_just_below_what_the_workers_reach_by_themselves_is_found_too(latency: float) -> None:
    done = run(Service(RATE, 5), reads=READS, workers=8, latency=latency)
    assert done.seconds <= 1.1 * READS / RATE
    assert done.sent <= 1.06 * READS


# --- refusals that are not for our rate ------------------------------------------------------------


def unpaced(share: float, latency: float) -> float:
    """Seconds that retries with jitter take for all reads with 8 workers where such a share is refused at random."""
    pauses = sum(share**times * 0.05 * 2 ** (times - 1) / 2 for times in range(1, 10))
    return READS / 8 * float((0.001 + latency) / (1 - share) + pauses)


@pytest.mark.parametrize("latency", [0.01, 0.05])
@pytest.mark.parametrize("seed", range(5))
def test_one_refusal_in_ten_at_random_slows_nothing_down(latency: float, seed: int) -> None:
    done = run(Service(None, chance=0.1), reads=READS, workers=8, latency=latency, seed=seed)
    assert done.failed == 0
    assert done.seconds <= 1.5 * unpaced(0.1, latency)
    assert done.sent <= 1.15 * READS


@pytest.mark.parametrize("share", [0.25, 0.3])
@pytest.mark.parametrize("latency", [0.01, 0.05])
@pytest.mark.parametrize("seed", range(5))
def test_many_refusals_at_random_slow_little_down(share: float, latency: float, seed: int) -> None:
    done = run(Service(None, chance=share), reads=READS, workers=8, latency=latency, seed=seed)
    assert done.failed == 0
    assert done.seconds <= 60
    assert done.sent <= 1.12 * READS / (1 - share)


def test_where_every_other_read_is_refused_all_are_made_in_bounded_time() -> None:
    done = run(Service(None, chance=0.5), reads=READS, workers=8, latency=0.01)
    assert done.failed == 0
    assert done.seconds <= READS


@pytest.mark.parametrize("share", [0.1, 0.25])
def test_a_limit_that_also_refuses_at_random_is_no_standstill(share: float) -> None:
    seeds = range(8)
    runs = [run(Service(RATE, 5, chance=share), reads=READS, workers=8, latency=0.01, seed=seed) for seed in seeds]
    assert sum(done.failed for done in runs) == 0
    assert sum(done.seconds for done in runs) / len(runs) <= 3 * READS / RATE
    assert max(done.sent for done in runs) <= 2.2 * READS


@pytest.mark.parametrize("seed", range(3))
def test_others_who_never_slow_down_leave_us_a_part_and_what_they_leave_behind_is_taken_up(seed: int) -> None:
    gone = 60
    service = Service(RATE, 5, foreign=1.5 * RATE, leaves=gone)
    done = run(service, reads=READS, workers=8, latency=0.02, seed=seed)
    meanwhile = sum(at < gone for at in done.answered)
    assert done.failed == 0
    assert meanwhile >= 0.25 * gone
    soon = [at for at in done.answered if gone + 20 <= at < gone + 30]
    assert len(soon) >= 0.8 * 10 * RATE


def test_who_gets_no_part_at_all_fails_in_bounded_time() -> None:
    done = run(Service(None, chance=1), reads=READS, workers=8, latency=0.02)
    assert done.failed == READS
    assert done.sent <= 150


@dataclass
class Gate:
    """A pace and its clock; reads were refused until there is a limit."""

    at: float = 0
    pace: Pace = field(init=False)

    def __post_init__(self) -> None:
        self.pace = Pace(lambda: self.at, lambda: 0.5, "eu-west-1")
        while not self.pace.ask(self):
            self.pace.refused(self.at)
        self.pace.leave(self)

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
    times = [gate.at]
    for _ in range(5):
        times.append(gate.due(object()))
        gate.refuse()
    waits = [later - before for before, later in itertools.pairwise(times)]
    assert all(later == pytest.approx(2 * before, rel=0.05) for before, later in itertools.pairwise(waits))


def test_refusals_of_what_was_sent_at_once_slow_down_once() -> None:
    one, many = Gate(), Gate()
    for _ in range(30):
        many.pace.refused(0)
    assert one.due(object()) == many.due(object())


def test_all_wait_as_long_as_the_service_names_where_nothing_passes() -> None:
    gate = Gate()
    gate.pace.refused(0, after=7)
    assert gate.due(object()) >= 7


def test_what_one_read_is_told_to_wait_holds_up_nobody_while_others_pass() -> None:
    gate = Gate()
    for _ in range(10):
        gate.pace.passed(gate.due(object()))
        gate.pace.refused(gate.due(object()), after=1000)
    assert gate.at < 60
    assert not gate.pace.closed


def test_a_read_that_passes_takes_back_the_wait_that_was_named_before_it_was_sent() -> None:
    gate = Gate()
    sent = [gate.due(object()) for _ in range(3)]
    gate.pace.refused(sent[0], after=1000)
    gate.at += 61
    assert gate.pace.closed is False
    gate.pace.passed(sent[2])
    assert gate.due(object()) < 63


def test_a_service_that_refuses_everything_is_closed_after_a_minute_until_it_is_looked_at_again() -> None:
    gate = Gate()
    while not gate.pace.closed:
        gate.due(object())
        gate.refuse()
    assert 45 <= gate.at <= 120
    sent = gate.due(object())
    assert gate.pace.closed, "one read at a time finds out"
    gate.pace.passed(sent)
    assert not gate.pace.closed
    gate.due(object())
    gate.refuse()
    assert not gate.pace.closed


def test_a_service_that_names_a_longer_wait_is_closed_after_it_and_one_that_names_hours_after_a_minute() -> None:
    for named, closed in ((120, 120), (3600, 60)):
        gate = Gate()
        gate.pace.refused(0, after=named)
        while not gate.pace.closed:
            gate.pace.refused(gate.due(object()), after=named)
        assert closed <= gate.at <= closed + 5


def test_people_are_told_once_that_they_are_slowed_down_and_again_where_it_gets_much_slower(
    caplog: pytest.LogCaptureFixture,
) -> None:
    with caplog.at_level(logging.WARNING, "reconciler"):
        run(Service(RATE, 5, later=((90, 2),)), reads=2000, workers=8, latency=0.02)
    told = "the service in eu-west-1 refuses reads that come too fast: slowing down to about "
    assert caplog.messages[0] == f"{told}20 a second"
    assert [message.startswith(told) for message in caplog.messages[1:]] in ([True], [True, True])


def test_people_are_told_nothing_of_refusals_now_and_then(caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.WARNING, "reconciler"):
        run(Service(None, chance=0.1), reads=READS, workers=8, latency=0.02)
    assert caplog.messages == []


def test_who_gives_up_waiting_holds_up_nobody() -> None:
    gate = Gate()
    gone, next_in_line, alone = object(), object(), Gate()
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
