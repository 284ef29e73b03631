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
{body}<noscript><p>This page needs JavaScript.</p></noscript>
<script>{script}</script>
</body>
</html>
"""


def _read(name: str) -> str:
    return (Path(__file__).parent / "pages" / name).read_text(encoding="utf-8")


def _page(title: str, name: str) -> Page:
    """Return a page: what all pages share is put before its own style and script."""
    text = _read(name)
    parts = {"style": _read("shared.css"), "script": _read("shared.js")}
    for tag in parts:
        parts[tag] += "".join(re.findall(f"<{tag}>(.*?)</{tag}>", text, re.DOTALL))
        text = re.sub(f"<{tag}>.*?</{tag}>\n", "", text, flags=re.DOTALL)
    digests = {t: base64.b64encode(hashlib.sha256(p.encode()).digest()) for t, p in parts.items()}
    headers = {
        **PLAIN,
        "Content-Security-Policy": (
            "default-src 'none'; connect-src 'self'; img-src data:; base-uri 'none'; "
            "form-action 'self'; frame-ancestors 'none'; "
            + "; ".join(f"{tag}-src 'sha256-{digest.decode()}'" for tag, digest in digests.items())
        ),
        "Referrer-Policy": "same-origin",  # with none at all, a form's origin is not told either
    }
    page = _FRAME.format(title=title, body=text, **parts)

    async def serve(request: Request) -> Response:
        return Response(page, headers=headers, media_type="text/html; charset=utf-8")

    return serve


PAGES = {
    "/": _page("The class", "learner.html"),
    "/teach": _page("The class, for its instructor", "teach.html"),
    "/projector": _page("The class, on the screen", "projector.html"),
}
