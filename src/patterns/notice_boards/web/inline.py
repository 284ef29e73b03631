"""The page inside a notebook: live where somebody looks, a sentence where it is only stored."""

from __future__ import annotations

from dataclasses import dataclass
from html import escape

from workshop.services import environment

from .server import PageServer


@dataclass(frozen=True)
class Inline:
    """A board's page as the output of a cell."""

    board: str
    port: int
    url: str
    height: int

    def __repr__(self) -> str:
        return f"(Run this cell in Jupyter to see the page of the board “{self.board}” here.)"

    def _repr_mimebundle_(self, include: object = None, exclude: object = None) -> dict[str, str]:
        if not environment.live_front_end():
            return {"text/plain": repr(self)}
        # The Jupyter server hands it on (jupyter-server-proxy), so that it works from afar too.
        inside = f"{environment.jupyter_prefix()}proxy/{self.port}/boards/{self.board}/page"
        page = (
            f'<iframe src="{escape(inside)}" title="Progress of {escape(self.board)}" '
            f'width="100%" height="{self.height}" style="border: 1px solid #8888"></iframe>'
            f'<p>The same page <a href="{escape(self.url)}" target="_blank">in a tab</a>, '
            "if this Jupyter runs on your machine.</p>"
        )
        return {"text/plain": repr(self), "text/html": page}


def show(server: PageServer, board: str, *, height: int = 190) -> Inline:
    """Return the board's page as a cell's output: live in a Jupyter front end, else a sentence."""
    return Inline(board, server.port, server.url(board), height)
