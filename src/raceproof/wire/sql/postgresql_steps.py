"""Which statements are one step on PostgreSQL, and which leave something that is in no state.

A statement looks first and writes then. Where it is a transaction of its own, nothing tells the
search of the moment in between: so it must read no more than the rows that it writes. In a
transaction others meet its locks until COMMIT, which is a step, and so all orders are found.
"""

from __future__ import annotations

import re

from .requests import Request
from .statements import bare, first_word, where_from_names_tables, writes

ALONE = (
    "in AUTOCOMMIT a statement that writes, and reads more than the rows that it writes, is no "
    "single step on PostgreSQL: others may commit between its look and its write. Make it in a "
    "transaction, as with engine.begin()"
)
_PARENTHESIS = re.compile(r"\([^()]*\)")
_GIVEN = re.compile(  # rows that the statement brings along: VALUES, or what a function makes
    r"\bFROM\s*[\w.]*\s*\{\}\s*(?:AS\s+)?\w*\s*(?:\{\})?\s*(?=ORDER\b|RETURNING\b|ON\b|;|$)",
    re.IGNORECASE,
)
_MORE = {"INSERT": r"FROM|TABLE|JOIN|WITH(?!\s+TIME)", "UPDATE": "FROM", "DELETE": "USING"}
_BEHIND = re.compile(r"\b(?:WHERE|GROUP|ORDER|LIMIT|OFFSET|FETCH|FOR)\b", re.IGNORECASE)
_LOCKS = re.compile(r"\bFOR\s+(?:(?:NO\s+KEY\s+)?UPDATE|(?:KEY\s+)?SHARE)\b", re.IGNORECASE)

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


def alone(request: Request) -> bool:
    """Whether a statement is a transaction of its own, in AUTOCOMMIT."""
    return bool(request.settings) and bool(request.settings[0]) and not request.inside


def step_refused(request: Request) -> str | None:
    """Return why a statement is no single step, or leaves what no state shows; None: it can be."""
    sql = request.sql
    text = bare(sql)
    if several(sql):
        return "several statements in one text are several steps: send each by itself"
    if alone(request) and reads_more(sql):
        return f"{first_word(sql)}: {ALONE}"
    if found := _BESIDE.search(text):
        return f"{found[0]}: what it makes is in no state of the search, or made in several steps"
    return _unseen(text, first_word(sql))


def several(sql: str) -> bool:
    """Whether there is more than one statement in a text."""
    return any(part.strip() for part in bare(sql).split(";")[1:])


def reads_more(sql: str) -> bool:
    """Whether a statement writes or locks rows, and reads others than those."""
    first, text = first_word(sql), where_from_names_tables(bare(sql))
    locks = first in ("SELECT", "WITH") and bool(_LOCKS.search(text))
    if not (locks or writes(sql)) or first in ("TRUNCATE", "CREATE", "ALTER", "DROP"):
        return False
    outer, inner = _outer(text)
    if re.search(r"\b(?:SELECT|TABLE|JOIN)\b", inner, re.IGNORECASE):
        return True
    if locks:
        tables = re.split(r"\bFROM\b", _BEHIND.split(outer)[0], flags=re.IGNORECASE)[1:]
        return any(re.search(r",|\bJOIN\b", some, re.IGNORECASE) for some in tables)
    if first == "INSERT" and '"' not in sql:
        outer = _GIVEN.sub(" ", outer)
    found = _MORE.get(first)  # None: WITH, MERGE, EXPLAIN ANALYZE, CALL
    return found is None or bool(re.search(rf"\b(?:{found})\b", outer, re.IGNORECASE))


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


def _outer(text: str) -> tuple[str, str]:
    """Return a text with {} for what is in parentheses, and all that was in them."""
    inner: list[str] = []

    def take(found: re.Match[str]) -> str:
        inner.append(found[0])
        return "{}"

    before = ""
    while before != text:
        before, text = text, _PARENTHESIS.sub(take, text)
    return text, " ".join(inner)
