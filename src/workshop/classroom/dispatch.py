"""How a request to the API is answered: all checks first, then the handler; a write once."""

from __future__ import annotations

import re
from collections.abc import Awaitable, Callable
from contextlib import ExitStack
from dataclasses import replace
from typing import Any

import fastjsonschema
from anyio import to_thread
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from workshop.classroom import idempotency, schemas
from workshop.classroom.access import good, grant_of
from workshop.classroom.asked import ApiReply, Asked, Operation
from workshop.classroom.class_routes import is_erased_by
from workshop.classroom.problems import Problem, as_json
from workshop.classroom.request_bodies import fields_of, read_json
from workshop.classroom.rooms import Rooms
from workshop.classroom.waiting import LongResponse, Slots

_CALL = re.compile(schemas.CALL["pattern"])


def routes_of(operations: tuple[Operation, ...]) -> list[Route]:
    """A route for each path, which knows all its methods."""
    paths: dict[str, dict[str, tuple[Operation, Any]]] = {}
    for operation in operations:
        check = operation.body and fastjsonschema.compile(operation.body)
        paths.setdefault(operation.path, {})[operation.method] = operation, check
    return [Route(path, _endpoint(by), methods=list(by)) for path, by in paths.items()]


def _endpoint(by_method: dict[str, tuple[Operation, Any]]) -> Callable[..., Awaitable[Response]]:
    async def endpoint(request: Request) -> Response:
        method = "GET" if request.method == "HEAD" else request.method
        return await answer(*by_method[method], request)

    return endpoint


async def answer(operation: Operation, check: Any, request: Request) -> Response:
    """Check the request, then answer it; nothing is written before all checks have passed."""
    body, given = await read_json(request) if check else (b"", None)
    if operation.method == "DELETE" and await is_erased_by(request):
        return as_json(None, 204)
    asked, found = await run_in_threadpool(checked, operation, check, request, body, given)
    if found is not None:
        return as_json(found[1], found[0])
    slots: Slots = request.app.state.slots
    with ExitStack() as held:
        if operation.waits:
            held.enter_context(slots.one(asked.user.id))
        reply = await operation.handler(asked)
        if isinstance(reply, LongResponse):
            reply.held = held.pop_all()
    if isinstance(reply, Response):
        return reply
    redis = asked.rooms.redis
    if operation.keyed and operation.method != "DELETE":  # of which nothing is kept
        answered = (reply.status, reply.body)
        keep = idempotency.keep
        found = await run_in_threadpool(keep, redis, asked.user.id, asked.key, answered)
        reply = ApiReply(*found)
    if asked.query.get("wait"):  # the token may have expired meanwhile, or been revoked
        # Thousands may be woken at once: in threads of their own they neither hold up others,
        # nor wait behind them.
        await to_thread.run_sync(good, asked.rooms, request, limiter=request.app.state.turns)
    return as_json(reply.body, reply.status, reply.headers)


def checked(
    operation: Operation, check: Any, request: Request, body: bytes, given: Any
) -> tuple[Asked, idempotency.Answer | None]:
    """The request with all checks passed, and the answer that it had before under its key."""
    state = request.app.state
    rooms: Rooms = state.rooms
    grant = grant_of(rooms, request, operation.scopes)
    assert grant.user is not None
    query = checked_query(operation, request)
    if "call" in request.path_params and not _CALL.fullmatch(request.path_params["call"]):
        raise Problem(404, "there is no such call")
    try:
        _ = check and check(given)
    except fastjsonschema.JsonSchemaValueException as wrong:
        raise Problem(422, wrong.message[:200]) from None
    asked = Asked(request, rooms, state.board, state.feed, grant, grant.user, query, given)
    if not operation.keyed:
        return asked, None
    key = idempotency.key_in(request.headers.get("idempotency-key"))
    said = f"{operation.method} {request.url.path} {body.decode('utf-8', 'replace')}"
    return replace(asked, key=key), idempotency.claim(rooms.redis, grant.user.id, key, said)


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
