"""A release is of one version, and has every file; what is not so is named."""

from __future__ import annotations

import io
import re
import tarfile
import tomllib
import zipfile
from fnmatch import fnmatch
from pathlib import Path

import pytest
import yaml
from tests import distribution
from tests.distribution import NEEDED, ROOT, NotReleasable

CHANGELOG = "# Changelog\n\n## [Unreleased]\n\n## [0.2.0] - 2026-01-31\n\n- New.\n\n## [0.1.0] - 2"
FILES = {"patterns/__init__.py", "patterns/py.typed", "raceproof/prelude.lua"}


def citation() -> dict:
    return yaml.safe_load((ROOT / "CITATION.cff").read_text())


def test_the_versions_agree() -> None:
    assert str(citation()["version"]) == distribution.version()
    changelog = (ROOT / "CHANGELOG.md").read_text()
    named = re.findall(r"^## \[([^]]+)\]", changelog, re.MULTILINE)
    assert named[0] == "Unreleased"
    of_this = distribution.version()
    assert of_this in named[1:] or f"will be {of_this}." in changelog


def test_the_citation_has_what_its_form_requires() -> None:
    cited = citation()
    assert cited["cff-version"] == "1.2.0"
    assert {"message", "title", "authors"} <= cited.keys()
    assert cited["authors"] == [{"name": "The Broken, then proven maintainers"}]
    assert not [key for key in cited if key.startswith("date")], "there is no release yet"
    pyproject = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    assert cited["license"] == pyproject["license"]
    readme = " ".join((ROOT / "README.md").read_text().split())
    for post in cited["references"]:
        assert {"type", "title", "authors"} <= post.keys()
        assert f'"{post["title"].rstrip(".")}' in readme
        assert f"({post['year']})" in readme


@pytest.mark.skipif(not (ROOT / ".git").exists(), reason="only git knows which files are ours")
def test_the_wheel_is_told_of_every_file_that_is_no_module() -> None:
    told = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["setuptools"][
        "package-data"
    ]
    globs = [f"{package.replace('.', '/')}/{end}" for package, ends in told.items() for end in ends]
    data = {name for name in distribution.sources() if not name.endswith(".py")}
    assert len(data) > 15
    assert {name for name in data if not any(fnmatch(name, glob) for glob in globs)} == set()


def built(folder: Path, in_wheel: set[str], in_sdist: set[str], number: str = "0.2.0") -> None:
    """A wheel and an sdist with these files, all of them empty."""
    stem = f"broken_then_proven-{number}"
    with zipfile.ZipFile(folder / f"{stem}-py3-none-any.whl", "w") as wheel:
        for name in {*in_wheel, f"{stem}.dist-info/METADATA"}:
            wheel.writestr(name, "")
    with tarfile.open(folder / f"{stem}.tar.gz", "w:gz") as sdist:
        for name in in_sdist:
            sdist.addfile(tarfile.TarInfo(f"{stem}/{name}"), io.BytesIO())


WHOLE = NEEDED | {f"src/{name}" for name in FILES}


def test_a_release_with_every_file(tmp_path: Path) -> None:
    built(tmp_path, FILES, WHOLE | {"PKG-INFO"})
    distribution.look_into(tmp_path, FILES, "0.2.0")


@pytest.mark.parametrize(
    ("in_wheel", "in_sdist", "said"),
    [
        (FILES - {"raceproof/prelude.lua"}, WHOLE, "the wheel lacks: raceproof/prelude.lua"),
        (FILES | {"tests/x.py"}, WHOLE, "the wheel has what the repository has not: tests/x.py"),
        (FILES, WHOLE - {"LICENSE"}, "the sdist lacks: LICENSE"),
        (FILES, NEEDED, "the sdist lacks: src/patterns/__init__.py, src/patterns/py.typed, "),
    ],
)
def test_a_release_that_lacks_a_file(
    tmp_path: Path, in_wheel: set[str], in_sdist: set[str], said: str
) -> None:
    built(tmp_path, in_wheel, in_sdist)
    with pytest.raises(NotReleasable, match=re.escape(said)):
        distribution.look_into(tmp_path, FILES, "0.2.0")


def test_a_release_of_another_version(tmp_path: Path) -> None:
    built(tmp_path, FILES, WHOLE, number="0.1.0")
    with pytest.raises(NotReleasable, match="there are"):
        distribution.look_into(tmp_path, FILES, "0.2.0")


def test_the_notes_of_a_release_are_its_section() -> None:
    assert distribution.notes(CHANGELOG, "v0.2.0", "0.2.0") == "- New."


@pytest.mark.parametrize(
    ("tag", "number", "said"),
    [
        ("v0.2.1", "0.2.0", "the tag is v0.2.1"),
        ("0.2.0", "0.2.0", "the tag is 0.2.0"),
        ("v0.3.0", "0.3.0", "no section with a date for 0.3.0"),
        ("v0.1.0", "0.1.0", "no section with a date for 0.1.0"),
    ],
)
def test_a_tag_that_is_not_to_be_released(tag: str, number: str, said: str) -> None:
    with pytest.raises(NotReleasable, match=said):
        distribution.notes(CHANGELOG, tag, number)


def test_the_workflow_checks_what_it_releases_and_needs_no_secret() -> None:
    text = (ROOT / ".github/workflows/release.yml").read_text()
    flow = yaml.safe_load(text)
    assert flow[True] == {"push": {"tags": ["v*"]}}, "`on` is read as true"
    assert "secrets." not in text
    assert flow["permissions"] == {"contents": "read"}
    jobs = flow["jobs"]
    assert [name for name, job in jobs.items() if "permissions" in job] == ["release"]
    assert set(jobs["release"]["needs"]) == jobs.keys() - {"release"}
    for script in set(re.findall(r"tests/\w+\.py", text)):
        assert (ROOT / script).exists()
    steps = " ".join(step.get("run", "") for step in jobs["distribution"]["steps"])
    assert 'tests/distribution.py dist "$GITHUB_REF_NAME"' in steps
    assert "tests/light_install.py dist/*.whl" in steps
    assert "twine check" in steps
