"""The board and the attempts: what the API's handlers do with them."""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import AsyncIterator
from contextlib import suppress

from starlette.concurrency import run_in_threadpool
from starlette.responses import Response

from patterns.notice_boards import KeyAlreadyUsed
from workshop.classroom import views
from workshop.classroom.access import good
from workshop.classroom.asked import ApiReply, Asked
from workshop.classroom.attempts import record_attempt
from workshop.classroom.board import MESSAGES
from workshop.classroom.joining import INSTRUCTOR
from workshop.classroom.message_routes import as_json
from workshop.classroom.opening import digest_of, opening_of
from workshop.classroom.problems import PLAIN, Problem
from workshop.classroom.waiting import LongResponse, news, time_left

QUIET = 15.0  # seconds after which a stream says that it is still there
PATIENCE = 1.0  # seconds that a stream may go on with a token that was revoked
PACE = 0.05  # seconds between two boards of a stream: one of a thousand learners is large
HEARTBEAT = ": nothing new\n\n"


async def root(asked: Asked) -> ApiReply:
    """Who the token's owner is, and where they may go."""
    opening = await run_in_threadpool(opening_of, asked.rooms.redis)
    if opening is None:
        raise Problem(410, "the class has ended")
    links = asked.request.app.state.links(asked.user)
    visit = views.Visitor(asked.user, opening, links)
    is_instructor = INSTRUCTOR in asked.user.scopes
    return ApiReply(
        200, dict((views.INSTRUCTOR_ROOT if is_instructor else views.ROOT).collect(visit))
    )


async def me(asked: Asked) -> ApiReply:
    """Who the token's owner is."""
    found = (await root(asked)).body
    return ApiReply(200, {name: found[name] for name in found.keys() & _OF_ME})


_OF_ME = {"id", "name", "scopes", "personal_code"}


async def board(asked: Asked) -> ApiReply:
    """The board, once it is another than the client has: 304 if that does not happen in time."""
    view = views.View(asked.board, asked.user)
    has = asked.request.headers.get("if-none-match", "")
    left = time_left(asked)
    with asked.board.listening(*view.topics) as woken:
        tag = view.tag
        while tag in has and left() > 0 and not asked.board.is_closing:
            await news(asked, woken, left())
            tag = view.tag
    if tag in has:
        return ApiReply(304, headers={"ETag": tag})
    return ApiReply(200, view.shown(), {"ETag": tag})


async def set_board(asked: Asked) -> ApiReply:
    """What we do now, and for how long; without an end for no minutes, as of an empty field."""
    minutes = asked.body.get("minutes")

    def post() -> None:
        ends_at = time.time() + 60 * minutes if minutes else None
        found = {"doing": asked.body["doing"], "ends_at": ends_at}
        with suppress(KeyAlreadyUsed):  # it is posted; the time of its end was computed then
            asked.rooms.now.post(found, key=digest_of(asked.user.id, asked.key)[:32])

    await run_in_threadpool(post)
    asked.board.nudge()
    return ApiReply(204)


async def attempt(asked: Asked) -> ApiReply:
    """Record an attempt of the token's owner, and nobody else's."""
    given, rooms, now = asked.body, asked.rooms, time.time()
    first = await run_in_threadpool(
        record_attempt,
        rooms.redis,
        rooms.sql,
        rooms.couch,
        asked.user.id,
        given["exercise"],
        passed=given["passed"],
        at=min(max(asked.user.joined, given.get("at", now)), now),
        key=asked.key,
        verdict=given.get("verdict", ""),
    )
    asked.board.nudge()
    return ApiReply(201, {"first_solved_at": first})


async def attempts(asked: Asked) -> ApiReply:
    """How many attempts there were, by minute and exercise; at most a flush ago."""
    counts = await run_in_threadpool(asked.rooms.attempts.counts)
    rows = [
        {"minute": minute, "exercise": exercise, "attempts": hits}
        for (minute, exercise), hits in sorted(counts.items())
    ]
    return ApiReply(200, {"attempts": rows})


async def events(asked: Asked) -> Response:
    """A stream of the board and the messages, each when it changes, while the token is good."""
    view = views.View(asked.board, asked.user)
    last = asked.request.headers.get("last-event-id", "0")
    if not last.isascii() or not last.isdigit() or len(last) > 9:
        raise Problem(400, "Last-Event-ID: the id of the last event that you have seen")
    until = asked.grant.expires

    async def stream(number: int) -> AsyncIterator[str]:
        tag, looked = "", 0.0
        with asked.board.listening(*view.topics, MESSAGES) as woken:
            while time.time() < until and not asked.board.is_closing:
                if time.time() - looked > PATIENCE:
                    looked = time.time()
                    try:
                        await run_in_threadpool(good, asked.rooms, asked.request)
                    except Problem:
                        return  # revoked, or the class is over
                if (now := view.tag) != tag:
                    tag = now
                    yield f"event: board\nid: {number}\ndata: {view.as_json()}\n\n"
                for message in asked.feed.after(number):
                    number = message.number
                    said = json.dumps(as_json(asked.board, message))
                    yield f"event: message\nid: {number}\ndata: {said}\n\n"
                await asyncio.sleep(PACE)
                try:
                    await asyncio.wait_for(woken.wait(), min(QUIET, max(0.0, until - time.time())))
                except TimeoutError:
                    yield HEARTBEAT
                woken.clear()

    return LongResponse(stream(int(last)), headers=PLAIN, media_type="text/event-stream")
