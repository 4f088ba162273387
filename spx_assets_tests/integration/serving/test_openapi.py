"""The service keeps to its own OpenAPI document: requests made from it against a real process."""

from pathlib import Path

from spx_assets_tests.integration.serving import conformance


def test_500_requests_made_from_the_document_are_answered_as_it_says(own_home: Path) -> None:
    with conformance.service(own_home) as (url, key):
        found = conformance.run(url, key=key, cases=500, known=conformance.KNOWN)
    assert found.cases >= 500
    assert {200, 400, 404} <= set(found.statuses["POST /predict"])
    assert sum(sum(counted.values()) for counted in found.statuses.values()) == found.cases
