"""A thousand learners in one class: from a tick to the instructor's board, with kills in between.

    python benches/classroom.py [--learners 1000] [--ticks 10] [--seconds 600]

Each learner joins by the device flow, keeps a poll of the board open and reports solves at random
times, each under a key of its own and again until it is acknowledged. The instructor's board is
a stream. At a third of the time the server is killed with what it has started, and started again
on its folder; at two thirds Redis alone is. In the end CouchDB must have every acknowledged solve
once, with the time that the learner was told. Ticks are timed from before they are first sent
until the board shows them. What is found is written to benches/results/classroom.*.
"""

from __future__ import annotations

import argparse
import asyncio
import os
import resource
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))

import aiohttp
import psutil
import redis
from benches.compared import pages
from benches.held_class import results
from benches.held_class.crowd import Crowd, instructors_token
from benches.held_class.measured import Measured

from workshop.services import processes
from workshop.services.lasting_servers import LastingServers


def start(folder: Path, port: int) -> tuple[subprocess.Popen[str], list[str]]:
    """Start the class on the folder; the process and the lines that it prints."""
    command = [sys.executable, "-m", "workshop.classroom", "--port", str(port)]
    command += ["--folder", str(folder)]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    return process, [process.stdout.readline().strip() for _ in range(3)]


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
    how = parser.parse_args()
    most = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))
    on = pages.machine()
    with tempfile.TemporaryDirectory() as folder:
        measured = run(Path(folder) / "class", how.learners, how.ticks, how.seconds)
    found = {"machine": on, "how": vars(how), **results.summary(measured)}
    print(results.table(found))
    print(f"{found['acknowledged']} acknowledged, {found['wrong']} wrong, {found['again']} again")
    print(f"until the kill: {found['connections']} connections to Redis, ", end="")
    print(f"{measured.memory:.0f} MB, {measured.cpu:.0f} s of CPU")
    for line, times in sorted(measured.replies.items()):
        print(f"{times:7}  {line}")
    for line in measured.wrong()[:10]:
        print("wrong:", line)
    results.write(found)
    sys.exit(bool(found["wrong"]))


if __name__ == "__main__":
    main()
