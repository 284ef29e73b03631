"""Time and chance in a client are the world's; nothing of the rest of the process changes."""

from __future__ import annotations

import asyncio
import copy
import datetime
import functools
import gc
import operator
import os
import pickle
import random
import secrets
import signal
import sys
import threading
import time
import types
import uuid
import weakref
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import date
from datetime import datetime as captured_datetime
from os import urandom
from random import Random, choice, randint
from time import localtime, monotonic, strftime, time_ns
from time import sleep as captured_sleep
from time import time as captured_time
from typing import Any
from uuid import uuid1, uuid4

import pytest
import redis
from tests.raceproof.toys import Shop, empty, memory, nothing_to_check

from raceproof import Clock, Journal, Unsearchable, Violation, explore
from raceproof.search import budget, stand_ins
from raceproof.search.determinism import deterministic
from raceproof.search.onlooking import onlooking

NOON = 1_000_000_000.0  # 2001-09-09 01:46:40 UTC


@dataclass
class Timed:
    cells: Any
    clock: Clock
    journal: Journal = field(default_factory=Journal)


@dataclass
class TimedShop(Shop):
    clock: Clock = field(default_factory=Clock)


def timed() -> Timed:
    return Timed(memory().cells, Clock(NOON))


def said(*clients: Any, world: Any = timed, **bounds: Any) -> list[Any]:
    """What the first client notes; the others make it run many times over."""

    def other(world: Any) -> None:
        world.cells.write("x", 1)
        world.cells.write("x", 2)

    seen: list[Any] = []

    def check(world: Any) -> None:
        if world.journal["c0"]:
            seen.append(world.journal["c0"])

    named = {f"c{n}": client for n, client in enumerate(clients)}
    report = explore(world=world, clients={**named, "other": other}, check=check, **bounds)
    assert report.holds, report
    assert all(one == seen[0] for one in seen)
    return seen[0]


def asks(*questions: Any) -> Any:
    """A client that makes a call, notes its answers, and makes one more."""

    def client(world: Any) -> None:
        world.cells.read("x")
        for question in questions:
            world.journal.note(question())
        world.cells.read("x")

    return client


TIME = {
    "time": (lambda: captured_time(), NOON),
    "time_ns": (lambda: time_ns(), int(NOON * 1e9)),
    "attribute": (lambda: time.time(), NOON),
    "clock_gettime": (lambda: time.clock_gettime(time.CLOCK_REALTIME), NOON),
    "clock_gettime_ns": (lambda: time.clock_gettime_ns(time.CLOCK_REALTIME), int(NOON * 1e9)),
    "another clock": (lambda: time.clock_gettime_ns(time.CLOCK_MONOTONIC), 0),
    "gmtime": (lambda: time.gmtime()[:6], (2001, 9, 9, 1, 46, 40)),
    "localtime": (lambda: localtime()[:5], time.localtime(NOON)[:5]),
    "strftime": (lambda: strftime("%Y"), "2001"),
    "strftime of a time": (lambda: strftime("%Y", time.gmtime(0)), "1970"),
    "ctime": (lambda: time.ctime(), time.ctime(NOON)),
    "asctime": (lambda: time.asctime(), time.asctime(time.localtime(NOON))),
    "datetime.now": (lambda: str(datetime.datetime.now()), None),
    "captured now": (lambda: str(captured_datetime.now()), None),
    "now with a zone": (
        lambda: str(captured_datetime.now(datetime.UTC)),
        "2001-09-09 01:46:40+00:00",
    ),
    "datetime.today": (lambda: str(captured_datetime.today()), None),
    "utcnow": (lambda: str(captured_datetime.utcnow()), "2001-09-09 01:46:40"),
    "date.today": (lambda: str(date.today()), str(date.fromtimestamp(NOON))),
}


@pytest.mark.parametrize("name", TIME)
@pytest.mark.filterwarnings("ignore:.*utcnow")
def test_clocks_say_what_the_worlds_clock_says(name):
    ask, expected = TIME[name]
    if expected is None:
        expected = str(captured_datetime.fromtimestamp(NOON))
    assert said(asks(ask)) == [expected]


def test_a_tick_is_seen_by_every_clock():
    def client(world):
        world.journal.note(captured_datetime.now(datetime.UTC).minute)
        world.cells.read("x")

    seen = set()
    explore(
        world=lambda: Timed(memory().cells, Clock(NOON, ticks=(60,))),
        clients={"c": client},
        check=lambda world: seen.add(world.journal["c"][0]),
    )
    assert seen == {46, 47}


STOPWATCHES = {
    "monotonic": lambda: monotonic(),
    "perf_counter": lambda: time.perf_counter(),
    "monotonic_ns": lambda: time.monotonic_ns() // 1_000_000_000,
}


@pytest.mark.parametrize("merge", [True, False])
@pytest.mark.parametrize("name", STOPWATCHES)
def test_a_tick_is_seen_by_a_stopwatch_from_the_next_reply_on(name, merge):
    clock = STOPWATCHES[name]

    def client(world):
        begun = clock()
        world.cells.read("x")
        first = clock() - begun
        world.cells.read("x")
        world.journal.note([first, clock() - begun])

    seen = []
    report = explore(
        world=lambda: Timed(memory().cells, Clock(NOON, ticks=(60, -3600, 5))),
        clients={"c": client},
        check=lambda world: seen.append(tuple(world.journal["c"][0])),
        merge=merge,
    )
    assert report.schedules == 10  # three ticks among two calls
    # A clock that is set back is no time that passes.
    assert set(seen) == {(a, b) for a in (0, 60, 65) for b in (0, 60, 65) if a <= b}


def test_a_lease_that_its_holder_measures_is_never_gone_too_early(redis_client):
    """It ends by the world's clock, and so does the holder's stopwatch go on."""

    def client(world):
        begun = monotonic()
        world.redis.set("lock", "a", nx=True, ex=50)
        if not world.redis.exists("lock"):
            world.journal.note(monotonic() - begun)

    def check(world):
        if any(passed < 50 for passed in world.journal["c"]):
            raise Violation("gone too early")

    report = explore(
        world=lambda: TimedShop(empty(redis_client), clock=Clock(ticks=(60,))),
        clients={"c": client},
        check=check,
    )
    assert report.holds
    assert report.schedules == 3


def test_one_who_asks_in_vain_gives_up_after_a_tick_by_its_own_stopwatch():
    """And does so while the other, who looks once, can still be before it."""

    def client(world):
        begun, late = monotonic(), 0
        while not world.cells.read("x"):
            late += monotonic() - begun >= 60
            if late > 5:
                world.cells.write("given up", 1)
                return

    def other(world):
        world.journal.note(world.cells.read("given up"))

    for ticks, given_up in ((), set()), ((60,), {0, 1}), ((30,), set()), ((30, 30), {0, 1}):
        seen = set()
        report = explore(
            world=lambda ticks=ticks: Timed(memory().cells, Clock(ticks=ticks)),
            clients={"c": client, "other": other},
            check=lambda world, seen=seen: seen.add(world.journal["other"][0]),
            daemons=("c",),
        )
        assert report.complete
        assert seen == given_up, ticks
        if ticks == (60,):  # also where the tick comes when it has asked in vain already
            assert report.schedules == 42


@pytest.mark.parametrize(("ticks", "seen"), [((), set()), ((60,), {False})])
def test_a_lock_of_redis_py_gives_up_when_its_time_has_passed_by_a_tick(redis_client, ticks, seen):
    def client(world):
        lock = world.redis.lock("lock", sleep=0.1, blocking_timeout=30)
        world.journal.note(lock.acquire())

    def make():
        shop = TimedShop(empty(redis_client), clock=Clock(ticks=ticks))
        shop.redis.set("lock", "another's")
        return shop

    found = set()
    explore(
        world=make,
        clients={"c": client, "other": lambda world: world.redis.get("x")},
        check=lambda world: found.add(world.journal["c"][0]),
        daemons=("c",),
    )
    assert found == seen


def test_to_one_who_asks_in_vain_a_tick_is_no_news():
    def client(world):
        while not world.cells.read("x"):
            pass

    def other(world):
        world.cells.read("y")

    report = explore(
        world=lambda: Timed(memory().cells, Clock(ticks=(60,))),
        clients={"c": client, "other": other},
        check=nothing_to_check,
        daemons=("c",),
    )
    assert report.schedules == 20


def test_a_stopwatch_goes_on_over_a_lost_reply_and_a_time_out(redis_client):
    def client(world):
        begun = monotonic()
        try:
            world.redis.incr("n")
            world.redis.blpop("jobs", timeout=3)
            world.journal.note(["timed out", monotonic() - begun])
        except redis.ConnectionError:
            world.journal.note(["lost", monotonic() - begun])

    seen = set()
    explore(
        world=lambda: TimedShop(empty(redis_client), clock=Clock(ticks=(60,))),
        clients={"c": client, "other": lambda world: world.redis.get("x")},
        check=lambda world: seen.add((world.redis.get("n"), *world.journal["c"][0])),
        lost_replies=1,
    )
    lost = {(n, "lost", passed) for n in (None, "1") for passed in (0, 60)}
    assert seen == {("1", "timed out", 3), ("1", "timed out", 63), *lost}


def test_sleeping_moves_the_stopwatch_and_not_the_machine():
    def client(world):
        begun, at = monotonic(), time.perf_counter()
        captured_sleep(3600)
        world.journal.note([monotonic() - begun, time.perf_counter() - at])
        world.cells.read("x")

    really = time.monotonic()
    assert said(client) == [[3600.0, 3600.0]]
    assert time.monotonic() - really < 30
    with pytest.raises(ValueError, match="non-negative"):
        captured_sleep(-1)


def test_giving_up_moves_the_stopwatch_and_an_answer_does_not(redis_client):
    def client(world):
        begun = monotonic()
        world.redis.rpush("jobs", "a")
        world.redis.blpop("jobs", timeout=3)
        answered = monotonic() - begun
        world.redis.blpop("jobs", timeout=3)
        world.journal.note([answered, monotonic() - begun])

    seen = set()
    explore(
        world=lambda: Shop(empty(redis_client)),
        clients={"c": client},
        check=lambda world: seen.add(tuple(world.journal["c"][0])),
    )
    assert seen == {(0.0, 3.0)}


def test_a_check_that_sleeps_takes_no_time_but_its_clocks_go_on():
    seen: list[list[float]] = []

    def check(world: Any) -> None:
        clocks = (captured_time, monotonic, time.perf_counter)
        begun = [clock() for clock in clocks]
        at, nanoseconds = time_ns(), time.monotonic_ns()
        captured_sleep(3600)
        time.sleep(400)
        seen.append([clock() - before for clock, before in zip(clocks, begun, strict=True)])
        seen.append([(time_ns() - at) / 1e9, (time.monotonic_ns() - nanoseconds) / 1e9])
        captured_sleep(-1)

    really = time.monotonic()
    with pytest.raises(ValueError, match="non-negative"):
        explore(world=timed, clients={"c": lambda world: world.cells.read("x")}, check=check)
    assert all(4000 <= passed < 4100 for clocks in seen for passed in clocks)
    assert [len(clocks) for clocks in seen] == [3, 2]
    assert time.monotonic() - really < 300
    begun = time.monotonic()
    captured_sleep(0.01)
    assert 0.01 <= time.monotonic() - begun < 300


def test_an_onlooker_within_another_leaves_it_its_clock():
    with deterministic(), onlooking():
        begun = time.monotonic()
        time.sleep(1000)
        with onlooking():
            time.sleep(50)
        assert 1000 <= time.monotonic() - begun < 1040


def test_asyncio_goes_by_the_same_stopwatch():
    async def work(world):
        loop = asyncio.get_running_loop()
        begun = loop.time()
        order = []

        async def nap(name, seconds):
            await asyncio.sleep(seconds)
            order.append(name)

        await asyncio.gather(nap("slow", 60), nap("fast", 0.1))
        try:
            await asyncio.wait_for(asyncio.sleep(99), timeout=5)
        except TimeoutError:
            order.append("timed out")
        world.journal.note([order, loop.time() - begun])

    def client(world):
        world.cells.read("x")
        asyncio.run(work(world))
        world.cells.read("x")

    really = time.monotonic()
    ((order, passed),) = said(client)
    assert order == ["fast", "slow", "timed out"]
    assert passed == pytest.approx(65)
    assert time.monotonic() - really < 30


def test_an_event_loop_that_waits_for_nobody_is_refused():
    def client(world):
        world.cells.read("x")
        asyncio.run(asyncio.Event().wait())

    with pytest.raises(Unsearchable, match="event loop waits"):
        said(client)


CHANCE = {
    "uuid1": lambda: str(uuid.uuid1()),
    "captured uuid1": lambda: uuid1().hex,
    "uuid4": lambda: uuid4().hex,
    "random": lambda: random.random(),
    "captured randint": lambda: randint(0, 10**9),
    "captured choice": lambda: choice(range(10**9)),
    "gauss": lambda: random.gauss(0, 1),
    "getrandbits": lambda: random.getrandbits(99),
    "Random()": lambda: random.Random().random(),
    "captured Random()": lambda: Random().random(),
    "SystemRandom": lambda: random.SystemRandom().random(),
    "token_hex": lambda: secrets.token_hex(9),
    "randbelow": lambda: secrets.randbelow(10**9),
    "secrets.choice": lambda: secrets.choice(range(10**9)),
    "urandom": lambda: os.urandom(9).hex(),
    "captured urandom": lambda: urandom(9).hex(),
}


@pytest.mark.parametrize("name", CHANCE)
def test_chance_is_the_same_on_every_replay_and_differs_from_client_to_client(name):
    ask = CHANCE[name]
    first, second = said(asks(ask, ask))
    assert first != second
    assert said(asks(ask, ask)) == [first, second]
    assert CHANCE[name]() not in (first, second)

    def check(world):
        if set(world.journal["a"]) & set(world.journal["b"]):
            raise Violation("both drew the same")

    clients = {"a": asks(ask), "b": asks(ask)}
    assert explore(world=timed, clients=clients, check=check).holds


def test_when_python_collects_what_a_client_left_in_a_cycle_changes_nothing():
    class Left:
        def __init__(self, world):
            self.world, self.itself = world, self

        def __del__(self):
            self.world.journal.note("collected")

    def client(world):
        for _ in range(3):
            Left(world)
            world.cells.read("x")
        world.journal.note("ends")

    often, was = 1, gc.get_threshold()
    gc.set_threshold(often)
    try:
        assert said(client) == ["ends"]
        assert gc.isenabled()
    finally:
        gc.set_threshold(*was)


def test_a_seed_that_is_given_is_kept():
    ask = lambda: [random.Random(7).random(), Random("x").randint(0, 99)]  # noqa: E731
    assert said(asks(ask)) == [ask()]
    assert said(asks(lambda: random.seed(7), lambda: random.random()))[1] == Random(7).random()


def test_classes_stay_what_they_are():
    def client(world):
        now = captured_datetime.now()
        assert type(now) is captured_datetime is datetime.datetime
        assert isinstance(now, date)
        assert pickle.loads(pickle.dumps(now)) == now == copy.deepcopy(now)
        assert isinstance(Random(), random.Random)
        world.cells.read("x")

    class Own(datetime.datetime):
        pass

    def subclass(world):
        assert type(Own.now()) is Own
        world.cells.read("x")

    assert explore(world=timed, clients={"a": client, "b": subclass}, check=print).holds


def test_other_threads_keep_the_real_ones():
    really = []
    stop = threading.Event()

    def watch():
        while not stop.is_set():
            really.append((time.time(), captured_time(), captured_datetime.now().year))
            stop.wait(0.001)

    thread = threading.Thread(target=watch)
    thread.start()
    said(asks(lambda: captured_time()))
    stop.set()
    thread.join()
    assert all(one > NOON * 1.5 and two > NOON * 1.5 and year > 2020 for one, two, year in really)


def test_everything_is_back_after_a_search():
    here = globals()
    names = ["captured_time", "captured_sleep", "monotonic", "randint", "uuid1", "urandom"]
    before = [here[name] for name in names]
    classes = [threading.Thread.start, threading.Condition.wait, random.Random.seed]
    with deterministic():
        assert here["captured_time"] is not before[0]
        assert here["randint"] is not before[3]
    assert [here[name] for name in names] == before
    assert [
        threading.Thread.start,
        threading.Condition.wait,
        random.Random.seed,
    ] == classes
    assert "connect" not in vars(__import__("socket").socket)
    assert abs(captured_datetime.now().timestamp() - captured_time()) < 5


late: Callable[[], float]  # a client imports it


def test_a_name_that_a_search_captured_goes_on_working():
    def client(world):
        world.cells.read("x")
        global late
        from time import time as late

        world.journal.note(late())

    assert said(client) == [NOON]
    assert late() > NOON * 1.5
    assert said(asks(lambda: late())) == [NOON]


def stamp(now=captured_time, *, also=captured_time):
    return now(), also()


class Stamps:
    def __init__(self):
        self.now = captured_time

    def run(self, world):
        world.cells.read("x")
        world.journal.note(self.now())

    __call__ = run


def test_clocks_in_defaults_closures_and_attributes_are_the_worlds_too():
    now = time.time

    def closes_over(world):
        world.cells.read("x")
        world.journal.note(now())

    def has_a_default(world, now=time.time):
        world.cells.read("x")
        world.journal.note(now())

    def calls_another(world):
        world.cells.read("x")
        world.journal.note(stamp())

    def partly(extra, world):
        has_a_default(world)

    holder = Stamps()
    for client in (
        closes_over,
        has_a_default,
        calls_another,
        holder,
        holder.run,
        functools.partial(partly, 1),
    ):
        seen = []

        def check(world, seen=seen):
            seen.append(world.journal["a"])

        explore(world=timed, clients={"a": client}, check=check)
        assert seen[0] in ([NOON], [(NOON, NOON)]), client
    assert now is time.time
    assert holder.now is stamp.__defaults__[0] is stamp.__kwdefaults__["also"] is time.time
    assert not hasattr(time.time, "_stands_for")


def test_it_leaves_nothing_in_place_of_what_was_there():
    with deterministic():
        assert stand_ins._restore
    assert not stand_ins._restore


def test_the_search_itself_keeps_the_real_ones():
    with deterministic():
        assert hasattr(time.monotonic, "_stands_for")
        assert not hasattr(vars(budget)["monotonic"], "_stands_for")


@pytest.fixture
def module(request, monkeypatch):
    """A module that a search has seen, of a library or not."""
    made: Any = types.ModuleType("made_up")
    made.__file__ = request.param
    made.now = unknown = operator.neg
    monkeypatch.setitem(sys.modules, "made_up", made)
    with deterministic():
        assert made.now is unknown
    return made


LIBRARY, LEARNERS = "/site-packages/made_up.py", "/made_up.py"


@pytest.mark.parametrize("module", [LIBRARY, LEARNERS], indirect=True)
def test_what_a_module_holds_only_since_the_last_search_is_replaced(module):
    module.also = real = time.time
    with deterministic():
        assert module.also is not real
    assert module.also is time.time


@pytest.mark.parametrize("module", [LEARNERS], indirect=True)
def test_a_learner_may_give_a_name_another_value(module):
    module.now = real = time.time
    with deterministic():
        assert module.now is not real
    assert module.now is time.time


@pytest.mark.parametrize("module", [LIBRARY, LEARNERS], indirect=True)
def test_what_is_replaced_since_the_last_search_is_so_in_each_module(module, monkeypatch):
    monkeypatch.setattr(stand_ins, "_functions", dict(stand_ins._functions))
    before, prepare = module.now, functools.partial(stand_ins.function, module, "now", len)
    monkeypatch.setattr(stand_ins, "_preparations", [*stand_ins._preparations, prepare])
    with deterministic():
        assert module.now is not before
    assert module.now is before


@pytest.mark.parametrize("module", [LIBRARY, LEARNERS], indirect=True)
def test_a_module_that_comes_in_place_of_another_is_looked_through(module, monkeypatch):
    other: Any = types.ModuleType("made_up")
    other.__file__, other.now = module.__file__, time.time
    monkeypatch.setitem(sys.modules, "made_up", other)
    with deterministic():
        assert hasattr(other.now, "_stands_for")
    assert not hasattr(other.now, "_stands_for")


def test_a_module_that_is_gone_is_not_kept(monkeypatch):
    gone = types.ModuleType("gone")
    with monkeypatch.context() as patch:
        patch.setitem(sys.modules, "gone", gone)
        with deterministic():
            pass
    with deterministic():
        pass
    seen = weakref.ref(gone)
    del gone
    gc.collect()
    assert seen() is None


class NoModule:
    """Like the library of cffi that `cryptography` puts among the modules."""

    __slots__ = ()
    __class__ = type(os)  # type: ignore[assignment]


def test_what_only_says_that_it_is_a_module_is_left_alone(monkeypatch):
    monkeypatch.setitem(sys.modules, "no_module", NoModule())
    assert isinstance(sys.modules["no_module"], type(os))
    assert explore(
        world=timed, clients={"a": lambda world: world.cells.read("x")}, check=print
    ).holds


# --- threads, and waiting in Python itself -------------------------------------------------------


def test_an_event_with_a_time_out_is_a_sleep():
    def client(world):
        stop = threading.Event()
        begun = monotonic()
        while not stop.wait(10):
            if world.cells.read("x") == 2:
                stop.set()
        world.journal.note(monotonic() - begun >= 10)

    assert said(client) == [True]


def test_threads_that_make_no_call_are_nobodys_business():
    def client(world):
        world.cells.read("x")
        found = []
        thread = threading.Thread(target=lambda: found.append(random.random()))
        thread.start()
        thread.join()
        timer = threading.Timer(30, print)
        timer.start()
        timer.cancel()
        from concurrent.futures import ThreadPoolExecutor

        with ThreadPoolExecutor(1) as pool:
            found.append(pool.submit(randint, 0, 10**9).result(timeout=5))
        world.journal.note(found)
        world.cells.read("x")

    assert len(said(client)[0]) == 2


@pytest.mark.parametrize("join", [True, False])
@pytest.mark.filterwarnings("ignore::pytest.PytestUnhandledThreadExceptionWarning")
def test_a_thread_that_makes_a_call_is_refused(join):
    def client(world):
        world.cells.read("x")
        thread = threading.Thread(target=lambda: world.cells.write("x", 3))
        thread.start()
        if join:
            thread.join()

    with pytest.raises(Unsearchable, match="thread of its own"):
        said(client)


@pytest.mark.filterwarnings("ignore::pytest.PytestUnhandledThreadExceptionWarning")
@pytest.mark.skipif(not hasattr(signal, "SIGALRM"), reason="Windows has no alarm")
def test_a_client_may_say_what_it_does_on_a_signal_and_none_comes():
    """It stands for the main thread of a process; in threads of its own Python refuses, as ever."""
    before = signal.getsignal(signal.SIGALRM)
    seen = []

    def handler(number, frame):
        raise AssertionError("a signal came")

    def client(world):
        seen.append(signal.signal(signal.SIGALRM, handler))
        seen.append(signal.getsignal(signal.SIGALRM))
        signal.alarm(1)
        world.cells.read("x")
        time.sleep(2)
        seen.append(signal.signal(signal.SIGALRM, signal.SIG_DFL))

        def child():
            with pytest.raises(ValueError, match="main thread"):
                signal.signal(signal.SIGALRM, handler)
            seen.append("refused")

        thread = threading.Thread(target=child)
        thread.start()
        thread.join()

    explore(world=memory, clients={"ann": client}, check=nothing_to_check)
    assert seen[:4] == [signal.SIG_DFL, handler, handler, "refused"]
    assert signal.getsignal(signal.SIGALRM) is before


def test_a_thread_that_sleeps_is_refused():
    def client(world):
        world.cells.read("x")
        thread = threading.Thread(target=lambda: time.sleep(1))
        thread.start()
        thread.join()

    with pytest.raises(Unsearchable, match="sleeps 1 s"):
        said(client)


def shared(make, first, second):
    """Two clients that share something of Python's, made before the search."""
    thing = make()

    def one(world):
        first(thing, world)

    def two(world):
        world.cells.read("x")
        second(thing, world)

    begun = time.monotonic()
    with pytest.raises(Unsearchable, match="waits without calling"):
        explore(world=timed, clients={"one": one, "two": two}, check=nothing_to_check)
    assert time.monotonic() - begun < 15


def holding(lock, world):
    with lock:
        world.cells.write("x", 1)


def test_a_lock_that_two_clients_share_is_said():
    shared(threading.RLock, holding, holding)


def test_an_event_that_a_client_waits_for_is_said():
    shared(threading.Event, lambda e, world: world.cells.read("x"), lambda e, world: e.wait())
