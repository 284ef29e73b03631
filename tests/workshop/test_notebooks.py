"""Executing notebooks in place: what is stored, what is kept, what is never written."""

from __future__ import annotations

import base64
from pathlib import Path

import nbformat
import pytest
from nbformat import NotebookNode
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook

from workshop import notebooks
from workshop.notebook_text import as_text

DRAW = """
import base64, random, struct, zlib
from IPython.display import display
def chunk(name, body):
    tail = struct.pack(">I", zlib.crc32(name + body))
    return struct.pack(">I", len(body)) + name + body + tail
def show(*greys):
    size = struct.pack(">IIBBBBB", len(greys), 1, 8, 0, 0, 0, 0)
    said = b"Comment\\0" + random.randbytes(4).hex().encode()
    png = b"\\x89PNG\\r\\n\\x1a\\n" + chunk(b"IHDR", size) + chunk(b"tEXt", said)
    png += chunk(b"IDAT", zlib.compress(bytes([0, *greys]))) + chunk(b"IEND", b"")
    display({"image/png": base64.b64encode(png).decode(), "text/plain": "A bar."},
            metadata={"image/png": {"alt": "A bar."}}, raw=True)
"""


@pytest.fixture(scope="module")
def stored(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A notebook that was executed once; tests copy it."""
    cells = [
        new_markdown_cell("# Title", id="title"),
        new_code_cell(DRAW, id="setup"),
        new_code_cell("show(1, 2)", id="same-pixels"),
        new_code_cell("show(5, 6)", id="other-pixels"),
        new_code_cell("show(*random.randbytes(9))", id="speed", metadata={"tags": ["measured"]}),
        new_code_cell("print('a')\nprint('b')", id="two-prints"),
        new_code_cell("import os; os.path.isfile('lesson.ipynb')", id="where"),
        new_code_cell("{}['key']", id="fails", metadata={"tags": ["raises-exception"]}),
    ]
    path = tmp_path_factory.mktemp("some place") / "lesson.ipynb"
    nbformat.write(new_notebook(cells=cells), path)
    assert notebooks.execute(path)
    return path


@pytest.fixture
def lesson(stored: Path, tmp_path: Path) -> Path:
    path = tmp_path / "lesson.ipynb"
    path.write_bytes(stored.read_bytes())
    return path


def cell(path: Path, name: str) -> NotebookNode:
    (found,) = [c for c in nbformat.read(path, as_version=4).cells if c.id == name]
    return found


def png(path: Path, name: str) -> bytes:
    return base64.b64decode(cell(path, name).outputs[0].data["image/png"])


def replace(path: Path, old: str, new: str) -> None:
    text = path.read_text()
    assert old in text
    path.write_text(text.replace(old, new))


def test_what_is_stored(stored: Path) -> None:
    notebook = nbformat.read(stored, as_version=4)
    assert notebook.metadata == {
        "kernelspec": notebooks.KERNEL,
        "language_info": notebooks.LANGUAGE,
    }
    assert [c.execution_count for c in notebook.cells[1:]] == [1, 2, 3, 4, 5, 6, 7]
    assert all("execution" not in c.metadata for c in notebook.cells)
    assert [o.text for o in cell(stored, "two-prints").outputs] == ["a\nb\n"]
    assert cell(stored, "where").outputs[0].data["text/plain"] == "True"
    assert cell(stored, "fails").outputs[0].traceback == ["KeyError: 'key'"]
    assert cell(stored, "same-pixels").outputs[0].metadata["image/png"]["alt"] == "A bar."
    assert stored.read_bytes().endswith(b"}\n")


def test_a_second_run_changes_no_byte(lesson: Path) -> None:
    before = lesson.read_bytes()
    assert notebooks.execute(lesson) is False
    assert lesson.read_bytes() == before


def test_what_truly_changed_is_stored(lesson: Path) -> None:
    same, other, speed = (png(lesson, name) for name in ("same-pixels", "other-pixels", "speed"))
    replace(lesson, "show(1, 2)", "show(1, 1 + 1)")
    replace(lesson, "show(5, 6)", "show(5, 7)")
    replace(lesson, "show(*random.randbytes(9))", "show(0, *random.randbytes(9))")
    replace(lesson, "print('b')", "print('c')")
    assert notebooks.execute(lesson) is True
    assert png(lesson, "same-pixels") == same, "the same pixels keep their bytes"
    assert png(lesson, "other-pixels") != other, "other pixels are another figure"
    assert png(lesson, "speed") != speed, "a changed cell is measured again"
    assert cell(lesson, "two-prints").outputs[0].text == "a\nc\n"


def test_fresh_measures_again_but_keeps_equal_pixels(lesson: Path) -> None:
    same, speed = png(lesson, "same-pixels"), png(lesson, "speed")
    notebooks.execute(lesson, fresh=True)
    assert png(lesson, "speed") != speed
    assert png(lesson, "same-pixels") == same


def test_a_notebook_that_fails_stays_as_it_was(
    lesson: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    replace(lesson, "print('b')", "int('b')")
    before = lesson.read_bytes()
    assert notebooks.main([str(lesson)]) == 1
    assert lesson.read_bytes() == before
    assert list(lesson.parent.iterdir()) == [lesson]
    said = capsys.readouterr().err
    assert "lesson.ipynb: not stored" in said
    assert "ValueError: invalid literal for int()" in said


def test_as_text(stored: Path) -> None:
    lines = as_text(stored).splitlines()
    at = lines.index("── code two-prints")
    assert lines[at : at + 5] == ["── code two-prints", "print('a')", "print('b')", "", "   a"]
    assert "── code speed #measured" in lines
    assert "   A bar." in lines
    assert sum(line.startswith("   [figure ") for line in lines) == 3
    assert "   'key'" in lines
