"""A process of many HTTP clients that wait for one board; standard library only.

    python -m benches.waiting_readers.browsers PORT

For each line `PATH COUNT` it opens so many connections, asks for the path on each, and prints a
line of JSON when all are answered: when each had its whole answer, and the different bodies.
"""

from __future__ import annotations

import asyncio
import json
import sys
import time


class Browser(asyncio.Protocol):
    """One client: a request, and when the whole answer was there."""

    def __init__(self, path: str) -> None:
        self.request = f"GET {path} HTTP/1.1\r\nHost: x\r\n\r\n".encode()
        self.got = b""
        self.answered: asyncio.Future[int] = asyncio.get_running_loop().create_future()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Ask."""
        assert isinstance(transport, asyncio.Transport)
        self.transport = transport
        transport.write(self.request)

    def data_received(self, data: bytes) -> None:
        """Note when the body is complete."""
        self.got += data
        if not self.answered.done() and is_whole(self.got):
            self.answered.set_result(time.monotonic_ns())

    def connection_lost(self, exc: Exception | None) -> None:
        """An answer that breaks off is none."""
        if not self.answered.done():
            self.answered.set_exception(ConnectionError("closed before it was answered"))


def is_whole(answer: bytes) -> bool:
    """Whether head and body are there, by Content-Length."""
    head, gap, body = answer.partition(b"\r\n\r\n")
    lengths = [
        int(line.split(b":")[1])
        for line in head.split(b"\r\n")
        if line.lower().startswith(b"content-length:")
    ]
    return bool(gap) and len(body) >= sum(lengths)


async def wait_for(port: int, path: str, count: int) -> dict[str, object]:
    """Let so many wait; return when each was answered, and what was said."""
    loop = asyncio.get_running_loop()
    browsers = []
    for _ in range(count):
        _, browser = await loop.create_connection(lambda: Browser(path), "127.0.0.1", port)
        browsers.append(browser)
    when = await asyncio.gather(*(browser.answered for browser in browsers))
    for browser in browsers:
        browser.transport.close()
    said = {browser.got.partition(b"\r\n\r\n")[2].decode() for browser in browsers}
    return {"answered": when, "said": sorted(said)}


def main() -> None:
    """Answer each line of standard input with one."""
    for line in sys.stdin:
        path, count = line.split()
        found = asyncio.run(wait_for(int(sys.argv[1]), path, int(count)))
        print(json.dumps(found), flush=True)


if __name__ == "__main__":
    main()
