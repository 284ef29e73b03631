"""Build the site: python -m workshop.site

The sources go to build/site-source, the pages to build/site. The notebooks are not run: their
stored outputs are shown. Exit status 1 if Sphinx warns of anything, or if a page links to what is
not there, fetches something from elsewhere, or shows an image without words.
"""

from __future__ import annotations

import shutil
import sys
from pathlib import Path

from workshop.site import built_pages, sources
from workshop.slides.__main__ import write as write_slides

ROOT = Path.cwd()


def main() -> int:
    """Write the sources, build them and the slides, check the pages; return the exit status."""
    try:
        from sphinx.cmd.build import main as sphinx
    except ImportError:
        sys.stderr.write("Sphinx is not installed here: run `make site`, which installs it.\n")
        return 1
    build = ROOT / "build"
    site = build / "site"
    sources.write(ROOT, build / "site-source")
    shutil.rmtree(site, ignore_errors=True)
    settings = ["-c", str(ROOT / "docs" / "site"), "-d", str(build / "site-doctrees")]
    done: int = sphinx(
        [
            "-q",
            "-E",
            "-W",
            "--keep-going",
            "-j",
            "2",
            *settings,
            str(build / "site-source"),
            str(site),
        ]
    )
    write_slides(ROOT / "notebooks", site / "slides")
    wrong = built_pages.problems(site)
    sys.stderr.writelines(f"{line}\n" for line in wrong)
    if not done and not wrong:
        print(f"{len(list(site.rglob('*.html')))} pages: open build/site/index.html")
    return 1 if done or wrong else 0


if __name__ == "__main__":
    sys.exit(main())
