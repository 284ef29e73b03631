"""schemathesis on the OpenAPI document: no 5xx, no reply that it does not announce.

It is imported, and makes its requests up, in the test: while tests are collected, each worker of
xdist would do both, for the one that runs it.
"""

from __future__ import annotations

from typing import Any

import pytest
from tests.workshop.classroom.documented import DOCUMENT
from tests.workshop.classroom.people import Person, join, teacher

from workshop.class_in_a_notebook import fresh_class
from workshop.classroom import rate_limits, waiting

# A stream does not end, and who erases the class ends the test.
LEFT_OUT = {"/api/v1/events", "/api/v1/class"}
OPERATIONS = [
    (method, path)
    for path, methods in DOCUMENT["paths"].items()
    for method in methods
    if path not in LEFT_OUT
]


@pytest.fixture(scope="module")
def people():
    """A class of its own, whose tokens may ask often and wait briefly."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(rate_limits, "REQUESTS", 10**9)
        patch.setattr(waiting, "LONGEST", 0.01)
        with fresh_class("fuzzed") as running:
            ada = join(running.url, running.opening.join_code, "Ada")
            yield running.url, ada, teacher(running.url, running.opening)


@pytest.mark.parametrize(("method", "path"), OPERATIONS)
def test_every_reply_is_announced(
    method: str, path: str, people: tuple[str, Person, Person]
) -> None:
    import schemathesis
    from hypothesis import HealthCheck, Phase, settings
    from schemathesis.checks import CHECKS, load_all_checks
    from schemathesis.pytest.lazy import get_all_tests

    load_all_checks()
    url, ada, jane = people
    left_out = [CHECKS.get_one("positive_data_acceptance")]  # a key is for one request: 422
    asked = []

    def ask(case: Any) -> None:
        scopes = [next(iter(one["oauth"])) for one in case.operation.definition.raw["security"]]
        person = ada if "learner" in scopes else jane
        bearer = {"Authorization": f"Bearer {person.token['access_token']}"}
        asked.append(case.call_and_validate(base_url=url, headers=bearer, excluded_checks=left_out))

    few = settings(
        max_examples=3,
        deadline=None,
        phases=[Phase.explicit, Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    schema = schemathesis.openapi.from_dict(DOCUMENT).include(method=method, path=path)
    [built] = get_all_tests(schema=schema, test_func=ask, settings=few, given_kwargs={})
    built.ok()[1]()
    assert asked
