"""The end of a class: taking it home as a table, and erasing it."""

from __future__ import annotations

import csv
import io
from datetime import UTC, datetime

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import Response

from workshop.classroom import idempotency
from workshop.classroom.access import token_of
from workshop.classroom.asked import ApiReply, Asked
from workshop.classroom.board import Board
from workshop.classroom.opening import ENDED, digest_of, opening_of
from workshop.classroom.problems import PLAIN
from workshop.classroom.rooms import Rooms
from workshop.exercises.catalogue import NAMES as EXERCISES


async def as_csv(asked: Asked) -> Response:
    """A row for each learner: when each exercise was first solved."""
    named = {**PLAIN, "Content-Disposition": 'attachment; filename="class.csv"'}
    return Response(table(asked.board), headers=named, media_type="text/csv")


async def erase(asked: Asked) -> ApiReply:
    """Forget everything: names, solves, messages, calls, and all tokens."""
    by = digest_of(token_of(asked.request), asked.key)
    await run_in_threadpool(asked.request.app.state.erase, by)
    asked.feed.messages.clear()
    asked.board.close()
    return ApiReply(204)


async def is_erased_by(request: Request) -> bool:
    """Whether this very request has erased the class: its token may be gone with the rest.

    What an error kept it from erasing is erased now.
    """
    rooms: Rooms = request.app.state.rooms
    key = idempotency.key_in(request.headers.get("idempotency-key"))
    by = digest_of(token_of(request), key)
    if await run_in_threadpool(rooms.redis.get, ENDED) != by:
        return False
    if await run_in_threadpool(opening_of, rooms.redis) is not None:
        await run_in_threadpool(request.app.state.erase, by)
    return True


def table(board: Board) -> str:
    """The grid as CSV, in UTC."""
    written = io.StringIO()
    rows = csv.writer(written, quoting=csv.QUOTE_ALL)  # for who reads ; as the separator, too
    rows.writerow(["name", *EXERCISES])
    for row in sorted(board.rows.values(), key=lambda row: row.name):
        rows.writerow([_harmless(row.name), *(_time(row.solved.get(name)) for name in EXERCISES)])
    return written.getvalue()


def _time(at: float | None) -> str:
    return "" if at is None else datetime.fromtimestamp(at, UTC).isoformat(" ", "seconds")[:19]


def _harmless(name: str) -> str:
    """A name that no spreadsheet takes for a formula."""
    return f"'{name}" if name.startswith(("=", "+", "-", "@")) else name
