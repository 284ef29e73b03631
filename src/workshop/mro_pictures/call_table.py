"""The table of a call through the MRO: who defines the method, passes it on, and is asked."""

from __future__ import annotations

from typing import TYPE_CHECKING

from raceproof.draw.tables import Cell, Table, table

if TYPE_CHECKING:
    from patterns.mixins import MroTable
    from patterns.mixins.audit import MroRow


def chain(found: MroTable) -> Table:
    """Return the table in the notebooks' one look; a class that is not asked is marked."""
    rows: list[list[object]] = []
    for row in found.rows:
        name, defines, calls, reached, added = row.cells()
        mark = Cell("breaks", "not asked") if left_out(row) else reached
        rows.append([name, defines, calls, mark, added or "-"])
    caption = f"{found.cls.__name__}.{found.method}"
    if found.error:
        caption += f" raised {found.error}"
    return table(found.HEADS, rows, caption=caption)


def left_out(row: MroRow) -> bool:
    """Return whether the class defines the method and the call never comes to it."""
    return row.defines and row.reached == "no"
