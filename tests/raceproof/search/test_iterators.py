"""An iterator that two clients ask for the next is refused: none can tell whose turn it was."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any

import pytest
from tests.raceproof.toys import Cells, Memory, memory, nothing_to_check

from raceproof import Journal, Unsearchable, explore
from raceproof.search import iterators
from raceproof.search.iterators import how_far


def numbers() -> Iterator[int]:
    at = 0
    while True:
        yield at
        at += 1


def twice() -> Iterator[int]:
    yield 0
    yield 0
    yield 1


KINDS: dict[str, Callable[[], Any]] = {
    "count": itertools.count,
    "cycle": lambda: itertools.cycle([0, 1]),
    "generator": numbers,
    "generator that gives the same": twice,
    "expression": lambda: (number for number in range(9)),
    "list": lambda: iter([0, 1, 2]),
    "dict": lambda: iter({0: "a", 1: "b"}),
    "range": lambda: iter(range(9)),
    "enumerate": lambda: enumerate("abc"),
    "zip": lambda: zip("abc", "def", strict=True),
    "map": lambda: map(str, [0, 1, 2]),
    "chain": lambda: itertools.chain([0], [1]),
    "reversed": lambda: reversed([0, 1]),
    "a cycle of a list": lambda: itertools.cycle(iter([0, 1])),
}


@dataclass
class World:
    cells: Any
    ids: Any
    journal: Journal = field(default_factory=Journal)


@pytest.mark.parametrize("kind", KINDS.values(), ids=KINDS)
def test_two_clients_that_ask_for_the_next_are_refused(kind: Callable[[], Any]) -> None:
    given = kind()

    def client(world: Memory) -> None:
        first = next(given)
        world.cells.write("x" if first in (0, "a", ("a", "d"), (0, "a"), "0") else "y", 1)

    with pytest.raises(Unsearchable, match="clients look at 'given'"):
        explore(world=memory, clients={"a": client, "b": client}, check=nothing_to_check)


def test_an_iterator_that_each_world_has() -> None:
    def client(world: World) -> None:
        world.cells.write(f"id {next(world.ids)}", 1)

    clients = {"a": client, "b": client}
    with pytest.raises(Unsearchable, match=r"clients look at 'world\.ids'"):
        explore(
            world=lambda: World(Cells(), itertools.count()), clients=clients, check=nothing_to_check
        )


def test_one_that_nobody_asks_is_in_no_ones_way() -> None:
    given = [kind() for kind in KINDS.values()]

    def client(world: Memory) -> None:
        world.cells.write("x", len(given))

    clients = {"a": client, "b": client}
    explore(world=memory, clients=clients, check=nothing_to_check).assert_holds()
    assert {str(next(one)) for one in given} <= {"0", "2", "a", "('a', 'd')", "(0, 'a')", "1"}


@pytest.mark.parametrize("kind", KINDS.values(), ids=KINDS)
def test_to_look_how_far_one_is_takes_nothing_from_it(kind: Callable[[], Any]) -> None:
    given, same = kind(), kind()
    for _ in range(2):
        before = _told(how_far(given))
        assert before == _told(how_far(given))
        assert next(given) == next(same)
        assert before != _told(how_far(given))


def test_the_second_round_of_a_cycle_is_told_from_the_first() -> None:
    given = itertools.cycle([0, 0])
    seen = []
    for _ in range(5):
        seen.append(_told(how_far(given)))
        next(given)
    assert len({*seen[:2]}) == len({*seen[2:4]}) == 2


def test_where_python_tells_nothing_of_a_cycle_it_is_never_the_same(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """As from Python 3.14 on."""

    class Cycle:
        def __reduce__(self) -> str:
            raise TypeError("cannot pickle")

    assert _told(how_far(Cycle()))[0].startswith("<")
    given = Cycle()
    assert how_far(given) == how_far(given)
    monkeypatch.setattr(iterators, "cycle", Cycle)
    assert how_far(given) != how_far(given)


def test_a_generator_that_has_ended() -> None:
    given = twice()
    assert list(given) == [0, 0, 1]
    assert how_far(given) == []


def _told(parts: Iterable[Any]) -> tuple[Any, ...]:
    """Iterators within are told as they are; anything else is what it is called."""
    return tuple(
        _told(how_far(part))
        if hasattr(type(part), "__next__")
        else _told(part)
        if type(part) is tuple
        else str(part)
        for part in parts
    )
