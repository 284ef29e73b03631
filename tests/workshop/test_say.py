"""What a notebook says is never broken in the middle of a word."""

from __future__ import annotations

import pytest

from workshop import say


def test_short_lines_are_printed_as_print_does(capsys: pytest.CaptureFixture[str]) -> None:
    say("two  spaces:", 3, "\n  indented\n\nand an empty line")
    assert capsys.readouterr().out == "two  spaces: 3\n  indented\n\nand an empty line\n"


def test_a_long_line_is_broken_between_words(capsys: pytest.CaptureFixture[str]) -> None:
    say("  " + "word-and-word " * 12)
    first, second = capsys.readouterr().out.splitlines()
    assert first.startswith("  word-and-word")
    assert second.startswith("      word-and-word")
    assert len(first) <= 96
    assert {*first.split(), *second.split()} == {"word-and-word"}


def test_nothing_is_an_empty_line(capsys: pytest.CaptureFixture[str]) -> None:
    say()
    assert capsys.readouterr().out == "\n"
