"""What a client is told when something is wrong: a problem document, as RFC 9457 has it."""

from __future__ import annotations

import json
from collections.abc import Mapping
from http import HTTPStatus

from starlette.responses import Response

PLAIN = {"Cache-Control": "no-store", "X-Content-Type-Options": "nosniff"}


class Problem(Exception):
    """A request that is refused: its status, and the reason in words."""

    def __init__(self, status: int, detail: str, **headers: str) -> None:
        super().__init__(status, detail)
        self.status, self.detail = status, detail
        self.headers = {name.replace("_", "-"): value for name, value in headers.items()}

    def response(self) -> Response:
        """The reply of a route of the API."""
        said: dict[str, object] = {"type": "about:blank", "title": HTTPStatus(self.status).phrase}
        said |= {"status": self.status, "detail": self.detail}
        return as_json(said, self.status, self.headers, "application/problem+json")


def as_json(
    body: object,
    status: int = 200,
    headers: Mapping[str, str] | None = None,
    media: str = "application/json",
) -> Response:
    """A reply with this body, which nobody keeps; None is no body at all."""
    given = {**PLAIN, **(headers or {})}
    if body is None:
        return Response(status_code=status, headers=given)
    return Response(json.dumps(body, separators=(",", ":")), status, given, media)
