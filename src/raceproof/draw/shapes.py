"""Shapes on a page, in CSS pixels: x runs right, y runs down. And how long a text is."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import Literal

from matplotlib import font_manager
from matplotlib.backends.backend_agg import RendererAgg

from raceproof.draw.charts import INK

Font = Literal["code", "words", "bold", "title", "number"]
_SIZES: dict[Font, float] = {"code": 8.3, "words": 8.3, "bold": 8.8, "title": 12.5, "number": 8.5}
LINE = 15.0  # height of a line of text


@dataclass(frozen=True)
class Text:
    """One line of text with its baseline at y; `plate` puts paper behind it."""

    x: float
    y: float
    text: str
    font: Font = "words"
    colour: str = INK
    align: Literal["left", "center", "right"] = "left"
    plate: str = ""


@dataclass(frozen=True)
class Stroke:
    """A straight line, with an arrow head at its end if `head` says so."""

    x0: float
    y0: float
    x1: float
    y1: float
    colour: str = INK
    width: float = 1.3
    dash: Literal["solid", "dashed", "dotted"] = "solid"
    head: Literal["", "full", "open"] = ""


@dataclass(frozen=True)
class Sign:
    """A mark on a lifeline: a dot, a ring, a cross or the bar at its end."""

    x: float
    y: float
    kind: Literal["dot", "ring", "cross", "bar", "broken"]
    colour: str = INK


@dataclass(frozen=True)
class Box:
    """A filled rectangle."""

    x: float
    y: float
    width: float
    height: float
    fill: str
    edge: str = "none"
    round: float = 0.0


Shape = Text | Stroke | Sign | Box


@dataclass(frozen=True)
class Page:
    """Shapes, the lowest first, on a page of the given size."""

    width: float
    height: float
    shapes: tuple[Shape, ...]


@lru_cache(maxsize=4096)
def text_width(text: str, font: Font) -> float:
    """Return the width of the text in pixels, as it is drawn in the one style."""
    size, _, _ = _RULER.get_text_width_height_descent(text, font_of(font), ismath=False)  # type: ignore[no-untyped-call]
    return float(size) / 2


def fit(text: str, font: Font, room: float, most: int) -> list[str]:
    """Return the text in at most `most` lines of `room` pixels, the last cut with an ellipsis."""
    found: list[str] = []
    rest = text
    while rest and len(found) < most - 1 and text_width(rest, font) > room:
        size = _longest(rest, font, room)
        joint = max(rest[: size + 1].rfind(" "), *(rest[:size].rfind(c) + 1 for c in "/?&,"))
        size = joint if joint > size // 2 else max(size, 1)
        found.append(rest[:size].rstrip())
        rest = rest[size:].lstrip()
    if text_width(rest, font) > room:
        rest = rest[: _longest(rest, font, room - text_width("…", font))].rstrip() + "…"
    return [*found, rest] if rest else found


def _longest(text: str, font: Font, room: float) -> int:
    low, high = 0, len(text)
    while low < high:
        middle = (low + high + 1) // 2
        low, high = (middle, high) if text_width(text[:middle], font) <= room else (low, middle - 1)
    return low


@lru_cache
def font_of(font: Font) -> font_manager.FontProperties:
    """Return the typeface: DejaVu comes with matplotlib, so it is the same everywhere."""
    return font_manager.FontProperties(
        family="DejaVu Sans Mono" if font == "code" else "DejaVu Sans",
        weight="bold" if font in ("bold", "title", "number") else "normal",
        size=_SIZES[font],
    )


_RULER = RendererAgg(10, 10, 200)  # type: ignore[no-untyped-call]
