"""OAuth 2: two client libraries as they are, and what the server must refuse."""

from __future__ import annotations

import time
from typing import Any
from urllib.parse import parse_qs, urlsplit

import httpx
import pytest
from authlib.integrations.requests_client import OAuth2Session as AuthlibSession
from oauthlib.oauth2 import DeviceClient
from redis import Redis
from requests_oauthlib import OAuth2Session
from tests.workshop.classroom.people import DEVICE, NotLetIn, Person, authorize, join, teacher, web

from workshop.class_in_a_notebook import fresh_class
from workshop.classroom import token_store
from workshop.classroom.opening import digest_of
from workshop.classroom.start import ClassServer
from workshop.classroom.token_store import GRACE, Lifetimes

APP, THERE = "app", "http://127.0.0.1:1/callback"


@pytest.fixture
def here(running: ClassServer, monkeypatch: pytest.MonkeyPatch) -> str:
    monkeypatch.setenv("OAUTHLIB_INSECURE_TRANSPORT", "1")  # loopback, for the libraries
    monkeypatch.setenv("AUTHLIB_INSECURE_TRANSPORT", "1")
    return running.url


def enter(running: ClassServer, address: str, name: str) -> str:
    """Fill in the form at the address as a person does; where that leads to."""
    assert "<form" in web.get(address).text
    form = {"join_code": running.opening.join_code.lower().replace("-", " "), "name": name}
    said = web.post(address, data=form)
    assert said.status_code == 303, said.text
    return said.headers["location"]


def test_authlib_gets_a_token_by_code_uses_refreshes_and_revokes_it(
    running: ClassServer, here: str
) -> None:
    known = web.get(f"{here}/.well-known/oauth-authorization-server").json()
    session = AuthlibSession(
        APP,
        scope="learner",
        redirect_uri=THERE,
        code_challenge_method="S256",
        token_endpoint_auth_method="none",
        revocation_endpoint_auth_method="none",
    )
    verifier = "v" * 64
    address, state = session.create_authorization_url(
        known["authorization_endpoint"], code_verifier=verifier
    )
    back = enter(running, address, "Authlib")
    token = session.fetch_token(
        known["token_endpoint"], authorization_response=back, state=state, code_verifier=verifier
    )
    assert (token["scope"], token["token_type"]) == ("learner", "Bearer")
    assert session.get(f"{here}/api/v1/me").json()["name"] == "Authlib"
    old = token["access_token"]
    new = session.refresh_token(known["token_endpoint"])
    assert new["access_token"] != old
    assert session.get(f"{here}/api/v1/me").status_code == 200
    session.revoke_token(known["revocation_endpoint"], new["access_token"])
    assert session.get(f"{here}/api/v1/me").status_code == 401
    wanted = {"grant_type": "refresh_token", "refresh_token": new["refresh_token"]}
    again = web.post(known["token_endpoint"], data={**wanted, "client_id": APP})
    assert (again.status_code, again.json()["error"]) == (400, "invalid_grant")


def test_requests_oauthlib_gets_a_token_by_code(running: ClassServer, here: str) -> None:
    session = OAuth2Session(APP, redirect_uri=THERE, scope=["learner"], pkce="S256")
    address, _ = session.authorization_url(f"{here}/oauth/authorize")
    back = enter(running, address, "oauthlib")
    session.fetch_token(f"{here}/oauth/token", authorization_response=back, include_client_id=True)
    assert session.get(f"{here}/api/v1/me").json()["name"] == "oauthlib"
    token = session.refresh_token(f"{here}/oauth/token", client_id=APP)
    assert token["scope"] == ["learner"]


def test_requests_oauthlib_gets_a_token_by_device(running: ClassServer, here: str) -> None:
    session = OAuth2Session(client=DeviceClient(APP, scope="learner"))
    codes = web.post(f"{here}/oauth/device", data={"client_id": APP, "scope": "learner"}).json()
    ask = {"device_code": codes["device_code"], "include_client_id": True}
    with pytest.raises(Exception, match="authorization_pending"):
        session.fetch_token(f"{here}/oauth/token", **ask)
    page = web.get(codes["verification_uri_complete"]).text
    assert codes["user_code"] in page
    form = {"user_code": codes["user_code"], "join_code": running.opening.join_code}
    said = web.post(codes["verification_uri"], data={**form, "name": "device <b>"})
    assert "device &lt;b&gt;" in said.text
    session.fetch_token(f"{here}/oauth/token", **ask)
    assert session.get(f"{here}/api/v1/me").json()["name"] == "device <b>"


def code_in(said: httpx.Response) -> str:
    return parse_qs(urlsplit(said.headers["location"]).query)["code"][0]


def exchanged(url: str, wanted: dict[str, str]) -> httpx.Response:
    return web.post(f"{url}/oauth/token", data=wanted)


def test_a_code_is_for_who_knows_the_verifier_and_fades_once_used(running: ClassServer) -> None:
    url, form = running.url, {"join_code": running.opening.join_code, "key": "a secret of Once"}
    said, wanted = authorize(url, "learner", name="Once", **form)
    wrong = {**wanted, "code": code_in(said), "code_verifier": "w" * 64}
    assert exchanged(url, wrong).json()["error"] == "invalid_grant"
    said, wanted = authorize(url, "learner", name="Once", **form)
    good = {**wanted, "code": code_in(said)}
    assert exchanged(url, {**good, "redirect_uri": f"{url}/"}).status_code == 400
    said, wanted = authorize(url, "learner", name="Once", **form)
    good = {**wanted, "code": code_in(said)}
    assert exchanged(url, good).status_code == 200
    assert exchanged(url, good).status_code == 200  # its first answer may have been lost
    kept = f"class:code:{digest_of(good['code'])}"
    assert 0 < running.rooms.redis.ttl(kept) <= GRACE
    assert exchanged(url, {**good, "code_verifier": "w" * 64}).status_code == 400


@pytest.mark.parametrize(
    ("change", "error"),
    [
        ({"redirect_uri": "https://evil.example/"}, "invalid_request"),
        ({"redirect_uri": 'http://127.0.0.1/"\\'}, "invalid_request"),
        ({"client_id": "nobody"}, "invalid_client"),
        ({"client_id": "notebook"}, "invalid_request"),
        ({"response_type": "token"}, "unsupported_response_type"),
    ],
)
def test_a_request_that_is_not_ours_is_not_led_anywhere(
    running: ClassServer, change: dict[str, str], error: str
) -> None:
    asked = {
        "response_type": "code",
        "client_id": "pages",
        "redirect_uri": f"{running.url}/evil",
        "code_challenge": "c" * 43,
        "code_challenge_method": "S256",
    }
    said = web.get(f"{running.url}/oauth/authorize", params={**asked, **change})
    assert said.status_code == 400
    assert "location" not in said.headers
    assert error in said.text


@pytest.mark.parametrize("method", ["plain", None])
def test_pkce_is_required_and_never_plain(running: ClassServer, method: str | None) -> None:
    asked = {"response_type": "code", "client_id": APP, "redirect_uri": THERE, "state": "s"}
    challenge = {"code_challenge": "c" * 43, "code_challenge_method": method} if method else {}
    said = web.get(f"{running.url}/oauth/authorize", params={**asked, **challenge})
    assert said.headers["location"].startswith(f"{THERE}?error=invalid_request")


def test_a_join_code_makes_no_instructor(running: ClassServer) -> None:
    code = running.opening.join_code
    with pytest.raises(NotLetIn) as refused:
        join(running.url, code, "Mallory", scope="instructor helper")
    assert refused.value.said.status_code == 403
    assert (
        join(running.url, code, "Mallory", scope="learner instructor").token["scope"] == "learner"
    )
    helper = join(running.url, running.opening.helper_code, "Hal of OAuth", scope="helper")
    assert helper.token["scope"] == "helper"
    assert helper.get("/attempts").status_code == 403


def test_a_refresh_token_opens_nothing_and_fades_after_use(running: ClassServer) -> None:
    person = join(running.url, running.opening.join_code, "Rita")
    as_access = {"access_token": person.token["refresh_token"]}
    assert Person(running.url, as_access).get("/me").status_code == 401
    wanted = {"grant_type": "refresh_token", "client_id": "notebook"}
    wanted["refresh_token"] = person.token["refresh_token"]
    assert exchanged(running.url, wanted).status_code == 200
    assert exchanged(running.url, wanted).status_code == 200, "its reply was lost: once more"
    key = f"class:token:{digest_of(wanted['refresh_token'])}"
    assert 0 < running.rooms.redis.ttl(key) <= 60
    assert exchanged(running.url, {**wanted, "client_id": "terminal"}).status_code == 400


def refreshed(running: ClassServer, token: dict[str, str]) -> dict[str, str]:
    """What the token's pair is exchanged for, or the error."""
    wanted = {"grant_type": "refresh_token", "client_id": "notebook"}
    said = exchanged(running.url, {**wanted, "refresh_token": token["refresh_token"]}).json()
    return {**said, **({"error": ""} if "access_token" in said else {})}


def forget(running: ClassServer, token: dict[str, str]) -> None:
    """Let the minute pass in which a refresh token may be exchanged once more."""
    place = f"class:token:{digest_of(token['refresh_token'])}"
    assert running.rooms.redis.pexpire(place, 0)


def may(running: ClassServer, token: dict[str, str]) -> bool:
    return Person(running.url, token).get("/me").status_code == 200


def revoke(running: ClassServer, secret: str) -> int:
    form = {"token": secret, "client_id": "notebook"}
    return web.post(f"{running.url}/oauth/revoke", data=form).status_code


def test_a_refresh_token_that_was_stolen_ends_all_that_descend_from_it(
    running: ClassServer,
) -> None:
    """RFC 9700, 4.14.2: whoever of the two comes second, neither has a token then."""
    code = running.opening.join_code
    first, other = (join(running.url, code, "Rob", key="Rob's").token for _ in range(2))
    second = refreshed(running, first)
    third = refreshed(running, second)
    forget(running, first)
    assert may(running, second)
    assert may(running, third)
    assert refreshed(running, first)["error"] == "invalid_grant"
    assert not any(may(running, token) for token in (first, second, third))
    assert refreshed(running, third)["error"] == "invalid_grant"
    assert may(running, other), "a person's other device is another family"


def test_of_two_exchanges_of_one_token_one_stands(running: ClassServer) -> None:
    """The second is by who had no answer, or by a thief: who has the first one's finds out."""
    first = join(running.url, running.opening.join_code, "Ruth").token
    lost, found = refreshed(running, first), refreshed(running, first)
    assert not may(running, lost)
    assert may(running, found)
    assert refreshed(running, lost)["error"] == "invalid_grant"
    assert not may(running, found)


def test_a_token_that_is_revoked_while_it_is_exchanged_leaves_none(
    running: ClassServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = join(running.url, running.opening.join_code, "Rudi").token
    put = token_store.put

    def revoked_meanwhile(redis: Redis, place: str, secret: str, *more: Any) -> bool:
        token_store.end_family(redis, first["refresh_token"])
        return put(redis, place, secret, *more)

    monkeypatch.setattr(token_store, "put", revoked_meanwhile)
    assert not may(running, refreshed(running, first))


def test_an_old_access_token_or_one_of_nobody_ends_no_family(running: ClassServer) -> None:
    first = join(running.url, running.opening.join_code, "Rosa").token
    family = first["refresh_token"].partition(".")[0]
    for made_up in (first["access_token"], f"{family}.x.y", f"{family}..", family, "\u00e9.x.y"):
        assert refreshed(running, {"refresh_token": made_up})["error"].startswith("invalid_")
    assert may(running, first)


@pytest.mark.parametrize("which", ["the last", "an exchanged one", "an access token"])
def test_a_token_that_is_revoked_takes_its_family_along(running: ClassServer, which: str) -> None:
    first = join(running.url, running.opening.join_code, f"Rene, {which}").token
    second = refreshed(running, first)
    forget(running, first)
    kind = "access_token" if "access" in which else "refresh_token"
    assert revoke(running, (first if "exchanged" in which else second)[kind]) == 200
    assert not may(running, second)
    assert refreshed(running, second)["error"] == "invalid_grant"


def test_nothing_of_a_token_is_stored_but_its_hash(running: ClassServer) -> None:
    person = join(running.url, running.opening.join_code, "Hash")
    redis = running.rooms.redis
    stored = " ".join(f"{name} {redis.dump(name)!r}" for name in redis.scan_iter("class:*"))
    for secret in (person.token["access_token"], person.token["refresh_token"]):
        assert secret not in stored


def test_a_name_belongs_to_who_took_it_first(running: ClassServer) -> None:
    url, code = running.url, running.opening.join_code
    first = join(url, code, "Ada", key="a secret of Ada's client").get("/me").json()
    for name in ("Ada", " ada ", "\uff21\uff24\uff21"):
        with pytest.raises(NotLetIn) as refused:
            join(url, code, name)
        assert refused.value.said.status_code == 409
    with pytest.raises(NotLetIn) as refused:
        join(url, code, "Ada", personal_code="BBBBBB")
    assert refused.value.said.status_code == 403
    for way in ({"key": "a secret of Ada's client"}, {"personal_code": first["personal_code"]}):
        assert join(url, code, "Ada", **way).get("/me").json()["id"] == first["id"]


@pytest.mark.parametrize("name", ["", "   ", "x" * 41, "a\x07b", "a\u202eb", "a\u200bb"])
def test_what_is_no_name(running: ClassServer, name: str) -> None:
    with pytest.raises(NotLetIn) as refused:
        join(running.url, running.opening.join_code, name)
    assert refused.value.said.status_code == 400


def test_a_form_of_another_site_is_refused(running: ClassServer) -> None:
    form = {"user_code": "BBBB-BBBB", "join_code": running.opening.join_code, "name": "x"}
    said = web.post(f"{running.url}/device", data=form, headers={"Origin": "http://evil.example"})
    assert said.status_code == 403
    assert "another site" in said.text


def test_a_token_that_expires_while_a_poll_waits() -> None:
    with fresh_class("expiring", lifetimes=Lifetimes(access=2, refresh=60)) as running:
        ada = join(running.url, running.opening.join_code, "Ada")
        tag = ada.get("/board").headers["etag"]
        began = time.monotonic()
        said = ada.get("/board?wait=25", **{"If-None-Match": tag})
        assert said.status_code == 401
        assert 'error="invalid_token"' in said.headers["www-authenticate"]
        assert time.monotonic() - began < 20
        wanted = {"grant_type": "refresh_token", "client_id": "notebook"}
        wanted["refresh_token"] = ada.token["refresh_token"]
        again = Person(running.url, exchanged(running.url, wanted).json())
        assert again.get("/board").headers["etag"] == tag
        assert teacher(running.url, running.opening).get("/attempts").status_code == 200


def test_the_grant_types_that_are_named_are_there(running: ClassServer) -> None:
    known = web.get(f"{running.url}/.well-known/oauth-authorization-server").json()
    assert known["issuer"] == running.url
    assert DEVICE in known["grant_types_supported"]
    for grant in known["grant_types_supported"]:
        said = exchanged(running.url, {"grant_type": grant, "client_id": APP})
        assert said.json()["error"] == "invalid_request"
    for grant in ("password", "client_credentials", ""):
        said = exchanged(running.url, {"grant_type": grant, "client_id": APP})
        assert said.json()["error"] in ("unsupported_grant_type", "invalid_request")
