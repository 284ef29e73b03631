"""What a cell needs from the other cells has one meaning, so that cells can run again in any order.

A name that two cells bind means whichever of them ran last. A third cell must not read it, nor
call a function of another cell that reads it. (`make shuffles` finds by running what this cannot
see: what cells leave behind in the services.)
"""

from __future__ import annotations

import ast
import symtable
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import nbformat
import pytest

NOTEBOOKS = sorted((Path(__file__).parents[1] / "notebooks").glob("*.ipynb"))
# Any of the cells that bind these will do.
EITHER = {"03_notice_boards outgrow-events server", "04_counter_buffering which-client-run sql"}


@dataclass
class Names:
    """The names of one cell: those that it binds, and those that it reads of others."""

    bound: set[str] = field(default_factory=set)
    read: set[str] = field(default_factory=set)
    of_functions: dict[str, set[str]] = field(default_factory=dict)  # the globals each reads


def names(source: str) -> Names:
    """Return the names of a cell. What it reads before it binds it is read of others."""
    found = Names()
    top = symtable.symtable(source, "cell", "exec")
    found.bound = {
        s.get_name()
        for s in top.get_symbols()
        if s.is_assigned() or s.is_imported() or s.is_namespace()
    }
    for table in top.get_children():
        found.of_functions.setdefault(table.get_name(), set()).update(globals_of(table))
    bound: set[str] = set()
    for statement in ast.parse(source).body:
        parts = [node for node in ast.walk(statement) if isinstance(node, ast.Name)]
        found.read |= {n.id for n in parts if isinstance(n.ctx, ast.Load)} - bound
        bound |= {n.id for n in parts if isinstance(n.ctx, ast.Store)}
        if isinstance(statement, ast.FunctionDef | ast.ClassDef):
            bound.add(statement.name)
    found.read &= {s.get_name() for s in top.get_symbols() if s.is_referenced()}
    return found


def globals_of(table: symtable.SymbolTable) -> set[str]:
    """Return the names of the module that a function or class reads, and what is in it."""
    read = {s.get_name() for s in table.get_symbols() if s.is_global() and s.is_referenced()}
    return read.union(*(globals_of(inner) for inner in table.get_children()))


def ambiguous(cells: dict[str, str]) -> Iterator[str]:
    """Yield `cell name` for each name that a cell needs and that two other cells bind."""
    of = {cell: names(source) for cell, source in cells.items()}
    times = Counter(name for found in of.values() for name in found.bound)
    functions = {name: reads for found in of.values() for name, reads in found.of_functions.items()}
    for cell, found in of.items():
        needs, new = set(), found.read
        while new:
            needs |= new
            new = set().union(*(functions.get(name, set()) for name in new)) - needs
        for name in sorted(needs - found.bound):
            if times[name] > 1:
                yield f"{cell} {name}"


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_no_cell_needs_a_name_that_two_others_bind(path: Path) -> None:
    notebook = nbformat.read(path, as_version=4)  # type: ignore[no-untyped-call]
    cells = {cell.id: cell.source for cell in notebook.cells if cell.cell_type == "code"}
    assert [n for n in ambiguous(cells) if f"{path.stem} {n}" not in EITHER] == []


def test_such_names_are_found() -> None:
    cells = {
        "makes": "store = 1\ndef show():\n    return store",
        "loops": "for store in 'ab':\n    print(store)",
        "calls": "show()",
        "reads": "print(store)",
        "binds": "store = 3\nprint(store, show())",
        "lists": "[store for store in 'ab']",
    }
    assert list(ambiguous(cells)) == ["calls store", "reads store"]
    assert not list(ambiguous({"makes": cells["makes"], "calls": cells["calls"]}))
