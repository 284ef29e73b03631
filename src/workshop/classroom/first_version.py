"""The solve as one writes it first: look whether it is there, then post it. Kept to be broken."""

from __future__ import annotations

import couchdb


def post_solve(couch: couchdb.Database, learner: str, exercise: str, at: float) -> float:
    """Store that the exercise was solved, unless it seems to be stored; return when it first was.

    Each post is a new document: two servers that both look first both post, and so does one
    whose reply was lost and whose client asks again.
    """
    solve = {"learner": learner, "exercise": exercise}
    docs = [row.doc for row in couch.view("_all_docs", include_docs=True)]
    found = [doc["at"] for doc in docs if solve.items() <= doc.items()]
    if found:
        return float(min(found))
    couch.save({**solve, "at": at, "_id": f"solved-by:{learner}:{at}"})
    return at
