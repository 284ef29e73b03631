"""All orders of some bases at once: a grid, coloured by how each order comes out."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from raceproof.draw.charts import ACCENT, QUIET, WIDTH, show, style
from raceproof.draw.picture import Picture

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from patterns.mixins import Orders

KINDS = {  # outcome: sign, fill, ink, words
    "complete": ("✓", "#cfe3f1", "#00466f", "complete"),
    "dropped": ("✗", ACCENT, "#ffffff", "drops a class, without a word"),
    "raised": ("!", "#ead9a8", "#5c4600", "raises when called"),
    "not seen": ("?", "#ffffff", QUIET, "not seen"),
    "no MRO": ("-", "#ece9e1", QUIET, "no MRO: the class statement raises"),
    "refused": ("R", "#ddd6ea", "#332288", "refused by the base"),
}


def orders_grid(
    rows: Mapping[str, Orders], *, title: str, names: Sequence[str] = (), heads: str = ""
) -> Picture:
    """Draw a grid: a row for each entry, a column for each order, coloured by outcome.

    `names` are short names of the bases, in the order they were given; a column is
    headed by them, the left one of the class statement on top. `heads` says what the
    rows' names mean.
    """
    from matplotlib.figure import Figure
    from matplotlib.patches import Rectangle

    counts = [found.counts for found in rows.values()]
    across, deep = max(map(len, rows.values())), len(next(iter(rows.values())).outcomes[0].order)
    labels = max(len(heads) * 0.07, max(map(len, rows)) * 0.078) + 0.3
    cell = min(0.42, (WIDTH - labels - 1.9) / across)
    with style():
        tall = len(rows) * 0.36 + deep * 0.17 + 1.0
        figure = Figure(figsize=(WIDTH, tall))
        ax = figure.add_subplot()
        ax.set_axis_off()
        ax.set(xlim=(-labels, WIDTH - labels), ylim=(len(rows) * 0.36 + 0.5, -deep * 0.17 - 0.1))
        ax.grid(visible=False)
        for column, outcome in enumerate(next(iter(rows.values()))):
            for depth, base in enumerate(outcome.order):
                name = names[_position(outcome.order, base, rows)] if names else base.__name__
                at = (column + 0.5) * cell, (depth - deep) * 0.17 + 0.03
                ax.text(*at, name, ha="center", va="center", fontsize=7.5, color=QUIET)
        ax.text(-0.08, -0.12, heads, ha="right", va="center", fontsize=8, color=QUIET)
        for line, (label, found) in enumerate(rows.items()):
            ax.text(-0.08, line * 0.36 + 0.18, label, ha="right", va="center", fontsize=9)
            for column, outcome in enumerate(found):
                sign, fill, ink, _ = KINDS[outcome.kind]
                corner = column * cell, line * 0.36
                ax.add_patch(Rectangle(corner, cell * 0.94, 0.33, facecolor=fill, linewidth=0))
                middle = (column + 0.47) * cell, line * 0.36 + 0.165
                ax.text(*middle, sign, ha="center", va="center", fontsize=9, color=ink)
            share = f"{counts[line].get('complete', 0)} of {len(found)} complete"
            right = len(found) * cell + 0.1
            ax.text(right, line * 0.36 + 0.18, share, va="center", fontsize=9)
        _key(ax, {kind for count in counts for kind in count}, len(rows) * 0.36 + 0.32, -labels)
        return show(figure, title=title, alt=_grid_in_words(rows))


def _position(order: Sequence[type], base: type, rows: Mapping[str, Orders]) -> int:
    return list(next(iter(rows.values())).outcomes[0].order).index(base)


def _key(ax: Axes, kinds: set[str], y: float, x: float) -> None:
    from matplotlib.patches import Rectangle

    for kind, (sign, fill, ink, words) in KINDS.items():
        if kind in kinds:
            ax.add_patch(Rectangle((x, y - 0.12), 0.26, 0.24, facecolor=fill, linewidth=0))
            ax.text(x + 0.13, y, sign, color=ink, fontsize=9, va="center", ha="center")
            ax.text(x + 0.36, y, words, fontsize=9, va="center")
            x += 0.36 + len(words) * 0.066 + 0.3


def _grid_in_words(rows: Mapping[str, Orders]) -> str:
    parts = []
    for label, found in rows.items():
        counts = ", ".join(f"{count} {kind}" for kind, count in found.counts.items())
        parts.append(f"{label}: {counts}.")
    return "A grid with a row for each version and a column for each order. " + " ".join(parts)
