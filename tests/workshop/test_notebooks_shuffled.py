"""Shuffled runs find the cells that show something else when they run again."""

from __future__ import annotations

from pathlib import Path

import nbformat
import pytest
from nbformat.v4 import new_code_cell, new_notebook
from tests import notebooks_shuffled
from tests.notebooks_shuffled import Difference, differences, main

from workshop import notebooks

CELLS = {
    "sets": "x = 1",
    "shows": "x",
    "changes": "x = 2\nprint('x is', x)",
    "counts": "n = globals().get('n', 0) + 1\nif n > 1: raise RuntimeError('again')",
    "steady": "import sys\nprint('one')\nprint('two', file=sys.stderr)\n{'a': 1}",
    "fails": "{}['key']",
    "only-once": "if 'done' in globals(): raise RuntimeError('twice')\ndone = True",
    "speed": "import time\ntime.perf_counter()",
}
TAGS = {"fails": "raises-exception", "only-once": "once", "speed": "nbval-ignore-output"}


@pytest.fixture(scope="module")
def lesson(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A notebook of cells of all kinds, executed once."""
    path = tmp_path_factory.mktemp("shuffled") / "lesson.ipynb"
    cells = [
        new_code_cell(source, id=name, metadata={"tags": [TAGS[name]]} if name in TAGS else {})
        for name, source in CELLS.items()
    ]
    nbformat.write(new_notebook(cells=cells), path)
    notebooks.execute(path)
    return path


@pytest.fixture(scope="module")
def found(lesson: Path) -> list[Difference]:
    return list(differences(lesson, shuffles=3, seed=1))


def test_a_name_used_twice_and_a_state_left_behind_are_found(found: list[Difference]) -> None:
    assert {difference.cell for difference in found} == {"shows", "counts"}
    assert sum(difference.cell == "counts" for difference in found) == 2 * 3


def test_a_difference_says_what_changed_and_what_ran_before(found: list[Difference]) -> None:
    words = str(next(difference for difference in found if difference.cell == "shows"))
    assert words.startswith("✗ shows, after ")
    assert "changes" in words.splitlines()[0]
    assert "\n-1\n+2" in words


def test_from_the_top_nothing_differs(found: list[Difference]) -> None:
    """What ran just before "shows" is then "sets" alone."""
    assert ("sets",) not in [difference.before for difference in found]


def test_what_is_found_is_printed_and_ends_in_exit_code_1(
    lesson: Path,
    found: list[Difference],
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    given: list[tuple[Path, int, int]] = []

    def again(*asked: object) -> list[Difference]:
        given.append(asked)  # type: ignore[arg-type]
        return found

    monkeypatch.setattr(notebooks_shuffled, "differences", again)
    assert main([str(lesson), "--shuffles", "1", "--seed", "2"]) == 1
    said = capsys.readouterr().out
    assert "✗ counts, after " in said
    assert "1 shuffles from seed 2" in said.splitlines()[-1]
    found = []
    assert main([str(lesson), "--shuffles", "0"]) == 0
    assert given == [(lesson, 1, 2), (lesson, 0, 1)]
