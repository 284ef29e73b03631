"""A store in memory with an adapter of its own, and worlds that the tests share."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any
from unittest.mock import patch

import redis

from raceproof import Journal, Report, explore
from raceproof.wire.adapter import PlainAdapter
from raceproof.wire.calls import Call, Outcome, Performed


class Cells:
    """A few numbers; reading and writing one is a call."""

    def __init__(self) -> None:
        self.numbers: dict[str, int] = {}

    def explore_adapter(self, store: str, clock: object) -> CellsAdapter:
        return CellsAdapter(store, self)


class CellsAdapter(PlainAdapter):
    def __init__(self, store: str, cells: Cells) -> None:
        super().__init__(store)
        self.cells = cells

    def proxy(self, ask: Any, tell: Any) -> CellsProxy:
        return CellsProxy(self.store, ask)

    def perform(self, actor: str, call: Call) -> Performed:
        verb, name, value = call.data
        if verb == "write":
            self.cells.numbers[name] = value
        number = self.cells.numbers.get(name, 0)
        return Performed(Outcome.value(number, str(number)), changed=verb == "write")

    def snapshot(self) -> Any:
        return tuple(sorted(self.cells.numbers.items()))


class CellsProxy:
    def __init__(self, store: str, ask: Any) -> None:
        self._store = store
        self._ask = ask

    def read(self, name: str) -> int:
        number: int = self._ask(
            Call(self._store, ("read", name), f"read {name}", ("read", name, None))
        )
        return number

    def write(self, name: str, value: int) -> None:
        key = ("write", name, value)
        self._ask(Call(self._store, key, f"write {name} {value}", key))


@dataclass
class Memory:
    cells: Any
    journal: Journal = field(default_factory=Journal)


def memory() -> Memory:
    return Memory(Cells())


@dataclass
class Shop:
    redis: redis.Redis
    journal: Journal = field(default_factory=Journal)


def empty(client: redis.Redis) -> redis.Redis:
    """Remove every key that the client can see."""
    keys = client.keys("*")
    if keys:
        client.delete(*keys)
    return client


def in_full(**case: Any) -> Report:
    """Return what a search finds that makes every schedule for real, from its beginning.

    It is what a merged search is compared with, at whose end some schedules were made once more:
    to do so here as well would show nothing new.
    """
    with patch.object(Report, "confirm"), patch.object(Report, "confirm_some"):
        return explore(**case, merge=False)


def nothing_to_check(world: object) -> None:
    """A check that every world passes."""
