"""Anchors that stay: one for each numbered section, one for each word of the glossary.

A section `## 1.4 · Break it` can be reached by its words (`#break-it`), which outside pages
should use, and by its number (`#section-1-4`), which the glossary uses. A word of the glossary is
`#term-lost-update`; where a notebook sets it in bold, the bold word is a link to the glossary.
Links are HTML, not Markdown: what they lead to may be on another page, and every one is checked
after the build.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping

_SECTION = re.compile(r"^(## (\d)\.(\d+) · )", re.MULTILINE)
_ITEM = re.compile(r"^- .*(?:\n  .*)*", re.MULTILINE)
_BOLD = re.compile(r"(?<![\w*\[`])\*\*([^*`\n]+)\*\*(?![\w*\]])")
_NUMBER = re.compile(r"(?<=[ (])(\d)\.(\d+)(?=[);, ]|$)", re.MULTILINE)
_FENCE = re.compile(r"(^```[\s\S]*?^```$|^\|.*$|^#.*$)", re.MULTILINE)


def anchored(text: str) -> str:
    """Return Markdown in which every numbered section has an anchor of its number."""
    return _SECTION.sub(r"(section-\2-\3)=\n\1", text)


def numbers(text: str) -> list[str]:
    """Return the numbers of the sections that begin in a text, `1.4`."""
    return [f"{one}.{two}" for _, one, two in _SECTION.findall(text)]


def slug(word: str) -> str:
    """Return the anchor of a word of the glossary."""
    plain = re.sub(r"[^\w]+", "-", word.lower()).strip("-")
    return f"term-{plain}"


def terms(glossary: str) -> list[str]:
    """Return the words that a glossary explains, in its order."""
    items = _ITEM.findall(glossary)
    return list(dict.fromkeys(word for item in items for word in _BOLD.findall(item)))


def glossary_page(text: str, pages: Mapping[str, str]) -> str:
    """Return the glossary with an anchor at each word and a link at each section's number.

    `pages` has the page on which each section is, by its number.
    """
    seen: set[str] = set()

    def anchor(found: re.Match[str]) -> str:
        word = found[1]
        if word in seen:
            return found[0]
        seen.add(word)
        return f'<span id="{slug(word)}">**{word}**</span>'

    def link(found: re.Match[str]) -> str:
        number = f"{found[1]}.{found[2]}"
        if number not in pages:
            return found[0]
        return f'<a href="{pages[number]}#section-{found[1]}-{found[2]}">{number}</a>'

    def item(found: re.Match[str]) -> str:
        return _NUMBER.sub(link, _BOLD.sub(anchor, found[0]))

    return _ITEM.sub(item, text)


def to_glossary(text: str, words: Iterable[str], page: str) -> str:
    """Return Markdown whose bold words of the glossary lead there; code and tables stay."""
    known = {word.lower(): word for word in words}

    def link(found: re.Match[str]) -> str:
        said = found[1].lower()
        word = known.get(said) or known.get(said.removesuffix("s"))
        if word is None:
            return found[0]
        return f'<a class="term" href="{page}#{slug(word)}">**{found[1]}**</a>'

    parts = _FENCE.split(text)
    return "".join(p if _FENCE.fullmatch(p) else _BOLD.sub(link, p) for p in parts)
