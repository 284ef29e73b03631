"""The class as an ASGI application: each request is checked, answered, or told what is wrong."""

from __future__ import annotations

import asyncio
import logging
import threading
from collections.abc import AsyncIterator, Callable
from contextlib import aclosing, asynccontextmanager

from anyio import CapacityLimiter
from redis.asyncio import Redis as AsyncRedis
from starlette.applications import Starlette
from starlette.concurrency import run_in_threadpool
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from patterns.counters import run_flusher
from patterns.notice_boards.web import SharedSubscription
from workshop.classroom import openapi
from workshop.classroom.board import GONE, MESSAGES, POLL, Board
from workshop.classroom.dispatch import routes_of
from workshop.classroom.joining import User
from workshop.classroom.message_feed import MessageFeed
from workshop.classroom.oauth_routes import ROUTES
from workshop.classroom.operations import OPERATIONS, ROOT
from workshop.classroom.page_routes import PAGES
from workshop.classroom.problems import Problem, as_json
from workshop.classroom.rate_limits import Refusals
from workshop.classroom.rooms import Rooms
from workshop.classroom.token_store import Lifetimes
from workshop.classroom.waiting import Slots

FLUSH = 5.0  # seconds between two flushes of the attempts to SQL
TURNS = 10  # threads that look whether the token of who has waited is still good
_log = logging.getLogger(__name__)


def make_app(
    rooms: Rooms,
    make_redis: Callable[[], AsyncRedis],
    erase: Callable[[str], None],
    lifetimes: Lifetimes | None = None,
) -> Starlette:
    """Return the application on these rooms; `erase(by)` forgets all that is in them."""

    @asynccontextmanager
    async def lifespan(app: Starlette) -> AsyncIterator[None]:
        board = app.state.board = Board(rooms)
        app.state.turns = CapacityLimiter(TURNS)
        loop = asyncio.get_running_loop()

        def heard() -> None:
            loop.call_soon_threadsafe(board.wake, {MESSAGES})

        feed = app.state.feed = MessageFeed(rooms.messages, heard)
        await board.refresh()
        feed.start()
        async with (
            aclosing(make_redis()) as redis,
            SharedSubscription(redis, poll=POLL) as boards,
            flushing(rooms),
        ):
            running = asyncio.create_task(board.run(boards))
            yield
            feed.stop()
            running.cancel()
            await asyncio.gather(running, return_exceptions=True)

    pages = [Route(path, page) for path, page in PAGES.items()]
    app = Starlette(
        routes=[
            *routes_of(OPERATIONS),
            Route(f"{ROOT}/openapi.json", as_document),
            *ROUTES,
            *pages,
        ],
        exception_handlers={
            HTTPException: refused,
            Problem: refused,
            **dict.fromkeys(GONE, unreachable),
        },
        lifespan=lifespan,
    )
    app.router.redirect_slashes = False
    app.state.rooms, app.state.erase, app.state.links = rooms, erase, links
    app.state.lifetimes, app.state.slots = lifetimes or Lifetimes(), Slots()
    app.state.refusals = Refusals()
    return app


@asynccontextmanager
async def flushing(rooms: Rooms) -> AsyncIterator[None]:
    """Carry the attempts to SQL, in a thread, until the end."""
    stop = threading.Event()
    thread = threading.Thread(
        target=run_flusher, args=(rooms.attempts, FLUSH, stop), name="flusher", daemon=True
    )
    thread.start()
    yield
    stop.set()
    await run_in_threadpool(thread.join)


def links(user: User) -> dict[str, str]:
    """The operations that the user may use, as "GET /path", by what they are for."""
    return {o.summary: f"{o.method} {o.path}" for o in OPERATIONS if o.scopes & user.scopes}


def as_document(request: Request) -> Response:
    """The OpenAPI document."""
    return as_json(DOCUMENT)


DOCUMENT = openapi.document(OPERATIONS)


async def refused(request: Request, error: Exception) -> Response:
    """What is wrong with a request that no operation answers."""
    if isinstance(error, HTTPException):  # Starlette's own: no such address, or method
        problem = Problem(error.status_code, str(error.detail), **dict(error.headers or {}))
        return problem.response()
    assert isinstance(error, Problem)
    return error.response()


async def unreachable(request: Request, error: Exception) -> Response:
    """Redis, CouchDB or SQL cannot be reached: nothing is known of this request; ask again."""
    _log.info("%s: %s", type(error).__name__, error)
    return Problem(503, "a server behind this one is away; ask again", Retry_After="1").response()
