"""Each search on each program, in a process of its own, for so many rounds."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from importlib.metadata import version
from typing import Any

from benches.compared.environments import ROOT, make_environment, python_in
from benches.search_programs.programs import ERROR, PROGRAMS, Program

PEER = "frontrun"
PATIENCE = 90.0  # seconds for all rounds of one search, its start and its import included
Found = dict[str, Any]  # verdict, seconds, said


@dataclass(frozen=True)
class Search:
    """One search: its name, its command, and whether clients that die are what it is for."""

    name: str
    command: tuple[str, ...]
    has_crashes: bool
    rounds: int | None = None  # fewer than are asked for, where each takes long


def searches() -> tuple[Search, ...]:
    """Ours, and frontrun in threads and in processes."""
    python = python_in(PEER)
    begin = [python.replace("/python", "/frontrun"), python, "-m"]
    peer = (*begin, "benches.search_programs.with_frontrun")
    ours = (sys.executable, "-m", "benches.search_programs.with_raceproof")
    return (
        Search("raceproof", ours, has_crashes=True),
        Search("frontrun, threads", (*peer, "thread"), has_crashes=False),
        Search("frontrun, processes", (*peer, "process"), has_crashes=False, rounds=1),
    )


def make_peer() -> None:
    """Make frontrun's environment: with our versions of the clients, so that they are the same."""
    ours = [f"{package}=={version(package)}" for package in ("redis", "sqlalchemy")]
    psycopg = f"psycopg[binary]=={version('psycopg')}"
    make_environment(PEER, ["frontrun[process]==0.7.0", *ours, psycopg])


def run(search: Search, program: Program, rounds: int, urls: Sequence[str]) -> list[Found]:
    """Search a program so often; return what was found each time."""
    rounds = min(rounds, search.rounds or rounds)
    number = str(PROGRAMS.index(program))
    process = subprocess.Popen(
        [*search.command, number, str(rounds), *urls],
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,  # frontrun's command and its workers are processes too
    )
    try:
        said, errors = process.communicate(timeout=PATIENCE)
    except subprocess.TimeoutExpired:
        said, errors = "", "no answer in time"
    finally:
        with suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        process.wait()
    found = [json.loads(line) for line in said.splitlines() if line.startswith("{")]
    if len(found) < rounds:  # it failed, or did not answer in time
        found.append({"verdict": ERROR, "seconds": PATIENCE, "said": errors.strip()[-100:]})
    return found
