"""What every stored notebook must be, and a planted bad notebook for each rule."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from pathlib import Path

import nbformat
import pytest
from nbformat import NotebookNode
from nbformat.v4 import (
    new_code_cell,
    new_markdown_cell,
    new_notebook,
    new_output,
)
from nbval.plugin import get_sanitize_patterns

from workshop import services
from workshop.notebooks import KERNEL, LANGUAGE

SANITIZERS = Path(__file__).parent / "nbval_sanitize.cfg"
NOTEBOOKS = sorted((Path(__file__).parent.parent / "notebooks").glob("*.ipynb"))

LONGEST_CELL = 25
LONGEST_LINE = 100  # of text: JupyterLab breaks a longer one in the middle of a word
CELLS_FOR_ONE_IGNORED = 20
MAY_RAISE = {"raises-exception", "nbval-raises-exception"}
IGNORED = {"nbval-ignore-output", "nbval-skip"}
IGNORED_COMMENT = re.compile(
    r"^\s*#\s*(nbval_ignore_output|nbval_skip|pytest_validate_ignore)", re.I
)
READABLE_ID = re.compile(r"[a-z][a-z0-9]*(-[a-z0-9]+)*")
MACHINE = {
    "an absolute path": re.compile(
        r"(?<![\w.:/])/(home|root|work|tmp|Users|private|usr|opt|var)/\w|\b[A-Z]:\\\w"
    ),
    "a host name or port": re.compile(
        r"\b(localhost|127\.0\.0\.1|0\.0\.0\.0|\[::1\])(:\d+)?|\w+://[^\s/]*:[^\s/]*@", re.I
    ),
    "an object's address": re.compile(r"\bat 0x[0-9a-f]{6,}"),
    "a traceback": re.compile(r"Traceback \(most recent call last\)"),
    "a figure without a picture": re.compile(r"<Figure size "),
}
IMAGE = re.compile(r"<img\b[^>]*>", re.I)
ALT = re.compile(r"""\balt\s*=\s*("[^"]*\w[^"]*"|'[^']*\w[^']*')""", re.I)
FOLDED = re.compile(r"<details>\n<summary>Solution</summary>\n\n```python\n.*\n</details>", re.S)
RESET = (
    "**To reset:** restart the kernel and run the cells up to the one you are at "
    "(Kernel → *Restart Kernel and Run up to Selected Cell…*)."
)
NAMELESS_IMAGE = re.compile(r"!\[\s*\]\(")


def problems(notebook: NotebookNode) -> list[str]:
    """Everything that is wrong with a notebook, each in one line that begins with the cell's id."""
    found = list(of_the_whole(notebook))
    expected_count = 0
    for cell in notebook.cells:
        found += [f"{cell.get('id')}: {problem}" for problem in of_a_cell(cell)]
        if cell.cell_type == "code":
            expected_count += 1
            if cell.execution_count != expected_count:
                found.append(
                    f"{cell.get('id')}: ran as {cell.execution_count}, not {expected_count}"
                )
    return found


def of_the_whole(notebook: NotebookNode) -> list[str]:
    """The problems of the notebook as such."""
    found = []
    if (notebook.nbformat, notebook.nbformat_minor) < (4, 5):
        found.append("notebook: older than nbformat 4.5")
    if notebook.metadata.get("kernelspec") != KERNEL:
        found.append(f"notebook: kernelspec is not {KERNEL}")
    if notebook.metadata.get("language_info") != LANGUAGE:
        found.append("notebook: language_info names a version: run `make notebooks`")
    ids = [cell.get("id") for cell in notebook.cells]
    found += [f"{i}: the id is there twice" for i in {i for i in ids if ids.count(i) > 1}]
    code = [cell for cell in notebook.cells if cell.cell_type == "code"]
    ignored = [cell for cell in code if is_ignored(cell)]
    if not code:
        found.append("notebook: no code cell")
    if len(ignored) * CELLS_FOR_ONE_IGNORED > len(code):
        found.append(f"notebook: {len(ignored)} of {len(code)} outputs are ignored")
    return found


def of_a_cell(cell: NotebookNode) -> list[str]:
    """The problems of one cell."""
    found = []
    tags = set(cell.metadata.get("tags", []))
    if not READABLE_ID.fullmatch(cell.get("id", "")) or re.fullmatch(r"[0-9a-f]{8}", cell.id):
        found.append("the id is not readable")
    if cell.cell_type == "markdown":
        found += without_alt(cell.source)
        if "solution" in tags and not FOLDED.fullmatch(cell.source):
            found.append("a solution that is not folded")
        return found + from_the_machine(cell.source, only="an absolute path")
    lines = len(cell.source.splitlines())
    if lines > LONGEST_CELL:
        found.append(f"{lines} lines of code, more than {LONGEST_CELL}")
    if not cell.source.strip():
        found.append("an empty code cell")
    if "solution" in tags:
        found.append("a solution that every reader sees: on a code host code is never collapsed")
    if "execution" in cell.metadata:
        found.append("times are stored: run `make notebooks`")
    found += from_the_machine(cell.source)
    for output in cell.outputs:
        found += of_an_output(output, tags)
    return found


def of_an_output(output: NotebookNode, tags: set[str]) -> list[str]:
    """The problems of one output."""
    if output.output_type == "error":
        return [] if tags & MAY_RAISE else [f"ends in {output.ename}, and has no tag for it"]
    data = output.get("data", {})
    texts = [output.get("text", ""), data.get("text/plain", ""), data.get("text/html", "")]
    found = [problem for text in texts for problem in from_the_machine(text)]
    found += without_alt(data.get("text/html", ""))
    if "text/html" not in data and not any(kind.startswith("image/") for kind in data):
        long = max(map(len, "".join(texts).splitlines()), default=0)
        found += [f"a line of {long} characters, broken in a word: say it"] * (long > LONGEST_LINE)
    if any(kind.startswith("image/") for kind in data):
        alts = [output.metadata.get(kind, {}) for kind in data if kind.startswith("image/")]
        if not all(re.search(r"\w", alt.get("alt", "")) for alt in alts):
            found.append("a figure without alt text")
    return found


def from_the_machine(text: str, only: str | None = None) -> list[str]:
    """What a text gives away about the machine or the moment it was made on.

    Prose may name a host, to say how to reach one's own server; code and outputs may not.
    """
    return [
        f"{what}: {match.group()!r}"
        for what, pattern in MACHINE.items()
        if only in (None, what) and (match := pattern.search(text))
    ]


def without_alt(text: str) -> list[str]:
    """Images in Markdown or HTML that a screen reader cannot name."""
    images = [tag for tag in IMAGE.findall(text) if not ALT.search(tag)]
    return ["an image without alt text"] * (len(images) + len(NAMELESS_IMAGE.findall(text)))


def is_ignored(cell: NotebookNode) -> bool:
    """Whether nbval does not compare this cell's output."""
    tagged = IGNORED & set(cell.metadata.get("tags", []))
    return bool(tagged) or any(map(IGNORED_COMMENT.match, cell.source.splitlines()))


def test_there_are_notebooks() -> None:
    assert NOTEBOOKS


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_stored_notebook(path: Path) -> None:
    nbformat.validate(json.loads(path.read_text(encoding="utf-8")))
    found = problems(nbformat.read(path, as_version=4))
    assert not found, "\n".join(found)


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_it_begins_with_how_to_reset_it(path: Path) -> None:
    first = nbformat.read(path, as_version=4).cells[0]
    assert RESET in " ".join(first.source.split())


# --- what the comparison of outputs overlooks ---------------------------------------------------


def compared(text: str) -> str:
    """What nbval compares of a text."""
    rules = get_sanitize_patterns(SANITIZERS.read_text())
    for regex, replacement in rules:
        text = re.sub(regex, replacement, text)
    return text


def on_another_machine(text: str) -> str:
    """The same output with other services."""
    for ours, other in {
        services.about("redis"): "fakeredis 9.9, in this process",
        services.about("couch"): "Apache CouchDB 3.99.9-rc1+1.2, your server"
        ", one of 3 nodes; our databases have one copy",
        services.about("sql"): "PostgreSQL 99.9, your server",
    }.items():
        for before, after in zip(ours.split(", ", 1), other.split(", ", 1), strict=True):
            text = text.replace(before, after)
    return text


def test_every_sanitizer_is_read() -> None:
    text = SANITIZERS.read_text()
    assert len(list(get_sanitize_patterns(text))) == text.count("\nregex:") == 3


@pytest.mark.parametrize("form", ["text", "html", "redis", "couch", "sql"])
def test_the_services_found_are_not_compared(form: str) -> None:
    shown = {"text": str(services.status()), "html": services.status()._repr_html_()}
    here = shown[form] if form in shown else f"Found: {services.about(form)}"
    elsewhere = on_another_machine(here)
    assert elsewhere != here
    assert compared(elsewhere) == compared(here)


@pytest.mark.parametrize(
    "text",
    [
        "> SET hello 1\nOK        > GET hello\n",
        "services.redis() answers in   3 steps",
        "<td>3 schedules</td><td>1 breaks</td>",
        "call  service\n",
    ],
)
def test_everything_else_is_compared(text: str) -> None:
    assert compared(text) == text


# --- the rules themselves, each against a notebook that breaks it -------------------------------


def good() -> NotebookNode:
    """A notebook that nothing is wrong with: 20 code cells, a figure, a solution, an exception."""
    png = new_output(
        "display_data",
        {"image/png": "aGk=", "text/plain": "Two bars."},
        metadata={"image/png": {"alt": "Two bars."}},
    )
    title = "# Title ![a chart](chart.png) redis://name:password@localhost"
    cells = [new_markdown_cell(title, id="title")]
    for count in range(1, 21):
        cells.append(new_code_cell(f"x = {count}", id=f"step-{count}", execution_count=count))
    cells[1].outputs = [new_output("stream", name="stdout", text="see /history and a/root/b\n")]
    cells[2].outputs = [png]
    cells[4].metadata = {"tags": ["raises-exception"]}
    cells[4].outputs = [new_output("error", ename="Oops", evalue="x", traceback=["Oops: x"])]
    cells[5].metadata = {"tags": ["nbval-ignore-output"]}
    solution = "<details>\n<summary>Solution</summary>\n\n```python\nx\n```\n\nSo.\n\n</details>"
    cells.append(new_markdown_cell(solution, id="solution", metadata={"tags": ["solution"]}))
    metadata = {"kernelspec": dict(KERNEL), "language_info": dict(LANGUAGE)}
    return new_notebook(cells=cells, metadata=metadata)


def says(text: str, mime: str = "") -> Callable[[NotebookNode], None]:
    """A change that gives the first code cell this output."""

    def change(notebook: NotebookNode) -> None:
        output = new_output("stream", name="stdout", text=text)
        notebook.cells[1].outputs = [new_output("display_data", {mime: text}) if mime else output]

    return change


def sets(cell: int, **fields: object) -> Callable[[NotebookNode], None]:
    """A change that sets fields of one cell."""
    return lambda notebook: notebook.cells[cell].update(**fields)


def broken_figure(notebook: NotebookNode) -> None:
    notebook.cells[2].outputs[0].metadata["image/png"]["alt"] = " "


BAD: dict[str, tuple[Callable[[NotebookNode], object], str]] = {
    "not executed": (sets(1, execution_count=None), "step-1: ran as None, not 1"),
    "executed out of order": (sets(2, execution_count=3), "step-2: ran as 3, not 2"),
    "other kernel": (
        lambda n: n.metadata.kernelspec.update(name="conda-env"),
        "notebook: kernelspec is not",
    ),
    "Python version": (
        lambda n: n.metadata.language_info.update(version="3.11.7"),
        "notebook: language_info names a version",
    ),
    "old format": (lambda n: n.update(nbformat_minor=4), "notebook: older than nbformat 4.5"),
    "no code": (lambda n: n.update(cells=n.cells[:1]), "notebook: no code cell"),
    "id twice": (sets(2, id="step-1"), "step-1: the id is there twice"),
    "random id": (sets(2, id="0a1b2c3d"), "0a1b2c3d: the id is not readable"),
    "hex id of letters": (sets(2, id="deadbeef"), "deadbeef: the id is not readable"),
    "long cell": (sets(1, source="x = 1\n" * 26), "step-1: 26 lines of code"),
    "empty cell": (sets(1, source=" \n"), "step-1: an empty code cell"),
    "Linux path": (says("/home/ann/x.py"), "step-1: an absolute path: '/home/a"),
    "root path": (says("in '" + "/root" + "/x.py'"), "step-1: an absolute path"),
    "work path": (says("File " + "/work" + "/main/x"), "step-1: an absolute path"),
    "macOS path": (says("/Users/ann/x.py"), "step-1: an absolute path"),
    "temporary path": (says("(/tmp/tmpx1/db)"), "step-1: an absolute path"),
    "Windows path": (says(r"C:\Users\ann"), "step-1: an absolute path"),
    "path in HTML": (says("<b>/home/ann</b>", "text/html"), "step-1: an absolute path"),
    "path in code": (sets(1, source="open('/home/ann/x')"), "step-1: an absolute path"),
    "path in Markdown": (sets(0, source="see /home/ann/x"), "title: an absolute path"),
    "port": (says("redis on 127.0.0.1:6379"), "step-1: a host name or port"),
    "host": (says("http://localhost/"), "step-1: a host name or port"),
    "password": (says("redis://:secret@db/0"), "step-1: a host name or port"),
    "address": (says("<Room object at 0x7f3a2b1c>"), "step-1: an object's address"),
    "printed traceback": (says("Traceback (most recent call last):"), "step-1: a traceback"),
    "untagged error": (
        sets(4, metadata=nbformat.from_dict({})),
        "step-4: ends in Oops, and has no tag for it",
    ),
    "figure's repr": (says("<Figure size 640x480>", "text/plain"), "step-1: a figure without a p"),
    "figure without alt": (broken_figure, "step-2: a figure without alt text"),
    "HTML image without alt": (
        says('<img src="x.png" alt="">', "text/html"),
        "step-1: an image without alt text",
    ),
    "Markdown image without alt": (
        sets(0, source="![](x.png)"),
        "title: an image without alt text",
    ),
    "open solution": (
        sets(-1, source="```python\nx\n```"),
        "solution: a solution that is not folded",
    ),
    "solution in code": (
        lambda n: n.cells[3].metadata.update(tags=["solution"]),
        "step-3: a solution that every reader sees",
    ),
    "long line": (says("a" * 101), "step-1: a line of 101 characters"),
    "times": (
        lambda n: n.cells[1].metadata.update(execution={"iopub.status.busy": "now"}),
        "step-1: times are stored",
    ),
    "two ignored of 20": (
        sets(6, source="# NBVAL_IGNORE_OUTPUT\nx"),
        "notebook: 2 of 20 outputs are ignored",
    ),
    "one ignored of 19": (
        lambda n: n.update(cells=n.cells[:-2]),
        "notebook: 1 of 19 outputs are ignored",
    ),
}


def test_nothing_is_wrong_with_a_good_notebook() -> None:
    assert problems(good()) == []


@pytest.mark.parametrize("flaw", BAD)
def test_each_flaw_is_found(flaw: str) -> None:
    change, complaint = BAD[flaw]
    notebook = good()
    change(notebook)
    found = problems(notebook)
    assert any(problem.startswith(complaint) for problem in found), found
    assert len(found) == 1 or flaw == "executed out of order", found
