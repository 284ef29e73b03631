"""What must hold for the pages that Sphinx has written; `make site` fails on what does not.

Every link inside the site leads to a page and, behind a `#`, to an anchor. No anchor is there
twice on a page. Every image has words. Nothing is fetched from elsewhere when a page is opened.
"""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import dataclass, field
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import unquote, urlsplit

#: What a browser fetches by itself when it opens a page, by element and attribute.
FETCHES = {
    "script": "src", "img": "src", "iframe": "src", "source": "src", "video": "src", "audio": "src",
    "embed": "src", "object": "data",
}  # fmt: skip
RELS = {"stylesheet", "icon", "preload", "prefetch", "modulepreload", "preconnect", "manifest"}
_ELSEWHERE = re.compile(r"^(https?:)?//")
_IN_CSS = re.compile(r"""(?:url\(|@import)\s*["']?((?:https?:)?//[^"')\s]+)""")


@dataclass
class BuiltPage(HTMLParser):
    """One page as a browser sees it: its anchors, what it links to, what it fetches."""

    anchors: list[str] = field(default_factory=list)
    links: list[str] = field(default_factory=list)
    fetched: list[str] = field(default_factory=list)
    wordless: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        super().__init__()

    def handle_starttag(self, tag: str, attributes: list[tuple[str, str | None]]) -> None:
        """Note one element."""
        has = {name: value or "" for name, value in attributes}
        if "id" in has:
            self.anchors.append(has["id"])
        if tag == "a" and "href" in has:
            self.links.append(has["href"])
        if tag == "img" and not has.get("alt", "").strip():
            self.wordless.append(has.get("src", ""))
        if has.get(FETCHES.get(tag, ""), ""):
            self.fetched.append(has[FETCHES[tag]])
        if tag == "link" and RELS & set(has.get("rel", "").split()):
            self.fetched.append(has.get("href", ""))


def problems(site: Path) -> list[str]:
    """Return everything that is wrong with a built site, a line each."""
    pages = {}
    for path in sorted(site.rglob("*.html")):
        page = pages[path.resolve()] = BuiltPage()
        page.feed(path.read_text("utf-8"))
    found = []
    for path, page in pages.items():
        name = path.relative_to(site.resolve())
        found += [f"{name}: {line}" for line in _of_a_page(path, page, pages)]
    for path in sorted(site.rglob("*.css")):
        away = _IN_CSS.findall(path.read_text("utf-8"))
        found += [f"{path.relative_to(site)}: fetches {address}" for address in away]
    return found


def _of_a_page(path: Path, page: BuiltPage, pages: dict[Path, BuiltPage]) -> list[str]:
    found = [
        f"the anchor #{a} is there {n} times" for a, n in Counter(page.anchors).items() if n > 1
    ]
    found += [f"an image without words: {source}" for source in page.wordless]
    for address in page.fetched:
        if _ELSEWHERE.match(address):
            found.append(f"fetches {address}")
        elif not address.startswith("data:") and not _file(path, address).exists():
            found.append(f"{address} is not there")
    for link in page.links:
        parts = urlsplit(link)
        if parts.scheme or parts.netloc:
            continue
        to = _file(path, link)
        if not to.exists():
            found.append(f"leads to {link}, which is not there")
        elif parts.fragment and to in pages and unquote(parts.fragment) not in pages[to].anchors:
            found.append(f"leads to {link}, and there is no such anchor")
    return found


def _file(path: Path, link: str) -> Path:
    """Return the file that a link on a page leads to."""
    told = unquote(urlsplit(link).path)
    return (path.parent / told).resolve() if told else path
