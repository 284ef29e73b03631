"""Time and chance that code was given, in whatever it keeps them: they are the world's, too."""

from __future__ import annotations

import random
import threading
import time
import types
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from enum import Enum
from functools import partial
from typing import Any

import attrs
import pytest
from tests.raceproof.toys import Cells

from raceproof import Clock, Journal, Violation, explore

NOON = 1_000_000_000.0  # 2001-09-09 01:46:40 UTC


@dataclass
class World:
    cells: Any = field(default_factory=Cells)
    clock: Clock = field(default_factory=lambda: Clock(NOON))
    journal: Journal = field(default_factory=Journal)


class ByDefault:
    def __init__(self, *, clock: Callable[[], float] = time.time) -> None:
        self.clock = clock

    def now(self) -> float:
        return self.clock()


class ByPlace:
    def now(self, clock: Callable[[], float] = time.time) -> float:
        return clock()


@dataclass
class ByField:
    clock: Callable[[], float] = time.time

    def now(self) -> float:
        return self.clock()


@dataclass
class MadeByField:
    at: float = field(default_factory=time.time)

    def now(self) -> float:
        return self.at


@attrs.define
class MadeByAttrs:
    at: float = attrs.Factory(time.time)

    def now(self) -> float:
        return self.at


class ByClass:
    clock = staticmethod(time.time)

    def now(self) -> float:
        return self.clock()


class ByName:
    clock = time.time

    def now(self) -> float:
        return self.clock()


CLOCKS: dict[str, Any] = {"wall": time.time, "several": [time.monotonic, time.time, [].append]}
OBJECT = ByDefault()
NAMES = types.SimpleNamespace(now=time.time)
PART = partial(datetime.now, UTC)
TAKEN = datetime.now


class Kind(Enum):
    WALL = "wall"

    def now(self) -> float:
        clock: Callable[[], float] = CLOCKS[self.value]
        return clock()


def helper(clock: Callable[[], float] = time.time) -> float:
    return clock()


def by_keyword(*, clock: Callable[[], float] = time.time) -> float:
    return clock()


class ByHelper:
    def now(self) -> float:
        return helper()


HANDLERS = {"helper": helper}

WAYS: dict[str, Callable[[], Any]] = {
    "the default of a class": lambda: ByDefault().now(),
    "the default of a method": lambda: ByPlace().now(),
    "a field": lambda: ByField().now(),
    "what makes a field": lambda: MadeByField().now(),
    "what makes a field of attrs": lambda: MadeByAttrs().now(),
    "a static method": lambda: ByClass().now(),
    "an attribute of a class": lambda: ByName().now(),
    "a dict": lambda: CLOCKS["wall"](),
    "a list in a dict": lambda: CLOCKS["several"][1](),
    "an object": lambda: OBJECT.now(),
    "a namespace": lambda: NAMES.now(),
    "a helper's default": lambda: helper(),
    "a helper's keyword": lambda: by_keyword(),
    "a helper of a method": lambda: ByHelper().now(),
    "a helper in a dict": lambda: HANDLERS["helper"](),
    "a member of an Enum": lambda: Kind.WALL.now(),
    "a partial": lambda: PART().tzinfo is UTC and PART().timestamp(),
    "a method of datetime": lambda: TAKEN().timestamp(),
}


@pytest.mark.parametrize("way", WAYS.values(), ids=WAYS)
def test_time_is_the_worlds(way: Callable[[], Any]) -> None:
    def client(world: World) -> None:
        world.cells.write("now", way())

    def check(world: World) -> None:
        if world.cells.numbers["now"] != NOON:
            raise Violation(f"it is {world.cells.numbers['now']}")

    explore(world=World, clients={"a": client}, check=check).assert_holds()
    assert way() > NOON + 100_000_000


@pytest.mark.parametrize("way", WAYS.values(), ids=WAYS)
def test_it_is_so_where_a_client_is_given_the_way(way: Callable[[], Any]) -> None:
    clients = {name: partial(writes, ask=way, to=name) for name in "ab"}
    found: set[Any] = set()

    def check(world: World) -> None:
        found.update(world.cells.numbers.values())

    explore(world=World, clients=clients, check=check).assert_holds()
    assert found == {NOON}


def writes(world: World, ask: Callable[[], Any], to: str) -> None:
    world.cells.write(to, ask())


@dataclass
class Drawn:
    number: float = field(default_factory=random.random)


def test_chance_is_the_clients() -> None:
    found: set[Any] = set()

    def client(world: World) -> None:
        world.cells.write("drawn", Drawn().number)

    def check(world: World) -> None:
        found.add(world.cells.numbers["drawn"])

    for _ in range(2):
        explore(world=World, clients={"a": client}, check=check).assert_holds()
    assert len(found) == 1
    assert Drawn().number not in found


def test_everything_holds_afterwards_what_it_held() -> None:
    def client(world: World) -> None:
        for way in WAYS.values():
            world.cells.write("now", way())

    before = vars(ByClass)["clock"], ByDefault.__init__.__kwdefaults__, PART
    explore(world=World, clients={"a": client}, check=lambda world: None)
    assert (vars(ByClass)["clock"], ByDefault.__init__.__kwdefaults__, PART) == before
    assert vars(ByName)["clock"] is ByField().clock is CLOCKS["wall"] is NAMES.now is time.time
    assert CLOCKS["several"][:2] == [time.monotonic, time.time]
    assert not hasattr(time.time, "_stands_for")


def test_a_lock_that_is_held_while_the_time_is_asked_stops_nobody() -> None:
    """Where no time can pass, to ask for it is no step: nobody is parked there."""
    lock = threading.Lock()

    def client(world: World) -> None:
        with lock:
            now = time.time()
        world.cells.write("now", now)

    found = explore(world=World, clients={"a": client, "b": client}, check=lambda world: None)
    assert (found.verdict, found.schedules) == ("holds", 2)


def test_a_clock_that_moves_when_it_is_read_is_read_in_a_step() -> None:
    def client(world: World) -> None:
        world.cells.write("first", time.time())
        world.cells.write("second", time.time())

    found: set[Any] = set()

    def check(world: World) -> None:
        found.add((world.cells.numbers["first"], world.cells.numbers["second"]))

    explore(world=lambda: World(clock=Clock(NOON, step=1.0)), clients={"a": client}, check=check)
    assert found == {(NOON, NOON + 1)}
