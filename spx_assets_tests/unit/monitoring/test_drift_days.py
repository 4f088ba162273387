"""A few quiet days are no drift, another regime is found within two; sixty days and real ones are in the long suite."""

import pytest

from spx_assets.settings import Settings
from spx_assets_tests.unit.monitoring import markets
from spx_assets_tests.unit.monitoring.markets import ANCHOR


@pytest.fixture(scope="module")
def turned(tmp_path_factory: pytest.TempPathFactory) -> markets.Market:
    settings = Settings(home=tmp_path_factory.mktemp("regime"))
    return markets.simulated(settings, before=45, regime=2, volatility=2.0, spread=3.0)


def test_quiet_days_are_none_and_a_regime_is_found_within_two_days(turned: markets.Market) -> None:
    days = turned.days
    found = turned.verdicts((days[0], days[-6]), (days[-5], days[-1]))
    quiet = [one for day, one in found.items() if day < ANCHOR]
    changed = [one for day, one in found.items() if day >= ANCHOR]
    assert (len(quiet), len(changed)) == (3, 2)
    assert not any(one.day_drifted for one in quiet)
    assert any(one.day_drifted for one in changed)
    assert "spread_pct" in changed[0].key
    assert "inputs drifted" in changed[0].reason
    assert "among them" in changed[0].reason
