"""A drawn run that is taller than a slide: its steps on several, each with the names above them."""

from __future__ import annotations

import io
import math
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise

from matplotlib.image import imread

from workshop.site.figures import Figure

WIDTH, HEIGHT = 1200, 566  # what a slide has room for
LARGEST, SMALLEST = 1.3, 0.95  # times the size in a notebook
EDGE = 8  # pixels from the left, where nothing is but the stripe behind a step


@dataclass(frozen=True)
class Part:
    """Some steps of a drawn run: where they are in its picture, in CSS pixels, and its scale."""

    head: int
    top: int
    bottom: int
    scale: float


def parts(figure: Figure) -> list[Part]:
    """Return the parts of a space-time diagram that fit a slide each, at a size one can read."""
    widest = min(LARGEST, WIDTH / figure.width)
    if figure.height * SMALLEST <= HEIGHT:
        return [Part(0, 0, figure.height, min(widest, HEIGHT / figure.height))]
    edges = [*stripes(figure), figure.height]
    head, body = edges[0], figure.height - edges[0]
    count = math.ceil(body / (HEIGHT / SMALLEST - head))
    while True:
        tops = list(_divided(edges, body / count))
        tallest = max(b - a for a, b in pairwise([*tops, figure.height]))
        scale = min(widest, HEIGHT / (head + tallest))
        if scale >= SMALLEST or count > len(edges):
            return [Part(head, a, b, scale) for a, b in pairwise([*tops, figure.height])]
        count += 1


def stripes(figure: Figure) -> list[int]:
    """Return where the stripes behind the steps begin, in CSS pixels from the top."""
    pixels = imread(io.BytesIO(figure.png))
    scale = pixels.shape[1] / figure.width
    column = pixels[:, int(EDGE * scale), :3]
    changes = (abs(column[1:] - column[:-1]).sum(axis=1) > 0.01).nonzero()[0] + 1
    return [round(at / scale) for at in changes]


def _divided(edges: list[int], most: float) -> Iterator[int]:
    """Yield where each part begins: at a stripe, as many in a part as reach its height."""
    top = edges[0]
    yield top
    for edge, after in pairwise(edges):
        if edge > top and after - top > most * 1.08:
            top = edge
            yield top
