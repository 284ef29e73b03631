"""docs/teaching.md: its minutes, figures, headings and tables are those of the notebooks."""

from __future__ import annotations

import ast
import math
import re
from collections import defaultdict
from itertools import pairwise

import pytest
from tests.docs import minutes, tables
from tests.docs.__main__ import written
from tests.docs.questions import ANYWHERE, QUESTIONS, SELDOM
from tests.exercises import bank
from tests.exercises.__main__ import row
from tests.exercises.marking_worker import marking_call
from tests.exercises.notebook_slice import code_cells, statements_for

from raceproof.search import client_thread
from raceproof.wire.redis import looking
from workshop.exercises import attempt

GUIDE = tables.GUIDE.read_text("utf-8")
README = (tables.GUIDE.parents[1] / "README.md").read_text("utf-8")
CELLS = re.compile(r"(?<!\\)\|")


def rows(part: str) -> list[list[str]]:
    """The cells of every line of a Markdown table that is not its head."""
    lines = [line for line in part.splitlines() if line.startswith("|")]
    return [[cell.strip() for cell in CELLS.split(line)[1:-1]] for line in lines[2:]]


def plan(hours: str) -> list[tuple[int, str, int, int]]:
    """The rows of a plan: its minute, what is done, minutes to teach, minutes of exercises."""
    part = re.split(rf"^### {hours} hours?$", GUIDE, flags=re.MULTILINE)[1].split("\n##")[0]
    return [
        (int(at[0]) * 60 + int(at[2:]), what, int(teach or 0), int(exercise or 0))
        for at, what, teach, exercise in rows(part)
    ]


@pytest.mark.parametrize("hours", ["6", "3", "1"])
def test_a_plan_adds_up(hours: str) -> None:
    steps = plan(hours)
    assert steps[0][0] == 0
    for (at, _, teach, exercise), (after, *_) in pairwise(steps):
        assert at + teach + exercise == after
    assert steps[-1] == (int(hours) * 60, "end", 0, 0)
    assert "*reserve*" in [what for _, what, _, _ in steps]


def asked(what: str) -> tuple[int, int] | None:
    """The minutes to teach, and of exercises, that the notebooks have for a row of a plan."""
    found = re.match(r"(0\d), (.*)", what)
    if found is None:
        return None
    number, parts = found.groups()
    if parts in ("all of it", "the first sitting"):
        sitting = minutes.sittings(number)[0]
        assert (parts == "all of it") == (len(minutes.sittings(number)) == 1)
        return sitting.teach, sitting.exercises
    told, wanted, *_ = [*re.split(r"; exercises? ", parts), ""]
    each = minutes.exercises(number)
    return (
        math.ceil(sum(minutes.sections(number)[name] for name in chosen(number, told))),
        sum(each[int(one) - 1] for one in wanted.split(", ") if one),
    )


@pytest.mark.parametrize("hours", ["6", "3", "1"])
def test_the_minutes_of_a_plan_are_those_of_the_notebooks(hours: str) -> None:
    checked = 0
    for _, what, teach, exercise in plan(hours):
        wanted = asked(what)
        if wanted is not None:
            assert (teach, exercise) == wanted, what
            checked += 1
    assert checked >= 2


def test_the_map_in_00_has_the_minutes_of_the_headers() -> None:
    [cell] = [cell.source for cell in minutes.cells("00") if cell.id == "map"]
    told = [[int(re.match(r"\d+", one)[0]) for one in row[2:]] for row in rows(cell)]  # type: ignore[index]
    said = [list(one) for number in range(1, 8) for one in minutes.sittings(f"0{number}")]
    assert told == said


def chosen(number: str, told: str) -> set[str]:
    """The sections that a row of a plan names: "1.1 to 1.7, 1.11"."""
    names = list(minutes.sections(number))
    spans = [span.partition(" to ")[::2] for span in told.split(", ")]
    return {
        name
        for first, last in spans
        for name in names[names.index(first) : names.index(last or first) + 1]
    }


def sections_needed(file: bank.AnswerFile) -> set[str]:
    """The sections whose cells an exercise needs, its own and the imports aside."""
    source = code_cells(file.notebook)[file.cell]
    call, own = (file.call, "answer") if file.call else marking_call(source)
    statements = statements_for(file.notebook, file.cell, call, own)
    needed = {ast.unparse(statement) for statement in statements}
    here, found = "title", set()
    for cell in minutes.cells(file.notebook[:2]):
        if cell.cell_type == "markdown":
            here = [here, *re.findall(r"^## (\d\.\d+) ", cell.source, re.MULTILINE)][-1]
        elif needed & {ast.unparse(statement) for statement in ast.parse(cell.source).body}:
            found.add(here)
    return found & minutes.sections(file.notebook[:2]).keys()


@pytest.mark.parametrize("hours", ["6", "3", "1"])
def test_the_exercises_of_a_plan_need_no_section_that_it_leaves_out(hours: str) -> None:
    taught: dict[str, set[str]] = defaultdict(set)
    for _, what, _, _ in plan(hours):
        found = re.match(r"(0\d), (\d.*?)(; exercises? (.*))?$", what)
        if found:
            number, told, _, wanted = found.groups()
            taught[number] |= chosen(number, told)
            for at in (wanted or "").split(", ") if wanted else ():
                (file,) = [f for f in tables.files() if exercise_of(f) == (number, at)]
                assert sections_needed(file) <= taught[number], file.name
    assert taught


def exercise_of(file: bank.AnswerFile) -> tuple[str, str]:
    """The notebook of an exercise, and its number there."""
    same = [other for other in tables.files() if other.notebook == file.notebook]
    return file.notebook[:2], str(same.index(file) + 1)


@pytest.mark.parametrize("number", tables.NUMBERS)
def test_a_header_has_the_minutes_of_its_sections_and_of_its_exercises(number: str) -> None:
    told = minutes.sittings(number)
    assert sum(sitting.exercises for sitting in told) == sum(minutes.exercises(number))
    assert [sitting.read for sitting in told] == [
        minutes.up_to_five(counted) for counted in minutes.counted(number)
    ]


def test_the_header_of_05_has_the_minutes_of_the_bank_on_three_nodes() -> None:
    (more,) = re.findall(r"takes (\d+) more", minutes.cells("05")[0].source)
    assert int(more) == minutes.up_to_five(minutes.sections("05")[minutes.THREE_NODES])


def test_the_readme_has_the_minutes_of_the_headers() -> None:
    told = re.findall(r"^\| \[(0\d) .*\| ([^|]*)min \|$", README, re.MULTILINE)
    assert [number for number, _ in told] == list(tables.NUMBERS)
    for number, said in told:
        parts = [s.read + s.exercises for s in minutes.sittings(number)]
        assert [int(one) for one in re.findall(r"\d+", said)] == parts, number


def test_the_tables_of_minutes_are_new() -> None:
    assert tables.block("times", GUIDE) == tables.times(), "run `make guide`"
    assert tables.block("sections", GUIDE) == tables.sections(), "run `make guide`"


# ------------------------------------------------------ misconceptions


def told() -> dict[tuple[str, str], str]:
    """What the guide says that the search says, by the names of file and answer."""
    made = [cells for cells in rows(tables.block("misconceptions", GUIDE)) if cells[0][:2] == "**"]
    groups = tables.shown()
    assert len(made) == len(groups), "run `make guide`"
    return {
        (file.name, answers[0].name): cells[1].replace(r"\|", "|")
        for (file, answers), cells in zip(groups, made, strict=True)
    }


def test_the_tables_of_misconceptions_are_those_of_the_answer_bank() -> None:
    assert tables.block("misconceptions", GUIDE) == tables.misconceptions(told()), (
        "run `make guide`"
    )


def test_what_the_search_says_is_what_the_answer_bank_expects() -> None:
    said = told()
    for file, answers in tables.shown():
        sentence, expected = said[file.name, answers[0].name], answers[0].said
        # what this one goes on to say belongs to the machine, and is not in the guide
        cut = sentence.startswith("Your code cannot be searched: it does something else when it")
        assert cut or re.search(expected, sentence), f"{answers[0].name}: run `make guide`"


def test_the_guide_has_the_patience_of_a_notebook_not_of_the_tests() -> None:
    made = tables.block("misconceptions", GUIDE)
    for some in ("0.2 s", "0.2 seconds", "100 requests"):
        assert some not in made, "run `make guide`"
    assert attempt.SECONDS == client_thread.PATIENCE
    assert f"“for more than {attempt.SECONDS:g} s”" in re.sub(r"\s+", " ", GUIDE)
    assert f"still going after {looking.MOST:,} requests" in made


def test_there_is_a_question_for_every_misconception() -> None:
    answers = [answer for file in bank.files() for answer in file.answers.values()]
    assert ANYWHERE.keys() | QUESTIONS.keys() == {a.misconception for a in answers if not a.right}
    assert not ANYWHERE.keys() & QUESTIONS.keys()
    assert ANYWHERE.keys() >= SELDOM
    for question in {**ANYWHERE, **QUESTIONS}.values():
        assert "?" in question or question.startswith("Read the task"), question


def test_every_marked_exercise_has_a_table() -> None:
    made = tables.block("misconceptions", GUIDE)
    for (notebook, _), heading in bank.exercises().items():
        assert f"### {notebook[:2]}: {heading}\n" in made


def test_made_anew_the_guide_keeps_what_is_written_by_hand() -> None:
    assert written(GUIDE, told()) == GUIDE
    others = {key: f"{sentence} x" for key, sentence in told().items()}
    again = written(GUIDE, others)
    assert again != GUIDE
    assert written(again, told()) == GUIDE
    assert row(["a|b"]) == r"| a\|b |"


# ------------------------------------------------ figures and headings

BY_HAND = GUIDE.replace(tables.block("misconceptions", GUIDE), "")


def outputs() -> str:
    """All that the notebooks show, as text."""
    found = []
    for number in tables.NUMBERS:
        for cell in minutes.cells(number):
            for output in cell.get("outputs", []):
                data = output.get("data", {})
                found += [output.get("text", ""), data.get("text/plain", "")]
    return "\n".join(found)


def test_every_figure_is_one_that_a_notebook_shows() -> None:
    shown = re.sub(r"\s+", " ", outputs())  # a long sentence is wrapped
    figures = re.findall(r"(\d[\d,]*) of ([1-9][\d,]*\d)\b", BY_HAND)
    assert len(figures) > 10
    for some, many in figures:
        sentence = (
            rf"\b{many} schedules of [^:]*: {some} breaks? it|breaks: {some} of {many}\b"
            rf"|\b{some} of {many} (schedules|orders)"
        )
        assert re.search(sentence, shown), f"{some} of {many}"


def test_every_heading_that_is_named_is_there() -> None:
    named = re.findall(r"(\d\.\d+)\s“([^”]+)”", BY_HAND)
    assert len(named) > 20
    for section, heading in named:
        cells = minutes.cells(f"0{section[0]}")
        text = "\n".join(cell.source for cell in cells if cell.cell_type == "markdown")
        inside = re.split(rf"^## {re.escape(section)} ", text, flags=re.MULTILINE)[1]
        inside = "## " + re.split(r"^## ", inside, flags=re.MULTILINE)[0]
        headings = re.findall(r"^#+ (?:· )?(.+)$", inside, re.MULTILINE)
        wanted = re.sub(r"\s+", " ", heading)
        assert wanted in [one.strip("“”") for one in headings], (section, heading)


def test_each_notebook_has_its_turning_points() -> None:
    part = BY_HAND.split("## Turning points")[1].split("\n## ")[0]
    assert re.findall(r"^### (0\d) ", part, re.MULTILINE) == list(tables.NUMBERS)
    for words in ("**Found**", "**The fix**"):
        assert part.count(words) == len(tables.NUMBERS)
    assert part.count("**The table**") == len(tables.NUMBERS) - 1
