"""What a client's statement must not do on PostgreSQL, for what it says and what the schema is."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from raceproof.wire.calls import Unsearchable

from .postgresql_connection import PsycopgConnection
from .postgresql_dump import BESIDE, CACHED
from .postgresql_parts import PARTS, part_refused, uses_of
from .postgresql_steps import step_refused
from .requests import Request, pickled
from .session_settings import DEFERS
from .statements import default_refused, moving_defaults, schema_refused

_TABLES = {"relation r", "relation S", "column", "index", "constraint"}
_KEPT = 100
_known: dict[bytes, SchemaRules] = {}


def rules_of(watch: Any, schema: Sequence[Any]) -> SchemaRules:
    """Return the rules of a schema whose rows `SCHEMA` has read; raise if it cannot be searched.

    Those of tables alone follow from these rows and are remembered: most worlds are made anew with
    the same ones, and the server takes as long to read the parts as for all the rest.
    """
    elsewhere, more = watch.execute(BESIDE).fetchone()
    if more or not {row[0] for row in schema} <= _TABLES:
        return SchemaRules(watch, schema, elsewhere)
    key = pickled((schema, elsewhere))
    if key not in _known:
        if len(_known) >= _KEPT:
            _known.clear()
        _known[key] = SchemaRules(watch, schema, elsewhere)
    return _known[key]


class SchemaRules:
    """What is refused in one schema, whose rows `SCHEMA` has read."""

    def __init__(self, watch: Any, schema: Sequence[Any], elsewhere: list[str]) -> None:
        self._elsewhere = elsewhere
        for kind, _, name, about in reversed(schema):  # a view before its rule
            if why := schema_refused(about or "", self._elsewhere):
                raise Unsearchable(f"{kind} {name}: {why}")
        for [name] in watch.execute(CACHED):
            raise Unsearchable(
                f"sequence {name} has a CACHE: each session keeps numbers to itself, which are in "
                "no state; make it with CACHE 1"
            )
        self._defaults = moving_defaults(
            (table, about.split()[1], about) for kind, _, table, about in schema if kind == "column"
        )
        self._uses = uses_of(watch.execute(PARTS).fetchall())

    def why(self, request: Request, level: str) -> str | None:
        """Return why a request cannot be searched at an isolation level; None if it can."""
        return (
            default_refused(request.sql, self._defaults)
            or schema_refused(request.sql, self._elsewhere)
            or step_refused(request)
            or part_refused(request, level, self._uses)
            or _deferral_refused(request, level)
        )


def _deferral_refused(request: Request, level: str) -> str | None:
    """Return why a transaction cannot be searched that begins when no other could disturb it."""
    given = dict(zip(PsycopgConnection.SETTINGS, request.settings, strict=True))
    defers = given["read_only"] and given["deferrable"] and level == "SERIALIZABLE"
    return f"DEFERRABLE {DEFERS}" if defers else None
