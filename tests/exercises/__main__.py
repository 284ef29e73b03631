"""What learners get wrong, as Markdown: python -m tests.exercises [NAME …] > misconceptions.md

A table for each exercise: what they believe, what they write, why it is wrong, and what the
search tells them. The answers are marked for it, which takes a minute or two for all.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Mapping, Sequence

from tests.exercises import bank
from tests.exercises.marking_process import MarkingProcess

COLUMNS = ("they believe", "they write", "why it is wrong", "what the search says")


def table(heading: str, file: bank.AnswerFile, sentences: Mapping[str, str]) -> str:
    """Return the wrong answers of a file as a table, with what was said of each by name."""
    wrong = [answer for answer in file.answers.values() if not answer.right]
    rows = [
        (answer.misconception, answer.name, answer.why, shortened(sentences[answer.name]))
        for answer in sorted(wrong, key=lambda answer: answer.misconception)
    ]
    lines = [row(COLUMNS), row(["---"] * len(COLUMNS)), *map(row, rows)]
    return "\n".join([f"## {file.notebook}: {heading}", "", *lines, ""])


def marked(file: bank.AnswerFile) -> dict[str, str]:
    """Return the sentence on each wrong answer of a file."""
    process = MarkingProcess(hurried=False)
    try:
        wrong = [answer for answer in file.answers.values() if not answer.right]
        return {answer.name: process.mark(file, answer)["sentence"] for answer in wrong}
    finally:
        process.end()


def main(names: Sequence[str]) -> None:
    """Print the tables of the files that are named, or of all."""
    headings = bank.exercises()
    for file in bank.files():
        if not names or file.name in names:
            print(table(headings[file.notebook, file.cell], file, marked(file)), flush=True)


def shortened(sentence: str) -> str:
    """Return a sentence without what belongs to the schedule shown below it, and to the machine."""
    sentence = re.sub(r" [^.]*breaks? it(; the shortest)?:$", "", sentence)
    return re.sub(r" What the search saw: .*", "", sentence)


def row(cells: Sequence[str]) -> str:
    """Return a line of a Markdown table."""
    texts = [re.sub(r"\s+", " ", cell).replace("|", r"\|") for cell in cells]
    return f"| {' | '.join(texts)} |"


if __name__ == "__main__":
    main(sys.argv[1:])
