"""Messages and calls for help: what the API's handlers do with them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from redis import Redis
from starlette.concurrency import run_in_threadpool

from patterns import pubsub
from patterns.pubsub import Message
from workshop.classroom import calls_for_help, idempotency, own_calls, rate_limits
from workshop.classroom.asked import ApiReply, Asked, Handler
from workshop.classroom.board import MESSAGES, STAFF, Board
from workshop.classroom.joining import INSTRUCTOR
from workshop.classroom.message_feed import MOST
from workshop.classroom.opening import digest_of
from workshop.classroom.problems import Problem
from workshop.classroom.rate_limits import HOUR, limit
from workshop.classroom.waiting import news, time_left


def as_json(board: Board, message: Message) -> dict[str, Any]:
    """A message as it is sent; its author is an id, by which they have a name."""
    author, _, name = message.author.partition(" ")
    return {"number": message.number, "author": author, "name": name, "text": message.text}


async def messages(asked: Asked) -> ApiReply:
    """The messages after a number, once there are any."""
    after, left = asked.query.get("after", 0), time_left(asked)
    with asked.board.listening(MESSAGES) as woken:
        while not asked.feed.after(after) and left() > 0 and not asked.board.is_closing:
            await news(asked, woken, left())
    found = [as_json(asked.board, message) for message in asked.feed.after(after)]
    return ApiReply(200, {"messages": found})


async def say(asked: Asked) -> ApiReply:
    """Send a message to everybody; nobody but the instructor may fill the room."""
    if len(asked.feed.messages) >= MOST:
        raise Problem(409, "the room is full")
    author = f"{asked.user.id} {asked.user.name}"
    key = digest_of(asked.user.id, asked.key)
    text = asked.body["text"]
    if INSTRUCTOR not in asked.user.scopes:
        who = f"messages {asked.user.id}"
        await run_in_threadpool(limit, asked.rooms, who, rate_limits.MESSAGES, HOUR)
    try:
        message = await run_in_threadpool(asked.rooms.messages.send, author, text, key)
    except pubsub.KeyAlreadyUsed:
        raise Problem(422, idempotency.USED) from None
    return ApiReply(201, {"number": message.number})


async def call(asked: Asked) -> ApiReply:
    """Call for help; who has called already and was not helped yet, has that call."""
    user, text, redis = asked.user, asked.body["text"], asked.rooms.redis
    name = await run_in_threadpool(own_calls.ask, redis, user.id, user.name, text)
    asked.board.nudge()
    return ApiReply(201, {"call": name})


async def next_call(asked: Asked) -> ApiReply:
    """The call that the helper has, or the next one, once there is one; 204 if not in time."""
    redis, lease, left = asked.rooms.redis, asked.rooms.lease, time_left(asked)
    with asked.board.listening(STAFF) as woken:
        while True:
            found = await run_in_threadpool(calls_for_help.take, redis, asked.user.id, lease)
            if found is not None or left() <= 0 or asked.board.is_closing:
                break
            await news(asked, woken, min(left(), 2.0))  # a lease that ends wakes nobody
    asked.board.nudge()
    return ApiReply(204) if found is None else ApiReply(200, found)


async def renew(asked: Asked) -> ApiReply:
    """Keep the call for another lease."""
    name, redis = asked.request.path_params["call"], asked.rooms.redis
    await run_in_threadpool(calls_for_help.renew, redis, asked.user.id, name, asked.rooms.lease)
    return ApiReply(204)


def ending(act: Callable[[Redis, str, str], None]) -> Handler:
    """The handler that takes a call from its helper: it is done, or left to another."""

    async def handler(asked: Asked) -> ApiReply:
        name, redis = asked.request.path_params["call"], asked.rooms.redis
        await run_in_threadpool(act, redis, asked.user.id, name)
        asked.board.nudge()
        return ApiReply(204)

    return handler


done, give_back = ending(calls_for_help.finish), ending(calls_for_help.give_back)
