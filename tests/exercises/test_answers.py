"""Every right answer of the bank passes, every wrong one is refused, and is told why, in time."""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from tests.exercises import bank
from tests.exercises.marking_process import PATIENCE, SECONDS, MarkingProcess

FILES = {file.name: file for file in bank.files()}
LEAST_RIGHT, LEAST_WRONG = 5, 15
SAMPLE_RIGHT, SAMPLE_WRONG = 1, 2  # of each exercise, unless ALL_ANSWERS is set (make answers)
SHORT_PATIENCE = 5.0  # with an answer whose verdict is known to be missing


def chosen(file: bank.AnswerFile) -> list[str]:
    """The names of the answers to mark: all, or the first of each kind."""
    if os.environ.get("ALL_ANSWERS"):
        return list(file.answers)
    settled = [answer for answer in file.answers.values() if not answer.pending]
    right = [answer.name for answer in settled if answer.right][:SAMPLE_RIGHT]
    wrong = [answer.name for answer in settled if not answer.right][:SAMPLE_WRONG]
    return right + wrong


CASES = [(file.name, name) for file in FILES.values() for name in chosen(file)]


@pytest.fixture(scope="module")
def mark() -> Iterator[Callable[[bank.AnswerFile, bank.Answer], dict[str, Any]]]:
    """A function that marks an answer of a file, in one process for each file."""
    processes: dict[str, MarkingProcess] = {}

    def marked(file: bank.AnswerFile, answer: bank.Answer) -> dict[str, Any]:
        if file.name not in processes:
            processes[file.name] = MarkingProcess(file.notebook, file.cell, file.call)
        patience = SHORT_PATIENCE if answer.pending else PATIENCE
        return processes[file.name].mark(answer.name, answer.source, patience)

    yield marked
    for process in processes.values():
        process.end()


@pytest.mark.parametrize(("file", "name"), CASES, ids=[f"{file}: {name}" for file, name in CASES])
def test_the_verdict(
    file: str, name: str, mark: Callable[[bank.AnswerFile, bank.Answer], dict[str, Any]]
) -> None:
    answer = FILES[file].answers[name]
    try:
        told = mark(FILES[file], answer)
        assert told["passed"] == answer.right, told["text"]
        assert re.search(answer.said, told["sentence"]), told["sentence"]
        assert "Traceback" not in told["text"]
        assert told["worked"] < SECONDS
    except (AssertionError, TimeoutError):
        if answer.pending:
            pytest.xfail(answer.pending)
        raise


@pytest.mark.parametrize("file", FILES)
def test_there_are_enough_answers(file: str) -> None:
    answers = FILES[file].answers.values()
    assert sum(answer.right for answer in answers) >= LEAST_RIGHT
    assert sum(not answer.right for answer in answers) >= LEAST_WRONG
    sources = [re.sub(r"#.*|\s+", "", answer.source) for answer in answers]
    assert len(set(sources)) == len(sources), "two answers are the same"


def test_one_misconception_has_one_name_and_each_why_is_one_line() -> None:
    whys = [a.why for file in FILES.values() for a in file.answers.values() if not a.right]
    assert all(why.endswith(".") and len(why) < 200 for why in whys)
