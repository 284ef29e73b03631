"""The last notice, for a program that blocks, for one that does not, and for a browser."""

import asyncio

import fakeredis
import pytest
from starlette.testclient import TestClient
from taken_home.notice_boards import AsyncNoticeBoard, KeyAlreadyUsed, NoticeBoard
from taken_home.notice_boards.web import make_app

server = fakeredis.FakeServer()


def its_redis() -> fakeredis.FakeAsyncRedis:
    return fakeredis.FakeAsyncRedis(server=server, decode_responses=True)


board = NoticeBoard(fakeredis.FakeRedis(server=server, decode_responses=True), "task")
version = board.post({"done": 1, "total": 2}, key="half")
assert board.post({"done": 1, "total": 2}, key="half") == version
assert board.watch(after=None, timeout=0).version == version
assert asyncio.run(AsyncNoticeBoard(its_redis(), "task").read()).value == {"done": 1, "total": 2}
with pytest.raises(KeyAlreadyUsed, match=version):
    board.post({"done": 2, "total": 2}, key="half")

with TestClient(make_app(its_redis)) as browser:
    assert browser.get("/boards/task").json()["version"] == version
    assert browser.get("/boards/none?wait=0").status_code == 404
    assert "<title>" in browser.get("/boards/task/page").text
