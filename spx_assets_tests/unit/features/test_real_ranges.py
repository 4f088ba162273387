"""What the features look like on real candles: inside their bounds, known where they should be, none a copy of another."""

from datetime import date

import polars as pl
import pytest

from spx_assets import calendar
from spx_assets.features import catalog, correlation
from spx_assets_tests.unit.features import market
from spx_assets_tests.unit.features.test_batch import daily, gold, silver

MARKET = [f for f in catalog.FEATURES if f.family in catalog.MARKET_FAMILIES]
VOLUME = {f.name for f in MARKET if "volume" in f.inputs}
SPREAD = {f.name for f in MARKET if "spread" in f.inputs}
FILES = {
    "spx500usd_m1_2018_2019h1": (date(2018, 11, 25), 6, VOLUME | SPREAD),
    "spy_m1_2024": (date(2024, 7, 14), 10, SPREAD),
    "fxcm_m1_bidask_2012_2013": (date(2012, 2, 5), 3, VOLUME),
}


@pytest.fixture(scope="module", params=FILES)
def made(request: pytest.FixtureRequest) -> tuple[str, dict[str, pl.DataFrame], pl.DataFrame]:
    first, count, _ = FILES[request.param]
    candles = market.real(request.param)
    weeks = [date.fromordinal(first.toordinal() + 7 * i) for i in range(count)]
    days = daily(candles, calendar.week_range(date.fromordinal(first.toordinal() - 7 * 40), weeks[-1]))
    tables = silver(candles, days, weeks)
    return request.param, tables, gold(tables, weeks)


def test_bounds_of_the_catalog_hold(made: tuple[str, dict[str, pl.DataFrame], pl.DataFrame]) -> None:
    _, tables, _ = made
    for feature in MARKET:
        values = tables[f"silver.{feature.family}"][feature.name]
        assert not values.is_nan().any(), feature.name
        assert not values.is_infinite().any(), feature.name
        low, high = values.min(), values.max()
        if isinstance(low, float) and isinstance(high, float):
            assert feature.low is None or low >= feature.low, (feature.name, low)
            assert feature.high is None or high <= feature.high, (feature.name, high)


def test_only_what_the_feed_lacks_is_always_null(made: tuple[str, dict[str, pl.DataFrame], pl.DataFrame]) -> None:
    name, tables, _ = made
    null = {f.name for f in MARKET if tables[f"silver.{f.family}"][f.name].null_count() == tables["silver.returns"].height}
    too_short_for_days = {f.name for f in MARKET if f.name.endswith("_1d")}
    assert null - too_short_for_days == FILES[name][2]


def test_no_two_model_inputs_are_copies(made: tuple[str, dict[str, pl.DataFrame], pl.DataFrame]) -> None:
    name, _, features = made
    pairs = correlation.pairs(features, above=0.95)
    print(f"\n{name}: pairs of model inputs with |correlation| > 0.95\n{pairs.write_csv(separator=chr(9))}")
    # Three weeks hold 15 days: daily values that differ once a day are not judged on them.
    if name.startswith("fxcm"):
        pairs = pairs.filter(~pl.col("feature").str.ends_with("_1d") & ~pl.col("other").str.ends_with("_1d"))
    assert pairs.filter(pl.col("correlation").abs() > 0.999).rows() == []
