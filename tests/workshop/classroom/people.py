"""People in a class, as its tests need them: who join by the device flow, and use the API."""

from __future__ import annotations

import secrets
import time
from collections.abc import Callable
from typing import Any
from urllib.parse import parse_qs, urlsplit

import httpx
from authlib.oauth2.rfc7636 import create_s256_code_challenge
from tests.workshop.classroom import documented

from workshop.classroom.opening import Opening

web = httpx.Client(verify=False, timeout=120)  # one for all: each loads certificates for 30 ms
DEVICE = "urn:ietf:params:oauth:grant-type:device_code"


def until(holds: Callable[[], object], seconds: float = 120) -> Any:
    deadline = time.monotonic() + seconds
    while not (found := holds()):
        assert time.monotonic() < deadline, "it did not happen"
        time.sleep(0.1)  # a token may make 600 requests a minute
    return found


class Person:
    """A client of the API with a token."""

    def __init__(self, url: str, token: dict[str, Any]) -> None:
        self.token = token
        bearer = {"Authorization": f"Bearer {token['access_token']}"}
        hooks = {"response": [documented.check]}  # every reply that a test sees is announced
        self.http = httpx.Client(
            base_url=f"{url}/api/v1", headers=bearer, timeout=120, event_hooks=hooks, verify=False
        )

    def get(self, path: str, **headers: str) -> httpx.Response:
        return self.http.get(path, headers=headers)

    def write(self, method: str, path: str, body: object = None, key: str = "") -> httpx.Response:
        headers = {"Idempotency-Key": key or secrets.token_hex(8)}
        given = {} if body is None else {"json": body}
        return self.http.request(method, path, headers=headers, **given)

    def post(self, path: str, body: object = None, key: str = "") -> httpx.Response:
        return self.write("POST", path, body, key)

    def solve(self, exercise: str, key: str = "", **more: object) -> httpx.Response:
        return self.post("/attempts", {"exercise": exercise, "passed": True, **more}, key)


def join(url: str, code: str, name: str, scope: str = "learner", **form: str) -> Person:
    """Join by the device flow, as a notebook does."""
    asked = {"client_id": "notebook", "scope": scope}
    codes = web.post(f"{url}/oauth/device", data=asked).json()
    entered = {"user_code": codes["user_code"], "join_code": code, "name": name, **form}
    accept = {"Accept": "application/json"}
    said = web.post(f"{url}/device", data=entered, headers=accept)
    if said.status_code != 200:
        raise NotLetIn(said)
    wanted = {"grant_type": DEVICE, "device_code": codes["device_code"], "client_id": "notebook"}
    got = web.post(f"{url}/oauth/token", data=wanted)
    assert got.status_code == 200, got.text
    return Person(url, got.json())


class NotLetIn(Exception):
    def __init__(self, said: httpx.Response) -> None:
        super().__init__(said.status_code, said.text)
        self.said = said


def authorize(url: str, scope: str, **form: str) -> tuple[httpx.Response, dict[str, str]]:
    """Fill in the form that a page leads to; what to exchange the code with."""
    verifier = secrets.token_urlsafe(48)
    there = f"{url}/teach"
    asked = {
        "response_type": "code",
        "client_id": "pages",
        "redirect_uri": there,
        "scope": scope,
        "state": "a state",
        "code_challenge": create_s256_code_challenge(verifier),
        "code_challenge_method": "S256",
    }
    said = web.post(f"{url}/oauth/authorize", params=asked, data=form)
    wanted = {"grant_type": "authorization_code", "client_id": "pages"}
    return said, {**wanted, "redirect_uri": there, "code_verifier": verifier}


def teacher(url: str, opening: Opening) -> Person:
    said, wanted = authorize(url, "instructor helper", secret=opening.secret)
    code = parse_qs(urlsplit(said.headers["location"]).query)["code"][0]
    return Person(url, web.post(f"{url}/oauth/token", data={**wanted, "code": code}).json())
