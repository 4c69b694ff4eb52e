"""One state file, many threads and processes."""

from __future__ import annotations

import os
import sqlite3
import stat
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from reconciler.emulator import EMULATOR_ACCOUNT, EMULATOR_REGION, Emulator, StateError, Switches
from reconciler.emulator.store import Store
from tests.emulator.conftest import APP

if TYPE_CHECKING:
    from tests.emulator.conftest import Backend

ROOT = Path(__file__).parents[2]
RACER = """
import json, sys
from pathlib import Path
from reconciler.emulator import Emulator

scope = "AWS4-HMAC-SHA256 Credential=AKIA/20240101/us-east-1/amplifybackend/aws4_request, Signature=x"
config = {"authResources": "USER_POOL_ONLY", "service": "COGNITO", "userPoolConfigs": {}}
body = json.dumps({"resourceName": "shopauth", "resourceConfig": config}).encode()
print("ready", flush=True)
sys.stdin.readline()
with Emulator(Path(sys.argv[1]), clock=lambda: 1_700_000_000.0) as emulator:
    response = emulator.handle("POST", "/backend/d2k7example/auth/staging", {"Authorization": scope}, body)
    print(response.status, response.headers.get("x-amzn-ErrorType", ""))
"""


def test_of_many_processes_that_begin_and_update_at_once_exactly_one_gets_the_job(tmp_path: Path) -> None:
    state = tmp_path / "state.db"
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    racers = [
        subprocess.Popen(
            [sys.executable, "-c", RACER, str(state)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            env=environment,
        )
        for _ in range(5)
    ]
    for racer in racers:
        assert racer.stdout is not None
        assert racer.stdout.readline() == "ready\n"
    for racer in racers:
        assert racer.stdin is not None
        racer.stdin.write("go\n")
        racer.stdin.flush()
    outcomes = sorted(racer.communicate(timeout=120)[0].strip() for racer in racers)
    assert outcomes == ["200", *["400 ValidationException"] * 4]
    with Emulator(state, clock=lambda: 1_700_000_000.0) as emulator:
        assert len(emulator.requests("UpdateBackendAuth")) == 5


def test_threads_share_an_emulator(backend: Backend) -> None:
    backend.switch("job_seconds=0")
    lengths = range(10, 50)

    def update(length: int) -> str:
        status: str = backend.send({"PasswordPolicy": {"MinimumLength": length}})["Status"]
        return status

    with ThreadPoolExecutor(8) as pool:
        assert set(pool.map(update, lengths)) == {"COMPLETED"}
    assert len(backend.emulator.requests("UpdateBackendAuth")) == len(lengths)
    assert backend.live()["UserPoolConfigs"]["PasswordPolicy"]["MinimumLength"] in lengths


def test_an_emulator_sees_what_another_one_did(backend: Backend) -> None:
    backend.send({"PasswordPolicy": {"MinimumLength": 33}})
    backend.wait()
    with Emulator(backend.emulator.state, clock=backend.clock) as other:
        live = other.live(EMULATOR_ACCOUNT, EMULATOR_REGION, APP, "staging")
    assert live is not None
    assert live["UserPoolConfigs"]["PasswordPolicy"]["MinimumLength"] == 33


def test_an_emulator_works_on_after_it_was_closed(backend: Backend) -> None:
    backend.emulator.close()
    assert backend.emulator.switches == Switches()


def test_the_state_is_its_owners_alone(tmp_path: Path) -> None:
    folder = tmp_path / "new"
    before = os.umask(0)
    try:
        with Emulator(folder / "state.db") as emulator:
            emulator.configure(Switches())
            modes = {path.name: stat.S_IMODE(path.stat().st_mode) for path in folder.iterdir()}
    finally:
        os.umask(before)
    assert modes == {"state.db": 0o600, "state.db-wal": 0o600, "state.db-shm": 0o600}
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700


def test_a_file_that_is_no_state_is_refused_by_name(tmp_path: Path) -> None:
    state = tmp_path / "state.db"
    state.write_text("nothing of the kind, and long enough to be looked at" * 50)
    with pytest.raises(StateError, match=r"state\.db: cannot be used as the emulator's state"):
        Emulator(state)
    with pytest.raises(StateError, match="cannot be used"):
        Emulator(tmp_path)


@pytest.mark.parametrize("lock", ["EXCLUSIVE", "IMMEDIATE"])
def test_a_state_that_is_held_too_long_is_an_error_that_says_so(tmp_path: Path, lock: str) -> None:
    state = tmp_path / "state.db"
    if lock == "IMMEDIATE":
        Emulator(state).close()
    holder = sqlite3.connect(state, isolation_level=None)
    holder.execute(f"BEGIN {lock}")
    store = Store(state, busy_seconds=0.02)
    with pytest.raises(StateError, match="held by another process"), store.transaction():
        pass
    holder.execute("ROLLBACK")
    holder.close()
    with store.transaction() as transaction:
        assert transaction.faults() == []
    store.close()
    store.close()
