"""Clients that mean no good: 4xx, nothing written, bounded memory, and nobody else disturbed."""

from __future__ import annotations

import json
import socket
import time
from collections.abc import Callable

import httpx
import psutil
import pytest
from benches.open_polls import Polls, room_for
from tests.workshop.classroom.people import Person, join, teacher, until, web

from workshop.class_in_a_notebook import fresh_class
from workshop.classroom import (
    board_routes,
    message_routes,
    rate_limits,
    request_bodies,
    token_store,
)
from workshop.classroom.request_bodies import LARGEST
from workshop.classroom.start import ClassServer
from workshop.classroom.waiting import MOST
from workshop.exercises.catalogue import NAMES as EXERCISES
from workshop.impatient_http import Impatient

Join = Callable[[str], Person]
POLLS = 700  # of which both ends are here: more files than select() knows


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
        said = web.post(f"{running.url}{path}", data={"client_id": "x" * 1_000_000})
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


def test_slow_clients(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(request_bodies, "PATIENCE", 0.3)
    with fresh_class("strangers", protocol=Hurried) as running:
        ada = join(running.url, running.opening.join_code, "Ada")
        assert raw(running, b"GET /api/v1/me HTTP/1.1\r\nHost:").startswith(b"HTTP/1.1 408")
        line = "POST /api/v1/messages HTTP/1.1"
        slow = with_token(ada, line, "Content-Type: application/json", "Content-Length: 99")
        assert raw(running, slow + b'{"text":').startswith(b"HTTP/1.1 408")
        assert running.rooms.messages.history() == []


def test_a_stream_whose_client_does_not_read_is_held_up_and_takes_no_memory() -> None:
    with fresh_class("strangers") as running, socket.socket() as deaf:
        ada, bob = (join(running.url, running.opening.join_code, n) for n in ("Ada", "Bob"))
        deaf.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        deaf.connect((running.host, running.port))
        deaf.sendall(with_token(ada, "GET /api/v1/events HTTP/1.1"))
        open_now, address = running._server.server_state.connections, deaf.getsockname()
        [mine] = until(lambda: [one for one in list(open_now) if one.client == address])
        mine.transport.get_extra_info("socket").setsockopt(
            socket.SOL_SOCKET, socket.SO_SNDBUF, 4096
        )
        for n in range(100):  # of 12 kB each
            running.rooms.messages.send("x x", "é" * 2000, f"key {n}")
        until(lambda: len(running.app.state.feed.messages) == 100)
        until(lambda: mine.flow.write_paused)
        assert bob.get("/messages?after=99").json()["messages"][0]["number"] == 100
        assert mine.transport.get_write_buffer_size() < 200_000


def test_hundreds_of_open_polls_disturb_nobody() -> None:
    if not room_for(2 * POLLS):  # both ends are here
        pytest.skip("this user may not open as many connections")
    with fresh_class("strangers") as running:
        ada = join(running.url, running.opening.join_code, "Ada")
        instructor, slots = teacher(running.url, running.opening), running.app.state.slots
        before = psutil.Process().memory_info().rss
        with Polls(running.host, running.port, running.rooms.redis) as polls:
            polls.hold(POLLS)
            until(lambda: sum(slots._open.values()) == polls.quiet())
            assert ada.solve(EXERCISES[0]).status_code == 201
            assert psutil.Process().memory_info().rss - before < POLLS * 100_000
            waiting = polls.quiet()
            instructor.write("PUT", "/board", {"doing": "all look up"})
            while polls.quiet() == waiting:
                time.sleep(0.001)
            assert ada.get("/me").status_code == 200
            left = polls.quiet()
            assert left > waiting // 4, f"answered after all but {left} of {waiting} who waited"
            answers = set(polls.answered())
        assert "200 all look up" in answers
        assert answers <= {"200 all look up", "304"}  # 25 s may have passed
        until(lambda: not slots._open)


def from_address(address: str) -> httpx.Client:
    """A client at another address of this machine."""
    return httpx.Client(transport=httpx.HTTPTransport(verify=False, local_address=address))


def twice(running: ClassServer, name: str) -> list[Person]:
    """One learner with two tokens."""
    code = running.opening.join_code
    return [join(running.url, code, name, key=f"the key of {name}") for _ in range(2)]


def test_open_polls_of_one_person(learner: Join, running: ClassServer) -> None:
    both, other = twice(running, "Many polls"), learner("One poll")
    many = both[0]
    line = "GET /api/v1/messages?wait=25&after=99999 HTTP/1.1"
    connections = []
    try:
        for n in range(MOST):
            connections.append(socket.create_connection((running.host, running.port)))
            connections[-1].sendall(with_token(both[n % 2], line))
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


@pytest.fixture
def one_minute(monkeypatch: pytest.MonkeyPatch) -> None:
    """None ends while a test counts."""
    monkeypatch.setattr(rate_limits, "MINUTE", 10_000_000)
    monkeypatch.setattr(message_routes, "HOUR", 10_000_000)


def test_more_tokens_allow_no_more_requests(
    running: ClassServer,
    learner: Join,
    instructor: Person,
    one_minute: None,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    both, bob = twice(running, "Ada hurries"), learner("Bob does not")
    monkeypatch.setattr(rate_limits, "REQUESTS", 5)
    said = [both[n % 2].get("/me" if n % 3 else "/attempts") for n in range(8)]
    assert [one.status_code for one in said] == [403, 200, 200, 403, 200, 429, 429, 429]
    assert 1 <= int(said[-1].headers["retry-after"]) <= rate_limits.MINUTE
    assert bob.get("/me").status_code == 200
    assert [instructor.get("/me").status_code for _ in range(6)] == [200] * 6


def test_a_learner_cannot_fill_the_room(
    running: ClassServer,
    learner: Join,
    instructor: Person,
    one_minute: None,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(rate_limits, "MESSAGES", 3)
    ada, bob = twice(running, "Ada talks"), learner("Bob talks")
    said = [ada[n % 2].post("/messages", {"text": f"word {n}"}, f"word-{n:03}") for n in range(5)]
    assert [one.status_code for one in said] == [201, 201, 201, 429, 429]
    assert said[-1].headers["content-type"] == "application/problem+json"
    assert int(said[-1].headers["retry-after"]) >= 1
    assert ada[0].post("/messages", {"text": "word 0"}, "word-000").json() == said[0].json()
    assert bob.post("/messages", {"text": "a word"}).status_code == 201
    assert [instructor.post("/messages", {"text": "a word"}).status_code for _ in "1234"] == [
        201
    ] * 4
    stored = [message.text for message in running.rooms.messages.history()]
    assert [text for text in stored if text.startswith("word ")] == ["word 0", "word 1", "word 2"]


def test_who_has_no_good_token_is_answered_so_often_and_shuts_out_nobody(
    running: ClassServer, one_minute: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(rate_limits, "REFUSED", 5)
    me, looked = f"{running.url}/api/v1/me", []

    def get(redis: object, place: str, secret: str) -> object:
        looked.append(secret)
        return token_store_get(redis, place, secret)

    token_store_get = token_store.get
    monkeypatch.setattr(token_store, "get", get)
    with from_address("127.0.0.4") as there:

        def asks(token: str) -> int:
            return there.get(me, headers={"Authorization": f"Bearer {token}"}).status_code

        ada, bob = (join(running.url, running.opening.join_code, n) for n in ("Ann 4", "Ben 4"))
        good, gone = ada.token["access_token"], bob.token["access_token"]
        web.post(f"{running.url}/oauth/revoke", data={"token": gone, "client_id": "notebook"})
        assert [asks(f"made-up-{n}") for n in range(7)] == [401] * 5 + [429] * 2
        assert there.get(me).status_code == 429
        assert asks(good) == 200, "the others at this address go on"
        assert [asks(gone) for _ in range(7)] == [401] * 5 + [429] * 2
        assert asks(good[:-1]) == 429, "nobody but the class can make a token of its own"
        assert asks(good) == 200
    assert web.get(me).status_code == 401, "from another address"
    wanted = [f"made-up-{n}" for n in range(5)] + [good] + [gone] * 5 + [good]
    assert looked[-len(wanted) :] == wanted, "no look into Redis for a 429"


def guess(running: ClassServer, code: str, address: str, name: str = "Mallory") -> int:
    with from_address(address) as there:
        codes = there.post(f"{running.url}/oauth/device", data={"client_id": "notebook"})
        form = {"user_code": codes.json()["user_code"], "join_code": code, "name": name}
        headers = {"Accept": "application/json"}
        return there.post(f"{running.url}/device", data=form, headers=headers).status_code


def test_who_guesses_codes_is_locked_out(
    running: ClassServer, one_minute: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(rate_limits, "GUESSES", 5)
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
        text = web.get(running.url + path).text
        assert not [s for s in (opening.secret, opening.key, opening.join_code) if s in text]


def test_pages_run_nothing_but_their_own(running: ClassServer) -> None:
    for path in ("/", "/teach", "/projector", "/device"):
        policy = web.get(running.url + path).headers["content-security-policy"]
        assert "default-src 'none'" in policy
        assert "unsafe" not in policy
        assert "frame-ancestors 'none'" in policy


def test_other_addresses(running: ClassServer, instructor: Person) -> None:
    for path in ("/api/v1/", "/api/v1/nothing", "/api/v2", "/pages/join.html", "/..%2fapp.py"):
        said = web.get(running.url + path)
        assert (said.status_code, said.json()["status"]) == (404, 404)
    assert instructor.post("/calls/x/done").status_code == 404
    assert instructor.http.patch("/board").status_code == 405
