"""How the tests start Chromium: what its pages do is the same, with fewer processes for it."""

from __future__ import annotations

#: Sites are not kept in processes of their own: ours is the only one, and each costs half a second.
ARGUMENTS = ["--no-sandbox", "--disable-gpu", "--disable-site-isolation-trials"]
