"""Many targets at once: the order of what comes of them, what is told of them, and how they are stopped."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from threading import Event
from typing import Any

import pytest

from reconciler.core.gateway import ReadGateway
from reconciler.core.model import Desired, FailureKind, TargetFailure
from reconciler.errors import AccessProblem, ReadFailed
from reconciler.operations.fleet import Observer, Stopping, for_each
from reconciler.operations.plan import plan
from tests.unit.core.builders import TARGET, config, desired

LENGTH = "UserPoolConfigs.PasswordPolicy.MinimumLength"


@pytest.fixture
def hung() -> Iterator[Event]:
    """What a read waits for that never ends, while the test runs."""
    event = Event()
    yield event
    event.set()


def test_results_keep_the_order_of_the_items_whatever_finishes_first() -> None:
    last = Event()

    def work(number: int) -> int:
        if number == 9:
            last.set()
        elif number == 0:
            assert last.wait(60)
        return number * 2

    assert for_each(range(10), work, parallelism=2) == tuple(range(0, 20, 2))
    assert for_each([], str, parallelism=8) == ()


def test_a_fault_in_one_is_raised_and_nothing_more_is_started(hung: Event) -> None:
    begun: list[int] = []

    def work(number: int) -> None:
        begun.append(number)
        if number == 1:
            raise LookupError(number)
        hung.wait()

    with pytest.raises(LookupError):
        for_each(range(9), work, parallelism=2)
    hung.set()
    assert set(begun) <= {0, 1}


@pytest.mark.parametrize("parallelism", [1, 3])
def test_what_is_finished_when_a_fleet_is_stopped_is_kept_and_what_hangs_is_left(hung: Event, parallelism: int) -> None:
    begun: list[str] = []

    def work(name: str) -> str:
        begun.append(name)
        if name in "cde":
            hung.wait()
        return name.upper()

    stopping: Stopping[str, str] = Stopping(lambda: len(begun) == 2 + parallelism, lambda name: f"{name}?")
    results = for_each("abcdefgh", work, parallelism=parallelism, stopping=stopping)
    assert results == ("A", "B", "c?", "d?", "e?", "f?", "g?", "h?")
    assert begun == list("abcde"[: 2 + parallelism])


def test_one_item_that_hangs_is_left_too(hung: Event) -> None:
    hangs = Event()

    def work(_name: str) -> str:
        hangs.set()
        hung.wait()
        return ""

    assert for_each(["a"], work, parallelism=8, stopping=Stopping(hangs.is_set, str.upper)) == ("A",)


def test_nothing_is_started_once_a_stop_was_asked_for() -> None:
    begun: list[str] = []
    for_each("ab", begun.append, parallelism=1, stopping=Stopping(lambda: True, lambda _: None))
    assert begun == []


# --- plan ----------------------------------------------------------------------------------------


@dataclass
class Reader:
    """Reads what live is, or hangs."""

    answer: Any = field(default_factory=config)
    hung: Event | None = None
    reached: Event = field(default_factory=Event)

    def get_auth(self, *_what: object) -> Any:
        self.reached.set()
        if self.hung is not None:
            self.hung.wait()
        if isinstance(self.answer, Exception):
            raise self.answer
        return self.answer

    def get_backend(self, *_what: object) -> Any:
        raise ReadFailed("a target that does not change needs no more than its configuration")

    get_job = list_jobs = get_backend


def fleet(*names: str) -> list[Desired]:
    """Documents that want what live is."""
    document = desired({LENGTH: 8})
    return [replace(document, name=name, target=replace(TARGET, environment=name)) for name in names]


def test_a_plan_that_is_stopped_has_what_was_read_and_names_the_others_in_their_order(hung: Event) -> None:
    slow = Reader(hung=hung)
    readers = {"read": Reader(), "failed": Reader(ReadFailed("no answer")), "slow": slow, "later": Reader()}

    def reader_of(document: Desired) -> ReadGateway:
        if document.name == "denied":
            raise AccessProblem("no credentials")
        return readers[document.name]

    names = ("read", "failed", "slow", "later", "denied")
    made = plan(fleet(*names), reader_of, now="", parallelism=1, stopped=slow.reached.is_set)
    assert tuple(target.name for target in made.targets) == names
    assert [target.name for target in made.planned] == ["read"]
    assert [failure.kind for failure in made.failures] == [
        FailureKind.READ,
        FailureKind.INTERRUPTED,
        FailureKind.INTERRUPTED,
        FailureKind.ACCESS,
    ]


def test_a_plan_that_is_stopped_makes_no_more_gateways() -> None:
    made: list[str] = []

    def reader_of(document: Desired) -> ReadGateway:
        made.append(document.name)
        return Reader()

    planned = plan(fleet("a", "b", "c"), reader_of, now="", stopped=lambda: len(made) == 2)
    assert made == ["a", "b"]
    assert [failure.kind for failure in planned.failures] == [FailureKind.INTERRUPTED] * 3


@dataclass
class Ear(Observer):
    """Keeps what it is told."""

    told: list[tuple[object, ...]] = field(default_factory=list)

    def started(self, doing: str, total: int) -> None:
        self.told.append(("started", doing, total))

    def __call__(self, name: str, message: str) -> None:
        self.told.append((name, message))

    def finished(self, name: str, *, failed: bool) -> None:
        self.told.append((name, failed))

    def ended(self) -> None:
        self.told.append(("ended",))


def test_an_observer_hears_of_the_stage_and_of_each_target() -> None:
    ear, reading = Ear(), "Reading live configuration..."
    readers = {"a": Reader(), "b": Reader(ReadFailed("no answer"))}
    plan(fleet("a", "b"), lambda document: readers[document.name], now="", observer=ear)
    assert ear.told == [
        ("started", reading, 2),
        ("a", reading),
        ("a", False),
        ("b", reading),
        ("b", True),
        ("ended",),
    ]


def test_an_observer_hears_of_the_end_also_where_the_operation_fails() -> None:
    ear = Ear()
    with pytest.raises(LookupError):
        plan(fleet("a"), lambda _: Reader(LookupError()), now="", observer=ear)
    assert ear.told[-1] == ("ended",)


def test_an_observer_overrides_only_what_it_wants_to_hear() -> None:
    class Counter(Observer):
        done = 0

        def finished(self, name: str, *, failed: bool) -> None:  # noqa: ARG002 - it only counts
            self.done += 1

    counter = Counter()
    made = plan(fleet("a", "b"), lambda _: Reader(), now="", observer=counter)
    assert counter.done == len(made.targets) == 2
    assert not any(isinstance(target, TargetFailure) for target in made.targets)
