"""Where everything of a space-time diagram goes.

Clients stand left and right, the stores between them, time runs down. Each step has
a band of its own, as high as its labels need, and each label a line of its own in
that band: so no two labels can meet.
"""

from __future__ import annotations

from itertools import pairwise

from raceproof.draw.arrows import Band, Lifelines
from raceproof.draw.charts import ACCENT, ACCENT_INK, INK, PALETTE, PAPER, QUIET
from raceproof.draw.narration import BREAKS, MARK, printable
from raceproof.draw.shapes import LINE, Box, Page, Shape, Stroke, Text, fit, text_width
from raceproof.trace.steps import Run, Step

WIDTH = 900.0
_EDGE, _GUTTER = 16.0, 38.0
_TINT, _STRIPE, _RAIL = "#fbe6d9", "#f6f2e7", "#d6d1c4"
_KEY = "● changes the store   ○ leaves it as it is   - - reply"


def lay_out(run: Run, title: str) -> Page:
    """Return the page for a run: title, one head a lifeline, one band a step, a caption."""
    lanes = Lifelines(_spread(run), {a: _colour(i) for i, a in enumerate(run.actors)})
    y, top = _title(title)
    heads = [shape for name in lanes.x for shape in _head(name, lanes, y)]
    start = y + 24
    y, bands = start + 8, [Box(0, 0, 0, 0, PAPER)]
    labels: list[Shape] = []
    for number, step in enumerate(run.steps):
        begin, y, shapes = _band(run, number, step, lanes, y)
        bands += begin
        labels += shapes
    for who, why in run.waiting:
        band = Band(lanes, y + 4, PAPER)
        band.wait(who, f"… waits for ever: {printable(why)}")
        labels, y = labels + band.shapes, band.y + 4
    foot, height = _caption(run, y + 8)
    return Page(WIDTH, height, (*bands, *_lines(lanes, start, y + 4), *top, *heads, *labels, *foot))


def _band(
    run: Run, number: int, step: Step, lanes: Lifelines, y: float
) -> tuple[list[Box], float, list[Shape]]:
    breaks = number == run.breaks_at
    fill = _TINT if breaks else _STRIPE if number % 2 == 0 else PAPER
    band = Band(lanes, y + 5, fill, ACCENT if breaks else "")
    first = band.y + LINE - 3
    band.step(step)
    ink = ACCENT_INK if breaks else QUIET
    shapes: list[Shape] = [Text(_GUTTER - 8, first, str(number + 1), "number", ink, "right")]
    if breaks:
        band.mark(step, f"{MARK} {BREAKS}")
    end = band.y + 7
    boxes = [Box(0, y, WIDTH, end - y, fill)]
    boxes += [Box(0, y, 5, end - y, ACCENT)] if breaks else []
    return boxes, end, [*band.shapes, *shapes]


def _spread(run: Run) -> dict[str, float]:
    """Return an x for each lifeline: half of the clients, the stores, the other clients."""
    used = [s for s in run.stores if any(s == t.store and t.fate != "tick" for t in run.steps)]
    half = (len(run.actors) + 1) // 2
    names = [*run.actors[:half], *used, *run.actors[half:]]
    gaps = [0.55 if a in used and b in used else 1.0 for a, b in pairwise(names)]
    side = min(90.0, WIDTH / (2 * len(names) + 1)) if names else 0.0
    room = WIDTH - _GUTTER - _EDGE - 2 * side
    x, found = _GUTTER + side + (room / 2 if len(names) == 1 else 0), {}
    for name, gap in zip(names, [*gaps, 0.0], strict=True):
        found[name] = x
        x += room * gap / (sum(gaps) or 1)
    return found


def _title(title: str) -> tuple[float, list[Shape]]:
    lines = fit(printable(title), "title", WIDTH - 2 * _EDGE, 3)
    shapes: list[Shape] = [Text(_EDGE, 30 + 20 * i, line, "title") for i, line in enumerate(lines)]
    return 30.0 + 20 * len(lines), shapes


def _head(name: str, lanes: Lifelines, y: float) -> list[Shape]:
    x, client = lanes.x[name], name in lanes.colours
    near = [abs(other - x) for other in lanes.x.values() if other != x]
    label = fit(printable(name), "bold", min([160.0, *near]) - 26, 1)
    size = max((text_width(text, "bold") for text in label), default=0.0) + 20
    fill, edge = (lanes.colours[name],) * 2 if client else (PAPER, INK)
    box = Box(x - size / 2, y, size, 24, fill, edge, 11 if client else 0)
    ink = PAPER if client else INK
    return [box, *(Text(x, y + 16, text, "bold", ink, "center") for text in label)]


def _lines(lanes: Lifelines, top: float, floor: float) -> list[Shape]:
    shapes: list[Shape] = []
    for name, x in lanes.x.items():
        if name not in lanes.colours:
            shapes.append(Stroke(x, top, x, floor, _RAIL, 5))
            continue
        colour, y = lanes.colours[name], top
        for start, end in lanes.quiet.get(name, []):
            shapes.append(Stroke(x, y, x, start, colour, 1.8))
            shapes.append(Stroke(x, start, x, end, colour, 2.2, "dotted"))
            y = end
        if y < lanes.ends.get(name, floor):
            shapes.append(Stroke(x, y, x, lanes.ends.get(name, floor), colour, 1.8))
    return shapes


def _caption(run: Run, y: float) -> tuple[list[Shape], float]:
    told = f"{len(run.steps)} step{'' if len(run.steps) == 1 else 's'}, time runs down"
    if run.breaks_at is not None:
        told += f"; step {run.breaks_at + 1} is where it goes wrong"
    return [
        Stroke(_EDGE, y, WIDTH - _EDGE, y, _RAIL, 0.8),
        Text(_EDGE, y + 19, told, "words", QUIET),
        Text(WIDTH - _EDGE, y + 19, _KEY, "words", QUIET, "right"),
    ], y + 32


def _colour(index: int) -> str:
    return PALETTE[index % len(PALETTE)]
