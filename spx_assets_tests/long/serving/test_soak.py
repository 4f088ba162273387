"""Three minutes of load and hot swaps: no request fails and the memory stays what it was."""

from pathlib import Path

import pytest

from spx_assets_tests.long.serving import soak


@pytest.mark.long
def test_memory_is_flat_under_load_and_hot_swaps(tmp_path: Path) -> None:
    found = soak.run(tmp_path, seconds=180)
    assert found.load.failed == 0
    assert found.load.answered > 20_000
    assert found.swaps >= 15
    assert found.growth <= 0.05
