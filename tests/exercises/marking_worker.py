"""A process that marks answers: python -m tests.exercises.marking_worker NOTEBOOK CELL

It reads a JSON line `{"name": …, "source": …}` for each answer, marks it as the notebook's own
cell does, with the same call of the marker, and writes a line with the verdict.
"""

from __future__ import annotations

import ast
import contextlib
import io
import json
import linecache
import sys
import time
from typing import Any

from tests.exercises.marking_process import PATIENCE
from tests.exercises.notebook_slice import code_cells, statements_for

from workshop.exercises import marking


def marking_call(cell: str) -> tuple[str, str]:
    """Return the call of a marker that ends a cell, and the learner's name in it."""
    last = ast.parse(cell).body[-1]
    names = [node.id for node in ast.walk(last) if isinstance(node, ast.Name)]
    own = sorted({name for name in names if name.startswith("my_")})
    if not isinstance(last, ast.Expr) or len(own) != 1:
        raise ValueError(f"no call of a marker with one name of the learner's: {cell!r}")
    return ast.unparse(last), own[0]


def mark(notebook: str, cell: str, name: str, source: str) -> dict[str, Any]:
    """Mark an answer in a fresh namespace; return what the verdict says, and after how long."""
    call, own = marking_call(code_cells(notebook)[cell])
    space: dict[str, Any] = {"__name__": "__main__"}
    needed = statements_for(notebook, cell, f"{source}\n{call}")
    exec(compile(ast.Module(needed, []), f"{notebook}.ipynb", "exec"), space)
    file = f"answer: {name}"
    linecache.cache[file] = (len(source), None, source.splitlines(True), file)
    marking.SECONDS = PATIENCE  # by the clock; what counts here is the work
    start, worked = time.monotonic(), time.process_time()
    exec(compile(source, file, "exec"), space)
    verdict = eval(call, {**space, own: space["answer"]})
    return {
        "passed": verdict.passed,
        "sentence": verdict.sentence,
        "text": str(verdict),
        "seconds": time.monotonic() - start,
        "worked": time.process_time() - worked,
    }


def main(notebook: str, cell: str) -> None:
    """Mark what standard input asks for; what the answers print is swallowed."""
    answers, sys.stdout = sys.stdout, sys.stderr
    for line in sys.stdin:
        asked = json.loads(line)
        with contextlib.redirect_stderr(io.StringIO()):
            told = mark(notebook, cell, asked["name"], asked["source"])
        print(json.dumps(told), file=answers, flush=True)


if __name__ == "__main__":
    main(*sys.argv[1:])
