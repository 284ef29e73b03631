"""A PNG with its words: what the notebook shows, and what somebody who cannot see it reads."""

from __future__ import annotations

from base64 import b64encode
from dataclasses import dataclass
from html import escape
from pathlib import Path
from typing import Any


@dataclass(frozen=True)
class Picture:
    """A picture for a notebook: PNG at twice the size, `width` in CSS pixels, alt text.

    The alt text is in the output's metadata, where a front end that knows of it looks,
    and is the plain text. JupyterLab and code hosts use neither for an image, so the
    same words follow the picture in a line that opens on request.
    """

    png: bytes
    alt: str
    width: int

    def __repr__(self) -> str:
        return self.alt

    def save(self, path: str | Path) -> None:
        """Write the PNG to a file. Raises ValueError unless its name ends in `.png`."""
        if Path(path).suffix.lower() != ".png":
            raise ValueError(f"a picture is a PNG: save it as {Path(path).stem}.png, not {path}")
        Path(path).write_bytes(self.png)

    def _repr_mimebundle_(
        self, include: object = None, exclude: object = None
    ) -> tuple[dict[str, str], dict[str, Any]]:
        data = {"image/png": b64encode(self.png).decode(), "text/plain": self.alt}
        return data, {"image/png": {"alt": self.alt, "width": self.width}}

    def _ipython_display_(self) -> None:
        from IPython.display import display

        data, metadata = self._repr_mimebundle_()
        display(data, metadata=metadata, raw=True)  # type: ignore[no-untyped-call]
        display({"text/html": self.words(), "text/plain": ""}, raw=True)  # type: ignore[no-untyped-call]

    def words(self) -> str:
        """Return the alt text as a line of HTML that opens on request."""
        return (
            f"<details><summary>This picture in words</summary>\n<p>{escape(self.alt)}</p>"
            "\n</details>"
        )
