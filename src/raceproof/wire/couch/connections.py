"""What couchdb-python takes for its connections to a server: a request on one is a step.

Everything above a connection is couchdb-python's own: which errors it raises, what it
sends again after a broken connection, redirects.
"""

from __future__ import annotations

import copy
import io
import json
import threading
import uuid
from collections.abc import Callable
from http.client import HTTPResponse, responses
from typing import Any
from urllib.parse import unquote, urlsplit
from weakref import WeakKeyDictionary

import couchdb.http

from raceproof.trace import couch_text
from raceproof.wire.calls import Ask, Call, Unsearchable
from raceproof.wire.couch.requests import CouchRequest

SERVER = "http://couchdb.invalid"
_QUIET = ("user-agent", "content-length", "transfer-encoding", "if-none-match", "host")

# Status, headers and body of an answer.
Answer = tuple[int, list[tuple[str, str]], bytes]

# How many documents without an id each client has posted, to all databases of the world.
_posted: WeakKeyDictionary[threading.Thread, int] = WeakKeyDictionary()


def searched(session: Any, connections: Connections) -> Any:
    """Return a session like the world's, with its class and its retries, on our connections.

    What it would cache is not kept: a 304 would be shown to the client as a 200 anyway.
    """
    ours = {"connection_pool": property(lambda _: connections, lambda _, value: None)}
    made = copy.copy(session)
    made.__class__ = type(type(session).__name__, (type(session),), ours)
    made.cache, made.perm_redirects = _NoCache(), {}
    return made


class Connections:
    """Stands where couchdb-python has its pool; knows the world's databases by name."""

    def __init__(self, stores: Callable[[], Any], ask: Ask) -> None:
        self._stores = stores
        self._ask = ask

    def get(self, url: str) -> HttpConnection:
        """Return a connection for the URL; Unsearchable if it leads out of the world."""
        if urlsplit(url)[:2] != urlsplit(SERVER)[:2]:
            raise Unsearchable(
                "a session of the world's database is used for another server, which cannot be "
                "searched; make that one a field of the world"
            )
        return HttpConnection(self)

    def release(self, url: str, connection: HttpConnection) -> None:
        """Take the connection back."""

    def ask(self, method: str, target: str, headers: Any, body: bytes | None) -> Answer:
        """Ask the search for one request."""
        path, mark, query = target.partition("?")
        name, *rest = path.removeprefix("/").split("/", 1)
        store = unquote(name)
        if store == "_uuids" and method == "GET":
            return _chosen(query)  # by the client's own chance
        if store == "_replicate":
            return self._replicate(json.loads(body or b"{}"))
        if store not in self._stores():
            raise Unsearchable(
                f"{method} /{store} cannot be searched: a client of a search knows the databases "
                f"of its world ({', '.join(self._stores())}), not the server's {store or 'root'}"
            )
        rest_of_it = "".join(f"/{part}" for part in rest) + mark + query
        kept = sorted((n, v) for n, v in headers if n.lower() not in _QUIET)
        request = self._named(CouchRequest(method, rest_of_it, tuple(kept), body))
        request.refuse_what_cannot_be_searched()
        answer: Answer = self._ask(Call(store, request, request.text, request))
        return answer

    def replicate(self, source: str, target: str) -> None:
        """Copy one database of the world to another: one step, a step of the target's."""
        body = {"source": source, "target": target}
        text = couch_text.request("POST", "/_replicate", body)
        self._ask(Call(target, ("_replicate", source), text, source))

    def _replicate(self, body: dict[str, Any]) -> Answer:
        ends = [body.pop("source", None), body.pop("target", None)]
        if body or any(end not in self._stores() for end in ends):
            raise Unsearchable(
                "POST _replicate can be searched between two databases of the world, once, "
                "without options"
            )
        self.replicate(*ends)
        return 200, [("Content-Type", "application/json")], b'{"ok": true}'

    def _named(self, request: CouchRequest) -> CouchRequest:
        """Return the request with the ids filled in that the server would choose by chance."""
        whole = request.method == "POST" and request.parts in (("",), ("_bulk_docs",))
        if not whole or not isinstance(request.json, dict):
            return request
        value = copy.deepcopy(request.json)
        docs = value.get("docs") if request.parts[0] else [value]
        nameless = [doc for doc in docs or () if isinstance(doc, dict) and "_id" not in doc]
        if not nameless:
            return request
        client = threading.current_thread()
        for doc in nameless:
            _posted[client] = _posted.get(client, 0) + 1
            reserved = client.name.startswith("_")  # for ids of CouchDB's own
            name = f"{couch_text.CHOSEN if reserved else ''}{client.name}"
            doc["_id"] = f"{name}-{_posted[client]}{couch_text.CHOSEN}"
        body = json.dumps(value).encode()
        return CouchRequest(request.method, request.path, request.headers, body)


class HttpConnection:
    """One connection, as `http.client.HTTPConnection` is one."""

    def __init__(self, connections: Connections) -> None:
        self._connections = connections

    def putrequest(self, method: str, target: str, **_: Any) -> None:
        """Begin a request."""
        self._method, self._target = method, target
        self._headers: list[tuple[str, str]] = []
        self._body: bytes | None = None

    def putheader(self, name: str, value: Any) -> None:
        """Add a header."""
        text = value.decode("latin-1") if isinstance(value, bytes) else str(value)
        self._headers.append((name, text))

    def endheaders(self, body: bytes | None = None) -> None:
        """Add the body, if it comes in one piece."""
        self._body = body

    def send(self, framed: bytes) -> None:
        """Add a piece of a chunked body: its length, the piece, and a line's end after each."""
        self._body = (self._body or b"") + framed.partition(b"\r\n")[2][:-2]

    def getresponse(self) -> HTTPResponse:
        """Ask the search; return its answer, or raise as when the connection breaks."""
        answer = self._connections.ask(self._method, self._target, self._headers, self._body)
        status, headers, content = answer
        lines = [f"HTTP/1.1 {status} {responses.get(status, '')}"]
        lines += [f"{name}: {value}" for name, value in headers]
        lines += [f"Content-Length: {len(content)}", "", ""]
        wire = _Arrived("\r\n".join(lines).encode("latin-1") + content)
        response = HTTPResponse(wire, method=self._method)  # type: ignore[arg-type]
        response.begin()
        return response

    def close(self) -> None:
        """Nothing to close."""


class _Arrived:
    """What `http.client` reads an answer from, in place of a socket."""

    def __init__(self, data: bytes) -> None:
        self._data = data

    def makefile(self, mode: str) -> io.BytesIO:
        return io.BytesIO(self._data)


class _NoCache(couchdb.http.Cache):  # type: ignore[misc]
    def put(self, url: str, response: object) -> None:
        """Keep nothing."""


def _chosen(query: str) -> Answer:
    count = int(dict(part.split("=") for part in query.split("&") if part).get("count", 1))
    content = json.dumps({"uuids": [uuid.uuid4().hex for _ in range(count)]}).encode()
    return 200, [("Content-Type", "application/json")], content
