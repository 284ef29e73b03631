"""The sources of the site, without Sphinx: what it is given is whole, and says what it should.

`make site` builds the pages and checks them; here is what can be known before that.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import nbformat
import pytest

from workshop.site import notebook_page, sections, sources
from workshop.site.figures import Figure

ROOT = Path(__file__).parents[3]
NOTEBOOKS = sorted((ROOT / "notebooks").glob("*.ipynb"))
STEMS = [path.stem for path in NOTEBOOKS]

#: What people ask, in their words: each is a heading that a search engine finds.
QUESTIONS = {
    "01_pubsub": ["Does pub/sub lose messages? Does it reconnect?"],
    "02_queues": [
        "Why does BRPOP hang, or time out early?",
        "Why did my task run twice?",
        "The worker was killed: where is my job?",
        "BLPOP (or BRPOP) lost an item",
        "How do I recover the processing list?",
    ],
    "04_counter_buffering": ["“Counts vanish on flush”"],
    "05_couchdb_transfer": ["Who wins a conflict? Where did all_or_nothing go?"],
    "06_super_and_the_mro": [
        "6.2 · What does `super()` call?",
        "`object.__init__() takes exactly one argument`",
    ],
}


@pytest.fixture(scope="module")
def source(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("site") / "source"
    sources.write(ROOT, folder)
    return folder


def cells(path: Path) -> list[Any]:
    return nbformat.read(path, as_version=4).cells


def prose(path: Path) -> str:
    return "\n\n".join(cell.source for cell in cells(path) if cell.cell_type == "markdown")


def anchor(heading: str) -> str:
    """The anchor that Sphinx gives a heading: docutils leaves out what stands before a letter."""
    words = re.sub(r"[^a-z0-9]+", "-", heading.lower()).strip("-")
    return re.sub(r"^[-0-9]+|-+$", "", words)


def test_every_page_is_in_the_contents_and_every_entry_is_a_page(source: Path) -> None:
    listed = re.findall(r"```\{toctree\}(.*?)```", (source / "index.md").read_text(), re.DOTALL)
    lines = [line for block in listed for line in block.split("\n\n", 1)[1].split("\n") if line]
    entries = [line.split("<")[-1].rstrip(">") for line in lines]
    there = [
        p.relative_to(source).with_suffix("") for p in source.rglob("*.*") if p.suffix != ".png"
    ]
    assert sorted(entries) == sorted(str(p) for p in there if str(p) != "index")
    assert {f"notebooks/{stem}" for stem in STEMS} < set(entries)
    assert [entry for entry in entries if entry.startswith("notebooks/")] == [
        f"notebooks/{stem}" for stem in STEMS
    ]


def test_every_package_that_is_taken_home_has_its_page(source: Path) -> None:
    named = {
        name
        for page in (source / "api").glob("*.md")
        for name in re.findall(r"automodule:: (\S+)", page.read_text())
    }
    packages = (ROOT / "src" / "patterns").glob("*/__init__.py")
    assert named == {"raceproof", "raceproof.draw"} | {
        f"patterns.{p.parent.name}" for p in packages
    }


@pytest.mark.parametrize("stem", STEMS)
def test_the_text_of_a_notebook_is_that_of_its_page(source: Path, stem: str) -> None:
    """Links and anchors are added, and one cell; no word is changed and no code."""
    before = cells(ROOT / "notebooks" / f"{stem}.ipynb")
    after = cells(source / "notebooks" / f"{stem}.ipynb")
    assert [cell.id for cell in after] == [before[0].id, "run-this", *[c.id for c in before[1:]]]
    del after[1]
    for one, other in zip(before, after, strict=True):
        plain = re.sub(r"</?(a|span)\b[^>]*>|^\(section-\d-\d+\)=\n", "", other.source, flags=re.M)
        assert plain == re.sub(r"</?(a|span)\b[^>]*>", "", one.source)


@pytest.mark.parametrize("stem", STEMS)
def test_a_page_says_how_to_run_it_and_how_long_it_takes(source: Path, stem: str) -> None:
    box = cells(source / "notebooks" / f"{stem}.ipynb")[1].source
    assert "`make lab`" in box
    assert f"notebooks/{stem}.ipynb" in box
    assert f"../slides/{stem}.html" in box
    assert re.search(r"\d+ minutes to read", box)
    assert "**" not in box


@pytest.mark.parametrize("stem", STEMS)
def test_no_two_headings_of_a_page_have_one_anchor(source: Path, stem: str) -> None:
    headings = re.findall(r"^#+ (.+)$", prose(source / "notebooks" / f"{stem}.ipynb"), re.MULTILINE)
    anchors = [anchor(heading) for heading in headings]
    assert sorted(anchors) == sorted(set(anchors))
    assert set(QUESTIONS.get(stem, [])) <= set(headings)


@pytest.mark.parametrize("stem", STEMS)
def test_every_link_of_a_notebook_leads_somewhere(source: Path, stem: str) -> None:
    text = re.sub(
        r"```.*?```|`[^`]*`", "", prose(source / "notebooks" / f"{stem}.ipynb"), flags=re.S
    )
    for link in re.findall(r"\]\(([^)\s]+)\)", text):
        path = link.partition("#")[0]
        assert "://" in link or (source / "notebooks" / path).exists(), link
    for page, to in re.findall(r'href="([\w./]*)#([\w-]+)"', text):
        target = prose(source / "notebooks" / page.replace(".html", ".ipynb"))
        assert f'id="{to}"' in target or f"({to})=" in target, (page, to)


@pytest.mark.parametrize("stem", STEMS)
def test_every_picture_is_a_file_with_words(source: Path, stem: str) -> None:
    shown = [
        output.data["text/html"]
        for cell in cells(source / "notebooks" / f"{stem}.ipynb")
        for output in cell.get("outputs", [])
        if "<img" in output.get("data", {}).get("text/html", "")
    ]
    drawn = sum(
        "image/png" in output.get("data", {})
        for cell in cells(ROOT / "notebooks" / f"{stem}.ipynb")
        for output in cell.get("outputs", [])
    )
    assert len(shown) == drawn > 0
    for html in shown:
        (address,) = re.findall(r'src="\.\./(_static/[^"]+)"', html)
        assert (source / address).read_bytes().startswith(b"\x89PNG")
        (alt,) = re.findall(r'alt="([^"]+)"', html)
        assert html.count(alt) == 2, "its words are folded below it"
        assert html.count("<details>") == 1
    page = (source / "notebooks" / f"{stem}.ipynb").read_text("utf-8")
    assert page.count("<summary>This picture in words") == drawn


def test_the_words_of_the_glossary_and_the_places_that_explain_them_lead_to_each_other(
    source: Path,
) -> None:
    glossary = {c.id: c.source for c in cells(source / "notebooks" / "00_start_here.ipynb")}[
        "glossary"
    ]
    words = re.findall(r'id="(term-[\w-]+)"', glossary)
    assert len(words) == len(set(words)) > 35
    told = re.findall(r'href="(\w+\.html)#section-(\d)-(\d+)"', glossary)
    assert len(told) > 30
    pages = [prose(source / "notebooks" / f"{stem}.ipynb") for stem in STEMS]
    led = {
        to for page in pages for to in re.findall(r'href="00_start_here.html#(term-[\w-]+)"', page)
    }
    assert led <= set(words)
    assert len(led) > 25
    for page, one, two in told:
        assert page.startswith(f"0{one}")
        assert f"(section-{one}-{two})=" in prose(
            source / "notebooks" / page.replace("html", "ipynb")
        )


def test_the_first_page_has_the_picture_the_doors_and_the_map(source: Path) -> None:
    text = (source / "index.md").read_text()
    assert text.count("<img") == 1
    assert text.count("container} door\n") == 2
    assert [stem for stem in STEMS if f"(notebooks/{stem}.ipynb)" not in text] == []
    assert "<!--" not in text + (source / "slides.md").read_text()


def test_a_figure_without_words_is_refused() -> None:
    data = {"image/png": "iVBORw0KGgo="}
    bare = nbformat.v4.new_output("display_data", data, metadata={"image/png": {"alt": " "}})
    with pytest.raises(ValueError, match="without alt text"):
        Figure.of(bare)


def test_a_notebook_that_does_not_say_how_long_it_takes_is_refused() -> None:
    with pytest.raises(ValueError, match="how long"):
        notebook_page.minutes("# A title")


@pytest.mark.parametrize(
    ("text", "linked"),
    [
        ("a **race** here", 1),
        ("two **races**", 1),
        ("**Race**: a word", 1),
        ("a **race condition**", 0),
        ("```\n**race**\n```", 0),
        ("| **race** |", 0),
        ("## **race**", 0),
        ("`f(**race)` and `g(**race)`", 0),
        ("## 1.2 · A heading\n\nand a **race** below", 1),
    ],
)
def test_bold_words_of_the_glossary_are_links(text: str, linked: int) -> None:
    made = sections.to_glossary(text, ["race"], "00.html")
    assert made.count('href="00.html#term-race"') == linked
    assert re.sub(r"</?a\b[^>]*>", "", made) == text
