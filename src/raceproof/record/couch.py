"""couchdb-python databases that tell a live session what they do."""

from __future__ import annotations

from http.client import responses
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote, urlsplit

import couchdb
from couchdb.http import HTTPError, ServerError

if TYPE_CHECKING:
    from raceproof.record.recorder import Recorder

_STATUS = {
    "Unauthorized": 401,
    "Forbidden": 403,
    "ResourceNotFound": 404,
    "ResourceConflict": 409,
    "PreconditionFailed": 412,
}


def recorded_database(database: couchdb.Database, name: str, recorder: Recorder) -> Any:
    """Return a database on the same server; each request is recorded, as `PUT /name/id`."""
    resource = database.resource
    made = couchdb.http.Resource(resource.url, _Requests(resource, name, recorder))
    made.credentials, made.headers = resource.credentials, dict(resource.headers)
    return couchdb.Database(made, database.name)


class _Requests:
    """A couchdb-python session that records."""

    def __init__(self, resource: Any, name: str, recorder: Recorder) -> None:
        self._session, self._recorder = resource.session, recorder
        self._root, self._name = urlsplit(resource.url).path, name

    def __getattr__(self, attribute: str) -> Any:
        return getattr(self._session, attribute)

    def request(self, method: str, url: str, *args: Any, **options: Any) -> Any:
        parts = urlsplit(url)
        path = f"/{self._name}{parts.path.removeprefix(self._root)}"
        query = f"?{parts.query}" if parts.query else ""
        return self._recorder.call(
            f"{method.upper()} {unquote(path + query)}",
            lambda: self._session.request(method, url, *args, **options),
            reply=_status,
        )


def _status(result: Any) -> str:
    """Return `201 created`, of a response; `409 conflict`, of the error that stands for one."""
    if isinstance(result, HTTPError):
        return _error(result)
    code = result[0] if isinstance(result, tuple) else 0
    return f"{code} {responses.get(code, '').lower()}".strip() if code else type(result).__name__


def _error(error: HTTPError) -> str:
    """Return an error of couchdb-python in words: `409 conflict`."""
    status, words = _STATUS.get(type(error).__name__), error.args[0] if error.args else ""
    if isinstance(error, ServerError) and isinstance(words, tuple):
        status, words = words
    first = words[0] if isinstance(words, tuple) else words
    return f"{status} {first or ''}".strip()
