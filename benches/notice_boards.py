"""What a notice board costs, over HTTP too, and the searches that are too long for the tests.

    make bench

One post wakes 1 to 1,000 HTTP clients of one page server; server and clients share this process.
Then two workers and two whole watchers, with every interleaving, one crash, one lost reply.
"""

from __future__ import annotations

import asyncio
import statistics
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field

import redis as redis_py

from patterns.notice_boards import NoticeBoard
from raceproof import Clock, Journal, Violation, draw, explore
from workshop import services
from workshop.page_server import PageServer

SIZES = (1, 10, 100, 1000)
POSTS = 500


@dataclass
class Hall:
    redis: redis_py.Redis
    clock: Clock = field(default_factory=Clock)
    journal: Journal = field(default_factory=Journal)


def milliseconds(call: Callable[[], object], rounds: int = POSTS) -> float:
    """The median time of a call."""
    took = []
    for _ in range(rounds):
        began = time.perf_counter()
        call()
        took.append((time.perf_counter() - began) * 1000)
    return statistics.median(took)


async def wake(server: PageServer, board: NoticeBoard, size: int) -> list[float]:
    """Milliseconds from a post to each of so many HTTP clients."""
    version = board.post("before")
    request = f"GET /boards/{board.name}?after={version} HTTP/1.1\r\nHost: x\r\n"
    began = 0.0

    async def client() -> float:
        reader, writer = await asyncio.open_connection(server.host, server.port)
        writer.write(f"{request}Connection: close\r\n\r\n".encode())
        await reader.read()
        writer.close()
        return (time.perf_counter() - began) * 1000

    waiting = [asyncio.create_task(client()) for _ in range(size)]
    while server.waiting() < size:
        await asyncio.sleep(0.01)
    began = time.perf_counter()
    await asyncio.to_thread(board.post, "now")
    return sorted(await asyncio.gather(*waiting))


def worker(value: int) -> Callable[[Hall], None]:
    """Posts, and again with the same key if the connection breaks."""

    def client(hall: Hall) -> None:
        for _ in range(2):
            with suppress(redis_py.ConnectionError):
                NoticeBoard(hall.redis, "task", poll=2).post(value, key=f"value-{value}")
                return

    return client


def watcher(hall: Hall) -> None:
    """Follows the board to the second post, or until nothing more comes."""
    after = None
    for _ in range(6):
        with suppress(redis_py.ConnectionError):
            notice = NoticeBoard(hall.redis, "task", poll=2).watch(after, timeout=4)
            if notice:
                after = notice.version
                hall.journal.note([notice.number, notice.value])
            if notice is None or notice.number == 2:
                hall.journal.note("leaves")
                return


def ends_right(hall: Hall) -> None:
    """Who watched to the end saw the last value last, and the numbers in order."""
    last = NoticeBoard(hall.redis, "task").read()
    for name in ("early", "late"):
        *seen, leaves = hall.journal[name] or [None]
        if leaves == "leaves" and last and seen[-1:] != [[last.number, last.value]]:
            raise Violation(f"the board says {last.value}; {name} saw {seen}")
        if leaves == "leaves" and seen != sorted(seen):
            raise Violation(f"{name} went back: {seen}")


def main() -> None:
    redis = services.redis("bench", fresh=True)
    board = NoticeBoard(redis, "task")
    print(services.about("redis"))
    calls = {"post": lambda: board.post(1), "read": board.read, "watch, newer": board.watch}
    print(
        draw.table(("call", "ms"), [(name, f"{milliseconds(c):.2f}") for name, c in calls.items()])
    )

    rows = []
    with PageServer(lambda: services.redis_async("bench")) as server:
        for size in SIZES:
            times = asyncio.run(wake(server, board, size))
            p50, p99 = times[size // 2], times[int(size * 0.99)]
            rows.append((f"{size:,}", f"{p50:.0f}", f"{p99:.0f}"))
    print(draw.table(("HTTP clients", "p50 (ms)", "p99 (ms)"), rows))

    clients = {"ann": worker(50), "bob": worker(100), "early": watcher, "late": watcher}
    for bounds in ({}, {"crashes": 1}, {"lost_replies": 1}):
        began = time.perf_counter()
        report = explore(
            world=lambda: Hall(services.redis("bench", fresh=True)),
            clients=clients,
            check=ends_right,
            timeouts=0,
            states=1_000_000,
            seconds=300,
            **bounds,
        )
        print(f"{report.sentence} ({report.states:,} states, {time.perf_counter() - began:.0f} s)")


if __name__ == "__main__":
    main()
