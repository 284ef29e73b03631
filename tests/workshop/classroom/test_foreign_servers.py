"""The class on a Redis and a CouchDB that are somebody else's: nothing of theirs is touched."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import couchdb
import pytest
import redis
from tests.workshop.classroom.people import join, teacher, until

from workshop.classroom.start import ClassServer
from workshop.exercises.catalogue import NAMES as EXERCISES
from workshop.services.lasting_servers import PREFIX, LastingServers

FIRST = EXERCISES[0]


@pytest.fixture
def theirs(
    tmp_path: Path, own_servers: None, monkeypatch: pytest.MonkeyPatch
) -> Iterator[LastingServers]:
    """Somebody else's servers, in use, named by REDIS_URL and COUCHDB_URL."""
    found = LastingServers(tmp_path / "theirs")
    there = found.redis()
    there.set("class:opening", "their own")
    there.set("class:ended", "their own")
    there.rpush("queue:{help}", "a call")
    there.hset("counter:{attempts/60}:open", "0:theirs", 7)
    there.xadd("class:tried", {"learner": "theirs"}, id="1-1")
    there.set("soon gone", "theirs", ex=9999)
    for name in ("class-theirs", "theirs"):
        found.couch(name)["solved:theirs"] = {"at": 1}
    monkeypatch.setenv("REDIS_URL", found._redis_url)
    monkeypatch.setenv(
        "COUCHDB_URL", f"http://class:{found._password}@127.0.0.1:{found._couch_port}/"
    )
    yield found
    found.stop()


def all_of(client: redis.Redis) -> dict[str, object]:
    """Everything that is not the class's, byte for byte."""
    raw = redis.Redis(
        connection_pool=redis.ConnectionPool(
            connection_class=client.connection_pool.connection_class,
            **{**client.connection_pool.connection_kwargs, "decode_responses": False},
        )
    )
    return {
        name: raw.dump(name) for name in raw.scan_iter() if not name.startswith(PREFIX.encode())
    }


def documents(server: couchdb.Server) -> dict[str, list[object]]:
    """Every document of every database that is not the class's."""
    return {
        name: [row.doc for row in server[name].view("_all_docs", include_docs=True)]
        for name in server
        if "theirs" in name
    }


def test_a_class_on_foreign_servers_leaves_all_else_as_it_was(
    theirs: LastingServers, tmp_path: Path
) -> None:
    client, couch = theirs.redis(), theirs._couch()
    before = all_of(client), documents(couch)
    assert len(before[0]) == 6
    with ClassServer(tmp_path / "class") as running:
        assert running.servers.pids() == {}, "no server of its own"
        code = running.opening.join_code
        ada = join(running.url, code, "Ada")
        first = ada.solve(FIRST, "the-first-solve").json()
        ada.post("/messages", {"text": "hello"})
        ada.post("/calls", {"text": "help"})
        until(lambda: FIRST in ada.get("/board").json()["learners"][0]["solved"])
    assert (all_of(client), documents(couch)) == before
    with ClassServer(tmp_path / "class") as running:
        assert running.opening.join_code == code
        again = type(ada)(running.url, ada.token)
        assert again.solve(FIRST, "the-first-solve").json() == first
        jane = teacher(running.url, running.opening)
        assert jane.get("/board").json()["calls"] == {"waiting": 1, "held": 0}
        assert len(set(couch)) == 3
        assert jane.write("DELETE", "/class").status_code == 204
        until(lambda: set(couch) == {"class-theirs", "theirs"})
    assert (all_of(client), documents(couch)) == before
    left = {name for name in client.scan_iter(f"{PREFIX}*") if ":counter:" not in name}
    assert left == {f"{PREFIX}class:ended"}
    with ClassServer(tmp_path / "class") as running:
        assert running.opening.join_code != code
    assert (all_of(client), documents(couch)) == before
