"""The addresses of OAuth 2, and the two pages at which a person says who they are."""

from __future__ import annotations

import time
from collections.abc import Awaitable, Callable

from authlib.oauth2 import OAuth2Error
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from workshop.classroom import rate_limits
from workshop.classroom import token_store as store
from workshop.classroom.join_page import page
from workshop.classroom.joining import INSTRUCTOR, admit
from workshop.classroom.oauth_clients import CODE, DEVICE, SCOPES
from workshop.classroom.oauth_requests import (
    Answer,
    FormRequest,
    address_of,
    as_response,
    base_of,
    count,
    own_form,
)
from workshop.classroom.oauth_server import OAuthServer
from workshop.classroom.problems import Problem, as_json
from workshop.classroom.request_bodies import fields_of, read_form
from workshop.classroom.rooms import Rooms
from workshop.classroom.token_store import Grant

Endpoint = Callable[[Request], Awaitable[Response]]
ENTERED, SECRET = ("join_code", "name", "personal_code"), ("secret",)


async def metadata(request: Request) -> Response:
    """What RFC 8414 says that a client wants to know."""
    base = base_of(request)
    said = {
        "issuer": base,
        "authorization_endpoint": f"{base}/oauth/authorize",
        "token_endpoint": f"{base}/oauth/token",
        "device_authorization_endpoint": f"{base}/oauth/device",
        "revocation_endpoint": f"{base}/oauth/revoke",
        "scopes_supported": list(SCOPES),
        "response_types_supported": ["code"],
        "response_modes_supported": ["query"],
        "grant_types_supported": [*CODE, DEVICE],
        "code_challenge_methods_supported": ["S256"],
        "token_endpoint_auth_methods_supported": ["none"],
        "revocation_endpoint_auth_methods_supported": ["none"],
    }
    return as_json(said)


async def authorize(request: Request) -> Response:
    """Ask a person for a code and a name, and send the app a code of its own."""
    server, state = _server(request), request.app.state
    asked = FormRequest(request.method, fields_of(request.url.query))
    is_for_instructor = INSTRUCTOR in (asked.payload.scope or "").split()
    form = await own_form(request) if request.method == "POST" else {}

    def answer() -> Answer | None:
        count(request)
        asked.check()
        grant = server.get_consent_grant(asked)
        if not form:
            return None
        user = admit(state.rooms, form, asked.payload.scope, address_of(request))
        found: Answer = server.create_authorization_response(asked, grant_user=user, grant=grant)
        return found

    problem = None
    try:
        if found := await run_in_threadpool(answer):
            state.board.nudge()
            return as_response(found)
    except OAuth2Error as error:
        if error.redirect_uri:
            return as_response(server.handle_error_response(asked, error))
        return page("This app cannot ask", f"{error.error}: {error.description}", status=400)
    except Problem as found_problem:
        problem = found_problem
    who = "This page" if asked.payload.client_id == "pages" else "Your app"
    why = f"{who} will act for you in the class."
    return page("Join the class", why, SECRET if is_for_instructor else ENTERED, form, problem)


async def enter(request: Request) -> Response:
    """Let a person enter the code that a program shows, and let the program in."""
    form = await own_form(request) if request.method == "POST" else {}
    wants_json = request.headers.get("accept", "").startswith("application/json")
    problem = None
    try:
        if form:
            name = await run_in_threadpool(_approve, request, form)
            request.app.state.board.nudge()
            if wants_json:
                return as_response((200, {"name": name}, []))
            return page(f"You are in, {name}", "Go back to your program.")
    except Problem as found:
        problem = found
        if wants_json:
            return problem.response()
    why = "Your notebook or terminal will act for you in the class."
    filled = form or dict(fields_of(request.url.query))
    return page("Join the class", why, ("user_code", *ENTERED), filled, problem)


def _approve(request: Request, form: dict[str, str]) -> str:
    rooms: Rooms = request.app.state.rooms
    count(request)
    code = form.get("user_code", "").strip().upper()
    asked = store.get(rooms.redis, "user-code", code)
    if asked is None:
        guesser = f"device codes {address_of(request)}"
        rate_limits.limit(rooms, guesser, rate_limits.GUESSES)
        raise Problem(403, "no program shows this code, or not any more")
    user = admit(rooms, form, asked.get("scope"), address_of(request))
    left = asked.expires - time.time()
    grant = Grant(asked.client, user, asked.expires, "approved")
    if not store.put(rooms.redis, "approved", code, grant, max(left, 1), once=True):
        other = store.get(rooms.redis, "approved", code)
        if other is None or other.user != user:
            raise Problem(409, "somebody has entered this code already")
    return user.name


def endpoint(answer: Callable[[OAuthServer, FormRequest], Answer]) -> Endpoint:
    """An address for programs, not for people: what Authlib answers to their form."""

    async def handler(request: Request) -> Response:
        server = _server(request)
        try:
            asked = FormRequest("POST", await read_form(request), request.headers)

            def checked() -> Answer:
                count(request)
                asked.check()
                return answer(server, asked)

            return as_response(await run_in_threadpool(checked))
        except OAuth2Error as error:
            return as_response(server.handle_error_response(asked, error))
        except Problem as problem:  # before OAuth had anything to say
            said = {"error": "invalid_request", "error_description": problem.detail}
            return as_response((problem.status, said, list(problem.headers.items())))

    return handler


def _server(request: Request) -> OAuthServer:
    state = request.app.state
    return OAuthServer(state.rooms.redis, state.rooms.key, base_of(request), state.lifetimes)


PROGRAMS: dict[str, Callable[[OAuthServer, FormRequest], Answer]] = {
    "/oauth/token": lambda server, asked: server.create_token_response(asked),
    "/oauth/device": lambda s, asked: s.create_endpoint_response("device_authorization", asked),
    "/oauth/revoke": lambda s, asked: s.create_endpoint_response("revocation", asked),
}
ROUTES = [
    Route("/.well-known/oauth-authorization-server", metadata),
    Route("/oauth/authorize", authorize, methods=["GET", "POST"]),
    Route("/device", enter, methods=["GET", "POST"]),
    *(Route(path, endpoint(answer), methods=["POST"]) for path, answer in PROGRAMS.items()),
]
