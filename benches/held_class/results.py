"""The table, the figure and the file of `benches/classroom.py`."""

from __future__ import annotations

from typing import Any

import matplotlib.pyplot as plt
from benches.compared.pages import Row, fenced
from benches.compared.pages import write as write_page

from raceproof import draw

from .measured import Measured, quantile

WANTED = 0.3  # seconds from tick to board, of 99 in 100
SLOT = 10.0  # seconds of the class for each point of the figure


def summary(measured: Measured) -> dict[str, Any]:
    """Return what is kept of a class: a row for each time, and how it went on."""
    began = min(measured.sent.values())
    rows: list[Row] = [
        {
            "when": when,
            "ticks": len(waits),
            "p50": round(quantile(waits, 50), 3),
            "p99": round(quantile(waits, 99), 3),
        }
        for when, waits in measured.waits().items()
    ]
    return {
        "rows": rows,
        "acknowledged": len(measured.told),
        "wrong": len(measured.wrong()),
        "again": len(measured.again),
        "connections": measured.connections,
        "memory": round(measured.memory),
        "kills": [round(at - began, 1) for at in measured.kills],
        "course": [[round(part, 3) for part in slot] for slot in measured.course(SLOT)],
    }


def table(found: dict[str, Any]) -> draw.Table:
    """Return what is shown."""
    cells = []
    for row in found["rows"]:
        waits = [f"{row[name] * 1000:,.0f} ms" for name in ("p50", "p99")]
        cells.append([row["when"], f"{row['ticks']:,}", *waits])
    return draw.table(["ticks sent", "number", "to the board: half", "99 of 100"], cells)


def figure(found: dict[str, Any]) -> draw.Picture:
    """Draw the wait from tick to board in the course of the class."""
    middles, half, most = zip(*found["course"], strict=True)
    with draw.style():
        fig, ax = plt.subplots(figsize=(9, 3))
        for at, (name, waits) in enumerate((("half", half), ("99 of 100", most))):
            ax.plot(middles, waits, color=draw.colour(at), label=name)
        for kill in found["kills"][::2]:  # the second of three is when the server is back
            ax.axvline(kill, color=draw.ACCENT)
        ax.axhline(WANTED, color=draw.ACCENT, linewidth=0.5)
        ax.set(yscale="log", xlabel="seconds of the class", ylabel="s from tick to board")
        ax.legend()
    calm = max(row["p99"] for row in found["rows"] if row["when"] != "in a kill")
    return draw.show(
        fig,
        title=f"{found['how']['learners']:,} learners, out of a kill: 99 of 100 ticks are on the "
        f"board within {calm * 1000:,.0f} ms",
        alt="Line chart of the seconds from a tick to the board in the course of a class, half of "
        "the ticks and 99 of 100, with a vertical line where the server and where Redis was "
        "killed, and a horizontal one at 0.3 seconds.",
    )


def write(found: dict[str, Any]) -> None:
    """Write the file that tests and texts are held against, the table and the figure."""
    about = "Each learner joins, keeps a poll of the board open, and reports solves at random "
    about += "times, each until it is acknowledged; the instructor's board is a stream. The "
    about += "class's server with all that it has started is killed at a third of the time, Redis "
    about += "alone at two thirds. What was sent from a second before a kill until five after it, "
    about += "or after the server was back, is counted apart. The learners are a process on the "
    about += "same cores.\n\n"
    about += f"{found['acknowledged']:,} solves were acknowledged, {found['wrong']} are not stored "
    about += f"once with the time that was told, or never came to the board; {found['again']} had "
    about += f"to be sent again. The server had {found['connections']} connections to Redis and "
    about += f"{found['memory']} MB."
    body = f"{about}\n\n{fenced(table(found))}"
    write_page("classroom", "A class", found, body, figure(found))
