"""What clients remember in Python from one schedule to the next: each search is refused alike."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterator
from functools import cache, partial
from types import SimpleNamespace
from typing import Any

import pytest
from tests.raceproof.toys import Memory, memory, nothing_to_check

from raceproof import NotDeterministicError, explore

a_dict: dict[str, Any] = {}
a_list: list[Any] = []
a_set: set[Any] = set()
a_deque: deque[Any] = deque()
some_bytes = bytearray()
a_space = SimpleNamespace()
done = False
nothing: Any = None


class Settings:
    """What is read once and kept, in the object and in its class."""

    read: Any = None
    known: dict[str, Any]

    def on_the_object(self, world: Memory) -> None:
        if self.read is None:
            self.read = world.cells.read("mode")
        world.cells.write("seen", self.read)


class Reading:
    """The world that the client has now, for what takes no argument."""

    cells: Any


settings, reading = Settings(), Reading()


def in_a_dict(world: Memory) -> None:
    if "mode" not in a_dict:
        a_dict["mode"] = world.cells.read("mode")
    world.cells.write("seen", a_dict["mode"])


def in_a_list(world: Memory) -> None:
    if not a_list:
        a_list.append(world.cells.read("mode"))
    world.cells.write("seen", a_list[0])


def in_a_set(world: Memory) -> None:
    if not a_set:
        a_set.add(world.cells.read("mode"))
    world.cells.write("seen", len(a_set))


def in_a_deque(world: Memory) -> None:
    if not a_deque:
        a_deque.append(world.cells.read("mode"))
    world.cells.write("seen", a_deque[0])


def in_some_bytes(world: Memory) -> None:
    if not some_bytes:
        world.cells.read("mode")
        some_bytes.append(1)
    world.cells.write("seen", 1)


def in_a_space(world: Memory) -> None:
    if not hasattr(a_space, "mode"):
        a_space.mode = world.cells.read("mode")
    world.cells.write("seen", a_space.mode)


def in_a_name(world: Memory) -> None:
    global done
    if not done:
        world.cells.read("mode")
        done = True
    world.cells.write("seen", 1)


def in_a_name_of_nothing(world: Memory) -> None:
    global nothing
    if nothing is None:
        nothing = world.cells.read("mode") or "normal"
    world.cells.write("seen", nothing)


def in_a_name_that_is_not_there(world: Memory) -> None:
    try:
        world.cells.write("seen", not_there)  # type: ignore[name-defined]
    except NameError:
        globals()["not_there"] = world.cells.read("mode")


def in_a_class(world: Memory) -> None:
    if not hasattr(Settings, "known"):
        Settings.known = {"mode": world.cells.read("mode")}
    world.cells.write("seen", Settings.known["mode"])


@cache
def mode() -> Any:
    return reading.cells.read("mode")


def in_a_cached_function(world: Memory) -> None:
    reading.cells = world.cells
    world.cells.write("seen", mode())


@cache
def pair() -> Any:
    return mode(), mode()


def in_a_function_that_one_calls(world: Memory) -> None:
    reading.cells = world.cells
    world.cells.write("seen", pair())


def in_a_closure() -> Callable[[Memory], None]:
    known = None

    def client(world: Memory) -> None:
        nonlocal known
        if known is None:
            known = world.cells.read("mode") or "normal"
        world.cells.write("seen", known)

    return client


def in_an_argument(world: Memory, known: dict[str, Any]) -> None:
    if not known:
        known["mode"] = world.cells.read("mode")
    world.cells.write("seen", known["mode"])


CLIENTS: dict[str, Callable[[Memory], object]] = {
    client.__name__: client
    for client in (
        in_a_dict,
        in_a_list,
        in_a_set,
        in_a_deque,
        in_some_bytes,
        in_a_space,
        in_a_name,
        in_a_name_of_nothing,
        in_a_name_that_is_not_there,
        in_a_class,
        in_a_cached_function,
        in_a_function_that_one_calls,
    )
}
CLIENTS["in a closure"] = in_a_closure()
CLIENTS["in an argument"] = partial(in_an_argument, known={})
CLIENTS["in an object"] = settings.on_the_object


def search(client: Callable[[Memory], object]) -> None:
    explore(
        world=memory, clients={"ann": client, "bob": client}, check=nothing_to_check
    ).assert_holds()


@pytest.mark.parametrize("client", CLIENTS.values(), ids=CLIENTS)
def test_what_a_client_remembers_is_forgotten_when_it_was_noticed(
    client: Callable[[Memory], object],
) -> None:
    for _ in range(3):
        with pytest.raises(NotDeterministicError, match="behaved differently"):
            search(client)


def test_it_says_what_was_changed() -> None:
    with pytest.raises(NotDeterministicError) as error:
        search(in_a_dict)
    assert error.value.__notes__ == ["('a_dict' is not in the world, and was changed meanwhile)"]


def test_what_was_there_before_is_there_again() -> None:
    kept = {"a": [1, {"b": 2}]}
    wrote: list[str] = ["before"]

    def client(world: Memory) -> None:
        wrote.append("now")
        kept["a"].append(3)
        kept["a"][1]["b"] = 4  # type: ignore[index]
        kept["c"] = []
        world.cells.write("seen", len(wrote))

    with pytest.raises(NotDeterministicError):
        search(client)
    assert (kept, wrote) == ({"a": [1, {"b": 2}]}, ["before"])


def test_what_is_only_written_disturbs_no_search_and_is_kept() -> None:
    wrote: list[str] = []

    def client(world: Memory) -> None:
        wrote.append("began")
        world.cells.write("seen", 1)

    search(client)
    assert wrote.count("began") > 2


@pytest.fixture(autouse=True)
def _as_before() -> Iterator[None]:
    yield
    assert not any([a_dict, a_list, a_set, a_deque, some_bytes, vars(a_space), done, nothing])
