"""Which statements are one step on PostgreSQL, and which leave something that is in no state.

A statement looks first and writes then. Others meet its locks until COMMIT, which is a step of its
own, in AUTOCOMMIT too: so all orders are found.
"""

from __future__ import annotations

import re

from .requests import Request
from .statements import GIVEN_ANEW, bare, first_word, writes

_HOLDS = re.compile(  # beside what writes
    r"\bFOR\s+(?:(?:NO\s+KEY\s+)?UPDATE|(?:KEY\s+)?SHARE)\b|\bpg_(?:try_)?advisory_xact_lock"
    r"|^\s*(?:CREATE|ALTER|DROP|REFRESH)\b",
    re.IGNORECASE,
)

_WORDS = """SELECT INSERT UPDATE DELETE MERGE WITH VALUES TABLE BEGIN START COMMIT END ROLLBACK
    ABORT SAVEPOINT RELEASE SHOW EXPLAIN LOCK SET RESET DISCARD DECLARE FETCH MOVE CLOSE TRUNCATE
    REFRESH CALL CREATE ALTER DROP"""
_KINDS = re.compile(
    r"\s*(?:CREATE|ALTER|DROP)\s+(?:OR\s+REPLACE\s+)?(?:(?:GLOBAL|LOCAL|TEMP|TEMPORARY|UNLOGGED|"
    r"UNIQUE|MATERIALIZED|RECURSIVE|CONSTRAINT)\s+)*"
    r"(TABLE|INDEX|VIEW|SEQUENCE|TRIGGER|TYPE\s+\w+\s+AS\s+ENUM|TYPE)\b",
    re.IGNORECASE,
)
_ALTERS = re.compile(  # what is altered beside columns, constraints, triggers and names
    r"\bOWNER\s+TO\b|\bOWNED\s+BY\b|\bROW\s+LEVEL\s+SECURITY\b|\bREPLICA\s+IDENTITY\b|\bSET\s*\("
    r"|\bSET\s+(?:STORAGE|STATISTICS|COMPRESSION|TABLESPACE|LOGGED|UNLOGGED|SCHEMA|ACCESS|WITHOUT)\b"
    r"|\bRESET\s*\(|\bCLUSTER\s+ON\b|\bOPTIONS\s*\(|\bOF\s|\bDEPENDS\s+ON\b"
    r"|\b(?:EN|DIS)ABLE\s+(?:\w+\s+)?RULE\b",
    re.IGNORECASE,
)
_BESIDE = re.compile(
    r"\b(?:lo_\w+|lowrite|loread|pg_largeobject\w*|pg_temp\w*|CONCURRENTLY)\b", re.IGNORECASE
)
_SYSTEM_COLUMNS = re.compile(r"(?<!\bAS )\b(?:xmin|xmax|cmin|cmax|ctid)\b", re.IGNORECASE)


def holds_until_commit(sql: str) -> bool:
    """Whether a statement may take locks or numbers that others meet until it is committed."""
    makes_a_cursor = first_word(sql) == "DECLARE"  # which the end of a transaction would close
    return not makes_a_cursor and (writes(sql) or bool(_HOLDS.search(bare(sql))))


def step_refused(request: Request) -> str | None:
    """Return why a statement is no single step, or leaves what no state shows; None: it can be."""
    sql = request.sql
    text = bare(sql)
    if several(sql):
        return "several statements in one text are several steps: send each by itself"
    if found := _BESIDE.search(text):
        return f"{found[0]}: what it makes is in no state of the search, or made in several steps"
    return system_columns_shown(sql) or _unseen(text, first_word(sql))


def system_columns_shown(sql: str) -> str | None:
    """Return why a text cannot be searched that names a system column; None if it names none.

    No table has a column of its own with such a name.
    """
    found = _SYSTEM_COLUMNS.search(bare(sql))
    return f"{found[0]} {GIVEN_ANEW}" if found else None


def several(sql: str) -> bool:
    """Whether there is more than one statement in a text."""
    return any(part.strip() for part in bare(sql).split(";")[1:])


def _unseen(text: str, first: str) -> str | None:
    """Return why a statement cannot be searched that changes what is no part of the state."""
    if first and first not in _WORDS.split():
        return f"{first} changes what is in no state of the search: do it when the world is made"
    if first in ("CREATE", "ALTER", "DROP"):
        found = _KINDS.match(text)
        if not found or (found[1].upper() == "TYPE" and first == "CREATE"):
            words = " ".join(text.split()[:3])
            return f"{words}: what it changes is in no state of the search; let the world do it"
        if first == "ALTER" and (other := _ALTERS.search(text)):
            return f"ALTER … {other[0]} changes what is in no state; do it when the world is made"
    if first in ("SELECT", "WITH") and not writes(text) and re.search(r"\bINTO\b", text, re.I):
        return "SELECT … INTO makes a table without saying so: use CREATE TABLE … AS"
    return None
