"""A thread that is ended from outside, and what the others notice of it: nothing."""

from __future__ import annotations

import subprocess
import sys
import threading
import time
from dataclasses import dataclass

import fakeredis
import pytest

from raceproof import Clock, explore
from raceproof.search.client_thread import ClientThread
from raceproof.search.thread_stop import stop_thread
from raceproof.wire.calls import Call, Crash


class Ended(BaseException):
    pass


def computing(met: list[str], gate: threading.Lock) -> threading.Thread:
    """A thread that takes the gate, and then computes until it is ended."""

    def run() -> None:
        try:
            gate.acquire()
            while True:
                pass
        except Ended:
            met.append("met")

    thread = threading.Thread(target=run, daemon=True)
    thread.start()
    return thread


def test_a_thread_that_computes_ends() -> None:
    met: list[str] = []
    thread = computing(met, threading.Lock())
    stop_thread(thread, Ended)
    thread.join(300)
    assert met == ["met"]


def test_a_thread_that_waits_ends_when_it_goes_on() -> None:
    met: list[str] = []
    gate = threading.Lock()
    gate.acquire()
    thread = computing(met, gate)
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
if "before" in sys.argv:
    sys.setprofile(lambda *event: None)
stop_thread(thread, SystemExit)
sys.setprofile(lambda *event: None)
print(sum(one for one in range(3)))
"""


@pytest.mark.parametrize("begun", ["before", "after"])
def test_a_profiler_goes_on_beside_a_stopped_thread_that_waits(begun: str) -> None:
    run = [sys.executable, "-c", PROFILED, begun]
    told = subprocess.run(run, capture_output=True, text=True, timeout=600, check=True)
    assert told.stdout == "3\n"


def test_a_dead_client_that_goes_on_calling_is_left_asleep_at_its_hundredth_call() -> None:
    tries: list[str] = []

    @dataclass
    class World:
        thread: ClientThread

    def goes_on(world: World) -> None:
        while True:
            try:
                world.thread.ask(Call("", ("again",), "again", travels=False))
            except Crash:
                tries.append("once more")

    client = ClientThread("a", goes_on, World)
    client.begin()
    client.kill()
    deadline = time.monotonic() + 60
    while len(tries) < 99 and time.monotonic() < deadline:
        time.sleep(0.001)
    time.sleep(0.05)
    assert len(tries) == 99


@dataclass
class Timed:
    redis: fakeredis.FakeRedis
    clock: Clock


def test_a_search_that_begins_again_leaves_no_thread_of_the_first() -> None:
    """It does, when it finds that a client looks at a stopwatch that ticks move."""

    def measures(world: Timed) -> None:
        began = time.monotonic()
        world.redis.incr("n")
        if time.monotonic() - began < 30:
            world.redis.incr("n")

    explore(
        world=lambda: Timed(fakeredis.FakeRedis(), Clock(ticks=(60.0,))),
        clients={"measures": measures},
        check=lambda world: None,
    )
    left = [thread for thread in threading.enumerate() if thread.name == "measures"]
    for thread in left:
        thread.join(60)
    assert not any(thread.is_alive() for thread in left)
