"""Marks answers as the notebooks' own cells do, in a process that is there for nothing else."""

from __future__ import annotations

import ast
import contextlib
import gc
import io
import linecache
import os
import time
import zlib
from functools import cache
from multiprocessing.connection import Connection
from typing import Any

from tests.exercises import client_memory, service_memory
from tests.exercises.bank import NOTEBOOKS
from tests.exercises.notebook_slice import code_cells, statements_for

from raceproof.search import client_thread, replay, service_states, thread_watch
from raceproof.wire.redis import looking
from workshop.exercises import attempt, marking

PATIENCE = 60.0  # seconds by the clock, on a machine that has other things to do


def serve(line: Connection, hurried: bool = True) -> None:
    """Mark what is asked for until the other side closes; what the answers print is swallowed."""
    gc.freeze()  # what was imported stays: each search for cycles would go through it again
    gc.set_threshold(200_000)  # nor through a whole report, just before that is let go
    os.chdir(NOTEBOOKS)
    if hurried:
        hurry()
    service_memory.use()
    client_memory.use()
    with contextlib.suppress(EOFError), contextlib.ExitStack() as swallowed:
        swallowed.enter_context(contextlib.redirect_stdout(io.StringIO()))
        swallowed.enter_context(contextlib.redirect_stderr(io.StringIO()))
        while True:
            line.send(mark(*line.recv()))


def hurry() -> None:
    """Let an answer that does not end be told so sooner: it is told the same.

    Only the clock is given more time than a learner has: what counts here is the work. And fewer
    schedules are made again: whether the same few worlds are made anew the same each time need not
    be found out with each answer.
    """
    client_thread.PATIENCE = 0.2
    attempt.SECONDS = 0.2
    thread_watch._SLOW = 30
    looking.MOST = 100
    marking.SECONDS = PATIENCE
    marking.STATES = 10_000
    replay.SCHEDULES = 2
    service_states.REMADE_FIRST, service_states.REMADE_LATER = 2, 50


def marking_call(cell: str) -> tuple[str, str]:
    """Return the call of a marker that ends a cell, and the learner's name in it."""
    last = ast.parse(cell).body[-1]
    names = [node.id for node in ast.walk(last) if isinstance(node, ast.Name)]
    own = sorted({name for name in names if name.startswith("my_")})
    if not isinstance(last, ast.Expr) or len(own) != 1:
        raise ValueError(f"no call of a marker with one name of the learner's: {cell!r}")
    return ast.unparse(last), own[0]


def mark(notebook: str, cell: str, call: str, name: str, source: str) -> dict[str, Any]:
    """Mark an answer in a namespace of its own, with the same call of the marker as the cell.

    With `call`, with that one, of `answer` if it names that. Return what the verdict says, and
    the work.
    """
    call, own = (call, "answer") if call else marking_call(code_cells(notebook)[cell])
    needed = statements_for(notebook, cell, f"{source}\n{call}", own)
    space = dict(_namespace(notebook, ast.unparse(ast.Module(needed, []))))
    service_memory.begin((notebook, cell))
    client_memory.begin()
    worked = time.process_time()
    exec(_compiled(source, f"answer: {name}"), space)
    verdict = eval(call, {**space, own: space.get("answer")})
    return {
        "passed": verdict.passed,
        "sentence": verdict.sentence,
        "text": str(verdict),
        "worked": time.process_time() - worked,
    }


@cache
def _namespace(notebook: str, code: str) -> dict[str, Any]:
    """Return what the notebook's code defines; the next answer that needs the same gets it too."""
    space: dict[str, Any] = {"__name__": "__main__"}
    exec(_compiled(code, f"{notebook}, {zlib.crc32(code.encode())}"), space)
    return space


def _compiled(code: str, name: str) -> Any:
    """Compile code that belongs to a cell, as verdicts tell by the file's name."""
    file = f"ipykernel, {name}"
    linecache.cache[file] = (len(code), None, code.splitlines(True), file)
    return compile(code, file, "exec")
