"""What a slide shows, as HTML: sentences, code, an output, or a picture."""

from __future__ import annotations

import base64
import re
from html import escape
from typing import Any

from nbformat import NotebookNode
from pygments import highlight
from pygments.formatters import HtmlFormatter
from pygments.lexers import PythonLexer

from workshop.site.figures import IN_WORDS, Figure
from workshop.site.notebook_page import minutes
from workshop.slides import runs
from workshop.slides.marks import Marked
from workshop.slides.plain_text import in_line

RUN = "Space-time diagram"


def of(slide: Marked) -> list[str]:
    """Return what one marked slide shows; a run that is too tall for one is several."""
    lines = "".join(f"<li>{in_line(line)}</li>" for line in slide.mark.get("lines", ()))
    said = f'<ul class="said">{lines}</ul>' if lines else ""
    show = slide.mark["show"]
    if show == "title":
        return [_title(slide.cell)]
    if show == "text":
        return [f'<div class="fit text">{said}</div>']
    if show == "code":
        return [said + _code(_part(slide.cell.source, slide.mark))]
    if show == "figure":
        return [said + picture for picture in _figures(slide.cell)]
    if show == "output":
        return [said + _output(slide.cell, slide.mark.get("output", 0))]
    raise ValueError(f"{slide.cell.id}: a slide shows no {show!r}")


def _title(cell: NotebookNode) -> str:
    title = re.search(r"^# (?:\d · )?(.+)$", cell.source, re.MULTILINE)
    asked = re.search(r"^\*(“.+?”)\*$", cell.source, re.MULTILINE | re.DOTALL)
    first = cell.source.split("\n\n")[1]
    question, time = asked[1] if asked else first, minutes(cell.source)
    return (
        f'<div class="opening"><h1>{in_line(title[1] if title else "")}</h1>'
        f'<p>{in_line(question)}</p><p class="time">{in_line(time[0].upper() + time[1:])}</p></div>'
    )


def _part(source: str, mark: dict[str, Any]) -> str:
    lines = source.splitlines()
    begins = [at for at, line in enumerate(lines) if line.startswith(mark.get("from", ""))]
    ends = [at for at, line in enumerate(lines) if "to" in mark and line.startswith(mark["to"])]
    if not begins or ("to" in mark and not ends):
        raise ValueError(f"no line begins with {mark.get('from')!r} or {mark.get('to')!r}")
    return "\n".join(lines[begins[0] : ends[0] if ends else None]).strip("\n")


def _code(source: str) -> str:
    html = highlight(
        source, PythonLexer(), HtmlFormatter(noclasses=True, nowrap=True, style="friendly")
    )
    return f'<div class="fit code"><pre>{html}</pre></div>'


def _figures(cell: NotebookNode) -> list[str]:
    (figure,) = (f for f in map(Figure.of, cell.outputs) if f is not None)
    address = f"data:image/png;base64,{base64.b64encode(figure.png).decode()}"
    alt = escape(figure.alt)
    if not figure.alt.startswith(RUN):
        return [f'<div class="picture"><img src="{address}" alt="{alt}"></div>']
    shown = runs.parts(figure)
    return [
        f"<style>.{cell.id} i {{ background-image: url({address}) }}</style>" * (at == 0)
        + f'<div class="run {cell.id}" role="img" aria-label="{alt}">{_strips(figure, part)}</div>'
        for at, part in enumerate(shown)
    ]


def _strips(figure: Figure, part: runs.Part) -> str:
    """The names of those who run, and below them the steps of this part."""
    strips = [(0, part.head), (part.top, part.bottom)] if part.head else [(part.top, part.bottom)]
    return "".join(
        f'<i style="width: {figure.width * part.scale:.1f}px; '
        f"height: {(bottom - top) * part.scale:.1f}px; "
        f"background-size: {figure.width * part.scale:.1f}px auto; "
        f'background-position: 0 {-top * part.scale:.1f}px"></i>'
        for top, bottom in strips
    )


def _output(cell: NotebookNode, number: int) -> str:
    shown = [o for o in cell.outputs if "image/png" not in o.get("data", {})]
    shown = [o for o in shown if not o.get("data", {}).get("text/html", "").startswith(IN_WORDS)]
    output = shown[number]
    html = output.get("data", {}).get("text/html")
    if html is not None:
        return f'<div class="fit html">{html}</div>'
    text = output.get("text") or output["data"]["text/plain"]
    return f'<div class="fit code"><pre>{escape(text.rstrip())}</pre></div>'
