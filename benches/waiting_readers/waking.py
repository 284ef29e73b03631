"""How soon each of many browsers that wait for one board is answered after a post.

Three processes, as in life: the page's server, the browsers, and who posts, which is this one. In
one process they would share one Python, and the browsers' work would be counted as the server's.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from importlib.metadata import version
from typing import Any

import redis
from benches.compared.environments import ROOT, make_environment, python_in
from benches.compared.ratios import share

from patterns.notice_boards import NoticeBoard

PEER = "httptools"
SERVERS = ("h11", "httptools")  # what uvicorn parses HTTP with: as it comes, and if that is there


@dataclass(frozen=True)
class Waking:
    """Of one post: milliseconds until the browsers had it, and the server's processor time."""

    first: float
    p50: float
    p99: float
    cpu: float  # milliseconds


class Process:
    """A process that answers each line with one."""

    def __init__(self, *command: str) -> None:
        path = os.pathsep.join([str(ROOT), str(ROOT / "src")])
        self._process = subprocess.Popen(
            command,
            env={**os.environ, "PYTHONPATH": path},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )

    def tell(self, line: str = "") -> None:
        """Send a line."""
        assert self._process.stdin is not None
        self._process.stdin.write(line + "\n")
        self._process.stdin.flush()

    def hear(self) -> Any:
        """Read a line of JSON."""
        assert self._process.stdout is not None
        return json.loads(self._process.stdout.readline())

    def end(self) -> None:
        """Let it go."""
        self._process.kill()
        self._process.communicate()


@contextmanager
def hall(url: str, http: str) -> Iterator[tuple[Process, Process]]:
    """A server and its browsers."""
    if http == PEER:
        ours = [f"{package}=={version(package)}" for package in ("uvicorn", "starlette", "redis")]
        make_environment(PEER, [*ours, "httptools==0.9.0"])
    python = python_in(PEER) if http == PEER else sys.executable
    server = Process(python, "-m", "benches.waiting_readers.page", url, http)
    try:
        port = str(server.hear())
        browsers = Process(sys.executable, "-m", "benches.waiting_readers.browsers", port)
        try:
            yield server, browsers
        finally:
            browsers.end()
    finally:
        server.end()


def wake(client: redis.Redis, server: Process, browsers: Process, size: int) -> Waking:
    """Let so many wait, post once, and return how soon they were answered."""
    board = NoticeBoard(client, "wake")
    browsers.tell(f"/boards/{board.name}?after={board.post('before')} {size}")
    while True:
        server.tell()
        if (told := server.hear())["waiting"] == size:
            break
        time.sleep(0.02)
    time.sleep(0.1)  # the browsers have nothing to do any more
    posted = time.monotonic_ns()
    posted_version = board.post("now")
    found = browsers.hear()
    assert [json.loads(text)["version"] for text in found["said"]] == [posted_version]
    server.tell()
    cpu = (server.hear()["cpu"] - told["cpu"]) * 1000
    times = sorted((when - posted) / 1e6 for when in found["answered"])
    return Waking(times[0], share(times, 0.5), share(times, 0.99), cpu)
