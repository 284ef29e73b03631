"""A hit by each way, and all of them in SQL or in Redis at the end: every total is compared.

One writer, in one process. Of the counters, a flush each second and one at the end is counted too.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from functools import partial
from typing import Any

import redis
import sqlalchemy as sa
from benches.compared.costs import Cost, of_server
from benches.compared.databases import POSTGRESQL, SQLITE

from patterns.counters import HOUR, CounterBuffer, StreamCounter
from patterns.counters.sql_sums import add, create_tables, read_sums

ZONES = 50
AT_ONCE = 100  # hits in one pipeline
DIRECT = f"a transaction a hit, {SQLITE}"
BARE, PIPED = "bare HINCRBY", f"bare HINCRBY, {AT_ONCE} in a pipeline"
BUFFER, BUFFER_PIPED = "CounterBuffer.hit", f"CounterBuffer.hit, {AT_ONCE} in a pipeline"
STREAM, STREAM_PIPED = "StreamCounter.hit", f"StreamCounter.hit, {AT_ONCE} in a pipeline"
BESIDE = {BUFFER: BARE, STREAM: BARE, BUFFER_PIPED: PIPED, STREAM_PIPED: PIPED}
Hit = Callable[[int], int]


def sustained(
    seconds: float, hit: Hit, flush: Callable[[], object], used: Callable[[], float]
) -> tuple[int, Cost]:
    """Hit for a while, flush each second and at the end; return the hits and what they took."""
    hits, server, here, began = 0, used(), time.process_time(), time.perf_counter()
    flushed = began
    while (now := time.perf_counter()) < began + seconds:
        hits += hit(hits)
        if now - flushed > 1:
            flush()
            flushed = now
    flush()
    took, here = time.perf_counter() - began, time.process_time() - here
    server = used() - server
    return hits, Cost(here / hits * 1e6, server / hits * 1e6, hits / took)


def direct(seconds: float, sql: sa.Engine) -> Cost:
    """A transaction for each hit."""
    create_tables(sql)

    def hit(number: int) -> int:
        with sql.begin() as tx:
            add(tx, "direct", HOUR, {(0, f"zone {number % ZONES}"): 1})
        return 1

    before = sum(read_sums(sql, "direct", HOUR).values())
    hits, found = sustained(seconds, hit, lambda: None, lambda: 0.0)
    assert sum(read_sums(sql, "direct", HOUR).values()) - before == hits
    return found


def bare(seconds: float, client: redis.Redis, at_once: int) -> Cost:
    """HINCRBY, and nothing else; Redis has the sums."""
    client.delete("bare")

    def one(number: int) -> int:
        client.hincrby("bare", f"0:zone {number % ZONES}", 1)
        return 1

    def many(number: int) -> int:
        with client.pipeline(transaction=False) as pipe:
            for more in range(AT_ONCE):
                pipe.hincrby("bare", f"0:zone {(number + more) % ZONES}", 1)
            pipe.execute()
        return AT_ONCE

    hit = one if at_once == 1 else many
    hits, found = sustained(seconds, hit, lambda: None, partial(of_server, client))
    assert sum(map(int, client.hvals("bare"))) == hits
    return found


def buffered(
    seconds: float, client: redis.Redis, sql: sa.Engine, kind: type[Any], at_once: int
) -> Cost:
    """Hits by a counter of ours: SQL has all of them at the end."""
    counter = kind(client, sql, f"{kind.__name__} {at_once}", HOUR).install()

    def one(number: int) -> int:
        counter.hit(f"zone {number % ZONES}", at=0)
        return 1

    def many(number: int) -> int:
        with client.pipeline(transaction=False) as pipe:
            piped = kind(pipe, sql, counter.name, HOUR)
            for more in range(AT_ONCE):
                piped.hit(f"zone {(number + more) % ZONES}", at=0)
            pipe.execute()
        return AT_ONCE

    before = sum(counter.counts().values())
    hit = one if at_once == 1 else many
    hits, found = sustained(seconds, hit, counter.flush, partial(of_server, client))
    assert sum(counter.counts().values()) - before == hits
    if isinstance(counter, StreamCounter):
        counter.trim()
    return found


def trials(
    seconds: float, client: redis.Redis, sql: dict[str, sa.Engine]
) -> dict[str, Callable[[], Cost]]:
    """Return what measures each way once."""
    first = sql[SQLITE]
    return {
        DIRECT: partial(direct, seconds, first),
        f"a transaction a hit, {POSTGRESQL}": partial(direct, seconds, sql[POSTGRESQL]),
        BARE: partial(bare, seconds, client, 1),
        BUFFER: partial(buffered, seconds, client, first, CounterBuffer, 1),
        STREAM: partial(buffered, seconds, client, first, StreamCounter, 1),
        PIPED: partial(bare, seconds, client, AT_ONCE),
        BUFFER_PIPED: partial(buffered, seconds, client, first, CounterBuffer, AT_ONCE),
        STREAM_PIPED: partial(buffered, seconds, client, first, StreamCounter, AT_ONCE),
    }
