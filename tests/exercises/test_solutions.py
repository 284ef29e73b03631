"""The solutions of the notebooks: folded away in Markdown, and right."""

from __future__ import annotations

import ast
import re
import symtable

import nbformat
import pytest
from tests.exercises.notebook_slice import NOTEBOOKS, code_cells, statements_for

CODE = re.compile(r"^```python\n(.*?)^```$", re.MULTILINE | re.DOTALL)


def solutions() -> list[tuple[str, str, str, str]]:
    """Return notebook, cell, the code cell before it, and the code of every solution."""
    found = []
    for path in sorted(NOTEBOOKS.glob("*.ipynb")):
        before = ""
        for cell in nbformat.read(path, as_version=4).cells:  # type: ignore[no-untyped-call]
            if cell.cell_type == "code":
                before = cell.id
            elif "solution" in cell.metadata.get("tags", ()):
                (code,) = CODE.findall(cell.source)
                found.append((path.stem, cell.id, before, code))
    return found


def names_in(statements: list[ast.stmt]) -> set[str]:
    """Return the functions, classes and variables that statements define."""
    table = symtable.symtable(ast.unparse(ast.Module(statements, [])), "cell", "exec")
    return {symbol.get_name() for symbol in table.get_symbols() if symbol.is_assigned()}


SOLUTIONS = solutions()


@pytest.mark.parametrize(
    ("notebook", "before", "code"),
    [(notebook, before, code) for notebook, _, before, code in SOLUTIONS],
    ids=[f"{notebook} {cell}" for notebook, cell, _, _ in SOLUTIONS],
)
def test_the_solution_is_right_and_touches_no_name_of_the_learner(
    notebook: str, before: str, code: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(NOTEBOOKS)
    *defined, marked = ast.parse(code).body
    assert isinstance(marked, ast.Expr)
    space: dict[str, object] = {"__name__": "__main__"}
    for part in (statements_for(notebook, before, code), defined):
        exec(compile(ast.Module(part, []), notebook, "exec"), space)
    verdict = eval(compile(ast.Expression(marked.value), notebook, "eval"), space)
    assert verdict.passed, verdict.sentence
    learners = names_in(ast.parse(code_cells(notebook)[before]).body)
    assert not names_in(defined) & learners, "a learner who copies it loses the answer"
