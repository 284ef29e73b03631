"""Whatever a later request can see is in the state, so merged and full searches agree."""

from __future__ import annotations

from contextlib import suppress
from copy import copy

import couchdb
import pytest
from tests.raceproof.wire.couch.worlds import Shelf, both, explore, once, shelf

from raceproof import Unsearchable, Violation
from raceproof.wire.couch import adapter
from workshop import services
from workshop.services import environment


def test_local_documents():
    """A `_local` document is no lock: no `_rev` is compared, the last one to write wins."""

    def client(name):
        def run(world):
            world.db["_local/lock"] = {"by": name}
            world.journal.note(world.db["_local/lock"]["by"])

        return run

    def check(world):
        if (world.journal["a"], world.journal["b"]) == (["a"], ["b"]):
            raise Violation("both have it")

    assert both({"a": client("a"), "b": client("b")}, check) == (6, 2)


def test_local_documents_in_a_bulk():
    def writer(world):
        world.db.update([{"_id": "_local/x", "n": 1}])
        world.db.update([{"_id": "_local/x", "_rev": "0-1", "n": 2}])

    def reader(world):
        world.journal.note(world.db.get("_local/x", {}).get("n"))

    def check(world):
        if world.journal["ben"] == [1]:
            raise Violation("ben saw the first")

    assert both({"ann": writer, "ben": reader}, check) == (3, 1)


@pytest.mark.parametrize("there", [False, True])
def test_local_documents_that_are_copied_to(there: bool) -> None:
    def copier(world: Shelf) -> None:
        world.db.copy("count", {"_id": "_local/x", "_rev": "0-1"} if there else "_local/x")

    def reader(world: Shelf) -> None:
        world.journal.note(world.db.get("_local/x", {}).get("kind"))

    def check(world: Shelf) -> None:
        if world.journal["ben"] == ["count"]:
            raise Violation("ben saw the copy")

    def world() -> Shelf:
        db = services.couch("copied", fresh=True)
        db["count"] = {"kind": "count"}
        if there:
            db["_local/x"] = {"kind": "note"}
        return Shelf(db)

    assert both({"ann": copier, "ben": reader}, check, world) == (2, 1)


def test_the_order_of_writes_is_seen_by_the_changes_feed():
    def writer(name):
        return lambda world: world.db.save({"_id": name})

    def reader(world):
        rows = world.db.changes()["results"]
        world.journal.note([row["id"] for row in rows if row["id"] in "ab"])

    def check(world):
        if world.journal["c"] == [["b", "a"]]:
            raise Violation("b before a")

    assert both({"a": writer("a"), "b": writer("b"), "c": reader}, check) == (6, 1)


def test_changes_since_a_sequence_that_is_gone():
    def writer(world):
        for n in range(2):
            doc = world.db.get("x", {"_id": "x"})
            world.db.save({**doc, "n": n})

    def reader(world):
        last = world.db.changes()["last_seq"]
        found = world.db.changes(since=last)
        world.journal.note([row["id"] for row in found["results"]])
        assert int(found["last_seq"]) >= int(last)

    def check(world):
        if world.journal["ben"] == [["x"]]:
            raise Violation("something new")

    schedules, broken = both({"ann": writer, "ben": reader}, check)
    assert schedules == 15
    assert 0 < broken < schedules


def test_the_number_of_writes_is_seen_by_info():
    def fuss(world):
        world.db["x"] = {}
        del world.db["x"]

    def reader(world):
        world.journal.note(world.db.info()["update_seq"])

    seen = []
    both({"ann": fuss, "ben": reader}, lambda world: seen.extend(world.journal["ben"]))
    assert len(set(seen)) == 3


def test_who_waits_for_a_compaction_is_told_that_it_is_over() -> None:
    def client(world: Shelf) -> None:
        world.db.compact()
        while world.db.info()["compact_running"]:
            pass
        world.journal.note(world.db.info()["instance_start_time"])

    def check(world: Shelf) -> None:
        assert world.journal["ann"] == ["0"]

    once(client, check).assert_holds()


class Later:
    """A server's connections: it says `ok`, and compacts later, as Apache CouchDB does.

    After so many requests; or before the next write, which it would not find any more.
    """

    def __init__(self, pool, requests):
        self.pool, self.requests, self.due, self.asked = pool, requests, 0, None

    def get(self, url):
        self.due -= 1
        if self.due == 0:
            self.compact(url)
        return _Postponing(self, self.pool.get(url))

    def release(self, url, connection):
        self.pool.release(url, connection.real)

    def compact(self, url):
        asked, self.asked = self.asked, None
        if asked:
            connection = self.pool.get(url)
            connection.request(*asked)
            connection.getresponse().read()
            self.pool.release(url, connection)


class _Postponing:
    def __init__(self, pool, real):
        self.pool, self.real = pool, real

    def __getattr__(self, name):
        return getattr(self.real, name)

    def request(self, method, target, body, headers):
        if target.endswith("/_compact"):
            self.pool.due, self.pool.asked = self.pool.requests, (method, target, body, headers)
            target = target.replace("/_compact", "/_ensure_full_commit")  # says `ok`, too
        elif method == "PUT":
            self.pool.compact(f"http://{self.real.host}:{self.real.port}")
        self.real.request(method, target, body, headers)


def later(requests=5):
    made = shelf()
    session = copy(made.db.resource.session)  # that one is of every database
    session.connection_pool = Later(session.connection_pool, requests)
    made.db.resource.session = session
    return made


OURS = pytest.mark.skipif(environment.couchdb_url() is not None, reason="Apache is later by itself")


@pytest.mark.parametrize("world", [shelf, pytest.param(later, marks=OURS)])
def test_compacting_takes_old_revisions_away(world):
    """Compact, then revs_info: the leaves are the same, and what one may still read is not."""

    def writer(world):
        doc = world.db["count"]
        world.db.save({**doc, "n": 1})

    def janitor(world):
        world.db.compact()

    def reader(world):
        found = world.db.get("count", revs_info=True)["_revs_info"]
        world.journal.note([row["status"] for row in found])

    def check(world):
        if world.journal["c"] == [["available", "missing"]]:
            raise Violation("the old one is gone")

    clients = {"a": writer, "b": janitor, "c": reader}
    assert both(clients, check, world=world) == (12, 1)


def test_a_server_that_does_not_compact_is_not_waited_for(monkeypatch):
    def janitor(world):
        world.db["count"] = {**world.db["count"], "n": 1}
        world.db.compact()

    monkeypatch.setattr(adapter, "_COMPACTED_WITHIN", 0)
    with pytest.raises(Unsearchable, match="POST _compact cannot be searched: the server does not"):
        once(janitor, world=lambda: later(10**6))


def test_one_revision_with_two_bodies():
    """The first that arrives stays; which it was is not to be told from the revision."""

    def writer(n):
        def run(world):
            docs = [{"_id": "x", "_rev": "1-abc", "n": n}]
            world.db.update(docs, new_edits=False)

        return run

    def reader(world):
        world.journal.note(world.db.get("x", {}).get("n", 0))

    def check(world):
        if world.db["x"]["n"] == 2:
            raise Violation("the second")

    assert both({"a": writer(1), "b": writer(2)}, check) == (2, 1)
    clients = {"a": writer(1), "b": writer(2), "c": reader}
    schedules, broken = both(clients, check)
    assert broken * 2 == schedules


def test_a_look_at_few_things_costs_no_more_states():
    """Only who looks at the order of writes has it in the states."""

    def writer(name):
        return lambda world: [world.db.save({"_id": f"{name}{n}"}) for n in range(2)]

    def nosy(world):
        writer("c")(world)
        world.db.changes()

    plain = explore(world=shelf, clients={"a": writer("a"), "b": writer("b")}, check=print)
    closer = explore(world=shelf, clients={"a": writer("a"), "c": nosy}, check=print)
    assert plain.states == 9
    assert closer.states > 20


def test_deleted_and_made_again():
    def deleter(world):
        with suppress(couchdb.ResourceConflict):
            world.db.delete(world.db["count"])

    def maker(world):
        with suppress(couchdb.ResourceConflict):
            world.db["count"] = {"n": 5}

    def check(world):
        if "count" not in world.db:
            raise Violation("gone")

    schedules, broken = both({"ann": deleter, "ben": maker}, check)
    assert (schedules, broken) == (3, 2)


@pytest.mark.parametrize("lost", [0, 1])
def test_the_order_of_a_documents_fields_is_part_of_a_request(lost):
    def empty():
        return Shelf(services.couch("shelf", fresh=True))

    def client(world):
        world.db["a"] = {"x": 1, "y": 2}
        world.db["b"] = {"y": 2, "x": 1}
        world.journal.note(["".join(f for f in world.db[name] if f in "xy") for name in "ab"])

    def check(world):
        if world.journal["ann"] not in ([], [["xy", "yx"]]):
            raise Violation(str(world.journal["ann"]))

    assert once(client, check, world=empty, crashes=lost).holds


@pytest.mark.parametrize("bounds", [{"crashes": 1}, {"lost_replies": 1}, {}], ids=str)
def test_a_local_document_of_the_world_is_there_until_it_is_deleted(bounds):
    def locked():
        made = shelf()
        made.db["_local/lock"] = {"n": 0}
        return made

    def unlocks(world):
        with suppress(OSError):
            world.db.resource("_local", "lock").delete_json()

    def looks(world):
        world.journal.note("_local/lock" if world.db.get("_local/lock") else None)

    def check(world):
        if world.journal["looker"] == ["_local/lock"]:
            raise Violation("the lock is still there")

    if bounds:
        case = dict(clients={"owner": unlocks}, afterwards={"looker": looks}, **bounds)
    else:
        case = dict(clients={"owner": unlocks, "looker": looks})
    found = explore(world=locked, check=check, **case)
    full = explore(world=locked, check=check, merge=False, **case)
    assert 0 < found.broken < found.schedules
    assert (found.schedules, found.broken) == (full.schedules, full.broken)


def test_the_changes_feed_says_how_many_are_pending():
    def client(world):
        world.journal.note(world.db.changes().get("pending"))

    real = shelf().db.changes().get("pending")

    def check(world):
        assert world.journal["ann"] == [real]

    once(client, check).assert_holds()
