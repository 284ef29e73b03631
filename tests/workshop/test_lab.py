"""`make lab`: quiet, in the browser and in the terminal."""

from __future__ import annotations

import json
import logging
import re
import sys
from pathlib import Path

import pytest

from workshop import lab

ROOT = Path(__file__).parents[2]
LINE = re.search(r"^LOG = .*?\n\n", (ROOT / "Makefile").read_text(), re.MULTILINE | re.DOTALL)


def logged(url: str, error: Exception) -> list[str]:
    """What the log has of a request to `url` that ended in `error`."""
    found: list[str] = []
    handler = logging.Handler()
    handler.emit = lambda record: found.append(record.getMessage())  # type: ignore[method-assign]
    handler.addFilter(lab.ClosedPages())
    logger = logging.Logger("the server's")
    logger.addHandler(handler)
    try:
        raise error
    except type(error):
        logger.error("Uncaught exception GET %s", url, exc_info=True)
    logger.error("500 GET %s", url)
    return found


def test_a_request_to_a_page_that_is_gone_leaves_one_line() -> None:
    assert logged("/proxy/5000/boards/task", ConnectionRefusedError()) == [
        "500 GET /proxy/5000/boards/task"
    ]


@pytest.mark.parametrize(
    ("url", "error"),
    [("/proxy/5000/boards/task", ValueError()), ("/api/kernels", ConnectionRefusedError())],
)
def test_every_other_traceback_stays(url: str, error: Exception) -> None:
    assert len(logged(url, error)) == 2


def test_the_line_of_make_lab_names_what_there_is() -> None:
    assert LINE
    line = LINE.group()
    assert "src/workshop/lab" in line
    assert "workshop.lab.ClosedPages" in line
    assert "NeverCheckForUpdate" in line


def test_jupyterlab_takes_the_settings_and_asks_for_no_news() -> None:
    from jupyterlab_server.settings_utils import get_settings  # by the one worker that needs it

    folder = Path(lab.__file__).parent
    name = "@jupyterlab/apputils-extension:notification"
    wanted = json.loads((folder / "overrides.json").read_text())[name]
    schemas = Path(sys.prefix) / "share/jupyter/lab/schemas"
    settings, _ = get_settings(str(folder), str(schemas), "no-folder", name)
    properties = settings["schema"]["properties"]
    assert {key: properties[key]["default"] for key in wanted} == wanted
    assert wanted["fetchNews"] == "false"
