"""What many clients see while models are swapped: a real process on a socket, its clients in another."""

from collections.abc import Iterator
from pathlib import Path

import polars as pl
import pytest

from spx_assets_tests.integration.serving import swaps
from spx_assets_tests.load import process
from spx_assets_tests.load.clients import Plan


@pytest.fixture(scope="module")
def busy(market: tuple[Path, pl.DataFrame], tmp_path_factory: pytest.TempPathFactory) -> Iterator[swaps.Swapped]:
    """A service over a copy of the market whose models a test may swap."""
    with swaps.service(market[0], tmp_path_factory.mktemp("busy") / "market") as service:
        yield service


def test_ten_hot_swaps_under_load_fail_no_request_and_mix_no_models(busy: swaps.Swapped, tmp_path: Path) -> None:
    swaps.assert_whole(busy, 10, answers=tmp_path / "answers", connections=8)


def test_a_thousand_open_clients_are_all_answered(busy: swaps.Swapped) -> None:
    found = process.run(Plan(port=busy.port, connections=1_000, seconds=1.0, pause_s=0.6))
    assert found.failed == 0
    assert found.clients_answered == 1_000
