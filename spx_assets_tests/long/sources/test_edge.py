"""The planted edge over twenty markets: there at full and half strength, absent without it."""

import numpy as np
import pytest

from spx_assets.settings import SimulatorSettings
from spx_assets.sources import simulator
from spx_assets_tests.unit.sources.edge import correlation

pytestmark = pytest.mark.long
SEEDS = range(100, 120)  # not those of the simulator's own table, 0 to 19


def correlations(edge: float) -> list[float]:
    markets = (SimulatorSettings(seed=seed, edge=edge) for seed in SEEDS)
    return [correlation(simulator.generate(market, *simulator.history(market))) for market in markets]


def test_one_pressure_average_forecasts_every_market_with_an_edge() -> None:
    full, half = correlations(1.0), correlations(0.5)
    assert min(full) > 0.18
    assert 0.20 < np.mean(full) < 0.24
    assert min(half) > 0.08
    assert np.mean(half) == pytest.approx(np.mean(full) / 2, rel=0.2)


def test_it_forecasts_none_without() -> None:
    none = np.array(correlations(0.0))
    assert abs(none.mean()) < 0.01
    assert np.abs(none).max() < 0.06
