"""Charts close their figures and carry alt text; tables read well without styles."""

from __future__ import annotations

import io
import re
from html import unescape
from itertools import combinations
from pathlib import Path
from typing import Any

import matplotlib as mpl
import matplotlib.pyplot as plt
import pytest
from IPython.core.interactiveshell import InteractiveShell
from IPython.utils.capture import capture_output
from PIL import Image

from raceproof import draw
from raceproof.draw import charts
from workshop import mro_pictures


def chart(**options: Any) -> draw.Picture:
    """Return a small chart."""
    with draw.style():
        fig, ax = plt.subplots(**options)
        ax.plot([1, 2, 3], [1, 4, 9], color=draw.colour(0))
        draw.label_line(ax, "squares", draw.colour(0))
    return draw.show(fig, title="Squares grow", alt="A line that bends upward.")


def test_a_chart_is_a_picture_with_words_and_leaves_no_figure() -> None:
    before = dict(mpl.rcParams)
    made = chart()
    assert plt.get_fignums() == []
    assert dict(mpl.rcParams) == before
    assert made.alt == "Squares grow. A line that bends upward."
    image = Image.open(io.BytesIO(made.png))
    assert image.width == 2 * made.width == 1800


def test_a_picture_is_saved_as_png_and_as_nothing_else(tmp_path: Path) -> None:
    made = chart()
    made.save(tmp_path / "squares.PNG")
    assert (tmp_path / "squares.PNG").read_bytes() == made.png
    for name in ("squares.svg", "squares", "squares.png.pdf"):
        with pytest.raises(ValueError, match=r"save it as squares(\.png)+, not .*squares"):
            made.save(str(tmp_path / name))
        assert not (tmp_path / name).exists()


def test_what_the_docstrings_promise_exists() -> None:
    def documented(module: Any, name: str) -> set[str]:
        return set(re.findall(rf"(?<!\.)\b{name}\.(\w+)", module.__doc__ or ""))

    assert documented(draw, "draw") == set(draw.__all__)
    assert documented(charts, "draw") <= set(draw.__all__)
    assert documented(mro_pictures, "mro_pictures") == set(mro_pictures.__all__)
    assert not documented(mro_pictures, "draw")


def test_equal_charts_give_equal_bytes() -> None:
    assert chart().png == chart().png


@pytest.mark.parametrize(("title", "alt"), [("", "words"), ("Finding", " ")])
def test_a_chart_without_words_is_refused(title: str, alt: str) -> None:
    fig, _ = plt.subplots()
    try:
        with pytest.raises(ValueError, match="alt text"):
            draw.show(fig, title=title, alt=alt)
    finally:
        plt.close(fig)


def test_a_notebook_shows_the_picture_and_then_its_words() -> None:
    InteractiveShell.instance()
    made = chart()
    with capture_output() as captured:
        made._ipython_display_()
    picture, words = captured.outputs
    assert picture.metadata["image/png"] == {"alt": made.alt, "width": 900}
    assert picture.data["text/plain"] == made.alt
    assert unescape(words.data["text/html"]).count(made.alt) == 1
    assert "<details>" in words.data["text/html"]


def _channel(part: float) -> float:
    return part / 12.92 if part <= 0.03928 else ((part + 0.055) / 1.055) ** 2.4


def contrast(one: str, two: str) -> float:
    """Return the WCAG contrast of two colours."""
    light = sorted(
        sum(w * _channel(c) for w, c in zip((0.2126, 0.7152, 0.0722), rgb, strict=True))
        for rgb in map(mpl.colors.to_rgb, (one, two))
    )
    return (light[1] + 0.05) / (light[0] + 0.05)


@pytest.mark.parametrize("colour", [*draw.PALETTE, draw.INK, draw.QUIET])
def test_each_colour_is_readable_on_paper(colour: str) -> None:
    assert contrast(colour, draw.PAPER) >= 4.5


# Linear RGB as seen with protanopia and deuteranopia: Machado, Oliveira, Fernandes (2009).
SEEN = {
    "all colours": ((1, 0, 0), (0, 1, 0), (0, 0, 1)),
    "protanopia": (
        (0.152286, 1.052583, -0.204868),
        (0.114503, 0.786281, 0.099216),
        (-0.003882, -0.048116, 1.051998),
    ),
    "deuteranopia": (
        (0.367322, 0.860646, -0.227968),
        (0.280085, 0.672501, 0.047413),
        (-0.011820, 0.042940, 0.968881),
    ),
}


def lab(colour: str, eye: str) -> tuple[float, float, float]:
    """Return a colour in CIELAB as an eye sees it."""
    rgb = [_channel(c) for c in mpl.colors.to_rgb(colour)]
    seen = [min(1, max(0, sum(m * c for m, c in zip(r, rgb, strict=True)))) for r in SEEN[eye]]
    to_xyz = ((0.4124, 0.3576, 0.1805), (0.2126, 0.7152, 0.0722), (0.0193, 0.1192, 0.9505))
    white = (0.9505, 1.0, 1.089)
    f = [
        (t ** (1 / 3) if t > 0.008856 else 7.787 * t + 16 / 116)
        for t in (
            sum(m * c for m, c in zip(row, seen, strict=True)) / w
            for row, w in zip(to_xyz, white, strict=True)
        )
    ]
    return 116 * f[1] - 16, 500 * (f[0] - f[1]), 200 * (f[1] - f[2])


@pytest.mark.parametrize("eye", SEEN)
def test_colours_differ_for_every_eye(eye: str) -> None:
    for one, two in combinations([*draw.PALETTE[:5], draw.ACCENT], 2):
        distance = sum((a - b) ** 2 for a, b in zip(lab(one, eye), lab(two, eye), strict=True))
        assert distance**0.5 >= 20, (one, two, distance**0.5)


VERDICTS = draw.table(
    ["version", "one crash", "guarantee"],
    [
        ["BRPOP", draw.Cell("breaks", "3 of 70"), "at most once"],
        ["LMOVE", draw.Cell("holds", "70"), "at least <once>"],
        ["plain", draw.Cell("not searched"), ""],
    ],
    caption="Queues",
)


def test_a_table_as_text() -> None:
    assert (
        str(VERDICTS)
        == """Queues
version | one crash         | guarantee
--------+-------------------+----------------
BRPOP   | ✗ breaks: 3 of 70 | at most once
LMOVE   | ✓ holds: 70       | at least <once>
plain   | \N{EN DASH} not searched    |"""
    )


def test_a_table_as_html_says_its_marks_in_words() -> None:
    html = VERDICTS._repr_html_()
    for words in (
        "✗ breaks: 3 of 70</td>",
        "✓ holds: 70</td>",
        ">BRPOP</th>",
        "at least &lt;once&gt;</td>",
        "<caption",
    ):
        assert words in html
    assert html.count('scope="col"') == 3
    assert html.count('scope="row"') == 3
    assert html.count("white-space: nowrap") == 3, "a mark and its numbers stay in one line"


def test_a_row_of_the_wrong_length_is_refused() -> None:
    with pytest.raises(ValueError, match="has 1 cells for 2 columns"):
        draw.table(["a", "b"], [["x"]])


def labels(axis: Any, *, minor: bool = False) -> list[str]:
    """Return what stands at the ticks of an axis."""
    return [text.get_text() for text in axis.get_ticklabels(minor=minor) if text.get_text()]


def test_a_logarithmic_axis_has_its_numbers_written_out() -> None:
    with draw.style():
        fig, (wide, narrow, own) = plt.subplots(1, 3)
        wide.loglog([0.1, 10], [1, 1e6])
        narrow.semilogy([1, 2], [4000, 9000])
        own.set_xscale("log", base=2)
        own.set_yscale("log")
        own.plot([1, 64], [1, 1e6])
        own.yaxis.set_major_formatter("{x:.0e}")
    draw.show(fig, title="Numbers", alt="Three lines.")
    assert {"1", "1,000", "1,000,000"} <= set(labels(wide.yaxis))
    assert {"0.1", "1", "10"} <= set(labels(wide.xaxis))
    assert labels(wide.yaxis, minor=True) == []
    assert {"4,000", "9,000"} <= set(labels(narrow.yaxis, minor=True))
    assert "1e+06" in labels(own.yaxis)
    assert "64" in labels(own.xaxis)
    assert not any("$" in text for ax in fig.axes for text in labels(ax.yaxis) + labels(ax.xaxis))
