"""show_source shows what runs."""

from __future__ import annotations

import inspect

import pytest

from raceproof.record import session as live
from workshop import show_source


def test_the_source_is_the_source() -> None:
    assert str(show_source(live.Session)) == inspect.getsource(live.Session).rstrip()


def test_a_method_is_shown_from_the_left_margin() -> None:
    assert str(show_source(live.Session.run)).startswith("def run(self) -> Run:\n    ")


def test_docstrings_can_be_left_out() -> None:
    text = str(show_source(live.Session, docs=False))
    assert '"""' not in text
    assert "def note(" in text
    assert text.startswith("class Session:\n    def __init__")
    compile(text, "source", "exec")


def test_marked_lines_are_marked_in_text_and_html() -> None:
    made = show_source(live.Session.run, highlight=r"self\._lock")
    marked = [line for line in str(made).splitlines() if line.startswith(">")]
    assert marked == [">     with self._lock:"]
    assert made._repr_html_().count("<mark") == 1
    assert "<code>raceproof.record.session.Session.run</code>" in made._repr_html_()
    assert "-&gt; Run" in made._repr_html_()


def test_a_mark_that_no_line_deserves_is_refused() -> None:
    with pytest.raises(ValueError, match=r"no line of Session\.run matches"):
        show_source(live.Session.run, highlight="WATCH")


def test_what_has_no_source_is_refused() -> None:
    with pytest.raises(TypeError):
        show_source(3)
