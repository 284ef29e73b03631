"""Objects of the standard library, and containers of others, through which clients could speak."""

from __future__ import annotations

import argparse
import asyncio
import configparser
import io
import queue
import random
import threading
from collections import OrderedDict
from collections.abc import Callable, MutableSequence
from contextvars import ContextVar
from functools import partial
from typing import Any

import pytest
from multidict import MultiDict
from sortedcontainers import SortedDict  # type: ignore[import-untyped]
from tests.raceproof.toys import Memory, memory, nothing_to_check

from raceproof import Unsearchable, Violation, explore
from raceproof.search.contents import contents_of
from raceproof.search.memory import Memory as Kept
from raceproof.search.spots import Spot, itself

Case = tuple[Callable[[], Any], Callable[[Any], object], Callable[[Any], object]]

# How to make one, what one client does to it, and what another sees of that.
CASES: dict[str, Case] = {
    "asyncio.Event": (asyncio.Event, lambda e: e.set(), lambda e: e.is_set()),
    "threading.Event": (threading.Event, lambda e: e.set(), lambda e: e.is_set()),
    "asyncio.Queue": (asyncio.Queue, lambda q: q.put_nowait(1), lambda q: q.qsize()),
    "asyncio.PriorityQueue": (
        asyncio.PriorityQueue,
        lambda q: q.put_nowait(1),
        lambda q: q.qsize(),
    ),
    "queue.Queue": (queue.Queue, lambda q: q.put(1), lambda q: q.qsize()),
    "queue.LifoQueue": (queue.LifoQueue, lambda q: q.put(1), lambda q: q.qsize()),
    "SimpleQueue": (queue.SimpleQueue, lambda q: q.put(1), lambda q: q.qsize()),
    "Semaphore": (
        lambda: threading.Semaphore(0),
        lambda s: s.release(),
        lambda s: s.acquire(blocking=False) and not s.release(),
    ),
    "asyncio.Semaphore": (
        lambda: asyncio.Semaphore(0),
        lambda s: s.release(),
        lambda s: not s.locked(),
    ),
    "asyncio.Lock": (
        asyncio.Lock,
        lambda lock: lock._locked or setattr(lock, "_locked", True),
        lambda lock: lock.locked(),
    ),
    "Condition": (
        lambda: threading.Condition(threading.Lock()),
        lambda c: c.acquire(blocking=False),
        lambda c: c._lock.locked(),
    ),
    "asyncio.Condition": (
        asyncio.Condition,
        lambda c: c._lock._locked or setattr(c._lock, "_locked", True),
        lambda c: c.locked(),
    ),
    "ContextVar": (
        lambda: ContextVar("kept", default={}),  # noqa: B039
        lambda var: var.get().update(a=1),
        lambda var: var.get(),
    ),
    "Random": (
        lambda: random.Random(1),
        lambda generator: generator.seed(2),
        lambda generator: generator.getstate() != random.Random(1).getstate(),
    ),
    "StringIO": (io.StringIO, lambda s: s.write("x"), lambda s: s.getvalue()),
    "BytesIO": (io.BytesIO, lambda s: s.write(b"x"), lambda s: s.getvalue()),
    "a StringIO that is read": (
        lambda: io.StringIO("x"),
        lambda s: s.read(),
        lambda s: s.tell(),
    ),
    "Namespace": (
        argparse.Namespace,
        lambda n: setattr(n, "ready", True),
        lambda n: hasattr(n, "ready"),
    ),
    "ConfigParser": (
        configparser.ConfigParser,
        lambda c: c.read_dict({"s": {"a": "1"}}),
        lambda c: c.has_section("s"),
    ),
    "SortedDict": (SortedDict, lambda d: d.update(a=1), lambda d: "a" in d),
    "MultiDict": (MultiDict, lambda d: d.update(a="1"), lambda d: "a" in d),
}


def client_pair(kept: Any, does: Any, sees: Any) -> dict[str, Callable[[Memory], None]]:
    def first(world: Memory) -> None:
        world.cells.write("x", 1)
        does(kept)

    def second(world: Memory) -> None:
        world.cells.read("y")
        world.cells.write("good" if sees(kept) else "bad", 1)

    return {"first": first, "second": second}


def in_order(world: Any) -> None:
    if world.cells.numbers.get("bad"):
        raise Violation("the second went before the first")


@pytest.mark.parametrize("case", CASES.values(), ids=CASES)
def test_what_two_clients_share_in_it_is_refused(case: Case) -> None:
    make, does, sees = case
    kept = make()
    clients = client_pair(kept, does, sees)
    for _ in range(2):  # the second search finds it as the first one did
        with pytest.raises(Unsearchable, match="clients look at 'kept'"):
            explore(world=memory, clients=clients, check=in_order)


@pytest.mark.parametrize("case", CASES.values(), ids=CASES)
def test_who_only_looks_is_searched(case: Case) -> None:
    make, _, sees = case
    kept = make()
    clients = client_pair(kept, lambda _: None, sees)
    found = explore(world=memory, clients=clients, check=nothing_to_check)
    assert found.verdict == "holds"


@pytest.mark.parametrize("case", CASES.values(), ids=CASES)
def test_it_is_brought_back_to_what_it_held(case: Case) -> None:
    make, does, sees = case
    kept = make()
    held = Kept([Spot("kept", partial(itself, kept))])
    before = bool(sees(kept))
    does(kept)
    assert held.changed() == "kept"
    held.put_back()
    assert bool(sees(kept)) == before
    assert held.changed() is None


def test_a_closed_file_shows_nothing_and_is_left_closed() -> None:
    kept = io.StringIO("x")
    held = Kept([Spot("kept", partial(itself, kept))])
    kept.close()
    assert contents_of(kept) == []
    held.put_back()
    assert kept.closed


def test_an_item_that_was_taken_from_a_queue_does_not_come_back_as_another() -> None:
    kept: queue.SimpleQueue[str] = queue.SimpleQueue()
    kept.put("a")
    held = Kept([Spot("kept", partial(itself, kept))])
    kept.put("b")
    held.put_back()
    assert [kept.get_nowait() for _ in range(kept.qsize())] == ["a"]


class Registry(MutableSequence[int]):
    """As a library's sequence that is no list."""

    __module__ = "sortedcontainers.sortedlist"

    def __init__(self) -> None:
        self._held: list[int] = []

    def __getitem__(self, at: Any) -> Any:
        return self._held[at]

    def __setitem__(self, at: Any, value: Any) -> None:
        self._held[at] = value

    def __delitem__(self, at: Any) -> None:
        del self._held[at]

    def __len__(self) -> int:
        return len(self._held)

    def insert(self, index: int, value: int) -> None:
        self._held.insert(index, value)


def test_a_librarys_sequence_is_looked_into() -> None:
    kept = Registry()
    clients = client_pair(kept, lambda k: k.append(1), len)
    with pytest.raises(Unsearchable, match="clients look at 'kept'"):
        explore(world=memory, clients=clients, check=in_order)
    assert list(kept) == []


def test_a_plain_container_is_refilled_as_ever() -> None:
    for kept in ({"a": 1}, OrderedDict(a=1), [1, 2], {1, 2}):
        held = Kept([Spot("kept", partial(itself, kept))])
        before = type(kept)(kept)
        kept.clear()
        held.put_back()
        assert kept == before


def test_of_a_context_variable_what_is_set_is_seen() -> None:
    kept: ContextVar[dict[str, int]] = ContextVar("kept")
    token = kept.set({"a": 1})
    held = Kept([Spot("kept", partial(itself, kept))])
    kept.get()["a"] = 2
    assert held.changed() == "kept"
    held.put_back()
    assert kept.get() == {"a": 1}
    kept.reset(token)
