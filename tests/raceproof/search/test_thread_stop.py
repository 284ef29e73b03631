"""A thread that is ended from outside, and what the others notice of it: nothing."""

from __future__ import annotations

import subprocess
import sys
import threading
from collections.abc import Iterator

import pytest

from raceproof.search.thread_stop import stop_thread


class Ended(BaseException):
    pass


@pytest.fixture
def met() -> list[str]:
    return []


@pytest.fixture
def computing(met: list[str]) -> Iterator[threading.Thread]:
    def run() -> None:
        try:
            while True:
                pass
        except Ended:
            met.append("met")

    thread = threading.Thread(target=run, daemon=True)
    thread.start()
    yield thread
    thread.join(300)


def test_a_thread_that_computes_ends(computing: threading.Thread, met: list[str]) -> None:
    stop_thread(computing, Ended)
    computing.join(300)
    assert met == ["met"]


def test_a_thread_that_waits_ends_when_it_goes_on(met: list[str]) -> None:
    gate = threading.Lock()
    gate.acquire()

    def run() -> None:
        try:
            gate.acquire()
            while True:
                pass
        except Ended:
            met.append("met")

    thread = threading.Thread(target=run, daemon=True)
    thread.start()
    stop_thread(thread, Ended)
    assert thread.is_alive()
    gate.release()
    thread.join(300)
    assert met == ["met"]


PROFILED = """
import sys, threading
from raceproof.search.thread_stop import stop_thread
gate = threading.Lock()
gate.acquire()
thread = threading.Thread(target=gate.acquire, daemon=True)
thread.start()
stop_thread(thread, SystemExit)
sys.setprofile(lambda *event: None)
print(sum(one for one in range(3)))
"""


def test_a_profiler_goes_on_beside_a_stopped_thread_that_waits() -> None:
    run = [sys.executable, "-c", PROFILED]
    told = subprocess.run(run, capture_output=True, text=True, timeout=600, check=True)
    assert told.stdout == "3\n"
