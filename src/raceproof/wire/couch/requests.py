"""A request to CouchDB as a plain value: what it may do, and what cannot be searched."""

from __future__ import annotations

import json
from dataclasses import dataclass
from functools import cached_property
from typing import Any
from urllib.parse import parse_qsl, unquote, urlsplit

from raceproof.trace import couch_text
from raceproof.wire.calls import Unsearchable

_READS = ("_all_docs", "_design_docs", "_changes", "_revs_diff", "_missing_revs", "_bulk_get")
_KEPT = ("_view_cleanup", "_ensure_full_commit")  # POSTs that change nothing one can see
_INSTEAD = {
    "_find": "use a view of a design document",
    "_explain": "use a view of a design document",
    "_index": "use a view of a design document",
    "_temp_view": "put the view into a design document",
    "_purge": "delete the document",
    "_security": "set it where the world is made",
    "_info": "ask for the view itself",
    "_local_docs": "ask for each document by its name",
}
_FREE = {  # parameters by which the server may choose what, when or in which order it answers
    "batch": ("ok", "then the server writes when it likes; leave it out"),
    "stale": (None, "then the answer depends on when the server built its index; leave it out"),
    "stable": ("true", "then the answer depends on when the server built its index; leave it out"),
    "update": ("false lazy", "then the answer depends on when the server built its index"),
    "sorted": ("false", "then the rows come in any order; leave it out"),
    "feed": ("continuous longpoll eventsource", "it waits for others; ask for the changes `since`"),
}


@dataclass(frozen=True)
class CouchRequest:
    """What a client sends; `path` is what follows the database's URL."""

    method: str
    path: str
    headers: tuple[tuple[str, str], ...] = ()
    body: bytes | None = None

    @cached_property
    def parts(self) -> tuple[str, ...]:
        """The path's parts, decoded; of a document's own name the first one says its kind."""
        return tuple(unquote(part) for part in urlsplit(self.path).path.strip("/").split("/"))

    @cached_property
    def options(self) -> dict[str, str]:
        """The parameters of the URL."""
        return dict(parse_qsl(urlsplit(self.path).query))

    @cached_property
    def json(self) -> Any:
        """The body as a value, or as bytes if it is not JSON."""
        if not self.body or (self.is_document and len(self.parts) > self.name_length):
            return self.body
        try:
            return json.loads(self.body)
        except ValueError:
            return self.body

    @property
    def name_length(self) -> int:
        """How many parts of the path name the document."""
        return 2 if self.parts[0] in ("_design", "_local") else 1

    @property
    def is_document(self) -> bool:
        """Whether it is about one document or its attachment, not about the database."""
        first = self.parts[0]
        if first == "_design":
            return len(self.parts) == 2 or not self.parts[2].startswith("_")
        return bool(first) and (not first.startswith("_") or first == "_local")

    @property
    def is_view(self) -> bool:
        """Whether it asks a view of a design document."""
        return self.parts[0] == "_design" and self.parts[2:3] == ("_view",)

    @property
    def reads(self) -> bool:
        """Whether it leaves everything as it is."""
        special = self.is_view or self.parts[0] in (*_READS, *_KEPT)
        return self.method in ("GET", "HEAD") or special

    @property
    def sees_more(self) -> bool:
        """Whether its answer, or a later one, depends on more than the leaves of the documents.

        That is: the order of writes, old revisions and which of them are still there, and
        what a revision holds that was put in under a name of its own.
        """
        if self.method in ("GET", "HEAD", "COPY"):
            asked = {"rev", "revs_info", "open_revs", "local_seq", "update_seq", "meta"}
            info = self.method == "GET" and self.parts == ("",)
            return info or bool(asked & set(self.options)) or self.parts[0] == "_changes"
        if self.parts[0] in ("_changes", "_bulk_get"):
            return True
        body = self.json if isinstance(self.json, dict) else {}
        edits = self.options.get("new_edits") == "false" or body.get("new_edits") is False
        return edits or "update_seq" in self.options or "update_seq" in body

    @property
    def local_names(self) -> list[str]:
        """The `_local` documents that it names."""
        found = ["/".join(self.parts[:2])] if self.parts[0] == "_local" else []
        body = self.json if isinstance(self.json, dict) else {}
        docs = body["docs"] if isinstance(body.get("docs"), list) else [body]
        ids = [str(doc.get("_id")) for doc in docs if isinstance(doc, dict)]
        ids.append(unquote(self._target.partition("?")[0]))
        return found + [name for name in ids if name.startswith("_local/")]

    @property
    def _target(self) -> str:
        """Where COPY copies to, and the revision that is there."""
        return dict(self.headers).get("Destination", "")

    @property
    def text(self) -> str:
        """The request in words."""
        return couch_text.request(self.method, self.path, self.json, self._target)

    def refuse_what_cannot_be_searched(self) -> None:
        """Raise Unsearchable if its answer or effect would be the server's own choice."""
        asks = self.is_view or self.parts[0] in _READS  # then the body may hold parameters, too
        body = self.json if asks and isinstance(self.json, dict) else {}
        given = {name: str(value).lower() for name, value in body.items()} | self.options
        for name, (values, why) in _FREE.items():
            if name in given and (values is None or given[name] in values.split()):
                raise Unsearchable(
                    f"{self.text} cannot be searched with {name}={given[name]}: {why}"
                )
        if "Authorization" in dict(self.headers):
            raise Unsearchable(
                f"{self.text} cannot be searched with a password of the client's own; "
                "make a database for it in the world"
            )
        if not self._known():
            first = self.parts[0]
            what = self.parts[2] if first == "_design" and not self.is_document else first
            hint = _INSTEAD.get(what, "no step of a search does that")
            whole = what or "the whole database"
            raise Unsearchable(f"{self.method} {whole} cannot be searched; {hint}")

    def _known(self) -> bool:
        if self.parts == ("",):
            return self.method in ("GET", "HEAD", "POST")
        if self.is_document:
            return self.method in ("GET", "HEAD", "PUT", "DELETE", "COPY")
        if self.is_view or self.parts[0] in (*_READS, "_security"):
            posts = self.parts[0] != "_security"
            return self.method in ("GET", "HEAD") or (posts and self.method == "POST")
        return self.method == "POST" and self.parts[0] in (*_KEPT, "_bulk_docs", "_compact")
