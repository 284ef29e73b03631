"""Requests to CouchDB and their replies in words: `PUT alice:1 {"to": "bob"}`, `409 conflict`."""

from __future__ import annotations

import json
import re
from typing import Any
from urllib.parse import parse_qsl, unquote, urlsplit

from raceproof.trace.command_text import shorten

# Ends an id that a search chose in place of the server. Nobody writes it by hand; texts omit it.
CHOSEN = "~c1d7e5a0"
_QUIET = ("group", "include_docs", "reduce", "conflicts", "rev")


def request(method: str, path: str, body: Any, target: str = "") -> str:
    """Return a request in words; `path` is what follows the database's URL.

    `body` is a JSON value, or the bytes of an attachment; `target` is where COPY copies to.
    """
    parts = urlsplit(path)
    if parts.path == "/_replicate":
        return f"POST _replicate {body['source']} → {body['target']}"
    name = re.sub(r"_design/[^/]+/", "", unquote(parts.path).strip("/"))
    query = parse_qsl(parts.query)
    revision = next((v for n, v in query if n == "rev"), None)
    words = [method, name] if name else [method]
    words += [f"{n}={v}" for n, v in query if n not in _QUIET]
    if isinstance(body, dict):
        revision = body.get("_rev", revision)
        if list(body) == ["keys"]:
            words += [_compact(key) for key in body["keys"]]
        else:
            words.append(_compact({n: v for n, v in body.items() if n not in ("_id", "_rev")}))
    elif isinstance(body, bytes):
        words.append(f"{len(body)} bytes")
    if revision is not None:
        words.insert(2, f"rev={str(revision).split('-')[0]}-…")
    if target:
        words.append(f"→ {unquote(target.partition('?')[0])}")
    return " ".join(words).replace(CHOSEN, "")


def reply(method: str, path: str, status: int, value: Any) -> str:
    """Return an answer in words: its rows, its document, or its status (`409 conflict`)."""
    value = json.loads(json.dumps(value).replace(CHOSEN, ""))
    if status >= 400:
        return f"{status} {value['error']}" if isinstance(value, dict) else str(status)
    if isinstance(value, dict) and "rows" in value:
        return _rows(value["rows"])
    if method in ("PUT", "POST", "DELETE") and isinstance(value, dict) and value.get("ok"):
        return f"{status} {value['id']}" if path == "" else str(status)
    if isinstance(value, dict):
        return _document(value)
    if isinstance(value, list):
        return ", ".join(row.get("error", "201") for row in value)
    return str(status)


def _rows(rows: list[dict[str, Any]]) -> str:
    rows = [row for row in rows if not str(row.get("id")).startswith("_design/")]
    if not rows:
        return "no rows"
    texts = []
    for row in rows:
        value = row.get("doc") or row.get("value", row.get("error"))
        shown = _document(value) if isinstance(value, dict) else _compact(value)
        label = row.get("id", row.get("key"))
        texts.append(shown if label is None else f"{_compact(label)} {shown}")
    return shorten(", ".join(texts), 100)


def _document(doc: dict[str, Any]) -> str:
    return _compact({n: v for n, v in doc.items() if n not in ("_id", "_rev")})


def _compact(value: Any) -> str:
    """Return JSON; a string that is one word goes without its quotes."""
    if isinstance(value, str) and re.fullmatch(r"[^\s\"]+", value):
        return value
    return json.dumps(_whole(value), ensure_ascii=False)


def _whole(value: Any) -> Any:
    """Return a JSON value with 1000.0 as 1000: most servers store it so, and answer so."""
    if isinstance(value, dict):
        return {name: _whole(part) for name, part in value.items()}
    if isinstance(value, list):
        return [_whole(part) for part in value]
    return int(value) if isinstance(value, float) and value.is_integer() else value
