"""The class diagram in MRO order, with the calls that were really made drawn on it."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from raceproof.draw.charts import ACCENT, ACCENT_INK, INK, PALETTE, PAPER, QUIET, WIDTH, show, style
from raceproof.draw.picture import Picture
from workshop.mro_pictures.call_table import left_out

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from patterns.mixins import MroTable
    from patterns.mixins.audit import MroRow

CALL = PALETTE[0]
BOX, ROOM = 0.62, 1.15  # height of a box, and of its row, in inches


def class_diagram(found: MroTable, *, title: str) -> Picture:
    """Draw the class diagram, numbered in MRO order, with the calls that were really made.

    A base stands above its subclasses. An arrow is a call; where the calls stop too early
    there is a cross, and what is never asked is dashed.
    """
    from matplotlib.figure import Figure

    places = _places([row.owner for row in found.rows])
    height = max(y for _, y in places.values()) + BOX / 2 + 0.1
    with style():
        figure = Figure(figsize=(WIDTH, height + 0.5))
        ax = figure.add_subplot()
        ax.set_axis_off()
        ax.grid(visible=False)
        ax.set(xlim=(0, WIDTH), ylim=(height, -0.1))
        _draw_inheritance(ax, places)
        for number, row in enumerate(found.rows):
            _draw_box(ax, number, row, places, stop=row is _stop(found))
        _draw_path(ax, found, places)
        return show(figure, title=title, alt=_in_words(found))


def _places(classes: Sequence[type]) -> dict[type, tuple[float, float]]:
    """Return each class's centre in inches: under the middle of its bases, if there is room."""
    depth: dict[type, int] = {}
    for cls in reversed(classes):
        depth[cls] = 1 + max((depth[base] for base in cls.__bases__ if base in depth), default=-1)
    places: dict[type, tuple[float, float]] = {}
    for level in range(max(depth.values()) + 1):
        layer = [cls for cls in classes if depth[cls] == level]
        wished = [_middle(cls, places) for cls in layer]
        room = _wide(len(layer)) + 0.3
        if any(right - left < room for left, right in itertools.pairwise(wished)) or level < 2:
            wished = [WIDTH * (at + 0.5) / len(layer) for at in range(len(layer))]
        places |= {cls: (x, BOX / 2 + level * ROOM) for cls, x in zip(layer, wished, strict=True)}
    return places


def _middle(cls: type, places: dict[type, tuple[float, float]]) -> float:
    above = [places[base][0] for base in cls.__bases__ if base in places]
    return sum(above) / len(above) if above else WIDTH / 2


def _wide(beside: int) -> float:
    return min(2.3, WIDTH / beside - 0.45)


def _draw_inheritance(ax: Axes, places: dict[type, tuple[float, float]]) -> None:
    for cls, (x, y) in places.items():
        for base in cls.__bases__:
            if base in places:
                above = places[base][0], places[base][1] + BOX / 2
                arrow: dict[str, Any] = {"arrowstyle": "-|>", "color": "#b9b4a8", "lw": 1}
                ax.annotate("", above, (x, y - BOX / 2), arrowprops={**arrow, "fc": PAPER})


def _draw_box(
    ax: Axes, number: int, row: MroRow, places: dict[type, tuple[float, float]], stop: bool
) -> None:
    from matplotlib.patches import FancyBboxPatch

    x, y = places[row.owner]
    wide = _wide(_beside(y, places))
    quiet = not row.defines
    dashed = left_out(row)
    edge = ACCENT if stop else QUIET if quiet or dashed else CALL
    ax.add_patch(
        FancyBboxPatch(
            (x - wide / 2, y - BOX / 2),
            wide,
            BOX,
            boxstyle="round,pad=0,rounding_size=0.06",
            facecolor="#ffffff" if not quiet else PAPER,
            edgecolor=edge,
            linewidth=2 if stop else 1.2,
            linestyle="--" if dashed else "-",
            zorder=3,
        )
    )
    name = f"{number + 1}  {row.owner.__name__}"
    ink = QUIET if quiet or dashed else INK
    weight = "normal" if quiet else "bold"
    ax.text(x, y - 0.11, name, ha="center", va="center", color=ink, weight=weight, zorder=5)
    words = _says(row, stop)
    colour = ACCENT_INK if stop else QUIET
    ax.text(x, y + 0.14, words, ha="center", va="center", fontsize=8, color=colour, zorder=5)


def _draw_path(ax: Axes, found: MroTable, places: dict[type, tuple[float, float]]) -> None:
    """Draw the MRO from class to class: solid as far as the call goes, dotted from there on."""
    from matplotlib.patches import FancyArrowPatch

    owners = [row.owner for row in found.rows]
    last = max((n for n, row in enumerate(found.rows) if row.reached.startswith("yes")), default=0)
    for number, (before, after) in enumerate(itertools.pairwise(owners)):
        start, end = _gap(places[before], places[after], places)
        called = number < last
        line: dict[str, Any] = {"lw": 2.2, "color": CALL} if called else {"lw": 1.2, "color": QUIET}
        ax.add_patch(
            FancyArrowPatch(
                start,
                end,
                arrowstyle="-|>",
                mutation_scale=14 if called else 9,
                linestyle="-" if called else (0, (1, 2)),
                shrinkA=0,
                shrinkB=0,
                zorder=4,
                **line,
            )
        )
        if number == last and _stop(found):
            at = start[0] + 0.3 * (end[0] - start[0]), start[1] + 0.3 * (end[1] - start[1])
            ax.plot(*at, marker="X", ms=13, mfc=ACCENT, mec=PAPER, mew=1.5, zorder=6)


def _gap(
    one: tuple[float, float], two: tuple[float, float], places: dict[type, tuple[float, float]]
) -> tuple[tuple[float, float], tuple[float, float]]:
    """Return where the arrow from the first box to the second starts and ends."""
    (x1, y1), (x2, y2) = one, two
    toward = 1 if x2 > x1 else -1
    if y1 == y2:
        half = toward * _wide(_beside(y1, places)) / 2
        return (x1 + half, y1), (x2 - half, y2)
    up = -1 if y2 < y1 else 1
    return (x1 + 0.3, y1 + up * BOX / 2), (x2 + 0.3, y2 - up * BOX / 2)


def _beside(y: float, places: dict[type, tuple[float, float]]) -> int:
    return sum(place[1] == y for place in places.values())


def _says(row: MroRow, stop: bool) -> str:
    if not row.defines:
        return "does not define it"
    if left_out(row):
        return "never asked"
    adds = f"adds {', '.join(row.added)}" if row.added else ""
    if stop:
        wrong = "✗ raises: no class is next" if "raised" in row.reached else "✗ stops here"
        return f"{adds}   {wrong}".strip()
    calls = {"yes": "calls super()", "no": "ends the call"}.get(row.calls_super, row.calls_super)
    return adds or calls


def _stop(found: MroTable) -> MroRow | None:
    """The class where the call ends although others wait behind it, or where it raises."""
    rows = [row for row in found.rows if row.calls_super]
    reached = [row for row in rows if row.reached.startswith("yes")]
    if reached and (found.error or any(left_out(row) for row in rows)):
        return reached[-1]
    return None


def _in_words(found: MroTable) -> str:
    rows = [row for row in found.rows if row.defines and row.calls_super]
    order = ", ".join(row.owner.__name__ for row in found.rows)
    asked = ", then ".join(row.owner.__name__ for row in rows if row.reached.startswith("yes"))
    words = [f"Class diagram in MRO order: {order}.", f"The call goes to {asked or 'no class'}."]
    stop = _stop(found)
    missed = ", ".join(row.owner.__name__ for row in rows if left_out(row))
    if stop and missed:
        words.append(f"It stops at {stop.owner.__name__}; never asked: {missed}.")
    elif stop:
        words.append(f"At {stop.owner.__name__} it raises {found.error}.")
    return " ".join(words)
