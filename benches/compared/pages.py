"""What a bench found, as a file that tests and texts are held against, a page and a figure."""

from __future__ import annotations

import datetime
import json
import os
import platform
from pathlib import Path
from typing import Any

import redis

from raceproof import draw
from workshop import services

from .environments import ROOT

RESULTS = ROOT / "benches" / "results"
Row = dict[str, Any]


def machine(**more: str) -> dict[str, Any]:
    """Return what the numbers depend on, `more` with it: no name of a machine is in it.

    Call it first: the load is that of others, before the bench begins.
    """
    cpu = "unknown"
    if Path("/proc/cpuinfo").exists():
        lines = Path("/proc/cpuinfo").read_text().splitlines()
        models = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
        cpu = models[0] if models else cpu
    return {
        "cores": os.cpu_count(),
        "cpu": cpu,
        "load": round(os.getloadavg()[0], 1) if hasattr(os, "getloadavg") else None,
        "system": platform.system(),
        "python": platform.python_version(),
        "redis": services.about("redis").split(",")[0],
        "redis-py": redis.__version__,
        **more,
        "date": datetime.datetime.now(datetime.UTC).date().isoformat(),
    }


def load(name: str) -> dict[str, Any]:
    """Return what a bench found last."""
    found: dict[str, Any] = json.loads((RESULTS / f"{name}.json").read_text("utf-8"))
    return found


def write(
    name: str,
    title: str,
    found: dict[str, Any],
    body: str,
    picture: draw.Picture | None = None,
    *,
    command: str = "",
) -> None:
    """Write benches/results/NAME.json, .md and .png; `found` has the machine, how, and rows.

    `command` (`python benches/NAME.py`): what a reader runs to get the same.
    """
    RESULTS.mkdir(exist_ok=True)
    text = json.dumps(found, indent=1, ensure_ascii=False)
    (RESULTS / f"{name}.json").write_text(text + "\n", "utf-8")
    parts = {**found["machine"], **found["how"]}
    about = ", ".join(f"{part} {value}" for part, value in parts.items())
    wrote = command or f"python benches/{name}.py"
    header = f"# {title}\n\n`{wrote}` wrote this.\n\n{about}."
    page = f"{header} Only ratios of one run can be compared, and a busy machine spreads its rounds"
    page += f" (load: of others, before it began).\n\n{body.strip()}\n"
    if picture is not None:
        page += f"\n![The figure]({name}.png)\n"
        (RESULTS / f"{name}.png").write_bytes(picture.png)
    (RESULTS / f"{name}.md").write_text(page, "utf-8")


def fenced(table: draw.Table) -> str:
    """Return a table as a page shows it."""
    return f"```\n{table}\n```\n"
