"""Processes of tests begin as copies of one that has imported what they need.

Python has one such process (multiprocessing's fork server) and asks only its first user what to
import: so all tests ask for the same.
"""

from __future__ import annotations

import multiprocessing
from typing import Any

FORKS = "forkserver" in multiprocessing.get_all_start_methods()
IMPORTED = [
    "tests.left_out",
    "pytest",
    "couchdb",
    "fakeredis",
    "matplotlib.pyplot",
    "pandas",
    "psycopg",
    "sqlalchemy.dialects.postgresql.psycopg",
    "sqlalchemy.dialects.sqlite.pysqlite",
    "patterns.counters",
    "patterns.pubsub",
    "patterns.transfers",
    "workshop.services",
    "workshop.services.couch_service",
    "workshop.services.sql_service",
    "workshop.services.status_table",
    "tests.exercises.marking_worker",
    "tests.patterns.test_install",
]


def context() -> Any:
    """Return multiprocessing's context for the processes of a test; without fork they spawn."""
    if not FORKS:
        return multiprocessing.get_context("spawn")
    found = multiprocessing.get_context("forkserver")
    found.set_forkserver_preload(IMPORTED)
    return found
