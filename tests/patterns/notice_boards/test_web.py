"""The page's server: long polling, events, many watchers, and clients that mean no good."""

from __future__ import annotations

import asyncio
import socket
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import Any

import httpx
import pytest
import redis as redis_py
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff

from patterns.notice_boards import AsyncNoticeBoard, Notice, NoticeBoard
from patterns.notice_boards.web import SharedSubscription, make_app
from patterns.notice_boards.web import app as web_app
from patterns.notice_boards.web.waiting import Watcher
from workshop import board_page, services
from workshop.board_page import show
from workshop.impatient_http import Impatient
from workshop.page_server import PageServer
from workshop.services import redis_service

#: One for all, since each loads certificates for 25 ms. As before, a request has its connection.
web = httpx.Client(verify=False, limits=httpx.Limits(max_keepalive_connections=0))


class Hurried(Impatient):
    patience = 0.3


@pytest.fixture
def server(redis_client: redis_py.Redis) -> Iterator[PageServer]:
    with PageServer(lambda: services.redis_async("test"), protocol=Hurried) as running:
        yield running


@pytest.fixture
def board(redis_client: redis_py.Redis) -> NoticeBoard:
    return NoticeBoard(redis_client, "task")


def until(holds: Callable[[], object], seconds: float = 300) -> None:
    deadline = time.monotonic() + seconds
    while not holds():
        assert time.monotonic() < deadline, "it did not happen"
        time.sleep(0.005)


def get(server: PageServer, query: str = "", board: str = "task", of: str = "") -> httpx.Response:
    return web.get(server.url(board, of) + query, timeout=3000)


def raw(server: PageServer, request: bytes) -> bytes:
    """Everything that is answered to these bytes, until the server closes."""
    with socket.create_connection((server.host, server.port), timeout=300) as connection:
        connection.sendall(request)
        return b"".join(iter(lambda: connection.recv(65_536), b""))


def test_a_client_that_follows_next(server: PageServer, board: NoticeBoard) -> None:
    version = board.post({"done": 1, "total": 4})
    first = get(server)
    wanted = {"value": {"done": 1, "total": 4}, "version": version, "next": f"?after={version}"}
    assert (first.status_code, first.json()) == (200, wanted)
    assert first.headers["cache-control"] == "no-store"
    with ThreadPoolExecutor() as pool:
        waits = pool.submit(get, server, first.json()["next"])
        until(lambda: server.waiting() == 1)
        board.post("\ud800 done")
        assert waits.result().json()["value"] == "\ud800 done"
    assert server.waiting() == 0


def test_nothing_new(server: PageServer, board: NoticeBoard) -> None:
    version = board.post(1)
    answer = get(server, f"?after={version}&wait=0.05")
    assert (answer.status_code, answer.content) == (204, b"")


def test_no_such_board(server: PageServer) -> None:
    assert get(server, "?wait=0").status_code == 404
    assert get(server, "?wait=0.05", board="other").status_code == 404


def test_a_board_that_is_made_while_somebody_waits(server: PageServer, board: NoticeBoard) -> None:
    with ThreadPoolExecutor() as pool:
        waits = pool.submit(get, server)
        until(lambda: server.waiting() == 1)
        board.post(5)
        assert waits.result().json()["value"] == 5


@pytest.mark.parametrize(
    "query",
    ["?after=", "?after=7", "?after=x", "?wait=x", "?wait=-1", "?wait=nan", "?wait=1e9", "?a=1",
     "?wait=1&wait=1", "?after=%00", "?after=%ff%fe", "?&=&", "?after=1-3f9a0c4418d2e6b5%0a"],
)  # fmt: skip
@pytest.mark.parametrize("of", ["", "events"])
def test_garbage_queries(server: PageServer, query: str, of: str) -> None:
    if query == "?&=&":
        query = "?=&x"
    assert get(server, query, of=of).status_code == 400


@pytest.mark.parametrize("name", ["a%20b", "%7Bx%7D", "a%00", "%3Cscript%3E", "x" * 101, "%C3%A4"])
@pytest.mark.parametrize("of", ["", "events", "page"])
def test_bad_names_of_boards(server: PageServer, name: str, of: str) -> None:
    assert get(server, board=name, of=of).status_code == 400


@pytest.mark.parametrize("path", ["/", "/boards", "/boards/", "/boards/a/b", "/boards/a/page/x"])
def test_other_addresses(server: PageServer, path: str) -> None:
    assert web.get(f"http://{server.host}:{server.port}{path}").status_code == 404


def test_only_get(server: PageServer, board: NoticeBoard) -> None:
    for method in ("POST", "PUT", "DELETE", "PATCH"):
        answer = web.request(method, server.url("task", ""), content=b"x" * 1_000_000)
        assert answer.status_code == 405
    assert board.read() is None


@given(line=st.binary(min_size=1, max_size=60))
@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])  # fmt: skip  # noqa: E501
def test_any_bytes_get_a_4xx_or_nothing(server: PageServer, line: bytes) -> None:
    answer = raw(server, line + b"\r\n\r\n" + b"\r\n")
    assert answer == b"" or answer.startswith(b"HTTP/1.1 4"), answer


def test_a_megabyte_of_address(server: PageServer) -> None:
    request = b"GET /boards/task?after=" + b"x" * 1_000_000 + b" HTTP/1.1\r\nHost: x\r\n\r\n"
    assert raw(server, request).startswith(b"HTTP/1.1 400 ")


@pytest.mark.parametrize(
    "begun",
    [b"", b"GE", b"GET /boards/task HTTP/1.1\r\nHost: x\r\n"],
    ids=["silent", "word", "head"],
)
def test_a_slow_client_is_shown_out(server: PageServer, board: NoticeBoard, begun: bytes) -> None:
    board.post(1)
    with socket.create_connection((server.host, server.port), timeout=300) as slow:
        stop = threading.Event()

        def drip() -> None:
            while not stop.wait(0.05):
                try:
                    slow.sendall(b"A: b\r\n" if begun.endswith(b"\n") else b"")
                except OSError:
                    return

        dripping = threading.Thread(target=drip)
        slow.sendall(begun)
        dripping.start()
        assert get(server).json()["value"] == 1  # the others are answered meanwhile
        assert slow.recv(1000).startswith(b"HTTP/1.1 408 ")
        stop.set()
        dripping.join()


def test_who_waits_is_not_taken_for_slow(server: PageServer, board: NoticeBoard) -> None:
    version = board.post(1)
    began = time.monotonic()
    assert get(server, f"?after={version}&wait=0.8").status_code == 204
    assert time.monotonic() - began > 2 * Hurried.patience


def test_a_client_that_leaves_frees_everything(server: PageServer, board: NoticeBoard) -> None:
    version = board.post(1)
    path = f"/boards/task?after={version}"
    with socket.create_connection((server.host, server.port)) as connection:
        connection.sendall(f"GET {path} HTTP/1.1\r\nHost: x\r\n\r\n".encode())
        until(lambda: server.waiting() == 1)
    until(lambda: server.waiting() == 0, seconds=10)  # a wait alone is 25
    with web.stream("GET", server.url("task", "events")) as answer:
        lines = answer.iter_lines()
        next(lines)
        until(lambda: server.waiting() == 1)
    until(lambda: server.waiting() == 0, seconds=10)  # at once, not after 25
    assert server.app.state.boards._watchers == {}


def test_events(server: PageServer, board: NoticeBoard) -> None:
    first = board.post(1)
    with web.stream("GET", server.url("task", "events"), timeout=300) as answer:
        assert answer.headers["content-type"].startswith("text/event-stream")
        lines = answer.iter_lines()
        event = [next(lines) for _ in range(3)]
        assert event[0] == f"id: {first}"
        second = board.post("a\nb")
        event = [next(lines) for _ in range(3)]
        assert event[0] == f"id: {second}"
        assert r'"a\nb"' in event[1]
    resumed = {"Last-Event-ID": first}
    with web.stream("GET", server.url("task", "events"), headers=resumed) as answer:
        assert next(answer.iter_lines()) == f"id: {second}"
    assert web.get(server.url("task", "events"), headers={"Last-Event-ID": "x"}).status_code == 400


def test_who_hears_nothing_new_hears_a_comment_before_a_proxy_gives_up(
    server: PageServer, board: NoticeBoard, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(web_app, "LONGEST_WAIT", 0.5)
    query = f"?after={board.post(1)}"
    began = time.monotonic()
    with web.stream("GET", server.url("task", "events") + query, timeout=300) as answer:
        assert next(answer.iter_lines()) == ": nothing new"
    assert time.monotonic() - began >= 0.25


def test_the_page_runs_no_script_but_its_own(server: PageServer) -> None:
    answer = get(server, of="page")
    policy = answer.headers["content-security-policy"]
    assert "default-src 'none'" in policy
    assert "unsafe" not in policy
    for wanted in ("<progress", 'role="status"', "aria-live", 'lang="en"', "<noscript>"):
        assert wanted in answer.text
    assert "innerHTML" not in answer.text
    assert "http" not in answer.text.replace("http-equiv", "")


def test_a_board_that_another_program_broke(
    server: PageServer, redis_client: redis_py.Redis
) -> None:
    redis_client.hset("board:{task}", mapping={"version": "x", "value": "y"})
    assert get(server).status_code == 502
    assert get(server, "?wait=0", board="other").status_code == 404


async def crowd(server: PageServer, version: str, size: int, ready: Callable[[], Any]) -> list[Any]:
    """Have `size` clients wait; when they all do, call `ready`; return what they are answered."""
    request = f"GET /boards/task?after={version} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n"

    async def one() -> bytes:
        reader, writer = await asyncio.open_connection(server.host, server.port)
        writer.write(request.encode())
        answer = await reader.read()
        writer.close()
        return answer

    tasks = [asyncio.create_task(one()) for _ in range(size)]
    while server.waiting() < size:
        await asyncio.sleep(0.01)
    ready()
    return await asyncio.gather(*tasks)


def connections(redis: redis_py.Redis) -> int:
    return int(redis.info("clients")["connected_clients"])


def test_a_thousand_watchers_cost_two_connections() -> None:
    if redis_service.kind() != "private":
        pytest.skip("the connections of a private redis-server are counted")
    redis = services.redis("crowd", fresh=True)
    board = NoticeBoard(redis, "task")
    version, before, seen = board.post(0), connections(redis), []

    def ready() -> None:
        seen.append(connections(redis) - before)
        board.post(1)

    with PageServer(lambda: services.redis_async("crowd")) as server:
        answers = asyncio.run(crowd(server, version, 1000, ready))
        assert seen[0] <= 2
        assert sum(b'"value": 1' in answer for answer in answers) == 1000
        assert server.waiting() == 0
        assert connections(redis) - before <= 2


def test_an_answer_is_one_turn_of_the_loop_after_the_notice(
    board: NoticeBoard, monkeypatch: pytest.MonkeyPatch
) -> None:
    """All who wait make a turn before one makes the next: a thousand feel it. Nothing is left."""
    turns, looked, answered, errors = [0], [], [], []
    clocks: list[asyncio.TimerHandle] = []
    look = Watcher.look

    def seen(watcher: Watcher, notice: Any) -> None:
        waits = not watcher.found.done()
        look(watcher, notice)
        if waits and watcher.found.done():
            looked.append(turns[0])

    async def ask(app: Any, after: str) -> None:
        asked = [{"type": "http.request"}]

        async def receive() -> Any:
            return asked.pop() if asked else await asyncio.Event().wait()

        async def send(message: Any) -> None:
            if message["type"] == "http.response.start":
                answered.append(turns[0])

        scope = {"type": "http", "method": "GET", "path": "/boards/task", "headers": []}
        await app({**scope, "query_string": f"after={after}".encode()}, receive, send)

    async def run() -> None:
        app = make_app(lambda: services.redis_async("test"))
        loop = asyncio.get_running_loop()
        loop.set_exception_handler(lambda _, context: errors.append(context))
        call_later = loop.call_later

        def later(seconds: float, call: Any, *given: Any, **more: Any) -> asyncio.TimerHandle:
            clock = call_later(seconds, call, *given, **more)
            if isinstance(getattr(call, "__self__", None), Watcher):
                clocks.append(clock)
            return clock

        monkeypatch.setattr(loop, "call_later", later)

        def turn() -> None:
            turns[0] += 1
            loop.call_soon(turn)

        async with app.router.lifespan_context(app):
            after = await asyncio.to_thread(board.post, "before")
            waiting = [asyncio.create_task(ask(app, after)) for _ in range(5)]
            while app.state.boards.waiting() < len(waiting):
                await asyncio.sleep(0.01)
            turn()
            await asyncio.to_thread(board.post, "now")
            await asyncio.gather(*waiting)
            await asyncio.sleep(0.01)
            left = [task.get_coro() for task in asyncio.all_tasks()]
            assert "until_gone" not in [getattr(coro, "__name__", "") for coro in left]
            assert [clock.cancelled() for clock in clocks] == [True] * 5

    monkeypatch.setattr(Watcher, "look", seen)
    asyncio.run(run())
    assert not errors
    assert len(answered) == 5
    assert max(a - b for a, b in zip(answered, looked, strict=True)) == 1


def test_all_who_wait_share_the_text_of_an_answer_and_none_of_its_headers(
    board: NoticeBoard, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A middleware that gives one of them a cookie does not give it to all."""
    written, heads, bodies = [], [], []
    as_json = web_app._as_json

    def noted(notice: Notice) -> str:
        written.append(notice.version)
        return as_json(notice)

    async def ask(app: Any, after: str, cookie: bytes) -> None:
        asked = [{"type": "http.request"}]

        async def receive() -> Any:
            return asked.pop() if asked else await asyncio.Event().wait()

        async def send(message: Any) -> None:
            if message["type"] == "http.response.start":
                message["headers"].append((b"set-cookie", cookie))
                heads.append(message["headers"])
            else:
                bodies.append(message["body"])

        scope = {"type": "http", "method": "GET", "path": "/boards/task", "headers": []}
        await app({**scope, "query_string": f"after={after}".encode()}, receive, send)

    async def run() -> None:
        app = make_app(lambda: services.redis_async("test"))
        async with app.router.lifespan_context(app):
            after = await asyncio.to_thread(board.post, "before")
            waiting = [asyncio.create_task(ask(app, after, b"%d" % n)) for n in range(5)]
            while app.state.boards.waiting() < len(waiting):
                await asyncio.sleep(0.01)
            await asyncio.to_thread(board.post, "now")
            await asyncio.gather(*waiting)

    monkeypatch.setattr(web_app, "_as_json", noted)
    asyncio.run(run())
    assert written == [board.read().version]  # type: ignore[union-attr]
    cookies = [[value for name, value in head if name == b"set-cookie"] for head in heads]
    assert sorted(cookies) == [[b"%d" % n] for n in range(5)]
    assert {(b"content-length", b"%d" % len(bodies[0])) in head for head in heads} == {True}
    assert len(set(bodies)) == 1


def test_it_ends_also_if_what_it_awaits_takes_the_cancellation_for_an_error(
    redis_client: redis_py.Redis, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Seen on a Redis Cluster after a failover: the reading task had been cancelled, and waited."""

    async def read(board: AsyncNoticeBoard) -> None:
        try:
            reading.set()
            await asyncio.sleep(300)
        except asyncio.CancelledError as cancelled:
            if taken:
                raise
            taken.append(cancelled)
            raise redis_py.ConnectionError("gone") from None

    async def scenario() -> None:
        async with SharedSubscription(services.redis_async("test")) as boards:
            waiting = asyncio.create_task(boards.watch("task", None, timeout=300))
            await reading.wait()
        waiting.cancel()

    reading, taken = asyncio.Event(), list[BaseException]()
    monkeypatch.setattr(AsyncNoticeBoard, "read", read)
    asyncio.run(asyncio.wait_for(scenario(), 60))
    assert taken


def test_to_look_again_each_poll_is_no_trouble(
    redis_client: redis_py.Redis, caplog: pytest.LogCaptureFixture
) -> None:
    async def listen() -> None:
        async with SharedSubscription(services.redis_async("test"), poll=0.02):
            await asyncio.sleep(0.3)

    asyncio.run(listen())
    assert caplog.records == []


def test_it_looks_for_redis_less_and_less_often(monkeypatch: pytest.MonkeyPatch) -> None:
    pauses: list[float] = []

    async def sleep(seconds: float) -> None:
        pauses.append(seconds)
        if len(pauses) == 8:
            raise asyncio.CancelledError

    async def listen() -> None:
        nobody = redis_py.asyncio.Redis(port=1, decode_responses=True, retry=Retry(NoBackoff(), 0))
        monkeypatch.setattr(asyncio, "sleep", sleep)
        with pytest.raises(asyncio.CancelledError):
            await SharedSubscription(nobody)._listen()

    asyncio.run(listen())
    assert pauses == [0.05, 0.1, 0.2, 0.4, 0.8, 1.6, 2.0, 2.0]


@dataclass
class Ears:
    """A subscription that hears these things, or fails, one after the other; then it is over."""

    hears: list[dict[str, str] | Exception]
    waits: list[float] = field(default_factory=list)

    async def __aenter__(self) -> Ears:
        return self

    async def __aexit__(self, *exc_info: object) -> None: ...

    async def psubscribe(self, pattern: str) -> None: ...

    async def get_message(self, timeout: float) -> dict[str, str]:
        self.waits.append(timeout)
        heard = self.hears.pop(0) if self.hears else asyncio.CancelledError()
        if isinstance(heard, BaseException):
            raise heard
        return heard

    def heard_by(self, boards: SharedSubscription) -> None:
        """Have them listen to it, to its end."""
        boards.redis.pubsub = lambda: self  # type: ignore[method-assign,assignment,return-value]
        with pytest.raises(asyncio.CancelledError):
            asyncio.run(boards._listen())


SUBSCRIBED = {"type": "psubscribe", "channel": "board:{*}"}
POSTED = {"type": "pmessage", "channel": "board:{task}"}


def test_it_looks_when_subscribed_and_at_what_it_hears_of_and_else_waits_for_a_poll(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    boards = SharedSubscription(redis_py.asyncio.Redis(decode_responses=True), poll=60)
    boards._watchers |= {"task": set(), "other": set()}
    looked: list[tuple[str, ...]] = []
    monkeypatch.setattr(boards, "_look_at", lambda *names: looked.append(names))
    ears = Ears([SUBSCRIBED, POSTED])
    ears.heard_by(boards)
    assert looked == [("task", "other"), ("task",)]
    assert all(30 < seconds <= 60 for seconds in ears.waits), ears.waits


def test_once_it_was_subscribed_it_looks_for_redis_often_again(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    pauses: list[float] = []

    async def sleep(seconds: float) -> None:
        pauses.append(seconds)

    monkeypatch.setattr(asyncio, "sleep", sleep)
    gone = redis_py.ConnectionError("gone")
    boards = SharedSubscription(redis_py.asyncio.Redis(decode_responses=True))
    Ears([gone, gone, gone, SUBSCRIBED, gone]).heard_by(boards)
    assert pauses == [0.05, 0.1, 0.2, 0.05]


def test_the_server_survives_a_dropped_connection_to_redis(
    own_connections: Callable[[redis_py.Redis], Any],
) -> None:
    if redis_service.kind() == "fake":
        pytest.skip("fakeredis has no connections to drop")
    redis = services.redis("dropped", fresh=True)
    board = NoticeBoard(redis, "task")
    version = board.post(0)
    make = PageServer(lambda: services.redis_async("dropped"), poll=60)
    with make as server, ThreadPoolExecutor() as pool:
        waits = pool.submit(get, server, f"?after={version}")
        until(lambda: server.waiting() == 1)
        mine = redis.client_id()
        for client in own_connections(redis):
            if int(client["id"]) != mine:
                redis.client_kill_filter(_id=client["id"])
        board.post(1)
        assert waits.result().json()["value"] == 1


def test_a_lost_announcement_costs_one_poll() -> None:
    redis = services.redis("quiet", fresh=True)
    version = NoticeBoard(redis, "task").post(0)
    make = PageServer(lambda: services.redis_async("quiet"), poll=0.05)
    with make as server, ThreadPoolExecutor() as pool:
        waits = pool.submit(get, server, f"?after={version}")
        until(lambda: server.waiting() == 1)
        time.sleep(0.1)  # by now it has read the board, most likely
        redis.hset("board:{task}", mapping={"version": "2-0123456789abcdef", "value": "1"})
        assert waits.result().json()["value"] == 1


def test_no_redis_is_a_503() -> None:
    def nowhere() -> Any:
        from redis.asyncio import Redis
        from redis.asyncio.retry import Retry
        from redis.backoff import NoBackoff

        return Redis(port=1, decode_responses=True, retry=Retry(NoBackoff(), 0))

    with PageServer(nowhere) as server:
        answer = get(server)
        assert (answer.status_code, answer.headers["retry-after"]) == (503, "1")
        assert server.waiting() == 0


def test_in_a_notebook(monkeypatch: pytest.MonkeyPatch, server: PageServer) -> None:
    shown = show(server, "task")
    assert "iframe" not in str(shown._repr_mimebundle_())  # stored outputs hold no address
    assert str(server.port) not in repr(shown)
    monkeypatch.setattr(board_page, "live_front_end", lambda: True)
    monkeypatch.setenv("JUPYTERHUB_SERVICE_PREFIX", "/user/ann/")
    html = shown._repr_mimebundle_()["text/html"]
    assert f'src="/user/ann/proxy/{server.port}/boards/task/page"' in html
    assert 'title="Progress of task"' in html
