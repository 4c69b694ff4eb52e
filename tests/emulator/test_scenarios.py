"""Profiles and files of faults: what they say, and which requests they hit."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from botocore.exceptions import ClientError

from reconciler.emulator import Emulator, Fault, Switches, attach, profiles, read_scenario
from tests.emulator.conftest import Backend, Clock, client_for

if TYPE_CHECKING:
    from collections.abc import Sequence


def answers(backend: Backend, count: int) -> Sequence[bool]:
    """Return for so many reads whether each was answered."""
    found = []
    for _ in range(count):
        try:
            backend.read()
        except ClientError:
            found.append(False)
        else:
            found.append(True)
    return found


def test_every_profile_says_what_it_is_and_can_be_staged(backend: Backend) -> None:
    assert {"good-day", "bad-day", "stuck-job", "no-effect"} < set(profiles())
    for scenario in profiles().values():
        assert scenario.description
        backend.emulator.stage(Switches().updated(scenario.switches), scenario.faults)
        assert backend.emulator.faults() == scenario.faults


def test_a_good_day_ends_what_was_staged_before(backend: Backend) -> None:
    backend.emulator.stage(Switches(stale_reads=2), [Fault("throttle", times=0)])
    assert answers(backend, 2) == [False, False]
    backend.emulator.stage(Switches(), profiles()["good-day"].faults)
    assert answers(backend, 2) == [True, True]
    assert backend.emulator.switches == Switches()


def test_the_same_seed_hits_the_same_requests_again_and_another_seed_others(backend: Backend) -> None:
    fault = Fault("throttle", times=0, probability=0.5)
    runs = []
    for seed in (7, 7, 8):
        backend.emulator.stage(Switches(), [fault], seed)
        runs.append(answers(backend, 40))
    assert runs[0] == runs[1] != runs[2]
    assert 10 < sum(runs[0]) < 30


def test_chance_can_be_none_and_counts_only_hits(backend: Backend) -> None:
    backend.emulator.inject([Fault("throttle", times=0, probability=0.0)])
    assert all(answers(backend, 10))
    backend.emulator.stage(Switches(), [Fault("throttle", times=3, skip=1, probability=0.5)])
    assert answers(backend, 40).count(False) == 3
    assert backend.emulator.faults() == ()


def test_a_rate_lets_a_burst_pass_and_then_so_many_a_second(backend: Backend) -> None:
    backend.emulator.inject([Fault("throttle", times=0, rate=2, burst=3)])
    assert answers(backend, 5) == [True, True, True, False, False]
    backend.wait(0.5)
    assert answers(backend, 2) == [True, False]
    backend.wait(-100)
    assert answers(backend, 1) == [False]
    backend.wait(200)
    assert answers(backend, 4) == [True, True, True, False]


def test_a_rate_is_shared_by_all_who_share_the_state_and_counts_its_hits(backend: Backend, tmp_path: Path) -> None:
    backend.emulator.inject([Fault("throttle", times=2, rate=1, burst=1)])
    assert answers(backend, 1) == [True]
    with Emulator(tmp_path / "state.db", clock=Clock()) as other:
        client = client_for()
        attach(client.meta.events, other)
        assert answers(Backend(other, client, Clock()), 1) == [False]
        client.close()
    assert answers(backend, 2) == [False, True]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("{", "not JSON"),
        ("[" * 100_000, "nested too deep"),
        ("[]", "must be an object"),
        ('{"fault": []}', "fault: no such key; there are description, switches, faults, seed"),
        ('{"faults": {}}', "faults: must be a list"),
        ('{"seed": "x"}', "seed: x must be a whole number"),
        ('{"description": 1}', "description: must be text"),
        ('{"switches": []}', "switches: must be an object"),
        ('{"switches": {"colour": 1}}', "switches: colour: no such switch; there are secrets"),
        ('{"switches": {"stale_reads": "2"}}', "switches: stale_reads=2: must be a whole number"),
        ('{"switches": {"stale_reads": true}}', "switches: stale_reads=True: must be a whole number"),
        ('{"faults": [3]}', r"faults\[0\]: must be an object"),
        ('{"faults": [{"kind": "slow"}, {"kind": "fire"}]}', r"faults\[1\]: fire: no such fault"),
        ('{"faults": [{"kind": []}]}', r"faults\[0\]: \[\]: no such fault"),
        (
            '{"faults": [{"kind": "slow", "colour": 1}]}',
            r"faults\[0\]: colour: no attribute of a fault; there are kind",
        ),
        ('{"faults": [{"kind": "slow", "app": 1}]}', r"faults\[0\]: app=1: must be text"),
        ('{"faults": [{"kind": "slow", "times": 1.5}]}', "times=1.5: must be a whole number"),
        ('{"faults": [{"kind": "slow", "seconds": NaN}]}', "NaN: not a number of JSON"),
        ('{"faults": [{"kind": "slow", "seconds": 1e999}]}', "seconds=inf: must be a number"),
        ('{"faults": [{"kind": "slow", "probability": 2}]}', "probability=2: must not be above 1"),
        ('{"faults": [{"kind": "slow", "burst": 0}]}', "burst=0: must be at least 1"),
        ('{"faults": [{"kind": "error", "status": 999}]}', "status=999: must be an HTTP status"),
        ('{"faults": [{"kind": "slow", "operation": "GetAuth"}]}', "operation=GetAuth: the service has no such"),
    ],
)
def test_a_wrong_file_is_refused_with_the_entry_that_is_wrong(text: str, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        read_scenario(text)
