"""couchdb-python is the real one: what it returns, raises and sends again is its own doing."""

from __future__ import annotations

import io
import json
from urllib.parse import quote

import couchdb
import couchdb.http
import pytest
from tests.raceproof.wire.couch.worlds import Shelf, Shelves, both, once, shelf, shelves

from raceproof import Unsearchable, Violation, explore
from raceproof.trace import couch_text
from workshop import services
from workshop.services import environment


def look(db):
    """A value for each of many methods."""
    copied = db.copy("count", "copy").split("-")[0]
    onto = db.copy("count", {"_id": "copy", "_rev": db["copy"].rev}).split("-")[0]
    posted = db.update([{"n": 1}, {"_id": "copy"}])
    feed = db.changes(include_docs=True, style="all_docs")
    info = db.info()
    later = db.changes(since=feed["results"][2]["seq"])
    return [
        copied,
        onto,
        [ok for ok, _, _ in posted],
        {"copy", "count"} <= {row["id"] for row in feed["results"]},
        info["doc_count"],
        len(feed["results"]) - len(later["results"]),
        [doc.rev.split("-")[0] for doc in db.revisions("copy")],
        db.get("count", revs_info=True)["_revs_info"][0]["status"],
        db.cleanup(),
        db.commit()["ok"],
        bool(db),
        db.security,
        len(list(db.iterview("_all_docs", 2))),
        type(db).__name__,
        isinstance(db, services.couch("shelf").__class__),
        db.compact(),  # last: Apache CouchDB does it later
    ]


def test_what_the_library_returns_is_what_it_returns_without_the_search():
    plain = look(shelf().db)

    def check(world):
        if world.journal["ann"] != [plain]:
            raise Violation(f"{world.journal['ann']} is not {[plain]}")

    report = once(lambda world: world.journal.note(look(world.db)), check)
    assert report.holds, report


def test_a_server_over_the_session_knows_the_databases_of_the_world():
    def client(world):
        server = couchdb.Server("http://couchdb.invalid/", session=world.here.resource.session)
        server["there"]["a"] = {"n": 1}
        assert server["here"].name in server
        assert len(set(server.uuids(2))) == 2
        server.replicate("there", "here")

    def check(world):
        if world.here["a"]["n"] != 1:
            raise Violation("nothing arrived")

    report = once(client, check, world=shelves)
    assert report.holds, report


def test_a_default_session_sends_again_after_a_lost_reply():
    """couchdb-python retries once, silently: the second PUT meets the first one's document."""

    def impatient():
        db = services.couch("shelf", fresh=True)
        session = couchdb.http.Session(retry_delays=[0])
        return Shelf(couchdb.Database(couchdb.http.Resource(_url(db), session), db.name))

    def client(world):
        world.db["x"] = {"n": 1}

    report = once(client, world=impatient, lost_replies=1)
    assert report.violation.startswith("ann raises ResourceConflict")
    assert [step.call for step in report.run.steps] == [
        'PUT x {"n": 1}',
        "sleeps 0 s",
        'PUT x {"n": 1}',
    ]


def _url(db):
    name, password = db.resource.credentials
    return db.resource.url.replace("//", f"//{quote(name, safe='')}:{quote(password, safe='')}@")


def test_a_class_of_the_worlds_own_stays_what_it_is():
    class Counting(couchdb.Database):
        def twice(self, name):
            return self[name]["n"] * 2

    def world():
        plain = shelf().db
        return Shelf(Counting(plain.resource, plain.name))

    assert once(lambda w: w.db.twice("count"), world=world).holds


def test_ids_that_the_server_would_choose_are_the_same_on_every_replay():
    def poster(world):
        world.db.save({"n": 1})
        world.db.update([{"n": 2}, {"n": 3}])

    def other(world):
        for n in range(2):
            world.db[str(n)] = {}

    def check(world):
        found = sorted(name for name in world.db if name.startswith("ann"))
        if found != [f"ann-{n}{couch_text.CHOSEN}" for n in (1, 2, 3)]:
            raise Violation(str(found))

    assert both({"ann": poster, "ben": other}, check) == (6, 0)


def test_they_are_others_than_those_of_the_world_and_of_another_database() -> None:
    def world() -> Shelves:
        made = shelves()
        made.here["ann-1"] = {"of": "the world"}
        return made

    def client(world: Shelves) -> None:
        world.here.save({"of": "here"})
        world.there.save({"of": "there"})
        world.here.replicate(world.there)

    def check(world: Shelves) -> None:
        found = sorted(world.there[name]["of"] for name in world.there)
        if found != ["here", "the world", "there"]:
            raise Violation(str(found))

    assert once(client, check, world=world).holds


def test_and_than_those_of_a_client_with_almost_the_same_name() -> None:
    def saves(world: Shelf) -> None:
        name, _ = world.db.save({"n": 1})
        world.journal.note(world.db[name]["n"])

    def check(world: Shelf) -> None:
        assert len(world.db) == 1 + len(names)
        raise Violation("look at it")

    names = ("a/b", "a-b", "_b")
    clients = dict.fromkeys(names, saves)
    report = explore(world=shelf, clients=clients, check=check, preemptions=0)
    shown = {step.reply for step in report.run.steps if step.call.startswith("POST")}
    assert shown == {f"201 {name}-1" for name in names}


def test_a_transcript_shows_the_short_ids_of_new_documents() -> None:
    def client(world: Shelf) -> None:
        name, _ = world.db.save({"n": 1})
        world.db.save({**world.db[name], "before": name})
        list(world.db.view("_all_docs", keys=[name], include_docs=True))
        assert name in world.db

    def check(world: Shelf) -> None:
        raise Violation("look at it")

    steps = once(client, check).run.steps
    assert [(step.call, step.reply) for step in steps] == [
        ('POST {"n": 1}', "201 ann-1"),
        ("GET ann-1", '{"n": 1}'),
        ('PUT ann-1 rev=1-… {"n": 1, "before": "ann-1"}', "201"),
        ("POST _all_docs ann-1", 'ann-1 {"n": 1, "before": "ann-1"}'),
        ("HEAD ann-1", "200"),
    ]


class Attachments(couchdb.http.Session):
    """A server that keeps attachments, made of one that keeps none: they are fields there."""

    def __init__(self, session):
        super().__init__()
        self.connection_pool = _Pool(session.connection_pool)


class _Pool:
    def __init__(self, pool):
        self.pool = pool

    def get(self, url):
        return _Keeps(self.pool.get(url))

    def release(self, url, connection):
        self.pool.release(url, connection.real)


class _Keeps:
    def __init__(self, real):
        self.real, self.method = real, ""

    def __getattr__(self, name):
        return getattr(self.real, name)

    def request(self, method, target, body, headers):
        path, _, query = target.partition("?")
        if not path.endswith("/note.bin"):
            self.real.request(method, target, body, headers)
            return
        self.method = method
        doc = {"kind": headers["Content-Type"], "hex": body.hex()} if method == "PUT" else {}
        sent = None if method == "GET" else json.dumps(doc)
        place = path.removesuffix("/note.bin") + "?" + query
        headers = {**headers, "Content-Type": "application/json"}
        self.real.request("GET" if method == "GET" else "PUT", place, sent, headers)

    def getresponse(self):
        response = self.real.getresponse()
        if self.method != "GET":
            return response
        doc = json.loads(response.read())
        if "hex" in doc:
            return _Reply(200, doc["kind"], bytes.fromhex(doc["hex"]))
        return _Reply(404, "application/json", b'{"error": "not_found"}')


class _Reply:
    will_close = False

    def __init__(self, status, kind, content):
        self.status, self.kind, self.read = status, kind, lambda: content

    def getheaders(self):
        return [("Content-Type", self.kind)]


@pytest.mark.parametrize("content", [b'\xff\x00{"n"', io.BytesIO(b'\xff\x00{"n"')])
def test_attachments_pass_byte_for_byte(content):
    def world():
        made = shelf()
        session = Attachments(made.db.resource.session)
        resource = couchdb.http.Resource(_url(made.db), session)
        return Shelf(couchdb.Database(resource, "shelf"))

    def client(world):
        doc = world.db["count"]
        if isinstance(content, io.BytesIO):
            content.seek(0)
        world.db.put_attachment(doc, content, "note.bin", "image/x")
        assert doc["_rev"].startswith("2-")
        assert world.db.get_attachment("count", "note.bin").read() == b'\xff\x00{"n"'
        world.db.delete_attachment(doc, "note.bin")
        assert world.db.get_attachment("count", "note.bin", "none") == "none"

    seen = []
    report = explore(
        world=world,
        clients={"ann": client, "ben": lambda world: world.db.get("count")},
        check=lambda world: seen.append(1),
    )
    assert report.holds, report


@pytest.mark.skipif(environment.couchdb_url() is not None, reason="about our own server")
def test_our_own_server_says_that_it_keeps_no_attachments():
    with pytest.raises(Unsearchable, match="keeps no attachments"):
        once(lambda w: w.db.put_attachment(w.db["count"], b"x", "a.txt", "text/plain"))


def test_a_world_with_another_session_is_refused():
    class Odd:
        def request(self, *args, **options):
            raise AssertionError

    resource = couchdb.http.Resource("http://localhost/x", Odd())
    with pytest.raises(TypeError, match=r"couchdb\.http\.Session"):
        once(lambda w: None, world=lambda: Shelf(couchdb.Database(resource, "x")))
    with pytest.raises(TypeError, match=r"must be a couchdb\.Database"):
        once(lambda w: None, world=lambda: Shelf(couchdb.Server("http://localhost")))


def test_two_databases_of_one_world_are_told_apart():
    def client(world):
        world.here["a"] = {"n": 1}
        world.there["a"] = {"n": 2}

    def check(world: Shelves):
        if (world.here["a"]["n"], world.there["a"]["n"]) != (1, 2):
            raise Violation("mixed up")

    assert once(client, check, world=shelves).holds


def test_copying_and_attaching_in_words():
    assert couch_text.request("COPY", "/count", None, "a%20copy?rev=1-x") == "COPY count → a copy"
    attached = couch_text.request("PUT", "/count/note.bin?rev=2-x", b"abc")
    assert attached == "PUT count/note.bin rev=2-… 3 bytes"
    assert couch_text.reply("GET", "/x", 404, {"error": "not_found"}) == "404 not_found"
    assert couch_text.request("PUT", "/x", {"at": 1000.0}) == 'PUT x {"at": 1000}'


def test_a_client_may_read_more_than_the_library_caches():
    def reader(world):
        for n in range(80):
            world.db.get("count", number=n)

    assert once(reader, calls=100).holds
