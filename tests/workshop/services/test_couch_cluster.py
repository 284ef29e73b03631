"""What is done and said where CouchDB may be a cluster: one copy of each document decides."""

from __future__ import annotations

from typing import Any

import couchdb.http
import pytest

from workshop import services
from workshop.services import couch_service


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> list[dict[str, Any]]:
    """What databases were asked to be made with."""
    seen: list[dict[str, Any]] = []
    put = couchdb.http.Resource.put_json

    def noting(self: Any, *args: Any, **params: Any) -> Any:
        seen.append(params)
        return put(self, *args, **params)

    monkeypatch.setattr(couchdb.http.Resource, "put_json", noting)
    return seen


def test_a_database_is_made_with_one_shard_and_one_copy(asked: list[dict[str, Any]]) -> None:
    services.couch("one-copy", fresh=True)
    assert asked == [{"q": 1, "n": 1}]


@pytest.mark.parametrize(
    ("nodes", "said"),
    [
        (["a@1"], "your server"),
        (["a@1", "b@2", "c@3"], "your server, one of 3 nodes; our databases have one copy"),
        (None, "your server"),
    ],
    ids=["single", "cluster", "not-for-us-to-know"],
)
def test_a_cluster_is_named(monkeypatch: pytest.MonkeyPatch, nodes: Any, said: str) -> None:
    services.couch("one-copy")
    get = couchdb.http.Resource.get_json

    def telling(self: Any, path: str | None = None, *args: Any, **params: Any) -> Any:
        if path != "_membership":
            return get(self, path, *args, **params)
        if nodes is None:
            raise couchdb.http.Unauthorized("only for an administrator")
        return 200, {}, {"all_nodes": nodes}

    monkeypatch.setattr(couchdb.http.Resource, "get_json", telling)
    monkeypatch.setattr(couch_service, "foreign", lambda: True)
    assert services.about("couch").endswith(f", {said}")
