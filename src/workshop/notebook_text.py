"""A notebook as plain text, for `git diff` and the terminal.

python -m workshop.notebook_text NOTEBOOK
git config diff.notebook.textconv ".venv/bin/python -m workshop.notebook_text"
"""

from __future__ import annotations

import hashlib
import sys
from pathlib import Path

import nbformat


def as_text(path: Path) -> str:
    """Return sources and text outputs, cell by cell; a figure is its alt text and a hash."""
    lines: list[str] = []
    for cell in nbformat.read(path, as_version=4).cells:  # type: ignore[no-untyped-call]
        tags = "".join(f" #{tag}" for tag in cell.metadata.get("tags", []))
        lines += [f"── {cell.cell_type} {cell.get('id', '')}{tags}", cell.source, ""]
        for output in cell.get("outputs", ()):
            data = output.get("data", {})
            text = output.get("text") or output.get("evalue") or data.get("text/plain", "")
            lines += [f"   {line}" for line in text.splitlines()]
            if "image/png" in data:
                digest = hashlib.sha256(data["image/png"].encode()).hexdigest()[:12]
                lines.append(f"   [figure {digest}]")
    return "\n".join(lines) + "\n"


if __name__ == "__main__":
    sys.stdout.write(as_text(Path(sys.argv[1])))
