"""The class's API for a notebook and a terminal: OAuth's device flow, and requests with a token.

Only the standard library, so that a kernel that joins loads nothing more.
"""

from __future__ import annotations

import hashlib
import json
import time
import uuid
from dataclasses import replace
from http.client import HTTPException
from typing import Any
from urllib.error import HTTPError
from urllib.parse import urlencode, urlsplit
from urllib.request import ProxyHandler, Request, build_opener

from . import membership
from .membership import Membership

PATIENCE = 40.0  # seconds for an answer: the server lets a poll wait for 25
DEVICE_CODE = "urn:ietf:params:oauth:grant-type:device_code"


class InOneLine(Exception):
    """What a learner is told in one line, in place of a traceback."""

    def _render_traceback_(self) -> list[str]:
        return [f"{type(self).__name__}: {self}"]


class Refused(InOneLine):
    """The class says no; `status` is that of HTTP, `error` OAuth's word for it."""

    def __init__(self, status: int, words: str, error: str = "", wait: float = 0) -> None:
        super().__init__(words)
        self.status, self.error, self.wait = status, error, wait


class Unreachable(InOneLine, ConnectionError):
    """The class cannot be reached, or does not answer as one."""


class NotJoined(Refused):
    """There is no membership, or the class has ended it."""

    def __init__(self) -> None:
        super().__init__(401, "You are in no class: join one first.")


def join(at: str, code: str, name: str, client: str, personal_code: str = "") -> Membership:
    """Become a learner of the class at an address, by the device flow, and keep that on disk.

    It does what a person with a browser would: it fills in the form at /device, with the user
    code that it was just given. With a name's personal code it is the learner of that name.
    """
    known, access, refresh = _let_in(at, code, name, client, personal_code)
    personal = send(at, "GET", "/api/v1/me", token=access)["personal_code"]
    member = Membership(at, code, name, known, personal, client, access, refresh)
    membership.write(member)
    return member


def _let_in(at: str, code: str, name: str, client: str, personal: str) -> tuple[str, str, str]:
    """Return the learner's name, an access token and a refresh token."""
    asked = send(at, "POST", "/oauth/device", form={"client_id": client, "scope": "learner"})
    # another class learns nothing with which its owner could come as this learner
    key = hashlib.sha256(f"{membership.key()} {at}".encode()).hexdigest()
    person = {"join_code": code, "name": name, "key": key}
    person |= {"personal_code": personal} if personal else {}
    known = send(at, "POST", "/device", form={**person, "user_code": asked["user_code"]})["name"]
    poll = {
        "grant_type": DEVICE_CODE,
        "device_code": asked["device_code"],
        "client_id": client,
    }
    while True:
        try:
            tokens = send(at, "POST", "/oauth/token", form=poll)
            break
        except Refused as refused:
            if refused.error not in ("authorization_pending", "slow_down"):
                raise
            time.sleep(asked.get("interval", 5) * (2 if refused.error == "slow_down" else 1))
    return known, tokens["access_token"], tokens["refresh_token"]


def call(method: str, path: str, body: Any = None, *, key: str | None = None) -> Any:
    """Return what the class answers to the member of this machine, None if it has no content.

    A token that has expired is exchanged once. A write without a key gets one.
    """
    member = membership.read()
    if member is None:
        raise NotJoined
    key = key or (uuid.uuid4().hex if method != "GET" else None)
    try:
        return send(member.at, method, f"/api/v1/{path}", body, token=member.access_token, key=key)
    except Refused as refused:
        if refused.status != 401:
            raise
    token = _next_token(member)
    return send(member.at, method, f"/api/v1/{path}", body, token=token, key=key)


def leave() -> None:
    """End the membership of this machine; the class is told if it can be reached."""
    member = membership.read()
    membership.forget()
    if member is not None:
        form = {"token": member.refresh_token, "client_id": member.client}
        try:
            send(member.at, "POST", "/oauth/revoke", form=form)
        except (Refused, Unreachable):
            return


def _next_token(old: Membership) -> str:
    with membership.locked():
        member = membership.read()
        if member is None or member.id != old.id:
            raise NotJoined
        if member.access_token != old.access_token:
            return member.access_token  # another kernel was faster
        form = {
            "grant_type": "refresh_token",
            "refresh_token": member.refresh_token,
            "client_id": member.client,
        }
        try:
            tokens = send(member.at, "POST", "/oauth/token", form=form)
            access, refresh = tokens["access_token"], tokens["refresh_token"]
        except Refused as refused:
            if refused.error not in ("invalid_grant", "invalid_client"):
                raise
            access, refresh = _come_back(member)
        membership.write(replace(member, access_token=access, refresh_token=refresh))
        return str(access)


def _come_back(member: Membership) -> tuple[str, str]:
    """Return new tokens for a learner whose last ones never arrived, or have run out."""
    try:
        who = member.at, member.code, member.asked, member.client, member.personal_code
        _, access, refresh = _let_in(*who)
        return access, refresh
    except Refused as refused:
        if refused.status not in (403, 409, 410):
            raise
        membership.forget()
        raise NotJoined from None


def send(
    at: str,
    method: str,
    path: str,
    body: Any = None,
    *,
    form: dict[str, str] | None = None,
    token: str | None = None,
    key: str | None = None,
) -> Any:
    """Make one request and return its JSON. Raises Refused or Unreachable, with words to show."""
    headers = {"Accept": "application/json"}
    headers |= {"Authorization": f"Bearer {token}"} if token else {}
    headers |= {"Idempotency-Key": key} if key else {}
    data = urlencode(form).encode() if form is not None else None
    if body is not None:
        headers["Content-Type"] = "application/json"
        data = json.dumps(body).encode()
    elif method == "POST" and data is None:
        data = b""
    # A proxy of the network outside knows nothing of this machine.
    here = urlsplit(at).hostname in ("127.0.0.1", "localhost", "::1")
    opener = build_opener(ProxyHandler({}) if here else ProxyHandler())
    try:
        request = Request(at.rstrip("/") + path, data, headers, method=method)
        with opener.open(request, timeout=PATIENCE) as reply:
            text = reply.read()
            return json.loads(text) if text and "json" in reply.headers.get_content_type() else None
    except HTTPError as error:
        with error:
            raise _refused(error) from None
    except (OSError, HTTPException, ValueError) as error:
        words = f"The class at {at} cannot be reached ({error}). Is the address right?"
        raise Unreachable(words) from None


def _refused(error: HTTPError) -> Refused | Unreachable:
    try:
        said = json.loads(error.read(100_000))
        words = said.get("detail") or said.get("error_description") or said["error"]
        wait = float(error.headers.get("Retry-After", 0))
        return Refused(error.code, str(words), str(said.get("error", "")), wait)
    except (OSError, HTTPException, ValueError, LookupError, AttributeError):
        return Unreachable(f"What answers there is no class: {error}.")  # a wifi's login page, say
