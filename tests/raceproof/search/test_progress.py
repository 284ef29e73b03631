"""Progress: silent at first and where nobody watches, and gone at the end."""

from __future__ import annotations

import io

import pytest

from raceproof.draw.front_end import live_front_end
from raceproof.search.progress import Progress


class Terminal(io.StringIO):
    """A stderr that is a terminal, or not."""

    def __init__(self, tty: bool) -> None:
        super().__init__()
        self._tty = tty

    def isatty(self) -> bool:
        return self._tty


def run(monkeypatch: pytest.MonkeyPatch, tty: bool, times: list[float]) -> list[str]:
    """Return what a terminal shows when progress is made at these times."""
    screen = Terminal(tty)
    monkeypatch.setattr("sys.stderr", screen)
    now = iter([0.0, *times])
    with Progress("schedules", clock=lambda: next(now)) as progress:
        for done in range(len(times)):
            progress(1000 * done, 2)
    return screen.getvalue().split("\r\x1b[K")[1:]


def test_a_terminal_sees_one_line_that_ends_erased(monkeypatch: pytest.MonkeyPatch) -> None:
    shown = run(monkeypatch, True, [0.5, 0.99, 1.1, 1.2, 1.25, 1.35])
    assert shown == [
        "2,000 schedules, 2 to go on with …",
        "5,000 schedules, 2 to go on with …",
        "",
    ]


def test_a_short_search_shows_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    assert run(monkeypatch, True, [0.5, 0.9]) == []


def test_a_pipe_sees_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    assert run(monkeypatch, False, [2.0, 3.0]) == []


def test_only_a_kernel_of_a_jupyter_server_outside_pytest_is_watched(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("JPY_SESSION_NAME", "notebook.ipynb")
    assert not live_front_end()
    monkeypatch.delenv("PYTEST_VERSION")
    assert live_front_end()
    monkeypatch.delenv("JPY_SESSION_NAME")
    assert not live_front_end()


def test_a_front_end_sees_one_output_that_ends_empty(monkeypatch: pytest.MonkeyPatch) -> None:
    shown: list[dict[str, str]] = []

    class Handle:
        def update(self, data: dict[str, str], raw: bool) -> None:
            shown.append(data)

    monkeypatch.setenv("JPY_SESSION_NAME", "notebook.ipynb")
    monkeypatch.delenv("PYTEST_VERSION")
    monkeypatch.setattr("IPython.display.display", lambda *a, **k: Handle())
    run(monkeypatch, True, [2.0])
    assert [data["text/plain"] for data in shown] == ["0 schedules, 2 to go on with …", ""]
    assert shown[-1]["text/html"] == ""
