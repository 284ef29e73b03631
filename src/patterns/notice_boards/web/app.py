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
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from redis.asyncio import Redis
from redis.exceptions import RedisError
from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response, StreamingResponse
from starlette.routing import Route

from ..async_notice_board import MalformedNotice, Notice
from ..notices import check_version
from .watchers import Hub

LONGEST_WAIT = 25.0  # seconds; proxies commonly give up after 30 or 60
_NAME = re.compile(r"[A-Za-z0-9_.~:-]{1,100}")
_SECONDS = re.compile(r"\d{1,2}(\.\d{1,3})?")
_PAGE = (Path(__file__).parent / "page.html").read_text(encoding="utf-8")
_PLAIN = {"Cache-Control": "no-store", "X-Content-Type-Options": "nosniff"}


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
        redis = make_redis()
        try:
            async with Hub(redis, poll=poll) as app.state.hub:
                yield
        finally:
            await redis.aclose()

    return Starlette(
        routes=[
            Route("/boards/{name}", board, methods=["GET"]),
            Route("/boards/{name}/events", events, methods=["GET"]),
            Route("/boards/{name}/page", page, methods=["GET"]),
        ],
        exception_handlers={HTTPException: _refused, RedisError: _unreachable},
        lifespan=lifespan,
    )


async def board(request: Request) -> Response:
    """Answer with the board as soon as it is another than `after`."""
    name, given = _name(request), _query(request)
    hub: Hub = request.app.state.hub
    wait = min(float(given.get("wait", LONGEST_WAIT)), LONGEST_WAIT)
    try:
        notice = await _unless_gone(request, hub.watch(name, given.get("after"), wait))
        if notice is None and await hub.read(name) is None:
            raise HTTPException(404, "there is no such board, or not yet")
    except MalformedNotice:
        raise HTTPException(502, "the board holds what no board posted") from None
    if notice is None:
        return Response(status_code=204, headers=_PLAIN)
    return Response(_as_json(notice), media_type="application/json", headers=_PLAIN)


async def events(request: Request) -> Response:
    """Stream the board: one event for each notice, and a comment when nothing was new."""
    name, given = _name(request), _query(request)
    hub: Hub = request.app.state.hub
    after = given.get("after") or _version(request.headers.get("last-event-id"))

    async def stream(after: str | None) -> AsyncIterator[str]:
        while not hub.is_closing:
            try:
                notice = await hub.watch(name, after, LONGEST_WAIT / 2)
            except (RedisError, MalformedNotice):
                return  # the browser comes again, with the last id that it has seen
            if notice is None:
                yield ": nothing new\n\n"
            else:
                after = notice.version
                yield f"id: {after}\ndata: {_as_json(notice)}\n\n"

    return StreamingResponse(stream(after), media_type="text/event-stream", headers=_PLAIN)


async def page(request: Request) -> Response:
    """The page; the board it shows is the one in its address."""
    _name(request)
    headers = {**_PLAIN, "Content-Security-Policy": _POLICY}
    return Response(_PAGE, media_type="text/html; charset=utf-8", headers=headers)


def _as_json(notice: Notice) -> str:
    said = {
        "value": notice.value,
        "version": notice.version,
        "next": f"?after={notice.version}",
    }
    return json.dumps(said)  # ASCII: lone surrogates too can be sent


def _name(request: Request) -> str:
    name: str = request.path_params["name"]
    if not _NAME.fullmatch(name):
        raise HTTPException(400, "a board's name has 1 to 100 letters, digits or any of _.~:-")
    return name


def _query(request: Request) -> dict[str, str]:
    """What is asked for; 400 for anything else than one `after` and one `wait`."""
    given = request.query_params.multi_items()
    asked = dict(given)
    if len(asked) < len(given) or not asked.keys() <= {"after", "wait"}:
        raise HTTPException(400, "after=VERSION and wait=SECONDS, once each, are all there is")
    if "wait" in asked and not _SECONDS.fullmatch(asked["wait"]):
        raise HTTPException(400, "wait is a number of seconds")
    if "after" in asked:
        asked["after"] = _version(asked["after"]) or ""
    return asked


def _version(text: str | None) -> str | None:
    try:
        check_version(text)
    except ValueError as error:
        raise HTTPException(400, str(error)) from None
    return text


async def _unless_gone(request: Request, watching: Any) -> Notice | None:
    """Wait for the watcher, but only as long as there is somebody to answer."""
    watch = asyncio.ensure_future(watching)
    gone = asyncio.ensure_future(_until_gone(request))
    try:
        await asyncio.wait({watch, gone}, return_when=asyncio.FIRST_COMPLETED)
        if not watch.done():
            return None
        found: Notice | None = watch.result()
        return found
    finally:
        watch.cancel()
        gone.cancel()
        await asyncio.gather(watch, gone, return_exceptions=True)


async def _until_gone(request: Request) -> None:
    while (await request.receive())["type"] != "http.disconnect":
        pass


async def _refused(request: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)
    text = json.dumps({"error": error.detail})
    headers = {**_PLAIN, **(error.headers or {})}
    return Response(text, error.status_code, headers=headers, media_type="application/json")


async def _unreachable(request: Request, error: Exception) -> Response:
    headers = {**_PLAIN, "Retry-After": "1"}
    text = json.dumps({"error": "Redis cannot be reached"})
    return Response(text, 503, headers=headers, media_type="application/json")
