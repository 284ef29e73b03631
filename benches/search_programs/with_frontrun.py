"""One program, searched by frontrun: run by its own command, in an environment of its own.

    frontrun python -m benches.search_programs.with_frontrun KIND NUMBER ROUNDS REDIS_URL SQL_URL

KIND is thread or process. As its documentation has it: `frontrun.explore` with its defaults (DPOR;
Redis by key, SQL by statement) under its command, each worker with a client of its own; `process`
for what separate processes share in a store, with workers that are kept. Prints a line of JSON for
each round.
"""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Callable
from typing import Any

import redis
import sqlalchemy as sa
from benches.search_programs.programs import (
    BROKEN,
    CUT,
    ERROR,
    HOLDS,
    PROGRAMS,
    REDIS,
    UNDECIDED,
    Program,
)

TOTAL = 20.0  # seconds for one search, after which it is cut short
A_RUN = 10.0  # of one schedule, twice what it comes with: as it says itself where that is too short


def made(store: str, url: str) -> Any:
    """Return a client that has a connection already."""
    if store == REDIS:
        client = redis.Redis.from_url(url, decode_responses=True)
        client.ping()
        return client
    engine = sa.create_engine(url)
    with engine.connect():
        return engine


def close(store: Any) -> None:
    """Let the connections go."""
    store.close() if isinstance(store, redis.Redis) else store.dispose()


def as_threads(program: Program, url: str) -> dict[str, Any]:
    """Each worker's client is made before: of what a worker does itself, all orders are tried."""
    kept = [made(program.store, url) for _ in range(len(program.clients) + 1)]

    def setup() -> list[Any]:
        program.prepare(kept[-1])
        return kept

    def worker(number: int) -> Callable[[list[Any]], None]:
        return lambda stores: program.clients[number](stores[number])

    return {
        "setup": setup,
        "workers": [worker(number) for number in range(len(program.clients))],
        "invariant": lambda stores: program.is_right(stores[-1]),
        "timeout_per_run": A_RUN,
        "warn_nondeterministic_sql": False,  # no client of ours asks for the id of a row
    }


def as_processes(program: Program, url: str) -> dict[str, Any]:
    """A process can be handed an address only, and makes its client itself."""

    def with_client(use: Callable[[Any], Any]) -> Any:
        client = made(program.store, url)
        try:
            return use(client)
        finally:
            close(client)

    def worker(client: Callable[[Any], None]) -> Callable[[str], None]:
        return lambda _: with_client(client)

    def setup() -> str:
        with_client(program.prepare)
        return url

    return {
        "setup": setup,
        "workers": [worker(client) for client in program.clients],
        "invariant": lambda _: with_client(program.is_right),
        "execution": "process",
        "reuse_workers": True,
    }


def search(program: Program, kind: str, url: str) -> dict[str, Any]:
    """Return the verdict and how long it took."""
    import frontrun

    given = (as_threads if kind == "thread" else as_processes)(program, url)
    began = time.perf_counter()
    try:
        found = frontrun.explore(**given, total_timeout=TOTAL)
    except Exception as error:
        verdict, said = ERROR, type(error).__name__
    else:
        verdict = {True: HOLDS, False: BROKEN, None: UNDECIDED}[found.property_holds]
        why = found.failure_kind or found.inconclusive_reason or ""
        said = f"{found.num_explored} interleavings {why}".strip()
        if found.failure_kind == "nondeterministic":
            verdict = UNDECIDED  # as it says itself: it fails closed
    seconds = time.perf_counter() - began
    if verdict == HOLDS and seconds >= TOTAL:
        verdict = CUT  # it says property_holds=True then, too
    return {"verdict": verdict, "seconds": round(seconds, 3), "said": said}


def main() -> None:
    """Search as often as is asked."""
    kind, number, rounds, redis_url, sql_url = sys.argv[1:]
    for _ in range(int(rounds)):
        program = PROGRAMS[int(number)]
        found = search(program, kind, redis_url if program.store == REDIS else sql_url)
        print(json.dumps(found), flush=True)


if __name__ == "__main__":
    main()
