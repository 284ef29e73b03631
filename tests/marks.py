"""Marks that tests of several folders share."""

from __future__ import annotations

import pytest

from workshop.services import environment

#: For a test that has the server forget its scripts, which REDIS_URL's may hold for others.
forgets_scripts = pytest.mark.skipif(
    environment.redis_url() is not None, reason="SCRIPT FLUSH is refused on a server of others"
)
