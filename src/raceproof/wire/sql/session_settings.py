"""Settings of a session that a client must leave alone, as the search relies on them.

A statement that waits ends when it is answered, never by the clock; and PostgreSQL tells the search
that it waits, as long as the connection is set up for that. Columns may have such names.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

from .statements import bare, first_word, names_only

DEFERS = "lets a transaction wait for others without a lock, which no search sees; leave it out"
_REFUSED = [
    (
        r"(?:lock|statement|idle\w*|transaction|deadlock|busy)_timeout",
        "sets a time-out in real time; the search lets a statement wait as long as it must",
    ),
    (r"search_path|schema", "changes which tables are meant; connect with the one that you need"),
    (
        r"client_min_messages|lc_messages|log_lock_waits",
        "changes what the server says of a wait, and the search listens to that; leave it as it is",
    ),
    (r"(?:default_)?transaction_deferrable", DEFERS),
]
_PATTERNS = [(re.compile(words, re.IGNORECASE), why) for words, why in _REFUSED]
_NAMED = re.compile(
    r'\s*(?:SET|RESET|PRAGMA)\s+(?:(?:SESSION|LOCAL)\s+)?(?:\w+\.)?"?(\w+)', re.IGNORECASE
)
_ALL = re.compile(r"(?:RESET|DISCARD) ALL\b", re.IGNORECASE)
_DEFERRABLE = re.compile(r"(?<!\bNOT )\bDEFERRABLE\b", re.IGNORECASE)
_TEXT = re.compile(r"'((?:[^']|'')*)'")


def setting_refused(sql: str, parameters: Any) -> str | None:
    """Return why a statement must not change a setting, with the setting's name; None: it may.

    `parameters`: those of the statement, for set_config.
    """
    words = " ".join(bare(sql).split())
    if found := _ALL.match(words):
        return f"{found[0]} undoes what the search has set for the session: RESET what you have set"
    if first_word(sql) in ("BEGIN", "START", "SET") and (found := _DEFERRABLE.search(words)):
        return f"{found[0]} {DEFERS}"
    for name in _named(sql, parameters):
        for pattern, why in _PATTERNS:
            if pattern.fullmatch(name):
                return f"{name} {why}"
    return None


def _named(sql: str, parameters: Any) -> Iterator[str]:
    """Yield the name of the setting that a statement changes; for set_config, all its texts."""
    if found := _NAMED.match(names_only(sql)):
        yield found[1]
    if "set_config" in bare(sql).lower():
        yield from _TEXT.findall(sql)
        values = parameters.values() if isinstance(parameters, Mapping) else parameters or ()
        yield from (value for value in values if isinstance(value, str))
