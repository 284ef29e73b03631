"""couchdb-python databases: an HTTP request is one step.

A client of the search gets a real `couchdb.Database` on a session that sends
nothing: it describes the request, and waits for the reply of the search. Answers
are compared between schedules, so what differs from server to server is taken
out of them: dates, sequence strings, the names of databases.
"""

from __future__ import annotations

import email.message
import errno
import io
import json
import re
import threading
from collections.abc import Hashable
from typing import Any
from urllib.parse import urlsplit
from weakref import WeakKeyDictionary

import couchdb
import couchdb.http

from raceproof.trace import couch_text
from raceproof.wire.calls import Ask, Call, Outcome, Performed, PlainAdapter
from raceproof.wire.clock import Clock

_SERVER = "http://couchdb.invalid"
_READS = ("_all_docs", "_view", "_revs_diff", "_bulk_get", "_design_docs", "_find", "_explain")
_PASSING = ("update_seq", "purge_seq", "last_seq", "instance_start_time", "db_name", "sizes")

# The databases of one world find each other, for replication, by the clock that they share.
_worlds: WeakKeyDictionary[Clock, dict[str, CouchAdapter]] = WeakKeyDictionary()


class CouchAdapter(PlainAdapter):
    """One database of one world."""

    def __init__(self, store: str, database: couchdb.Database, clock: Clock) -> None:
        super().__init__(store)
        self._database = database
        self._peers = _worlds.setdefault(clock, {})
        self._peers[store] = self

    def proxy(self, ask: Ask, tell: Any) -> couchdb.Database:
        resource = couchdb.http.Resource(f"{_SERVER}/{self.store}", SessionProxy(self.store, ask))
        return SearchedDatabase(resource, self.store)

    def perform(self, actor: str, call: Call) -> Performed | None:
        method, path, body = call.data
        try:
            if path == "/_replicate":
                self._peers[body["source"]]._database.replicate(self._database)
                return Performed(_answer(call, 200, {}, b'{"ok":true}'))
            resource = self._database.resource
            status, headers, data = resource.session.request(
                method,
                resource.url + path,
                body=body,
                headers={"Accept": "application/json", "Content-Type": "application/json"},
                credentials=resource.credentials,
            )
        except couchdb.http.HTTPError as error:
            return Performed(Outcome.error(error, couch_text.error(error)), changed=False)
        content = b"" if data is None else data.read()
        return Performed(_answer(call, status, headers, content), changed=not _reads(method, path))

    def snapshot(self) -> Hashable:
        """Return every leaf of every document: a revision is a digest of what it holds."""
        feed = self._database.resource.get_json("_changes", style="all_docs")[2]
        return tuple(
            sorted(
                (row["id"], *sorted(change["rev"] for change in row["changes"]))
                for row in feed["results"]
            )
        )

    def connection_error(self, call: Call) -> Exception:
        return ConnectionResetError(errno.ECONNRESET, "connection reset: no reply from CouchDB")


class SearchedDatabase(couchdb.Database):  # type: ignore[misc]
    """What a client of the search gets for a database."""

    def replicate(self, target: couchdb.Database) -> None:
        """As `services.couch().replicate`; one step of the search."""
        server = couchdb.Server(_SERVER, session=self.resource.session)
        server.replicate(self.name, target.name)


class SessionProxy:
    """What couchdb-python sends its requests through; each is a step of the search."""

    def __init__(self, store: str, ask: Ask) -> None:
        self._store = store
        self._ask = ask
        self._posted = 0

    def request(
        self,
        method: str,
        url: str,
        body: Any = None,
        headers: Any = None,
        credentials: Any = None,
        num_redirects: int = 0,
    ) -> tuple[int, Any, Any]:
        """Ask the search for one request; return status, headers and body, or raise HTTPError."""
        store, path = self._store, url.removeprefix(f"{_SERVER}/{self._store}")
        if path == url:
            path = url.removeprefix(_SERVER)
            if path != "/_replicate":
                raise NotImplementedError(f"a search knows one database, not the server's {path}")
        if "_changes" in path:
            raise NotImplementedError("the search does not follow the changes feed of a database")
        # A copy: couchdb-python writes the new revision into the document that it was given.
        body = json.loads(body if isinstance(body, str | bytes) else json.dumps(body))
        text = couch_text.request(method, path, body)
        if path == "/_replicate":
            store = body["target"]
        elif method == "POST" and path == "" and "_id" not in body:
            self._posted += 1  # the server would choose an id by chance
            name = re.sub(r"\W+", "-", threading.current_thread().name)
            body = {**body, "_id": f"{name}-{self._posted}"}
        key = (method, path, json.dumps(body, sort_keys=True))
        status, kept, content = self._ask(Call(store, key, text, (method, path, body)))
        reply = email.message.Message()
        for name, value in kept:
            reply[name] = value
        return status, reply, io.BytesIO(content) if content else None


def _reads(method: str, path: str) -> bool:
    parts = urlsplit(path).path.split("/")
    return method in ("GET", "HEAD") or (method == "POST" and any(part in _READS for part in parts))


def _answer(call: Call, status: int, headers: Any, content: bytes) -> Outcome:
    kept = [(n, headers[n]) for n in ("etag", "content-type") if n in headers]
    text = str(status)
    if content:
        value = json.loads(content)
        if isinstance(value, dict) and "_id" not in value:
            value = {name: part for name, part in value.items() if name not in _PASSING}
            if "_view" in call.data[1] or "_all_docs" in call.data[1]:
                kept = kept[-1:]  # the ETag of a view is chosen by the server
        content = json.dumps(value).encode()
        text = couch_text.reply(call.data[0], call.data[1], status, value)
    return Outcome.value((status, kept, content), text)


def make(store: str, database: couchdb.Database, clock: Clock) -> CouchAdapter:
    """Return the adapter for a database."""
    if not isinstance(database, couchdb.Database):
        raise TypeError(f"world.{store} must be a couchdb.Database, not {type(database).__name__}")
    return CouchAdapter(store, database, clock)
