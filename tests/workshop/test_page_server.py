"""A page's server that is replaced, as in a deployment, while browsers ask."""

from __future__ import annotations

import threading

import httpx
import pytest

from patterns.notice_boards import NoticeBoard
from workshop import services
from workshop.page_server import PageServer


@pytest.fixture
def board() -> NoticeBoard:
    return NoticeBoard(services.redis("page-server", fresh=True), "task")


def a_server(instead_of: PageServer | None = None) -> PageServer:
    return PageServer(lambda: services.redis_async("page-server"), instead_of=instead_of)


def test_a_request_between_two_servers_waits_for_the_second(board: NoticeBoard) -> None:
    board.post(60)
    first = a_server().start()
    assert httpx.get(first.url("task", of=""), timeout=3000).json()["value"] == 60
    first.stop(hold=True)
    told: list[int] = []
    asks = threading.Thread(
        target=lambda: told.append(
            httpx.get(first.url("task", of=""), timeout=3000).json()["value"]
        )
    )
    asks.start()
    asks.join(0.2)
    assert told == []
    board.post(100)
    with a_server(instead_of=first) as second:
        asks.join(40)
        assert (second.host, second.port) == (first.host, first.port)
    assert told == [100]


def test_an_address_that_is_not_held_is_free(board: NoticeBoard) -> None:
    server = a_server().start()
    server.stop()
    with pytest.raises(httpx.ConnectError):
        httpx.get(server.url("task", of=""), timeout=5)
    with PageServer(lambda: services.redis_async("page-server"), port=server.port) as again:
        assert again.port == server.port
