"""What a client sends, read with limits: size, time, and what JSON or a form may hold."""

from __future__ import annotations

import asyncio
import json
from typing import Any
from urllib.parse import parse_qsl

from starlette.requests import ClientDisconnect, Request

from workshop.classroom.problems import Problem

LARGEST = 16_384  # bytes of a body
PATIENCE = 10.0  # seconds in which it must have come
DRAINED = 2_000_000  # bytes that are read and forgotten, so that the client reads its refusal


async def read_body(request: Request) -> bytes:
    """The body; Problem 413 if it is too large, 408 if it does not come."""
    body, size = b"", 0
    try:
        async with asyncio.timeout(PATIENCE):
            async for piece in request.stream():
                size += len(piece)
                body = body + piece if size <= LARGEST else b""
                if size > DRAINED:
                    break
    except TimeoutError:
        raise Problem(408, "the body did not come in time", Connection="close") from None
    except ClientDisconnect:
        raise Problem(400, "the client hung up") from None
    if size > LARGEST:
        raise Problem(413, f"a body has at most {LARGEST:,} bytes", Connection="close")
    return body


def media_type(request: Request) -> str:
    """What the body is, without its parameters."""
    return request.headers.get("content-type", "").partition(";")[0].strip().lower()


async def read_json(request: Request) -> tuple[bytes, Any]:
    """The body and the JSON in it; a Problem if it is none, or not text that can be stored."""
    body = await read_body(request)
    if media_type(request) != "application/json":
        raise Problem(415, "the body is JSON: Content-Type: application/json")
    try:
        found = json.loads(body, parse_constant=_refuse)
        json.dumps(found, ensure_ascii=False).encode()
    except (ValueError, RecursionError):
        raise Problem(400, "the body is not JSON that is text in UTF-8") from None
    return body, found


async def read_form(request: Request) -> list[tuple[str, str]]:
    """The fields of a form; a Problem if it is none."""
    body = await read_body(request)
    if media_type(request) != "application/x-www-form-urlencoded":
        raise Problem(415, "Content-Type: application/x-www-form-urlencoded")
    return fields_of(body.decode("utf-8", "replace"))


def fields_of(text: str) -> list[tuple[str, str]]:
    """The fields of a form or a query; Problem 400 for too many."""
    try:
        found = parse_qsl(text, keep_blank_values=True, max_num_fields=30, errors="strict")
    except ValueError:
        raise Problem(400, "these are no parameters of a form") from None
    if any("\0" in name + value for name, value in found):
        raise Problem(400, "a parameter contains NUL")
    return found


def _refuse(constant: str) -> None:
    raise ValueError(f"{constant} is no JSON")
