"""Worlds in which a library has already written: what it wrote is put back for each schedule."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import redis
from tests.raceproof.toys import empty
from tests.raceproof.wire.redis.worlds import Shop, like

from raceproof import Clock, Journal, Report, Violation, explore


@dataclass
class Timeless:
    """A world without a clock: a library that often asks for the time makes no steps of it."""

    redis: Any
    journal: Journal = field(default_factory=Journal)


def filled(
    client: redis.Redis,
    fill: Callable[[redis.Redis], object] = lambda raw: None,
    ticks: tuple[float, ...] | None = None,
) -> Callable[[], Any]:
    """Return a maker of worlds with what `fill` writes, once and for real, on a client of bytes."""
    raw = like(client, decode_responses=False)
    fill(empty(raw))
    kept = {key: raw.dump(key) for key in raw.keys("*")}

    def world() -> Any:
        empty(raw)
        for key, value in kept.items():
            raw.restore(key, 0, value)
        return Timeless(raw) if ticks is None else Shop(raw, Clock(1000, ticks=ticks))

    return world


def endings(
    make: Callable[[], Any], clients: Any, tell: Callable[[Any], object], **bounds: Any
) -> tuple[set[str], Report]:
    """Return all that a world can say of itself at the end of a schedule, and the report."""

    def check(world: Any) -> None:
        raise Violation(str(tell(world)))

    report = explore(world=make, clients=clients, check=check, calls=400, **bounds)
    assert report.complete, report.sentence
    return {found.violation for found in report.findings}, report
