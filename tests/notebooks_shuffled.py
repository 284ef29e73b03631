"""Run the cells of a notebook in any order, as a reader does who goes back and changes things.

    python -m tests.notebooks_shuffled NOTEBOOK [--shuffles N] [--seed S]

One run from the top, then N shuffles: each runs every code cell twice, in an order that the seed
decides. Every run of a cell must put out the stored text. Exit code 1 if one does not; each such
run is printed with what it put out and with the cells that ran just before it.

Cells tagged `once` run from the top only. Those whose output nbval does not compare are run and
not compared either, and those that need a redis-server of our own stand still without one.
"""

from __future__ import annotations

import argparse
import difflib
import random
import re
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import nbformat
from nbclient import NotebookClient
from nbformat import NotebookNode
from nbval.plugin import get_sanitize_patterns

from workshop.notebooks import ANSI
from workshop.services import environment, redis_service

SANITIZERS = Path(__file__).parent / "nbval_sanitize.cfg"
CELL_SECONDS = 600  # for a cell that hangs, not for one that is slow
BEFORE = 8  # how many of the cells that ran before are named


@dataclass(frozen=True)
class Difference:
    """One run of a cell that put out another text than the stored one."""

    cell: str
    before: tuple[str, ...]  # the cells that ran just before it, in order
    stored: str
    now: str

    def __str__(self) -> str:
        lines = difflib.unified_diff(
            self.stored.splitlines(), self.now.splitlines(), "stored", "now", lineterm=""
        )
        return "\n".join([f"✗ {self.cell}, after {', '.join(self.before) or 'nothing'}", *lines])


def differences(path: Path, shuffles: int, seed: int) -> Iterator[Difference]:
    """Run the notebook at `path` from the top and then shuffled; yield what differs."""
    stored = nbformat.read(path, as_version=4)  # type: ignore[no-untyped-call]
    notebook = nbformat.read(path, as_version=4)  # type: ignore[no-untyped-call]
    texts = {cell.id: text_of(cell) for cell in stored.cells if compared(cell)}
    at = {cell.id: place for place, cell in enumerate(notebook.cells) if runs_here(cell)}
    again = [cell for cell in at if "once" not in tags(notebook.cells[at[cell]])]
    orders, chance = [list(at)], random.Random(seed)
    for _ in range(shuffles):
        orders.append(2 * again)
        chance.shuffle(orders[-1])
    order = [cell for part in orders for cell in part]
    client = NotebookClient(
        notebook,
        timeout=CELL_SECONDS,
        kernel_name="python3",
        allow_errors=True,
        coalesce_streams=True,
        extra_arguments=["--log-level=40"],
        resources={"metadata": {"path": str(path.parent)}},
    )
    with client.setup_kernel():
        for number, cell in enumerate(order):
            client.execute_cell(notebook.cells[at[cell]], at[cell])
            now = text_of(notebook.cells[at[cell]])
            if now != texts.get(cell, now):
                before = tuple(order[max(0, number - BEFORE) : number])
                yield Difference(cell, before, texts[cell], now)


def text_of(cell: NotebookNode) -> str:
    """Return all text that a cell put out: streams first, then results and exceptions.

    What the sanitizers of nbval take out is not in it.
    """
    streams: dict[str, str] = {"stdout": "", "stderr": ""}
    others = []
    for output in cell.get("outputs", ()):
        if output.output_type == "stream":
            streams[output.name] += output.text
        elif output.output_type == "error":
            others.append(f"{output.ename}: {ANSI.sub('', output.evalue)}")
        else:
            others.append(output.get("data", {}).get("text/plain", ""))
    text = "\n".join([*filter(None, streams.values()), *others])
    for regex, replacement in get_sanitize_patterns(SANITIZERS.read_text()):
        text = re.sub(regex, replacement, text)
    return text


def tags(cell: NotebookNode) -> set[str]:
    """Return the tags of a cell."""
    return set(cell.metadata.get("tags", ()))


def compared(cell: NotebookNode) -> bool:
    """Whether a cell's output is compared."""
    return cell.cell_type == "code" and "nbval-ignore-output" not in tags(cell)


def runs_here(cell: NotebookNode) -> bool:
    """Whether this is a code cell that this machine can run."""
    own_server = redis_service.binary() is not None
    if environment.redis_url() or environment.only_fakeredis():
        own_server = False
    return cell.cell_type == "code" and (own_server or "redis-server" not in tags(cell))


def main(arguments: list[str] | None = None) -> int:
    """Run the notebook that the command line names; return the exit code."""
    parser = argparse.ArgumentParser(prog="python -m tests.notebooks_shuffled")
    parser.add_argument("notebook", type=Path, metavar="NOTEBOOK")
    parser.add_argument("--shuffles", type=int, default=10, metavar="N")
    parser.add_argument("--seed", type=int, default=1, metavar="S")
    chosen = parser.parse_args(arguments)
    found = 0
    for difference in differences(chosen.notebook, chosen.shuffles, chosen.seed):
        found += 1
        print(difference, end="\n\n", flush=True)
    how = f"{chosen.shuffles} shuffles from seed {chosen.seed}"
    print(f"{chosen.notebook}: {how}: {found or 'no'} runs of a cell put out another text")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
