"""The transcript: a column for each actor, time running down.

The form is that of David Wolever, "Common messaging patterns implemented with
Redis" (2016), who shows `redis-cli` sessions side by side. Steps are numbered as
in the diagram of the same run.
"""

from __future__ import annotations

from dataclasses import dataclass

from raceproof.draw import transcript_html
from raceproof.draw.narration import BREAKS, CROSS, MARK, Line, lines, printable, prompt, width
from raceproof.trace.steps import Run, Step

_SIGNS = {"reply": "", "fate": "", "note": "# ", "end": "■ "}
_MOST_LINES = 6


@dataclass(frozen=True)
class Transcript:
    """A run as a table of text. `str()` is for terminals and diffs; a notebook shows HTML."""

    run: Run
    width: int = 100

    def __str__(self) -> str:
        return _text(self.run, self.width)

    __repr__ = __str__

    def _repr_html_(self) -> str:
        return transcript_html.table(self.run)

    def _repr_mimebundle_(self, include: object = None, exclude: object = None) -> dict[str, str]:
        return {"text/plain": str(self), "text/html": self._repr_html_()}


def transcript(run: Run, width: int | None = None) -> Transcript:
    """Return the run as a transcript, at most `width` characters wide (default 100).

    Columns are as wide as they need to be; when that is too much, the widest ones
    give way and long lines wrap, then end in an ellipsis. A column never gets
    narrower than 14 characters, so that five or more actors may exceed `width`.
    """
    return Transcript(run, 100 if width is None else width)


def _text(run: Run, total: int) -> str:
    cells = [(step, _lines(run, step)) for step in run.steps]
    cells += [
        (Step(who, "", ""), [f"… waits for ever: {printable(why)}"]) for who, why in run.waiting
    ]
    gutter = len(str(len(run.steps)))
    room = total - gutter - 3 * len(run.actors) - len(MARK) - 1
    widths = _fit([_natural(actor, cells) for actor in run.actors], room)
    out = [_row("", run.actors, widths, gutter), _rule(widths, gutter)]
    for number, (step, content) in enumerate(cells):
        label = str(number + 1) if number < len(run.steps) else ""
        rows = _step_rows(step, content, run.actors, widths)
        for first, row in enumerate(rows):
            line = _row("" if first else label, row, widths, gutter)
            marked = number == run.breaks_at and not first
            out.append(f"{line} {MARK}" if marked else line.rstrip())
    if run.violation is not None or run.breaks_at is not None:
        out.append(_rule(widths, gutter))
    if run.breaks_at is not None:
        out += wrap(f"{MARK} step {run.breaks_at + 1}: {BREAKS}", total, "  ")
    if run.violation is not None:
        out += wrap(f"{CROSS} broken: {printable(run.violation)}", total, "  ", most=9)
    return "\n".join(line.rstrip() for line in out)


def _lines(run: Run, step: Step) -> list[str]:
    """Return the lines of a step with prompt and signs: `> GET x`, `# saw 1`, `■ done`."""
    return [_signed(line, prompt(run, step)) for line in lines(step)]


def _signed(line: Line, sign: str) -> str:
    return (sign if line.kind == "call" else _SIGNS[line.kind]) + line.text


def _natural(actor: str, cells: list[tuple[Step, list[str]]]) -> int:
    own = [width(line) for step, content in cells if step.actor == actor for line in content]
    return max([width(actor), *own])


def _fit(wanted: list[int], room: int, least: int = 14) -> list[int]:
    """Return widths that together take at most `room`: the widest give way first."""
    cap = max(wanted, default=0)
    while cap > least and sum(min(want, cap) for want in wanted) > room:
        cap -= 1
    widths = [min(want, cap) for want in wanted]
    for at, want in enumerate(wanted):
        if want > cap and sum(widths) < room:
            widths[at] += 1
    return widths


def _step_rows(
    step: Step, content: list[str], actors: tuple[str, ...], widths: list[int]
) -> list[tuple[str, ...]]:
    if step.actor not in actors or step.fate == "tick":
        whole = sum(widths) + 3 * (len(widths) - 1)
        return [(part,) for line in content for part in wrap(line, whole, "  ")]
    column = actors.index(step.actor)
    own = [part for line in content for part in wrap(line, widths[column], "  ")]
    return [tuple(line if i == column else "" for i in range(len(actors))) for line in own]


def _row(label: str, row: tuple[str, ...], widths: list[int], gutter: int) -> str:
    if len(row) < len(widths):
        return f"{label:>{gutter}} | {row[0]}"
    padded = [
        cell + " " * (size - width(cell))
        for cell, size in zip(
            (_cut(c, w) for c, w in zip(row, widths, strict=True)), widths, strict=True
        )
    ]
    return " | ".join([f"{label:>{gutter}}", *padded])


def _rule(widths: list[int], gutter: int) -> str:
    return "-+-".join("-" * size for size in [gutter, *widths])


def wrap(text: str, room: int, indent: str, most: int = _MOST_LINES) -> list[str]:
    """Return the text as lines of at most `room` cells, at most `most` of them."""
    found = [""]
    text = text[: 4 * room * most]  # what is behind that, nobody sees: a sign may have no width
    for word in text.split(" "):
        start = found[-1] + " " if found[-1].strip() else found[-1]
        if width(start + word) <= room:
            found[-1] = start + word
            continue
        if found[-1].strip():
            found.append(indent)
        while width(found[-1] + word) > room:
            size = _piece(word, room - width(found[-1]))
            found[-1], word = found[-1] + word[:size], word[size:]
            found.append(indent)
        found[-1] += word
    if len(found) > most:
        found[most - 1] = _cut(found[most - 1] + "……", min(room, width(found[most - 1]) + 1))
    return found[:most]


def _piece(word: str, room: int) -> int:
    """Return how much of a long word to put on this line: up to a `/ ? & ,` if there is one."""
    size = max(1, min(room, len(word)))
    while size > 1 and width(word[:size]) > room:
        size -= 1
    joint = max(word[:size].rfind(sign) for sign in "/?&,") + 1
    return joint if joint > size // 2 else size


def _cut(text: str, room: int) -> str:
    if width(text) <= room:
        return text
    while text and width(text) > room - 1:
        text = text[:-1]
    return text + "…"
