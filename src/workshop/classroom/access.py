"""Who asks: the bearer token of a request (RFC 6750), and how often its owner has asked."""

from __future__ import annotations

import re

from starlette.requests import Request

from workshop.classroom import rate_limits
from workshop.classroom import token_store as store
from workshop.classroom.joining import INSTRUCTOR
from workshop.classroom.oauth_requests import address_of
from workshop.classroom.problems import Problem
from workshop.classroom.rooms import Rooms
from workshop.classroom.token_store import ACCESS, Grant


def token_of(request: Request) -> str:
    """The token as it was sent; empty if there is none."""
    found = re.fullmatch(r"(?i:bearer) +(\S+)", request.headers.get("authorization", ""))
    return found[1] if found else ""


def good(rooms: Rooms, request: Request) -> Grant:
    """What the request's token stands for; Problem 401 if it was revoked, has expired, or is none.

    Asked again when a request has waited: what was good then may not be now. Who is refused too
    often gets a 429 unseen: an address for what no class of ours made, else the token itself. So
    an address from which garbage comes stays open to the tokens of the others there.
    """
    token, refusals = token_of(request), request.app.state.refusals
    who = token if store.is_made(rooms.key, ACCESS, token) else address_of(request)
    refusals.check(who)
    grant = store.get(rooms.redis, "token", token) if token else None
    if grant is None or grant.kind != ACCESS or grant.is_expired():
        refusals.add(who)
        reason = 'Bearer error="invalid_token"' if token else "Bearer"
        raise Problem(401, "an access token is needed", WWW_Authenticate=reason)
    return grant


def grant_of(rooms: Rooms, request: Request, scopes: frozenset[str]) -> Grant:
    """The same, for a token that opens one of the scopes (else 403), of who is not too quick."""
    grant = good(rooms, request)
    assert grant.user is not None
    share = rate_limits.SHARED if grant.user.id == INSTRUCTOR else 1
    rate_limits.limit(rooms, f"person {grant.user.id}", rate_limits.REQUESTS * share)
    if not grant.user.scopes & scopes:
        raise Problem(403, f"this needs the scope {' or '.join(sorted(scopes))}")
    return grant
