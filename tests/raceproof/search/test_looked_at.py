"""A check that looks at what clients leave in Python's memory is refused; its own is its own.

A client's code runs once for all schedules in which it hears the same: what it leaves there is of
some other schedule than the one that the check is asked about.
"""

from __future__ import annotations

import functools
from collections import Counter
from types import SimpleNamespace
from typing import Any

import pytest
from tests.raceproof.toys import memory

from raceproof import Report, Unsearchable, Violation, explore

FILLED: dict[str, Any] = {}
LIMITS = {"most": [1, 2]}


def takes(leave: Any, before: int = 0, after: int = 0) -> Any:
    """A client that owns what nobody owned, and leaves word of it."""

    def client(world):
        for _ in range(before):
            world.cells.read("hello")
        mine = world.cells.read("owner") == 0
        if mine:
            world.cells.write("owner", 1)
        leave(mine)
        for _ in range(after):
            world.cells.read("bye")

    return client


def search(leave: Any, check: Any, length: int = 0, **case: Any) -> Any:
    clients = {
        "a": takes(functools.partial(leave, "a"), after=length),
        "b": takes(functools.partial(leave, "b"), before=length),
    }
    return explore(world=memory, clients=clients, **{"check": check, **case})


def refused(leave: Any, check: Any, name: str, **case: Any) -> None:
    with pytest.raises(Unsearchable, match=rf"a check looks at '{name}'.* in a Journal"):
        search(leave, check, **case)


@pytest.mark.parametrize("merge", [True, False])
@pytest.mark.parametrize("length", [0, 2])
def test_a_check_does_not_see_what_clients_leave_in_a_dict(length, merge):
    got: dict[str, bool] = {}

    def check(world):
        if got.get("a") and got.get("b"):
            raise Violation("both own it")

    refused(got.__setitem__, check, "got", length=length, merge=merge)


def adds(kept: Any) -> Any:
    return lambda name, mine: kept.append((name, mine))


def test_nor_in_anything_else_that_it_names():
    listed: list[Any] = []
    deep: dict[str, Any] = {"in": ([], 1)}
    space = SimpleNamespace(owner=None)
    counts: Counter[str] = Counter()
    names: set[str] = set()

    def of_a_default(world, listed=listed):
        assert len(listed) < 9

    def given(listed, world):
        assert len(listed) < 9

    class Keeper:
        def __init__(self):
            self.kept = []

        def check(self, world):
            assert len(self.kept) < 9

    keeper = Keeper()
    refused(adds(listed), lambda world: print(listed), "listed")
    refused(adds(listed), of_a_default, "listed")
    refused(adds(listed), functools.partial(given, listed), "an argument")
    refused(adds(keeper.kept), keeper.check, "self.kept")
    refused(adds(keeper.kept), lambda world: print(keeper), "keeper")
    refused(adds(deep["in"][0]), lambda world: print(deep), "deep")
    refused(lambda name, mine: setattr(space, "owner", name), lambda world: print(space), "space")
    refused(lambda name, mine: counts.update(name), lambda world: print(counts), "counts")
    refused(lambda name, mine: names.add(name), lambda world: print(names), "names")


def test_nor_in_a_global_that_it_or_a_helper_names():
    def helper():
        assert len(FILLED) < 9

    FILLED.clear()
    refused(FILLED.__setitem__, lambda world: [print(FILLED) for _ in "x"], "FILLED")
    FILLED.clear()
    refused(FILLED.__setitem__, lambda world: helper(), "FILLED")


def test_nor_in_a_number_that_clients_count():
    count = 0

    def leave(name, mine):
        nonlocal count
        count += mine

    refused(leave, lambda world: print(count), "count")


def test_always_is_held_to_the_same():
    got: dict[str, bool] = {}
    refused(got.__setitem__, lambda world: None, "got", always=lambda world: print(got))


@pytest.mark.parametrize("merge", [True, False])
def test_what_only_checks_change_is_theirs_and_what_nobody_changes_may_be_read(merge):
    seen: list[int] = []
    asked = 0

    def check(world):
        nonlocal asked
        asked += 1
        seen.append(world.cells.numbers.get("owner", 0))
        assert LIMITS["most"]

    def always(world):
        assert len(seen) >= 0

    assert search(lambda name, mine: None, check, always=always, merge=merge).holds
    assert asked == len(seen) > 0


def test_what_no_check_looks_at_may_be_looked_at_afterwards():
    got: dict[str, bool] = {}
    assert search(got.__setitem__, lambda world: None).holds
    assert set(got) == {"a", "b"}


def test_world_may_fill_in_the_same_again():
    names: dict[str, Any] = {}

    def world():
        names["all"] = ["owner"]
        return memory()

    def check(world):
        assert [world.cells.numbers[name] for name in names["all"]]

    clients = {"a": takes(lambda mine: None), "b": takes(lambda mine: None)}
    assert explore(world=world, clients=clients, check=check, merge=False).holds


class Suite:
    """As test classes are: what one method needs is kept for it in the object."""

    def __init__(self):
        self.made, self.left, self.limit = 0, [], 1

    def world(self):
        self.made += 1
        return memory()

    def client(self, world):
        self.left.append(world.cells.read("x"))

    @property
    def fits(self):
        return len(self.left) <= self.limit

    def is_full(self):
        return len(self.left) > 100

    def looks_at_nothing_else(self, world):
        assert self.limit == 1
        assert self.cells_of(world) == {}

    def cells_of(self, world, depth=2):
        return self.cells_of(world, depth - 1) if depth else world.cells.numbers

    def looks(self, world):
        assert self.left is not None

    def looks_by_a_property(self, world):
        assert self.fits or world

    def looks_by_a_method(self, world):
        assert not self.is_full()

    def hands_itself_on(self, world):
        assert isinstance(self, object)

    def hands_itself_on_beside_another(self, world):
        assert [self, world.cells]


def test_a_method_looks_at_what_it_names_of_its_object():
    suite = Suite()
    clients = {"a": suite.client, "b": suite.client}
    check = suite.looks_at_nothing_else
    assert explore(world=suite.world, clients=clients, check=check).holds


@pytest.mark.parametrize(
    ("method", "name"),
    [
        ("looks", "self.left"),
        ("looks_by_a_property", "self.left"),
        ("looks_by_a_method", "self.left"),
        ("hands_itself_on", "self"),
        ("hands_itself_on_beside_another", "self"),
    ],
)
def test_a_method_does_not_look_at_what_clients_change_in_its_object(method, name):
    suite = Suite()
    clients = {"a": suite.client, "b": suite.client}
    with pytest.raises(Unsearchable, match=f"a check looks at '{name}'"):
        explore(world=suite.world, clients=clients, check=getattr(suite, method))


def test_nor_where_it_is_found_only_by_its_form():
    """A decorated check, an object, a keyword default, an attribute of a function, a slot."""
    left: list[Any] = []

    class Slotted:
        __slots__ = ("kept",)

    class Check:
        def __init__(self, kept):
            self.kept = kept

        def __call__(self, world):
            assert len(self.kept) < 9

    def plain(world):
        assert len(left) < 9

    @functools.wraps(plain)
    def decorated(*args):
        return wrapped[0](*args)

    def by_keyword(world, *, kept=left):
        assert len(kept) < 9

    def by_attribute(world):
        assert world

    def by_slot(world):
        assert slotted

    wrapped, slotted = (plain,), Slotted()
    for holder in (by_attribute, slotted):
        setattr(holder, "kept", left)  # noqa: B010
    for check in (decorated, Check(left), by_keyword, by_attribute, by_slot):
        left.clear()
        with pytest.raises(Unsearchable, match="a check looks at '"):
            explore(world=memory, clients={"a": takes(left.append)}, check=check)


@pytest.mark.parametrize("value", [0, 1])
def test_nor_when_no_check_looks_any_more(value, monkeypatch):
    """Both orders end in one state; in one of them, which is looked at later, something is left."""
    monkeypatch.setattr(Report, "confirm_some", lambda self: None)  # which looks once more
    left: list[int] = []

    def reads(world):
        first = world.cells.read("x")
        world.cells.read("y")
        if first == value:
            left.append(1)

    clients = {"a": reads, "b": lambda world: world.cells.write("x", 1)}
    with pytest.raises(Unsearchable, match="a check looks at 'left'"):
        explore(world=memory, clients=clients, check=lambda world: print(left))
