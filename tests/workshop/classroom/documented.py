"""Whether a reply is one that the OpenAPI document announces: status, media type, body."""

from __future__ import annotations

import functools
import json
import re
from collections.abc import Callable

import fastjsonschema
import httpx

from workshop.classroom.openapi import document
from workshop.classroom.operations import OPERATIONS

DOCUMENT = document(OPERATIONS)


def check(reply: httpx.Response) -> None:
    """Raise AssertionError for a reply of the API that is not announced."""
    request = reply.request
    for path, methods in DOCUMENT["paths"].items():
        pattern = re.sub(r"\{\w+\}", "[^/]+", path)
        if re.fullmatch(pattern, request.url.path) and request.method.lower() in methods:
            replies = methods[request.method.lower()]["responses"]
            assert str(reply.status_code) in replies, (request.method, path, reply.status_code)
            _check_body(reply, replies[str(reply.status_code)].get("content", {}))
            return
    assert reply.status_code in (404, 405), request.url


def _check_body(reply: httpx.Response, content: dict) -> None:
    media = reply.headers.get("content-type", "").partition(";")[0]
    assert (media in content) if content else not media, (media, list(content))
    if media.endswith("json"):
        reply.read()
        _validator(json.dumps(content[media]["schema"]))(reply.json())


@functools.cache
def _validator(schema: str) -> Callable[[object], object]:
    whole = {**json.loads(schema), "components": DOCUMENT["components"]}
    found: Callable[[object], object] = fastjsonschema.compile(whole)
    return found
