"""The routes: a board as JSON by long polling, as a stream of events, and as a page.

GET /boards/NAME?after=VERSION&wait=SECONDS   200 {"value", "version", "next"}, 204 nothing
    new, 404 no such board; the answer waits up to 25 s. `next` is relative: it works behind
    any proxy.
GET /boards/NAME/events                       text/event-stream of the same
GET /boards/NAME/page                         a progress bar
"""

from __future__ import annotations

import asyncio
import base64
import hashlib
import json
import re
from collections.abc import AsyncIterator, Callable
from contextlib import aclosing, asynccontextmanager
from functools import lru_cache
from pathlib import Path

from redis.asyncio import Redis
from redis.exceptions import RedisClusterException, RedisError
from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response, StreamingResponse
from starlette.routing import Route
from starlette.types import ASGIApp, Receive, Scope, Send

from ..notices import MalformedNotice, Notice
from .requests import PLAIN, as_version, asked_for, board_name, refused, unreachable, until_gone
from .watchers import SharedSubscription

IN_REDIS = (RedisError, RedisClusterException)  # the latter is none of the former
LONGEST_WAIT = 25.0  # seconds; proxies commonly give up after 30 or 60
_PAGE = (Path(__file__).parent / "page.html").read_text(encoding="utf-8")


def _hash_of(tag: str) -> str:
    inside = re.findall(f"<{tag}>(.*?)</{tag}>", _PAGE, re.DOTALL)[0]
    return "'sha256-" + base64.b64encode(hashlib.sha256(inside.encode()).digest()).decode() + "'"


# No script and no style runs but the page's own, whatever a board says.
_POLICY = (
    f"default-src 'none'; script-src {_hash_of('script')}; style-src {_hash_of('style')}; "
    "connect-src 'self'; img-src data:; base-uri 'none'; form-action 'none'"
)


def make_app(make_redis: Callable[[], Redis], *, poll: float = 5.0) -> Starlette:
    """Return the ASGI app on the Redis that `make_redis()` gives, called once in the app's loop."""

    @asynccontextmanager
    async def lifespan(app: Starlette) -> AsyncIterator[None]:
        async with aclosing(make_redis()) as redis, SharedSubscription(redis, poll=poll) as boards:
            app.state.boards = boards
            yield

    return Starlette(
        routes=[
            Route("/boards/{name}", board, methods=["GET"]),
            Route("/boards/{name}/events", events, methods=["GET"]),
            Route("/boards/{name}/page", page, methods=["GET"]),
        ],
        exception_handlers={HTTPException: refused, **dict.fromkeys(IN_REDIS, unreachable)},
        lifespan=lifespan,
    )


async def board(request: Request) -> ASGIApp:
    """Answer with the board as soon as it is another than `after`."""
    name, given = board_name(request), asked_for(request)
    boards: SharedSubscription = request.app.state.boards
    wait = min(float(given.get("wait", LONGEST_WAIT)), LONGEST_WAIT)
    gone = asyncio.ensure_future(until_gone(request))
    try:
        notice = await boards.watch(name, given.get("after"), wait, gone)
        if notice is None and await boards.read(name) is None:
            raise HTTPException(404, "there is no such board, or not yet")
    except MalformedNotice:
        raise HTTPException(502, "the board holds what no board posted") from None
    finally:
        gone.cancel()
    if notice is None:
        return Response(status_code=204, headers=PLAIN)
    return _answer(notice)


async def events(request: Request) -> Response:
    """Stream the board: one event for each notice, and a comment when nothing was new."""
    name, given = board_name(request), asked_for(request)
    boards: SharedSubscription = request.app.state.boards
    after = given.get("after") or as_version(request.headers.get("last-event-id"))

    async def stream(after: str | None) -> AsyncIterator[str]:
        while not boards.is_closing:
            try:
                notice = await boards.watch(name, after, LONGEST_WAIT / 2)
            except (*IN_REDIS, MalformedNotice):
                return  # the browser comes again, with the last id that it has seen
            if notice is None:
                yield ": nothing new\n\n"
            else:
                after = notice.version
                yield f"id: {after}\ndata: {_as_json(notice)}\n\n"

    return StreamingResponse(stream(after), media_type="text/event-stream", headers=PLAIN)


async def page(request: Request) -> Response:
    """The page; the board it shows is the one in its address."""
    board_name(request)
    headers = {**PLAIN, "Content-Security-Policy": _POLICY}
    return Response(_PAGE, media_type="text/html; charset=utf-8", headers=headers)


@lru_cache(maxsize=8)
def _answer(notice: Notice) -> ASGIApp:
    """Answer many with one text; the headers are each one's own: a middleware may change them."""
    made = Response(_as_json(notice), media_type="application/json", headers=PLAIN)

    async def answer(scope: Scope, receive: Receive, send: Send) -> None:
        await send({"type": "http.response.start", "status": 200, "headers": [*made.raw_headers]})
        await send({"type": "http.response.body", "body": made.body})

    return answer


def _as_json(notice: Notice) -> str:
    said = {"value": notice.value, "version": notice.version, "next": f"?after={notice.version}"}
    return json.dumps(said)  # ASCII: lone surrogates too can be sent
