"""A sample of benches/classroom.py: learners who solve while the server and Redis are killed."""

from __future__ import annotations

from pathlib import Path

import pytest


@pytest.mark.usefixtures("own_servers")
def test_every_acknowledged_solve_is_stored_once_and_shown(tmp_path: Path) -> None:
    from benches.classroom import run  # aiohttp: by the one worker that needs it

    found = run(tmp_path / "class", learners=6, ticks=3, seconds=3)
    assert len(found.told) == 18
    assert found.wrong() == []
    assert sum(map(len, found.waits().values())) == 18
