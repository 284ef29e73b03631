"""The class as an ASGI application: each request is checked, answered, or told what is wrong."""

from __future__ import annotations

import asyncio
import json
import logging
import re
import threading
from collections.abc import AsyncIterator, Callable
from contextlib import aclosing, asynccontextmanager, nullcontext
from typing import Any

import jsonschema
from redis.asyncio import Redis as AsyncRedis
from starlette.applications import Starlette
from starlette.concurrency import run_in_threadpool
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from patterns.counters import run_flusher
from patterns.notice_boards.web import SharedSubscription
from workshop.classroom import idempotency, openapi, schemas
from workshop.classroom.access import grant_of, token_of
from workshop.classroom.asked import Asked, Operation, Reply
from workshop.classroom.board import GONE, MESSAGES, POLL, Board
from workshop.classroom.joining import User
from workshop.classroom.message_feed import MessageFeed
from workshop.classroom.oauth_routes import ROUTES
from workshop.classroom.operations import OPERATIONS
from workshop.classroom.page_routes import PAGES
from workshop.classroom.problems import PLAIN, Problem
from workshop.classroom.request_bodies import fields_of, read_json
from workshop.classroom.rooms import Rooms
from workshop.classroom.token_store import Lifetimes
from workshop.classroom.waiting import Slots

FLUSH = 5.0  # seconds between two flushes of the attempts to SQL
_log = logging.getLogger(__name__)
_CALL = re.compile(schemas.CALL["pattern"])


def make_app(
    rooms: Rooms,
    make_redis: Callable[[], AsyncRedis],
    erase: Callable[[], None],
    lifetimes: Lifetimes | None = None,
) -> Starlette:
    """Return the application on these rooms; `erase()` forgets all that is in them."""

    @asynccontextmanager
    async def lifespan(app: Starlette) -> AsyncIterator[None]:
        board = app.state.board = Board(rooms)
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
        routes=[*(route_of(operation) for operation in OPERATIONS), DOCUMENT, *ROUTES, *pages],
        exception_handlers={
            HTTPException: refused,
            Problem: refused,
            **dict.fromkeys(GONE, unreachable),
        },
        lifespan=lifespan,
    )
    app.state.rooms, app.state.erase, app.state.links = rooms, erase, links
    app.state.lifetimes, app.state.slots = lifetimes or Lifetimes(), Slots()
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


def route_of(operation: Operation) -> Route:
    """The operation's route."""
    check = operation.body and jsonschema.Draft202012Validator(operation.body)

    async def endpoint(request: Request) -> Response:
        try:
            return await answer(operation, check, request)
        except Problem as problem:
            return problem.response()

    return Route(operation.path, endpoint, methods=[operation.method])


async def answer(operation: Operation, check: Any, request: Request) -> Response:
    """Check the request, then answer it; nothing is written before all checks have passed."""
    rooms: Rooms = request.app.state.rooms
    body, given = b"", None
    if operation.body is not None or operation.keyed:
        body, given = await read_json(request) if check else (b"", None)
    grant = await run_in_threadpool(grant_of, rooms, request, operation.scopes)
    user = grant.user
    assert user is not None
    query = checked_query(operation, request)
    if "call" in request.path_params and not _CALL.fullmatch(request.path_params["call"]):
        raise Problem(404, "there is no such call")
    if check and (wrong := jsonschema.exceptions.best_match(check.iter_errors(given))):
        raise Problem(422, f"{wrong.json_path}: {wrong.message[:200]}")
    key = idempotency.key_in(request.headers.get("idempotency-key")) if operation.keyed else ""
    asked = Asked(request, grant, user, query, given, key)
    if operation.keyed:
        return as_response(await once(asked, operation, body))
    request.state.slot = nullcontext()
    slots: Slots = request.app.state.slots
    if "wait" in operation.query:
        with slots.one(token_of(request)):
            reply = await operation.handler(asked)
        if query.get("wait"):  # the token may have expired meanwhile, or been revoked
            await run_in_threadpool(grant_of, rooms, request, operation.scopes)
    else:
        if operation.path.endswith("/events"):
            request.state.slot = slots.one(token_of(request))
        reply = await operation.handler(asked)
    return reply if isinstance(reply, Response) else as_response(reply)


async def once(asked: Asked, operation: Operation, body: bytes) -> Reply:
    """Do a write, or give the answer that its key got before."""
    redis, user = asked.rooms.redis, asked.user.id
    said = f"{operation.method} {asked.request.url.path} {body.decode('utf-8', 'replace')}"
    found = await run_in_threadpool(idempotency.answered, redis, user, asked.key, said)
    if found is None:
        reply = await operation.handler(asked)
        assert isinstance(reply, Reply)
        kept = (reply.status, reply.body)
        found = await run_in_threadpool(idempotency.keep, redis, user, asked.key, said, kept)
    return Reply(*found)


def checked_query(operation: Operation, request: Request) -> dict[str, Any]:
    """The parameters of the query as numbers; Problem 400 for any others."""
    found: dict[str, Any] = {}
    for name, text in fields_of(request.url.query):
        schema = operation.query.get(name)
        if schema is None or name in found:
            allowed = ", ".join(operation.query) or "none"
            raise Problem(400, f"parameters here, once each: {allowed}")
        whole = schema["type"] == "integer"
        if not re.fullmatch(r"\d{1,10}" if whole else r"\d{1,2}(\.\d{1,3})?", text, re.ASCII):
            raise Problem(400, f"{name} is a number")
        found[name] = int(text) if whole else float(text)
        if not schema["minimum"] <= found[name] <= schema["maximum"]:
            raise Problem(400, f"{name} is a number up to {schema['maximum']}")
    return found


def as_response(reply: Reply) -> Response:
    """The reply as it is sent."""
    headers = {**PLAIN, **reply.headers}
    if reply.body is None:
        return Response(status_code=reply.status, headers=headers)
    text = json.dumps(reply.body, separators=(",", ":"))
    return Response(text, reply.status, headers, "application/json")


def links(user: User) -> dict[str, str]:
    """The operations that the user may use, as "GET /path", by what they are for."""
    return {o.summary: f"{o.method} {o.path}" for o in OPERATIONS if o.scopes & user.scopes}


async def document(request: Request) -> Response:
    """The OpenAPI document."""
    text = json.dumps(openapi.document(OPERATIONS))
    return Response(text, headers=PLAIN, media_type="application/json")


DOCUMENT = Route("/api/v1/openapi.json", document)


async def refused(request: Request, error: Exception) -> Response:
    """What is wrong with a request that no operation answers."""
    if isinstance(error, Problem):
        return error.response()
    assert isinstance(error, HTTPException)
    problem = Problem(error.status_code, str(error.detail))
    problem.headers.update(error.headers or {})
    return problem.response()


async def unreachable(request: Request, error: Exception) -> Response:
    """Redis, CouchDB or SQL cannot be reached: nothing is known of this request; ask again."""
    _log.warning("%s: %s", type(error).__name__, error)
    return Problem(503, "a server behind this one is away; ask again", Retry_After="1").response()
