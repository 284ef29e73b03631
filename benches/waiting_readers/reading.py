"""How soon each kind of reader sees a post, and what it asks of Redis meanwhile."""

from __future__ import annotations

import json
import os
import random
import subprocess
import sys
import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import redis
from benches.compared.environments import ROOT
from benches.compared.ratios import share

from patterns.notice_boards import NoticeBoard

WAYS = {
    "bare SUBSCRIBE": "subscribe",
    "NoticeBoard.watch": "watch",
    "polling each 10 ms": "0.01",
    "polling each 100 ms": "0.1",
    "polling each 1 s": "1",
}
ASKED = ("hmget", "subscribe", "unsubscribe")  # what readers send, and posters do not


@dataclass(frozen=True)
class Reading:
    """Of one reader: milliseconds from post to seen, requests and processor time a second."""

    p50: float
    p99: float
    requests: float
    cpu: float  # milliseconds a second


def waits(posted: Mapping[int, int], seen: Mapping[int, int]) -> list[float]:
    """Milliseconds from each post until it, or a later one, was seen; shortest first."""
    found = []
    for number, at in posted.items():
        when = [then for other, then in seen.items() if other >= number]
        if when:
            found.append((min(when) - at) / 1e6)
    return sorted(found)


def _asked(client: redis.Redis) -> int:
    stats: dict[str, Any] = client.info("commandstats")
    return sum(stats.get(f"cmdstat_{name}", {}).get("calls", 0) for name in ASKED)


def read(client: redis.Redis, url: str, way: str, posts: int, every: float) -> Reading:
    """Post so often, about `every` seconds; return how one reader fared."""
    board = NoticeBoard(client, "read")
    board.remove()
    board.post("the first")
    chance = random.Random(posts)
    posted: dict[int, int] = {}
    command = [sys.executable, "-m", "benches.waiting_readers.reader"]
    with subprocess.Popen(
        [*command, WAYS[way], url, board.name, str(posts + 1)],
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        stdout=subprocess.PIPE,
        text=True,
    ) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "ready\n"
        asked, began = _asked(client), time.monotonic()
        for number in range(2, posts + 2):
            time.sleep(every * (0.5 + chance.random()))
            posted[number] = time.monotonic_ns()
            board.post(number)
        found = json.loads(process.stdout.readline())
        took = time.monotonic() - began
        asked = _asked(client) - asked
    seen = {int(number): when for number, when in found["seen"].items()}
    late = waits(posted, seen)
    assert len(late) == posts
    return Reading(share(late, 0.5), share(late, 0.99), asked / took, found["cpu"] / took * 1000)
