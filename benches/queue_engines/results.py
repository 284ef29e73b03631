"""The table, the figure and the file of `benches/queues.py`."""

from __future__ import annotations

import statistics
from typing import Any

import matplotlib.pyplot as plt
from benches.compared.pages import Row, fenced, load
from benches.compared.pages import write as write_page
from benches.compared.ratios import as_text, spread
from benches.queue_engines.engines import BARE, ENGINES, version_of

from raceproof import draw


def summary(
    speeds: dict[str, list[float]], soon: dict[str, Any], kills: dict[str, Any]
) -> list[Row]:
    """Return a row for each engine; a ratio is to the bare commands of the same round."""
    rows = []
    for engine in ENGINES:
        rates = speeds[engine.name]
        found = spread(rates, speeds[BARE])
        row = {"engine": engine.name, "version": version_of(engine.package)}
        row |= {"setting": engine.setting, "source": engine.source, "at once": engine.at_once}
        row |= {"jobs a second": round(statistics.median(rates))}
        row |= {"times bare": found["times"], "least": found["least"], "most": found["most"]}
        rows.append({**row, **soon.get(engine.name, {}), **kills.get(engine.name, {})})
    return rows


def table(rows: list[Row]) -> draw.Table:
    """Return what is shown."""
    columns = ["engine", "jobs/s", "times bare (rounds)", "put to start, p50", "p99"]
    columns += ["kills", "lost", "doubled", "setting"]
    cells = []
    for row in rows:
        cell = [f"{row['engine']} {row['version']}".strip(), f"{row['jobs a second']:,}"]
        cell += [as_text({**row, "times": row["times bare"]})]
        cell += [f"{row[key]:.1f} ms" if key in row else "" for key in ("p50", "p99")]
        cell += [str(row.get(key, "")) for key in ("kills", "lost", "doubled")]
        cells.append([*cell, row["setting"]])
    return draw.table(columns, cells, caption="Queues side by side, one worker process each")


def figure(rows: list[Row]) -> draw.Picture:
    """Draw the speeds with their spread, and the jobs lost; where jobs were lost is the accent."""
    with draw.style():
        fig, (left, right) = plt.subplots(1, 2, figsize=(9, 4.2), sharey=True, width_ratios=(3, 2))
        names = [row["engine"] for row in rows]
        middle = [row["times bare"] for row in rows]
        spread = [
            [row["times bare"] - row["least"] for row in rows],
            [row["most"] - row["times bare"] for row in rows],
        ]
        ours = ("ReliableQueue", "StreamQueue")
        colours = [draw.colour(0) if name in ours else draw.colour(4) for name in names]
        left.barh(names, middle, xerr=spread, color=colours)
        left.set(xlabel="times the speed of BLMOVE + LREM (line: all rounds)")
        lost = [row.get("lost", 0) for row in rows]
        bars = right.barh(names, lost, color=draw.ACCENT)
        right.bar_label(bars, [str(row.get("lost", "?")) for row in rows], padding=4)
        kills = max((row.get("kills", 0) for row in rows), default=0)
        right.set(xlabel=f"jobs lost in {kills} kills", xlim=(0, max([*lost, 1]) * 1.25))
        left.invert_yaxis()
        for ax in (left, right):
            ax.grid(axis="y", visible=False)
    return draw.show(
        fig,
        title="Our queues lose no job, and are ahead of six engines",
        alt="Two bar charts with a bar for each engine. Left, its speed as a share of bare BLMOVE "
        "and LREM, with the spread over all rounds. Right, how many jobs were lost when its worker "
        "was killed again and again.",
    )


def replace(name: str, kills: dict[str, int]) -> None:
    """Write the file again with what became of one engine's jobs when it was killed anew."""
    found = load("queues")
    rows = [row | kills if row["engine"] == name else row for row in found["rows"]]
    write(rows, found["how"], found["machine"])


def write(rows: list[Row], how: dict[str, Any], on: dict[str, Any]) -> None:
    """Write the file that tests and texts are held against, the table and the figure."""
    sources = "\n".join(f"- {row['engine']}: {row['setting']} ({row['source']})" for row in rows)
    about = "Jobs that come one by one wait for each other where an engine makes fewer a second. "
    about += "*Lost*: put, and not done half a minute after the last sign of life of any job."
    body = f"{about}\n\n{fenced(table(rows))}\n{sources}\n"
    found = {"machine": on, "how": how, "rows": rows}
    write_page("queues", "Queues side by side", found, body, figure(rows))
