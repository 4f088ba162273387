"""The service keeps to its own OpenAPI document: requests made from it against a real process."""

from pathlib import Path

from serving.model_store import INPUTS
from spx_assets_tests.integration.serving import conformance, homes
from spx_assets_tests.integration.serving.test_http import assert_problem


def test_500_requests_made_from_the_document_are_answered_as_it_says(own_home: Path) -> None:
    with conformance.service(own_home) as (url, key):
        found = conformance.run(url, key=key, cases=500, known=conformance.KNOWN)
    assert found.cases >= 500
    assert {200, 400, 404} <= set(found.statuses["POST /predict"])
    assert sum(sum(counted.values()) for counted in found.statuses.values()) == found.cases


def test_a_parameter_given_twice_is_refused_where_one_value_is_taken(service: homes.Running) -> None:
    assert_problem(service.get("/predictions/history?instrument=SPX500_USD&instrument=NAS100_USD"), 400, "bad_request")
    assert service.get("/predictions/history?instrument=SPX500_USD&limit=1").status_code == 200
    assert service.get(f"/features/SPX500_USD?names={INPUTS[0]}&names={INPUTS[1]}").status_code == 200


def test_a_number_is_no_time_of_the_history(service: homes.Running) -> None:
    for name in ("start", "end"):
        assert_problem(service.get(f"/predictions/history?{name}=-409320"), 400, "bad_request")
    assert service.get("/predictions/history?start=2025-10-15T15:30:00Z&limit=1").status_code == 200
