"""Leases: one holder of a target at a time, however the lease is kept."""

from __future__ import annotations

import fcntl
import json
import os
import stat
import threading
import uuid
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from pathlib import Path

import pytest

from reconciler.core.store import Store, Stored
from reconciler.errors import LedgerProblem, TargetLocked
from reconciler.ledger.filelock import FileLeases
from reconciler.ledger.folder import FolderStore
from reconciler.ledger.heartbeat import StoreLeases, seconds_since_boot
from reconciler.ledger.lease import Holder, Lease, Leases
from tests.unit.ledger.conftest import OPEN, Start, opened, tell, told

KEY = "shop-prod-0123456789abcdef"
OBJECT = f"leases/{KEY}.json"
OURS = Holder("shop-prod", "20261124T080000Z-ours", "ann@laptop", "2026-11-24T08:00:00Z")
THEIRS = Holder("shop-live", "20261124T070000Z-theirs", "Zoë (GitHub)", "2026-11-24T07:00:00Z")
TTL, BEAT, TRUSTED = 60.0, 20.0, 45.0

HOLDER = f"""{OPEN}
import os, subprocess, time, uuid
from reconciler.errors import TargetLocked
from reconciler.ledger.filelock import FileLeases
from reconciler.ledger.heartbeat import StoreLeases
from reconciler.ledger.lease import Holder

kind, location, key, run = sys.argv[1:5]
if kind == "file":
    leases = FileLeases(Path(location))
else:
    leases = StoreLeases(opened(location), token=lambda: uuid.uuid4().hex)
print("ready", flush=True)
sys.stdin.readline()
try:
    lease = leases.acquire(
        key, Holder("shop", run, "ann", "08:00"), timeout=0, now=time.monotonic, sleep=time.sleep
    )
except TargetLocked:
    print("locked", flush=True)
else:
    print("held", flush=True)
"""
HELD = f"{HOLDER}\nsys.stdin.readline()\n"


@dataclass
class Time:
    """Time that passes only when somebody sleeps, and tells how long they slept; ``meanwhile`` is done first."""

    now: float = 1000.0
    slept: list[float] = field(default_factory=list)
    meanwhile: Callable[[], None] = lambda: None

    def __call__(self) -> float:
        return self.now

    def sleep(self, seconds: float) -> None:
        self.meanwhile()
        self.now += seconds
        self.slept.append(seconds)


@dataclass
class Shelf:
    """A store that can be older than it is, fail, lose answers, or let something happen first."""

    store: Store
    older: float = 0.0
    only: str | None = None
    """The tag of the one version that is older; None for all."""
    failing: bool = False
    losing: bool = False
    refusing: bool = False
    first: Callable[[], None] = lambda: None
    """Done before each write."""

    @property
    def name(self) -> str:
        return self.store.name

    def get(self, key: str) -> Stored | None:
        stored = self.store.get(key)
        if stored is None or self.only not in {None, stored.tag}:
            return stored
        return replace(stored, age=stored.age + self.older)

    def list(self, prefix: str) -> tuple[str, ...]:
        return self.store.list(prefix)

    def put_if_absent(self, key: str, data: bytes) -> str | None:
        return self._put(lambda: self.store.put_if_absent(key, data))

    def put_if_match(self, key: str, data: bytes, tag: str) -> str | None:
        return self._put(lambda: self.store.put_if_match(key, data, tag))

    def _put(self, put: Callable[[], str | None]) -> str | None:
        self.first()
        if self.failing:
            raise LedgerProblem("the store is away")
        tag = None if self.refusing else put()
        if self.losing:
            raise LedgerProblem("the store's answer was lost")
        return tag


class Heart:
    """Beats when a test says so, and at no other time."""

    def __init__(self) -> None:
        self.pauses: list[float] = []
        self._waiting = threading.Semaphore(0)
        self._go = threading.Semaphore(0)

    def wait(self, stop: threading.Event, seconds: float) -> bool:
        self.pauses.append(seconds)
        self._waiting.release()
        while not stop.wait(0.001):
            if self._go.acquire(blocking=False):
                return False
        return True

    def beat(self) -> None:
        """One heartbeat, from its begin to its end."""
        assert self._waiting.acquire(timeout=30)
        self._go.release()
        assert self._waiting.acquire(timeout=30)
        self._waiting.release()


def assert_open(gate: threading.Event) -> None:
    """Wait until somebody opens the gate."""
    assert gate.wait(30)


def new_token() -> str:
    return uuid.uuid4().hex


@dataclass(frozen=True)
class Kind:
    """A way to keep leases, and where they are."""

    name: str
    location: str

    def leases(self, *, older: float = 0.0) -> Leases:
        """The leases as somebody else opens them; what a store has is so many seconds older."""
        if self.name == "file":
            return FileLeases(Path(self.location))
        return StoreLeases(Shelf(opened(self.location), older=older), token=new_token)


@pytest.fixture(params=["file", "folder", "s3"])
def kind(request: pytest.FixtureRequest, tmp_path: Path) -> Kind:
    """Each way to keep leases, in a place that nobody wrote to yet."""
    if request.param == "s3":
        return Kind("s3", f"s3://{request.getfixturevalue('bucket')}/ledger")
    return Kind(request.param, str(tmp_path / "state" / "ledger"))


Take = Callable[..., Lease]


@pytest.fixture
def take() -> Iterator[Take]:
    """Take leases, by default without waiting; all are given back at the end."""
    taken: list[Lease] = []

    def acquire(
        leases: Leases, key: str = KEY, holder: Holder = OURS, *, timeout: float = 0, time: Time | None = None
    ) -> Lease:
        time = time or Time()
        lease = leases.acquire(key, holder, timeout=timeout, now=time, sleep=time.sleep)
        taken.append(lease)
        return lease

    yield acquire
    for lease in taken:
        lease.release()


# --- what holds for every kind -----------------------------------------------------------------


def test_a_held_target_is_refused_at_once_and_says_who_holds_it(kind: Kind, take: Take) -> None:
    first = kind.leases()
    take(first, holder=THEIRS)
    for leases in (first, kind.leases()):
        time = Time()
        with pytest.raises(TargetLocked) as raised:
            take(leases, time=time)
        assert not time.slept
        assert raised.value.summary == "shop-prod is locked by another run"
        for word in (THEIRS.target, THEIRS.run, THEIRS.who, THEIRS.since):
            assert word in raised.value.detail
        assert raised.value.hint


def test_another_target_is_free(kind: Kind, take: Take) -> None:
    take(kind.leases())
    assert not take(kind.leases(), "shop-test").lost()


def test_a_target_that_was_given_back_is_free(kind: Kind, take: Take) -> None:
    lease = take(kind.leases())
    assert not lease.lost()
    lease.release()
    assert lease.lost(), "whoever still works on must send nothing more"
    again = take(kind.leases())
    lease.release()
    assert [held.key for held in kind.leases().held()] == [KEY]
    assert not again.lost()


def test_whoever_waits_waits_until_the_timeout_and_not_longer(kind: Kind, take: Take) -> None:
    take(kind.leases(), holder=THEIRS)
    time = Time()
    with pytest.raises(TargetLocked):
        take(kind.leases(), timeout=3.25, time=time)
    assert sum(time.slept) == 3.25
    assert max(time.slept) <= 1


def test_whoever_waits_gets_the_target_once_it_is_given_back(kind: Kind, take: Take) -> None:
    held = take(kind.leases(), holder=THEIRS)
    time = Time(meanwhile=lambda: held.release() if len(time.slept) == 2 else None)
    assert not take(kind.leases(), timeout=60, time=time).lost()
    assert len(time.slept) == 3


def test_whoever_stops_waiting_has_nothing(kind: Kind, take: Take) -> None:
    def stop() -> None:
        raise InterruptedError

    held = take(kind.leases(), holder=THEIRS)
    with pytest.raises(InterruptedError):
        take(kind.leases(), timeout=60, time=Time(meanwhile=stop))
    held.release()
    assert kind.leases().held() == ()


def test_of_many_threads_one_gets_the_target(kind: Kind, take: Take) -> None:
    leases = kind.leases()
    line = threading.Barrier(12)

    def run(number: int) -> str | None:
        line.wait()
        run = f"run {number}"
        try:
            take(leases, holder=replace(OURS, run=run))
        except TargetLocked:
            return None
        return run

    with ThreadPoolExecutor(12) as pool:
        won = [run for run in pool.map(run, range(12)) if run is not None]
    assert [held.holder.run for held in leases.held()] == won
    assert len(won) == 1


def test_of_many_processes_one_gets_the_target(kind: Kind, start: Start) -> None:
    racers = [start(HELD, kind.name, kind.location, KEY, str(number)) for number in range(4)]
    assert {told(racer) for racer in racers} == {"ready"}
    for racer in racers:
        tell(racer)
    assert sorted(told(racer) for racer in racers) == ["held", "locked", "locked", "locked"]


def test_a_holder_that_is_killed_holds_its_target_no_longer(kind: Kind, take: Take, start: Start) -> None:
    holder = start(HELD, kind.name, kind.location, KEY, "killed")
    assert told(holder) == "ready"
    tell(holder)
    assert told(holder) == "held"
    with pytest.raises(TargetLocked, match="locked"):
        take(kind.leases())
    holder.kill()
    holder.wait()
    if kind.name != "file":
        with pytest.raises(TargetLocked):
            take(kind.leases(older=TTL - 5))
        assert kind.leases(older=TTL + 1).held() == ()
    take(kind.leases(older=TTL + 1))
    assert [held.holder for held in kind.leases().held()] == [OURS]


def test_leases_that_are_held_are_listed(kind: Kind, take: Take) -> None:
    assert kind.leases().held() == ()
    take(kind.leases(), "b", THEIRS)
    take(kind.leases(), "a", OURS)
    take(kind.leases(), "c", OURS).release()
    found = kind.leases().held()
    assert [(held.key, held.holder) for held in found] == [("a", OURS), ("b", THEIRS)]
    assert all(0 <= held.age < TTL and held.tag for held in found)
    assert {held.breakable for held in found} == {kind.name != "file"}


@pytest.mark.parametrize("name", ["file", "folder", "s3"])
def test_a_place_that_cant_be_used_is_a_problem(
    name: str, tmp_path: Path, take: Take, request: pytest.FixtureRequest
) -> None:
    (tmp_path / "file").touch()
    if name == "s3":
        request.getfixturevalue("bucket")
    leases = Kind(name, "s3://no-such-bucket" if name == "s3" else str(tmp_path / "file" / "ledger")).leases()
    with pytest.raises(LedgerProblem):
        take(leases)
    with pytest.raises(LedgerProblem):
        leases.held()


# --- locked files ------------------------------------------------------------------------------


def test_a_locked_file_names_the_process_and_cant_be_broken(tmp_path: Path, take: Take) -> None:
    leases = FileLeases(tmp_path)
    lease = take(leases, holder=THEIRS)
    with pytest.raises(TargetLocked) as raised:
        take(leases)
    assert f"process {os.getpid()}" in raised.value.detail
    assert f"process {os.getpid()}" in raised.value.hint
    (held,) = leases.held()
    assert not leases.break_(held)
    assert not lease.lost()
    assert leases.held() == (held,)


def test_a_longer_name_of_a_dead_holder_does_not_show(tmp_path: Path, take: Take, start: Start) -> None:
    holder = start(HOLDER, "file", str(tmp_path), KEY, "a long name" * 100)
    tell(holder)
    holder.wait()
    assert "a long name" in (tmp_path / f"{KEY}.lock").read_text()
    assert FileLeases(tmp_path).held() == ()
    take(FileLeases(tmp_path))
    (held,) = FileLeases(tmp_path).held()
    assert held.holder == OURS


@pytest.mark.parametrize("text", ["", '{"target": "shop', "[]", '{"target": 1}', "\0", "[" * 60_000])
def test_a_file_that_says_nothing_is_held_all_the_same(tmp_path: Path, take: Take, text: str) -> None:
    file = tmp_path / f"{KEY}.lock"
    file.write_text(text)
    with file.open() as locked:
        fcntl.flock(locked, fcntl.LOCK_EX)
        with pytest.raises(TargetLocked) as raised:
            take(FileLeases(tmp_path))
        assert "somebody" in raised.value.detail
        assert "an unknown process" in raised.value.detail
        (held,) = FileLeases(tmp_path).held()
        assert held.key == KEY
    assert FileLeases(tmp_path).held() == ()


def test_a_program_that_a_holder_started_does_not_keep_the_target(tmp_path: Path, take: Take, start: Start) -> None:
    program = f"{HOLDER}\nprint(subprocess.Popen('cat', stdout=subprocess.DEVNULL).pid, flush=True)\ntime.sleep(60)\n"
    holder = start(program, "file", str(tmp_path), KEY, "killed")
    tell(holder)
    assert [told(holder) for _ in range(2)] == ["ready", "held"]
    child = int(told(holder))
    holder.kill()
    holder.wait()
    take(FileLeases(tmp_path))
    os.kill(child, 0)  # It is still there, until its input ends with this test.


def test_a_forked_child_does_not_keep_a_target_that_was_given_back(tmp_path: Path, take: Take, start: Start) -> None:
    program = f"{HOLDER}\nif os.fork():\n    lease.release()\n    print('released', flush=True)\nsys.stdin.readline()\n"
    holder = start(program, "file", str(tmp_path), KEY, "forks")
    tell(holder)
    assert [told(holder) for _ in range(3)] == ["ready", "held", "released"]
    take(FileLeases(tmp_path))


def test_a_look_is_not_in_the_way_of_whoever_wants_the_target(tmp_path: Path, take: Take) -> None:
    leases = FileLeases(tmp_path)
    take(leases).release()
    done = threading.Event()

    def look() -> None:
        while not done.is_set():
            leases.held()

    with ThreadPoolExecutor(2) as pool:
        looks = [pool.submit(look) for _ in range(2)]
        try:
            for _ in range(200):
                take(leases).release()
        finally:
            done.set()
        for looked in looks:
            looked.result()


def test_a_holder_that_cant_say_its_name_has_nothing(
    tmp_path: Path, take: Take, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_arguments: object) -> None:
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr(os, "pwrite", full)
        with pytest.raises(LedgerProblem) as raised:
            take(FileLeases(tmp_path))
    assert raised.value.detail.endswith("No space left on device")
    take(FileLeases(tmp_path))


def test_what_cant_be_unlocked_is_given_back_without_a_word(
    tmp_path: Path, take: Take, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*_arguments: object) -> None:
        raise OSError(5, "Input/output error")

    lease = take(FileLeases(tmp_path))
    with monkeypatch.context() as patch:
        patch.setattr(fcntl, "flock", broken)
        lease.release()
    take(FileLeases(tmp_path))


def test_locked_files_are_for_their_owner_alone_and_stay(tmp_path: Path, take: Take) -> None:
    folder = tmp_path / "state" / "leases"
    take(FileLeases(folder)).release()
    assert {path.name: stat.S_IMODE(path.stat().st_mode) for path in folder.iterdir()} == {
        ".lock": 0o600,
        f"{KEY}.lock": 0o600,
    }
    assert stat.S_IMODE(folder.stat().st_mode) == stat.S_IMODE(folder.parent.stat().st_mode) == 0o700


def test_other_files_of_the_folder_are_passed_over(tmp_path: Path) -> None:
    for name in ("notes.txt", "no key.lock", ".hidden.lock"):
        (tmp_path / name).touch()
    assert FileLeases(tmp_path).held() == ()


@pytest.mark.parametrize("key", ["", ".", "..", "a/b", "../a", "a b"])
def test_a_key_is_one_word(tmp_path: Path, take: Take, key: str) -> None:
    with pytest.raises(ValueError, match="no key"):
        take(FileLeases(tmp_path), key)


# --- heartbeats --------------------------------------------------------------------------------


@dataclass
class Beating:
    """A lease over a store, on a clock and a heart that only the test moves."""

    lease: Lease
    shelf: Shelf
    clock: Time
    heart: Heart

    def after(self, seconds: float) -> Beating:
        """Let time pass, and then a heartbeat."""
        self.clock.now += seconds
        self.heart.beat()
        return self

    def entry(self) -> dict[str, object]:
        """What stands in the store."""
        stored = self.shelf.get(OBJECT)
        assert stored is not None
        found: dict[str, object] = json.loads(stored.data)
        return found


@pytest.fixture
def beating(tmp_path: Path, take: Take) -> Beating:
    """A lease that was taken a moment ago."""
    shelf, clock, heart = Shelf(FolderStore(tmp_path)), Time(), Heart()
    leases = StoreLeases(shelf, ttl=TTL, beat=BEAT, token=new_token, clock=clock, wait=heart.wait)
    return Beating(take(leases), shelf, clock, heart)


def others(tmp_path: Path, *, older: float = 0.0) -> StoreLeases:
    """The same leases as somebody else sees them; so many seconds later."""
    return StoreLeases(Shelf(FolderStore(tmp_path), older=older), ttl=TTL, beat=BEAT, token=new_token)


def test_a_lease_is_lost_when_its_heart_has_stopped(beating: Beating) -> None:
    beating.clock.now += TRUSTED - 0.5
    assert not beating.lease.lost()
    beating.clock.now += 0.5
    assert beating.lease.lost()


def test_heartbeats_keep_a_lease_and_each_writes_a_version_of_its_own(beating: Beating) -> None:
    seen = set()
    for _ in range(5):
        beating.after(BEAT)
        stored = beating.shelf.get(OBJECT)
        assert stored is not None
        seen.add(stored.tag)
    assert not beating.lease.lost()
    assert len(seen) == 5
    assert beating.entry()["beat"] == 5
    assert beating.heart.pauses == [BEAT] * 6
    beating.clock.now += TRUSTED
    assert beating.lease.lost()


def test_a_slow_heartbeat_counts_from_its_begin(beating: Beating) -> None:
    beating.shelf.first = lambda: beating.clock.sleep(30)
    beating.after(10)
    beating.clock.now = 1000.0 + 10 + TRUSTED - 0.5
    assert not beating.lease.lost()
    beating.clock.now += 0.5
    assert beating.lease.lost()


def test_a_heartbeat_that_fails_is_tried_again_soon(beating: Beating) -> None:
    beating.shelf.failing = True
    beating.after(BEAT).after(5)
    beating.shelf.failing = False
    beating.after(5).after(BEAT)
    assert beating.heart.pauses == [BEAT, 5, 5, BEAT, BEAT]
    assert beating.entry()["beat"] == 2
    assert not beating.lease.lost()


def test_what_is_lost_stays_lost_and_is_renewed_no_more(beating: Beating) -> None:
    beating.after(TRUSTED)
    assert beating.entry()["beat"] == 0
    beating.clock.now -= TRUSTED
    assert beating.lease.lost()


def test_a_heartbeat_whose_answer_was_lost_was_one(beating: Beating, tmp_path: Path, take: Take) -> None:
    beating.shelf.losing = True
    beating.after(BEAT)
    beating.shelf.losing = False
    beating.after(5)
    assert not beating.lease.lost()
    assert beating.entry()["beat"] == 2
    beating.shelf.losing = True
    beating.after(BEAT)
    beating.shelf.losing = False
    beating.lease.release()
    take(others(tmp_path))


def test_a_lease_that_somebody_else_took_is_lost_and_left_alone(beating: Beating, tmp_path: Path, take: Take) -> None:
    take(others(tmp_path, older=TTL + 1), holder=THEIRS)
    assert beating.after(BEAT).lease.lost()
    beating.lease.release()
    assert [held.holder for held in others(tmp_path).held()] == [THEIRS]


def test_a_lease_that_was_deleted_is_lost(beating: Beating, tmp_path: Path) -> None:
    (tmp_path / OBJECT).unlink()
    beating.after(BEAT)
    assert beating.lease.lost()


def test_a_lease_that_was_damaged_is_lost_in_time(beating: Beating, tmp_path: Path) -> None:
    (tmp_path / OBJECT).write_text("damaged")
    assert not beating.after(BEAT).lease.lost()
    assert beating.after(TRUSTED - BEAT).lease.lost()


def test_a_lease_that_cant_be_renewed_although_it_is_ours_is_lost(beating: Beating) -> None:
    beating.shelf.refusing = True
    beating.after(BEAT)
    assert beating.lease.lost()


def test_a_lease_that_cant_be_given_back_ends_by_itself(beating: Beating, tmp_path: Path, take: Take) -> None:
    beating.shelf.failing = True
    beating.lease.release()
    with pytest.raises(TargetLocked):
        take(others(tmp_path))
    take(others(tmp_path, older=TTL + 1))


def test_a_store_that_hangs_is_not_waited_for(tmp_path: Path, take: Take) -> None:
    gate = threading.Event()
    gate.set()
    shelf = Shelf(FolderStore(tmp_path), first=lambda: assert_open(gate))
    lease = take(StoreLeases(shelf, beat=0.005, ttl=TTL, token=new_token))
    gate.clear()
    lease.release()
    with pytest.raises(TargetLocked):
        take(others(tmp_path))
    gate.set()


def test_of_many_one_takes_over_what_has_expired(location: str, take: Take) -> None:
    store = opened(location)
    dead = take(StoreLeases(store, token=new_token), holder=THEIRS)
    stored = store.get(OBJECT)
    assert stored is not None
    line = threading.Barrier(12)

    def run(number: int) -> str | None:
        run = f"run {number}"
        leases = StoreLeases(Shelf(store, older=TTL + 1, only=stored.tag), token=new_token)
        line.wait()
        try:
            take(leases, holder=replace(OURS, run=run))
        except TargetLocked:
            return None
        return run

    with ThreadPoolExecutor(12) as pool:
        won = [run for run in pool.map(run, range(12)) if run is not None]
    dead.release()
    assert [held.holder.run for held in StoreLeases(store, token=new_token).held()] == won
    assert len(won) == 1


def test_whoever_is_overtaken_learns_by_whom(tmp_path: Path, take: Take) -> None:
    shelf = Shelf(FolderStore(tmp_path))

    def overtake() -> None:
        shelf.first = lambda: None
        take(others(tmp_path), holder=THEIRS)

    shelf.first = overtake
    with pytest.raises(TargetLocked) as raised:
        take(StoreLeases(shelf, token=new_token))
    assert THEIRS.run in raised.value.detail


def test_a_store_that_never_lets_us_write_is_a_problem(tmp_path: Path, take: Take) -> None:
    shelf = Shelf(FolderStore(tmp_path), refusing=True)
    with pytest.raises(LedgerProblem) as raised:
        take(StoreLeases(shelf, token=new_token))
    assert OBJECT in raised.value.summary


def test_a_lease_that_is_broken_is_free_and_lost(beating: Beating, tmp_path: Path, take: Take) -> None:
    leases = others(tmp_path)
    (held,) = leases.held()
    assert leases.break_(held)
    assert leases.held() == ()
    assert not leases.break_(held)
    take(leases, holder=THEIRS)
    assert beating.after(BEAT).lease.lost()
    assert [other.holder for other in leases.held()] == [THEIRS]


def test_a_lease_that_was_broken_and_not_taken_is_lost_too(beating: Beating, tmp_path: Path) -> None:
    leases = others(tmp_path)
    assert leases.break_(leases.held()[0])
    assert beating.after(BEAT).lease.lost()
    assert leases.held() == ()


def test_a_lease_that_was_released_by_hand_is_lost(beating: Beating, tmp_path: Path) -> None:
    (tmp_path / OBJECT).write_text(json.dumps({**beating.entry(), "released": True}))
    assert beating.after(BEAT).lease.lost()
    assert others(tmp_path).held() == ()


def test_a_lease_that_was_renewed_meanwhile_is_not_broken(beating: Beating, tmp_path: Path) -> None:
    leases = others(tmp_path)
    (held,) = leases.held()
    beating.after(BEAT)
    assert not leases.break_(held)
    assert not beating.after(BEAT).lease.lost()


def test_what_has_expired_is_not_held(beating: Beating, tmp_path: Path) -> None:
    assert not beating.lease.lost()
    assert [held.key for held in others(tmp_path, older=TTL - 5).held()] == [KEY]
    assert others(tmp_path, older=TTL + 1).held() == ()


def test_what_is_no_lease_is_passed_over(tmp_path: Path) -> None:
    class Gone(Shelf):
        """A store whose objects are deleted between the list and the look."""

        def get(self, key: str) -> Stored | None:  # noqa: ARG002 - the protocol's
            return None

    store = FolderStore(tmp_path)
    store.put_if_absent("leases/README", b"text")
    assert StoreLeases(store, token=new_token).held() == ()
    store.put_if_absent(OBJECT, b"{}")
    assert StoreLeases(Gone(store), token=new_token).held() == ()


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"\xff",
        b"[]",
        b"[" * 60_000,
        b'{"token": "t", "beat": 0, "released": true}',
        b'{"holder": {"target": "", "run": "", "who": "", "since": ""}, "token": "t", "beat": 0, "released": "no"}',
    ],
    ids=["nothing", "no text", "a list", "deep", "nobody", "no truth"],
)
def test_a_damaged_lease_is_a_problem_that_names_it(tmp_path: Path, take: Take, data: bytes) -> None:
    FolderStore(tmp_path).put_if_absent(OBJECT, data)
    for attempt in (lambda: take(others(tmp_path)), lambda: others(tmp_path).held()):
        with pytest.raises(LedgerProblem) as raised:
            attempt()
        assert OBJECT in raised.value.summary
        assert str(tmp_path) in raised.value.summary
        assert raised.value.hint


def test_the_clock_of_leases_goes_on() -> None:
    assert seconds_since_boot() <= seconds_since_boot()
