"""Waiting on behalf of a client: how long, how many at once, whether it is still there."""

from __future__ import annotations

import asyncio
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager

from starlette.responses import StreamingResponse
from starlette.types import Receive, Scope, Send

from workshop.classroom.asked import Asked
from workshop.classroom.joining import INSTRUCTOR
from workshop.classroom.problems import Problem
from workshop.classroom.rate_limits import SHARED

LONGEST = 25.0  # seconds; proxies commonly give up after 30 or 60
MOST = 8  # requests of one person that may be open at once


class Slots:
    """How many requests of each person are open here; too many are refused."""

    def __init__(self) -> None:
        self._open: Counter[str] = Counter()

    @contextmanager
    def one(self, person: str) -> Iterator[None]:
        """Hold one of the person's slots; Problem 429 if all are taken."""
        most = MOST * SHARED if person == INSTRUCTOR else MOST
        if self._open[person] >= most:
            said = f"at most {most} requests of a person can be open"
            raise Problem(429, said, Retry_After="1")
        self._open[person] += 1
        try:
            yield
        finally:
            self._open[person] -= 1
            if not self._open[person]:
                del self._open[person]


class LongResponse(StreamingResponse):
    """A stream that holds one of its reader's slots until it ends."""

    held = ExitStack()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Send the stream, then let go of what is held."""
        with self.held:
            await super().__call__(scope, receive, send)


def time_left(asked: Asked) -> Callable[[], float]:
    """How many seconds may still be waited: as long as the client wants and its token is good."""
    wait = min(float(asked.query.get("wait", 0)), LONGEST)
    until = time.time() + min(wait, asked.grant.expires - time.time())
    return lambda: until - time.time()


async def news(asked: Asked, woken: asyncio.Event, seconds: float) -> None:
    """Return when there is news, the seconds are over, or the client has gone."""
    wait = asyncio.ensure_future(woken.wait())
    gone = asyncio.ensure_future(_until_gone(asked))
    try:
        await asyncio.wait({wait, gone}, timeout=seconds, return_when=asyncio.FIRST_COMPLETED)
        if gone.done():
            raise Problem(400, "the client hung up")  # which nobody reads
    finally:
        woken.clear()
        wait.cancel()
        gone.cancel()
        await asyncio.gather(wait, gone, return_exceptions=True)


async def _until_gone(asked: Asked) -> None:
    while (await asked.request.receive())["type"] != "http.disconnect":
        pass
