"""show_source shows what runs."""

from __future__ import annotations

import inspect
import re

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
    assert made._repr_html_().count('<b style="font-weight: normal; background') == 1
    assert "<code>raceproof.record.session.Session.run</code>" in made._repr_html_()
    assert "-&gt; Run" in made._repr_html_()


def test_lines_are_never_broken_whatever_the_page_says_of_code() -> None:
    html = show_source(live.Session)._repr_html_()
    for element in ("pre", "code"):
        (style,) = re.findall(f'<{element} style="([^"]*)"', html)
        assert {"white-space: pre", "word-break: normal"} <= set(style.split("; "))
    assert "overflow-x: auto" in html


def test_a_mark_that_no_line_deserves_is_refused() -> None:
    with pytest.raises(ValueError, match=r"no line of Session\.run matches"):
        show_source(live.Session.run, highlight="WATCH")


def test_what_has_no_source_is_refused() -> None:
    with pytest.raises(TypeError):
        show_source(3)
