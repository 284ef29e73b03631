"""Random programs on a CouchDB database: documents, conflicts, views, `_local`."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import couchdb
import couchdb.http
from tests.raceproof.fuzz.choices import Choices
from tests.raceproof.fuzz.programs import Program, Try, words

VIEWS = {"n": {"map": "function (doc) { emit(doc._id, doc.n); }", "reduce": "_sum"}}
DESIGN = {"language": "javascript", "views": VIEWS}
VERBS = (
    "create", "create", "bump", "bump", "read", "delete", "copy", "bulk", "sum", "rows", "ids",
    "local put", "local get", "conflict", "conflicts", "changes", "count", "revisions", "create",
    "bulk blind", "local delete", "leaves",
)  # fmt: skip


@dataclass(frozen=True)
class Doc:
    """One thing done with the document of that name; `bump` is a read and a write."""

    verb: str
    name: str
    n: int = 1
    note: bool = True


class CouchClient:
    """Runs one client's operations through `world.db`."""

    def __init__(self, operations: tuple[Any, ...]) -> None:
        self._operations = operations

    def __call__(self, world: Any) -> None:
        self._run(self._operations, world)

    def _run(self, operations: tuple[Any, ...], world: Any) -> None:
        for op in operations:
            if isinstance(op, Try):
                try:
                    self._run(op.body, world)
                except OSError:
                    world.journal.note("lost")
                continue
            try:
                said = _do(op, world.db)
            except couchdb.http.HTTPError as error:
                said = type(error).__name__
            if op.note:
                world.journal.note(f"{op.verb} {words(said)}")


def _do(op: Doc, db: Any) -> Any:
    name, n, plain = op.name, op.n, db.resource
    if op.verb == "create":
        return db.save({"_id": name, "n": n})[1]
    if op.verb == "bump":
        found = db.get(name)
        if found is None:
            return None
        found["n"] = found.get("n", 0) + n
        return db.save(found)[1]
    if op.verb == "read":
        found = db.get(name)
        return None if found is None else (found["_rev"], found.get("n"))
    if op.verb == "delete":
        found = db.get(name)
        return found and db.delete(found)
    if op.verb == "copy":
        return db.copy(name, "c")
    if op.verb == "bulk":
        made = db.update([{"_id": name, "n": n}, {"_id": "b", "n": 5}])
        return [ok for ok, _, _ in made]
    if op.verb == "bulk blind":
        docs = [{"_id": name, "n": n, "_rev": f"1-{n:032x}"}]
        return plain.post_json("_bulk_docs", body={"docs": docs, "new_edits": False})[2]
    if op.verb == "conflict":
        docs = [
            {"_id": name, "n": n, "_rev": f"1-{n:032x}"},
            {"_id": name, "_rev": "1-" + "f" * 32},
        ]
        return plain.post_json("_bulk_docs", body={"docs": docs, "new_edits": False})[2]
    if op.verb == "conflicts":
        found = db.get(name, conflicts=True)
        return found and (found["_rev"], found.get("_conflicts"))
    if op.verb == "leaves":
        return [sorted(r.get("ok", r)) for r in plain(name).get_json(open_revs="all")[2]]
    if op.verb == "revisions":
        return [r["rev"] for r in db.revisions(name)]
    if op.verb == "sum":
        return [row.value for row in db.view("d/n")]
    if op.verb == "rows":
        return [(row.id, row.value) for row in db.view("d/n", reduce=False)]
    if op.verb == "ids":
        return [(row.id, row.value["rev"]) for row in db.view("_all_docs")]
    if op.verb == "changes":
        return [(row["id"], row["changes"]) for row in db.changes()["results"]]
    if op.verb == "count":
        return db.info()["doc_count"]
    place = plain("_local", name)
    if op.verb == "local put":
        return sorted(place.put_json(body={"n": n})[2])
    if op.verb == "local get":
        return place.get_json()[2].get("n")
    assert op.verb == "local delete"
    return sorted(place.delete_json(rev=place.get_json()[2]["_rev"])[2])


def couch_program(choices: Choices, on: str = "couch", size: int = 80) -> Program:
    """Return a random program on CouchDB."""
    clients: dict[str, tuple[Any, ...]] = {}
    for name in "ab":
        verbs = [choices.one(VERBS) for _ in range(choices.number(1, 3))]
        operations: tuple[Any, ...] = tuple(
            Doc(verb, choices.one("xxxy"), choices.number(1, 2), choices.chance(75))
            for verb in verbs
        )
        if choices.chance(15):
            operations = (Try(operations), Doc("read", "x"))
        clients[name] = operations
    bounds = dict(choices.one(({}, {}, {"crashes": 1}, {"lost_replies": 1}, {"preemptions": 1})))
    if {"crashes", "lost_replies"} & bounds.keys() and choices.chance(25):
        bounds["late"] = 1
    while _schedules(clients, bounds) > size:
        if bounds.keys() - {"preemptions"}:
            bounds.popitem()
            continue
        longest = max(clients, key=lambda name: _requests(clients[name]))
        if len(clients[longest]) == 1:
            break
        clients[longest] = clients[longest][:-1]
    setup = (("x", 0),) if choices.chance(60) else ()
    return Program(
        clients,
        "couch",
        setup,
        bounds,
        wrong=choices.one((1, 1, 2)),
        always=choices.one((3, 9)) if choices.chance(15) else 0,
        afterwards=("b",) if choices.chance(10) else (),
    )


def _schedules(clients: dict[str, tuple[Any, ...]], bounds: dict[str, int]) -> float:
    counts = [_requests(operations) for operations in clients.values()]
    guess = math.factorial(sum(counts)) / math.prod(map(math.factorial, counts))
    return guess * (1 + sum(counts)) ** len(bounds.keys() - {"preemptions"})


def _requests(operations: tuple[Any, ...]) -> int:
    twice = ("bump", "delete", "local delete")
    return sum(
        _requests(op.body) if isinstance(op, Try) else 1 + (op.verb in twice) for op in operations
    )
