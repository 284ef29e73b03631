"""All that a later statement can see of a PostgreSQL schema, in two queries.

Only the schemas on the connection's search path are looked at; who names another is refused.
Rows come in the order in which the server keeps them, which is that of a query without ORDER BY.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

SCHEMA = """
    WITH here AS (SELECT oid FROM pg_namespace WHERE nspname = ANY(current_schemas(false))),
    ours AS (SELECT c.oid, c.relname, c.relkind, c.relnamespace::regnamespace::text AS space
             FROM pg_class c JOIN here ON c.relnamespace = here.oid)
    SELECT 'relation ' || o.relkind::text, space, o.relname, concat_ws(' ', c.relpersistence,
        CASE WHEN NOT c.relispopulated THEN 'NO DATA' END,
        c.relrowsecurity, c.relforcerowsecurity, c.reloptions, c.relacl, pg_get_partkeydef(o.oid),
        pg_get_expr(c.relpartbound, o.oid),
        (SELECT array_agg(inhparent::regclass ORDER BY inhseqno) FROM pg_inherits
         WHERE inhrelid = o.oid),
        (SELECT row(seqstart, seqincrement, seqmin, seqmax, seqcache, seqcycle, seqtypid::regtype)
         FROM pg_sequence WHERE seqrelid = o.oid))
      FROM ours o JOIN pg_class c ON c.oid = o.oid WHERE o.relkind <> 'i'
    UNION ALL SELECT 'column', space, relname, concat_ws(' ', a.attnum, a.attname,
        format_type(a.atttypid, a.atttypmod), a.attnotnull, a.attidentity, a.attgenerated,
        pg_get_expr(d.adbin, d.adrelid))
      FROM ours JOIN pg_attribute a ON a.attrelid = ours.oid AND a.attnum > 0
      LEFT JOIN pg_attrdef d ON d.adrelid = ours.oid AND d.adnum = a.attnum
      WHERE relkind IN ('r', 'p', 'v', 'm', 'c', 'f')
    UNION ALL SELECT 'index', space, relname, pg_get_indexdef(oid) FROM ours WHERE relkind = 'i'
    UNION ALL SELECT 'view', space, relname, pg_get_viewdef(oid) FROM ours
      WHERE relkind IN ('v', 'm')
    UNION ALL SELECT 'constraint', space, conname, pg_get_constraintdef(k.oid) || ' ON ' || relname
      FROM ours JOIN pg_constraint k ON k.conrelid = ours.oid
    UNION ALL SELECT 'trigger', space, tgname, pg_get_triggerdef(t.oid) || tgenabled::text
      FROM ours JOIN pg_trigger t ON t.tgrelid = ours.oid AND NOT tgisinternal
    UNION ALL SELECT 'rule', space, rulename, pg_get_ruledef(r.oid)
      FROM ours JOIN pg_rewrite r ON r.ev_class = ours.oid
    UNION ALL SELECT 'policy', space, polname, concat_ws(' ', polcmd, polpermissive, polroles,
        pg_get_expr(polqual, polrelid), pg_get_expr(polwithcheck, polrelid))
      FROM ours JOIN pg_policy p ON p.polrelid = ours.oid
    UNION ALL SELECT 'function', pronamespace::regnamespace::text, proname,
        CASE WHEN prokind IN ('f', 'p') THEN pg_get_functiondef(pg_proc.oid) ELSE prosrc END
      FROM pg_proc JOIN here ON pronamespace = here.oid
    UNION ALL SELECT 'enum', typnamespace::regnamespace::text, typname,
        enumsortorder::text || ' ' || enumlabel
      FROM pg_type t JOIN here ON typnamespace = here.oid JOIN pg_enum e ON e.enumtypid = t.oid
    ORDER BY 1, 2, 3, 4"""
# Which schemas are not on the path; and whether something is of use that SCHEMA does not show.
BESIDE = r"""
    WITH here AS (SELECT oid FROM pg_namespace WHERE nspname = ANY(current_schemas(false)))
    SELECT ARRAY(SELECT nspname::text FROM pg_namespace WHERE nspname <> ALL(current_schemas(true))
        AND nspname !~ '^pg_' AND nspname <> 'information_schema'),
      EXISTS (SELECT FROM pg_operator JOIN here ON oprnamespace = here.oid)
      OR EXISTS (SELECT FROM pg_type JOIN here ON typnamespace = here.oid WHERE typtype = 'd')
      OR EXISTS (SELECT FROM pg_constraint JOIN pg_class c ON c.oid = confrelid
                 JOIN here ON relnamespace = here.oid
                 WHERE contype = 'f' AND connamespace NOT IN (SELECT oid FROM here))
      OR EXISTS (SELECT FROM pg_inherits JOIN pg_class c ON c.oid = inhparent
                 JOIN here ON c.relnamespace = here.oid JOIN pg_class h ON h.oid = inhrelid
                 WHERE h.relnamespace NOT IN (SELECT oid FROM here))"""
CACHED = """
    SELECT relname FROM pg_sequence JOIN pg_class ON oid = seqrelid
    WHERE seqcache > 1 AND relnamespace IN
        (SELECT oid FROM pg_namespace WHERE nspname = ANY(current_schemas(false)))"""
_ROWS = "SELECT array_agg((here.*)::text ORDER BY here.ctid) FROM {} AS here"
_SEQUENCE = "SELECT ARRAY[last_value::text, is_called::text] FROM {}"
_QUERIES = {"relation r": _ROWS, "relation m": _ROWS, "relation S": _SEQUENCE}


def rows_of(schema: Sequence[Any]) -> str:
    """Return the query for the rows of all tables and the places of all sequences."""
    queries = [
        f"({_QUERIES[kind].format(f'{space}.{_quoted(name)}')})"
        for kind, space, name, about in schema
        if kind in _QUERIES and "NO DATA" not in about
    ]
    return "SELECT " + ", ".join(queries)


def _quoted(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'
