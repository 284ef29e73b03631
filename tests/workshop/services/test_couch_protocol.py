"""The CouchDB protocol as the notebooks use it: the same on our PouchDB and on Apache CouchDB 3."""

from __future__ import annotations

import copy
import threading
import time
from base64 import b64encode
from typing import Any
from urllib.parse import unquote, urlsplit

import couchdb
import pytest
from couchdb.http import ServerError

from workshop import services
from workshop.services import environment

PARITY_ONLY = pytest.mark.skipif(
    environment.couchdb_url() is not None, reason="about our own server"
)


def design(**views: Any) -> dict[str, Any]:
    return {"_id": "_design/d", "views": views}


def rows(view: Any) -> list[tuple[Any, Any]]:
    return [(row["key"], row["value"]) for row in view]


def failure(call: Any, *args: Any, **kwargs: Any) -> tuple[int, str, str]:
    """Status, error and reason of a request that the server refuses."""
    with pytest.raises(couchdb.HTTPError) as caught:
        call(*args, **kwargs)
    status = {"ResourceConflict": 409, "ResourceNotFound": 404, "PreconditionFailed": 412}
    if isinstance(caught.value, ServerError):
        code, (error, reason) = caught.value.args[0]
        return code, error, reason
    return (status[type(caught.value).__name__], *caught.value.args[0])


CONFLICT = (409, "conflict", "Document update conflict.")


def test_create_if_absent_and_compare_and_swap(couch_db: couchdb.Database) -> None:
    doc = {"_id": "a", "n": 1}
    couch_db.save(doc)
    assert failure(couch_db.save, {"_id": "a", "n": 2}) == CONFLICT
    stale = dict(doc)
    doc["n"] = 3
    couch_db.save(doc)
    assert failure(couch_db.save, stale) == CONFLICT
    assert failure(couch_db.save, {"_id": "a", "_rev": f"9-{'ab' * 16}"}) == CONFLICT
    assert couch_db["a"]["n"] == 3
    assert str(doc["_rev"]).startswith("2-")


def test_deleting(couch_db: couchdb.Database) -> None:
    doc = {"_id": "a"}
    couch_db.save(doc)
    stale = {"_id": "a", "_rev": "1-0123456789abcdef0123456789abcdef"}
    assert failure(couch_db.delete, stale) == CONFLICT
    couch_db.delete(doc)
    assert failure(couch_db.__getitem__, "a") == (404, "not_found", "deleted")
    assert failure(couch_db.__getitem__, "b") == (404, "not_found", "missing")
    assert failure(couch_db.delete, {"_id": "b", "_rev": "1-abc"})[0] == 404
    couch_db.save({"_id": "a", "again": True})
    assert couch_db["a"]["again"] is True
    del couch_db["a"]
    assert "a" not in couch_db


def test_local_documents_are_no_locks(couch_db: couchdb.Database) -> None:
    """No `_rev` is compared: the last one to write wins, and no number is kept."""
    place = couch_db.resource("_local", "lock")

    def put(**doc: Any) -> str:
        return str(place.put_json(body=doc)[2]["rev"])

    assert [put(by="ann"), put(by="ben"), put(by="ann", _rev="0-7")] == ["0-1", "0-1", "0-8"]
    assert couch_db["_local/lock"] == {"_id": "_local/lock", "_rev": "0-8", "by": "ann"}
    docs = [{"_id": "_local/lock", "by": "eve"}, {"_id": "a"}, {"_id": "_local/other"}]
    assert [(ok, name) for ok, name, _ in couch_db.update(docs)] == [
        (True, "_local/lock"),
        (True, "a"),
        (True, "_local/other"),
    ]
    assert couch_db["_local/lock"]["by"] == "eve"
    assert list(couch_db) == ["a"]
    assert place.delete_json(rev="0-99")[2]["rev"] == "0-0"
    assert failure(place.delete_json) == (404, "not_found", "missing")
    assert "_local/lock" not in couch_db
    assert put(_rev="0-4", _deleted=True) == "0-0"
    assert failure(put, _rev="x")[:2] == (400, "bad_request")


@pytest.mark.parametrize("name", ["a/b", "a b", "ä€😀", "a:b", "100%", "a+b?c=d&e#f", "..", '"'])
def test_names_of_documents(couch_db: couchdb.Database, name: str) -> None:
    couch_db.save({"_id": name, "n": 1})
    assert couch_db[name]["_id"] == name
    assert list(couch_db) == [name]
    assert couch_db.view("_all_docs", key=name).rows[0]["id"] == name


def test_bad_documents(couch_db: couchdb.Database) -> None:
    assert failure(couch_db.save, {"_id": "_x"})[:2] == (400, "illegal_docid")
    assert failure(couch_db.save, {"_id": "a", "_unknown": 1})[:2] == (400, "doc_validation")
    assert failure(couch_db.resource.put_json, "a", body=[1])[:2] == (400, "bad_request")
    assert list(couch_db) == []


def test_databases(couch_db: couchdb.Database) -> None:
    server = services.couch_server()
    assert couch_db.name in server
    assert failure(server.create, couch_db.name)[:2] == (412, "file_exists")
    assert failure(server.create, "Upper")[:2] == (400, "illegal_database_name")
    assert failure(server.delete, couch_db.name + "-none")[:2] == (404, "not_found")
    assert couch_db.info()["db_name"] == couch_db.name
    assert len(server.uuids(2)) == 2


def test_bulk_documents_report_conflicts_one_by_one(couch_db: couchdb.Database) -> None:
    couch_db.save({"_id": "a"})
    results = couch_db.update([{"_id": "a"}, {"_id": "b"}, {"n": 1}])
    assert [ok for ok, _, _ in results] == [False, True, True]
    assert isinstance(results[0][2], couchdb.ResourceConflict)
    assert len(couch_db) == 3


def test_all_docs(couch_db: couchdb.Database) -> None:
    couch_db.update([{"_id": name, "n": i} for i, name in enumerate("abcd")])
    assert [row.id for row in couch_db.view("_all_docs", startkey="b", endkey="c")] == ["b", "c"]
    assert [r.id for r in couch_db.view("_all_docs", descending=True, limit=2)] == ["d", "c"]
    assert couch_db.view("_all_docs", limit=0).total_rows == 4
    found = couch_db.view("_all_docs", keys=["d", "x"], include_docs=True).rows
    assert found[0]["doc"]["n"] == 3
    assert found[1]["error"] == "not_found"


KEYS: list[Any] = [
    None, False, True, -1, 0, 1.5, 10, "", "a", "A", "aa", "b", "B", "ba", "bb", "é", "z",
    [], [1], [1, 2], [2], ["a"], ["a", None], ["b"], {}, {"a": 1}, {"a": 2}, {"b": 1},
]  # fmt: skip


def test_the_order_of_keys(couch_db: couchdb.Database) -> None:
    """The table of CouchDB's manual, "View Collation"."""
    couch_db.save(design(k={"map": "function (d) { if ('k' in d) emit(d.k, null); }"}))
    couch_db.update([{"_id": f"{99 - i:02}", "k": key} for i, key in enumerate(KEYS)])
    assert [key for key, _ in rows(couch_db.view("d/k"))] == KEYS
    assert [key for key, _ in rows(couch_db.view("d/k", descending=True))] == KEYS[::-1]
    between = [key for key, _ in rows(couch_db.view("d/k", startkey=["a"], endkey=["a", {}]))]
    assert between == [["a"], ["a", None]]
    for key in KEYS:
        assert rows(couch_db.view("d/k", key=key)) == [(key, None)] or key is None


SUM = design(
    n={"map": "function (d) { if (d.n) emit([d.who, d.n], d.n); }", "reduce": "_sum"},
    c={"map": "function (d) { if (d.n) emit(d.who, d.n); }", "reduce": "_count"},
    s={"map": "function (d) { if (d.n) emit(d.who, d.n); }", "reduce": "_stats"},
    js={
        "map": "function (d) { if (d.n) emit(d.who, d.n); }",
        "reduce": "function (keys, values, rereduce) { return sum(values); }",
    },
    one={"map": "function (d) { if (d.n) emit(d.who, [d.n]); }", "reduce": "_sum"},
    plain={"map": "function (d) { if (d.n) emit(d.who, {_id: d.other}); }"},
)


@pytest.fixture
def ledger(couch_db: couchdb.Database) -> couchdb.Database:
    """Numbers 1 to 60, the odd ones of ann, the even ones of bob."""
    couch_db.save(copy.deepcopy(SUM))
    couch_db.update(
        [
            {"_id": f"{n:02}", "who": ("bob", "ann")[n % 2], "n": n, "other": f"{n % 60 + 1:02}"}
            for n in range(1, 61)
        ]
    )
    return couch_db


def test_reduce_and_groups(ledger: couchdb.Database) -> None:
    assert rows(ledger.view("d/n")) == [(None, 1830)]
    assert rows(ledger.view("d/n", group_level=1)) == [(["ann"], 900), (["bob"], 930)]
    assert len(ledger.view("d/n", group=True).rows) == 60
    assert rows(ledger.view("d/n", startkey=["bob"], endkey=["bob", 4])) == [(None, 6)]
    assert rows(ledger.view("d/n", startkey=["eve"])) == []
    assert rows(ledger.view("d/c", group=True)) == [("ann", 30), ("bob", 30)]
    assert rows(ledger.view("d/c", group=True, keys=["bob"])) == [("bob", 30)]
    assert rows(ledger.view("d/js", group=True)) == [("ann", 900), ("bob", 930)]
    assert rows(ledger.view("d/one")) == [(None, [1830])]
    stats = ledger.view("d/s").rows[0]["value"]
    assert stats == {"sum": 1830, "count": 60, "min": 1, "max": 60, "sumsqr": 73810}


def test_ranges_of_rows(ledger: couchdb.Database) -> None:
    def numbers(**options: Any) -> list[int]:
        return [row["value"] for row in ledger.view("d/n", reduce=False, **options)]

    assert numbers(startkey=["ann", 55]) == [55, 57, 59, *range(2, 61, 2)]
    assert numbers(endkey=["ann", 5]) == [1, 3, 5]
    assert numbers(endkey=["ann", 5], inclusive_end=False) == [1, 3]
    assert numbers(startkey=["ann", 5], endkey=["ann"], descending=True) == [5, 3, 1]
    down = {"startkey": ["ann", 5], "endkey": ["ann", 1], "descending": True}
    assert numbers(**down, inclusive_end=False) == [5, 3]
    assert numbers(limit=2, skip=1) == [3, 5]
    assert numbers(descending=True, limit=2) == [60, 58]
    assert numbers(keys=[["bob", 2], ["ann", 1], ["ann", 2]]) == [2, 1]
    view = ledger.view("d/n", reduce=False, startkey=["bob"], limit=1)
    assert (view.total_rows, view.offset) == (60, 30)
    same_key = ledger.view("d/plain", key="ann", startkey_docid="55").rows
    assert [row["id"] for row in same_key][-3:] == ["55", "57", "59"]


def test_linked_documents(ledger: couchdb.Database) -> None:
    row = ledger.view("d/plain", include_docs=True, limit=1).rows[0]
    assert (row["id"], row["doc"]["_id"]) == ("01", "02")


def test_a_view_contains_what_was_written_before(ledger: couchdb.Database) -> None:
    for n in range(100, 130):
        name, rev = ledger.save({"who": "eve", "n": n})
        assert rows(ledger.view("d/n", startkey=["eve"], group=True))[-1] == (["eve", n], n)
        if n % 3 == 0:
            ledger.save({"_id": name, "_rev": rev, "who": "eve", "n": 1000})
            assert rows(ledger.view("d/n", startkey=["eve", 1000])) == [(None, 1000)]
            ledger.delete(ledger[name])
            assert rows(ledger.view("d/n", startkey=["eve", 1000])) == []


def test_a_view_after_many_changes_at_once(ledger: couchdb.Database) -> None:
    assert rows(ledger.view("d/c")) == [(None, 60)]
    docs = [row.doc for row in ledger.view("_all_docs", include_docs=True, startkey="01")]
    kept = [doc for doc in docs if doc["_id"][0].isdigit()]
    ledger.update([{**doc, "n": doc["n"] + 100} for doc in kept[:20]])
    ledger.update([{**doc, "_deleted": True} for doc in kept[20:40]])
    assert rows(ledger.view("d/c")) == [(None, 40)]
    assert rows(ledger.view("d/n")) == [(None, 1830 + 20 * 100 - sum(range(21, 41)))]


def test_a_view_contains_what_other_threads_wrote_before(ledger: couchdb.Database) -> None:
    stale: list[int] = []

    def write(who: str) -> None:
        mine = couchdb.Database(services.couch_server().resource(ledger.name), ledger.name)
        for n in range(1, 21):
            mine.save({"who": who, "n": n})
            if rows(mine.view("d/c", key=who)) != [(None, n)]:
                stale.append(n)

    threads = [threading.Thread(target=write, args=(f"t{i}",)) for i in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert stale == []


@pytest.mark.parametrize(
    ("view", "options", "expected"),
    [
        ("d/plain", {"group": True}, (400, "query_parse_error")),
        ("d/plain", {"reduce": True}, (400, "query_parse_error")),
        ("d/n", {"include_docs": True}, (400, "query_parse_error")),
        ("d/n", {"keys": [["ann", 1], ["ann", 2]]}, (400, "query_parse_error")),
        ("d/n", {"startkey": "b", "endkey": "a"}, (400, "query_parse_error")),
        ("d/n", {"limit": "x"}, (400, "query_parse_error")),
        ("d/n", {"descending": "maybe"}, (400, "query_parse_error")),
        ("d/none", {}, (404, "not_found")),
        ("none/n", {}, (404, "not_found")),
    ],
)
def test_bad_queries(
    ledger: couchdb.Database, view: str, options: dict[str, Any], expected: tuple[int, str]
) -> None:
    assert failure(lambda: ledger.view(view, **options).rows)[:2] == expected


def test_none_as_an_option_is_sent_as_null(ledger: couchdb.Database) -> None:
    assert failure(lambda: ledger.view("d/n", descending=None).rows)[0] == 400


def test_a_custom_reduce_is_given_the_last_key_first(couch_db: couchdb.Database) -> None:
    """As CouchDB's couch_btree does; a reduce that minds the order is wrong everywhere."""
    order = "function (keys, values, again) { return again ? values[0] : values; }"
    couch_db.save(design(v={"map": "function (d) { emit(d._id, d._id); }", "reduce": order}))
    couch_db.update([{"_id": name} for name in "abc"])
    assert rows(couch_db.view("d/v")) == [(None, ["c", "b", "a"])]
    assert rows(couch_db.view("d/v", startkey="a", endkey="b")) == [(None, ["b", "a"])]


def test_a_reduce_that_does_not_reduce_is_an_error_in_its_row(couch_db: couchdb.Database) -> None:
    couch_db.save(
        design(
            all={
                "map": "function (d) { if (d.s) emit(d._id, d.s); }",
                "reduce": "function (keys, values) { return values; }",
            }
        )
    )
    couch_db.update([{"s": "x" * 500} for _ in range(20)])
    assert couch_db.view("d/all").rows[0]["error"] == "reduce_overflow_error"


def test_a_design_document_that_does_not_compile(couch_db: couchdb.Database) -> None:
    bad = design(v={"map": "function (d) { emit("})
    assert failure(couch_db.save, bad)[:2] == (400, "compilation_error")


def test_a_map_that_throws_skips_its_document(couch_db: couchdb.Database) -> None:
    couch_db.save(design(v={"map": "function (d) { emit(d.a.b, 1); }"}))
    couch_db.update([{"a": {"b": 1}}, {"a": None}, {}])
    assert rows(couch_db.view("d/v")) == [(1, 1), (None, 1)][:1]


def test_a_changed_design_document_is_a_new_view(couch_db: couchdb.Database) -> None:
    first = design(v={"map": "function (d) { emit(1, null); }"})
    couch_db.save(first)
    couch_db.save({"_id": "x"})
    assert rows(couch_db.view("d/v")) == [(1, None)]
    first["views"]["v"]["map"] = "function (d) { emit(2, null); }"
    couch_db.save(first)
    assert rows(couch_db.view("d/v")) == [(2, None)]


def test_changes(couch_db: couchdb.Database) -> None:
    couch_db.save({"_id": "a"})
    first = couch_db.changes()
    assert [change["id"] for change in first["results"]] == ["a"]
    assert isinstance(first["last_seq"], str)
    couch_db.save({"_id": "b"})
    later = couch_db.changes(since=first["last_seq"], include_docs=True)
    assert [change["doc"]["_id"] for change in later["results"]] == ["b"]
    assert couch_db.changes(since="now")["results"] == []
    post = couch_db.resource.post_json
    named = post("_changes", body={"doc_ids": ["b"]}, filter="_doc_ids")[2]["results"]
    assert [change["id"] for change in named] == ["b"]


def test_longpoll_waits_for_a_change_or_its_timeout(couch_db: couchdb.Database) -> None:
    since = couch_db.info()["update_seq"]
    started = time.monotonic()
    assert couch_db.changes(feed="longpoll", since=since, timeout=300)["results"] == []
    assert 0.25 <= time.monotonic() - started < 60
    mine = couchdb.Database(services.couch_server().resource(couch_db.name), couch_db.name)
    timer = threading.Timer(0.2, lambda: mine.save({"_id": "late"}))
    timer.start()
    found = couch_db.changes(feed="longpoll", since=since, timeout=60_000)
    assert [change["id"] for change in found["results"]] == ["late"]
    timer.join()


@pytest.mark.usefixtures("own_servers")
def test_longpoll_ends_when_its_database_is_deleted() -> None:
    there = services.couch_server()
    database = there.create("polled-and-deleted")
    timer = threading.Timer(0.2, lambda: services.couch_server().delete("polled-and-deleted"))
    timer.start()
    with pytest.raises(couchdb.http.ResourceNotFound):
        database.changes(feed="longpoll", since="now", timeout=60_000)
    timer.join()


def test_revisions_and_compaction(couch_db: couchdb.Database) -> None:
    doc = {"_id": "a", "n": 1}
    couch_db.save(doc)
    old = doc["_rev"]
    doc["n"] = 2
    couch_db.save(doc)
    assert couch_db.get("a", rev=old)["n"] == 1
    assert [info["status"] for info in couch_db.get("a", revs_info=True)["_revs_info"]] == [
        "available",
        "available",
    ]
    assert couch_db.compact()


def end(space: str) -> dict[str, Any]:
    """One end of a replication; in a URL, Apache's replicator would not decode the password."""
    parts = urlsplit(services.couch_url(space))
    person = f"{unquote(parts.username or '')}:{unquote(parts.password or '')}"
    bare = parts._replace(netloc=parts.netloc.rpartition("@")[2]).geturl()
    token = b64encode(person.encode()).decode()
    return {"url": bare, "headers": {"Authorization": f"Basic {token}"}}


def test_replication_keeps_both_sides_of_a_conflict(couch_db: couchdb.Database) -> None:
    other = services.couch("test-other", fresh=True)
    here, there = end("test"), end("test-other")
    server = services.couch_server()
    couch_db.save({"_id": "a", "n": 0})
    done = server.replicate(here, there)
    assert done["ok"]
    assert done["history"][0]["docs_written"] == 1
    for database, n in ((couch_db, 1), (other, 2)):
        doc = database["a"]
        doc["n"] = n
        database.save(doc)
    server.replicate(here, there)
    server.replicate(there, here)
    winners = [database.get("a", conflicts=True) for database in (couch_db, other)]
    assert winners[0] == winners[1]
    (loser,) = winners[0]["_conflicts"]
    assert {winners[0]["n"], couch_db.get("a", rev=loser)["n"]} == {1, 2}
    couch_db.save(design(c={"map": "function (d) { if (d._conflicts) emit(d._id, null); }"}))
    assert rows(couch_db.view("d/c")) == [("a", None)]
    couch_db.delete({"_id": "a", "_rev": loser})
    assert "_conflicts" not in couch_db.get("a", conflicts=True)
    assert rows(couch_db.view("d/c")) == []


def leaves(database: couchdb.Database) -> dict[str, list[str]]:
    feed = database.resource.get_json("_changes", style="all_docs")[2]["results"]
    return {row["id"]: sorted(change["rev"] for change in row["changes"]) for row in feed}


def test_our_replication_copies_what_that_of_the_server_copies(couch_db: couchdb.Database) -> None:
    other, mirror = (services.couch(name, fresh=True) for name in ("test-other", "test-mirror"))
    for database, n in ((couch_db, 1), (other, 2)):
        database["conflict"] = {"n": n}
        database["a/b:c%d é"] = {"n": 0}
    couch_db["changed"] = {"n": 1}
    couch_db["changed"] = {**couch_db["changed"], "n": 2}
    couch_db.save({"_id": "deleted"})
    couch_db.delete(couch_db["deleted"])
    couch_db["_design/d"] = {"views": {"v": {"map": "function (d) { emit(1, 1); }"}}}
    mirror.replicate(mirror)
    assert leaves(mirror) == {}
    other.replicate(mirror)
    assert leaves(mirror) == leaves(other)
    couch_db.replicate(mirror)
    couch_db.replicate(mirror)
    services.couch_server().replicate(end("test"), end("test-other"))
    assert leaves(mirror) == leaves(other)
    assert len(leaves(mirror)["conflict"]) == 2
    again = services.couch("test-again", fresh=True)
    mirror.replicate(again)
    assert leaves(again) == leaves(mirror)
    assert "deleted" in leaves(mirror)
    assert "deleted" not in mirror
    assert mirror["changed"]["n"] == 2
    history = mirror.get("changed", revs_info=True)["_revs_info"]
    assert [found["rev"].split("-")[0] for found in history] == ["2", "1"]


@PARITY_ONLY
def test_what_our_server_does_not_do_it_says(couch_db: couchdb.Database) -> None:
    validate = {"_id": "_design/x", "validate_doc_update": "function () {}"}
    assert failure(couch_db.save, validate)[:2] == (501, "not_implemented")
    couch_db.save(design(v={"map": "function (d) { emit(1, d._id); }", "reduce": "_sum"}))
    couch_db.save({"_id": "text"})
    assert couch_db.view("d/v").rows[0]["error"] == "builtin_reduce_error"
    couch_db.save({"_id": "a"})
    attached = {"_id": "b", "_attachments": {"x": {"data": ""}}}
    assert failure(couch_db.save, attached)[:2] == (501, "not_implemented")
    couch_db.save({"_id": "_design/f", "filters": {"none": "function (doc) { return false; }"}})
    for name in ("f/none", "_view", "_selector", "_design"):
        assert failure(couch_db.changes, filter=name)[:2] == (501, "not_implemented")
    elsewhere = services.couch_server().replicate
    assert failure_forbidden(elsewhere, "http://example.com/a", couch_db.name)


def failure_forbidden(call: Any, *args: Any) -> bool:
    with pytest.raises(couchdb.http.Forbidden):
        call(*args)
    return True
