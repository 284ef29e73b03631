"""One request to the API, checked, and the reply to it: what passes between app and handlers."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Any

from starlette.requests import Request
from starlette.responses import Response

from workshop.classroom.board import Board
from workshop.classroom.joining import User
from workshop.classroom.message_feed import MessageFeed
from workshop.classroom.rooms import Rooms
from workshop.classroom.schemas import Schema
from workshop.classroom.token_store import Grant


@dataclass(frozen=True)
class Asked:
    """Who asks, and for what. `body` fits its schema. A write has a `key`, which names it.
    `rooms` are blocking clients, for a thread; `board` and `feed` are this process's."""

    request: Request
    rooms: Rooms
    board: Board
    feed: MessageFeed
    grant: Grant
    user: User
    query: dict[str, Any]
    body: Any
    key: str = ""


@dataclass(frozen=True)
class ApiReply:
    """What is answered: a status and JSON, or None for no body."""

    status: int
    body: Any = None
    headers: dict[str, str] = field(default_factory=dict)


Handler = Callable[[Asked], Awaitable[ApiReply | Response]]


@dataclass(frozen=True)
class Operation:
    """One route of the API: all that its document, its checks and its handler need.

    `scopes`: one of them is enough. `keyed`: it is a write that may be repeated under a key.
    `waits`: it may stay open. `replies`: the schema for each status; None for no body, a str
    for another media type.
    """

    method: str
    path: str
    summary: str
    scopes: frozenset[str]
    handler: Handler
    replies: dict[int, Schema | str | None]
    query: dict[str, Schema] = field(default_factory=dict)
    body: Schema | None = None
    keyed: bool = False
    waits: bool = False
    errors: tuple[int, ...] = ()
