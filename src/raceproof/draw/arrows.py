"""One step of a run as arrows and labels."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal

from raceproof.draw.charts import ACCENT_INK, INK, PAPER, QUIET
from raceproof.draw.effects import changes
from raceproof.draw.narration import CROSS, Kind, Line, lines
from raceproof.draw.shapes import LINE, Font, Shape, Sign, Stroke, Text, fit
from raceproof.trace.steps import Fate, Step

_EDGE, _GUTTER, _PAGE = 12.0, 42.0, 900.0
_NARROW = 150.0  # with less room than this before the store, a label may run across it
_WIDE = 250.0  # that far
Stroked = Literal["there", "there late", "there cut", "back", "back given", "back cut", "none"]
# What is drawn under the call, and under the line that says how it went on.
_ARROWS: dict[Fate, tuple[Stroked, Stroked]] = {
    "answered": ("there", "back"),
    "crash-before": ("there cut", "none"),
    "crash-after": ("there", "back cut"),
    "request-lost": ("there cut", "none"),
    "reply-lost": ("there", "back cut"),
    "timed-out": ("there", "none"),
    "delivery": ("none", "back given"),
    "subscribed": ("none", "there late"),
    "late": ("there late", "none"),
    "tick": ("none", "none"),
}
_MOST_LINES = 4  # of one label
_FONTS: dict[Kind, Font] = {
    "call": "code", "reply": "code", "fate": "words", "note": "words", "end": "words"
}  # fmt: skip
_DRAWN = f"{CROSS}← "  # what words need and a drawing shows
_SIGNS: dict[Kind, str] = {"call": "", "reply": "", "fate": "", "note": "# ", "end": ""}


@dataclass
class Lifelines:
    """Where each lifeline stands, the colours of the clients, where they end, are busy or wait."""

    x: dict[str, float]
    colours: dict[str, str]
    ends: dict[str, float] = field(default_factory=dict)
    quiet: dict[str, list[tuple[float, float]]] = field(default_factory=dict)
    last: dict[str, float] = field(default_factory=dict)


@dataclass
class Band:
    """The band of one step: labels and arrows are added from `y` downward."""

    lanes: Lifelines
    y: float
    fill: str = PAPER
    accent: str = ""
    shapes: list[Shape] = field(default_factory=list)

    def step(self, step: Step) -> None:
        """Add a step, and note in the lifelines what becomes of its actor."""
        if step.fate == "tick" or step.actor not in self.lanes.x:
            self._across(" ".join(line.text for line in lines(step)))
            return
        x = self.lanes.x[step.actor]
        to = self.lanes.x.get(step.store, x)
        colour = self.accent or self.lanes.colours.get(step.actor, INK)
        under_call, under_fate = _ARROWS[step.fate]
        begin = 0.0
        for line in lines(step):
            self._label(line, x, to)
            if line.kind == "call":
                self._stroke(under_call, x, to, colour, changes(step))
                begin = self.y
            elif line.kind == "fate" or (line.kind == "reply" and step.fate == "answered"):
                self._stroke(under_fate, x, to, colour, changes(step))
            if (line.kind == "fate" and step.kills) or line.kind == "end":
                self._end(step, x, colour)
        if step.fate == "timed-out":
            self.lanes.quiet.setdefault(step.actor, []).append((begin, self.y))
        self.lanes.last[step.actor] = self.y

        self.shapes.sort(key=lambda shape: not isinstance(shape, Text))

    def _end(self, step: Step, x: float, colour: str) -> None:
        at = self.y - (4 if step.fate == "crash-after" else LINE / 2)
        self.lanes.ends[step.actor] = at
        if step.kills:
            self.shapes.append(Sign(x, at, "cross", INK))
        else:
            self.shapes.append(Sign(x, at, "bar", colour))

    def wait(self, who: str, text: str) -> None:
        """Add an actor that waits for ever."""
        if who not in self.lanes.x:
            self._across(f"{who} {text}")
            return
        x = self.lanes.x[who]
        self._label(Line("fate", text), x, x)
        start = self.lanes.last.get(who, 0.0)
        self.lanes.quiet.setdefault(who, []).append((start, self.y + 4))
        self.lanes.ends[who] = self.y + 4

    def mark(self, step: Step, text: str) -> None:
        """Add the words that say that it goes wrong here."""
        self.y += LINE + 5
        x = self.lanes.x.get(step.actor, _GUTTER)
        way = _way(x, self.lanes.x.get(step.store, x))
        align: Literal["left", "right"] = "left" if way > 0 else "right"
        at = Text(x + 10 * way, self.y - 2, text, "bold", ACCENT_INK, align, self.fill)
        self.shapes.append(at)

    def _label(self, line: Line, x: float, to: float) -> None:
        way = _way(x, to)
        off = 14 if line.kind == "end" or line.text.startswith(CROSS) else 10
        room = abs(to - x) - 22
        if room < _NARROW:
            room = _WIDE
        font = _FONTS[line.kind]
        for part in fit(_SIGNS[line.kind] + line.text.lstrip(_DRAWN), font, room, _MOST_LINES):
            self.y += LINE
            ink = QUIET if line.kind in ("note", "end") else INK
            align: Literal["left", "right"] = "left" if way > 0 else "right"
            self.shapes.append(Text(x + off * way, self.y - 3, part, font, ink, align, self.fill))

    def _stroke(self, what: Stroked, x: float, to: float, colour: str, filled: bool) -> None:
        if what == "none" or x == to:
            return
        y, way = self.y + 5, _way(x, to)
        self.y += 9
        if what == "there cut":
            self.shapes.append(Stroke(x, y, x + (to - x) * 0.4, y, colour, 1.5))
            self.shapes.append(Sign(x + (to - x) * 0.4 + 5 * way, y, "broken", colour))
        elif what in ("there", "there late"):
            dash: Literal["solid", "dotted"] = "dotted" if what == "there late" else "solid"
            self.shapes.append(Stroke(x, y, to - 6 * way, y, colour, 1.5, dash, "full"))
            self.shapes.append(Sign(to, y, "dot" if filled else "ring", colour))
        elif what == "back cut":
            self.shapes.append(Stroke(to, y, to + (x - to) * 0.4, y, colour, 1.5, "dashed"))
            self.shapes.append(Sign(to + (x - to) * 0.4 - 5 * way, y, "broken", colour))
        elif what == "back given":
            self.shapes.append(Stroke(to, y, x + 2 * way, y, colour, 1.5, "solid", "full"))
        else:
            self.shapes.append(Stroke(to, y, x + 2 * way, y, colour, 1.3, "dashed", "open"))

    def _across(self, text: str) -> None:
        self.y += LINE
        middle = (_PAGE + _GUTTER) / 2
        self.shapes.append(
            Stroke(_GUTTER, self.y - 7, _PAGE - _EDGE, self.y - 7, QUIET, 1, "dotted")
        )
        for part in fit(text, "words", _PAGE - 2 * _GUTTER - 40, 1):
            self.shapes.append(Text(middle, self.y - 3, part, "words", INK, "center", self.fill))


def _way(x: float, to: float) -> int:
    return 1 if to > x or (to == x and x < _PAGE / 2) else -1
