"""What cannot be searched on CouchDB ends the search with a sentence that names it."""

from __future__ import annotations

import couchdb
import pytest
from tests.raceproof.wire.couch.worlds import once

from raceproof import Unsearchable
from workshop.services import environment


def server(world):
    return couchdb.Server("http://couchdb.invalid", session=world.db.resource.session)


REFUSED = {
    "feed=continuous": lambda w: list(w.db.changes(feed="continuous", timeout=10)),
    "feed=longpoll": lambda w: w.db.changes(feed="longpoll", timeout=10),
    "batch=ok": lambda w: w.db.save({"_id": "x"}, batch="ok"),
    "stale=ok": lambda w: w.db.view("d/sums", stale="ok").rows,
    "update=lazy": lambda w: w.db.view("d/sums", update="lazy").rows,
    "POST _find cannot be searched; use a view": lambda w: w.db.find({"selector": {}}),
    "POST _explain": lambda w: w.db.explain({"selector": {}}),
    "GET _index": lambda w: list(w.db.index()),
    "POST _temp_view": lambda w: w.db.query("function (doc) {}").rows,
    "POST _purge cannot be searched; delete the document": lambda w: w.db.purge([w.db["count"]]),
    "PUT _security cannot be searched; set it where": lambda w: w.db.resource.put_json(
        "_security", body={}
    ),
    "GET _info": lambda w: w.db.info("d"),
    "GET _show": lambda w: w.db.show("d/x"),
    "PUT _revs_limit": lambda w: w.db.resource.put_json("_revs_limit", body=3),
    "GET _local_docs cannot be searched; ask for each document": lambda w: (
        w.db.view("_local_docs").rows
    ),
    "DELETE the whole database": lambda w: server(w).delete("db"),
    "not the server's root": lambda w: server(w).version(),
    "not the server's _all_dbs": lambda w: list(server(w)),
    "not the server's other": lambda w: server(w).create("other"),
    "POST _replicate": lambda w: server(w).replicate("db", "elsewhere"),
    "used for another server": lambda w: couchdb.Server(
        "http://localhost:1/", session=w.db.resource.session
    ).version(),
    "a password of the client's own": lambda w: couchdb.Database(
        "http://eve:secret@couchdb.invalid/db", session=w.db.resource.session
    ).get("count"),
}


@pytest.mark.parametrize("words", REFUSED)
def test_it_is_refused_by_name_and_cannot_be_swallowed(words):
    def client(world):
        try:
            REFUSED[words](world)
        except Exception:
            return

    with pytest.raises(Unsearchable) as refused:
        once(client)
    assert words in str(refused.value)


def test_a_filter_that_our_own_server_does_not_know_is_refused() -> None:
    if environment.couchdb_url():
        pytest.skip("about our own server")
    with pytest.raises(Unsearchable, match=r"filter=d/paid cannot be searched on this server\."):
        once(lambda w: w.db.changes(filter="d/paid"))


def test_replication_without_a_method_for_it_is_refused():
    from tests.raceproof.wire.couch.worlds import Shelf, shelf

    def world():
        db = shelf().db
        return Shelf(couchdb.Database(db.resource, db.name))

    with pytest.raises(Unsearchable, match="has no method `replicate`"):
        once(lambda w: server(w).replicate("db", "db"), world=world)
