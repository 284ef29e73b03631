"""The built site in a real Chromium: python -m tests.docs.site_in_browser [--pictures FOLDER]

Opens every page of build/site, after `make site`, at three widths, light and dark. Exit status 1 if
a page scrolls sideways, writes an error to the console, or asks for anything but its own files; if
axe-core finds a fault that keeps somebody out; if a search finds nothing; or if there is no site or
no browser. With --pictures it also writes what the first page and the notebooks look like, as PNG,
for somebody to look at.
"""

from __future__ import annotations

import argparse
import shutil
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from tests.accessibility import IN_THE_DARK, violations

SITE = Path("build") / "site"
WIDTHS = (390, 800, 1440)
SCHEMES = ("light", "dark")
BROWSERS = ("chromium", "chromium-browser", "google-chrome")
IMPACTS = ("serious", "critical")  # by axe-core's own measure; the others are advice
LOOKED_AT = ("index", "notebooks/01_pubsub", "docs/teaching", "api/raceproof")


def pages() -> list[Path]:
    """The pages that somebody wrote, not the copies of the source; a deck fits any window."""
    aside = {"_modules", "slides"}
    return [p for p in sorted(SITE.rglob("*.html")) if not aside & set(p.relative_to(SITE).parts)]


def wrong(browser: Any, width: int, scheme: str, pictures: Path | None) -> Iterator[str]:
    """Everything that is wrong at one width, a line each."""
    found: list[str] = []
    context = browser.new_context(viewport={"width": width, "height": 900}, color_scheme=scheme)
    tab = context.new_page()
    tab.on("pageerror", lambda error: found.append(str(error)))
    tab.on("console", lambda m: found.append(m.text) if m.type in ("error", "warning") else None)
    tab.on(
        "request", lambda r: None if r.url.startswith(("file:", "data:")) else found.append(r.url)
    )
    for path in pages():
        name = path.relative_to(SITE).with_suffix("")
        tab.goto(path.resolve().as_uri())
        wide = tab.evaluate("document.documentElement.scrollWidth")
        if wide > width:
            found.append(f"is {wide} pixels wide")
        if width == WIDTHS[-1]:
            rules = IN_THE_DARK if scheme == "dark" else ()
            found += [line for impact, line in violations(tab, rules) if impact in IMPACTS]
        yield from (f"{name} at {width}, {scheme}: {line}" for line in found)
        found.clear()
        if pictures and str(name) in LOOKED_AT:
            picture = f"{str(name).replace('/', '-')}-{width}-{scheme}.png"
            tab.screenshot(path=pictures / picture, full_page=width == WIDTHS[0])
    context.close()


def searches(browser: Any) -> Iterator[str]:
    """What a search does not find."""
    tab = browser.new_page()
    for words, page in {"visibility timeout": "02_queues", "assert_holds": "search"}.items():
        tab.goto(f"{(SITE / 'search.html').resolve().as_uri()}?q={words.replace(' ', '+')}")
        try:
            tab.wait_for_selector(f"#search-results a[href*='{page}']", timeout=20_000)
        except Exception:  # of the browser's own kind, whatever it is
            yield f"a search for {words!r} does not find {page}"


def main() -> int:
    """Look, say what is wrong, and return the exit status."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--pictures", type=Path)
    pictures = parser.parse_args().pictures
    program = next(filter(None, map(shutil.which, BROWSERS)), None)
    if program is None or not (SITE / "index.html").exists():
        sys.stderr.write("Needs a Chromium, and the site: run `make site` first.\n")
        return 1
    if pictures:
        pictures.mkdir(parents=True, exist_ok=True)
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=program, args=["--no-sandbox"])
        found = [line for w in WIDTHS for s in SCHEMES for line in wrong(browser, w, s, pictures)]
        found += searches(browser)
        browser.close()
    print(*found, sep="\n", end="\n" if found else "")
    print(f"{len(pages())} pages, {len(WIDTHS)} widths, light and dark: {len(found)} things wrong.")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
