"""Worlds of one Redis, with and without a clock, that the tests of the wire share."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import redis
from tests.raceproof.toys import empty, in_full

from raceproof import Clock, Journal, Violation, explore


@dataclass
class Shop:
    redis: Any
    clock: Clock = field(default_factory=lambda: Clock(1000))
    journal: Journal = field(default_factory=Journal)


def like(client: redis.Redis, **options: Any) -> Any:
    """Return a client of the same server with other options."""
    pool = client.connection_pool
    given = {**pool.connection_kwargs, **options}
    made = redis.ConnectionPool(connection_class=pool.connection_class, **given)
    return redis.Redis(connection_pool=made)


def shop(
    client: redis.Redis, *commands: tuple[Any, ...], ticks: tuple[float, ...] = (), **options: Any
) -> Callable[[], Shop]:
    """Return a maker of worlds in which some commands have been made."""
    mine = like(client, **options) if options else client
    plain = like(client, decode_responses=False)

    def make() -> Shop:
        empty(plain)
        for command in commands:
            client.execute_command(*command)
        return Shop(mine, Clock(1000, ticks=ticks))

    return make


def never(wrong: Callable[[Shop], object]) -> Callable[[Shop], None]:
    """Return a check that says what is wrong, if anything is."""

    def check(world: Shop) -> None:
        if found := wrong(world):
            raise Violation(str(found))

    return check


def said(make: Callable[[], Shop], *clients: Callable[[Shop], Any], **bounds: Any) -> set[str]:
    """Return all that the clients' journals may say at the end, as text; the clients' own values.

    A client's value is noted; the search is made merged and full, which must agree.
    """

    def noting(code: Callable[[Shop], Any]) -> Callable[[Shop], None]:
        return lambda world: world.journal.note(code(world))

    def check(world: Shop) -> None:
        raise Violation(", ".join(str(world.journal[name]) for name in names))

    names = [chr(97 + at) for at in range(len(clients))]
    case = {name: noting(code) for name, code in zip(names, clients, strict=True)}
    merged = explore(world=make, clients=case, check=check, **bounds)
    full = in_full(world=make, clients=case, check=check, **bounds)
    found = {f.violation: f.schedules for f in merged.findings}
    assert found == {f.violation: f.schedules for f in full.findings}
    return set(found)


def counts(make: Callable[[], Shop], clients: Any, check: Any, **bounds: Any) -> tuple[int, int]:
    """Return how many schedules there are and how many are broken, merged and full alike."""
    merged, full = (
        search(world=make, clients=clients, check=check, **bounds) for search in (explore, in_full)
    )
    assert (merged.schedules, merged.broken) == (full.schedules, full.broken)
    return merged.schedules, merged.broken
