"""A page of shapes as a matplotlib figure; pyplot and global settings are not touched."""

from __future__ import annotations

import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import matplotlib as mpl
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.patches import FancyBboxPatch, Polygon
from matplotlib.path import Path

from raceproof.draw.charts import PAPER, style
from raceproof.draw.shapes import Box, Page, Shape, Sign, Stroke, Text, font_of

_DASHES = {"solid": "-", "dashed": (0, (4, 2.2)), "dotted": (0, (1, 2.6))}
_SLASHES = Path([(-1, -1), (0, 1), (0, -1), (1, 1)], [1, 2, 1, 2])  # MOVETO, LINETO, twice
# Marker, size and line width.
_MARKERS: dict[str, tuple[str | Path, float, float]] = {
    "dot": ("o", 5.5, 1.2),
    "ring": ("o", 5.5, 1.3),
    "cross": ("x", 9.5, 2.6),
    "bar": ("_", 12.0, 2.4),
    "broken": (_SLASHES, 7.0, 1.4),
}


@contextmanager
def quiet() -> Iterator[None]:
    """Lay out and draw in the one style; a character that DejaVu lacks becomes a box."""
    with warnings.catch_warnings(), style():
        warnings.filterwarnings("ignore", "Glyph .* missing from font")
        yield


def figure_of(page: Page) -> Figure:
    """Return the page as a figure of its size, 100 pixels to the inch; call it in `quiet()`."""
    with mpl.rc_context({"figure.constrained_layout.use": False}):
        figure = Figure(figsize=(page.width / 100, page.height / 100), dpi=100, facecolor=PAPER)
        FigureCanvasAgg(figure)
        axes = figure.add_axes((0, 0, 1, 1))
        axes.set(xlim=(0, page.width), ylim=(page.height, 0))
        axes.set_axis_off()
        for order, shape in enumerate(page.shapes, 1):
            _draw(axes, shape, order)
    return figure


def _draw(axes: Axes, shape: Shape, order: int) -> None:
    if isinstance(shape, Text):
        _text(axes, shape, order)
    elif isinstance(shape, Stroke):
        _stroke(axes, shape, order)
    elif isinstance(shape, Sign):
        _sign(axes, shape, order)
    else:
        _box(axes, shape, order)


def _text(axes: Axes, shape: Text, order: int) -> None:
    plate = {"facecolor": shape.plate, "edgecolor": "none", "pad": 1.2} if shape.plate else None
    axes.text(
        shape.x,
        shape.y,
        shape.text,
        fontproperties=font_of(shape.font),
        color=shape.colour,
        ha=shape.align,
        va="baseline",
        zorder=order,
        bbox=plate,
        parse_math=False,  # "$" is an id in Redis Streams
    )


def _stroke(axes: Axes, shape: Stroke, order: int) -> None:
    xs, ys = [shape.x0, shape.x1], [shape.y0, shape.y1]
    dash = _DASHES[shape.dash]
    style: dict[str, Any] = {"color": shape.colour, "linewidth": shape.width, "zorder": order}
    axes.plot(xs, ys, linestyle=dash, solid_capstyle="butt", **style)
    if not shape.head:
        return
    way = 1 if shape.x1 > shape.x0 else -1
    back, half = shape.x1 - 8 * way, 3.6
    points = [(back, shape.y1 - half), (shape.x1, shape.y1), (back, shape.y1 + half)]
    if shape.head == "full":
        axes.add_patch(Polygon(points, closed=True, color=shape.colour, lw=0, zorder=order))
    else:
        axes.plot(*zip(*points, strict=True), **style)


def _sign(axes: Axes, shape: Sign, order: int) -> None:
    marker, size, edge = _MARKERS[shape.kind]
    axes.plot(
        [shape.x],
        [shape.y],
        marker=marker,
        markersize=size,
        markeredgewidth=edge,
        markeredgecolor=shape.colour,
        markerfacecolor=PAPER if shape.kind == "ring" else shape.colour,
        zorder=order,
    )


def _box(axes: Axes, shape: Box, order: int) -> None:
    style = f"round,pad=0,rounding_size={shape.round}" if shape.round else "square,pad=0"
    corner = (shape.x, shape.y)
    patch = FancyBboxPatch(corner, shape.width, shape.height, boxstyle=style, zorder=order)
    patch.set(facecolor=shape.fill, edgecolor=shape.edge, linewidth=1.3)
    axes.add_patch(patch)
