"""The tables of docs/teaching.md that are made, not written."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from pathlib import Path

from tests.docs import minutes
from tests.docs.questions import ANYWHERE, QUESTIONS, SELDOM
from tests.exercises import bank
from tests.exercises.__main__ import row

GUIDE = Path(__file__).parents[2] / "docs" / "teaching.md"
END = "<!-- end -->"
NUMBERS = ("00", "01", "02", "03", "04", "05", "06", "07")
Said = Mapping[tuple[str, str], str]  # what the search says, by the names of file and answer
Group = tuple[bank.AnswerFile, list[bank.Answer]]  # answers of one exercise and one misconception


def mark(name: str) -> str:
    """The line before a part of the guide that is made."""
    return f"<!-- {name}: made by `make guide` -->"


def block(name: str, text: str) -> str:
    """What stands between the mark of a made part and its end."""
    return text.split(mark(name))[1].split(END)[0].strip("\n")


def lines(*rows: tuple[str, ...]) -> str:
    """A Markdown table; the first row is its head."""
    return "\n".join([row(rows[0]), row(["---"] * len(rows[0])), *map(row, rows[1:])])


# ------------------------------------------------------------- minutes


def times() -> str:
    """The minutes of each notebook, from its header, and of each of its exercises."""
    rows = [("notebook", "teach", "exercises", "together", "a pause")]
    for number in NUMBERS:
        each = minutes.exercises(number)
        told = minutes.sittings(number)
        for at, sitting in enumerate(told):
            name = number if len(told) == 1 else f"{number}, {('first', 'second')[at]} sitting"
            mine = each if len(told) == 1 else (each[:2], each[2:])[at]
            rows.append(
                (
                    name,
                    f"{sitting.teach} min",
                    f"{sitting.exercises} min ({' + '.join(map(str, mine))})",
                    f"{sitting.teach + sitting.exercises} min",
                    f"before {minutes.pauses(number)}" if minutes.pauses(number) else "",
                )
            )
    return lines(*rows)


def sections() -> str:
    """The minutes of each section, counted; the exercises are not among them."""
    rows = [("notebook", "minutes to read each section")]
    for number in NUMBERS:
        told = [
            f"{name} **{max(1, round(counted))}**"
            for name, counted in minutes.sections(number).items()
        ]
        rows.append((number, " · ".join(told)))
    return lines(*rows)


# ------------------------------------------------------ misconceptions


def groups(file: bank.AnswerFile) -> list[Group]:
    """The wrong answers of a file by misconception; the first of a group is the one shown."""
    found: dict[str, list[bank.Answer]] = {}
    for answer in file.answers.values():
        if not answer.right:
            found.setdefault(answer.misconception, []).append(answer)
    return [(file, found[name]) for name in sorted(found)]


@cache
def files() -> list[bank.AnswerFile]:
    """The files of the bank in the order of their exercises in the notebooks."""
    order = list(bank.exercises())
    return sorted(bank.files(), key=lambda file: order.index((file.notebook, file.cell)))


def anywhere() -> list[Group]:
    """A group for each misconception that comes up in any exercise, from the first that has it.

    What hardly any room writes comes last.
    """
    found: dict[str, Group] = {}
    for file in files():
        for group in groups(file):
            if group[1][0].misconception in ANYWHERE:
                found.setdefault(group[1][0].misconception, group)
    return [found[name] for name in sorted(found, key=lambda name: (name in SELDOM, name))]


def of_exercise(file: bank.AnswerFile) -> list[Group]:
    """The groups of a file that are about what the notebook teaches."""
    return [group for group in groups(file) if group[1][0].misconception in QUESTIONS]


def shown() -> list[Group]:
    """Every group that has a row, in the order of the rows."""
    often = [group for group in anywhere() if group[1][0].misconception not in SELDOM]
    exercises = [group for file in files() for group in of_exercise(file)]
    return often + exercises + anywhere()[len(often) :]


def misconceptions(said: Said) -> str:
    """The table of what comes up anywhere, one for each exercise, and what hardly comes up."""
    head = ("they believe, and write", "the search says", "ask them", "what is so")
    rows = {group[1][0].misconception: _cells(group, said) for group in anywhere()}
    often = [cells for name, cells in rows.items() if name not in SELDOM]
    seldom = [cells for name, cells in rows.items() if name in SELDOM]
    parts = ["### In any exercise", lines(head, *often)]
    headings = bank.exercises()
    for file in files():
        mine = [_cells(group, said) for group in of_exercise(file)]
        if mine:
            heading = headings[file.notebook, file.cell]
            parts += [f"### {file.notebook[:2]}: {heading}", lines(head, *mine)]
    parts += ["### What hardly any room writes", lines(head, *seldom)]
    return "\n\n".join(parts)


def _cells(group: Group, said: Said) -> tuple[str, ...]:
    file, answers = group
    first = answers[0]
    believed = first.misconception
    return (
        f"**{believed}**: {'; '.join(answer.name for answer in answers[:3])}",
        said[file.name, first.name],
        {**ANYWHERE, **QUESTIONS}[believed],
        first.why,
    )
