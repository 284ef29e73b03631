"""Answers of CouchDB without what differs from server to server and from run to run.

Dates, dates of files, ETags of views and the names of databases go; a sequence, which
the server writes as a number and a string of its own, is the number.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from typing import Any

from raceproof.wire.couch.requests import CouchRequest

_HEADERS = ("content-type", "content-encoding", "content-md5", "content-range", "accept-ranges")
_SEQUENCES = ("update_seq", "purge_seq", "last_seq", "seq", "committed_update_seq")
_INFO = ("db_name", "doc_count", "doc_del_count", "update_seq", "purge_seq", "props", "cluster")
_THE_SAME = {"compact_running": False, "instance_start_time": "0"}  # a compaction is one step


def kept(request: CouchRequest, headers: Iterable[tuple[str, str]]) -> list[tuple[str, str]]:
    """Return the headers of an answer that a client may see."""
    names = (*_HEADERS, "etag") if request.is_document else _HEADERS
    return [(name, value) for name, value in headers if name.lower() in names]


def plain(request: CouchRequest, store: str, value: Any) -> Any:
    """Return the value of an answer, as far as it is the same wherever the world is made."""
    if request.is_document or not isinstance(value, dict):
        return value
    if request.parts == ("",) and "db_name" in value:
        value = {n: part for n, part in value.items() if n in (*_INFO, *_THE_SAME)}
        value["db_name"] = store
    value |= {name: part for name, part in _THE_SAME.items() if name in value}
    value = {n: number(part) if n in _SEQUENCES else part for n, part in value.items()}
    if request.parts[0] == "_changes":
        value["results"] = [{**row, "seq": number(row["seq"])} for row in value.get("results", ())]
    return value


def number(sequence: Any) -> Any:
    """Return the number that a sequence begins with, as a string; None stays None."""
    return None if sequence is None else str(sequence).partition("-")[0]


def parsed(headers: Iterable[tuple[str, str]], content: bytes) -> Any:
    """Return the content as a value if it is JSON, else None."""
    kinds = [value for name, value in headers if name.lower() == "content-type"]
    if not content or not any("json" in kind for kind in kinds):
        return None
    try:
        return json.loads(content)
    except ValueError:
        return None
