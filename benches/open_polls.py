"""Thousands of open polls in one class: what each costs, and whether it disturbs anybody else.

    .venv/bin/python benches/open_polls.py [--polls 10000]

Each of many learners keeps as many polls of the board open as one person may. Meanwhile another
learner asks who they are, again and again, before, while the polls are open, and while all of
them are answered at once because the instructor announces something. The server's memory is
looked at before and with the polls.
"""

from __future__ import annotations

import argparse
import json
import resource
import select
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx
import psutil
import redis

from patterns.notice_boards import NoticeBoard
from workshop.classroom.joining import User
from workshop.classroom.rooms import CHANGES, NOW
from workshop.classroom.token_store import ACCESS, Grant, put
from workshop.classroom.waiting import MOST
from workshop.services import processes

SPARE = 300  # files that a process needs besides


@dataclass
class Polls:
    """Many polls of one class, each on a connection of its own: `with Polls(...) as polls`."""

    host: str
    port: int
    store: redis.Redis
    open: list[socket.socket] = field(default_factory=list)

    def bearer(self, name: str) -> str:
        """A token for a learner, put where the class keeps them."""
        grant = Grant("app", User(name, name, "learner"), time.time() + 3600, ACCESS)
        put(self.store, "token", f"token-of-{name}", grant, 3600)
        return f"Bearer token-of-{name}"

    def hold(self, number: int) -> None:
        """Open so many."""
        url, name = f"http://{self.host}:{self.port}/api/v1/board", "nobody"
        said = httpx.get(url, headers={"Authorization": self.bearer(name)}, timeout=60)
        said.raise_for_status()
        for at in range(number):
            if at % MOST == 0:
                bearer = self.bearer(f"learner-{at // MOST}")
            lines = ["GET /api/v1/board?wait=25 HTTP/1.1", "Host: class", "Connection: close"]
            lines += [f"Authorization: {bearer}", f"If-None-Match: {said.headers['etag']}"]
            self.open.append(socket.create_connection((self.host, self.port), timeout=120))
            self.open[-1].sendall("\r\n".join([*lines, "", ""]).encode())

    def answered(self) -> list[str]:
        """What each is answered, in the order in which they were opened."""
        found = []
        for one in self.open:
            text = b"".join(iter(lambda one=one: one.recv(65_536), b""))
            status, _, rest = text.decode().partition("\r\n")
            body = rest.partition("\r\n\r\n")[2]
            found.append(f"{status[9:12]} {json.loads(body)['doing'] if body else ''}".strip())
        return found

    def quiet(self) -> int:
        """How many have no answer yet."""
        poll = select.poll()
        for one in self.open:
            poll.register(one, select.POLLIN)
        return len(self.open) - len(poll.poll(0))

    def __enter__(self) -> Polls:
        return self

    def __exit__(self, *_: Any) -> None:
        for one in self.open:
            one.close()


def room_for(polls: int) -> bool:
    """Whether this process may have so many connections open; it asks for as many as it may."""
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))
    return most == resource.RLIM_INFINITY or most > polls + SPARE


def waits(ask: Callable[[], object], until: Callable[[], bool]) -> str:
    """Ask again and again; how long that took, in words."""
    found = []
    while not until():
        began = time.monotonic()
        ask()
        found.append(time.monotonic() - began)
        time.sleep(0.01)
    found.sort()
    p50, p99 = found[len(found) // 2], found[len(found) * 99 // 100]
    return f"p50 {p50 * 1000:.0f} ms, p99 {p99 * 1000:.0f} ms, of {len(found)}"


def seconds(number: float) -> Callable[[], bool]:
    """Whether so many seconds are over."""
    end = time.monotonic() + number
    return lambda: time.monotonic() > end


def measure(server: psutil.Process, store: redis.Redis, port: int, number: int) -> None:
    """Hold the polls, announce something, and print what that cost."""
    with Polls("127.0.0.1", port, store) as polls, httpx.Client(timeout=60) as client:
        headers, url = {"Authorization": polls.bearer("another")}, f"http://127.0.0.1:{port}"

        def ask() -> None:
            client.get(f"{url}/api/v1/me", headers=headers).raise_for_status()

        print("nobody polls:      another's requests take", waits(ask, seconds(5)))
        before, began = server.memory_info().rss, time.monotonic()
        polls.hold(number)
        print(f"{number} polls opened in {time.monotonic() - began:.1f} s")
        waits(ask, seconds(1))
        print(f"{polls.quiet()} wait:       another's requests take", waits(ask, seconds(3)))
        grown = server.memory_info().rss - before
        print(f"memory: {before / 1e6:.0f} MB, and {grown / number / 1e3:.0f} kB for each poll")
        answers: list[str] = []
        reading = threading.Thread(target=lambda: answers.extend(polls.answered()))
        began = time.monotonic()
        NoticeBoard(store, NOW).post({"doing": "now", "ends_at": None})
        NoticeBoard(store, CHANGES).post(time.time())
        reading.start()
        print("all are answered:  another's requests take", waits(ask, lambda: len(answers) > 0))
        late = time.monotonic() - began
        told, over = answers.count("200 now"), answers.count("304")
        print(f"{told} were told what is announced, in {late:.1f} s; for {over} 25 s were over")


def main() -> None:
    """The command line."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--polls", type=int, default=10_000)
    number = parser.parse_args().polls
    if not room_for(number):
        raise SystemExit(f"this user may not open {number} connections: see ulimit -Hn")
    with tempfile.TemporaryDirectory() as place:
        folder, port = Path(place) / "class", processes.free_port()
        command = [sys.executable, "-m", "workshop.classroom", "--port", str(port)]
        command += ["--folder", str(folder)]
        process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
        try:
            assert process.stdout is not None
            assert [process.stdout.readline() for _ in range(3)][-1]
            socket_of = {"unix_socket_path": str(folder / "redis.sock")}
            store = redis.Redis(**socket_of, decode_responses=True)  # type: ignore[arg-type]
            measure(psutil.Process(process.pid), store, port, number)
        finally:
            process.send_signal(signal.SIGINT)
            process.wait()


if __name__ == "__main__":
    main()
