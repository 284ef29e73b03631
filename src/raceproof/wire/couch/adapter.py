"""One database of one world: its requests are made for real, and its state is described."""

from __future__ import annotations

import copy
import errno
import json
import time
from collections.abc import Hashable, Iterable
from http.client import HTTPException
from typing import Any
from urllib.parse import urlencode, urlsplit
from weakref import WeakKeyDictionary

import couchdb
import couchdb.client
import couchdb.http

from raceproof.trace import couch_text
from raceproof.wire.adapter import PlainAdapter
from raceproof.wire.calls import (
    Ask,
    Call,
    LooksCloser,
    Outcome,
    Performed,
    Unsearchable,
)
from raceproof.wire.clock import Clock
from raceproof.wire.couch import answers
from raceproof.wire.couch.connections import SERVER, Answer, Connections, searched
from raceproof.wire.couch.requests import CouchRequest

_COMPACTED_WITHIN = 60  # seconds; the databases of a search are small

# The databases of one world find each other by the clock that they share.
_worlds: WeakKeyDictionary[Clock, dict[str, CouchAdapter]] = WeakKeyDictionary()
# The `_local` documents that worlds were seen to make, by the address of their database.
_known_locals: dict[str, set[str]] = {}


class CouchAdapter(PlainAdapter):
    """One database of one world.

    A revision is a digest of all that led to it, so the leaves of the documents are the
    state, and the `_local` documents whose names were seen. What else can be asked for
    (the order of writes, old revisions) is in it as soon as a client asks: see LooksCloser.
    """

    def __init__(self, store: str, database: couchdb.Database, clock: Clock) -> None:
        super().__init__(store)
        self._database = database
        self._peers = _worlds.setdefault(clock, {})
        self._peers[store] = self
        self._known = _known_locals.setdefault(database.resource.url, set())
        self._locals = set(self._known)

    def proxy(self, ask: Ask, tell: Any) -> couchdb.Database:
        """Return a database like the world's, on connections of ours.

        A class that can `replicate` does so in one step.
        """
        connections = Connections(lambda: tuple(self._peers), ask)
        session = searched(self._database.resource.session, connections)
        made = copy.copy(self._database)
        made.resource = couchdb.http.Resource(f"{SERVER}/{self.store}", session)
        made._name = self.store
        if hasattr(made, "replicate"):
            made.replicate = lambda target: connections.replicate(self.store, target.name)
        return made

    def perform(self, actor: str, call: Call) -> Performed | None:
        """Make a request or a replication for real; return status, headers and content."""
        if isinstance(call.data, str):
            return self._replicated(call)
        request: CouchRequest = call.data
        if request.sees_more and not self.closer:
            raise LooksCloser(self.store)
        if not request.reads:
            self._note_locals(request.local_names)
        status, headers, content = self._send(request)
        value = answers.parsed(headers, content)
        if status == 501:
            reason = value.get("reason") if isinstance(value, dict) else ""
            raise Unsearchable(f"{call.text} cannot be searched on this server. {reason}".strip())
        value = answers.plain(request, self.store, value)
        if value is not None:
            content = json.dumps(value).encode()
        if request.parts == ("_compact",) and status < 400:
            self._wait_for_compaction(call)
        text = couch_text.reply(request.method, request.path, status, value)
        outcome = Outcome.value((status, answers.kept(request, headers), content), text)
        return Performed(outcome, changed=status < 400 and not request.reads)

    def snapshot(self) -> Hashable:
        """Return every leaf of every document, and the `_local` documents; closer, all there is."""
        feed = self._database.resource.get_json("_changes", style="all_docs")[2]
        rows = [(row["id"], *sorted(c["rev"] for c in row["changes"])) for row in feed["results"]]
        notes = [(name, json.dumps(self._database.get(name))) for name in sorted(self._locals)]
        noted = tuple(note for note in notes if note[1] != "null")
        if not self.closer:
            return (tuple(sorted(rows)), noted)
        order = tuple(answers.number(row["seq"]) for row in feed["results"])
        last = answers.number(feed["last_seq"])
        whole = tuple(json.dumps(self._revisions(row[0]), sort_keys=True) for row in rows)
        return (tuple(rows), noted, order, last, whole)

    def connection_error(self, call: Call) -> Exception:
        """Return the error of a socket whose server closed it without a reply."""
        return ConnectionResetError(errno.ECONNRESET, "connection reset: no reply from CouchDB")

    def _note_locals(self, names: Iterable[str]) -> None:
        """Note `_local` documents that are written: those of the world belong to all its states.

        CouchDB does not list them, so the search begins again when one turns out to be there.
        """
        for name in {*names} - self._locals:
            self._locals.add(name)
            if self._database.get(name) is not None and name not in self._known:
                self._known.add(name)
                raise LooksCloser(self.store)

    def _revisions(self, name: str) -> tuple[list[Any], list[Any]]:
        """Return the leaves of a document, and each revision: what it holds, or that it is gone."""
        place = couchdb.client._doc_resource(self._database.resource, name)
        leaves = place.get_json(open_revs="all", revs="true")[2]
        known = {
            f"{leaf['ok']['_revisions']['start'] - back}-{digest}"
            for leaf in leaves
            for back, digest in enumerate(leaf["ok"]["_revisions"]["ids"])
        }
        rest = place.get_json(open_revs=json.dumps(sorted(known)))[2] if known else []
        return leaves, rest

    def _wait_for_compaction(self, call: Call) -> None:
        """Return when it is done, so that it is one step: Apache answers before it begins."""
        begun = time.monotonic()
        while self._compacts():
            if time.monotonic() - begun > _COMPACTED_WITHIN:
                raise Unsearchable(f"{call.text} cannot be searched: the server does not do it")
            time.sleep(0.01)

    def _compacts(self) -> bool:
        """Return whether an old revision can still be read, or the server says so."""
        for row in self._database.resource.get_json("_changes")[2]["results"]:
            leaves, rest = self._revisions(row["id"])
            if sum("ok" in revision for revision in rest) > len(leaves):
                return True
        return bool(self._database.resource.get_json()[2]["compact_running"])

    def _replicated(self, call: Call) -> Performed:
        source = self._peers[call.data]._database
        replicate = getattr(source, "replicate", None)
        if replicate is None:
            raise Unsearchable(
                f"{call.text} cannot be searched: world.{call.data} has no method `replicate`"
            )
        replicate(self._database)
        done: Answer = (200, [("Content-Type", "application/json")], b'{"ok":true}')
        return Performed(Outcome.value(done, "200"))

    def _send(self, request: CouchRequest) -> Answer:
        """Make a request on a connection of the world's own session."""
        resource, pool = self._database.resource, self._database.resource.session.connection_pool
        headers = {**resource.headers, **dict(request.headers)}
        password = couchdb.http.basic_auth(resource.credentials)
        if password:
            headers["Authorization"] = password.decode()
        target = urlsplit(resource.url).path + self._in_its_own_words(request)
        connection = pool.get(resource.url)
        try:
            connection.request(request.method, target, request.body, headers)
            response = connection.getresponse()
            content = response.read()
        except (OSError, HTTPException):
            connection.close()
            resource.head()  # if the server is gone, its session says so
            raise
        if response.will_close:
            connection.close()
        else:
            pool.release(resource.url, connection)
        return response.status, response.getheaders(), content

    def _in_its_own_words(self, request: CouchRequest) -> str:
        """Return the path with a sequence that this server gave in place of the bare number."""
        since = request.options.get("since", "")
        if request.parts[0] != "_changes" or not since.isdigit():
            return request.path
        feed = self._database.resource.get_json("_changes")[2]
        given = [*(row["seq"] for row in feed["results"]), feed["last_seq"]]
        earlier = [seq for seq in given if int(answers.number(seq)) <= int(since)]
        latest = max(earlier, key=lambda seq: int(answers.number(seq)), default=0)
        return f"/_changes?{urlencode({**request.options, 'since': latest})}"
