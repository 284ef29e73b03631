"""The answer bank: for each marked exercise right and wrong answers, as a learner would write them.

A file in `answers` belongs to one exercise. It begins with the notebook and the cell in which the
learner answers, and each answer has a section of its own, which defines `answer`:

    # exercise: 02_queues exercise-2-answer

    # %% wrong: sleeps before it moves
    # misconception: sleep
    # why: A pause makes the bad order rarer; the search tries it all the same.
    # said: job b is lost, doubled or misplaced
    def answer(server):
        ...

Where the cell's last line is no call of a marker with one name `my_…`, the head says what to call:

    # call: mark_combination(answer)

`misconception` and `why` are for the teacher: what the learner believes, and what is so. `said` is
a regular expression that the verdict's sentence must match. A wrong answer needs all three, a
right one none.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import nbformat

ANSWERS = Path(__file__).parent / "answers"
NOTEBOOKS = Path(__file__).parents[2] / "notebooks"
SOLUTION = "the solution in the notebook"
_SECTION = re.compile(r"^# %% (right|wrong): (.+)$", re.MULTILINE)
_CODE = re.compile(r"^```python\n(.*?)^```$", re.MULTILINE | re.DOTALL)
_NOTE = re.compile(r"^# (misconception|why|said): (.+)\n(?:# {3}(.+)\n)?", re.MULTILINE)


@dataclass(frozen=True)
class Answer:
    """One answer to one exercise; `source` defines `answer`, but where `call` needs another."""

    name: str
    right: bool
    source: str
    misconception: str
    why: str
    said: str
    call: str = ""


@dataclass(frozen=True)
class AnswerFile:
    """All answers to one exercise: that of this cell in this notebook, marked by `call`."""

    name: str
    notebook: str
    cell: str
    call: str
    answers: Mapping[str, Answer]


def read(path: Path) -> AnswerFile:
    """Return the answers of a file. Raises ValueError where one says too little."""
    head, *parts = _SECTION.split(path.read_text("utf-8"))
    named = re.search(r"^# exercise: (\S+) (\S+)$", head, re.MULTILINE)
    if named is None:
        raise ValueError(f"{path.name} does not say which exercise it is for")
    answers: dict[str, Answer] = {}
    for kind, name, text in zip(parts[::3], parts[1::3], parts[2::3], strict=True):
        if name in answers:
            raise ValueError(f"{path.name} has two answers of the name {name!r}")
        answers[name] = _answer(path.name, kind == "right", name, text)
    call = re.search(r"^# call: (.+)$", head, re.MULTILINE)
    return AnswerFile(path.stem, named[1], named[2], call[1] if call else "", answers)


def _answer(file: str, right: bool, name: str, text: str) -> Answer:
    notes = {key: f"{line} {more}".strip() for key, line, more in _NOTE.findall(text)}
    if not right and not {"misconception", "why", "said"} <= notes.keys():
        raise ValueError(f"{file}: the wrong answer {name!r} does not say what is wrong with it")
    told = [notes.get(key, "") for key in ("misconception", "why", "said")]
    return Answer(name, right, text.strip() + "\n", *told)


def files() -> list[AnswerFile]:
    """Return all files of the bank, by name."""
    return [read(path) for path in sorted(ANSWERS.glob("*.py"))]


def _notebooks() -> Iterator[tuple[str, list[Any]]]:
    """Yield the name and the cells of each notebook."""
    for path in sorted(NOTEBOOKS.glob("*.ipynb")):
        yield path.stem, nbformat.read(path, as_version=4).cells  # type: ignore[no-untyped-call]


@cache
def exercises() -> dict[tuple[str, str], str]:
    """Return the heading of each exercise that the notebooks mark, by notebook and cell."""
    found = {}
    for notebook, cells in _notebooks():
        heading = ""
        for cell in cells:
            if cell.cell_type == "markdown":
                heading = [heading, *re.findall(r"^#+ (.+)$", cell.source, re.MULTILINE)][-1]
            elif "exercise" in cell.metadata.get("tags", []):
                found[notebook, cell.id] = heading
    return found


@cache
def solutions() -> dict[tuple[str, str], Answer]:
    """Return the solution that follows each exercise in Markdown, by notebook and cell."""
    found = {}
    for notebook, cells in _notebooks():
        before = ""
        for cell in cells:
            if cell.cell_type == "code":
                before = cell.id
            elif "solution" in cell.metadata.get("tags", []):
                (code,) = _CODE.findall(cell.source)
                *defined, call = map(ast.unparse, ast.parse(code).body)
                source = "\n".join(defined)
                found[notebook, before] = Answer(SOLUTION, True, source, "", "", "", call)
    return found
