"""Execute the notebooks in place, so that a second run changes nothing but what truly changed.

    python -m workshop.notebooks [--fresh] [NOTEBOOK ...]     (without a name: all)

Each notebook runs from a fresh kernel in its own folder. A cell that fails without the tag
`raises-exception` stops the run with exit code 1, and that notebook stays as it was. What depends
on the day or the machine is not stored: times, the Python version, the frames of a traceback.

A PNG figure that shows the same pixels as before keeps its bytes. A figure in a cell tagged
`measured` shows this machine's speed, so it is kept while its text output and the code up to it
are the same; `--fresh` takes all of them anew.
"""

from __future__ import annotations

import argparse
import base64
import copy
import hashlib
import io
import os
import re
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import nbformat
from matplotlib.image import imread
from nbclient import NotebookClient
from nbclient.exceptions import CellExecutionError, CellTimeoutError, DeadKernelError
from nbformat import NotebookNode

FOLDER = Path("notebooks")
CELL_SECONDS = 60
KERNEL = {"display_name": "Python 3", "language": "python", "name": "python3"}
LANGUAGE = {
    "file_extension": ".py",
    "mimetype": "text/x-python",
    "name": "python",
    "nbconvert_exporter": "python",
    "pygments_lexer": "ipython3",
}
OF_THE_MOMENT = ("execution", "ExecuteTime", "collapsed", "scrolled", "trusted")
ANSI = re.compile(r"\x1b\[[0-9;]*m")


def execute(path: Path, fresh: bool = False) -> bool:
    """Execute the notebook at `path` and store it, atomically; return whether its bytes changed.

    Raises nbclient's CellExecutionError, CellTimeoutError or DeadKernelError before it writes.
    """
    before = nbformat.read(path, as_version=4)  # type: ignore[no-untyped-call]
    after = nbformat.read(path, as_version=4)  # type: ignore[no-untyped-call]
    client = NotebookClient(
        after,
        timeout=CELL_SECONDS,
        kernel_name="python3",
        record_timing=False,
        coalesce_streams=True,
        extra_arguments=["--log-level=40"],
        resources={"metadata": {"path": str(path.parent)}},
    )
    client.execute()
    normalise(after)
    keep_figures(before, after, fresh)
    return store(after, path)


def normalise(notebook: NotebookNode) -> None:
    """Take out, in place, whatever depends on the moment or the machine."""
    notebook.metadata["kernelspec"] = dict(KERNEL)
    notebook.metadata["language_info"] = dict(LANGUAGE)
    for key in ("widgets", "toc-autonumbering"):
        notebook.metadata.pop(key, None)
    for cell in notebook.cells:
        for key in OF_THE_MOMENT:
            cell.metadata.pop(key, None)
        for output in cell.get("outputs", ()):
            output.pop("transient", None)
            if output.output_type == "error":
                output.evalue = ANSI.sub("", output.evalue)
                output.traceback = [f"{output.ename}: {output.evalue}"]


def keep_figures(before: NotebookNode, after: NotebookNode, fresh: bool) -> None:
    """Give `after` the stored bytes of every figure that is still the same one, in place."""
    stored = {cell.get("id"): cell for cell in before.cells if cell.cell_type == "code"}
    code = hashlib.sha256()
    for cell in after.cells:
        if cell.cell_type != "code":
            continue
        code.update(cell.source.encode())
        old, keep = stored[cell.get("id")], False
        if "measured" in cell.metadata.get("tags", []):
            cell.metadata["measured"] = code.hexdigest()[:12]
            same_code = old.metadata.get("measured") == cell.metadata["measured"]
            keep = same_code and said(old) == said(cell) and not fresh
        for was, now in zip(figures(old), figures(cell), strict=False):
            if keep or pixels_equal(was["image/png"], now["image/png"]):
                now["image/png"] = was["image/png"]


def said(cell: NotebookNode) -> list[Any]:
    """Return what a cell put out, apart from its pictures."""
    outputs = copy.deepcopy(cell.outputs)
    for output in outputs:
        output.get("data", {}).pop("image/png", None)
        output.pop("execution_count", None)
    return list(outputs)


def figures(cell: NotebookNode) -> Iterator[dict[str, str]]:
    """Return the outputs of a cell that hold a PNG."""
    return (o.data for o in cell.outputs if "image/png" in o.get("data", {}))


def pixels_equal(one: str, other: str) -> bool:
    """Return whether two base64 PNGs show the same picture."""
    a, b = (imread(io.BytesIO(base64.b64decode(png)), format="png") for png in (one, other))
    return a.shape == b.shape and bool((a == b).all())


def store(notebook: NotebookNode, path: Path) -> bool:
    """Write the notebook in one step unless its bytes are the same; return whether it did."""
    text: str = nbformat.writes(notebook)  # type: ignore[no-untyped-call]
    wanted = text.rstrip("\n").encode() + b"\n"
    if path.read_bytes() == wanted:
        return False
    handle, temporary = tempfile.mkstemp(dir=path.parent, prefix=f".{path.stem}")
    with os.fdopen(handle, "wb") as file:
        file.write(wanted)
    os.chmod(temporary, path.stat().st_mode & 0o777)
    os.replace(temporary, path)
    return True


def main(arguments: list[str] | None = None) -> int:
    """Execute the notebooks that the command line names; return the exit code."""
    parser = argparse.ArgumentParser(prog="python -m workshop.notebooks")
    parser.add_argument("notebooks", nargs="*", type=Path, metavar="NOTEBOOK")
    parser.add_argument("--fresh", action="store_true", help="take every figure anew")
    chosen = parser.parse_args(arguments)
    for path in chosen.notebooks or sorted(FOLDER.glob("*.ipynb")):
        try:
            changed = execute(path, chosen.fresh)
        except (CellExecutionError, CellTimeoutError, DeadKernelError) as error:
            print(f"{path}: not stored\n{ANSI.sub('', str(error))}", file=sys.stderr)
            return 1
        print(f"{path}: {'changed' if changed else 'unchanged'}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
