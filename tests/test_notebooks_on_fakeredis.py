"""Cells that need a redis-server: on fakeredis they print one line at most, and raise nothing.

JupyterLab leaves out every cell that waits behind one that raises.
"""

from __future__ import annotations

import ast
import contextlib
import io
from pathlib import Path
from typing import Any

import nbformat
import pytest
from tests.exercises.notebook_slice import statements_for

from workshop.services import ownership

NOTEBOOKS = Path(__file__).parent.parent / "notebooks"
TAG = "redis-server"


def needing_a_server(path: Path) -> dict[str, str]:
    """The sources of the cells with the tag, by their ids, in order."""
    cells = nbformat.read(path, as_version=4).cells  # type: ignore[no-untyped-call]
    return {cell.id: cell.source for cell in cells if TAG in cell.metadata.get("tags", [])}


STEMS = [path.stem for path in sorted(NOTEBOOKS.glob("*.ipynb")) if needing_a_server(path)]


def test_there_are_such_cells() -> None:
    assert len(STEMS) == 4


@pytest.mark.parametrize("stem", STEMS)
def test_on_fakeredis_a_cell_that_needs_a_server_says_so_and_does_nothing(
    stem: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATTERNS_REDIS", "fake")
    for name in ("REDIS_URL", "PATTERNS_JOIN"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setattr(ownership, "_owned", ownership.Ownership())
    monkeypatch.chdir(NOTEBOOKS)
    sources = needing_a_server(NOTEBOOKS / f"{stem}.ipynb")
    done = {ast.unparse(node) for source in sources.values() for node in ast.parse(source).body}
    space: dict[str, Any] = {}
    said: dict[str, list[str]] = {}
    for name, source in sources.items():
        for node in statements_for(stem, name, source):
            text = ast.unparse(node)
            if text not in done:
                exec(text, space)
                done.add(text)
        with contextlib.redirect_stdout(io.StringIO()) as out:
            exec(source, space)
        said[name] = out.getvalue().splitlines()
    assert all(len(lines) <= 1 for lines in said.values()), said
    assert all(line.startswith("Left out: ") for lines in said.values() for line in lines), said
    speaks = {name for name in said if name.startswith("nodes-") or "server()" in sources[name]}
    assert {name for name, lines in said.items() if lines} == speaks
