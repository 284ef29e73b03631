"""The checks of `make site`, each against a page that breaks it."""

from __future__ import annotations

from pathlib import Path

import pytest

from workshop.site.built_pages import problems

GOOD = """<html><head><link rel="stylesheet" href="a.css"><link rel="next" href="https://x.org/"></head>
<body><h1 id="top">A</h1><a href="other.html#there">to</a><a href="#top">up</a>
<a href="https://example.org/">away</a><img src="a.png" alt="A drawing"></body></html>"""
OTHER = '<p id="there">Here.</p><a href="index.html">back</a>'


@pytest.fixture
def site(tmp_path: Path) -> Path:
    (tmp_path / "index.html").write_text(GOOD)
    (tmp_path / "other.html").write_text(OTHER)
    (tmp_path / "a.css").write_text("p { background: url(a.png) }")
    (tmp_path / "a.png").write_bytes(b"")
    return tmp_path


def test_nothing_is_wrong_with_a_good_site(site: Path) -> None:
    assert problems(site) == []


@pytest.mark.parametrize(
    ("before", "after", "said"),
    [
        ("other.html#there", "gone.html", "leads to gone.html, which is not there"),
        ("#there", "#gone", "leads to other.html#gone, and there is no such anchor"),
        ('href="#top"', 'href="#gone"', "leads to #gone, and there is no such anchor"),
        ('<a href="#top">', '<a id="top" href="#top">', "the anchor #top is there 2 times"),
        ('alt="A drawing"', 'alt=" "', "an image without words: a.png"),
        ('src="a.png"', 'src="b.png"', "b.png is not there"),
        ('src="a.png"', 'src="https://x.org/a.png"', "fetches https://x.org/a.png"),
        ('href="a.css"', 'href="//x.org/a.css"', "fetches //x.org/a.css"),
        ("<body>", '<script src="https://x.org/a.js"></script>', "fetches https://x.org/a.js"),
        ("<body>", '<iframe src="http://x.org"></iframe>', "fetches http://x.org"),
    ],
)
def test_what_is_wrong_with_a_page_is_said(site: Path, before: str, after: str, said: str) -> None:
    assert before in GOOD
    (site / "index.html").write_text(GOOD.replace(before, after))
    assert problems(site) == [f"index.html: {said}"]


@pytest.mark.parametrize("rule", ["@import 'https://x.org/a';", "p { src: url(//x.org/a) }"])
def test_a_style_sheet_fetches_nothing_either(site: Path, rule: str) -> None:
    (site / "a.css").write_text(rule)
    assert len(problems(site)) == 1
    assert problems(site)[0].startswith("a.css: fetches ")
