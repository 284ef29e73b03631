"""What the text of a statement tells: whether it can be searched, and what it may leave behind.

Names inside strings, quoted names and comments do not count. The lists are of what would be
another value each time (chance, time, numbers that the server gives its own things), and of
what works beside transactions. Whatever is not in a list is left to the server.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from functools import lru_cache

Default = tuple[str, str, str]  # a table, its column, and why nobody can foretell its default

_OPAQUE = re.compile(
    r"""'(?:[^']|'')*' | "(?:[^"]|"")*" | --[^\n]* | /\*.*?\*/ | \$(\w*)\$.*?\$\1\$""",
    re.DOTALL | re.VERBOSE,
)
_FIRST = re.compile(r"[\s(;]*(\w+)")

_TIME = r"""current_timestamp|current_time|current_date|localtime|localtimestamp|now\s*\(
    |clock_timestamp|statement_timestamp|transaction_timestamp|timeofday
    |(?:date|time|datetime|julianday|unixepoch)\s*\((?=\s*\))|strftime\s*\((?=\s*''\s*\))"""
_CHANCE = r"""random\s*\(|randomblob|random_normal|gen_random_uuid|uuid_generate\w*|uuidv[47]
    |gen_random_bytes|tablesample"""
_NUMBERS = r"""txid_\w+|pg_current_xact_id\w*|pg_current_snapshot|pg_backend_pid|pg_stat_\w+
    |pg_locks|pg_blocking_pids|pg_current_wal\w*"""
GIVEN_ANEW = "shows numbers that the server gives anew in each world"
_SESSION = r"currval|lastval|last_insert_rowid|(?:total_)?changes\s*\((?=\s*\))"
_REFUSED = [
    (_TIME, "reads the server's clock; give it the time of the world's Clock as a parameter"),
    (_CHANCE, "leaves the answer to chance; give it a value chosen by the client"),
    (_NUMBERS, GIVEN_ANEW),
    (_SESSION, "reads what an earlier statement left in the session; use RETURNING"),
    (r"pg_(?:notify|terminate_backend|cancel_backend|reload_conf)", "reaches other sessions"),
    (r"dblink\w*", "opens a connection of its own"),
]
_PATTERNS = [
    (re.compile(rf"\b(?:{words})\b|\b(?:{words})(?<=\()", re.I | re.X), why)
    for words, why in _REFUSED
]
_NOW = re.compile(
    r"\b(date|time|datetime|julianday|unixepoch|strftime|timediff)\s*\([^)]*'now'", re.I
)
_WHOLE = {
    "LISTEN": "waits for messages beside the replies",
    "UNLISTEN": "waits for messages beside the replies",
    "NOTIFY": "sends messages beside the replies",
    "COPY": "streams rows, which is not supported",
    "VACUUM": "rewrites the tables",
    "REINDEX": "rewrites the tables",
    "CLUSTER": "rewrites the tables",
    "CHECKPOINT": "is the server's own business",
    "ATTACH": "opens another database",
    "DETACH": "closes another database",
    "LOAD": "changes the server itself",
    "DO": "runs a program that the search cannot see into",
}
_REMEMBERED = lru_cache(1000)  # a search asks again and again of the same few statements
_ROWS = {"SELECT", "INSERT", "UPDATE", "DELETE", "REPLACE", "MERGE", "WITH", "VALUES", "TABLE"}
_BOUNDS = {"BEGIN", "START", "COMMIT", "END", "ROLLBACK", "ABORT", "SAVEPOINT", "RELEASE"}
_LOOKS = {"SHOW", "EXPLAIN", "LOCK"}
_WRITES = re.compile(
    r"\b(?:INSERT|UPDATE|DELETE|MERGE|REPLACE\s+INTO|TRUNCATE|CALL)\b", re.IGNORECASE
)
_FOR_UPDATE = re.compile(r"\bFOR\s+(?:NO\s+KEY\s+)?UPDATE\b", re.IGNORECASE)
_INFORMS = re.compile(
    r"\s*PRAGMA\s+(?:\w+\.)?(?:table_\w+|index_\w+|foreign_key_(?:list|check)|\w+_list|"
    r"read_uncommitted|user_version|application_id|encoding|journal_mode\s*;?\s*$)",
    re.IGNORECASE,
)
_LINGERS = re.compile(
    r"pg_(?:try_)?advisory_(?:un)?lock(?:_shared|_all)?\s*\(|set_config|\btemp(?:orary)?\b"
    r"|setseed|\bwith\s+hold\b",
    re.IGNORECASE,
)


@_REMEMBERED
def bare(sql: str) -> str:
    """Return a statement without its strings, quoted names and comments."""
    return _OPAQUE.sub(lambda found: "''" if found[0][0] == "'" else " ", sql)


@_REMEMBERED
def first_word(sql: str) -> str:
    """Return the first word of a statement, in capitals: what it is."""
    found = _FIRST.match(bare(sql))
    return found[1].upper() if found else ""


@_REMEMBERED
def why_refused(sql: str) -> str | None:
    """Return why a statement cannot be searched, with its word; None if it can."""
    text = bare(sql)
    first = first_word(sql)
    if first in _WHOLE:
        return f"{first} {_WHOLE[first]}"
    if re.match(r"\s*(?:CREATE|DROP|ALTER)\s+SCHEMA\b", text, re.IGNORECASE):
        return "SCHEMA: only those on the search path are searched; make the others with the world"
    if first == "PREPARE" and re.match(r"\s*PREPARE\s+TRANSACTION", text, re.IGNORECASE):
        return "PREPARE TRANSACTION outlives its connection"
    for pattern, why in _PATTERNS:
        if found := pattern.search(text):
            return f"{found[0].strip(' (')} {why}"
    if found := _NOW.search(sql):
        return f"{found[1]}('now') {_REFUSED[0][1]}"
    return None


def names_only(sql: str) -> str:
    """Return a statement without its strings and comments; quoted names stay."""
    return _NO_WORDS.sub(" ", sql)


def schema_refused(sql: str, elsewhere: Iterable[str]) -> str | None:
    """Return why a statement cannot be searched that names a schema off the search path."""
    for name in elsewhere:
        word = rf'(?<![\w.])"?{re.escape(name)}"?'
        names = rf"{word}\s*\."
        if re.search(rf"{word}(?![\w\".])(?!\s*\.)", sql, re.IGNORECASE):  # it is an alias, too
            names = rf"\b(?:FROM|JOIN|INTO|UPDATE|TABLE|ONLY)\s+{names}"
        if re.search(names, sql, re.IGNORECASE):
            return (
                f"schema {name} is not on the search path, and what is in it is in no state: "
                "connect with a search_path that names it"
            )
    return None


_OF_NO_TABLE = re.compile(
    r"(\bDISTINCT\s+|\b(?:EXTRACT|TRIM|SUBSTRING|OVERLAY)\s*\((?:(?!\bSELECT\b)[^()])*?)\bFROM\b",
    re.IGNORECASE,
)
_NO_WORDS = re.compile(r"'(?:[^']|'')*'|--[^\n]*|/\*.*?\*/", re.DOTALL)
_INTO = re.compile(r'\binto\s+((?:"[^"]+"|`[^`]+`|\[[^]]+\]|[\w.])+)')


def moving_defaults(columns: Iterable[tuple[str, str, str]]) -> list[Default]:
    """Return the columns (table, name, what is known of it) that clock or chance may fill in."""
    return [
        (table, name, why)
        for table, name, about in columns
        if (why := why_refused(f"SELECT {about}")) is not None
    ]


def default_refused(sql: str, defaults: Sequence[Default]) -> str | None:
    """Return why a statement cannot be searched that leaves such a column to its default."""
    plain = names_only(sql.lower()) if defaults else ""
    words = set(re.findall(r"\w+", plain.partition("returning")[0]))
    into = {name.rpartition(".")[2].strip('"`[]') for name in _INTO.findall(plain)}
    for table, name, why in defaults:
        is_left = "default" in words or name.lower() not in words
        if is_left and table.lower() in (words if "default" in words else into):
            return f"a default of a column, {table}.{name}: {why}"
    return None


def only_reads(sql: str) -> bool:
    """Whether a statement is a query by its first word; it may call a function that writes."""
    return first_word(sql) in ("SELECT", "VALUES", "TABLE", "SHOW", "EXPLAIN") or bool(
        _INFORMS.match(sql) and "=" not in sql
    )


@_REMEMBERED
def writes(sql: str) -> bool:
    """Whether there is a word in a statement that changes rows; a lock FOR UPDATE is none."""
    return bool(_WRITES.search(_FOR_UPDATE.sub(" ", bare(sql))))


def where_from_names_tables(text: str) -> str:
    """Return a text without each FROM that is followed by no table, as IS DISTINCT FROM."""
    return _OF_NO_TABLE.sub(r"\1 ", text)


def changes_the_schema(sql: str) -> bool:
    """Whether a statement may make or change something other than rows."""
    return first_word(sql) not in _ROWS | _BOUNDS | _LOOKS | {"SET", "RESET"}


@_REMEMBERED
def commits(sql: str) -> bool:
    """Whether there is a COMMIT in a text of one statement or several."""
    return bool(re.search(r"(?:^|;)\s*(?:COMMIT|END)\b", bare(sql), re.IGNORECASE))


@_REMEMBERED
def lingers(sql: str) -> bool:
    """Whether a statement may leave something in the session that outlives its transaction."""
    first = first_word(sql)
    if first in ("SET", "RESET", "DISCARD", "PREPARE", "DEALLOCATE", "EXECUTE", "DECLARE"):
        return not re.match(r"\s*SET\s+(?:LOCAL|TRANSACTION)\b", sql, re.IGNORECASE)
    if first == "PRAGMA":
        return not _INFORMS.match(sql)
    return bool(_LINGERS.search(bare(sql)))
