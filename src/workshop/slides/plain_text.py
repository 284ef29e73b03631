"""The Markdown of our notebooks' text as HTML: paragraphs, lists, code, and what is in a line."""

from __future__ import annotations

import re
from html import escape

_CODE = "\0"  # stands for a piece of code while the words around it are read
_FENCE = re.compile(r"^```\w*\n(.*?)^```$", re.MULTILINE | re.DOTALL)
_HTML = re.compile(r"^</?(details|summary)>.*$", re.MULTILINE)
_ITEM = re.compile(r"^(?:- |\d+\. )", re.MULTILINE)


def in_line(text: str) -> str:
    """Return one sentence or paragraph as HTML. A link is its words: a slide leads nowhere."""
    parts = re.split(r"`([^`]+)`", re.sub(r"\s+", " ", text.strip()))
    html = escape(_CODE.join(parts[::2]), quote=False)
    html = re.sub(r"\[([^\]]+)\]\([^)]+\)", r"\1", html)
    html = re.sub(r"\*\*([^*]+)\*\*", r"<b>\1</b>", html)
    html = re.sub(r"\*([^*]+)\*", r"<i>\1</i>", html)
    words, *others = html.split(_CODE)
    codes = [f"<code>{escape(part)}</code>" for part in parts[1::2]]
    return words + "".join(code + other for code, other in zip(codes, others, strict=True))


def blocks(text: str) -> str:
    """Return a cell's text as HTML: what a speaker reads in the notes."""
    parts = _FENCE.split(_HTML.sub("", text))
    return "".join(
        f"<pre>{escape(part)}</pre>" if at % 2 else _paragraphs(part)
        for at, part in enumerate(parts)
    )


def _paragraphs(text: str) -> str:
    made = []
    for block in re.split(r"\n\s*\n", text.strip()):
        if not block.strip():
            continue
        if block.startswith("#"):
            made.append(f"<h3>{in_line(block.lstrip('# '))}</h3>")
        elif block.startswith("|"):
            made.append(_table(block))
        elif _ITEM.match(block):
            items = [item for item in _ITEM.split(block) if item.strip()]
            made.append("<ul>" + "".join(f"<li>{in_line(item)}</li>" for item in items) + "</ul>")
        else:
            made.append(f"<p>{in_line(block)}</p>")
    return "".join(made)


def _table(block: str) -> str:
    head, _, *rows = [
        [in_line(cell.replace(r"\|", "|")) for cell in re.split(r"(?<!\\)\|", line)[1:-1]]
        for line in block.splitlines()
    ]
    lines = ["".join(f"<th>{cell}</th>" for cell in head)]
    lines += ["".join(f"<td>{cell}</td>" for cell in row) for row in rows]
    return f"<table>{''.join(f'<tr>{line}</tr>' for line in lines)}</table>"
