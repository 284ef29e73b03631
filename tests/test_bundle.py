"""A bundle that fits is used whole and without an index; any other is refused in one line."""

from __future__ import annotations

import gzip
import io
import json
import os
import subprocess
import sys
import tarfile
from collections.abc import Callable
from pathlib import Path
from types import ModuleType

import pytest
from tests.test_house import REAL_LOCK, house  # noqa: F401  (a fixture)

from workshop.services import ServiceError, node_tarballs

ROOT = Path(__file__).parent.parent
sys.path.insert(0, str(ROOT))
import bundle  # noqa: E402  (a script beside the package, not part of it)

Make = Callable[..., str]


@pytest.fixture
def clone(house: ModuleType) -> ModuleType:  # noqa: F811
    """`bootstrap`, pointed at a clone in which nothing is really installed."""
    return house


@pytest.fixture
def made(clone: ModuleType, tmp_path: Path) -> Make:
    """A function that writes a small bundle for this clone, but for what it is told otherwise."""

    def make(name: str = "b.tar.gz", **other: str) -> str:
        packages = tmp_path / f"packages of {name}"
        for kind, package in (("wheels", "uv-1-py3-none-any.whl"), ("node", "0.tgz")):
            (packages / kind).mkdir(parents=True)
            (packages / kind / package).write_bytes(bytes(range(256)) * 200)
        fits = bundle.wanted(clone.THIS, [clone.LOCK, clone.NODE_LOCK])
        archive = tmp_path / name
        bundle.write(str(archive), {**fits, **other}, str(packages), clone.ROOT, ["pyproject.toml"])
        return str(archive)

    return make


def everything(root: str) -> dict[str, bytes]:
    return {str(path): path.read_bytes() for path in Path(root).rglob("*") if path.is_file()}


def refused(clone: ModuleType, capsys: pytest.CaptureFixture[str], archive: str) -> str:
    """The one line in which an archive is refused; what is in the clone stays as it is."""
    (Path(clone.VENV) / "ready").write_text("an older set-up")
    before = everything(clone.ROOT)
    assert clone.main(["--bundle", archive]) == 1
    assert everything(clone.ROOT) == before
    said = capsys.readouterr().err
    assert said.count("\n") == 1
    assert said.startswith("Set-up stopped: ")
    return said.removeprefix("Set-up stopped: ").rstrip()


def test_all_packages_come_from_the_bundle_and_none_from_an_index(
    clone: ModuleType,
    made: Make,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    Path(clone.LOCK).write_text(REAL_LOCK)
    ran: list[list[str]] = []

    def run(command: list[str], required: bool = True) -> bool:
        ran.append(command)
        if "--find-links" in command:
            assert [*Path(command[command.index("--find-links") + 1]).iterdir()]
        if "--from" in command:
            assert [*Path(command[-1]).iterdir()]
        return True

    monkeypatch.setattr(clone, "run", run)
    monkeypatch.setattr(clone, "version_of_venv", lambda: "3.14")
    monkeypatch.setattr(clone, "THIS", "3.14")
    archive = made()
    assert clone.main(["--bundle", archive]) == 0
    uv, packages, ours, redis_server, node = ran
    for command in (uv, packages, redis_server):
        assert "--no-index" in command
        assert "--require-hashes" in command
    assert packages[-1] == clone.LOCK
    assert {"--no-deps", "--no-build-isolation"} <= set(ours), "what would ask for other packages"
    assert "--from" in node
    assert clone.is_ready(True)
    assert [*Path(clone.ROOT, "build").iterdir()] == [], "the unpacked packages are removed"
    ran.clear()
    assert clone.main(["--bundle", archive]) == 0
    assert ran == [], "a second call does nothing"


def test_without_a_bundle_the_index_is_asked(
    clone: ModuleType,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    ran: list[str] = []
    monkeypatch.setattr(clone, "run", lambda command, required=True: ran.extend(command) or True)
    assert clone.main([]) == 0
    assert not {"--no-index", "--find-links", "--from"} & set(ran)


def test_another_python(
    clone: ModuleType,
    made: Make,
    capsys: pytest.CaptureFixture[str],
) -> None:
    archive = made(python="3.99")
    assert refused(clone, capsys, archive) == (
        f"{archive} is for Python 3.99, not {clone.THIS}: "
        f"make lab PYTHON=python3.99 BUNDLE={archive}"
    )


@pytest.mark.parametrize("there", ["3.12", None])
@pytest.mark.parametrize("asked_for", [False, True])
def test_the_python_that_counts_is_that_of_the_venv_unless_another_is_asked_for(
    clone: ModuleType,
    made: Make,
    monkeypatch: pytest.MonkeyPatch,
    there: str | None,
    asked_for: bool,
) -> None:
    monkeypatch.setattr(clone, "THIS", "3.13")
    monkeypatch.setattr(clone, "version_of_venv", lambda: there)
    monkeypatch.setattr(clone, "set_up", lambda this_python, packages: None)
    right = "3.12" if there and not asked_for else "3.13"
    flags = ["--this-python"] * asked_for
    for version in ("3.12", "3.13"):
        archive = made(f"{version}.tar.gz", python=version)
        assert clone.main([*flags, "--bundle", archive]) == (version != right)


def test_another_platform(
    clone: ModuleType,
    made: Make,
    capsys: pytest.CaptureFixture[str],
) -> None:
    archive = made(platform="plan9-mips")
    assert refused(clone, capsys, archive) == (
        f"{archive} is for plan9-mips, not {bundle.this_machine()}; "
        "run `make bundle` on a machine like this one"
    )


@pytest.mark.parametrize("lock", ["requirements.lock", "package-lock.json"])
def test_another_lock(
    clone: ModuleType,
    made: Make,
    capsys: pytest.CaptureFixture[str],
    lock: str,
) -> None:
    archive = made()
    (path,) = Path(clone.ROOT).rglob(lock)
    path.write_text("# second\n")
    assert refused(clone, capsys, archive) == (
        f"{archive} was made for another {lock}; use the broken-then-proven folder in it, "
        "or run `make bundle` in a clone like this one"
    )


def test_what_does_not_fit_is_refused_by_the_beginning_of_the_archive(
    clone: ModuleType,
    made: Make,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(bundle, "unpack", lambda *_: pytest.fail("it was unpacked"))
    assert clone.main(["--bundle", made(python="3.99")]) == 1


@pytest.mark.parametrize("part", [0.0, 0.02, 0.5, 0.9, 0.999])
def test_a_truncated_archive(
    clone: ModuleType,
    made: Make,
    capsys: pytest.CaptureFixture[str],
    part: float,
) -> None:
    archive = Path(made())
    content = archive.read_bytes()
    archive.write_bytes(content[: int(len(content) * part)])
    assert refused(clone, capsys, str(archive)) == f"{archive} is not whole; copy it again"


def test_an_archive_with_a_wrong_bit(
    clone: ModuleType,
    made: Make,
    capsys: pytest.CaptureFixture[str],
) -> None:
    archive = Path(made())
    content = bytearray(archive.read_bytes())
    content[-6] ^= 1  # of the checksum
    archive.write_bytes(content)
    assert refused(clone, capsys, str(archive)) == f"{archive} is not whole; copy it again"


def member(name: str, kind: bytes = tarfile.REGTYPE) -> tarfile.TarInfo:
    info = tarfile.TarInfo(name)
    info.type, info.size, info.linkname = kind, 4 * (kind == tarfile.REGTYPE), "elsewhere"
    return info


FOREIGN = {
    "up": member("bundle/wheels/../../../up.whl"),
    "up from the top": member("../up.whl"),
    "absolute": member("/tmp/absolute.whl"),
    "deeper": member("bundle/wheels/deeper/a.whl"),
    "hidden": member("bundle/node/.npmrc"),
    "another kind": member("bundle/scripts/a.sh"),
    "up from the repository": member("broken-then-proven/a/../../up"),
    "a link": member("bundle/wheels/a.whl", tarfile.SYMTYPE),
    "a hard link": member("bundle/node/a.tgz", tarfile.LNKTYPE),
    "a device": member("broken-then-proven/a", tarfile.CHRTYPE),
    "of Windows": member("broken-then-proven\\..\\..\\up"),
}


@pytest.mark.parametrize("what", FOREIGN)
def test_an_archive_with_a_file_that_no_bundle_has(
    clone: ModuleType,
    made: Make,
    capsys: pytest.CaptureFixture[str],
    tmp_path: Path,
    what: str,
) -> None:
    archive = made()
    unpacked = gzip.decompress(Path(archive).read_bytes())
    extra = io.BytesIO()
    with (
        tarfile.open(fileobj=io.BytesIO(unpacked)) as there,
        tarfile.open(fileobj=extra, mode="w") as tar,
    ):
        for one in there:
            tar.addfile(one, there.extractfile(one))
        tar.addfile(FOREIGN[what], io.BytesIO(b"evil"))
    Path(archive).write_bytes(gzip.compress(extra.getvalue()))
    outside = everything(str(tmp_path)).keys()
    said = refused(clone, capsys, archive)
    assert said == f"{archive} has a file that no bundle has: {FOREIGN[what].name!r}"
    assert everything(str(tmp_path)).keys() - outside <= {str(Path(clone.VENV) / "ready")}


def test_what_is_no_bundle(
    clone: ModuleType,
    capsys: pytest.CaptureFixture[str],
    tmp_path: Path,
) -> None:
    gone, other = tmp_path / "gone.tar.gz", tmp_path / "other.tar.gz"
    assert refused(clone, capsys, str(gone)) == f"there is no {gone}"
    with tarfile.open(other, "w:gz") as tar:
        tar.addfile(member("README.md"), io.BytesIO(b"text"))
    assert refused(clone, capsys, str(other)) == f"{other} is no bundle; `make bundle` writes one"


@pytest.mark.parametrize("version", ["3.13", "3.14"])
def test_a_bundle_has_all_that_a_set_up_installs(
    clone: ModuleType, monkeypatch: pytest.MonkeyPatch, version: str
) -> None:
    Path(clone.LOCK).write_text(REAL_LOCK)
    ran: list[list[str]] = []
    monkeypatch.setattr(clone, "run", lambda command, required=True: ran.append(command) or True)
    clone.fetch(version, "place")
    packages, *redis_server, node = ran
    assert packages[-2:] == ["-r", clone.LOCK]
    assert node[-2:] == ["--fetch", str(Path("place/node"))]
    assert len(redis_server) == (version == "3.14"), "its newest build is unpacked for newer ones"
    for command in (packages, *redis_server):
        assert command[command.index("--dest") + 1] == str(Path("place/wheels"))
        assert {"download", "--require-hashes", "--only-binary"} <= set(command)
    for command in redis_server:
        assert command[command.index("--python-version") + 1] == "3.13"


def test_an_archive_tells_nothing_of_who_packed_it(made: Make) -> None:
    with tarfile.open(made()) as tar:
        members = tar.getmembers()
    assert [one.name for one in members] == [
        "bundle/bundle.json",
        "bundle/wheels/uv-1-py3-none-any.whl",
        "bundle/node/0.tgz",
        "broken-then-proven/pyproject.toml",
    ]
    assert {(one.uid, one.gid, one.uname, one.gname) for one in members} == {(0, 0, "", "")}


@pytest.mark.skipif(not (ROOT / ".git").exists(), reason="no clone: git has nothing")
def test_the_repository_in_it_is_what_git_has() -> None:
    tree = bundle.tracked(str(ROOT))
    assert {"bootstrap.py", "Makefile", "notebooks/00_start_here.ipynb"} <= set(tree)
    assert not [name for name in tree if name.startswith(("build/", ".venv/"))]


def test_a_folder_that_is_no_clone_makes_no_bundle(tmp_path: Path) -> None:
    with pytest.raises(bundle.BundleError, match="needs git"):
        bundle.tracked(str(tmp_path))


def test_make_hands_the_bundle_over() -> None:
    env = {n: v for n, v in os.environ.items() if n not in ("MAKEFLAGS", "BUNDLE", "PYTHON")}

    def commands(*arguments: str) -> str:
        make = ["make", "-n", "lab", *arguments]
        done = subprocess.run(make, cwd=ROOT, env=env, capture_output=True, text=True, check=True)
        return " ".join(done.stdout.split())

    assert 'bootstrap.py --bundle "a place/b.tar.gz"' in commands("BUNDLE=a place/b.tar.gz")
    assert "--bundle" not in commands()


# --- the Node packages ---------------------------------------------------------------------------


def tarball(path: Path, name: str) -> str:
    """A package with one file; its integrity."""
    with tarfile.open(path, "w:gz") as tar:
        tar.addfile(member(name), io.BytesIO(b"code"))
    return node_tarballs.integrity_of(path.read_bytes())


def lock_of(place: Path, integrity: str, where: str = "node_modules/one") -> Path:
    lock = place / "package-lock.json"
    package = {"version": "1.0.0", "integrity": integrity}
    lock.write_text(json.dumps({"packages": {"": {}, where: package}}))
    return lock


def test_node_packages_are_fetched_by_npm_and_unpacked_without_it(tmp_path: Path) -> None:
    integrity = tarball(tmp_path / "served.tgz", "package/lib/one.js")
    lock = lock_of(tmp_path, integrity, "node_modules/@a/two/node_modules/one")
    copy = "import shutil, sys; assert sys.argv[-1] == 'one@1.0.0'; shutil.copy(r'{}', '.')"
    npm = [sys.executable, "-c", copy.format(tmp_path / "served.tgz")]
    node_tarballs.fetch(lock, tmp_path / "node", npm)
    node_tarballs.unpack(lock, tmp_path / "node", tmp_path / "home")
    unpacked = tmp_path / "home/node_modules/@a/two/node_modules/one/lib/one.js"
    assert unpacked.read_bytes() == b"code"


def test_a_node_package_that_is_not_that_of_the_lock(tmp_path: Path) -> None:
    tarball(tmp_path / "served.tgz", "package/one.js")
    lock = lock_of(tmp_path, "sha512-another")
    copy = f"import shutil; shutil.copy(r'{tmp_path / 'served.tgz'}', '.')"
    with pytest.raises(ServiceError, match="is not that of the lock"):
        node_tarballs.fetch(lock, tmp_path / "node", [sys.executable, "-c", copy])
    named = tmp_path / "node" / node_tarballs.file_name("sha512-another")
    (tmp_path / "served.tgz").rename(named)
    with pytest.raises(ServiceError, match="missing or damaged"):
        node_tarballs.unpack(lock, tmp_path / "node", tmp_path / "home")
    assert not (tmp_path / "home").exists()


@pytest.mark.parametrize(
    ("inside", "where", "said"),
    [
        ("package/../../../up.js", "node_modules/one", "a file outside"),
        ("package/one.js", "node_modules/../../up", "the lock puts"),
    ],
)
def test_a_node_package_stays_in_its_place(
    tmp_path: Path, inside: str, where: str, said: str
) -> None:
    integrity = tarball(tmp_path / "served.tgz", inside)
    (tmp_path / "served.tgz").rename(tmp_path / node_tarballs.file_name(integrity))
    with pytest.raises(ServiceError, match=said):
        node_tarballs.unpack(lock_of(tmp_path, integrity, where), tmp_path, tmp_path / "a/b/c")
    assert not (tmp_path / "a").exists()
