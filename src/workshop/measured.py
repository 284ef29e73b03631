"""Figures of what was measured once and is kept in `data/`, for more than one notebook."""

from __future__ import annotations

import matplotlib.pyplot as plt
import pandas as pd
from matplotlib.figure import Figure

from raceproof import draw


def writers_figure(rows: pd.DataFrame, what: str) -> Figure:
    """Return what SQLite and PostgreSQL made of so many writers, as lines, with their spread.

    In: rows of `data/sql_writers.csv` for one call, and what is counted, for the axis.
    """
    with draw.style():
        figure, ax = plt.subplots(figsize=(8, 3.4))
        for number, (name, some) in enumerate(rows.groupby("database", sort=False)):
            colour = draw.colour(number)
            ax.plot(some["writers"], some["calls_per_second"], color=colour, marker="o")
            ax.fill_between(some["writers"], some["least"], some["most"], color=colour, alpha=0.2)
            draw.label_line(ax, str(name), colour)
        ax.set(xlabel="processes that write at the same time", ylabel=f"{what} a second")
        ax.set(xticks=sorted(set(rows["writers"])), ylim=(0, None))
    return figure
