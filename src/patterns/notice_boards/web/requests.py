"""What a request asks for, whether anybody still waits for its answer, and how it is refused."""

from __future__ import annotations

import json
import re

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response

from .._checks import check_version

PLAIN = {"Cache-Control": "no-store", "X-Content-Type-Options": "nosniff"}
_NAME = re.compile(r"[A-Za-z0-9_.~:-]{1,100}")
_SECONDS = re.compile(r"\d{1,2}(\.\d{1,3})?")


def board_name(request: Request) -> str:
    """The board that the address names; 400 if no board of a page can be called that."""
    name: str = request.path_params["name"]
    if not _NAME.fullmatch(name):
        raise HTTPException(400, "a board's name has 1 to 100 letters, digits or any of _.~:-")
    return name


def asked_for(request: Request) -> dict[str, str]:
    """What is asked for; 400 for anything else than one `after` and one `wait`."""
    given = request.query_params.multi_items()
    asked = dict(given)
    if len(asked) < len(given) or not asked.keys() <= {"after", "wait"}:
        raise HTTPException(400, "after=VERSION and wait=SECONDS, once each, are all there is")
    if "wait" in asked and not _SECONDS.fullmatch(asked["wait"]):
        raise HTTPException(400, "wait is a number of seconds")
    if "after" in asked:
        asked["after"] = as_version(asked["after"]) or ""
    return asked


def as_version(text: str | None) -> str | None:
    """The version that was sent, or None; 400 if it is none."""
    try:
        check_version(text)
    except ValueError as error:
        raise HTTPException(400, str(error)) from None
    return text


async def until_gone(request: Request) -> None:
    """Return when the client has closed the connection: nobody is there to answer."""
    while (await request.receive())["type"] != "http.disconnect":
        pass


async def refused(request: Request, error: Exception) -> Response:
    """Answer with the reason, as JSON."""
    assert isinstance(error, HTTPException)
    text = json.dumps({"error": error.detail})
    return Response(text, error.status_code, {**PLAIN, **(error.headers or {})}, "application/json")


async def unreachable(request: Request, error: Exception) -> Response:
    """Answer 503 while Redis cannot be reached."""
    gone = HTTPException(503, "Redis cannot be reached", {"Retry-After": "1"})
    return await refused(request, gone)
