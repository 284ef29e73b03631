"""`make guide`: write the tables of docs/teaching.md anew, from the notebooks and the answer bank.

The answers that are shown are marked for it, which takes a minute or two. A verdict that is not
the one of the bank ends it, with nothing written.
"""

from __future__ import annotations

import re

from tests.docs import tables
from tests.exercises.__main__ import shortened
from tests.exercises.marking_process import MarkingProcess


def said() -> dict[tuple[str, str], str]:
    """What the search says of each answer that has a row."""
    found = {}
    process, notebook = MarkingProcess(hurried=False), ""
    try:
        for file, answers in sorted(tables.shown(), key=lambda group: group[0].name):
            if file.notebook != notebook:
                process.end()
                process, notebook = MarkingProcess(hurried=False), file.notebook
            sentence = process.mark(file, answers[0])["sentence"]
            if not re.search(answers[0].said, sentence):
                raise SystemExit(f"{file.name}, {answers[0].name!r}: {sentence}")
            found[file.name, answers[0].name] = shortened(sentence)
    finally:
        process.end()
    return found


def written(text: str, said: tables.Said) -> str:
    """The guide with its made parts made anew."""
    parts = {"times": tables.times(), "sections": tables.sections()}
    for name, part in {**parts, "misconceptions": tables.misconceptions(said)}.items():
        mark = tables.mark(name)
        before, after = text.split(mark)
        text = f"{before}{mark}\n\n{part}\n\n{tables.END}{after.split(tables.END, 1)[1]}"
    return text


if __name__ == "__main__":
    found = said()
    tables.GUIDE.write_text(written(tables.GUIDE.read_text("utf-8"), found), "utf-8")
