"""The first search of notebook 00, to see whether it runs here, and how fast."""

from __future__ import annotations

import time
from dataclasses import dataclass

from redis import Redis

from raceproof import Violation, explore
from workshop import services


@dataclass
class CountedPage:
    """What the visitors share."""

    redis: Redis


def fresh_page() -> CountedPage:
    """A page that nobody has seen."""
    return CountedPage(services.redis("check", fresh=True))


def visit(page: CountedPage) -> None:
    """Count one visit: read, add one, write."""
    page.redis.set("hits", int(page.redis.get("hits") or 0) + 1)


def both_are_counted(page: CountedPage) -> None:
    """Raise unless two visits are counted."""
    if page.redis.get("hits") != "2":
        raise Violation("not both are counted")


def twice() -> tuple[str, float, float]:
    """Return what the search says, and its seconds: with the start of the service, and without."""
    clients, at = {"ann": visit, "bob": visit}, [time.perf_counter()]
    for _ in range(2):
        report = explore(world=fresh_page, clients=clients, check=both_are_counted)
        at.append(time.perf_counter())
    return str(report).splitlines()[0], at[1] - at[0], at[2] - at[1]
