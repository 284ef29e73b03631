"""The questions at the end of each notebook: one answer is right, and every answer says why.

They are Markdown and HTML that a browser folds by itself. So they work on the site, in JupyterLab
and on a code host, with a click or a key, and need neither a script nor a server.
"""

from __future__ import annotations

import re
import sys
from functools import cache
from html.parser import HTMLParser
from pathlib import Path
from typing import Any, NamedTuple

import nbformat
import pytest
from nbformat.v4 import new_markdown_cell, new_notebook
from tests.test_notebooks_on_a_code_host import converted

NOTEBOOKS = sorted((Path(__file__).parent.parent / "notebooks").glob("*.ipynb"))
QUIZ = re.compile(r"quiz(?:-(?P<sitting>first|second))?(?:-(?P<number>\d))?")
QUESTION = re.compile(r"\*\*(\d)\.\*\* (.+?\?)\n\n(<details>.*)", re.DOTALL)
ANSWER = re.compile(
    r"<details>\n<summary>([^\n]+)</summary>\n\n\*\*(Right|Not so)\.\*\* (.+?)\n\n</details>",
    re.DOTALL,
)
LONGEST_LINE = 120
LEAST_WORDS = 8  # of a reason


class Answer(NamedTuple):
    """What can be chosen, whether it is right, and the words that say why."""

    text: str
    right: bool
    why: str


def answers(source: str) -> list[Answer]:
    """Return the answers of a cell that asks a question; ValueError if it is not built as one."""
    asked = QUESTION.fullmatch(source)
    if asked is None:
        raise ValueError(f"not a question and its answers: {source[:80]!r}")
    found = ANSWER.findall(asked[3])
    left = ANSWER.sub("", asked[3]).strip()
    if left:
        raise ValueError(f"not an answer: {left[:80]!r}")
    return [Answer(text, verdict == "Right", why) for text, verdict, why in found]


@cache
def cells(path: Path) -> list[Any]:
    found: list[Any] = nbformat.read(path, as_version=4).cells
    return found


def quizzes(path: Path) -> dict[str, list[Any]]:
    """The quizzes of a notebook by their sitting: the cell with the heading, then the questions."""
    found: dict[str, list[Any]] = {}
    for cell in cells(path):
        named = QUIZ.fullmatch(cell.id)
        if named:
            found.setdefault(named["sitting"] or "", []).append(cell)
    return found


ALL = [(path, sitting) for path in NOTEBOOKS for sitting in quizzes(path)]
each_quiz = pytest.mark.parametrize(
    ("path", "sitting"), ALL, ids=[f"{path.stem}{sitting}" for path, sitting in ALL]
)


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_a_notebook_ends_with_its_questions(path: Path) -> None:
    found = quizzes(path)
    assert list(found) == (["first", "second"] if path.stem.startswith("05") else [""])
    *_, last = found.values()
    assert cells(path)[-len(last) :] == last


@each_quiz
def test_a_quiz_is_a_heading_and_three_questions_in_a_row(path: Path, sitting: str) -> None:
    heading, *questions = quizzes(path)[sitting]
    at = cells(path).index(heading)
    assert cells(path)[at : at + 4] == [heading, *questions]
    assert re.match(r"##+ (\d\.\d+ · )?Three questions", heading.source)
    numbers = [QUESTION.fullmatch(cell.source)[1] for cell in questions]  # type: ignore[index]
    assert numbers == ["1", "2", "3"]
    assert [cell.id[-1] for cell in questions] == numbers


def test_no_section_was_numbered_anew() -> None:
    for path in NOTEBOOKS:
        text = "\n".join(cell.source for cell in cells(path) if cell.cell_type == "markdown")
        numbers = [int(n) for n in re.findall(r"^## \d\.(\d+) · ", text, re.MULTILINE)]
        assert numbers == list(range(1, len(numbers) + 1))


@each_quiz
def test_one_answer_is_right_and_each_says_why(path: Path, sitting: str) -> None:
    for cell in quizzes(path)[sitting][1:]:
        given = answers(cell.source)
        assert 3 <= len(given) <= 4, cell.id
        assert sum(answer.right for answer in given) == 1, cell.id
        assert len({answer.text for answer in given}) == len(given), cell.id
        for answer in given:
            assert len(answer.why.split()) >= LEAST_WORDS, answer.text
            assert "`" not in answer.text  # a summary is HTML: <code>
            assert "*" not in answer.text


@each_quiz
def test_each_question_names_a_section_where_it_was_shown(path: Path, sitting: str) -> None:
    text = "\n".join(cell.source for cell in cells(path) if cell.cell_type == "markdown")
    there = set(re.findall(r"^## (\d\.\d+) · ", text, re.MULTILINE))
    for cell in quizzes(path)[sitting][1:]:
        named = set(re.findall(r"(?<![\d.])\d\.\d+(?![\d.]*\d)", cell.source))
        assert named, cell.id
        assert named <= there, cell.id


@each_quiz
def test_the_right_answers_are_not_all_in_the_same_place(path: Path, sitting: str) -> None:
    questions = [answers(cell.source) for cell in quizzes(path)[sitting][1:]]
    places = {[answer.right for answer in given].index(True) for given in questions}
    assert len(places) > 1


def test_over_all_quizzes_no_place_is_the_one_to_bet_on() -> None:
    places = [
        [answer.right for answer in answers(cell.source)].index(True)
        for path, sitting in ALL
        for cell in quizzes(path)[sitting][1:]
    ]
    assert max(map(places.count, places)) <= len(places) / 2


@each_quiz
def test_no_line_is_longer_than_those_of_the_notebooks(path: Path, sitting: str) -> None:
    for cell in quizzes(path)[sitting]:
        assert max(map(len, cell.source.splitlines())) <= LONGEST_LINE, cell.id


# --- what readers get ---------------------------------------------------------------------------


class Folded(HTMLParser):
    """The folded parts of a page: what is on each, and what is in it."""

    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []
        self.parts: list[dict[str, str]] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag == "details":
            assert "details" not in self.open, "one answer in another"
            assert not attrs, "an answer that is not folded"
            self.parts.append({"summary": "", "details": ""})
        if tag == "summary":
            assert self.open[-1:] == ["details"], "a summary outside"
        if tag not in ("meta", "img", "br", "hr", "link", "input"):
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag, f"</{tag}> closes another"

    def handle_data(self, data: str) -> None:
        for name in ("summary", "details"):
            if name in self.open:
                self.parts[-1][name] += data
                return


def folded(html: str) -> list[dict[str, str]]:
    """Return the folded parts; AssertionError if the HTML is not well formed."""
    parser = Folded()
    parser.feed(html)
    parser.close()
    assert not parser.open, f"never closed: {parser.open}"
    return parser.parts


def plain(text: str) -> str:
    """Words without marks, as a reader sees them."""
    return re.sub(r"\s+", " ", re.sub(r"</?code>|[`*]", "", text)).strip()


def shown(source: str) -> str:
    """A cell as a code host shows it."""
    return converted(new_notebook(cells=[new_markdown_cell(source, id="quiz")]))


@each_quiz
def test_every_answer_arrives_folded_and_whole(path: Path, sitting: str) -> None:
    for cell in quizzes(path)[sitting][1:]:
        parts = folded(shown(cell.source))
        assert [plain(part["summary"]) for part in parts] == [
            plain(answer.text) for answer in answers(cell.source)
        ]
        assert [plain(part["details"]) for part in parts] == [
            plain(f"{'Right' if answer.right else 'Not so'}. {answer.why}")
            for answer in answers(cell.source)
        ]


@cache
def kept_by_lab() -> set[str]:
    """The tags that the sanitizer of the JupyterLab that is installed lets through."""
    for script in Path(sys.prefix).glob("share/jupyter/lab/static/jlab_core.*.js"):
        if listed := re.search(r'allowedTags:\[("a",[^\]]*)\]', script.read_text("utf-8")):
            return set(re.findall(r'"(\w+)"', listed[1]))
    raise LookupError("JupyterLab's list of tags is not where it was")


@each_quiz
def test_it_is_text_whose_tags_every_page_keeps(path: Path, sitting: str) -> None:
    for cell in quizzes(path)[sitting]:
        assert cell.cell_type == "markdown"
        tags = set(re.findall(r"</?(\w+)[^>]*>", cell.source))
        assert tags <= {"details", "summary", "code"} & kept_by_lab(), cell.id


def test_lab_keeps_no_script() -> None:
    assert "details" in kept_by_lab()
    assert "script" not in kept_by_lab()


# --- the rules, each against a question that breaks it ------------------------------------------

GOOD = "**1.** Who?\n\n" + "\n\n".join(
    f"<details>\n<summary>{text}</summary>\n\n**{verdict}.** Because of it.\n\n</details>"
    for text, verdict in [("Ann.", "Not so"), ("<code>bob</code>.", "Right")]
)


def test_a_question_is_read() -> None:
    why = "Because of it."
    assert answers(GOOD) == [Answer("Ann.", False, why), Answer("<code>bob</code>.", True, why)]
    assert [part["summary"] for part in folded(shown(GOOD))] == ["Ann.", "bob."]


@pytest.mark.parametrize(
    "bad",
    [
        GOOD.replace("**Right.** ", ""),
        GOOD.replace("Who?", "Who"),
        GOOD + "\n\nBob it is.",
        GOOD.replace("<summary>Ann.</summary>\n\n", ""),
        GOOD.replace("<details>", "<details open>", 1),
    ],
)
def test_what_is_not_a_question_is_refused(bad: str) -> None:
    with pytest.raises(ValueError, match="not a"):
        answers(bad)


@pytest.mark.parametrize(
    "bad",
    [
        GOOD.removesuffix("</details>"),
        GOOD.replace("</summary>", "", 1),
        GOOD.replace("<details>", "<details open>", 1),
        GOOD.replace("\n\n</details>\n\n", "\n\n", 1),
    ],
)
def test_html_that_is_not_well_formed_is_found(bad: str) -> None:
    with pytest.raises(AssertionError):
        folded(bad)
