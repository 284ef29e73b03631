"""Reports are the same each time; what is not deterministic is said, never hidden."""

from __future__ import annotations

import itertools
import random
import time
import uuid
from types import SimpleNamespace

import pytest
from tests.raceproof.toys import Shop, empty, memory, nothing_to_check

from raceproof import Clock, NotDeterministicError, Violation, explore
from raceproof.search import replay
from raceproof.search.graph import schedule


def lossy_add(world):
    number = int(world.redis.get("n") or 0)
    world.redis.set("n", number + 1)


def both_count(world):
    if world.redis.get("n") != "2":
        raise Violation(f"n is {world.redis.get('n')}, not 2")


def lost_update(client):
    return explore(
        world=lambda: Shop(empty(client)),
        clients={"ann": lossy_add, "bob": lossy_add},
        check=both_count,
    )


EXPECTED = """6 schedules of 2 clients: 4 break it."""


def test_two_runs_and_all_backends_give_the_same_report(redis_client):
    one, two = str(lost_update(redis_client)), str(lost_update(redis_client))
    assert one == two
    assert one.startswith(EXPECTED)
    assert [f"{s.actor}: {s.call} -> {s.reply}" for s in lost_update(redis_client).run.steps] == [
        "ann: GET n -> (nil)",
        "bob: GET n -> (nil)",
        "bob: SET n 1 -> OK",
        "ann: SET n 1 -> OK",
    ]


def test_replay_stops_before_the_breaking_step_with_a_real_world(redis_client):
    report = lost_update(redis_client)
    world = report.replay()
    assert report.run.breaks_at == 1
    assert world.redis.get("n") is None
    world.redis.set("n", "5")
    assert redis_client.get("n") == "5"


def test_a_client_that_differs_on_replay_is_reported():
    calls = itertools.count()

    def fickle(world):
        world.cells.write(f"cell{next(calls)}", 1)
        world.cells.read("x")

    def other(world):
        world.cells.write("x", 1)
        world.cells.write("x", 2)

    with pytest.raises(NotDeterministicError, match="'fickle' behaved differently"):
        explore(world=memory, clients={"fickle": fickle, "other": other}, check=nothing_to_check)


def test_a_client_that_notes_something_else_is_reported_with_what_it_noted():
    calls = itertools.count()

    def fickle(world):
        world.cells.read("x")
        world.journal.note(next(calls) > 0)
        world.cells.read("x")

    def other(world):
        world.cells.write("x", 1)
        world.cells.write("x", 2)

    expected = r"'read x', noting \(False,\), now 'read x', noting \(True,\)"
    with pytest.raises(NotDeterministicError, match=expected):
        explore(world=memory, clients={"fickle": fickle, "other": other}, check=nothing_to_check)


def test_schedules_that_are_made_again_are_far_apart(monkeypatch):
    numbers: list[int] = []

    def chosen(graph, number):
        numbers.append(number)
        return schedule(graph, number)

    def writer(name):
        def write(world):
            for value in range(4):
                world.cells.write(name, value)

        return write

    monkeypatch.setattr(replay, "schedule", chosen)
    clients = {name: writer(name) for name in "ab"}
    assert explore(world=memory, clients=clients, check=nothing_to_check).schedules == 70
    assert numbers == [0, 69, 13, 27, 41, 55]


@pytest.mark.parametrize(
    ("calls", "made"), [(0, 1), (12, 1), (16, 2), (92, 2), (96, 3), (10_000, 6)]
)
def test_no_more_are_made_again_when_it_took_enough_calls(calls, made):
    begun: list[object] = []

    class Counted(replay.Replays):
        def confirm(self, trail):
            begun.append(trail)
            self._calls += 20

    search = SimpleNamespace(states=SimpleNamespace(calls_made=calls))
    graph = SimpleNamespace(root=SimpleNamespace(schedules=1000, edges=[]))
    Counted(lambda: search, search, graph).some()
    assert len(begun) == made


def test_a_client_that_differs_only_in_the_confirming_run_is_reported():
    runs = itertools.count()

    def fickle(world):
        world.cells.write("n", next(runs))

    def check(world):
        raise Violation(f"n is {world.cells.numbers['n']}")

    with pytest.raises(NotDeterministicError):
        explore(world=memory, clients={"fickle": fickle}, check=check)


def test_a_world_that_differs_each_time_is_reported():
    worlds = itertools.count()

    def changing():
        world = memory()
        world.cells.numbers["start"] = next(worlds)
        return world

    def reader(world):
        world.cells.write("a", world.cells.read("start"))

    def other(world):
        world.cells.write("b", 1)

    with pytest.raises(NotDeterministicError, match="replay"):
        explore(world=changing, clients={"reader": reader, "other": other}, check=nothing_to_check)


def test_chance_and_time_are_the_same_on_every_replay():
    def gambler(world):
        world.cells.write(str(uuid.uuid4()), random.randint(0, 10**9))
        before = time.monotonic()
        time.sleep(2.5)
        assert time.monotonic() - before == 2.5
        world.cells.write("x", 1)

    def other(world):
        world.cells.write("y", 1)
        world.cells.write("y", 2)

    clients = {"gambler": gambler, "other": other}
    assert explore(world=memory, clients=clients, check=nothing_to_check).holds


def test_the_real_time_is_back_after_a_search():
    before = time.time
    explore(world=memory, clients={"a": lambda w: w.cells.read("x")}, check=nothing_to_check)
    assert time.time is before
    assert time.time() > 1_600_000_000


def test_reading_the_time_is_a_step_and_ticks_come_at_any_point():
    from dataclasses import dataclass

    @dataclass
    class Timed:
        cells: object
        clock: Clock

    def stamper(world):
        world.cells.write("stamp", int(time.time()))

    def check(world):
        if world.cells.numbers["stamp"] != 100:
            raise Violation(f"stamped {world.cells.numbers['stamp']}")

    report = explore(
        world=lambda: Timed(memory().cells, Clock(100, ticks=(30,))),
        clients={"stamper": stamper},
        check=check,
    )
    # The tick comes before the reading, between it and the write, or after both.
    assert report.schedules == 3
    assert report.broken == 1
    assert report.violation == "stamped 130"
    assert [step.fate for step in report.run.steps] == ["tick", "answered", "answered"]


@pytest.mark.parametrize("merge", [True, False], ids=["merged", "full"])
def test_swallowing_the_crash_does_not_bring_a_client_back(merge):
    def undead(world):
        while True:
            try:
                world.cells.write("x", 1)
                return
            except BaseException:
                world.cells.write("haunted", 1)

    def check(world):
        if "haunted" in world.cells.numbers:
            raise Violation("a dead client wrote")

    clients = {"undead": undead}
    assert explore(world=memory, clients=clients, check=check, crashes=1, merge=merge).holds


def test_finally_blocks_of_the_dead_reach_nobody(redis_client):
    def locker(world):
        world.redis.set("lock", "mine", nx=True)
        try:
            world.redis.incr("n")
        finally:
            world.redis.delete("lock")

    def check(world):
        if world.redis.exists("lock"):
            raise Violation("the lock is still held")

    world = lambda: Shop(empty(redis_client))  # noqa: E731
    clients = {"locker": locker}
    assert explore(world=world, clients=clients, check=check).holds
    report = explore(world=world, clients=clients, check=check, crashes=1)
    assert report.violation == "the lock is still held"
    assert len(report.run.steps) == 1
