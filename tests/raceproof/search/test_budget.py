"""What a search may spend: its own computing, and not the time of other programs."""

from __future__ import annotations

import time

from raceproof.search.budget import Budget


def test_computing_spends_it() -> None:
    budget = Budget(0.05)
    assert budget.left() > 0
    began = time.process_time()
    while time.process_time() < began + 0.06:
        pass
    assert budget.left() <= 0


def test_waiting_spends_a_tenth() -> None:
    budget = Budget(10.0)
    time.sleep(0.5)
    assert 9.0 < budget.left() < 9.96


def test_it_can_be_spent_at_once_and_may_have_no_end() -> None:
    budget = Budget(None)
    assert budget.left() == float("inf")
    budget.spend()
    assert budget.left() == 0
