"""A hundred hot swaps under full load."""

from pathlib import Path

import pytest

from spx_assets_tests.integration.serving import homes, swaps


@pytest.mark.long
def test_a_hundred_hot_swaps_under_load_fail_no_request_and_mix_no_models(tmp_path: Path) -> None:
    home = tmp_path / "home"
    homes.market(homes.settings_of(home)).close()
    with swaps.service(home, tmp_path / "served") as served:
        swaps.assert_whole(served, 100, answers=tmp_path / "answers", connections=32)
