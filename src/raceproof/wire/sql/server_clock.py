"""The word 'now' as a parameter: what SQLAlchemy's func.datetime("now") sends."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

from .statements import bare

_HOLDER = r"(?:\?|:\w+|%s|%\(\w+\)s|\$\d+)"
_FUNCTION = re.compile(r"\b(date|time|datetime|julianday|unixepoch|strftime|timediff)\s*\(", re.I)
_WITHIN = r"\((?:[^()]|\([^()]*\))*?"  # a bracket, and what is in it until what follows
_CAST = re.compile(rf"(?:::\s*|\bCAST\s*{_WITHIN}\bAS\s+)(timestamp\w*|date|time)\b", re.I)
_NO_TIME_GIVEN = re.compile(rf"\b(strftime)\s*\(\s*{_HOLDER}\s*\)", re.I)
_WHY = "reads the server's clock; give it the time of the world's Clock as a parameter"


def clock_refused(sql: str, parameters: Any) -> str | None:
    """Return why a statement must not ask what time it is, if its parameters make it do so."""
    words = bare(sql)
    if found := _NO_TIME_GIVEN.search(words):
        return f"{found[1]} without a time {_WHY}"
    texts = {text.strip().lower() for text in _texts(parameters)}
    if "now" in texts and (found := _FUNCTION.search(words)):
        return f"{found[1]}('now') {_WHY}"
    if texts & {"now", "today", "tomorrow", "yesterday"} and (found := _CAST.search(words)):
        return f"a {found[1]} of 'now' {_WHY}"
    return None


def _texts(parameters: Any) -> Iterator[str]:
    if isinstance(parameters, str):
        yield parameters
    elif isinstance(parameters, Mapping):
        yield from _texts([*parameters.values()])
    elif isinstance(parameters, list | tuple):
        for one in parameters:
            yield from _texts(one)
