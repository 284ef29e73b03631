"""Marks answers in another process, which is replaced when it takes too long.

Where the system can fork, each process begins as a copy of one that has imported everything.
"""

from __future__ import annotations

from multiprocessing.connection import Connection
from multiprocessing.process import BaseProcess
from typing import Any

from tests import forking
from tests.exercises.bank import Answer, AnswerFile
from tests.exercises.marking_worker import PATIENCE, serve


class MarkingProcess:
    """Marks answers, one after another; `hurried` loses its patience sooner than a notebook."""

    def __init__(self, *, hurried: bool = True) -> None:
        self._context = forking.context()
        self._hurried = hurried
        self._process: BaseProcess | None = None
        self._line: Connection | None = None

    def mark(self, file: AnswerFile, answer: Answer, patience: float = PATIENCE) -> dict[str, Any]:
        """Return the verdict. Raises TimeoutError if there is none, RuntimeError if it died."""
        line = self._line = self._line or self._start()
        line.send((file.notebook, file.cell, answer.call or file.call, answer.name, answer.source))
        if not line.poll(patience):
            self.end()
            raise TimeoutError(f"{answer.name!r} has no verdict after {patience:g} s")
        try:
            told: dict[str, Any] = line.recv()
        except EOFError:
            self.end()
            raise RuntimeError(f"{answer.name!r} ended the process that marked it") from None
        return told

    def end(self) -> None:
        """End the process, if there is one."""
        if self._process is not None:
            self._process.kill()
            self._process.join()
            self._process = self._line = None

    def _start(self) -> Connection:
        ours, theirs = self._context.Pipe()
        given = (theirs, self._hurried)
        self._process = self._context.Process(target=serve, args=given, daemon=True)
        self._process.start()
        theirs.close()
        return ours
