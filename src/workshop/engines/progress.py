"""A task that says how far it is, for a worker of rq, which imports it by name."""

from __future__ import annotations

import rq


def resize(pictures: int, breaks_at: int = 0) -> str:
    """Do the pictures one by one; raise OSError at the one that breaks, if there is one."""
    job = rq.get_current_job()
    assert job is not None, "rq's worker runs this"
    for done in range(1, pictures + 1):
        if done == breaks_at:
            raise OSError("no space left on device")
        job.meta["progress"] = f"{done} of {pictures}"
        job.save_meta()  # type: ignore[no-untyped-call]
    return f"{pictures} small pictures"
