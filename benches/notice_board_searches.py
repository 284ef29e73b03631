"""The searches of a notice board that are too long for the tests.

    python benches/notice_board_searches.py

Two workers and two whole watchers, with every interleaving, one crash, one lost reply.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field

import redis as redis_py

from patterns.notice_boards import NoticeBoard
from raceproof import Clock, Journal, Violation, explore
from workshop import services


@dataclass
class Hall:
    redis: redis_py.Redis
    clock: Clock = field(default_factory=Clock)
    journal: Journal = field(default_factory=Journal)


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
    print(services.about("redis"))
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
