"""Make a deck of slides from each notebook: python -m workshop.slides

The decks go to build/slides, one HTML file each, which needs no other file and no network. The
notebooks are not run.
"""

from __future__ import annotations

import sys
from pathlib import Path

import nbformat

from workshop.slides import deck


def write(notebooks: Path, folder: Path) -> list[Path]:
    """Write the deck of every notebook to `folder`; return the files."""
    folder.mkdir(parents=True, exist_ok=True)
    made = []
    for path in sorted(notebooks.glob("*.ipynb")):
        file = folder / f"{path.stem}.html"
        notebook = nbformat.read(path, as_version=4)  # type: ignore[no-untyped-call]
        file.write_text(deck.html(notebook), "utf-8")
        made.append(file)
    return made


if __name__ == "__main__":
    made = write(Path("notebooks"), Path("build") / "slides")
    sys.stdout.write(f"{len(made)} decks: open {made[0]}\n")
