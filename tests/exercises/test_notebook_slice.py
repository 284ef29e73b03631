"""Of a notebook the bank runs what an exercise needs, and nothing else."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest
from tests.exercises import bank, notebook_slice
from tests.exercises.marking_worker import marking_call

CELLS = {
    "imports": "import time\nimport pandas as pd",
    "world": "size = 2\n\ndef world():\n    return [0] * size\n\nprint(world())",
    "rows": "rows = pd.read_csv('missing.csv')\njob = rows",
    "setting": "def search(f):\n    job = world()\n    return f(job)",
    "more": "options = {}\noptions['n'] = size",
    "answer": "exercise = [search]\n\n\ndef my_f(job):\n    return job\n\n\nmark(exercise, my_f)",
}


@pytest.fixture(autouse=True)
def cells(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(notebook_slice, "code_cells", lambda notebook: CELLS)


def needed(code: str, cell: str = "answer") -> list[str]:
    taken = notebook_slice.statements_for("a notebook", cell, code, "my_f")
    return [ast.unparse(node) for node in taken]


def test_what_is_needed_is_taken_with_what_that_needs() -> None:
    taken = needed("search(my_f)")
    assert [line.split("\n")[0] for line in taken] == ["size = 2", "def world():", "def search(f):"]


def test_what_the_code_defines_itself_is_not_needed() -> None:
    assert needed("rows = []\ndef answer():\n    return rows") == []
    assert needed("def world():\n    return 1\nworld()") == []
    assert needed("options['n'] = 1") == needed("options")


def test_a_local_name_is_not_the_global_of_that_name() -> None:
    assert needed("def answer(job, rows):\n    pd = job\n    return [rows for rows in pd]") == []
    assert needed("def answer():\n    return rows") == ["import pandas as pd", *needed("rows")[1:]]


def test_a_name_comes_with_all_that_changes_it_before_the_cell() -> None:
    assert needed("options") == ["size = 2", "options = {}", "options['n'] = size"]
    assert needed("options", cell="setting") == []


def test_what_the_answers_own_cell_defines_is_taken_but_for_the_answer() -> None:
    assert needed("mark(exercise, my_f)")[-1] == "exercise = [search]"


def test_the_marking_call_and_the_learners_name() -> None:
    assert marking_call(CELLS["answer"]) == ("mark(exercise, my_f)", "my_f")
    for bad in ("my_f = 1", "mark(search, solution)", "mark(my_f, my_g)"):
        with pytest.raises(ValueError, match="no call of a marker"):
            marking_call(bad)


def test_an_answer_that_says_too_little_is_refused(tmp_path: Path) -> None:
    file = tmp_path / "00_x.py"
    head = "# exercise: 00_x answer\n\n# %% right: good\nanswer = 1\n\n# %% wrong: bad\n"
    told = "# misconception: m\n# why: W,\n#   and w.\n# said: s\n"
    file.write_text(head + told + "answer = 2\n")
    good, bad = bank.read(file).answers.values()
    assert (good.right, good.source) == (True, "answer = 1\n")
    assert (bad.misconception, bad.why, bad.said) == ("m", "W, and w.", "s")
    for text, says in (
        (head + told.replace("# why", "# because") + "answer = 2\n", "does not say what is wrong"),
        (head.replace("exercise", "for") + told, "which exercise"),
        (head + told + "\n# %% right: good\nanswer = 3\n", "two answers of the name 'good'"),
    ):
        file.write_text(text)
        with pytest.raises(ValueError, match=says):
            bank.read(file)
