"""The service keeps to its own OpenAPI document through many more requests than the short suite has time for."""

from pathlib import Path

import pytest

from spx_assets_tests.integration.serving import conformance, homes


@pytest.mark.long
@pytest.mark.parametrize("number", range(4))
def test_20000_requests_made_from_the_document_are_answered_as_it_says(tmp_path: Path, number: int) -> None:
    home = tmp_path / "home"
    homes.market(homes.settings_of(home)).close()
    with conformance.service(home) as (url, key):
        found = conformance.run(url, key=key, cases=5_000, known=conformance.KNOWN, number=number)
    assert found.cases >= 5_000
