"""The tables, the figure and the file of `benches/transfers.py`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import matplotlib.pyplot as plt
from benches.compared.pages import Row, fenced
from benches.compared.pages import write as write_page
from benches.compared.ratios import as_text, middle, spread
from benches.money_moved.trials import Moved
from benches.money_moved.versions import OURS, PENDING

from raceproof import draw

WANTED = 4.0  # times pending, 8 clients on 20 accounts


def summary(clients: int, found: Mapping[str, Sequence[Moved]]) -> list[Row]:
    """Return a row for each version; a ratio is to the pending version of the same round."""
    rows = []
    base = [one.per_second for one in found[PENDING]]
    for name, all_ in found.items():
        rates = [one.per_second for one in all_]
        row: Row = {"version": name, "clients": clients, "a second": middle(rates)}
        for part in ("requests", "here", "server"):
            row[part] = middle([getattr(one, part) for one in all_], 2)
        rows.append(row | spread(rates, base))
    return rows


def tables(found: dict[str, Any]) -> list[draw.Table]:
    """Return what is shown."""
    cells = []
    for row in found["rows"]:
        cell = [str(row["clients"]), row["version"], f"{row['a second']:,.0f}", as_text(row)]
        cell += [f"{row['requests']:.1f}" if row["requests"] else "", f"{row['here']:.1f} ms"]
        cells.append([*cell, f"{row['server']:.1f} ms" if row["server"] else ""])
    columns = ["clients", "version", "transfers/s", "times pending (rounds)", "requests"]
    columns += ["clients' CPU", "server's CPU"]
    accounts = found["how"]["accounts"]
    shown = [draw.table(columns, cells, caption=f"Transfers between {accounts} accounts")]
    if found["growth"]:
        sizes = [f"{size:,}" for size in found["how"]["sizes"]]
        lines = [[name, *(f"{ms:.1f} ms" for ms in took)] for name, took in found["growth"].items()]
        shown.append(draw.table(["a transfer, with so many before it", *sizes], lines))
    return shown


def figure(found: dict[str, Any]) -> draw.Picture:
    """Draw the speeds beside the pending version, with their spread, for each number of clients."""
    groups = list(dict.fromkeys(row["clients"] for row in found["rows"]))
    with draw.style():
        fig, axes = plt.subplots(1, len(groups), figsize=(9, 3), sharey=True, squeeze=False)
        for ax, clients in zip(axes[0], groups, strict=True):
            rows = [row for row in found["rows"] if row["clients"] == clients]
            low = [row["times"] - row["least"] for row in rows]
            high = [row["most"] - row["times"] for row in rows]
            colours = [draw.colour(0 if row["version"] == OURS else 4) for row in rows]
            names = [row["version"] for row in rows]
            bars = ax.barh(names, [r["times"] for r in rows], xerr=[low, high], color=colours)
            words = [f"{row['a second']:,.0f}/s" for row in rows]
            paper = dict(facecolor=draw.PAPER, edgecolor="none", pad=1)  # hides the line behind
            ax.bar_label(bars, words, padding=6, fontsize=8, bbox=paper)
            ax.axvline(WANTED, color=draw.ACCENT, zorder=0)
            ax.set(xlabel=f"times pending, {clients} client{'s' * (clients > 1)}")
            ax.set_xlim(right=max(row["most"] for row in rows) * 1.35)
            ax.grid(axis="y", visible=False)
        axes[0][0].invert_yaxis()
    [ours] = [r for r in found["rows"] if (r["version"], r["clients"]) == (OURS, groups[-1])]
    return draw.show(
        fig,
        title=f"{groups[-1]} clients: Bank makes {ours['times']:.1f} times the transfers of the "
        "pending version",
        alt="Bar charts, one for each number of clients, with a bar for each version: transfers a "
        "second as a multiple of the pending version, with the spread over all rounds and a line "
        "at four.",
    )


def write(found: dict[str, Any]) -> None:
    """Write the file that tests and texts are held against, the tables and the figure."""
    about = "Each client is a thread of one process with a session or a connection of its own; "
    about += "CPU is the processor time of one transfer, in that process and in the server of "
    about += "CouchDB's protocol, if we started it. SQLite and PostgreSQL as they come: both wait "
    about += "for the disk, which the private CouchDB, in memory, does not. The line is at 4."
    shown = "\n".join(fenced(table) for table in tables(found))
    name, title, command = "transfers", "Transfers", ""
    if found["machine"]["couch"].startswith("Apache"):
        name, title = "transfers_apache", "Transfers on Apache CouchDB"
        command = "COUCHDB_URL=http://… python benches/transfers.py"
    body = f"{about}\n\n{shown}"
    write_page(name, title, found, body, figure(found), command=command)
