"""The OpenAPI document, from the table of operations."""

from __future__ import annotations

from http import HTTPStatus
from typing import Any

from workshop.classroom import schemas
from workshop.classroom.asked import Operation
from workshop.classroom.oauth_clients import SCOPES
from workshop.classroom.rate_limits import MESSAGES, REQUESTS
from workshop.classroom.waiting import MOST

MEANING = {"wait": "seconds to wait for news", "after": "the last number that you have"}
KEY = {"type": "string", "pattern": '^"?[A-Za-z0-9_.:-]{8,64}"?$'}


def document(operations: tuple[Operation, ...]) -> dict[str, Any]:
    """The document of the API, OpenAPI 3.1."""
    paths: dict[str, Any] = {}
    for operation in operations:
        paths.setdefault(operation.path, {})[operation.method.lower()] = described(operation)
    flow = {
        "tokenUrl": "/oauth/token",
        "refreshUrl": "/oauth/token",
        "scopes": {s: s for s in SCOPES},
    }
    code = {**flow, "authorizationUrl": "/oauth/authorize"}
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "The class, live",
            "version": "1",
            "description": "OAuth 2: see /.well-known/oauth-authorization-server. Every error is a "
            "problem document (RFC 9457). Every write takes an Idempotency-Key, a new one each; "
            "repeated under the same key, it is done once and answered the same. A person may make "
            f"{REQUESTS} requests a minute, have {MOST} open and send {MESSAGES} messages an hour, "
            "with all tokens together. More are answered 429, with Retry-After in seconds.",
        },
        "paths": paths,
        "components": {
            "schemas": {"Problem": schemas.PROBLEM},
            "securitySchemes": {"oauth": {"type": "oauth2", "flows": {"authorizationCode": code}}},
        },
    }


def described(operation: Operation) -> dict[str, Any]:
    """One operation: who may, what it takes, every reply that it can give."""
    found: dict[str, Any] = {
        "summary": operation.summary,
        "operationId": f"{operation.method.lower()}-{operation.path.rpartition('/v1')[2] or '/'}",
        "security": [{"oauth": [scope]} for scope in sorted(operation.scopes)],
        "responses": {str(status): _reply(status, s) for status, s in operation.replies.items()},
    }
    parameters = [_parameter(name, "query", s) for name, s in operation.query.items()]
    if "{call}" in operation.path:
        parameters.append({**_parameter("call", "path", schemas.CALL), "required": True})
    if operation.keyed:
        parameters.append({**_parameter("Idempotency-Key", "header", KEY), "required": True})
    if 304 in operation.replies:
        parameters.append(_parameter("If-None-Match", "header", {"type": "string"}))
    if parameters:
        found["parameters"] = parameters
    if operation.body is not None:
        content = {"application/json": {"schema": operation.body}}
        found["requestBody"] = {"required": True, "content": content}
    problem = {"application/problem+json": {"schema": {"$ref": "#/components/schemas/Problem"}}}
    for status in errors_of(operation):
        reply = {"description": HTTPStatus(status).phrase, "content": problem}
        found["responses"][str(status)] = reply
    return found


def errors_of(operation: Operation) -> list[int]:
    """The statuses with which it can refuse."""
    found = {400, 401, 403, 410, 429, 503, *operation.errors}
    if operation.body is not None:
        found |= {408, 413, 415, 422}
    if operation.keyed:
        found |= {422}
    if "{call}" in operation.path:
        found |= {404}
    return sorted(found)


def _parameter(name: str, place: str, schema: schemas.Schema) -> dict[str, Any]:
    found = {"name": name, "in": place, "schema": schema}
    return {**found, "description": MEANING[name]} if name in MEANING else found


def _reply(status: int, schema: schemas.Schema | str | None) -> dict[str, Any]:
    found: dict[str, Any] = {"description": HTTPStatus(status).phrase}
    if isinstance(schema, str):
        found["content"] = {schema: {"schema": {"type": "string"}}}
    elif schema is not None:
        found["content"] = {"application/json": {"schema": schema}}
    if status == 304 or schema == schemas.BOARD:
        found["headers"] = {"ETag": {"schema": {"type": "string"}}}
    return found
