"""The classes that tests hold on a CouchDB which the environment names.

A class stays there until it is erased, and tests kill theirs: so at the end of a run, what was not
there before it is removed.
"""

from __future__ import annotations

import re

import couchdb

from workshop.services import environment

NAME = re.compile("class-[0-9a-f]{12}")


def held() -> set[str]:
    """Return the database of each class that is there."""
    url = environment.couchdb_url()
    return {name for name in couchdb.Server(url) if NAME.fullmatch(name)} if url else set()


def remove(names: set[str]) -> None:
    """Remove these."""
    for name in names:
        couchdb.Server(environment.couchdb_url()).delete(name)
