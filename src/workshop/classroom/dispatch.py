"""How a request to the API is answered: all checks first, then the handler; a write once."""

from __future__ import annotations

import json
import re
from contextlib import ExitStack
from typing import Any

import jsonschema
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from workshop.classroom import idempotency, schemas
from workshop.classroom.access import grant_of, token_of
from workshop.classroom.asked import ApiReply, Asked, Operation
from workshop.classroom.class_routes import is_erased_by
from workshop.classroom.problems import PLAIN, Problem
from workshop.classroom.request_bodies import fields_of, read_json
from workshop.classroom.rooms import Rooms
from workshop.classroom.waiting import LongResponse, Slots

_CALL = re.compile(schemas.CALL["pattern"])


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
    if operation.method == "DELETE" and await is_erased_by(request):
        return as_response(ApiReply(204))
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
    slots: Slots = request.app.state.slots
    with ExitStack() as held:
        if operation.waits:
            held.enter_context(slots.one(token_of(request)))
        reply = await operation.handler(asked)
        if isinstance(reply, LongResponse):
            reply.held = held.pop_all()
    if query.get("wait"):  # the token may have expired meanwhile, or been revoked
        await run_in_threadpool(grant_of, rooms, request, operation.scopes)
    return reply if isinstance(reply, Response) else as_response(reply)


async def once(asked: Asked, operation: Operation, body: bytes) -> ApiReply:
    """Do a write, or give the answer that its key got before."""
    redis, user = asked.rooms.redis, asked.user.id
    said = f"{operation.method} {asked.request.url.path} {body.decode('utf-8', 'replace')}"
    found = await run_in_threadpool(idempotency.answered, redis, user, asked.key, said)
    if found is None:
        reply = await operation.handler(asked)
        assert isinstance(reply, ApiReply)
        if operation.method == "DELETE":  # nothing is kept of that
            return reply
        kept = (reply.status, reply.body)
        found = await run_in_threadpool(idempotency.keep, redis, user, asked.key, said, kept)
    return ApiReply(*found)


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


def as_response(reply: ApiReply) -> Response:
    """The reply as it is sent."""
    headers = {**PLAIN, **reply.headers}
    if reply.body is None:
        return Response(status_code=reply.status, headers=headers)
    text = json.dumps(reply.body, separators=(",", ":"))
    return Response(text, reply.status, headers, "application/json")
