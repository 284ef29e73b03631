"""Our docstrings as reStructuredText: what is shown is what was written."""

from __future__ import annotations

import re

import pytest

from workshop.site.docstrings import as_rst


@pytest.mark.parametrize(
    ("written", "read"),
    [
        ("Calls `explore` once.", "Calls ``explore`` once."),
        (
            "A `Step`s list, *args, a|b, key_ and _key",
            r"A ``Step``\ s list, \*args, a\|b, key\_ and _key",
        ),
        ("a name in `two", r"a name in \`two"),
    ],
)
def test_a_line(written: str, read: str) -> None:
    assert as_rst([written]) == [read]


def shown(text: str) -> str:
    """A docstring as it is read: several empty lines are one, and none is at the ends."""
    return re.sub(r"\n{3,}", "\n\n", "\n".join(as_rst(text.split("\n")))).strip("\n")


def test_indented_lines_are_shown_as_they_are() -> None:
    written = "Use it so:\n\n    a = f(*b)\n\n    c\n\nThen stop."
    read = "Use it so:\n\n::\n\n        a = f(*b)\n\n        c\n\nThen stop."
    assert shown(written) == read


def test_rows_in_columns_are_shown_as_they_are() -> None:
    written = "The rooms:\ntrace     what a run is\nwire      libraries\nAnd so on."
    rows = "    trace     what a run is\n    wire      libraries"
    assert shown(written) == f"The rooms:\n\n::\n\n{rows}\n\nAnd so on."


def test_an_argument_begins_a_paragraph() -> None:
    written = "`world`: a function.\n`always` (None): a check."
    assert shown(written) == "``world``: a function.\n\n``always`` (None): a check."
