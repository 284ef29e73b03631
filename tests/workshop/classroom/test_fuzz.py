"""schemathesis on the OpenAPI document: no 5xx, no reply that it does not announce."""

from __future__ import annotations

import pytest
import schemathesis
from hypothesis import HealthCheck, Phase, settings
from schemathesis.checks import CHECKS
from tests.workshop.classroom.documented import DOCUMENT
from tests.workshop.classroom.people import Person, join, teacher

from workshop.class_in_a_notebook import fresh_class
from workshop.classroom import rate_limits, waiting

# A stream does not end, and who erases the class ends the test.
SCHEMA = (
    schemathesis.openapi.from_dict(DOCUMENT)
    .exclude(path="/api/v1/events")
    .exclude(path="/api/v1/class")
)
LEFT_OUT = [CHECKS.get_one("positive_data_acceptance")]  # a key is for one request: 422


@pytest.fixture(scope="module")
def people():
    """A class of its own, whose tokens may ask often and wait briefly."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(rate_limits, "REQUESTS", 10**9)
        patch.setattr(waiting, "LONGEST", 0.01)
        with fresh_class("fuzzed") as running:
            ada = join(running.url, running.opening.join_code, "Ada")
            yield running.url, ada, teacher(running.url, running.opening)


@SCHEMA.parametrize()
@settings(
    max_examples=3,
    deadline=None,
    phases=[Phase.explicit, Phase.generate],
    suppress_health_check=list(HealthCheck),
)
def test_every_reply_is_announced(case, people: tuple[str, Person, Person]) -> None:
    url, ada, jane = people
    scopes = [next(iter(one["oauth"])) for one in case.operation.definition.raw["security"]]
    person = ada if "learner" in scopes else jane
    bearer = {"Authorization": f"Bearer {person.token['access_token']}"}
    case.call_and_validate(base_url=url, headers=bearer, excluded_checks=LEFT_OUT)
