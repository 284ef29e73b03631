"""A notebook's pictures for a page: each a file, and HTML that says in words what is on it."""

from __future__ import annotations

import base64
import re
import struct
from dataclasses import dataclass
from html import escape
from pathlib import Path

from nbformat import NotebookNode
from nbformat.v4 import new_output

IN_WORDS = "<details><summary>This picture in words</summary>"


@dataclass(frozen=True)
class Figure:
    """A PNG that a notebook shows: its bytes, its alt text, its width and height in CSS pixels."""

    png: bytes
    alt: str
    width: int
    height: int

    @classmethod
    def of(cls, output: NotebookNode) -> Figure | None:
        """Return the figure of an output, or None if it shows none. ValueError without alt text."""
        encoded = output.get("data", {}).get("image/png")
        if encoded is None:
            return None
        told = output.metadata.get("image/png", {})
        alt = re.sub(r"\s+", " ", told.get("alt", "")).strip()
        if not alt:
            raise ValueError("a figure without alt text")
        png = base64.b64decode(encoded)
        wide, high = struct.unpack(">II", png[16:24])
        width = int(told.get("width", wide // 2))
        return cls(png, alt, width, round(high * width / wide))

    def html(self, address: str) -> str:
        """Return the figure as HTML, its words folded below it."""
        return (
            f'<figure class="picture"><div class="scrolls" tabindex="0" role="group" '
            f'aria-label="{escape(self.title)}">'
            f'<img src="{escape(address)}" alt="{escape(self.alt)}" '
            f'width="{self.width}" height="{self.height}" loading="lazy"></div>'
            f"{IN_WORDS}<p>{escape(self.alt)}</p></details></figure>"
        )

    @property
    def title(self) -> str:
        """The first sentence of its words."""
        return re.split(r"(?<=[.!?]) ", self.alt, maxsplit=1)[0]


def written(cell: NotebookNode, folder: Path, address: str) -> list[Figure]:
    """Write each picture of a cell to `folder`, and put HTML in its place in the cell.

    `address` is the folder as a page sees it. Out: the figures.
    """
    outputs, figures = [], []
    for output in cell.outputs:
        figure = Figure.of(output)
        if figure is None:
            if not output.get("data", {}).get("text/html", "").startswith(IN_WORDS):
                outputs.append(output)
            continue
        figures.append(figure)
        name = f"{cell.id}-{len(figures)}.png"
        folder.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(figure.png)
        data = {"text/html": figure.html(f"{address}/{name}"), "text/plain": figure.alt}
        outputs.append(new_output("display_data", data))  # type: ignore[no-untyped-call]
    cell.outputs = outputs
    return figures
