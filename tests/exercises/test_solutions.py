"""The solutions of the notebooks leave the learner's names alone; test_answers.py marks them."""

from __future__ import annotations

import ast
import symtable

import pytest
from tests.exercises import bank
from tests.exercises.notebook_slice import code_cells

SOLUTIONS = bank.solutions()


def names_in(code: str) -> set[str]:
    """Return the functions, classes and variables that code defines."""
    table = symtable.symtable(code, "cell", "exec")
    return {symbol.get_name() for symbol in table.get_symbols() if symbol.is_assigned()}


@pytest.mark.parametrize(("notebook", "cell"), SOLUTIONS)
def test_the_solution_touches_no_name_of_the_learner(notebook: str, cell: str) -> None:
    solution = SOLUTIONS[notebook, cell]
    learners = names_in(code_cells(notebook)[cell])
    assert isinstance(ast.parse(solution.call, mode="eval").body, ast.Call)
    assert not names_in(solution.source) & learners, "a learner who copies it loses the answer"
