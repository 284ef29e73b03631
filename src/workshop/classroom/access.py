"""Who asks: the bearer token of a request, and how often it has asked."""

from __future__ import annotations

import time
from typing import Any

from authlib.oauth2 import OAuth2Error, ResourceProtector
from authlib.oauth2.rfc6750 import BearerTokenValidator
from starlette.requests import Request

from workshop.classroom import rate_limits
from workshop.classroom import token_store as store
from workshop.classroom.opening import digest_of
from workshop.classroom.problems import Problem
from workshop.classroom.rooms import Rooms
from workshop.classroom.token_store import ACCESS, Grant


class Tokens(BearerTokenValidator):  # type: ignore[misc]
    """Authlib's checks of a bearer token, on the tokens that we keep."""

    def __init__(self, rooms: Rooms) -> None:
        super().__init__()
        self.rooms = rooms

    def authenticate_token(self, token_string: str) -> Grant | None:
        """What the token stands for, if it is an access token."""
        found = store.get(self.rooms.redis, "token", token_string)
        return found if found and found.kind == ACCESS else None


def token_of(request: Request) -> str:
    """The token as it was sent; empty if there is none."""
    return request.headers.get("authorization", "").partition(" ")[2].strip()


def grant_of(rooms: Rooms, request: Request, scopes: frozenset[str]) -> Grant:
    """What the request's token stands for; a Problem if it opens none of the scopes.

    401 without a token or with one that is not good any more, 403 without a scope, 429 for one
    that has asked too often.
    """
    protector = ResourceProtector()
    protector.register_token_validator(Tokens(rooms))
    try:
        found: Any = protector.validate_request(sorted(scopes), request)
    except OAuth2Error as error:
        if error.error == "insufficient_scope":
            raise Problem(
                403, f"this needs one of the scopes: {', '.join(sorted(scopes))}"
            ) from None
        reason = (
            "Bearer" if error.error == "missing_authorization" else 'Bearer error="invalid_token"'
        )
        raise Problem(401, "an access token is needed", WWW_Authenticate=reason) from None
    who = f"token {digest_of(token_of(request))[:32]}"
    rate_limits.limit(rooms.redis, rooms.sql, who, rate_limits.REQUESTS, time.time())
    grant: Grant = found
    return grant


def still_good(rooms: Rooms, request: Request) -> None:
    """Raise the Problem 401 if the token has expired, or was revoked, while its request waited."""
    found = store.get(rooms.redis, "token", token_of(request))
    if found is None or found.is_expired():
        raise _no_token(False)


def _no_token(is_missing: bool) -> Problem:
    reason = "Bearer" if is_missing else 'Bearer error="invalid_token"'
    return Problem(401, "an access token is needed", WWW_Authenticate=reason)
