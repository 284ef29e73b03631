"""The notebooks as a code host shows them: converted, and without any style or script.

GitHub and others convert a notebook much as nbconvert does and then take out style sheets, style
attributes, classes and scripts. What is left must still read: every word, what is marked, every
picture, and each solution folded.
"""

from __future__ import annotations

import re
from functools import cache
from html import unescape
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import nbformat
import pytest

NOTEBOOKS = sorted((Path(__file__).parent.parent / "notebooks").glob("*.ipynb"))
TAKEN_OUT = {"style", "script", "iframe", "object", "embed", "form", "link", "meta"}
ATTRIBUTES = {"href", "src", "alt", "colspan", "rowspan", "scope", "open", "start", "width"}
WORD = re.compile(r"\w+")


class AsOnAHost(HTMLParser):
    """HTML without what a code host takes out."""

    def __init__(self) -> None:
        super().__init__(convert_charrefs=False)
        self.kept: list[str] = []
        self._inside = 0

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag in TAKEN_OUT:
            self._inside += tag in ("style", "script")
        elif not self._inside:
            told = "".join(
                f' {name}="{value or ""}"' for name, value in attrs if name in ATTRIBUTES
            )
            self.kept.append(f"<{tag}{told}>")

    def handle_endtag(self, tag: str) -> None:
        if tag in TAKEN_OUT:
            self._inside -= tag in ("style", "script")
        elif not self._inside:
            self.kept.append(f"</{tag}>")

    def handle_data(self, data: str) -> None:
        if not self._inside:
            self.kept.append(data)

    def handle_entityref(self, name: str) -> None:
        self.handle_data(f"&{name};")

    def handle_charref(self, name: str) -> None:
        self.handle_data(f"&#{name};")


def on_a_host(html: str) -> str:
    parser = AsOnAHost()
    parser.feed(html)
    return "".join(parser.kept)


def words(html: str) -> set[str]:
    return set(WORD.findall(unescape(re.sub("<[^>]*>", " ", html))))


@cache
def notebook(path: Path) -> Any:
    return nbformat.read(path, as_version=4)


@cache
def exporter() -> Any:
    """It cleans nothing, which takes it a third of its time: `on_a_host` takes out more."""
    from nbconvert import HTMLExporter  # by the one worker that needs it

    return HTMLExporter(template_name="basic", filters={"clean_html": lambda html: html})


@cache
def page(path: Path) -> str:
    """The whole notebook, converted and stripped."""
    return converted(notebook(path))


def converted(made: Any) -> str:
    """A notebook as nbconvert makes it, less what a code host takes out."""
    html, _ = exporter().from_notebook_node(made)
    return on_a_host(html)


def outputs(path: Path) -> list[Any]:
    return [output for cell in notebook(path).cells for output in cell.get("outputs", [])]


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_every_word_is_there(path: Path) -> None:
    shown = words(page(path))
    for cell in notebook(path).cells:
        if cell.cell_type == "code":
            assert set(WORD.findall(cell.source)) <= shown, cell.id
    for output in outputs(path):
        plain = output.get("text", "") + output.get("data", {}).get("text/plain", "")
        assert set(WORD.findall(plain)) <= shown


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_an_output_says_in_words_what_it_says_as_plain_text(path: Path) -> None:
    for output in outputs(path):
        data = output.get("data", {})
        if "text/html" in data:
            left = on_a_host(data["text/html"])
            assert set(WORD.findall(data.get("text/plain", ""))) <= words(left)


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_what_is_coloured_is_also_said(path: Path) -> None:
    """A marked line is bold where its band is gone, a cell of a table has its sign."""
    for output in outputs(path):
        html = output.get("data", {}).get("text/html", "")
        for tag, inside in re.findall(
            r"<(\w+) style=\"[^\"]*background: rgba[^>]*>(.*?)</\1>", html
        ):
            left = re.sub("<[^>]*>", "", inside)
            assert tag == "b" or re.search("[◀✓✗?—]", left), left


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_every_picture_is_an_image_in_the_file_itself(path: Path) -> None:
    drawn = sum("image/png" in output.get("data", {}) for output in outputs(path))
    images = re.findall(r"<img[^>]*>", page(path))
    assert len(images) == drawn > 0
    assert all('src="data:image/png;base64,' in image for image in images)


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_solutions_are_folded(path: Path) -> None:
    solutions = [c for c in notebook(path).cells if "solution" in c.metadata.get("tags", [])]
    assert solutions
    assert page(path).count("<summary>Solution</summary>") == len(solutions)
    assert " open=" not in "".join(re.findall("<details[^>]*>", page(path)))


def test_what_a_host_takes_out() -> None:
    html = (
        '<p class="a" style="b">c<style>d</style> &lt; <script>e</script><b onclick="f">g</b></p>'
    )
    assert on_a_host(html) == "<p>c &lt; <b>g</b></p>"
