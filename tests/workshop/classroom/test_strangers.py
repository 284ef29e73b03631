"""Clients that mean no good: 4xx, nothing written, bounded memory, and nobody else disturbed."""

from __future__ import annotations

import json
import socket
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import httpx
import pytest
from tests.workshop.classroom.people import Person, join, until

from workshop.classroom import board_routes, rate_limits, request_bodies
from workshop.classroom.request_bodies import LARGEST
from workshop.classroom.start import ClassServer
from workshop.classroom.waiting import MOST
from workshop.impatient_http import Impatient

Join = Callable[[str], Person]


def raw(running: ClassServer, request: bytes) -> bytes:
    """Everything that is answered to these bytes, until the server closes."""
    with socket.create_connection((running.host, running.port), timeout=120) as connection:
        connection.sendall(request)
        return b"".join(iter(lambda: connection.recv(65_536), b""))


def with_token(person: Person, line: str, *headers: str) -> bytes:
    bearer = f"Authorization: Bearer {person.token['access_token']}"
    given = ["Host: class", bearer, "Idempotency-Key: 0123456789", *headers]
    return "\r\n".join([line, *given, "", ""]).encode()


def test_large_bodies(learner: Join, running: ClassServer) -> None:
    ada = learner("Ada sends a lot")
    large = json.dumps({"text": "x" * 1_000_000}).encode()
    json_type = {"Content-Type": "application/json", "Idempotency-Key": "0123456789"}
    for content in (large, iter([large[:500_000], large[500_000:]])):
        assert ada.http.post("/messages", content=content, headers=json_type).status_code == 413
    for path in ("/oauth/token", "/oauth/device", "/oauth/revoke", "/device", "/oauth/authorize"):
        said = httpx.post(f"{running.url}{path}", data={"client_id": "x" * 1_000_000})
        assert said.status_code == 413, path
    most = json.dumps({"text": "é"}).ljust(LARGEST).encode()
    assert ada.http.post("/messages", content=most, headers=json_type).status_code == 201


@pytest.mark.parametrize(
    "content",
    [b"", b"{", b"[" * 16_000, b'{"text": NaN}', b"\xff\xfe", b'{"text": "\\ud800"}', b"nul\0l"],
)
def test_what_is_no_json(learner: Join, content: bytes) -> None:
    ada = learner(f"Ada {content[:20]!r}")
    headers = {"Content-Type": "application/json", "Idempotency-Key": "0123456789"}
    assert ada.http.post("/messages", content=content, headers=headers).status_code == 400
    headers["Content-Type"] = "text/plain"
    said = ada.http.post("/messages", content=b'{"text": "x"}', headers=headers)
    assert said.status_code == 415


@pytest.mark.parametrize(
    "query", ["?wait=x", "?wait=26", "?wait=-1", "?wait=1&wait=1", "?a=1", "?wait=%00", "?wait=1e9",
              "?wait=%D9%A1", "?" + "&".join("a=1" for _ in range(99))],
)  # fmt: skip
def test_garbage_queries(instructor: Person, query: str) -> None:
    assert instructor.get(f"/board{query}").status_code == 400


@pytest.mark.parametrize(
    "request_",
    [b"\x16\x03\x01 hello\r\n\r\n", b"GET / HTTP/1.1\r\nHost: a\r\nx" + b"y" * 100_000,
     b"GET /oauth/authorize HTTP/1.1\r\nHost: <script>\r\n\r\n", b"POST /oauth/token HTTP/1.1\r\n"
     b"Host: a\r\nContent-Length: 5, 6\r\n\r\nhello"],
)  # fmt: skip
def test_garbage_bytes(running: ClassServer, request_: bytes) -> None:
    assert raw(running, request_ + b"\r\n").startswith(b"HTTP/1.1 4")


class Hurried(Impatient):
    patience = 0.3


def test_slow_clients(tmp_path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(request_bodies, "PATIENCE", 0.3)
    with ClassServer(tmp_path / "class", protocol=Hurried) as running:
        ada = join(running.url, running.opening.join_code, "Ada")
        assert raw(running, b"GET /api/v1/me HTTP/1.1\r\nHost:").startswith(b"HTTP/1.1 408")
        line = "POST /api/v1/messages HTTP/1.1"
        slow = with_token(ada, line, "Content-Type: application/json", "Content-Length: 99")
        assert raw(running, slow + b'{"text":').startswith(b"HTTP/1.1 408")
        assert running.rooms.messages.history() == []


def test_open_polls_of_one_token(learner: Join, running: ClassServer) -> None:
    many, other = learner("Many polls"), learner("One poll")
    poll = with_token(many, "GET /api/v1/messages?wait=25&after=99999 HTTP/1.1")
    connections = []
    try:
        for _ in range(MOST):
            connections.append(socket.create_connection((running.host, running.port)))
            connections[-1].sendall(poll)
        slots = running.app.state.slots
        until(lambda: MOST in slots._open.values())
        said = many.get("/board?wait=1")
        assert (said.status_code, said.headers["retry-after"]) == (429, "1")
        assert many.get("/events").status_code == 429
        assert many.get("/me").status_code == 200
        assert other.get("/board?wait=1").status_code == 200
    finally:
        for connection in connections:
            connection.close()
    until(lambda: not slots._open)  # who hangs up holds nothing


def test_a_stream_that_nobody_reads_any_more(
    learner: Join, running: ClassServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(board_routes, "QUIET", 0.05)
    ada = learner("Ada hangs up")
    with ada.http.stream("GET", "/events") as stream:
        assert next(stream.iter_lines()) == "event: board"
    until(lambda: not running.app.state.slots._open)


def test_rate_limits(learner: Join, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rate_limits, "REQUESTS", 5)
    ada, bob = learner("Ada hurries"), learner("Bob does not")
    with ThreadPoolExecutor(8) as pool:
        said = list(pool.map(lambda _: ada.get("/me"), range(12)))
    assert [one.status_code for one in said].count(429) >= 2  # a minute may end in between
    late = next(one for one in said if one.status_code == 429)
    assert 1 <= int(late.headers["retry-after"]) <= 60
    assert bob.get("/me").status_code == 200


def guess(running: ClassServer, code: str, address: str, name: str = "Mallory") -> int:
    with httpx.Client(transport=httpx.HTTPTransport(local_address=address)) as from_there:
        codes = from_there.post(f"{running.url}/oauth/device", data={"client_id": "notebook"})
        form = {"user_code": codes.json()["user_code"], "join_code": code, "name": name}
        headers = {"Accept": "application/json"}
        return from_there.post(f"{running.url}/device", data=form, headers=headers).status_code


def test_who_guesses_codes_is_locked_out(
    running: ClassServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(rate_limits, "GUESSES", 5)
    monkeypatch.setattr(rate_limits, "MINUTE", 10_000_000)  # none ends in between
    said = [guess(running, "BBBB-BBBB", "127.0.0.2") for _ in range(7)]
    assert said == [403] * 5 + [429] * 2
    assert guess(running, running.opening.join_code, "127.0.0.2") == 429, "the right one, too"
    assert guess(running, running.opening.join_code, "127.0.0.3", "Not Mallory") == 200


def test_a_code_is_not_to_be_guessed(running: ClassServer) -> None:
    codes = (running.opening.join_code, running.opening.helper_code)
    assert all(len(code) == 9 for code in codes)  # 8 of 20 letters: 34 bits, 300 guesses a minute
    assert len(running.opening.secret) == 32


def test_no_page_has_a_secret(running: ClassServer) -> None:
    opening = running.opening
    for path in (
        "/",
        "/teach",
        "/projector",
        "/device",
        "/oauth/authorize",
        "/api/v1/openapi.json",
    ):
        text = httpx.get(running.url + path).text
        assert not [s for s in (opening.secret, opening.key, opening.join_code) if s in text]


def test_pages_run_nothing_but_their_own(running: ClassServer) -> None:
    for path in ("/", "/teach", "/projector", "/device"):
        policy = httpx.get(running.url + path).headers["content-security-policy"]
        assert "default-src 'none'" in policy
        assert "unsafe" not in policy
        assert "frame-ancestors 'none'" in policy


def test_other_addresses(running: ClassServer, instructor: Person) -> None:
    for path in ("/api/v1/", "/api/v1/nothing", "/api/v2", "/pages/join.html", "/..%2fapp.py"):
        said = httpx.get(running.url + path)
        assert (said.status_code, said.json()["status"]) == (404, 404)
    assert instructor.post("/calls/x/done").status_code == 404
    assert instructor.http.patch("/board").status_code == 405
