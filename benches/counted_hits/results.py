"""The table, the figure and the file of `benches/counters.py`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import matplotlib.pyplot as plt
from benches.compared.costs import Cost
from benches.compared.pages import Row, fenced
from benches.compared.pages import write as write_page
from benches.compared.ratios import as_text, middle, spread
from benches.counted_hits.ways import BESIDE, DIRECT

from raceproof import draw


def summary(found: Mapping[str, Sequence[Cost]]) -> list[Row]:
    """Return a row for each way; ratios are to the bare command, and to SQL, of the same round."""
    rows = []
    for name, all_ in found.items():
        rates = [one.per_second for one in all_]
        row: Row = {"way": name, "hits a second": round(middle(rates))}
        row |= {"client": middle([one.here for one in all_])}
        row |= {"server": middle([one.server for one in all_])}
        row["times direct"] = spread(rates, [one.per_second for one in found[DIRECT]])
        if name in BESIDE:
            bare = found[BESIDE[name]]
            row["times bare"] = spread(rates, [one.per_second for one in bare])
            row["cpu times bare"] = spread([o.both for o in all_], [o.both for o in bare])
        rows.append(row)
    return rows


def table(rows: list[Row]) -> draw.Table:
    """Return what is shown."""
    columns = ["way", "hits/s", "times a transaction a hit (rounds)", "times the bare command"]
    columns += ["client CPU", "server CPU", "CPU, times the bare command"]
    cells = []
    for row in rows:
        bare = as_text(row["times bare"]) if "times bare" in row else ""
        cell = [row["way"], f"{row['hits a second']:,}", as_text(row["times direct"]), bare]
        cell += [f"{row['client']} µs", f"{row['server']} µs" if row["server"] else ""]
        cells.append([*cell, as_text(row["cpu times bare"]) if bare else ""])
    return draw.table(columns, cells, caption="Hits that are all counted, one writer")


def figure(rows: list[Row]) -> draw.Picture:
    """Draw the rates beside one SQL transaction a hit, with their spread."""
    with draw.style():
        fig, ax = plt.subplots(figsize=(9, 3.8))
        names = [row["way"] for row in rows]
        times = [row["times direct"] for row in rows]
        spreads = [
            [t["times"] - t["least"] for t in times],
            [t["most"] - t["times"] for t in times],
        ]
        colours = [draw.colour(0) if name in BESIDE else draw.colour(4) for name in names]
        bars = ax.barh(names, [t["times"] for t in times], xerr=spreads, color=colours)
        ax.bar_label(bars, [f"{row['hits a second']:,}/s" for row in rows], padding=6, fontsize=8)
        ax.set(xscale="log", xlabel="times one SQL transaction a hit (log; line: all rounds)")
        ax.set_xlim(right=max(t["most"] for t in times) * 6)
        ax.invert_yaxis()
        ax.grid(axis="y", visible=False)
    return draw.show(
        fig,
        title="A buffered hit costs about what its command to Redis costs",
        alt="A bar chart with a bar for each way to count a hit: how many times faster than one "
        "SQL transaction for each hit, with the spread over all rounds.",
    )


def write(rows: list[Row], how: dict[str, Any], on: dict[str, Any]) -> None:
    """Write the file that tests and texts are held against, the table and the figure."""
    about = "Every total is compared with the hits sent: of the counters it is the one in SQL "
    about += "(SQLite), with a flush each second and one at the end, which counts. *Times the bare "
    about += "command*: HINCRBY of the same round, alone or in the same pipeline; CPU is the "
    about += "processor time of one hit, in the client's process and in redis-server."
    found = {"machine": on, "how": how, "rows": rows}
    write_page("counters", "Counters", found, f"{about}\n\n{fenced(table(rows))}", figure(rows))
