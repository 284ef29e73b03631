"""The page in a real Chromium: two tabs, a restarted server, and values that look like markup.

Not tested where there is no Chromium: the tests are then skipped, and the reason says so.
"""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from typing import Any

import pytest
from tests.browser import ARGUMENTS

from patterns.notice_boards import NoticeBoard
from workshop import services
from workshop.page_server import PageServer
from workshop.services import redis_service

BROWSER = shutil.which("chromium") or shutil.which("chromium-browser")
pytestmark = pytest.mark.skipif(BROWSER is None, reason="not tested: browser (no Chromium found)")
EVIL = '<img src=x onerror="document.title=1"><script>document.title=2</script>'
# What the bar shows, each time it changes, from the first moment of the page on.
RECORD = """
  window.bars = [];
  new MutationObserver(() => {
    const bar = document.getElementById("bar");
    if (bar && bar.hasAttribute("value")) window.bars.push(bar.value);
  }).observe(document, {subtree: true, childList: true, attributes: true});
"""


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    playwright_api = pytest.importorskip("playwright.sync_api", reason="not tested: browser")
    with playwright_api.sync_playwright() as playwright:
        running = playwright.chromium.launch(executable_path=BROWSER, args=ARGUMENTS)
        yield running.new_context()  # one for all: each costs as much as three tabs
        running.close()


@pytest.fixture
def board() -> NoticeBoard:
    return NoticeBoard(services.redis("browser", fresh=True), "task")


def a_server() -> PageServer:
    return PageServer(lambda: services.redis_async("browser"))


def a_process(port: int = 0) -> tuple[subprocess.Popen[str], str]:
    """A server in a process of its own, and the address of the page."""
    services.redis("browser")
    command = [
        sys.executable,
        "-m",
        "workshop.board_page",
        "--port",
        str(port),
        "--space",
        "browser",
    ]
    invited = {**os.environ, "PATTERNS_JOIN": services.invitation()}
    server = subprocess.Popen(command, env=invited, stdout=subprocess.PIPE, text=True)
    assert server.stdout is not None
    return server, server.stdout.readline().split()[-1]


def a_tab(browser: Any, url: str) -> tuple[Any, list[str]]:
    """A tab on the page of the board, and what goes wrong in it."""
    tab, wrong = browser.new_page(), []
    tab.on("pageerror", lambda error: wrong.append(str(error)))
    tab.add_init_script(RECORD)
    tab.goto(url)
    return tab, wrong


def until(tab: Any, script: str) -> None:
    """Return once the expression is true in the tab (whose policy forbids playwright's own way)."""
    deadline = time.monotonic() + 300
    while not tab.evaluate(script):
        assert time.monotonic() < deadline, f"{script}: {tab.inner_text('main')}"
        tab.wait_for_timeout(20)


def test_two_tabs_follow_a_task_over_a_server_that_is_killed(
    browser: Any, board: NoticeBoard
) -> None:
    if redis_service.kind() == "fake":
        pytest.skip("not tested: browser with a killed server (fakeredis cannot be shared)")
    server, url = a_process()
    early, wrong = a_tab(browser, url)
    half, restarted = threading.Event(), threading.Event()

    def task() -> None:
        for done in range(1, 41):
            board.post({"done": done, "total": 40, "text": f"step {done}"})
            time.sleep(0.02)
            if done == 20:
                half.set()
                restarted.wait(600)

    worker = threading.Thread(target=task)
    worker.start()
    try:
        half.wait(300)
        late, also_wrong = a_tab(browser, url)
        until(late, "document.getElementById('bar').value >= 50")
        server.send_signal(signal.SIGKILL)
        server.wait()
        until(early, "document.getElementById('link').textContent.startsWith('No conn')")
        server, again = a_process(int(url.split(":")[2].split("/")[0]))
        assert again == url
        restarted.set()
        for tab in (early, late):
            until(tab, "document.getElementById('bar').value === 100")
            until(tab, "document.getElementById('link').textContent === 'Connected.'")
            assert tab.locator("#text").text_content() == "100 % · step 40"
            bars = tab.evaluate("window.bars")
            assert bars == sorted(bars)
            assert len(bars) >= 2
            tab.close()
    finally:
        restarted.set()
        worker.join()
        server.send_signal(signal.SIGINT)
        assert server.wait(300) == 0
        assert server.stdout is not None
        server.stdout.close()
    assert wrong == also_wrong == []


@pytest.mark.parametrize("value", [EVIL, {"done": 1, "total": 2, "text": EVIL}, [EVIL]], ids=repr)
def test_a_value_is_text_and_never_markup(browser: Any, board: NoticeBoard, value: Any) -> None:
    board.post(value)
    with a_server() as server:
        tab, wrong = a_tab(browser, server.url("task"))
        until(tab, "document.getElementById('text').textContent.includes('onerror')")
        assert tab.locator("main img, main script").count() == 0
        assert tab.title() == "Progress"
        assert wrong == []
        tab.close()


def test_the_page_says_what_it_shows(browser: Any, board: NoticeBoard) -> None:
    board.post(37)
    with a_server() as server:
        tab, _ = a_tab(browser, server.url("task"))
        until(tab, "document.getElementById('text').textContent === '37 %'")
        bar = tab.get_by_role("progressbar", name="task")
        assert bar.get_attribute("value") == "37"
        assert tab.locator("[aria-live]").text_content() == "37 %"
        tab.close()


def test_the_page_stops_asking_a_server_that_stays_away(browser: Any, board: NoticeBoard) -> None:
    board.post(60)
    server = a_server().start()
    tab, wrong = browser.new_page(), []
    tab.on("pageerror", lambda error: wrong.append(str(error)))
    tab.add_init_script("const set = setTimeout; setTimeout = (f, ms) => set(f, ms / 100)")
    asked: list[str] = []
    tab.on("request", lambda request: asked.append(request.url))
    try:
        tab.goto(server.url("task"))
        until(tab, "document.getElementById('text').textContent === '60 %'")
    finally:
        server.stop()
    until(tab, "document.getElementById('link').textContent.includes('reload')")
    seen = len(asked)
    tab.wait_for_timeout(300)
    assert len(asked) == seen
    assert tab.locator("#text").text_content() == "60 %"
    board.post(100)
    with PageServer(lambda: services.redis_async("browser"), port=server.port):
        tab.evaluate("dispatchEvent(new Event('online'))")
        until(tab, "document.getElementById('text').textContent === '100 %'")
        assert tab.locator("#link").text_content() == "Connected."
        tab.close()
    assert wrong == []
