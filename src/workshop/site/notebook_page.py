"""One notebook as a page of the site: nothing of it is run, little is added.

Added are a box that says how to run it and how long it takes, anchors, links between the notebooks
and the glossary, and around what is wide a frame that scrolls by itself.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from pathlib import Path

from nbformat import NotebookNode
from nbformat.v4 import new_markdown_cell

from workshop.site import figures, sections

START = "00_start_here"
GLOSSARY = "glossary"
_WIDE = re.compile(r"^(<table|<div>\s*<style|<p>)")


def minutes(title: str) -> str:
    """Return what a notebook's first cell says of its time, as one line."""
    flat = re.sub(r"\s+", " ", title)
    told = re.search(r"\*\*Time:\*\* (.*?)(?=\*\*You need|\*\*To reset|$)", flat)
    if told is None:
        raise ValueError("the first cell does not say how long the notebook takes")
    return (
        told[1].strip().removesuffix("Run it from top to bottom; Shift+Enter runs a cell.").strip()
    )


def box(stem: str, title: str) -> str:
    """Return the box below a notebook's title: how to run it, how long it takes, its slides."""
    time = minutes(title)
    return "\n".join(
        [
            ":::{admonition} Run this",
            ":class: run-this",
            "",
            "`make lab` sets everything up and opens JupyterLab; there, open",
            f"`notebooks/{stem}.ipynb`.",
            "On a small laptop: [run it on another machine](../docs/remote.md).",
            "",
            f"{time[0].upper()}{time[1:]}",
            "",
            f'<a href="../slides/{stem}.html">The slides of this notebook</a>',
            ":::",
        ]
    )


def page(
    notebook: NotebookNode,
    stem: str,
    folder: Path,
    words: Sequence[str],
    pages: Mapping[str, str],
) -> NotebookNode:
    """Change a notebook, in place, into what Sphinx reads; write its pictures to `folder`.

    `words` are those of the glossary; `pages` has the page of each section, by its number.
    """
    for cell in notebook.cells:
        if cell.cell_type == "markdown":
            if cell.id == GLOSSARY and stem == START:
                cell.source = sections.glossary_page(cell.source, pages)
            elif "solution" not in cell.metadata.get("tags", []):
                cell.source = sections.to_glossary(cell.source, words, f"{START}.html")
            cell.source = sections.anchored(cell.source)
        else:
            figures.written(cell, folder / stem, f"../_static/figures/{stem}")
            for output in cell.outputs:
                data = output.get("data", {})
                if _WIDE.match(data.get("text/html", "")):
                    data["text/html"] = scrolling(data["text/html"])
    first = notebook.cells[0].source
    run = new_markdown_cell(box(stem, first), id="run-this")  # type: ignore[no-untyped-call]
    notebook.cells.insert(1, run)
    return notebook


def scrolling(html: str) -> str:
    """Return HTML whose tables stand in frames that scroll by themselves, by keyboard, too.

    A corner of a table that is empty is no heading, though pandas writes it as one.
    """
    html = re.sub(
        r"<table\b",
        '<div class="scrolls" tabindex="0" role="group" aria-label="a table"><table',
        html,
    )
    return html.replace("</table>", "</table></div>").replace("<th></th>", "<td></td>")
