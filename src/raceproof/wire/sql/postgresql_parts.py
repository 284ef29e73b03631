"""What the views, functions and triggers of a PostgreSQL schema do to who uses them.

In READ COMMITTED each statement in a function that is VOLATILE, as functions are by default, has a
snapshot of its own: what others commit in between is seen. So a call of one is no single step.
"""

from __future__ import annotations

import re
from typing import Any, NamedTuple

from .postgresql_steps import system_columns_shown
from .requests import Request
from .schema_parts import Danger, SchemaPart, dangers, moves, why_in_danger
from .statements import bare, lingers, where_from_names_tables

# `kind` of a function: its language and volatility decide, so both are in front of its text.
PARTS = r"""
    WITH here AS (SELECT oid FROM pg_namespace WHERE nspname = ANY(current_schemas(false))),
    ours AS (SELECT c.oid, relname, relkind FROM pg_class c JOIN here ON relnamespace = here.oid)
    SELECT 'view', relname, relname, pg_get_viewdef(oid) FROM ours WHERE relkind IN ('v', 'm')
    UNION ALL SELECT CASE WHEN prokind = 'p' THEN 'procedure' ELSE 'function' END, proname, proname,
        'VOLATILITY ' || provolatile::text || ' ' ||
        coalesce(pg_get_function_sqlbody(f.oid), prosrc)
      FROM pg_proc f JOIN here ON pronamespace = here.oid JOIN pg_language l ON l.oid = prolang
      WHERE lanname NOT IN ('c', 'internal') AND prokind <> 'a' AND NOT EXISTS
        (SELECT FROM pg_depend
         WHERE classid = 'pg_proc'::regclass AND objid = f.oid AND deptype = 'e')
    UNION ALL SELECT 'aggregate', proname, proname, concat_ws(' ', aggtransfn, aggfinalfn,
        aggcombinefn, aggmtransfn, aggminvtransfn, aggmfinalfn)
      FROM pg_aggregate JOIN pg_proc f ON aggfnoid = f.oid JOIN here ON pronamespace = here.oid
    UNION ALL SELECT 'operator', oprname, '', oprcode::text || '()'
      FROM pg_operator JOIN here ON oprnamespace = here.oid
    UNION ALL SELECT 'domain', typname, '', pg_get_constraintdef(k.oid)
      FROM pg_constraint k JOIN pg_type t ON t.oid = contypid JOIN here ON typnamespace = here.oid
    UNION ALL SELECT 'trigger', tgname, relname, 'FIRES ' || pg_get_triggerdef(t.oid)
      FROM ours JOIN pg_trigger t ON t.tgrelid = ours.oid AND NOT tgisinternal
    UNION ALL SELECT 'rule', rulename, relname, pg_get_ruledef(r.oid)
      FROM ours JOIN pg_rewrite r ON r.ev_class = ours.oid AND rulename <> '_RETURN'
    UNION ALL SELECT 'policy', polname, relname, concat_ws(' ', pg_get_expr(polqual, polrelid),
        pg_get_expr(polwithcheck, polrelid)) FROM ours JOIN pg_policy p ON p.polrelid = ours.oid
    UNION ALL SELECT 'constraint', conname, relname, pg_get_constraintdef(k.oid)
      FROM ours JOIN pg_constraint k ON conrelid = ours.oid AND contype = 'c'
    UNION ALL SELECT 'default', relname, relname, pg_get_expr(adbin, adrelid)
      FROM ours JOIN pg_attrdef ON adrelid = ours.oid
    UNION ALL SELECT 'index', relname, (SELECT relname FROM pg_class WHERE oid = indrelid),
        concat_ws(' ', pg_get_expr(indexprs, indrelid), pg_get_expr(indpred, indrelid))
      FROM ours JOIN pg_index ON indexrelid = ours.oid
    UNION ALL SELECT 'foreign key', conname, relname, (conrelid::regclass)::text
      FROM ours JOIN pg_constraint k ON confrelid = ours.oid
        AND (confdeltype NOT IN ('a', 'r') OR confupdtype NOT IN ('a', 'r'))
    UNION ALL SELECT 'heir', relname, relname, (inhrelid::regclass)::text
      FROM ours JOIN pg_inherits ON inhparent = ours.oid
    ORDER BY 1, 2, 3, 4"""

_ON_TABLES = re.compile(
    r"\b(?:FROM|JOIN|TABLE|INSERT|UPDATE|DELETE|MERGE|CALL|TRUNCATE|LOCK|DO)\b", re.IGNORECASE
)
_UNKNOWN = re.compile(
    r"\b(?:EXECUTE|CREATE|ALTER|DROP|GRANT|REVOKE|COMMENT\s+ON|COPY|COMMIT|ROLLBACK|set_config"
    r"|(?:VOLATILITY\s\w|BEGIN|THEN|ELSE|LOOP)\s+SET)\b|;\s*SET\b",
    re.IGNORECASE,
)
_LOWERS = re.compile(r"\bREAD\s+(?:UN)?COMMITTED\b|transaction_isolation\b", re.IGNORECASE)
_FUNCTIONS = ("function", "procedure")
SNAPSHOTS = ("READ COMMITTED", "READ UNCOMMITTED")


class Uses(NamedTuple):
    """Who must not be used: ever; where each statement has its snapshot."""

    ever: list[Danger]
    each_its_own: list[Danger]


def uses_of(rows: list[Any]) -> Uses:
    """Return what is to be refused of a schema, whose parts `PARTS` has read."""
    parts = [SchemaPart(*row) for row in rows]
    return Uses(dangers(parts, _moves), dangers(parts, _several))


def part_refused(request: Request, level: str, uses: Uses) -> str | None:
    """Return why a statement cannot be searched, for what it uses of its schema; None: it can."""
    sql = request.sql
    if level not in SNAPSHOTS and _LOWERS.search(bare(sql)):
        return (
            "READ COMMITTED under another level: set it with execution_options(isolation_level=…)"
        )
    if why := why_in_danger(sql, uses.ever):
        return why
    if level in SNAPSHOTS and (why := why_in_danger(sql, uses.each_its_own)):
        return why
    return None


def _moves(part: SchemaPart) -> str | None:
    if part.kind in _FUNCTIONS and (found := _UNKNOWN.search(bare(part.text))):
        return (
            f"{found[0]} in a function: the search does not see what it does; let the client do it"
        )
    if part.kind in _FUNCTIONS and lingers(part.text):
        return "it leaves something in the session: let the client's own statement do it"
    if part.kind == "default":  # those are looked at with the columns that a statement leaves out
        return None
    if why := moves(part) or system_columns_shown(part.text):
        return f"{why} (or make the world without it)"
    return None


def _several(part: SchemaPart) -> str | None:
    text = where_from_names_tables(bare(part.text))
    volatile = text.startswith("VOLATILITY v ")
    if part.kind in _FUNCTIONS and volatile and _ON_TABLES.search(text):
        return (
            "each statement in it sees what others have committed since the one before, and the "
            "search makes a call in one step: let the client make these statements itself, or use "
            "REPEATABLE READ; one that only reads can be STABLE"
        )
    return None
