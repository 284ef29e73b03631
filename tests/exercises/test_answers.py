"""Every right answer of the bank passes, every wrong one is refused, and is told why, in time."""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from tests.exercises import bank
from tests.exercises.marking_process import MarkingProcess

LEAST_RIGHT, LEAST_WRONG = 5, 15
ALWAYS_RIGHT = 2  # of each exercise; the others too if ALL_ANSWERS is set (make answers)
SECONDS = 20.0  # that a verdict may take, of the process's own work

Told = dict[str, Any]
Mark = Callable[[bank.AnswerFile, bank.Answer], Told]


@pytest.fixture(scope="session")
def mark() -> Iterator[Mark]:
    """A function that marks an answer, in a process that marks those of one notebook."""
    processes: dict[str, MarkingProcess] = {}

    def marked(file: bank.AnswerFile, answer: bank.Answer) -> Told:
        if file.notebook not in processes:
            for process in processes.values():
                process.end()
            processes.clear()
            processes[file.notebook] = MarkingProcess()
        return processes[file.notebook].mark(file, answer)

    yield marked
    for process in processes.values():
        process.end()


class Answers:
    """The tests of one file of answers: a class for each, so that workers can share them."""

    file: bank.AnswerFile

    def test_the_verdict(self, name: str, mark: Mark) -> None:
        answer = self.file.answers[name]
        told = mark(self.file, answer)
        assert told["passed"] == answer.right, told["text"]
        assert re.search(answer.said, told["sentence"]), told["sentence"]
        assert "Traceback" not in told["text"]
        assert told["worked"] < SECONDS

    def test_there_are_enough(self) -> None:
        answers = self.file.answers.values()
        assert sum(answer.right for answer in answers) >= LEAST_RIGHT
        assert sum(not answer.right for answer in answers) >= LEAST_WRONG
        sources = [re.sub(r"#.*|\s+", "", answer.source) for answer in answers]
        assert len(set(sources)) == len(sources), "two answers are the same"

    def test_each_why_is_one_sentence_or_two(self) -> None:
        for answer in self.file.answers.values():
            assert answer.right or (answer.why.endswith(".") and len(answer.why) < 200)


def chosen(file: bank.AnswerFile) -> list[str]:
    """The names of the answers to mark: every wrong one, and some of the right ones or all."""
    right = [answer.name for answer in file.answers.values() if answer.right]
    wrong = [answer.name for answer in file.answers.values() if not answer.right]
    return [*(right if os.environ.get("ALL_ANSWERS") else right[:ALWAYS_RIGHT]), *wrong]


for _file in bank.files():
    globals()[f"Test_{_file.name}"] = type(f"Test_{_file.name}", (Answers,), {"file": _file})


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """A test of its own for each answer of a file."""
    if "name" in metafunc.fixturenames and metafunc.cls is not None:
        metafunc.parametrize("name", chosen(metafunc.cls.file))


def test_every_marked_exercise_has_answers() -> None:
    there = [(file.notebook, file.cell) for file in bank.files()]
    assert sorted(there) == sorted(bank.exercises())
