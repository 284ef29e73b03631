"""Real processes and a real server, killed with SIGKILL: what a search cannot see."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import redis

from workshop.services import redis_service

CROWD = Path(__file__).with_name("crowd.py")
KINDS = pytest.mark.parametrize("kind", ["reliable", "stream"])
SERVER = redis_service.binary()
pytestmark = pytest.mark.skipif(SERVER is None, reason="no redis-server on this machine")


class Server:
    """A redis-server that writes down every command, and can be killed and started again."""

    def __init__(self, home: Path) -> None:
        self.home, self.socket = home, home / "s"
        self.url = f"unix://{self.socket}"
        self.start()

    def start(self) -> None:
        options = ["--port", "0", "--unixsocket", str(self.socket), "--dir", str(self.home)]
        durable = ["--appendonly", "yes", "--appendfsync", "always", "--save", ""]
        self.process = subprocess.Popen(
            [str(SERVER), *options, *durable], stdout=subprocess.DEVNULL
        )
        client = redis.Redis.from_url(self.url)
        for _ in range(500):
            try:
                client.ping()
                return
            except redis.ConnectionError:
                time.sleep(0.02)
        raise AssertionError("the server does not start")

    def kill(self) -> None:
        self.process.send_signal(signal.SIGKILL)
        self.process.wait()


@pytest.fixture
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    made = Server(tmp_path_factory.mktemp("aof"))
    yield made
    made.kill()


def crowd(url: str, kind: str, jobs: int, kills: int, home: Path) -> subprocess.Popen[str]:
    command = [sys.executable, str(CROWD), url, str(home / "effects.sqlite"), kind]
    return subprocess.Popen([*command, str(jobs), str(kills)], stdout=subprocess.PIPE, text=True)


def check(outcome: str, jobs: int, kills: int) -> dict[str, Any]:
    said: dict[str, Any] = json.loads(outcome)
    assert said["effects"] == jobs
    assert said["total"] == jobs * (jobs + 1) // 2
    assert said["counts"] == {"waiting": 0, "held": 0, "aside": 0}
    assert said["left"] == {}
    assert said["died"] == kills
    assert said["codes"] == [0, 0, 0, 0]
    return said


@KINDS
def test_20_of_the_workers_are_killed_and_every_effect_happens_once(
    kind: str, tmp_path: Path, server: Server
) -> None:
    process = crowd(server.url, kind, jobs=300, kills=20, home=tmp_path)
    out, _ = process.communicate(timeout=90)
    said = check(out.splitlines()[-1], 300, 20)
    assert said["by"] > 4  # workers that took the places of dead ones have worked, too


@KINDS
def test_the_server_is_killed_twice_in_mid_run_and_every_effect_happens_once(
    kind: str, tmp_path: Path, server: Server
) -> None:
    process = crowd(server.url, kind, jobs=150, kills=4, home=tmp_path)
    assert process.stdout is not None
    assert process.stdout.readline() == "started\n"
    for _ in range(2):
        time.sleep(0.15)
        server.kill()
        assert process.poll() is None, "the run was over before the server was killed"
        time.sleep(0.1)
        server.start()
    out, _ = process.communicate(timeout=90)
    check(out.splitlines()[-1], 150, 4)
