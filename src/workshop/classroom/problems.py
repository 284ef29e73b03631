"""What a client is told when something is wrong: a problem document, as RFC 9457 has it."""

from __future__ import annotations

import json
from http import HTTPStatus

from starlette.responses import Response

PLAIN = {"Cache-Control": "no-store", "X-Content-Type-Options": "nosniff"}


class Problem(Exception):
    """A request that is refused: its status, and the reason in words."""

    def __init__(self, status: int, detail: str, **headers: str) -> None:
        super().__init__(status, detail)
        self.status, self.detail = status, detail
        self.headers = {name.replace("_", "-"): value for name, value in headers.items()}

    def document(self) -> dict[str, object]:
        """What is sent."""
        title = HTTPStatus(self.status).phrase
        return {"type": "about:blank", "title": title, "status": self.status, "detail": self.detail}

    def response(self) -> Response:
        """The reply of a route of the API."""
        text = json.dumps(self.document())
        headers = {**PLAIN, **self.headers}
        return Response(text, self.status, headers, "application/problem+json")
