"""What Sphinx reads: the notebooks as pages, the pages of docs, one page for each package.

build/site-source/   index.md  slides.md  notebooks/  docs/  data/  api/  _static/figures/
"""

from __future__ import annotations

import re
import shutil
from collections.abc import Mapping
from html import escape
from pathlib import Path

import nbformat
from nbformat import NotebookNode

from workshop.site import notebook_page, sections

PATTERNS = ("pubsub", "queues", "notice_boards", "counters", "transfers", "mixins")
MAP, PICTURE, DECKS = (f"<!-- the {what} -->" for what in ("notebooks", "picture", "decks"))
ONE_PICTURE = "picture-diagram"  # the cell of notebook 00 that draws it


def write(root: Path, source: Path) -> None:
    """Write the sources of the site to `source`, which is emptied first."""
    shutil.rmtree(source, ignore_errors=True)
    (source / "notebooks").mkdir(parents=True)
    for path in sorted((root / "docs").glob("*.md")):
        copied(path, source / "docs" / path.name)
    for path in sorted((root / "docs" / "site").rglob("*.md")):
        copied(path, source / path.relative_to(root / "docs" / "site"))
    for path in (root / "data/README.md", root / "CONTRIBUTING.md", *measured(root)):
        copied(path, source / path.relative_to(root))
    write_notebooks(root / "notebooks", source)


def measured(root: Path) -> list[Path]:
    """Return the pages of what the benches found, and their figures."""
    return sorted(p for p in (root / "benches/results").iterdir() if p.suffix in (".md", ".png"))


def copied(path: Path, to: Path) -> None:
    """Copy a page or a figure to a place that may not be there yet."""
    to.parent.mkdir(parents=True, exist_ok=True)
    to.write_bytes(path.read_bytes())


def write_notebooks(folder: Path, source: Path) -> None:
    """Write every notebook as a page, and the map of notebook 00 into the first page."""
    read = {path.stem: nbformat.read(path, 4) for path in sorted(folder.glob("*.ipynb"))}  # type: ignore[no-untyped-call]
    pages = {
        number: f"{stem}.html"
        for stem, notebook in read.items()
        for cell in notebook.cells
        if cell.cell_type == "markdown"
        for number in sections.numbers(cell.source)
    }
    start = {cell.id: cell.source for cell in read[notebook_page.START].cells}
    words = sections.terms(start[notebook_page.GLOSSARY])
    figures = source / "_static" / "figures"
    for stem, notebook in read.items():
        made = notebook_page.page(notebook, stem, figures, words, pages)
        nbformat.write(made, source / "notebooks" / f"{stem}.ipynb")  # type: ignore[no-untyped-call]
    parts = {
        MAP: map_of_notebooks(start["map"]),
        PICTURE: the_picture(read[notebook_page.START]),
        DECKS: list_of_decks({stem: notebook.cells[0].source for stem, notebook in read.items()}),
    }
    for file in (source / "index.md", source / "slides.md"):
        text = file.read_text("utf-8")
        for place, html in parts.items():
            text = text.replace(place, html)
        file.write_text(text, "utf-8")


def list_of_decks(titles: Mapping[str, str]) -> str:
    """Return the table of the decks: a row for each notebook, by the first cell of each."""
    rows = ["| slides | the notebook's minutes |", "| --- | --- |"]
    for stem, cell in titles.items():
        title = cell.splitlines()[0].lstrip("# ")
        link = f'<a href="slides/{stem}.html">{escape(title, quote=False)}</a>'
        rows.append(f"| {link} | {notebook_page.minutes(cell)} |")
    return "\n".join(rows)


def the_picture(notebook: NotebookNode) -> str:
    """Return the picture of notebook 00, a page already, as HTML for the first page."""
    (cell,) = (cell for cell in notebook.cells if cell.id == ONE_PICTURE)
    html: str = cell.outputs[0].data["text/html"]
    return html.replace('"../_static', '"_static')


def map_of_notebooks(text: str) -> str:
    """Return the table of notebook 00 with the questions and minutes, for the first page."""
    table = re.search(r"^\|.*(?:\n\|.*)*", text, re.MULTILINE)
    if table is None:
        raise ValueError("notebook 00 has no map of the notebooks")
    return re.sub(r"\]\((\w+\.ipynb)\)", r"](notebooks/\1)", table[0])
