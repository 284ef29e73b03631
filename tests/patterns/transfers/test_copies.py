"""A database of which several copies may each accept a document is no ground for a bank."""

from __future__ import annotations

import warnings
from typing import Any

import couchdb
import pytest

from patterns.transfers import Bank, SeveralCopies
from workshop import services


class Copies(couchdb.Database):
    """A database that says how many copies a cluster keeps of it."""

    cluster: Any = None

    def info(self) -> dict[str, Any]:
        said: dict[str, Any] = super().info()
        return {**said, "cluster": self.cluster} if self.cluster else said


@pytest.fixture
def copies() -> Copies:
    here = services.couch("copies", fresh=True)
    return Copies(here.resource, here.name)


def test_install_warns_of_a_cluster_and_the_bank_works(copies: Copies) -> None:
    copies.cluster = {"q": 2, "n": 3, "w": 2, "r": 2}
    with pytest.warns(SeveralCopies, match="this database has 3 copies.*n=1") as told:
        bank = Bank(copies).install()
    assert told[0].filename == __file__
    bank.open("ann")
    assert bank.balance("ann") == 0


def test_a_verb_that_installs_by_itself_warns(copies: Copies) -> None:
    copies.cluster = {"n": 2}
    with pytest.warns(SeveralCopies, match="2 copies"), pytest.raises(ValueError, match="open"):
        Bank(copies).transfer("ann", "bob", 1, "k")


@pytest.mark.parametrize("cluster", [None, {"n": 1, "q": 1}])
def test_one_copy_is_no_news(copies: Copies, cluster: Any) -> None:
    copies.cluster = cluster
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        Bank(copies, require_one_copy=True).install()


def test_an_error_on_request_before_anything_is_written(copies: Copies) -> None:
    copies.cluster = {"n": 3}
    with pytest.raises(SeveralCopies) as raised:
        Bank(copies, require_one_copy=True)
    assert raised.value.copies == 3
    assert list(copies) == []
