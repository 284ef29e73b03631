"""The page that asks for a code and a name, in one shape for apps and for devices."""

from __future__ import annotations

import re
import secrets
from collections.abc import Mapping
from html import escape
from string import Template

from starlette.responses import Response

from workshop.classroom.page_routes import framed
from workshop.classroom.problems import Problem

# A form's answer leads on to the app that asked, which may be on the person's own machine.
_OWN = "'self' http://127.0.0.1:* http://localhost:*"
_TEXT, HEADERS = framed("$title", "join.html", _OWN)
LABELS = {
    "user_code": "The code that your program shows",
    "join_code": "The class's join code, or the helpers' code",
    "name": "Your name, as others shall see it",
    "personal_code": "Your personal code, if you have joined before",
    "secret": "The instructor's secret",
}


def page(
    title: str,
    why: str,
    asked: tuple[str, ...] = (),
    filled: Mapping[str, str] | None = None,
    problem: Problem | None = None,
    status: int = 200,
) -> Response:
    """The page with these fields, of which some are filled in; `problem` is what went wrong.

    The form goes to the address that it came from. Without fields there is none.
    """
    fields = "\n".join(_field(name, (filled or {}).get(name, "")) for name in asked)
    if "name" in asked:  # sent once more, it is the same person
        key = escape((filled or {}).get("key") or secrets.token_urlsafe())
        fields += f'\n<input type="hidden" name="key" value="{key}">'
    alert = (
        f'<p class="problem" role="alert">{escape(_sentence(problem.detail))}</p>'
        if problem
        else ""
    )
    given = {"title": escape(title), "why": escape(why), "said": alert, "fields": fields}
    text = Template(_TEXT).substitute(given)
    if not asked:
        text = re.sub("<form.*</form>", "", text, flags=re.DOTALL)
    status = problem.status if problem else status
    return Response(text, status, HEADERS, "text/html; charset=utf-8")


def _sentence(words: str) -> str:
    """The words with a capital and a full stop."""
    return words[:1].upper() + words[1:] + ("" if words.endswith((".", "!", "?")) else ".")


def _field(name: str, value: str) -> str:
    secret = 'type="password"' if name == "secret" else 'type="text"'
    needed = "" if name == "personal_code" else " required"
    return (
        f'<label for="{name}">{LABELS[name]}</label>'
        f'<input id="{name}" name="{name}" {secret} value="{escape(value)}" autocomplete="off" '
        f'autocapitalize="off" spellcheck="false" maxlength="200"{needed}>'
    )
