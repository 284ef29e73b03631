"""Marks answers in another process, which is replaced when it takes too long."""

from __future__ import annotations

import json
import os
import queue
import subprocess
import sys
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

SECONDS = 20.0  # that a verdict may take, of the process's own work
PATIENCE = 60.0  # seconds by the clock, on a machine that has other things to do
ROOT = Path(__file__).parents[2]


class MarkingProcess:
    """Marks the answers to one exercise, one after another."""

    def __init__(self, notebook: str, cell: str, call: str = "") -> None:
        worker = [sys.executable, "-m", "tests.exercises.marking_worker"]
        self._command = [*worker, notebook, cell, call]
        self._process: subprocess.Popen[str] | None = None
        self._lines: queue.Queue[str] = queue.Queue()

    def mark(self, name: str, source: str, patience: float = PATIENCE) -> dict[str, Any]:
        """Return the verdict. Raises TimeoutError if there is none, RuntimeError if it died."""
        process = self._process = self._process or self._start()
        assert process.stdin is not None
        process.stdin.write(json.dumps({"name": name, "source": source}) + "\n")
        process.stdin.flush()
        try:
            line = self._lines.get(timeout=patience)
        except queue.Empty:
            self.end()
            raise TimeoutError(f"{name!r} has no verdict after {patience:g} s") from None
        if not line:
            self.end()
            raise RuntimeError(f"{name!r} ended the process that marked it")
        told: dict[str, Any] = json.loads(line)
        return told

    def end(self) -> None:
        """End the process, if there is one."""
        if self._process is not None:
            self._process.kill()
            self._process.wait()
            self._process = None

    def _start(self) -> subprocess.Popen[str]:
        process = subprocess.Popen(
            self._command,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            cwd=ROOT / "notebooks",
            env={**os.environ, "PYTHONPATH": str(ROOT)},
        )
        lines = self._lines = queue.Queue()
        assert process.stdout is not None
        read: Callable[[], str] = process.stdout.readline

        def pass_on() -> None:
            while line := read():
                lines.put(line)
            lines.put("")

        threading.Thread(target=pass_on, daemon=True).start()
        return process
