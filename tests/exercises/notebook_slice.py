"""The statements of a stored notebook that a piece of code needs, without the rest."""

from __future__ import annotations

import ast
import symtable
from collections.abc import Iterator
from functools import cache

import nbformat
from tests.exercises.bank import NOTEBOOKS


@cache
def code_cells(notebook: str) -> dict[str, str]:
    """Return the sources of a notebook's code cells by their ids, in order."""
    stored = nbformat.read(NOTEBOOKS / f"{notebook}.ipynb", as_version=4)  # type: ignore[no-untyped-call]
    return {cell["id"]: cell.source for cell in stored.cells if cell.cell_type == "code"}


def statements_for(notebook: str, cell: str, code: str, own: str = "") -> list[ast.stmt]:
    """Return what of the cells up to `cell` defines the names in `code`, and what those need.

    `own` is the name that the learner defines in `cell`: it is not among them. Nor is what
    the cell itself does with it, nor a name that `code` defines itself.
    A name that is defined several times comes with all its definitions, in their order.
    Statements that define nothing (searches that are shown, assertions) are left out.
    """
    cells = list(code_cells(notebook))
    before = cells[: cells.index(cell) + 1]
    statements = [node for id in before for node in _parsed(notebook, id)]
    statements = [node for node in statements if own not in _defined(node)]
    tree = ast.parse(code)
    wanted = _read(tree).difference({own}, *map(_defined, filter(_begins, tree.body)))
    taken: set[int] = set()
    grown = True
    while grown:
        grown = False
        for number, node in enumerate(statements):
            if number not in taken and wanted & _defined(node):
                taken.add(number)
                wanted |= _read(node)
                grown = True
    return [statements[number] for number in sorted(taken)]


@cache
def _parsed(notebook: str, cell: str) -> list[ast.stmt]:
    return ast.parse(code_cells(notebook)[cell]).body


@cache
def _read(tree: ast.AST) -> set[str]:
    """Return the global names that code reads, in functions and classes too."""
    table = symtable.symtable(ast.unparse(tree), "cell", "exec")
    found = {name.get_name() for name in table.get_symbols() if name.is_referenced()}
    inner = table.get_children()
    while inner:
        scope = inner.pop()
        found |= {name.get_name() for name in scope.get_symbols() if name.is_global()}
        inner += scope.get_children()
    return found


def _begins(node: ast.stmt) -> bool:
    """Return whether a statement needs nothing of the names that it defines."""
    if isinstance(node, ast.Assign):
        return all(isinstance(target, ast.Name) for target in node.targets)
    return isinstance(node, ast.FunctionDef | ast.ClassDef)


@cache
def _defined(node: ast.stmt) -> set[str]:
    return set(_definitions(node))


def _definitions(node: ast.stmt) -> Iterator[str]:
    if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
        yield node.name
    elif isinstance(node, ast.Import | ast.ImportFrom):
        yield from ((alias.asname or alias.name).split(".")[0] for alias in node.names)
    elif isinstance(node, ast.Assign | ast.AugAssign | ast.AnnAssign):
        targets = node.targets if isinstance(node, ast.Assign) else [node.target]
        for name in (name for target in targets for name in ast.walk(target)):
            if isinstance(name, ast.Name):
                yield name.id
    elif isinstance(node, ast.If | ast.For | ast.With | ast.Try):
        for inner in ast.iter_child_nodes(node):
            if isinstance(inner, ast.stmt):
                yield from _definitions(inner)
