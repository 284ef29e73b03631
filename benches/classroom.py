"""A thousand learners in one class: from a tick to the instructor's board, with kills in between.

    .venv/bin/python benches/classroom.py [--learners 1000] [--ticks 10] [--seconds 600]

Each learner joins by the device flow, keeps a poll of the board open and reports solves at random
times, each under a key of its own and again until it is acknowledged. The instructor's board is
a stream. At a third of the time the server is killed with what it has started, and started again
on its folder; at two thirds Redis alone is. In the end CouchDB must have every acknowledged solve
once, with the time that the learner was told. Ticks are timed from before they are sent until the
board shows them, before the first kill, between the kills and after the last; those that had to
be sent again, or fell into a kill, are counted apart. The learners share the cores with the class.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import random
import resource
import secrets
import signal
import subprocess
import sys
import tempfile
import time
from collections import Counter
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import aiohttp
import psutil
import redis

from workshop.exercises.catalogue import NAMES as EXERCISES
from workshop.services import processes
from workshop.services.lasting_servers import LastingServers

DEVICE = "urn:ietf:params:oauth:grant-type:device_code"
GONE = (aiohttp.ClientError, OSError, asyncio.TimeoutError)
AFTER_KILL = 5.0  # seconds after a kill in which ticks are counted apart
WHEN = ("before the first kill", "between the kills", "after the last kill", "in a kill, or again")


@dataclass
class Measured:
    """What a class of learners did and saw."""

    sent: dict[tuple[str, str], float] = field(default_factory=dict)
    shown: dict[tuple[str, str], float] = field(default_factory=dict)
    told: dict[tuple[str, str], float] = field(default_factory=dict)
    again: set[tuple[str, str]] = field(default_factory=set)
    kills: list[float] = field(default_factory=list)
    replies: Counter[str] = field(default_factory=Counter)
    stored: dict[tuple[str, str], list[float]] = field(default_factory=dict)
    connections: int = 0
    memory: float = 0.0
    cpu: float = 0.0

    def waits(self) -> dict[str, list[float]]:
        """Seconds from tick to board by the time of the tick, sorted; those near a kill apart."""
        found: dict[str, list[float]] = {}
        for tick, at in self.sent.items():
            if tick in self.shown:
                found.setdefault(self.time_of(tick, at), []).append(self.shown[tick] - at)
        return {when: sorted(found[when]) for when in WHEN if when in found}

    def time_of(self, tick: tuple[str, str], at: float) -> str:
        """Which of WHEN the tick is of."""
        if tick in self.again or any(-1.0 <= at - kill <= AFTER_KILL for kill in self.kills):
            return WHEN[-1]
        first, *_, last = self.kills
        return WHEN[0 if at < first else 1 if at < last else 2]

    def wrong(self) -> list[str]:
        """What is not as it must be: [] if every acknowledged solve is stored once."""
        found = [f"{t}: told {a}, stored {self.stored.get(t)}" for t, a in self.told.items()
                 if self.stored.get(t) != [a]]  # fmt: skip
        return found + [f"{tick}: never shown" for tick in self.told if tick not in self.shown]


def start(folder: Path, port: int) -> tuple[subprocess.Popen[str], list[str]]:
    """Start the class on the folder; the process and the lines that it prints."""
    command = [sys.executable, "-m", "workshop.classroom", "--port", str(port)]
    command += ["--folder", str(folder)]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    return process, [process.stdout.readline().strip() for _ in range(3)]


class Crowd:
    """The learners and the instructor of one class, on one event loop."""

    def __init__(self, url: str, session: aiohttp.ClientSession, measured: Measured) -> None:
        self.url, self.session, self.measured = url, session, measured

    async def asked(self, method: str, path: str, **more: Any) -> tuple[int, Any]:
        """One request, again until there is an answer that is no 5xx; its status and JSON."""
        while True:
            with suppress(*GONE):
                async with self.session.request(method, self.url + path, **more) as said:
                    self.measured.replies[f"{method} {path.partition('?')[0]} {said.status}"] += 1
                    if said.status < 500 and said.status != 429:
                        text = await said.text()
                        return said.status, json.loads(text) if text.startswith(
                            ("{", "[")
                        ) else None
            await asyncio.sleep(random.uniform(0.3, 0.8))

    async def join(self, code: str, name: str) -> dict[str, str]:
        """Join by the device flow; the header with the token."""
        asked = {"client_id": "notebook", "scope": "learner"}
        _, codes = await self.asked("POST", "/oauth/device", data=asked)
        form = {"user_code": codes["user_code"], "join_code": code, "name": name}
        form["key"] = f"the secret of {name}"  # asked again, it is the same learner
        await self.asked("POST", "/device", data=form, headers={"Accept": "application/json"})
        wanted = {"grant_type": DEVICE, "device_code": codes["device_code"]}
        wanted["client_id"] = "notebook"
        _, token = await self.asked("POST", "/oauth/token", data=wanted)
        return {"Authorization": f"Bearer {token['access_token']}"}

    async def solve(self, bearer: dict[str, str], name: str, ticks: int, seconds: float) -> None:
        """Report a solve now and then, each until it is acknowledged."""
        moments = sorted(random.uniform(0, seconds) for _ in range(ticks))
        began = time.monotonic()
        for exercise, moment in zip(EXERCISES, moments, strict=False):
            await asyncio.sleep(max(0.0, began + moment - time.monotonic()))
            tick, headers = (name, exercise), {**bearer, "Idempotency-Key": secrets.token_hex(8)}
            self.measured.sent[tick] = time.monotonic()
            body = {"exercise": exercise, "passed": True}
            url = f"{self.url}/api/v1/attempts"
            while tick not in self.measured.told:
                with suppress(*GONE):
                    async with self.session.post(url, json=body, headers=headers) as said:
                        self.measured.replies[f"POST attempts {said.status}"] += 1
                        if said.status == 201:
                            told = await said.json()
                            self.measured.told[tick] = told["first_solved_at"]
                            break
                self.measured.again.add(tick)
                await asyncio.sleep(random.uniform(0.3, 0.8))

    async def poll(self, bearer: dict[str, str]) -> None:
        """Keep a poll of the board open, for ever."""
        tag = ""
        while True:
            with suppress(*GONE):
                headers = {**bearer, "If-None-Match": tag}
                url = f"{self.url}/api/v1/board?wait=25"
                async with self.session.get(url, headers=headers) as said:
                    self.measured.replies[f"GET board {said.status}"] += 1
                    tag = said.headers.get("ETag", tag)
                    await said.read()
                    if said.status < 400:
                        continue
            await asyncio.sleep(random.uniform(0.3, 0.8))

    async def watch(self, bearer: dict[str, str]) -> None:
        """Follow the instructor's stream, for ever, and note when each solve is shown."""
        while True:
            with suppress(*GONE):
                url = f"{self.url}/api/v1/events"
                async with self.session.get(url, headers=bearer) as stream:
                    async for line in stream.content:
                        if line.startswith(b"data: {") and b'"learners"' in line:
                            self.note(json.loads(line[6:]))
            await asyncio.sleep(0.1)

    def note(self, board: dict[str, Any]) -> None:
        """Note which solves are on the board for the first time."""
        now, shown = time.monotonic(), self.measured.shown
        for row in board["learners"]:
            for exercise in row["solved"]:
                shown.setdefault((row["name"], exercise), now)


async def attend(folder: Path, learners: int, ticks: int, seconds: float) -> Measured:
    """Hold the class: everybody joins, solves and watches, and there are two kills."""
    measured, port = Measured(), processes.free_port()
    process, lines = await asyncio.to_thread(start, folder, port)
    url, code = lines[0].removeprefix("The class: "), lines[1].removeprefix("Join code: ")
    secret = lines[2].partition("#secret=")[2]
    timeout = aiohttp.ClientTimeout(total=60, sock_connect=10)
    connector = aiohttp.TCPConnector(limit=0)
    async with aiohttp.ClientSession(
        timeout=timeout, connector=connector, read_bufsize=2**24
    ) as session:
        crowd = Crowd(url, session, measured)
        bearers, at_once = {}, asyncio.Semaphore(20)

        async def join(name: str) -> None:
            async with at_once:
                bearers[name] = await crowd.join(code, name)

        began = time.monotonic()
        await asyncio.gather(*(join(f"learner {at}") for at in range(learners)))
        print(f"{learners} learners joined in {time.monotonic() - began:.0f} s", flush=True)
        instructor = await asyncio.to_thread(instructors_token, url, secret)
        waiting = [asyncio.create_task(crowd.watch(instructor))]
        waiting += [asyncio.create_task(crowd.poll(bearer)) for bearer in bearers.values()]
        await asyncio.sleep(min(5.0, seconds / 10))
        solving = asyncio.gather(
            *(crowd.solve(bearer, name, ticks, seconds) for name, bearer in bearers.items())
        )
        await asyncio.sleep(seconds / 3)
        server = psutil.Process(process.pid)
        measured.memory = server.memory_info().rss / 1e6
        measured.cpu = sum(server.cpu_times()[:2])
        client = redis.Redis(unix_socket_path=str(folder / "redis.sock"))
        measured.connections = len(client.client_list())
        measured.kills.append(time.monotonic())
        process.kill()
        process, again = await asyncio.to_thread(start, folder, port)
        assert again == lines
        measured.kills.append(time.monotonic())
        await asyncio.sleep(seconds / 3)
        measured.kills.append(time.monotonic())
        os.kill(int(client.info("server")["process_id"]), signal.SIGKILL)
        await solving
        deadline = time.monotonic() + 60
        while measured.told.keys() - measured.shown.keys() and time.monotonic() < deadline:
            await asyncio.sleep(0.1)
        for task in waiting:
            task.cancel()
        await asyncio.gather(*waiting, return_exceptions=True)
    process.send_signal(signal.SIGINT)
    await asyncio.to_thread(process.wait)
    return measured


def instructors_token(url: str, secret: str) -> dict[str, str]:
    """Let the instructor in by the device flow."""
    import httpx

    asked = {"client_id": "terminal", "scope": "instructor helper"}
    codes = httpx.post(f"{url}/oauth/device", data=asked, timeout=60).json()
    form = {"user_code": codes["user_code"], "secret": secret}
    httpx.post(f"{url}/device", data=form, timeout=60).raise_for_status()
    wanted = {"grant_type": DEVICE, "device_code": codes["device_code"], "client_id": "terminal"}
    token = httpx.post(f"{url}/oauth/token", data=wanted, timeout=60).json()
    return {"Authorization": f"Bearer {token['access_token']}"}


def run(folder: Path, learners: int, ticks: int, seconds: float) -> Measured:
    """Hold the class, and look at what is stored."""
    try:
        measured = asyncio.run(attend(folder, learners, ticks, seconds))
    finally:  # ended by an error, it leaves no server behind
        for child in psutil.Process().children():
            if str(folder) in child.cmdline():
                child.kill()
    servers = LastingServers(folder)
    (name,) = [name for name in servers._couch() if name.startswith("class-")]
    rows = servers.couch(name).view("_all_docs", include_docs=True)
    docs = [row.doc for row in rows]
    names = {doc["_id"].partition(":")[2]: doc["name"] for doc in docs if "name" in doc}
    for doc in docs:
        if "exercise" in doc:
            tick = names[doc["learner"]], doc["exercise"]
            measured.stored.setdefault(tick, []).append(doc["at"])
    servers.stop()
    return measured


def main() -> None:
    """The command line."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--learners", type=int, default=1000)
    parser.add_argument("--ticks", type=int, default=10)
    parser.add_argument("--seconds", type=float, default=600)
    given = parser.parse_args()
    most = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))
    with tempfile.TemporaryDirectory() as folder:
        found = run(Path(folder) / "class", given.learners, given.ticks, given.seconds)
    for when, waits in found.waits().items():
        p50, p99 = waits[len(waits) // 2], waits[len(waits) * 99 // 100]
        print(f"{len(waits):6} ticks {when}: p50 {p50 * 1000:.0f} ms, p99 {p99 * 1000:.0f} ms")
    print(f"{len(found.told)} acknowledged, {len(found.wrong())} wrong")
    print(f"until the kill: {found.connections} connections to Redis, ", end="")
    print(f"{found.memory:.0f} MB, {found.cpu:.0f} s of CPU")
    for line, times in sorted(found.replies.items()):
        print(f"{times:7}  {line}")
    for line in found.wrong()[:10]:
        print("wrong:", line)
    sys.exit(bool(found.wrong()))


if __name__ == "__main__":
    main()
