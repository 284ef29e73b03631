"""What would make "none breaks it" empty words is an error, at once, that says what it is."""

from __future__ import annotations

import contextlib
import functools
import itertools
import threading
import time
from dataclasses import dataclass
from functools import cached_property

import fakeredis
import pytest
from tests.raceproof.toys import Cells, Shop, empty, memory, nothing_to_check

from raceproof import NoCallError, NotDeterministicError, Report, Unsearchable, Violation, explore
from raceproof.search.replay import Replays
from raceproof.search.thread_watch import ThreadWatch


def reads(world):
    world.cells.read("x")


async def coroutine(world):
    world.cells.read("x")


def generator(world):
    yield world.cells.read("x")


async def async_generator(world):
    yield world.cells.read("x")


class Callable:
    async def __call__(self, world):
        world.cells.read("x")


def search(client=reads, check=nothing_to_check, **case):
    return explore(**{"world": memory, "clients": {"c": client}, "check": check, **case})


NEVER_RUN = [
    (coroutine, "an async function"),
    (functools.partial(coroutine), "an async function"),
    (Callable(), "an async function"),
    (generator, "a generator"),
    (async_generator, "an async generator"),
]


@pytest.mark.parametrize(("code", "words"), NEVER_RUN)
def test_what_would_never_run_is_no_client_and_no_check(code, words):
    with pytest.raises(TypeError, match=f"client 'c' is {words}"):
        search(code)
    with pytest.raises(TypeError, match=f"check is {words}"):
        search(check=code)
    with pytest.raises(TypeError, match=f"always is {words}"):
        search(always=code)
    with pytest.raises(TypeError, match=f"client 'late' is {words}"):
        search(afterwards={"late": code})


@pytest.mark.parametrize("code", [coroutine, generator, async_generator])
def test_what_was_never_run_is_found_when_it_is_returned(code):
    def calls(world):
        world.cells.read("x")
        return code(world)

    with pytest.raises(TypeError, match=r"client 'c' returned a .*, of which nothing ran"):
        search(calls)
    with pytest.raises(TypeError, match=r"^a check returned a .*, of which nothing ran"):
        search(check=lambda world: code(world))


@pytest.mark.parametrize("returned", [False, True, "wrong", 0, [], NotImplemented])
def test_a_check_that_returns_something_is_no_check(returned):
    for checks in ({"check": lambda world: returned}, {"always": lambda world: returned}):
        with pytest.raises(TypeError, match="let it raise Violation"):
            search(**checks)


@dataclass
class Marked:
    cells: Cells
    total: int = 0

    @cached_property
    def names(self):
        return ("x", "y")


@dataclass(slots=True)
class Slotted:
    cells: Cells
    total: int = 0


@pytest.mark.parametrize("world", [Marked, Slotted])
def test_a_client_that_writes_to_its_own_world_is_refused(world):
    def counts(world):
        world.cells.read("x")
        world.total += 1
        world.cells.read("x")

    def counts_at_last(world):
        world.cells.read("x")
        world.total += 1

    for client in (counts, counts_at_last):
        with pytest.raises(Unsearchable, match=r"client 'c' sets world\.total, .* a Journal"):
            search(client, world=lambda: world(Cells()))


def test_nor_may_it_add_to_its_world_or_take_away_from_it():
    def adds(world):
        world.done = True
        with contextlib.suppress(Exception):  # it cannot be swallowed
            world.cells.read("x")

    def removes(world):
        cells = world.cells
        del world.cells
        cells.read("x")

    def adds_for_a_while(world):
        world.busy = True
        world.cells.read("x")
        del world.busy

    for client, name in ((adds, "done"), (removes, "cells"), (adds_for_a_while, "busy")):
        with pytest.raises(Unsearchable, match=rf"client 'c' sets world\.{name}, "):
            search(client)


def test_what_a_world_works_out_once_it_may_keep():
    def client(world):
        for name in world.names:
            world.cells.read(name)

    assert search(client, world=lambda: Marked(Cells())).holds


def test_a_client_may_return_what_it_likes():
    assert search(lambda world: world.cells.read("x") == 0).holds


def test_a_client_that_makes_no_call_is_an_error():
    with pytest.raises(NoCallError, match="client 'idle' ended without a call"):
        search(clients={"c": reads, "idle": lambda world: None})
    with pytest.raises(NoCallError, match="client 'sleeper'"):
        search(clients={"c": reads, "sleeper": lambda world: time.sleep(1)})
    with pytest.raises(NoCallError, match="client 'after'"):
        search(afterwards={"after": lambda world: None})


def test_a_client_that_makes_no_call_is_an_error_before_anything_is_checked():
    def check(world):
        raise Violation("what a client did to some other server is not to be judged")

    with pytest.raises(NoCallError, match="client 'idle'"):
        search(lambda world: None, check, clients={"idle": lambda world: None, "c": reads})


def test_a_client_that_raises_before_its_first_call_is_a_finding():
    def raises(world):
        raise KeyError("at once")

    assert search(raises).violation == "c raises KeyError: 'at once'"


@pytest.mark.parametrize(
    ("case", "error", "words"),
    [
        ({"daemons": ("misspelt",)}, ValueError, "daemons names no client: 'misspelt'"),
        ({"daemons": "c"}, TypeError, "in a list or tuple"),
        ({"seconds": 0}, ValueError, "seconds"),
        ({"seconds": -1}, ValueError, "seconds"),
        ({"seconds": True}, ValueError, "seconds"),
        ({"seconds": float("nan")}, ValueError, "seconds"),
        ({"seconds": "1"}, ValueError, "seconds"),
        ({"crashes": float("nan")}, ValueError, "crashes"),
        ({"lost_replies": True}, ValueError, "lost_replies"),
        ({"preemptions": False}, ValueError, "preemptions"),
        ({"calls": 0}, ValueError, "calls"),
        ({"states": 0}, ValueError, "states"),
        ({"polls": 0}, ValueError, "polls"),
        ({"allow": ("KeyError",)}, TypeError, "allow"),
        ({"check": None}, TypeError, "check must be a function"),
        ({"clients": {"c": "reads"}}, TypeError, "client 'c' must be a function"),
        ({"clients": {1: reads}}, TypeError, "name of a client"),
        ({"afterwards": {"c": reads}}, ValueError, "one name: 'c'"),
        ({"clients": [reads]}, TypeError, "clients must be a dict of names and functions, not a l"),
        ({"afterwards": reads}, TypeError, "afterwards must be a dict of names and functions, not"),
    ],
    ids=lambda value: str(value).partition(" at 0x")[0],
)
def test_arguments_that_cannot_be_meant_are_refused(case, error, words):
    with pytest.raises(error, match=words):
        search(**case)


@pytest.mark.parametrize("many", [tuple, list, iter])
def test_names_of_daemons_may_come_in_any_order_and_once(many):
    def waits(world):
        world.redis.blpop("jobs", timeout=0)

    def counts(world):
        world.redis.incr("n")

    found = explore(
        world=lambda: Shop(empty(fakeredis.FakeRedis(socket_timeout=None))),
        clients={"waits": waits, "counts": counts},
        check=nothing_to_check,
        daemons=many(["waits"]),
    )
    found.assert_holds()


@pytest.mark.parametrize("allow", [LookupError, (LookupError,), [LookupError]])
def test_one_class_of_errors_may_stand_alone(allow):
    def fails(world):
        world.cells.read("x")
        raise KeyError("allowed")

    search(fails, allow=allow).assert_holds()


def test_a_world_that_is_not_fresh_is_found_by_the_replay():
    left_over = memory()

    def counts(world):
        world.cells.write("n", world.cells.read("n") + 1)

    with pytest.raises(NotDeterministicError, match=r"cells .*made anew|state of cells"):
        search(counts, world=lambda: left_over)


def test_a_world_with_left_overs_that_no_client_reads_is_found_too():
    left_over = memory()
    with pytest.raises(NotDeterministicError, match="another state of cells"):
        search(lambda world: world.cells.write("n", 1), world=lambda: left_over)


@pytest.mark.parametrize("clients", [1, 2])
def test_a_list_that_clients_share_is_found_by_the_replay(clients):
    seen = []

    def notes(world):
        world.cells.write("length", len(seen))
        seen.append(1)

    others = {"other": reads} if clients == 2 else {}
    with pytest.raises(NotDeterministicError, match="client 'c' behaved differently"):
        search(clients={"c": notes, **others})


def test_a_list_that_decides_a_later_call_is_found_by_the_replay():
    seen = []

    def notes(world):
        world.cells.read("x")
        seen.append(1)
        world.cells.write("length", len(seen))

    with pytest.raises(NotDeterministicError, match=r"'c' behaved .* 'write length 1', now 'wr"):
        search(notes)


def test_a_service_that_stores_something_else_each_time_is_found_at_the_end():
    stored = itertools.count()

    def drifting():
        class Drifting(dict):
            def __setitem__(self, name, value):
                super().__setitem__(name, (value, next(stored)))

            def get(self, name, default=0):
                return 0

        world = memory()
        world.cells.numbers = Drifting()
        return world

    with pytest.raises(NotDeterministicError, match="another state of cells on replay"):
        search(lambda world: world.cells.write("x", 1), world=drifting)


def test_a_service_that_differs_on_replay_is_named_with_both_answers():
    answers = iter(range(1000))

    def draws():
        world = memory()
        world.cells.numbers["drawn"] = 7
        original = world.cells.numbers.get

        class Drawing(dict):
            def get(self, name, default=0):
                return next(answers) if name == "drawn" else original(name, default)

        world.cells.numbers = Drawing(world.cells.numbers)
        return world

    with pytest.raises(NotDeterministicError, match=r"cells answered 'read drawn' .* '0', now '1'"):
        search(lambda world: world.cells.read("drawn"), world=draws)


def test_replays_are_few_and_spread_over_all_schedules(monkeypatch):
    again = []
    confirm = Replays.confirm

    def watched(self, trail):
        again.append("".join(edge.step.actor for edge in trail))
        confirm(self, trail)

    monkeypatch.setattr(Replays, "confirm", watched)

    def writer(name):
        return lambda world: [world.cells.write(name, value) for value in range(3)]

    report = search(clients={name: writer(name) for name in "abc"})
    assert report.schedules == 1680
    assert len(set(again)) == 6
    assert (again[0], again[1]) == ("aaabbbccc", "cccbbbaaa")
    again.clear()
    assert search(clients={"a": writer("a")}).schedules == 1
    assert again == ["aaa"]


STANDS_AT = {"lock": "with lock:", "event": "Event().wait()"}


@pytest.mark.parametrize("wait", STANDS_AT)
def test_a_client_that_waits_for_another_outside_the_world_is_refused_at_its_line(wait):
    lock = threading.RLock()

    def waits(world):
        world.cells.read("x")
        if wait == "lock":
            with lock:
                world.cells.write("x", 1)
        else:
            threading.Event().wait()

    def holder(world):
        with lock:
            world.cells.read("x")
            world.cells.write("x", 2)

    before = time.monotonic()
    with pytest.raises(Unsearchable, match=r"waits without calling a service, at .*py:") as ending:
        search(clients={"holder": holder, "waits": waits})
    assert STANDS_AT[wait] in str(ending.value)
    assert time.monotonic() - before < 15


@pytest.mark.parametrize("calls", [0, 1])
def test_a_client_that_spins_ends_the_search_at_once(calls, monkeypatch):
    monkeypatch.setattr("raceproof.search.client_thread.PATIENCE", 0.2)
    stop, stopped = ThreadWatch.stop, []
    monkeypatch.setattr(ThreadWatch, "stop", lambda self: [stopped.append(1), stop(self)])

    def spins(world):
        for _ in range(calls):
            world.cells.read("y")
        while True:
            pass

    def other(world):
        for value in range(6):
            world.cells.write("y", value)

    report = search(clients={"spins": spins, "other": other}, crashes=1)
    assert report.verdict == "broken"
    assert report.violation.startswith("spins computes for more than 0.2 s")
    assert stopped == [1]


def test_of_several_clients_that_spin_one_is_enough(monkeypatch):
    monkeypatch.setattr("raceproof.search.client_thread.PATIENCE", 0.2)
    stop, stopped = ThreadWatch.stop, []
    monkeypatch.setattr(ThreadWatch, "stop", lambda self: [stopped.append(1), stop(self)])

    def spins(world):
        world.cells.read("y")
        while True:
            pass

    report = search(clients=dict.fromkeys("abc", spins), lost_replies=1)
    assert report.verdict == "broken"
    assert report.violation == "a computes for more than 0.2 s without calling a service"
    assert stopped == [1]


@pytest.fixture
def computes():
    """A function that computes for so many seconds, whose clock no search replaces."""
    begun = time.thread_time()
    sum(range(1_000_000))
    each = time.thread_time() - begun

    def compute(seconds):
        for _ in range(round(seconds / each)):
            sum(range(1_000_000))

    return compute


def test_a_client_that_computes_for_a_while_is_waited_for(monkeypatch, computes):
    monkeypatch.setattr("raceproof.search.client_thread.PATIENCE", 5)
    monkeypatch.setattr(Report, "confirm_some", lambda self: None)

    def slow(world):
        world.cells.read("x")
        computes(0.3)
        world.cells.write("x", 1)

    assert search(slow).holds


def test_the_patience_is_for_each_call_also_on_the_way_back_to_where_a_client_was(
    monkeypatch, computes
):
    monkeypatch.setattr("raceproof.search.client_thread.PATIENCE", 0.4)
    monkeypatch.setattr(Report, "confirm_some", lambda self: None)  # no other way back
    runs = []

    def slow(world):
        runs.append(None)
        last = len(runs) == 9  # that comes back past all five calls
        for _ in range(5):
            if last:
                computes(0.1)
            world.cells.read("x")

    def other(world):
        world.cells.write("x", 1)

    assert search(clients={"slow": slow, "other": other}, preemptions=1).holds
    assert len(runs) == 9


def test_a_client_that_goes_another_way_back_to_where_it_was_is_found_out():
    """The second time that it runs: then it comes back for the first time, and only then."""
    runs = itertools.count(1)

    def reads(world):
        run = next(runs)
        for number in range(3):
            world.cells.read("y" if (run, number) == (2, 0) else "x")

    def writes(world):
        for value in range(2):
            world.cells.write("x", value)

    with pytest.raises(NotDeterministicError, match="behaved differently on replay"):
        search(clients={"reads": reads, "writes": writes})
    assert next(runs) == 3


def test_a_violation_still_beats_what_was_not_returned():
    def check(world):
        raise Violation("wrong")

    assert search(check=check).violation == "wrong"
