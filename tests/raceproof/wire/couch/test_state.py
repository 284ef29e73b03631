"""Whatever a later request can see is in the state, so merged and full searches agree."""

from __future__ import annotations

from contextlib import suppress

import couchdb
import pytest
from tests.raceproof.wire.couch.worlds import Shelf, both, explore, once, shelf

from raceproof import Violation
from workshop import services


def test_local_documents():
    """Who gets the lock writes the winner; the lock itself is in a `_local` document."""

    def client(name):
        def run(world):
            try:
                world.db["_local/lock"] = {"by": name}
            except couchdb.ResourceConflict:
                return
            world.db["winner"] = {"name": name}

        return run

    def check(world):
        if world.db["winner"]["name"] == "b":
            raise Violation("b won")

    assert both({"a": client("a"), "b": client("b")}, check) == (4, 2)


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
        for n in range(3):
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
    assert schedules == 28
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


def test_compacting_takes_old_revisions_away():
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
    assert both(clients, check) == (12, 1)


def test_one_revision_with_two_bodies():
    """The first that arrives stays; which it was is not to be told from the revision."""

    def writer(n):
        def run(world):
            docs = [{"_id": "x", "_rev": "1-abc", "n": n}]
            world.db.update(docs, new_edits=False)

        return run

    def reader(world):
        world.journal.note(world.db["x"]["n"] if "x" in world.db else 0)

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
        return lambda world: [world.db.save({"_id": f"{name}{n}"}) for n in range(3)]

    def nosy(world):
        writer("c")(world)
        world.db.changes()

    plain = explore(world=shelf, clients={"a": writer("a"), "b": writer("b")}, check=print)
    closer = explore(world=shelf, clients={"a": writer("a"), "c": nosy}, check=print)
    assert plain.states == 16
    assert closer.states > 40


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
        world.journal.note(["".join(world.db[name]) for name in "ab"])

    def check(world):
        if world.journal["ann"] not in ([], [["xy_id_rev", "yx_id_rev"]]):
            raise Violation(str(world.journal["ann"]))

    assert once(client, check, world=empty, crashes=lost).holds
