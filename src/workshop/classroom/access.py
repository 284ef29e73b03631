"""Who asks: the bearer token of a request (RFC 6750), and how often it has asked."""

from __future__ import annotations

import re
import time

from starlette.requests import Request

from workshop.classroom import rate_limits
from workshop.classroom import token_store as store
from workshop.classroom.opening import digest_of
from workshop.classroom.problems import Problem
from workshop.classroom.rooms import Rooms
from workshop.classroom.token_store import ACCESS, Grant


def token_of(request: Request) -> str:
    """The token as it was sent; empty if there is none."""
    found = re.fullmatch(r"(?i:bearer) +(\S+)", request.headers.get("authorization", ""))
    return found[1] if found else ""


def good(rooms: Rooms, request: Request) -> Grant:
    """What the request's token stands for; Problem 401 if it was revoked, has expired, or is none.

    Asked again when a request has waited: what was good then may not be now.
    """
    token = token_of(request)
    grant = store.get(rooms.redis, "token", token) if token else None
    if grant is None or grant.kind != ACCESS or grant.is_expired():
        reason = 'Bearer error="invalid_token"' if token else "Bearer"
        raise Problem(401, "an access token is needed", WWW_Authenticate=reason)
    return grant


def grant_of(rooms: Rooms, request: Request, scopes: frozenset[str]) -> Grant:
    """The same, for a token that opens one of the scopes (else 403) and is not too quick (429)."""
    grant = good(rooms, request)
    if grant.user is None or not grant.user.scopes & scopes:
        raise Problem(403, f"this needs the scope {' or '.join(sorted(scopes))}")
    who = f"token {digest_of(token_of(request))[:32]}"
    rate_limits.limit(rooms.redis, rooms.sql, who, rate_limits.REQUESTS, time.time())
    return grant
