"""The pages, each one file with its style and script inside.

No page runs a script or a style but its own, which its policy names by hash. The server puts
nothing into them: what a page shows it asks the API for, like any other client.
"""

from __future__ import annotations

import base64
import hashlib
import re
from collections.abc import Awaitable, Callable
from pathlib import Path

from starlette.requests import Request
from starlette.responses import Response

from workshop.classroom.problems import PLAIN

Page = Callable[[Request], Awaitable[Response]]
_FRAME = """<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>{title}</title>
<link rel="icon" href="data:,">
<style>{style}</style>
</head>
<body>
{body}{script}</body>
</html>
"""
_SCRIPT = "<noscript><p>This page needs JavaScript.</p></noscript>\n<script>{}</script>\n"


def framed(title: str, name: str, forms: str = "'self'") -> tuple[str, dict[str, str]]:
    """A page and its headers: what all pages share is put before its own style and script.

    `forms` are the places to which its forms may lead.
    """
    text, policy = _read(name), "default-src 'none'; base-uri 'none'; frame-ancestors 'none'; "
    policy += f"connect-src 'self'; img-src data:; form-action {forms}"
    parts = {}
    for tag, shared in (("style", "shared.css"), ("script", "shared.js")):
        own = re.findall(f"<{tag}>(.*?)</{tag}>\n", text, re.DOTALL)
        text = re.sub(f"<{tag}>.*?</{tag}>\n", "", text, flags=re.DOTALL)
        parts[tag] = "".join([_read(shared), *own]) if own or tag == "style" else ""
        if parts[tag]:
            digest = hashlib.sha256(parts[tag].encode()).digest()
            policy += f"; {tag}-src 'sha256-{base64.b64encode(digest).decode()}'"
    if parts["script"]:
        parts["script"] = _SCRIPT.format(parts["script"])
    # with no referrer at all, a form's origin is not told either
    headers = {**PLAIN, "Content-Security-Policy": policy, "Referrer-Policy": "same-origin"}
    return _FRAME.format(title=title, body=text, **parts), headers


def _read(name: str) -> str:
    return (Path(__file__).parent / "pages" / name).read_text(encoding="utf-8")


def _page(title: str, name: str) -> Page:
    text, headers = framed(title, name)

    async def serve(request: Request) -> Response:
        return Response(text, headers=headers, media_type="text/html; charset=utf-8")

    return serve


PAGES = {
    "/": _page("The class", "learner.html"),
    "/teach": _page("The class, for its instructor", "teach.html"),
    "/projector": _page("The class, on the screen", "projector.html"),
}
