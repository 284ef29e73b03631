"""The search on a couchdb.Database: every request a step, the same answers as without it."""

from __future__ import annotations

from math import comb

import couchdb
import pytest
from tests.raceproof.toys import in_full
from tests.raceproof.wire.couch.worlds import once, shelf, shelves, viewed_shelf

from raceproof import Violation, explore


def test_the_number_of_schedules_is_the_multinomial():
    def writer(name, count):
        def client(world):
            for number in range(count):
                world.db[f"{name}-{number}"] = {"n": number}

        return client

    for count, search in ((3, explore), (2, in_full)):
        clients = {name: writer(name, count) for name in "ab"}
        report = search(world=shelf, clients=clients, check=lambda w: None)
        assert report.schedules == comb(2 * count, count)
        assert report.holds


def increment(world):
    while True:
        doc = world.db["count"]
        doc["n"] += 1
        try:
            world.db.save(doc)
        except couchdb.ResourceConflict:
            continue
        return


def careless(world):
    doc = world.db["count"]
    n = doc["n"] + 1
    world.db.save({"_id": "count", "_rev": world.db["count"].rev, "n": n})


def two_counted(world):
    if world.db["count"]["n"] != 2:
        raise Violation(f"counted {world.db['count']['n']}")


def test_a_revision_is_a_compare_and_swap():
    pair = {"ann": increment, "ben": increment}
    for search in (explore, in_full):
        assert search(world=shelf, clients=pair, check=two_counted).holds
    pair = {"ann": careless, "ben": careless}
    report = explore(
        world=shelf, clients=pair, check=two_counted, allow=(couchdb.ResourceConflict,)
    )
    assert report.violation == "counted 1"


def test_two_searches_say_the_same():
    def search():
        return str(explore(world=shelf, clients={"a": careless, "b": careless}, check=two_counted))

    assert search() == search()


def test_requests_and_replies_in_words():
    def client(world):
        db = world.db
        db["x y"] = {"kind": "a", "n": 1}
        db.save({"kind": "b", "n": 2})
        doc = db["x y"]
        doc["n"] = 3
        db.save(doc)
        list(db.view("d/sums", group=True))
        list(db.view("d/sums", keys=["a", "b"], group=True))
        list(db.view("d/sums", key="zz", group=True))
        db.delete(doc)
        "nothing" in db  # noqa: B015 - it asks
        db["count"] = {"n": 5}

    steps = once(client, world=viewed_shelf).run.steps
    assert [(step.call, step.reply) for step in steps] == [
        ('PUT x y {"kind": "a", "n": 1}', "201"),
        ('POST {"kind": "b", "n": 2}', "201 ann-1"),
        ("GET x y", '{"kind": "a", "n": 1}'),
        ('PUT x y rev=1-… {"kind": "a", "n": 3}', "201"),
        ("GET _view/sums", "a 3, b 2, count 0"),
        ("POST _view/sums a b", "a 3, b 2"),
        ('GET _view/sums key="zz"', "no rows"),
        ("DELETE x y rev=2-…", "200"),
        ("HEAD nothing", "404"),
        ('PUT count {"n": 5}', "409 conflict"),
    ]
    assert steps[-1].ended.startswith("raises ResourceConflict")


def test_what_couchdb_python_returns_is_what_it_returns_without_the_search():
    def look(db):
        doc = dict(db["count"])
        db["more"] = {"kind": "count", "n": 4}
        found = [
            doc,
            db.get("none", 7),
            "count" in db,
            [(row.key, row.value) for row in db.view("d/sums", group=True)],
            [dict(row) for row in db.view("_all_docs", keys=["count"], include_docs=True)],
            db.save({"_id": "third", "n": 1})[0],
            sorted(db),
            len(db),
            [(ok, name) for ok, name, _ in db.update([{"_id": "more"}, {"_id": "fresh"}])],
        ]
        del db["third"]
        found.append(sorted(db))
        return found

    def check(world):
        if world.journal["ann"] != [plain]:
            raise Violation(f"{world.journal['ann']} is not {[plain]}")

    plain = look(viewed_shelf().db)
    report = once(lambda world: world.journal.note(look(world.db)), check, world=viewed_shelf)
    assert report.holds, report


@pytest.mark.parametrize("search", [explore, in_full])
def test_a_client_may_write_into_a_document_that_it_has_sent(search):
    """couchdb-python itself does: it adds the revision."""

    def client(n):
        def run(world):
            doc = {"_id": "same", "n": n}
            try:
                world.db.save(doc)
            except couchdb.ResourceConflict:
                return
            doc["n"] = 99
            "same" in world.db  # noqa: B015 - a step after the change

        return run

    def check(world):
        if world.db["same"]["n"] not in (1, 2):
            raise Violation("what was sent was changed afterwards")

    clients = {"a": client(1), "b": client(2)}
    assert search(world=shelf, clients=clients, check=check).holds


def test_a_deletion_is_seen_by_the_other_client():
    def deleter(world):
        world.db.delete(world.db["count"])

    def reader(world):
        world.journal.note("count" in world.db)

    seen = []
    clients = {"ann": deleter, "ben": reader}
    report = explore(
        world=shelf, clients=clients, check=lambda world: seen.append(world.journal["ben"])
    )
    assert report.holds
    assert sorted({tuple(notes) for notes in seen}) == [(False,), (True,)]


def test_lost_replies_and_crashes():
    def client(world):
        try:
            world.db["x"] = {"n": 1}
        except ConnectionError:
            world.journal.note("x" in world.db)

    seen = []

    def check(world):
        seen.append((tuple(world.journal["ann"]), "x" in world.db))

    report = once(client, check, lost_replies=1, crashes=1)
    assert report.holds
    assert {((True,), True), ((False,), False), ((), False), ((), True)} <= set(seen)


def test_conflicts_and_deletions_are_part_of_the_state():
    """Two histories that differ only in what is hidden must not be taken for one."""

    def client(world):
        world.db["a"] = {"n": 1}
        world.db.delete(world.db["a"])
        world.db["a"] = {"n": 1}
        world.journal.note(world.db["a"].rev.split("-")[0])

    def check(world):
        if world.journal["ann"] != ["3"]:
            raise Violation(str(world.journal["ann"]))

    assert once(client, check).holds


def test_replication_is_a_step_between_two_databases():
    def writer(world):
        world.here["a"] = {"n": 1}

    def other(world):
        world.there["a"] = {"n": 2}

    def replicator(world):
        world.here.replicate(world.there)
        world.there.replicate(world.here)

    def check(world):
        n = [dict(db["a"])["n"] if "a" in db else None for db in (world.here, world.there)]
        hidden = world.here.get("a", conflicts=True) or {}
        if "_conflicts" in hidden:
            raise Violation("both kept, one hidden")
        if n[0] != n[1]:
            raise Violation(f"they differ: {n}")

    clients = {"ann": writer, "ben": other, "replicator": replicator}
    search = {"world": shelves, "clients": clients, "check": check}
    report = explore(**search, allow=(couchdb.ResourceConflict,))
    found = {finding.violation: finding.run for finding in report.findings}
    assert set(found) == {"both kept, one hidden", "they differ: [1, 2]"}
    run = found["both kept, one hidden"]
    assert [step.call for step in run.steps if step.actor == "replicator"] == [
        "POST _replicate here → there",
        "POST _replicate there → here",
    ]
    again = in_full(**search, allow=(couchdb.ResourceConflict,))
    assert (again.schedules, again.broken) == (report.schedules, report.broken)
