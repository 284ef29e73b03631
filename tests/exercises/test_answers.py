"""Every right answer of the bank passes, every wrong one is refused, and is told why, in time."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from tests.exercises import bank
from tests.exercises.marking_process import MarkingProcess

LEAST_RIGHT, LEAST_WRONG = 5, 15
SECONDS = 20.0  # that a verdict may take, of the process's own work
FILES = {file.name: file for file in bank.files()}
SOLUTIONS = bank.solutions()

Mark = Callable[[bank.AnswerFile, bank.Answer], dict[str, Any]]


def answers_of(file: bank.AnswerFile) -> dict[str, bank.Answer]:
    """The answers of a file, with the solution that the notebook has, if it has one."""
    solution = SOLUTIONS.get((file.notebook, file.cell))
    return {**file.answers, **({bank.SOLUTION: solution} if solution else {})}


@pytest.fixture(scope="class")
def mark() -> Iterator[Mark]:
    """A function that marks an answer, in a process that marks those of one notebook."""
    process = MarkingProcess()
    yield process.mark
    process.end()


class Verdicts:
    """The verdicts on one notebook: a class for each, so that workers can share them."""

    notebook: str

    def test_the_verdict(self, file: str, name: str, mark: Mark) -> None:
        answer = answers_of(FILES[file])[name]
        told = mark(FILES[file], answer)
        assert told["passed"] == answer.right, told["text"]
        assert re.search(answer.said, told["sentence"]), told["sentence"]
        assert "Traceback" not in told["text"]
        assert told["worked"] < SECONDS


for _notebook in dict.fromkeys(file.notebook for file in FILES.values()):
    globals()[f"Test_{_notebook}"] = type(
        f"Test_{_notebook}", (Verdicts,), {"notebook": _notebook, "__module__": __name__}
    )


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """A test of its own for each answer to an exercise of the notebook."""
    if {"file", "name"} <= {*metafunc.fixturenames}:
        assert metafunc.cls is not None
        files = [file for file in FILES.values() if file.notebook == metafunc.cls.notebook]
        names = [(file.name, name) for file in files for name in answers_of(file)]
        metafunc.parametrize(("file", "name"), names, ids=[": ".join(pair) for pair in names])


@pytest.mark.parametrize("file", FILES.values(), ids=FILES)
def test_there_are_enough(file: bank.AnswerFile) -> None:
    answers = file.answers.values()
    assert sum(answer.right for answer in answers) >= LEAST_RIGHT
    assert sum(not answer.right for answer in answers) >= LEAST_WRONG
    sources = [re.sub(r"#.*|\s+", "", answer.source) for answer in answers]
    assert len(set(sources)) == len(sources), "two answers are the same"


@pytest.mark.parametrize("file", FILES.values(), ids=FILES)
def test_each_why_is_one_sentence_or_two(file: bank.AnswerFile) -> None:
    for answer in file.answers.values():
        assert answer.right or (answer.why.endswith(".") and len(answer.why) < 200)


def test_every_marked_exercise_has_answers_and_a_solution() -> None:
    there = [(file.notebook, file.cell) for file in FILES.values()]
    assert sorted(there) == sorted(bank.exercises()) == sorted(SOLUTIONS)
