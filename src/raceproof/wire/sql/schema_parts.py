"""What a schema does when a statement only names it: views, functions, triggers.

A statement is refused for what a part that it uses would do, as if it did that itself. A part is
used by who names it (a view, a function), or by who writes to its table (a trigger); and by every
part whose text names it. Names are compared as words: rather one refusal too many.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import NamedTuple

from .statements import why_refused, writes

WHEN_NAMED = ("view", "function", "procedure", "policy", "domain", "operator", "aggregate")


class SchemaPart(NamedTuple):
    """A part of a schema: what it is, its name, what is named by who uses it, and its text."""

    kind: str
    name: str
    owner: str
    text: str


class Danger(NamedTuple):
    """A name that a statement must not have, or (`written`) must not write to; and why."""

    name: str
    written: bool
    why: str

    def met(self, sql: str) -> bool:
        """Whether a statement uses what has this name."""
        return names(sql, self.name) and (not self.written or writes(sql))


def names(sql: str, name: str) -> bool:
    """Whether all words of a name are in a text; the empty name is in each."""
    return _words(name) <= _words(sql)


def dangers(
    parts: Iterable[SchemaPart], why_of: Callable[[SchemaPart], str | None]
) -> list[Danger]:
    """Return who must not be named or written to, where `why_of` says what a part itself does."""
    found: dict[tuple[str, bool], Danger] = {}
    left = list(parts)
    while True:
        news = {danger[:2]: danger for part in left for danger in _of(part, why_of, found)}
        if news.keys() <= found.keys():
            return list(found.values())
        found = news | found


def why_in_danger(sql: str, found: Iterable[Danger]) -> str | None:
    """Return why a statement cannot be searched that uses one of these names; None if it can."""
    return next((danger.why for danger in found if danger.met(sql)), None)


def moves(part: SchemaPart) -> str | None:
    """Return why nobody can foretell what a part does: it asks the clock, or chance."""
    return why_refused(f"SELECT {part.text}")


def _of(
    part: SchemaPart,
    why_of: Callable[[SchemaPart], str | None],
    found: Mapping[tuple[str, bool], Danger],
) -> Iterator[Danger]:
    """Yield who is in danger by a part: for what it does itself, or by whom it uses."""
    written = part.kind not in WHEN_NAMED
    if why := why_of(part):
        yield Danger(part.owner, written, f"{part.kind} {part.name}{_on(part)}: {why}")
    for danger in found.values():
        if names(part.text, danger.name):
            if not danger.written or (part.kind != "view" and (written or writes(part.text))):
                yield Danger(part.owner, written, danger.why)
            elif part.kind == "view":  # who writes to it writes to its table
                yield Danger(part.owner, True, danger.why)


def _on(part: SchemaPart) -> str:
    return f" of {part.owner}" if part.owner not in ("", part.name) else ""


def _words(text: str) -> set[str]:
    return set(re.findall(r"\w+", text.lower()))
