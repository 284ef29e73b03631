"""The pages, each one file with its style and script inside, and the forms of the OAuth server.

No page runs a script or a style but its own, which its policy names by hash; none is given
anything by the server but itself: what it shows it asks the API for, like any other client.
"""

from __future__ import annotations

import base64
import hashlib
import re
from collections.abc import Mapping, Sequence
from html import escape
from pathlib import Path
from urllib.parse import urlsplit

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

_FOLDER = Path(__file__).parent
_FIELDS = {  # label, and attributes of the input
    "user_code": ("The code that your notebook or terminal shows", 'autocomplete="off"'),
    "join_code": (
        "The class's code, or your own",
        'autocomplete="off" autocapitalize="characters"',
    ),
    "name": ("Your name, as everyone shall see it", 'maxlength="40" autocomplete="nickname"'),
    "secret": ("The instructor's secret", 'type="password" autocomplete="off"'),
}


def _text(name: str) -> str:
    return (_FOLDER / name).read_text(encoding="utf-8")


def _document(title: str, main: str) -> str:
    """Return a page: what is common put before its own style and script."""
    style = "".join([_text("shared.css"), *re.findall(r"<style>(.*?)</style>", main, re.DOTALL)])
    scripts = re.findall(r"<script>(.*?)</script>", main, re.DOTALL)
    script = "".join([_text("shared.js"), *scripts]) if scripts else ""
    body = re.sub(r"<(style|script)>.*?</\1>\n?", "", main, flags=re.DOTALL)
    needs = "<noscript><p>This page needs JavaScript.</p></noscript>" if script else ""
    return (
        '<!doctype html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        f'<title>{escape(title)}</title>\n<link rel="icon" href="data:,">\n'
        f"<style>{style}</style>\n</head>\n<body>\n{body}{needs}"
        + (f"<script>{script}</script>\n" if script else "")
        + "</body>\n</html>\n"
    )


def answer(document: str, *, go_to: str = "", status: int = 200) -> Response:
    """Return a document as a reply under its policy; its forms may end at `go_to` besides here."""

    def hashes(tag: str) -> str:
        found = re.findall(f"<{tag}>(.*?)</{tag}>", document, re.DOTALL)
        digests = [base64.b64encode(hashlib.sha256(f.encode()).digest()).decode() for f in found]
        return " ".join(f"'sha256-{digest}'" for digest in digests) or "'none'"

    to = urlsplit(go_to)
    other = f" {to.scheme}://{to.netloc}" if to.scheme in ("http", "https") else f" {to.scheme}:"
    policy = (
        f"default-src 'none'; script-src {hashes('script')}; style-src {hashes('style')}; "
        "connect-src 'self'; img-src data:; base-uri 'none'; frame-ancestors 'none'; "
        f"form-action 'self'{other if to.scheme else ''}"
    )
    headers = {
        "Content-Security-Policy": policy,
        "Cache-Control": "no-store",
        "Referrer-Policy": "no-referrer",
        "X-Content-Type-Options": "nosniff",
    }
    return Response(document, status, headers=headers, media_type="text/html; charset=utf-8")


def form(
    heading: str,
    fields: Sequence[str | tuple[str, str]],
    *,
    hidden: Mapping[str, str] | None = None,
    says: str = "",
    problem: str = "",
    go_to: str = "",
    status: int = 200,
) -> Response:
    """Return a form that is posted to its own address: fields of _FIELDS, alone or with a value."""
    lines = [
        f'<input type="hidden" name="{escape(name)}" value="{escape(value)}">'
        for name, value in (hidden or {}).items()
    ]
    for field in fields:
        name, value = (field, "") if isinstance(field, str) else field
        label, more = _FIELDS[name]
        needed = "" if name == "name" else " required"
        lines.append(
            f'<label>{label} <input name="{name}" value="{escape(value)}" {more}{needed}></label>'
        )
    body = (
        f"<main><h1>{escape(heading)}</h1>\n<p>{escape(says)}</p>\n"
        f'<p class="problem" role="alert">{escape(problem)}</p>\n'
        '<form method="post">\n' + "\n".join(lines) + "\n<button>Go on</button></form></main>\n"
    )
    return answer(_document(heading, body), go_to=go_to, status=status)


def words(heading: str, says: str, status: int = 200) -> Response:
    """Return a page that only says something."""
    body = f"<main><h1>{escape(heading)}</h1>\n<p>{escape(says)}</p></main>\n"
    return answer(_document(heading, body), status=status)


def _page(path: str, title: str, name: str) -> Route:
    document = _document(title, _text(name))

    async def page(request: Request) -> Response:
        return answer(document)

    return Route(path, page, methods=["GET"])


routes = [
    _page("/", "The class", "learner.html"),
    _page("/teach", "The class, for its instructor", "teach.html"),
    _page("/projector", "The class, on the screen", "projector.html"),
]
