"""How fast the search is: calls and schedules a second on each backend, and what merging saves.

    python benches/explore.py

Ratios are of one run on one machine; only those can be compared.
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from raceproof import Report, draw, explore
from workshop import services


@dataclass
class World:
    store: Any


def on_redis() -> World:
    return World(services.redis("bench", fresh=True))


def on_couch() -> World:
    return World(services.couch("bench", fresh=True))


def increments(key: str, count: int) -> Callable[[World], None]:
    def run(world: World) -> None:
        for _ in range(count):
            world.store.incr(key)

    return run


def documents(key: str, count: int) -> Callable[[World], None]:
    def run(world: World) -> None:
        for number in range(count):
            world.store[f"{key}{number}"] = {"n": number}

    return run


def measure(
    world: Callable[[], World], work: Callable[..., Any], counts: tuple[int, ...], merge: bool
) -> tuple[Report, float]:
    """Search independent clients; return the report and the seconds it took."""
    clients = {f"client{i}": work(f"key{i}", count) for i, count in enumerate(counts)}
    began = time.perf_counter()
    report = explore(world=world, clients=clients, check=lambda world: None, merge=merge)
    return report, time.perf_counter() - began


def row(name: str, counts: tuple[int, ...], merge: bool, found: tuple[Report, float]) -> list[str]:
    report, seconds = found
    return [
        name,
        " + ".join(map(str, counts)),
        "merged" if merge else "full",
        f"{report.schedules:,}",
        f"{report.calls:,}",
        f"{seconds:.2f} s",
        f"{report.schedules / seconds:,.0f}/s",
    ]


def main() -> None:
    rows = []
    for name, world, work in [
        ("redis-server", on_redis, increments),
        ("fakeredis", on_redis, increments),
        ("PouchDB", on_couch, documents),
    ]:
        if name == "fakeredis":
            os.environ["PATTERNS_REDIS"] = "fake"
        else:
            os.environ.pop("PATTERNS_REDIS", None)
        for counts, merge in [((4, 4), False), ((4, 4), True), ((4, 4, 4), True)]:
            rows.append(row(name, counts, merge, measure(world, work, counts, merge)))
    columns = [
        "store",
        "calls of each client",
        "search",
        "schedules",
        "calls made",
        "time",
        "speed",
    ]
    print(draw.table(columns, rows, caption="The search, by store"))
    full, _ = measure(on_redis, increments, (4, 4), False)
    merged, _ = measure(on_redis, increments, (4, 4), True)
    print(f"\nmerging makes {full.calls / merged.calls:.0f} times fewer calls for 4 + 4 steps")


if __name__ == "__main__":
    main()
