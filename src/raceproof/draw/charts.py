"""Charts for what a notebook measures: one style, one palette, and alt text.

    with draw.style():
        fig, ax = plt.subplots()
        ax.plot(x, y, color=draw.colour(0))
        draw.label_line(ax, "BRPOP", colour=draw.colour(0))
    draw.show(fig, title="Two queues, one winner", alt="Jobs a second against workers. …")

`draw.ACCENT` means one thing: this is where it goes wrong.
"""

from __future__ import annotations

import io
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from raceproof.draw.picture import Picture

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

ACCENT = "#d55e00"  # vermillion
ACCENT_INK = "#a84300"  # the same, dark enough for small letters
INK = "#22262b"
QUIET = "#6b7278"
PAPER = "#fffdf8"
PALETTE = ("#0072b2", "#1f8068", "#7a0f6f", "#4a4a12", "#1d1dbb", "#66707a")
WIDTH = 9.0  # inches: 900 pixels in a notebook

RC: Any = {
    "figure.figsize": (WIDTH, 4.4),
    "figure.dpi": 100,
    "figure.facecolor": PAPER,
    "figure.constrained_layout.use": True,
    "figure.constrained_layout.h_pad": 0.12,
    "figure.constrained_layout.w_pad": 0.12,
    "axes.facecolor": PAPER,
    "axes.edgecolor": QUIET,
    "axes.labelcolor": INK,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.grid": True,
    "axes.grid.axis": "y",
    "axes.axisbelow": True,
    "axes.titlesize": 12,
    "axes.titleweight": "bold",
    "axes.titlelocation": "left",
    "axes.titlecolor": INK,
    "grid.color": "#e3e0d8",
    "grid.linewidth": 0.8,
    "text.color": INK,
    "text.parse_math": False,
    "xtick.color": QUIET,
    "ytick.color": QUIET,
    "xtick.labelcolor": INK,
    "ytick.labelcolor": INK,
    "font.family": "DejaVu Sans",
    "font.size": 10,
    "lines.linewidth": 2.0,
    "savefig.facecolor": PAPER,
}


def colour(index: int) -> str:
    """Return the colour of the index-th series; they repeat after the sixth."""
    return PALETTE[index % len(PALETTE)]


@contextmanager
def style() -> Iterator[None]:
    """Draw charts in the one style inside the `with` block; global settings stay as they are."""
    import matplotlib as mpl
    from cycler import cycler
    from matplotlib import style as mpl_style

    with mpl_style.context("default"), mpl.rc_context(RC):
        mpl.rcParams["axes.prop_cycle"] = cycler(color=PALETTE)
        yield


def label_line(ax: Axes, text: str, colour: str, *, index: int = -1) -> None:
    """Write the name of the line drawn last at its right end, instead of a legend."""
    line = ax.get_lines()[index]
    x, y = line.get_xdata()[-1], line.get_ydata()[-1]  # type: ignore[index]
    ax.annotate(
        text,
        (x, y),
        xytext=(6, 0),
        textcoords="offset points",
        va="center",
        color=colour,
        annotation_clip=False,
    )


def show(figure: Figure, *, title: str, alt: str) -> Picture:
    """Return the figure as a picture that a notebook shows, and close the figure.

    `title` states the finding. `alt` says in sentences what there is to see, for
    somebody who cannot see it; like all text it must not hold measured numbers.
    Raises ValueError when either is empty.
    """
    if not title.strip() or not alt.strip():
        raise ValueError("a figure needs a title that states the finding, and alt text")
    from raceproof.draw.ticks import write_out

    with style():
        write_out(figure)
        figure.suptitle(title, x=0.01, ha="left", fontsize=12, fontweight="bold", color=INK)
        png = to_png(figure, alt)
        width = round(figure.get_size_inches()[0] * 100)
    import matplotlib.pyplot as plt

    plt.close(figure)
    return Picture(png, f"{title.rstrip('.')}. {alt}", width)


def to_png(figure: Figure, alt: str) -> bytes:
    """Return the figure as PNG bytes at twice its screen size; equal figures, equal bytes.

    The 256 most frequent colours stay as they are, the others (the edges of letters)
    become their nearest: a third of the size in the notebook, and no visible change.
    """
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from PIL import Image
    from PIL.PngImagePlugin import PngInfo

    out, info = io.BytesIO(), PngInfo()
    figure.set_dpi(200)
    canvas: Any = FigureCanvasAgg(figure)
    canvas.draw()
    pixels: Any = canvas.buffer_rgba()
    height, width, _ = pixels.shape
    picture = Image.frombytes("RGBA", (width, height), pixels.tobytes()).convert("RGB")
    counts: Any = picture.getcolors(picture.width * picture.height) or []
    frequent = sorted(counts, key=lambda item: (-item[0], item[1]))[:256]
    palette = Image.new("P", (1, 1))
    palette.putpalette([part for _, colour in frequent for part in colour])
    info.add_itxt("Description", alt)
    few = picture.quantize(palette=palette, dither=Image.Dither.NONE)
    few.save(out, format="png", optimize=True, pnginfo=info)
    return out.getvalue()
