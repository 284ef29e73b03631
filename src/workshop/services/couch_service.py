"""Where CouchDB comes from: COUCHDB_URL, else a private PouchDB that speaks its protocol."""

from __future__ import annotations

import json
import os
import secrets
import selectors
import socket
import threading
from http.client import HTTPException
from typing import Any
from urllib.parse import quote

import couchdb
import couchdb.client
import couchdb.http

from . import environment, node, processes
from .errors import CouchGone, ServiceError
from .ownership import owned

_lock = threading.RLock()
_made = 0


class Pool(couchdb.http.ConnectionPool):  # type: ignore[misc]
    """Kept connections, without those that the server has closed meanwhile."""

    def get(self, url: str) -> Any:
        """A connection to the server of the URL."""
        connection = super().get(url)
        if connection.sock is not None and _has_news(connection.sock):
            connection.close()  # it opens again with the next request
        return connection


def _has_news(sock: socket.socket) -> bool:
    """Whether there is something to read, such as the end; select() knows 1,024 sockets only."""
    with selectors.DefaultSelector() as looked:
        looked.register(sock, selectors.EVENT_READ)
        return bool(looked.select(0))


class OneTrySession(couchdb.http.Session):  # type: ignore[misc]
    """couchdb-python's HTTP session, without its silent retries and with one clear error."""

    def __init__(self) -> None:
        super().__init__(timeout=120, retryable_errors=())
        self._pid = os.getpid()
        self.connection_pool = Pool(self._timeout)

    def request(self, *args: Any, **kwargs: Any) -> Any:
        """Send one request, once."""
        if self._pid != os.getpid():  # a forked child must not talk on its parent's connections
            self._pid = os.getpid()
            self.connection_pool = Pool(self._timeout)
        try:
            return super().request(*args, **kwargs)
        except couchdb.http.ResourceConflict:
            raise
        except couchdb.http.HTTPError:
            # It may have been answered before it was read, and then the server hangs up.
            self.connection_pool = Pool(self._timeout)
            raise
        except TimeoutError:
            raise
        except (OSError, HTTPException):
            raise CouchGone(
                "CouchDB: the server went away, or cannot be reached. "
                "If it is a private one, restart the kernel"
            ) from None


class Database(couchdb.Database):  # type: ignore[misc]
    """A couchdb-python database that can replicate."""

    def replicate(self, target: couchdb.Database) -> None:
        """Copy to the target what it has not: one way, once, as the server's `_replicate` does.

        Documents that differ are kept in both versions, one of them hidden. Made of the requests
        of the replication protocol: Apache CouchDB's `_replicate` waits up to five seconds before
        it begins. If it fails halfway, some documents are copied; again is the same as once.
        """
        feed = self.resource.get_json("_changes", style="all_docs")[2]["results"]
        leaves = {row["id"]: [change["rev"] for change in row["changes"]] for row in feed}
        missing = target.resource.post_json("_revs_diff", body=leaves)[2]
        docs = []
        for name, found in missing.items():
            asked = {"open_revs": json.dumps(found["missing"]), "revs": True}
            place = couchdb.client._doc_resource(self.resource, name)
            docs += [row["ok"] for row in place.get_json(**asked)[2]]
        target.resource.post_json("_bulk_docs", body={"docs": docs, "new_edits": False})


def foreign() -> bool:
    """Whether the server is one that this run did not start."""
    return environment.couchdb_url() is not None


def url() -> str:
    """The server's URL, user and password included. Not for printing."""
    with _lock:
        given = environment.couchdb_url()
        if given is None and owned().couch is None:
            owned().couch = _start()
        return (given or str(owned().couch)).rstrip("/") + "/"


def server() -> couchdb.Server:
    """A client of the server that the databases are on."""
    return couchdb.Server(url(), session=OneTrySession())


def database(space: str, *, fresh: bool) -> Database:
    """A database of the given space; see services.couch.

    On somebody else's server a fresh database gets a new name: a cluster may take a while to
    forget an old one, and would show its documents until then. It gets one shard: with two, a
    custom reduce is given what each of them answers in the order in which they answer. And one
    copy, which decides who creates a document: of several, each may accept another.
    """
    global _made
    with _lock:
        names, here = owned().databases, _shared()
        key = f"{space} elsewhere" if foreign() else space
        if fresh and key in names:
            here.resource.delete_json(names.pop(key))
        if key not in names:
            name = f"btp-{owned().id}-{space}-{os.getpid()}-{_made}" if foreign() else space
            if foreign():
                if not _made:
                    here.resource.get_json("_session")  # raises if the password is wrong
                owned().sweep("couch", url())
                _made += 1
            here.resource.put_json(name, q=1, n=1)
            names[key] = name
        return Database(here.resource(names[key]), names[key])


def database_url(space: str) -> str:
    """The URL of a space's database, user and password included; see services.couch_url."""
    return url() + quote(database(space, fresh=False).name, safe="")


def about() -> str:
    """One line: which server."""
    said = _shared().resource.get_json()[2]
    name = "PouchDB" if said.get("vendor", {}).get("name") == "PouchDB" else "Apache CouchDB"
    where = "your server" if foreign() else "private server"
    return f"{name} {said['version']}, {where}{_cluster() if foreign() else ''}"


def _cluster() -> str:
    """Say that the server is one of several; only an administrator is told so."""
    try:
        members = _shared().resource.get_json("_membership")[2]["all_nodes"]
    except couchdb.http.HTTPError:
        return ""
    nodes = len(members)
    return f", one of {nodes} nodes; our databases have one copy" if nodes > 1 else ""


_server: tuple[str, couchdb.Server] | None = None


def _shared() -> couchdb.Server:
    global _server
    with _lock:
        if _server is None or _server[0] != url():
            _server = url(), server()
        return _server[1]


def remove(address: str, run_id: str) -> None:
    """Remove every database of a run from a server that is not ours."""
    there = couchdb.Server(address, session=OneTrySession())
    for name in there:
        if name.startswith(f"btp-{run_id}-"):
            there.delete(name)


def _start() -> str:
    """Start a PouchDB of our own, and return its URL with user and password."""
    user, password = "reader", secrets.token_hex(16)
    process = processes.hold(node.command(), piped=True)
    assert process.stdin is not None
    assert process.stdout is not None
    try:
        process.stdin.write(json.dumps({"user": user, "password": password}).encode() + b"\n")
        process.stdin.flush()
        port = json.loads(process.stdout.readline())["port"]
    except (OSError, ValueError):
        raise ServiceError(f"CouchDB: the private PouchDB does not start; {node.OWN}") from None
    return f"http://{user}:{password}@127.0.0.1:{port}"
