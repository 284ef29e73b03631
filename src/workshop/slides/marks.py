"""Which cells of a notebook are slides: those with `slides` in their metadata.

    "slides": [{"show": "figure"}]

One cell can be several slides; each entry is one. What it can have:

show     title       the notebook's title, question and minutes
         text        only the lines below
         code        the cell's code, or a part of it: from the line that begins with `from`, and
                     up to, not with, the line that begins with `to`
         output      what the cell puts out, as table, transcript or text; `output` is its number
         figure      the cell's picture
lines    sentences that stand in the cell, or in the text before it, word for word
title    a title; without it, the heading above the cell

A speaker's notes are the cell's own text, or for code the text around it, without solutions. A
slide's minutes are those of what stands under its heading. Headings without a slide are named
after the slide before them, with their minutes: a plan may leave them out.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from typing import Any

from nbformat import NotebookNode

from workshop.slides.parts import Told, parts

KEYS = {"show", "lines", "title", "from", "to", "output"}
_EXERCISE = re.compile(r"\((\d+) minutes\)")
NO_SOLUTION = "The solution is not on the slides: in the notebook it is folded below this cell."


@dataclass(frozen=True)
class Marked:
    """One slide before it is drawn: its cell, what its mark says, its title, notes and minutes.

    `left` are the headings that follow and have no slide, each with its minutes.
    """

    cell: NotebookNode
    mark: dict[str, Any]
    title: str
    notes: tuple[str, ...]
    minutes: int
    exercise: bool
    left: tuple[tuple[str, int], ...]


def marked(notebook: NotebookNode) -> list[Marked]:
    """Return the slides of a notebook in their order; ValueError for a mark that cannot be."""
    cells = notebook.cells
    places = [at for at, cell in enumerate(cells) if cell.metadata.get("slides")]
    found: list[Marked] = []
    counted = 0.0
    for part in parts(cells, places):
        before, counted = counted, counted + part.minutes
        minutes = round(counted) - round(before)
        if found and (part.slide is None or (is_exercise(cells[part.slide]) and minutes)):
            found[-1] = replace(found[-1], left=(*found[-1].left, (part.heading, minutes)))
        if part.slide is not None:
            found += _slides(cells, part.slide, part, minutes)
    return found


def is_exercise(cell: NotebookNode) -> bool:
    """Whether this is the cell in which a learner answers."""
    return "exercise" in cell.metadata.get("tags", [])


def _slides(cells: list[NotebookNode], at: int, part: Told, minutes: int) -> list[Marked]:
    """The slides of one cell; the minutes are those of the first."""
    cell, found = cells[at], []
    exercise = is_exercise(cell)
    if exercise:
        minutes = _exercise_minutes(cells, part.heading)
    for mark in cell.metadata["slides"]:
        if set(mark) - KEYS:
            raise ValueError(f"{cell.id}: a slide has no {sorted(set(mark) - KEYS)}")
        notes = _notes(cells, at)
        _said(cell, mark, notes)
        title = mark.get("title", part.heading)
        found.append(Marked(cell, mark, title, notes, minutes, exercise, ()))
        minutes = 0
    return found


def _exercise_minutes(cells: list[NotebookNode], title: str) -> int:
    told = _EXERCISE.search(title) or re.search(r"(\d+) for the exercise", cells[0].source)
    if told is None:
        raise ValueError(f"{title}: no minutes")
    return int(told[1])


def _notes(cells: list[NotebookNode], at: int) -> tuple[str, ...]:
    """The texts that go with a cell: its own, or what stands right before and after it."""
    if cells[at].cell_type == "markdown":
        return (cells[at].source,)
    before = at - 1
    if cells[before].cell_type != "markdown":  # of several code cells the text is above the first
        before = max(
            n
            for n in range(at)
            if cells[n].cell_type == "markdown" and "\n#" in f"\n{cells[n].source}"
        )
    after = cells[at + 1] if at + 1 < len(cells) else None
    texts = [cells[before].source]
    if after is not None and after.cell_type == "markdown" and "\n#" not in f"\n{after.source}":
        texts.append(NO_SOLUTION if "solution" in after.metadata.get("tags", []) else after.source)
    return tuple(texts)


def _said(cell: NotebookNode, mark: dict[str, Any], notes: tuple[str, ...]) -> None:
    """ValueError for a line that the notebook does not say."""
    for line in mark.get("lines", ()):
        if flat(line) not in flat(" ".join(notes)):
            raise ValueError(f"{cell.id}: the notebook does not say: {line}")


def flat(text: str) -> str:
    """Return a text with one space for all that stands between its words."""
    return re.sub(r"\s+", " ", text)
