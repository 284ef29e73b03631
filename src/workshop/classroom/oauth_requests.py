"""Requests to the addresses of OAuth: from where, what they hold, how they are answered."""

from __future__ import annotations

import re
from typing import Any

from authlib.oauth2.rfc6749 import InvalidRequestError, OAuth2Request
from authlib.oauth2.rfc6749.requests import BasicOAuth2Payload
from starlette.requests import Request
from starlette.responses import Response

from workshop.classroom import rate_limits
from workshop.classroom.problems import Problem, as_json
from workshop.classroom.request_bodies import read_form
from workshop.classroom.rooms import Rooms

Answer = tuple[int, Any, list[tuple[str, str]]]  # status, body, headers
_HOST = re.compile(r"[A-Za-z0-9.:\[\]_-]{1,255}")
_SAFE = re.compile(r"[\x20\x21\x23-\x5b\x5d-\x7e]{0,2000}")  # what an OAuth error may quote


class Payload(BasicOAuth2Payload):  # type: ignore[misc]
    """The parameters of a request, as Authlib reads them."""

    def __init__(self, pairs: list[tuple[str, str]]) -> None:
        super().__init__(dict(pairs))
        self._datalist: dict[str, list[str]] = {}
        for name, value in pairs:
            self._datalist.setdefault(name, []).append(value)


class FormRequest(OAuth2Request):  # type: ignore[misc]
    """A request to an OAuth endpoint: `parameters` are its own, whatever else a form has."""

    def __init__(self, method: str, parameters: list[tuple[str, str]], headers: Any = None) -> None:
        super().__init__(method, "https://class/", headers=dict(headers or {}))
        self.payload = Payload(parameters)

    @property
    def args(self) -> Any:
        """The parameters."""
        return self.payload.data

    form = args

    def check(self) -> None:
        """Raise InvalidRequestError for what is given twice, or cannot be quoted in an answer."""
        for name, values in self.payload.datalist.items():
            if len(values) > 1:
                raise InvalidRequestError("a parameter is given twice")
            if name != "state" and not _SAFE.fullmatch(values[0]):
                raise InvalidRequestError("a parameter has characters that OAuth does not allow")


def base_of(request: Request) -> str:
    """The address at which this server was asked; Problem 400 for one that is none."""
    host = request.headers.get("host", "")
    if not _HOST.fullmatch(host):
        raise Problem(400, "Host: the name or address of this server")
    return f"{request.url.scheme}://{host}"


def address_of(request: Request) -> str:
    """Where the client is: the other end of the connection, whatever its headers say."""
    return request.client.host if request.client else "unknown"


async def own_form(request: Request) -> dict[str, str]:
    """The form, if it comes from a page of ours or from no page at all."""
    origin = request.headers.get("origin")
    if origin not in (None, base_of(request)):
        raise Problem(403, "this form is sent from another site's page")
    return dict(await read_form(request))


def count(request: Request) -> None:
    """Count a request without a token; Problem 429 if its address has made too many."""
    rooms: Rooms = request.app.state.rooms
    rate_limits.limit(rooms, f"address {address_of(request)}", rate_limits.FROM_ADDRESS)


def as_response(answer: Answer) -> Response:
    """The answer as it is sent; a redirect as one that is followed by GET."""
    status, body, headers = answer
    given = {name: value for name, value in headers if name != "Content-Type"}
    return as_json(None if body == "" else body, 303 if status == 302 else status, given)
