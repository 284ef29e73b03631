"""The class inside a notebook: on the services that are there, begun anew each time."""

from __future__ import annotations

import httpx
import pytest
from tests.workshop.classroom.people import web

from workshop import services
from workshop.class_in_a_notebook import beside, fresh_class
from workshop.classroom import rooms, token_store
from workshop.classroom.joining import User
from workshop.classroom.token_store import ACCESS, Grant

BEARER = {"Authorization": "Bearer a-token-of-ada"}


def board(url: str, etag: str = "", wait: int = 0) -> httpx.Response:
    headers = {**BEARER, "If-None-Match": etag}
    return web.get(f"{url}/api/v1/board?wait={wait}", headers=headers)


@pytest.fixture
def ada() -> Grant:
    return Grant("app", User("ada", "Ada", "learner"), 4e9, ACCESS)


def test_two_servers_are_one_class_and_a_fresh_one_knows_nobody(ada: Grant) -> None:
    with fresh_class("one") as first, beside("one") as second:
        assert first.url != second.url
        assert first.opening.join_code == second.opening.join_code
        assert min(first.rooms.calm, second.rooms.calm) > 100 * rooms.CALM  # no tag goes by time
        token_store.put(first.rooms.redis, "token", "a-token-of-ada", ada, 600)
        seen = [board(running.url) for running in (first, second)]
        assert [answer.status_code for answer in seen] == [200, 200]
        assert seen[0].headers["ETag"] == seen[1].headers["ETag"]
        assert board(second.url, seen[0].headers["ETag"], wait=1).status_code == 304
        code = first.opening.join_code
    with fresh_class("one") as another:
        assert another.opening.join_code != code
        assert board(another.url).status_code == 401


def test_it_leaves_the_other_spaces_alone() -> None:
    services.redis("beside", fresh=True).set("mine", "1")
    with fresh_class("one"):
        pass
    assert services.redis("beside").get("mine") == "1"
