"""All slides of a notebook in one HTML file: no network, no other file, keys to go through it."""

from __future__ import annotations

import re
from dataclasses import dataclass
from html import escape
from importlib.resources import files

from nbformat import NotebookNode

from workshop.slides import contents, marks
from workshop.slides.plain_text import blocks, in_line

PAGE = """<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>{title}</title>
<link rel="icon" href="data:,">
<style>
{css}</style>
</head>
<body>
<main>
{slides}
</main>
<nav>
<button id="back" aria-label="the slide before">←</button>
<button id="on" aria-label="the next slide">→</button>
<span>← → go through · N notes · F whole screen</span>
</nav>
<script>
{js}</script>
</body>
</html>
"""
SLIDE = """<section id="{number}" aria-label="slide {number} of {count}">
<header>{title}</header>
<div class="body">
{body}
</div>
<footer><span>{deck}</span><span>{when}</span><span>{number} / {count}</span></footer>
<aside><p class="minutes">{minutes}</p>{left}{notes}</aside>
</section>"""
ELSEWHERE = "{} goes with it is in the notes of slide {}."


@dataclass(frozen=True)
class Slide:
    """One slide as it is shown, with what is said."""

    title: str
    body: str
    notes: tuple[str, ...]
    minutes: int
    exercise: bool
    left: tuple[tuple[str, int], ...]  # what follows it in the notebook and has no slide


def slides(notebook: NotebookNode) -> list[Slide]:
    """Return the slides that a notebook's marks make."""
    made = []
    for slide in marks.marked(notebook):
        shown = contents.of(slide)
        for at, body in enumerate(shown):
            title = slide.title + (f" ({at + 1} of {len(shown)})" if len(shown) > 1 else "")
            minutes = slide.minutes if at == 0 else 0
            left = slide.left if at == len(shown) - 1 else ()
            made.append(Slide(title, body, slide.notes, minutes, slide.exercise, left))
    return made


def html(notebook: NotebookNode) -> str:
    """Return a notebook's deck."""
    made = slides(notebook)
    name = marks.flat(re.findall(r"^# (.+)$", notebook.cells[0].source, re.MULTILINE)[0])
    teach = sum(slide.minutes for slide in made if not slide.exercise)
    shown, gone = [], 0
    said_at = _said_at(made)
    for number, slide in enumerate(made, 1):
        what = "of exercise" if slide.exercise else f"to tell; {gone} of {teach} gone before"
        notes = [text for text in slide.notes if said_at[text] == number]
        others = sorted({said_at[text] for text in slide.notes} - {number})
        notes += [ELSEWHERE.format("The rest of what" if notes else "What", n) for n in others]
        first = number == 1
        shown.append(
            SLIDE.format(
                number=number,
                count=len(made),
                title="" if first else in_line(slide.title),
                body=slide.body,
                deck=escape(name, quote=False),
                when=f"{slide.minutes} min" if slide.exercise else "",
                minutes=f"{slide.minutes or 'less than 1'} min {what}",
                left=f"<p>{in_line(_without_slides(slide.left))}</p>" if slide.left else "",
                notes=blocks("\n\n".join(notes)),
            )
        )
        gone += 0 if slide.exercise else slide.minutes
    here = files("workshop.slides")
    css, js = (here.joinpath(file).read_text("utf-8") for file in ("deck.css", "deck.js"))
    return PAGE.format(title=escape(name), css=css, js=js, slides="\n".join(shown))


def _without_slides(left: tuple[tuple[str, int], ...]) -> str:
    """What the notebook has next that no slide shows, for a speaker who has the time."""
    told = [f"*{heading}*, {minutes or 'less than 1'} min" for heading, minutes in left]
    return f"Next in the notebook, without a slide: {'; '.join(told)}."


def _said_at(made: list[Slide]) -> dict[str, int]:
    """The slide that has a text in its notes: the one of this text alone, else the first."""
    numbered = reversed(list(enumerate(made, 1)))
    alone = {slide.notes[0]: number for number, slide in numbered if len(slide.notes) == 1}
    first: dict[str, int] = {}
    for number, slide in enumerate(made, 1):
        for text in slide.notes:
            first.setdefault(text, alone.get(text, number))
    return first
