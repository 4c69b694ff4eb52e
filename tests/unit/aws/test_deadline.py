"""A deadline over a whole call: what overruns is given up, and everything else is as if there were none."""

from __future__ import annotations

import gc
import os
import subprocess
import sys
import threading
import weakref
from concurrent.futures import ThreadPoolExecutor

import pytest

from reconciler.aws.deadline import within


def test_a_call_that_takes_too_long_is_given_up_and_the_next_one_does_not_wait_for_it() -> None:
    never = threading.Event()
    with pytest.raises(TimeoutError):
        within(0.01, lambda: never.wait(30))
    assert within(30, lambda: 7) == 7
    never.set()


def test_what_a_call_raises_is_raised_and_what_it_returns_is_returned() -> None:
    assert within(30, lambda: 7) == 7
    assert within(30, lambda: None) is None
    with pytest.raises(ZeroDivisionError):
        within(30, lambda: 1 // 0)
    with pytest.raises(SystemExit):
        within(30, lambda: sys.exit(3))


def test_calls_one_after_another_share_a_thread() -> None:
    assert len({within(30, threading.get_ident) for _ in range(20)}) == 1


def test_a_thread_whose_call_was_given_up_serves_again_when_the_call_has_ended() -> None:
    started, never = threading.Event(), threading.Event()

    def slow() -> None:
        started.set()
        never.wait(30)

    with pytest.raises(TimeoutError):
        within(0.01, slow)
    started.wait(30)
    before = threading.active_count()
    assert within(30, lambda: 7) == 7
    never.set()
    for _ in range(20):
        within(30, lambda: 7)
    assert threading.active_count() <= before + 1


def test_a_call_may_have_a_deadline_within_another_one() -> None:
    assert within(30, lambda: within(30, lambda: within(30, lambda: 7))) == 7


def test_calls_of_many_threads_do_not_mix_up_their_answers() -> None:
    with ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(lambda number: within(30, lambda: number), range(500)))
    assert answers == list(range(500))


class Thing:
    """Something that a call works with."""

    def fail(self) -> None:
        raise ValueError(self)


def test_nothing_of_a_call_is_kept_once_it_has_ended() -> None:
    gc.disable()
    try:
        thing = Thing()
        gone = weakref.ref(thing)
        assert within(30, lambda thing=thing: thing) is thing  # type: ignore[misc]
        with pytest.raises(ValueError, match="Thing") as caught:
            within(30, thing.fail)
        del caught, thing
        assert gone() is None
    finally:
        gc.enable()


def test_the_end_of_the_process_waits_for_no_call_that_was_given_up() -> None:
    program = """
import time
from reconciler.aws.deadline import within
try:
    within(0.01, lambda: time.sleep(600))
except TimeoutError:
    print("given up")
"""
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, timeout=60, check=True)
    assert done.stdout == "given up\n"


def test_ctrl_c_reaches_whoever_waits_for_a_call() -> None:
    program = """
import os, signal, time
from reconciler.aws.deadline import within

def hang():
    os.kill(os.getpid(), signal.SIGINT)
    time.sleep(600)

try:
    within(300, hang)
except KeyboardInterrupt:
    print("interrupted")
"""
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, timeout=60, check=True)
    assert done.stdout == "interrupted\n"


@pytest.mark.skipif(not hasattr(os, "fork"), reason="needs fork")
def test_a_fork_has_threads_of_its_own() -> None:
    program = """
import os, sys
from reconciler.aws.deadline import within
within(30, lambda: 7)
child = os.fork()
if not child:
    os._exit(within(30, lambda: 7))
print(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]))
"""
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, timeout=60, check=True)
    assert done.stdout == "7\n"
