"""docs/search.md: its example runs, and fails with the words that the page shows."""

from __future__ import annotations

import inspect
import re
from pathlib import Path
from typing import Any

import pytest

import raceproof
from raceproof.search.report import Report

PAGE = (Path(__file__).parents[2] / "docs" / "search.md").read_text("utf-8")


@pytest.fixture(scope="module")
def example() -> dict[str, Any]:
    """What the page's code defines, all of it one after the other."""
    defined: dict[str, Any] = {"__name__": "test_shop"}
    for block in re.findall(r"```python\n(.*?)```", PAGE, re.DOTALL):
        exec(block, defined)
    return defined


def test_the_first_search_says_what_the_page_shows(example: dict[str, Any]) -> None:
    (shown,) = re.findall(r"and says:\n\n```\n(.*?)\n```", PAGE, re.DOTALL)
    with pytest.raises(AssertionError) as failure:
        example["test_two_buyers"]()
    assert str(failure.value).rstrip() == shown.rstrip()


def test_the_cure_holds(example: dict[str, Any]) -> None:
    example["test_two_buyers_in_one_step"]()


def test_the_tables_name_what_is_there() -> None:
    rows = re.findall(r"^\| (`.+?) \| ", PAGE, re.MULTILINE)
    assert len(rows) > 12
    arguments = inspect.signature(raceproof.explore).parameters
    for name in (name for row in rows for name in re.findall(r"`([^`]+)`", row)):
        word = re.match(r"\w+(\.\w+)?", name)
        assert word is not None
        if word[0].startswith("report."):
            attributes = dir(Report) + re.findall(r"self\.(\w+)", inspect.getsource(Report))
            assert word[0].removeprefix("report.") in attributes
        else:
            assert word[0] in arguments or hasattr(raceproof, word[0]), name
