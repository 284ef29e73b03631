"""Time and chance that a test has set stay as it set them; who sets all time is refused."""

from __future__ import annotations

import datetime
import os
import random
import sys
import time
import types
import uuid
from collections.abc import Callable
from functools import partial, wraps
from itertools import count, cycle
from typing import Any
from unittest.mock import Mock, patch

import numpy
import psycopg
import pytest
from tests import forking
from tests.raceproof.toys import Memory, memory, nothing_to_check

from raceproof import Report, Unsearchable, Violation, explore
from raceproof.search import stand_ins
from raceproof.search.determinism import deterministic
from raceproof.search.put_there import is_put_there
from raceproof.search.stand_ins import put_by_tests

real_time = time.time
real_now = datetime.datetime.now


def searched(client: Callable[[Any], object], seen: object) -> Report:
    def check(world: Memory) -> None:
        if world.cells.numbers["seen"] != seen:
            raise Violation(f"it is {world.cells.numbers['seen']}")

    return explore(world=memory, clients={"a": client, "b": client}, check=check)


def sees(ask: Callable[[], Any]) -> Callable[[Memory], None]:
    return lambda world: world.cells.write("seen", ask())


@pytest.mark.parametrize("name", ["time", "monotonic", "perf_counter", "time_ns"])
def test_time_that_a_test_has_set(monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    monkeypatch.setattr(time, name, lambda: 1_700_000_000)
    searched(sees(lambda: getattr(time, name)()), 1_700_000_000).assert_holds()


@pytest.mark.parametrize("name", ["random", "randint", "choice"])
def test_chance_that_a_test_has_set(monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    monkeypatch.setattr(random, name, lambda *_: 7)
    searched(sees(lambda: getattr(random, name)(1, 9)), 7).assert_holds()


def test_a_mock_that_a_test_has_set() -> None:
    with patch("uuid.uuid4", return_value=7):
        searched(sees(lambda: uuid.uuid4()), 7).assert_holds()


def test_who_holds_the_real_one_has_the_worlds_time(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(time, "time", lambda: 7.0)
    searched(sees(lambda: real_time()), 0.0).assert_holds()


ALONE = """
from tests.raceproof.search import test_patched
with test_patched.patch("time.time", lambda: 7.0):
    test_patched.searched(test_patched.sees(lambda: test_patched.real_time()), 0.0).assert_holds()
"""


def test_also_where_no_search_has_seen_it_in_its_place_before() -> None:
    done = forking.run(ALONE, dict(os.environ))
    assert done.returncode == 0, done.stderr


def test_what_is_replaced_already_is_not_replaced_again() -> None:
    with deterministic():
        before = time.time
        stand_ins.once_more()
        assert time.time is before
    with deterministic():
        assert time.time is before


def test_afterwards_time_is_the_worlds_again() -> None:
    with patch("time.time", return_value=7):
        searched(sees(lambda: time.time()), 7).assert_holds()
    searched(sees(lambda: time.time()), 0.0).assert_holds()


class Dice:
    def __init__(self, number: Any) -> None:
        self._number = number

    def roll(self, *_: Any) -> Any:
        return self._number

    def __call__(self, *_: Any) -> Any:
        return self._number


PUT_THERE: dict[str, Callable[[], Callable[..., Any]]] = {
    "a lambda": lambda: lambda *_: 7,
    "a method": lambda: Dice(7).roll,
    "an object that can be called": lambda: Dice(7),
    "a partial": lambda: partial(max, 7),
    "a mock": lambda: Mock(return_value=7),
    "a function of a function": lambda: wraps(real_time)(lambda *_: 7),
    "a method of a dict": lambda: {1: 7}.get,
}


@pytest.mark.parametrize("name", ["random", "getrandbits", "choice"])
def test_a_generator_of_the_test_is_not_the_clients_chance(
    monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    monkeypatch.setattr(random, name, getattr(random.Random(42), name))
    given = {"random": (), "getrandbits": (8,), "choice": (range(99),)}[name]
    for _ in range(2):
        with pytest.raises(Unsearchable, match=r"'random\.|a random\.Random that it has not made"):
            searched(sees(lambda: getattr(random, name)(*given)), 7)


@pytest.mark.parametrize("make", PUT_THERE.values(), ids=PUT_THERE)
@pytest.mark.parametrize("name", ["time", "time_ns"])
def test_whatever_a_test_puts_there_stays(
    monkeypatch: pytest.MonkeyPatch, name: str, make: Callable[[], Callable[..., Any]]
) -> None:
    put = make()
    monkeypatch.setattr(time, name, put)
    searched(sees(lambda: getattr(time, name)(1)), 7).assert_holds()
    assert getattr(time, name) is put


@pytest.mark.parametrize("make", PUT_THERE.values(), ids=PUT_THERE)
def test_chance_stays_as_well(
    monkeypatch: pytest.MonkeyPatch, make: Callable[[], Callable[..., Any]]
) -> None:
    monkeypatch.setattr(random, "choice", make())
    searched(sees(lambda: random.choice(1)), 7).assert_holds()  # type: ignore[call-overload]


def test_what_python_and_libraries_have_there_is_replaced() -> None:
    assert not is_put_there(numpy.random.rand)
    assert not is_put_there(psycopg.connect)
    with deterministic():
        for real in (random.random, random.choice, uuid.uuid1, time.time):
            assert hasattr(real, "_stands_for"), real
        assert put_by_tests == {}


IN_TURN: dict[str, Callable[[], Callable[..., Any]]] = {
    "a mock": lambda: Mock(side_effect=cycle([1, 9])),
    "an iterator": lambda: count().__next__,
    "a function that asks an iterator": lambda: partial(next, count()),
    "a lambda": lambda: (lambda numbers: lambda: next(numbers))(count()),
}


@pytest.mark.parametrize("make", IN_TURN.values(), ids=IN_TURN)
def test_answers_that_clients_take_in_turn_are_refused(
    monkeypatch: pytest.MonkeyPatch, make: Callable[[], Callable[..., Any]]
) -> None:
    monkeypatch.setattr(random, "random", make())
    for _ in range(2):
        with pytest.raises(Unsearchable, match="clients look at"):
            searched(sees(lambda: random.random()), 1)


def test_a_clock_of_the_test_that_clients_move_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    now = [0.0]
    monkeypatch.setattr(time, "time", lambda: now[0])
    monkeypatch.setattr(time, "sleep", lambda seconds: now.append(now.pop() + seconds))

    def client(world: Memory) -> None:
        world.cells.write("at", time.time())
        time.sleep(5)
        world.cells.write("until", time.time())

    with pytest.raises(Unsearchable, match="clients look at 'now'"):
        explore(world=memory, clients={"a": client, "b": client}, check=nothing_to_check)
    assert now == [0.0]


def test_naps_that_a_test_only_writes_down_disturb_nobody(monkeypatch: pytest.MonkeyPatch) -> None:
    naps: list[float] = []
    monkeypatch.setattr(time, "sleep", naps.append)

    def client(world: Memory) -> None:
        time.sleep(5)
        world.cells.write("x", 1)

    case = dict(world=memory, clients={"a": client, "b": client})
    assert explore(**case, check=nothing_to_check).schedules == 2  # type: ignore[arg-type]


class Fixed(datetime.datetime):
    @classmethod
    def now(cls, tz: datetime.tzinfo | None = None) -> Fixed:
        return cls(2026, 1, 2, tzinfo=tz)


def test_a_datetime_of_the_test_stays(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(datetime, "datetime", Fixed)
    searched(sees(lambda: datetime.datetime.now().day), 2).assert_holds()
    assert real_now().year > 2020


LIBRARIES = {"freezegun": ("api", "freeze_factories"), "time_machine": ("", "coordinates_stack")}


@pytest.mark.parametrize("name", LIBRARIES)
def test_a_library_that_sets_all_time_is_refused(
    monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    module, where = LIBRARIES[name]
    full = f"{name}.{module}".strip(".")
    made = types.ModuleType(full)
    monkeypatch.setitem(sys.modules, full, made)
    client = sees(lambda: time.time())
    setattr(made, where, [])
    searched(client, 0.0).assert_holds()
    setattr(made, where, ["2026-01-01"])
    with pytest.raises(Unsearchable, match=f"time is set by {name}"):
        searched(client, 0.0)
    assert not stand_ins._restore
    assert time.time is real_time
    setattr(made, where, [])
    searched(client, 0.0).assert_holds()


def test_nothing_else_that_a_test_has_set_is_touched(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(time, "sleep", lambda seconds: None)
    before = time.sleep

    def client(world: Memory) -> None:
        time.sleep(3600)
        world.cells.write("x", 1)

    found = explore(world=memory, clients={"a": client}, check=nothing_to_check)
    assert (found.schedules, time.sleep) == (1, before)
