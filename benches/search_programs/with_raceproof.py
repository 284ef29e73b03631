"""One program, searched by `raceproof.explore`: every schedule of its calls, on the real store.

    python -m benches.search_programs.with_raceproof NUMBER ROUNDS REDIS_URL SQL_URL

prints a line of JSON for each round.
"""

from __future__ import annotations

import json
import sys
import time
from dataclasses import dataclass
from typing import Any

import redis
import sqlalchemy as sa
from benches.search_programs.programs import BROKEN, HOLDS, PROGRAMS, REDIS, UNDECIDED, Program

from raceproof import Violation, explore


@dataclass
class World:
    """What explore takes a world to be."""

    store: Any


def search(program: Program, store: Any) -> dict[str, Any]:
    """Return the verdict and how long it took."""

    def fresh() -> World:
        program.prepare(store)
        return World(store)

    def check(world: World) -> None:
        if not program.is_right(world.store):
            raise Violation("it is wrong at the end")

    def client(number: int) -> Any:
        return lambda world: program.clients[number](world.store)

    clients = {f"client{number}": client(number) for number in range(len(program.clients))}
    began = time.perf_counter()
    report = explore(world=fresh, clients=clients, check=check, crashes=program.crashes)
    took = time.perf_counter() - began
    verdict = {"holds": HOLDS, "broken": BROKEN}.get(report.verdict, UNDECIDED)
    return {"verdict": verdict, "seconds": round(took, 3), "said": report.sentence}


def main() -> None:
    """Search as often as is asked."""
    number, rounds, redis_url, sql_url = sys.argv[1:]
    program = PROGRAMS[int(number)]
    store: Any = sa.create_engine(sql_url)
    if program.store == REDIS:
        store = redis.Redis.from_url(redis_url, decode_responses=True)
    for _ in range(int(rounds)):
        print(json.dumps(search(program, store)), flush=True)


if __name__ == "__main__":
    main()
