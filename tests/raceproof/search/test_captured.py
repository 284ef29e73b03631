"""Time and chance that code was given, in whatever it keeps them: they are the world's, too."""

from __future__ import annotations

import random
import threading
import time
import types
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from enum import Enum
from functools import partial
from typing import Any, NamedTuple

import attrs
import pytest
from tests.raceproof.toys import Cells

from raceproof import Clock, Journal, Unsearchable, Violation, explore
from raceproof.search import stand_ins

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
QUEUE = deque([time.time])
VIEW = types.MappingProxyType({"now": time.time})
PART = partial(datetime.now, UTC)
TAKEN = datetime.now


@dataclass(frozen=True, slots=True)
class InSlots:
    clock: Callable[[], float] = time.time


@attrs.define
class InSlotsOfAttrs:
    clock: Callable[[], float] = time.time


SLOTS, SLOTS_OF_ATTRS = InSlots(), InSlotsOfAttrs()
AT = partial(lambda *, clock: clock(), clock=time.time)


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
    "a deque": lambda: QUEUE[0](),
    "a view of a dict": lambda: VIEW["now"](),
    "a slot": lambda: SLOTS.clock(),
    "a slot of attrs": lambda: SLOTS_OF_ATTRS.clock(),
    "a default in slots": lambda: InSlots().clock(),
    "code within code": lambda: (lambda: TAKEN().timestamp())(),
    "code that gives": lambda: next(TAKEN().timestamp() for _ in "a"),
    "a keyword of a partial": lambda: AT(),
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


@dataclass
class Injected:
    cells: Any = field(default_factory=Cells)
    clock: Clock = field(default_factory=lambda: Clock(NOON))
    now: Callable[[], float] = time.time
    deps: ByField = field(default_factory=ByField)


@pytest.mark.parametrize("ask", [lambda world: world.now(), lambda world: world.deps.now()])
def test_time_that_only_the_world_reaches_is_its_own(ask: Callable[[Any], float]) -> None:
    def client(world: Injected) -> None:
        world.cells.write("now", ask(world))

    def check(world: Injected) -> None:
        if world.cells.numbers["now"] != NOON:
            raise Violation(f"it is {world.cells.numbers['now']}")

    explore(world=Injected, clients={"a": client}, check=check).assert_holds()
    explore(world=lambda: Injected(), clients={"a": client}, check=check).assert_holds()


class Deps(NamedTuple):
    clock: Callable[[], float] = time.time


FIXED: dict[str, tuple[Any, Callable[[Any], float]]] = {
    "a tuple": ((time.time,), lambda held: held[0]()),
    "a named tuple": (Deps(), lambda held: held.clock()),
    "an argument of a partial": (partial(helper, time.time), lambda held: held()),
}


@pytest.mark.parametrize(("held", "ask"), FIXED.values(), ids=FIXED)
def test_what_nobody_can_change_is_refused(held: Any, ask: Callable[[Any], float]) -> None:
    def client(world: World) -> None:
        world.cells.write("now", ask(held))

    with pytest.raises(Unsearchable, match="holds time, which the search cannot replace there"):
        explore(world=World, clients={"a": client}, check=lambda world: None)


@pytest.mark.parametrize("does", ["clear", "insert", "reverse"])
def test_what_clients_do_to_what_holds_it_stays(does: str) -> None:
    steps: list[Any] = [time.time, "first"]

    def client(world: World) -> None:
        world.cells.write("now", 1)
        if does == "insert":
            steps.insert(0, "new")
        else:
            getattr(steps, does)()

    explore(world=World, clients={"a": client}, check=lambda world: None)
    real = {"clear": [], "insert": [time.time, "first"], "reverse": [time.time, "first"]}
    assert [one for one in steps if one != "new"] in (real[does], real[does][::-1])
    assert not hasattr(time.time, "_stands_for")


class Registry(dict[str, Any]):
    def __setitem__(self, name: str, value: Any) -> None:
        raise KeyError(f"{name} is registered already")

    def items(self) -> Any:
        raise NotImplementedError


class Constants(type):
    def __setattr__(cls, name: str, value: object) -> None:
        raise AttributeError("constants cannot be set")


class Named(metaclass=Constants):
    clock = staticmethod(time.time)


def test_who_forbids_to_set_anything_is_looked_into_all_the_same() -> None:
    registry = Registry(clock=time.time)

    def client(world: World) -> None:
        world.cells.write("now", min(registry["clock"](), Named.clock()))

    def check(world: World) -> None:
        assert world.cells.numbers["now"] == NOON

    explore(world=World, clients={"a": client}, check=check).assert_holds()
    assert registry["clock"] is Named.clock is time.time


def test_everything_is_put_back_though_one_cannot_be(monkeypatch: pytest.MonkeyPatch) -> None:
    def client(world: World) -> None:
        world.cells.write("now", helper())
        stand_ins.take_back(lambda: 1 // 0)

    with pytest.raises(ZeroDivisionError):
        explore(world=World, clients={"a": client}, check=lambda world: None)
    assert not hasattr(time.time, "_stands_for")
    assert helper() > NOON + 100_000_000
    assert not stand_ins._restore


class Worker:
    def __init__(self, clock: Callable[[], float] = time.time) -> None:
        self.clock = clock

    def run(self, world: World) -> None:
        world.cells.write("now", self.clock())


def test_time_that_the_object_of_a_client_was_given() -> None:
    worker = Worker()

    def check(world: World) -> None:
        assert world.cells.numbers["now"] == NOON

    explore(world=World, clients={"a": worker.run}, check=check).assert_holds()
    assert worker.clock is time.time


def test_what_a_client_has_put_in_its_place_stays() -> None:
    own: dict[str, Any] = {"now": time.time}
    worker = Worker()

    def client(world: World) -> None:
        world.cells.write("now", 1)
        own["now"] = worker.clock = later

    explore(world=World, clients={"a": client}, check=lambda world: None)
    assert own["now"] is worker.clock is later


def later() -> float:
    return 7.0


def made(now: Callable[[], float] = time.time) -> Injected:
    return Injected(now=now)


def test_time_that_the_function_of_the_world_was_given() -> None:
    def client(world: Injected) -> None:
        world.cells.write("now", world.now())

    def check(world: Injected) -> None:
        assert world.cells.numbers["now"] == NOON

    explore(world=made, clients={"a": client}, check=check).assert_holds()
    assert made.__defaults__ == (time.time,)
