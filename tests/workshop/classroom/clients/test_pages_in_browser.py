"""The pages in a real Chromium: an instructor, three learners, a network that goes and returns.

Not tested where there is no Chromium: the tests are then skipped, and the reason says so.
"""

from __future__ import annotations

import hashlib
import shutil
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any
from urllib.request import urlopen

import pytest
from tests.browser import ARGUMENTS
from tests.workshop.classroom.clients.a_class import AClass
from tests.workshop.classroom.clients.conftest import until
from tests.workshop.classroom.clients.network import Network

from workshop.class_in_a_notebook import fresh_class
from workshop.classroom import message_routes, rate_limits
from workshop.exercises.catalogue import NAMES

PROGRAM = shutil.which("chromium") or shutil.which("chromium-browser")
pytestmark = pytest.mark.skipif(PROGRAM is None, reason="not tested: browser (no Chromium found)")
PHONE = {"viewport": {"width": 390, "height": 844}, "is_mobile": True, "has_touch": True}
WITHOUT_TLS = "class.test"  # no loopback: a page there may use less
TIMES = "\u00d7"
EVIL = '<img src=x onerror="document.title=1">'
ONE_LINE = "[...document.querySelectorAll('#grid tr')].every((row) => row.offsetHeight < 40)"
PATIENTLY = """(async () => {
  for (let looks = 0; looks < 40; looks += 1) {
    if (SCRIPT) return true;
    await new Promise((again) => setTimeout(again, 50));
  }
})()"""
REPORT = (
    "([exercise, passed]) => call('POST', '/attempts', {exercise, passed}).then((r) => r.status)"
)


@pytest.fixture(scope="module")
def a_class(tmp_path_factory: pytest.TempPathFactory) -> Iterator[AClass]:
    """A class in a process of its own: one of the tests kills it."""
    running = AClass(tmp_path_factory.mktemp("class") / "folder")
    yield running
    running.stop()


class Devices:
    """A computer and a phone, whose tabs know nothing of each other: each has its own tokens.

    To begin a tab costs a third of what it costs to begin a device. Two live pages of one address
    are the most that a device can have: each keeps two polls open, of six that a browser allows.
    """

    def __init__(self, browser: Any) -> None:
        self.computer = browser.new_context()
        self.phone = browser.new_context(**PHONE)


@pytest.fixture(scope="module")
def both_devices() -> Iterator[Devices]:
    playwright_api = pytest.importorskip("playwright.sync_api", reason="not tested: browser")
    with playwright_api.sync_playwright() as playwright:
        running = playwright.chromium.launch(
            executable_path=PROGRAM,
            args=[*ARGUMENTS, f"--host-resolver-rules=MAP {WITHOUT_TLS} 127.0.0.1"],
        )
        yield Devices(running)
        running.close()


@pytest.fixture
def devices(both_devices: Devices) -> Iterator[Devices]:
    """No tab of an earlier test is open."""
    yield both_devices
    for device in (both_devices.computer, both_devices.phone):
        for page in device.pages:
            page.close()


class Tab:
    """A tab of a device, with what goes wrong in it."""

    def __init__(self, device: Any, address: str) -> None:
        self.wrong: list[str] = []
        self.page = device.new_page()
        self._listen(self.page)
        self.page.goto(address)

    def _listen(self, page: Any) -> None:
        page.on("pageerror", lambda error: self.wrong.append(str(error)))
        page.on("console", self._heard)

    def _heard(self, said: Any) -> None:
        offline = "Failed to load resource" in said.text  # that is what is tested
        if said.type in ("error", "warning") and not offline:
            self.wrong.append(said.text)

    def is_true(self, script: str) -> bool:
        try:
            return bool(self.page.evaluate(script))
        except Exception as error:  # between two pages there is none to ask
            if "navigation" in str(error):
                return False
            raise

    def until(self, script: str) -> None:
        """Return once the expression is true; the page itself looks, twenty times a second."""

        def seen() -> str:
            return f"{script}: {self.page.url} {self.page.inner_text('body')[:2000]} {self.wrong}"

        until(lambda: self.is_true(PATIENTLY.replace("SCRIPT", script)), seen)

    def until_reads(self, name: str, words: str) -> None:
        self.until(f"document.getElementById({name!r})?.textContent.includes({words!r})")

    def text(self, name: str) -> str:
        return str(self.page.locator(f"#{name}").text_content())

    def close(self) -> None:
        assert self.wrong == []
        self.page.close()


def an_instructor(devices: Devices, a_class: AClass) -> Tab:
    tab = Tab(devices.computer, a_class.link)
    tab.until_reads("code", a_class.code)
    return tab


def a_learner(device: Any, a_class: AClass, name: str, at: str = "") -> Tab:
    tab = Tab(device, (at or a_class.url) + "/")
    tab.page.click("#join")
    tab.page.fill("[name=join_code]", a_class.code)
    tab.page.fill("[name=name]", name)
    tab.page.keyboard.press("Enter")
    tab.until_reads("who", name)
    tab.until_reads("solved", "solved")
    return tab


def messages(tab: Tab) -> list[str]:
    return list(tab.page.locator("#messages p").all_text_contents())


def cells(tab: Tab, name: str) -> list[str]:
    [row] = [r for r in tab.page.locator("#grid tr").all() if name in str(r.text_content())]
    return list(row.locator("td").all_text_contents())


def test_an_instructor_and_three_learners_one_on_a_phone_one_offline(
    devices: Devices, a_class: AClass, network: Network
) -> None:
    teach = an_instructor(devices, a_class)
    ann = a_learner(devices.computer, a_class, "Ann of the desktop")
    ben = a_learner(devices.phone, a_class, "Ben on a phone")
    cleo = a_learner(devices.computer, a_class, f"Cleo {EVIL}"[:40], network.at)
    learners = [ann, ben, cleo]
    before = len(messages(teach))
    teach.page.fill("#now [name=doing]", "The first exercise")
    teach.page.keyboard.press("Enter")
    for tab in learners:
        tab.until_reads("doing", "The first exercise")
        tab.until_reads("left", "left")
    assert ben.page.evaluate("document.documentElement.scrollWidth") <= 390

    network.up = False
    cleo.page.evaluate(f"void ({REPORT})([{NAMES[0]!r}, true])")  # not awaited: it is on its way
    cleo.page.evaluate(f"void ({REPORT})([{NAMES[1]!r}, false])")
    cleo.page.fill("#say [name=text]", f"from afar {EVIL}")
    cleo.page.keyboard.press("Enter")
    cleo.until_reads("link", "No connection")
    assert ann.page.evaluate(REPORT, [NAMES[0], True]) == 201
    assert ann.page.evaluate(REPORT, [NAMES[2], True]) == 201
    for _ in range(2):
        assert ben.page.evaluate(REPORT, [NAMES[1], False]) == 201
    ann.page.fill("#say [name=text]", "is the stamp a time?")
    ann.page.keyboard.press("Enter")
    ben.until("document.getElementById('messages').textContent.includes('stamp')")
    teach.page.fill("#now [name=doing]", "The second exercise")
    teach.page.keyboard.press("Enter")
    ann.until_reads("doing", "The second exercise")
    assert "The first exercise" in cleo.text("doing")
    network.lost_replies, network.losing = 3, b"POST /api"  # of what was written meanwhile
    network.up = True

    cleo.until_reads("doing", "The second exercise")
    cleo.until_reads("link", "Connected")
    until(lambda: cleo.page.wait_for_timeout(20) or network.lost_replies == 0)
    for tab, solved in ((ann, 2), (ben, 0), (cleo, 1)):
        tab.until_reads("solved", f"{solved} of {len(NAMES)} solved")
        tab.until(f"document.getElementById('messages').children.length === {before + 2}")
        assert sum(said.endswith("is the stamp a time?") for said in messages(tab)) == 1
        assert sum(said.endswith(f"from afar {EVIL}") for said in messages(tab)) == 1
    teach.until("document.querySelectorAll('#grid td.solved').length >= 3")
    until(
        lambda: (
            teach.page.wait_for_timeout(50) or cells(teach, "Cleo")[:3] == ["✓", f"1{TIMES}", ""]
        )
    )
    assert cells(teach, "Ann of")[:3] == ["✓", "", "✓"]
    assert cells(teach, "Ben on")[:3] == ["", f"2{TIMES}", ""]
    assert [tab.page.locator("main img").count() for tab in (teach, *learners)] == [0] * 4
    for tab in (teach, *learners):
        tab.close()


def test_a_call_for_help_and_all_else_with_the_keyboard_alone(
    devices: Devices, a_class: AClass
) -> None:
    teach, dee = an_instructor(devices, a_class), Tab(devices.computer, a_class.url + "/")
    press(dee, "#join")
    dee.until("Boolean(document.querySelector('[name=join_code]'))")
    typed(dee, "[name=join_code]", a_class.code)
    typed(dee, "[name=name]", "Dee")
    dee.page.keyboard.press("Enter")
    dee.until_reads("who", "Dee")
    dee.until_reads("solved", "solved")
    typed(dee, "#help [name=text]", "my reader never ends")
    press(dee, "#help button")
    dee.until_reads("place", "You are on the list.")
    assert dee.page.is_disabled("#help button")
    dee.page.reload()
    dee.until_reads("place", "You are on the list.")
    teach.until_reads("calls", "1 waiting, 0 being helped")
    press(teach, "#next button")
    teach.until_reads("about", "Dee: my reader never ends")
    teach.until_reads("calls", "0 waiting, 1 being helped")
    dee.until_reads("place", "The instructor is coming.")
    assert teach.page.evaluate("document.activeElement.id") == "done"
    teach.page.keyboard.press("Enter")
    teach.until_reads("calls", "0 waiting, 0 being helped")
    dee.until("document.getElementById('place').textContent === ''")
    assert dee.page.is_enabled("#help button")
    assert teach.page.evaluate("document.activeElement.textContent") == "Take the next call"
    teach.page.keyboard.press("Enter")
    teach.until_reads("problem", "No call waits.")
    typed(teach, "#now [name=doing]", "By keyboard")
    teach.page.keyboard.press("Enter")
    dee.until_reads("doing", "By keyboard")
    press(dee, "#leave")
    dee.until("document.getElementById('outside')?.hidden === false && sessionStorage.length === 0")
    teach.close()
    dee.close()


def press(tab: Tab, name: str) -> None:
    """Go to something by Tab, from the start of the page, and press Enter."""
    reach(tab, name)
    tab.page.keyboard.press("Enter")


def typed(tab: Tab, name: str, words: str) -> None:
    """Go to a field by Tab and type."""
    reach(tab, name)
    tab.page.keyboard.type(words)


def reach(tab: Tab, name: str) -> None:
    at = f"document.activeElement === document.querySelector({name!r})"
    for _ in range(40):
        if tab.is_true(at):
            seen = "getComputedStyle(document.activeElement).outlineStyle !== 'none'"
            assert tab.is_true(seen), f"{name}: nobody sees where they are"
            return
        tab.page.keyboard.press("Tab")
    raise AssertionError(f"{name} cannot be reached with Tab")


def test_axe_finds_nothing_in_light_or_dark(devices: Devices, a_class: AClass) -> None:
    axe = pytest.importorskip("axe_playwright_python", reason="not tested: axe-core")
    source = (Path(axe.__file__).parent / "axe.min.js").read_text("utf-8")
    teach = an_instructor(devices, a_class)
    eva = a_learner(devices.phone, a_class, "Eva")
    eva.page.evaluate(REPORT, [NAMES[0], True])
    outside, device = (Tab(devices.computer, a_class.url + path) for path in ("/", "/device"))
    with teach.page.context.expect_page() as opened:
        teach.page.click("a[href='/projector']")
    screen = opened.value
    until(lambda: screen.evaluate("document.querySelectorAll('progress').length"))
    assert screen.evaluate("sessionStorage.length") == 0
    teach.until_reads("grid", "Eva")
    fits_one_screen(screen, a_class)
    teach.page.set_viewport_size({"width": 390, "height": 844})
    assert teach.page.evaluate("document.documentElement.scrollWidth") <= 390
    assert teach.page.evaluate(ONE_LINE)
    for tab in (teach.page, eva.page, outside.page, device.page, screen):
        tab.evaluate(f"{source}; 0")
        for scheme, rules in (("light", None), ("dark", ["color-contrast"])):
            tab.emulate_media(color_scheme=scheme)
            how = {"resultTypes": ["violations"], **({"runOnly": rules} if rules else {})}
            found = tab.evaluate("(how) => axe.run(how).then((said) => said.violations)", how)
            assert [(tab.url, scheme, one["id"], one["help"]) for one in found] == []
    for tab in (teach, eva, outside, device):
        tab.close()


def fits_one_screen(screen: Any, a_class: AClass) -> None:
    """With a bar for each exercise."""
    screen.evaluate(
        "showBoard({...board, solved_by: Object.fromEntries(board.exercises.map((e) => [e, 1]))})"
    )
    screen.set_viewport_size({"width": 1280, "height": 720})
    last = "[...document.querySelectorAll('progress')].at(-1).getBoundingClientRect().bottom"
    assert screen.evaluate("document.querySelectorAll('progress').length") == len(NAMES)
    assert screen.evaluate(f"Math.max(document.documentElement.scrollHeight, {last})") <= 720
    assert (
        screen.evaluate("parseFloat(getComputedStyle(document.querySelector('li')).fontSize)") >= 16
    )
    labels = "[...document.querySelectorAll('li label')]"
    cut = f"{labels}.some((one) => one.scrollWidth > one.clientWidth)"
    assert not screen.evaluate(cut)
    assert f'classroom.join("{a_class.code}", at="{a_class.url}")' in screen.inner_text("#command")


def test_a_token_that_expires_is_exchanged_once_and_nobody_notices(
    devices: Devices, a_class: AClass
) -> None:
    fred = a_learner(devices.computer, a_class, "Fred")
    asked: list[str] = []
    fred.page.on("request", lambda request: asked.append(request.url.rpartition("/")[2]))
    fred.page.evaluate("tokens.access_token = 'old'; wakeAll()")
    fred.until("tokens.access_token !== 'old'")
    fred.page.evaluate("Promise.all([1, 2, 3].map(() => call('GET', '/me')))")
    a_class.ask("PUT", "board", {"doing": "after the token"})
    fred.until_reads("doing", "after the token")
    assert asked.count("token") == 1
    fred.page.reload()
    fred.until_reads("who", "Fred")
    fred.close()


def test_the_pages_hold_no_secret_and_run_only_their_own_script(a_class: AClass) -> None:
    for path in ("/", "/teach", "/projector"):
        with urlopen(a_class.url + path) as reply:
            text, policy = reply.read().decode(), reply.headers["Content-Security-Policy"]
        assert a_class.secret not in text
        assert a_class.code not in text
        assert "unsafe" not in policy
        assert "default-src 'none'" in policy
        assert "innerHTML" not in text
        assert "http" not in text.replace("http://www.w3.org/2000/svg", "")


def test_a_page_without_tls_in_the_rooms_own_network_works_too(
    devices: Devices, a_class: AClass
) -> None:
    hal = a_learner(devices.computer, a_class, "Hugo", f"http://{WITHOUT_TLS}:{a_class.port}")
    assert not hal.page.evaluate("isSecureContext")
    assert hal.page.evaluate(REPORT, [NAMES[0], True]) == 201
    hal.until_reads("solved", "1 of")
    for size in (0, 1, 43, 55, 56, 63, 64, 65, 119, 120, 200):
        given = [(7 * at + size) % 256 for at in range(size)]
        found = hal.page.evaluate("(bytes) => sha256(new Uint8Array(bytes))", given)
        assert bytes(found) == hashlib.sha256(bytes(given)).digest()
    hal.close()


def test_the_class_is_killed_and_goes_on(devices: Devices, a_class: AClass) -> None:
    teach, gil = an_instructor(devices, a_class), a_learner(devices.computer, a_class, "Gil")
    assert gil.page.evaluate(REPORT, [NAMES[0], True]) == 201
    a_class.kill()
    gil.page.evaluate(f"void ({REPORT})([{NAMES[1]!r}, true])")
    gil.until_reads("link", "No connection")
    a_class.start()
    gil.until_reads("solved", "2 of")
    until(lambda: teach.page.wait_for_timeout(50) or cells(teach, "Gil")[:2] == ["✓", "✓"])
    teach.close()
    gil.close()


def test_the_class_is_saved_and_erased(devices: Devices, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rate_limits, "MESSAGES", 0)
    monkeypatch.setattr(message_routes, "HOUR", 10_000_000)
    with fresh_class("erased") as running:
        code, link = running.opening.join_code, running.instructor_link
        own: Any = SimpleNamespace(url=running.url, code=code, link=link)
        teach, gil = an_instructor(devices, own), a_learner(devices.computer, own, "Gil")
        hal = Tab(devices.computer, running.url + "/teach")
        hal.page.click("#join")
        hal.page.fill("[name=join_code]", running.opening.helper_code)
        hal.page.fill("[name=name]", "Hal")
        hal.page.keyboard.press("Enter")
        hal.until_reads("helpers", "your personal code: ")  # with which he comes back
        hal.close()
        for name in NAMES[:2]:
            assert gil.page.evaluate(REPORT, [name, True]) == 201
        gil.page.fill("#say [name=text]", "one too many")
        gil.page.keyboard.press("Enter")
        gil.until_reads("problem", "At most 0 in")
        teach.until_reads("chart-title", "2 attempts")
        with teach.page.expect_download() as download:
            teach.page.click("#export")
        saved = Path(download.value.path()).read_text("utf-8").splitlines()
        assert [line.split(",")[0] for line in saved] == ['"name"', '"Gil"']
        teach.page.fill("#erase [name=word]", "erase")
        teach.page.keyboard.press("Enter")
        teach.until("document.getElementById('outside')?.hidden === false")
        teach.until_reads("link", "The class is erased.")
        gil.until_reads("problem", "over")
        assert gil.page.evaluate("sessionStorage.length") == 0
        teach.close()
        gil.close()
