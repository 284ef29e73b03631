"""A process that marks answers: python -m tests.exercises.marking_worker NOTEBOOK CELL [CALL]

It reads a JSON line `{"name": …, "source": …}` for each answer, marks it as the notebook's own
cell does, with the same call of the marker (or with CALL, of `answer`), and writes a line with
the verdict.
"""

from __future__ import annotations

import ast
import contextlib
import io
import json
import linecache
import sys
import time
from functools import cache
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


def mark(notebook: str, cell: str, call: str, name: str, source: str) -> dict[str, Any]:
    """Mark an answer in a namespace of its own; return what the verdict says, and how fast."""
    call, own = (call, "answer") if call else marking_call(code_cells(notebook)[cell])
    needed = statements_for(notebook, cell, f"{source}\n{call}", own)
    space = dict(_namespace(notebook, ast.unparse(ast.Module(needed, []))))
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


@cache
def _namespace(notebook: str, code: str) -> dict[str, Any]:
    """Return what the notebook's code defines; the next answer that needs the same gets it too."""
    space: dict[str, Any] = {"__name__": "__main__"}
    exec(compile(code, f"{notebook}.ipynb", "exec"), space)
    return space


def main(notebook: str, cell: str, call: str = "") -> None:
    """Mark what standard input asks for; what the answers print is swallowed."""
    answers, sys.stdout = sys.stdout, sys.stderr
    for line in sys.stdin:
        asked = json.loads(line)
        with contextlib.redirect_stderr(io.StringIO()):
            told = mark(notebook, cell, call, asked["name"], asked["source"])
        print(json.dumps(told), file=answers, flush=True)


if __name__ == "__main__":
    main(*sys.argv[1:])
