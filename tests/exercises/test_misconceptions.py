"""The table of misconceptions has a row for each wrong answer, and nothing is missing in it."""

from __future__ import annotations

import re

import pytest
from tests.exercises import bank
from tests.exercises.__main__ import COLUMNS, table

FILES = bank.files()


@pytest.mark.parametrize("file", FILES, ids=[file.name for file in FILES])
def test_every_wrong_answer_has_a_row_and_every_row_is_full(file):
    heading = bank.exercises()[file.notebook, file.cell]
    wrong = {answer.name: answer for answer in file.answers.values() if not answer.right}
    said = dict.fromkeys(wrong, "Not yet: a | b. 3 of 4 schedules break it; the shortest:")
    title, _, head, _, *rows, end = table(heading, file, said).split("\n")
    assert heading
    assert title == f"## {file.notebook}: {heading}"
    assert (head, end) == (f"| {' | '.join(COLUMNS)} |", "")
    cells = [re.split(r"(?<!\\) ?\| ?", row)[1:-1] for row in rows]
    assert sorted(name for _, name, _, _ in cells) == sorted(n.replace("|", r"\|") for n in wrong)
    for believed, name, why, told in cells:
        assert len(believed) > 3
        assert why.endswith(".")
        assert name
        assert told == r"Not yet: a \| b."
