"""The pages: what a browser is given at / and /teach and /projector."""

from __future__ import annotations

import base64
import hashlib
import re
from collections.abc import Awaitable, Callable
from pathlib import Path

from starlette.requests import Request
from starlette.responses import Response

from workshop.classroom.problems import PLAIN

_FOLDER = Path(__file__).parent / "pages"
Page = Callable[[Request], Awaitable[Response]]


def _hashes(text: str, tag: str) -> str:
    inside = re.findall(f"<{tag}>(.*?)</{tag}>", text, re.DOTALL)
    digests = [base64.b64encode(hashlib.sha256(part.encode()).digest()).decode() for part in inside]
    return " ".join(f"'sha256-{digest}'" for digest in digests) or "'none'"


def policy_of(text: str) -> str:
    """What a page may do: run its own script and style, and talk to this server."""
    return (
        f"default-src 'none'; script-src {_hashes(text, 'script')}; "
        f"style-src {_hashes(text, 'style')}; connect-src 'self'; img-src data:; "
        "form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
    )


def _page(name: str) -> Page:
    async def page(request: Request) -> Response:
        file = _FOLDER / name
        text = file.read_text(encoding="utf-8") if file.exists() else "<!doctype html>"
        headers = {
            **PLAIN,
            "Content-Security-Policy": policy_of(text),
            "Referrer-Policy": "no-referrer",
        }
        return Response(text, headers=headers, media_type="text/html; charset=utf-8")

    return page


PAGES: dict[str, Page] = {
    "/": _page("learner.html"),
    "/teach": _page("teach.html"),
    "/projector": _page("projector.html"),
}
