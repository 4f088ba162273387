"""The proofs of the short suite at length: half a year of weeks in any order, and many cuts of real histories."""

import random
from datetime import date

import numpy as np
import polars as pl
import pytest

from spx_assets import calendar
from spx_assets.features import catalog
from spx_assets.features.bars import Bars, DailyBars
from spx_assets.features.compute import compute
from spx_assets_tests.unit.features import market
from spx_assets_tests.unit.features.lookahead import leaks
from spx_assets_tests.unit.features.test_batch import REAL, daily, gold, online_rows_that_differ, silver

pytestmark = pytest.mark.long


def test_half_a_year_week_by_week_in_any_order_is_the_range_in_one_run() -> None:
    """2018-09 to 2019-04 holds both clock changes, Thanksgiving, Christmas, New Year and Good Friday."""
    candles = market.real("spx500usd_m1_2018_2019h1")
    weeks = calendar.week_range(date(2018, 9, 30), date(2019, 4, 21))
    days = daily(candles, calendar.week_range(date(2018, 1, 7), weeks[-1]))
    whole = silver(candles, days, weeks)
    single = [silver(candles, days, [week]) for week in random.Random(11).sample(weeks, len(weeks))]
    for name, frame in whole.items():
        assert pl.concat([made[name] for made in single]).sort("instrument", "ts").equals(frame), name
    assert gold(whole, weeks).height == candles.filter(calendar.week_expr(pl.col("trading_day")).is_in(weeks)).height


@pytest.mark.parametrize(
    ("name", "instrument", "day"),
    [
        ("spx500usd_m1_2018_2019h1", "SPXUSD", date(2018, 2, 6)),
        ("spy_m1_2024", "SPY", date(2024, 12, 18)),
        ("fxcm_m1_bidask_2012_2013", "GBPUSD", date(2012, 2, 23)),
        ("eurusd_m1_2018_2019h1", "EURUSD", date(2019, 1, 3)),
    ],
)
def test_no_real_row_changes_with_later_rows(name: str, instrument: str, day: date) -> None:
    candles = market.real(name).filter(pl.col("instrument") == instrument)
    history = candles.filter(pl.col("ts").is_between(calendar.anchor(day, 3), calendar.day_window(day)[1], closed="left"))
    bars = Bars.from_frame(history)
    days = DailyBars.from_frame(
        daily(candles, calendar.week_range(calendar.week_of(candles["ts"][0]), calendar.week_of_day(day)))
    )
    cuts = [int(cut) for cut in np.random.default_rng(7).integers(1, len(bars) - 1, 40)]
    for family in catalog.MARKET_FAMILIES:
        assert leaks(lambda b, family=family: compute(family, b, days), bars, cuts=cuts) == set()  # type: ignore[misc]


@pytest.mark.parametrize(("name", "instrument", "day"), REAL)
def test_every_online_row_of_three_real_days_is_the_batch_row_to_the_bit(name: str, instrument: str, day: date) -> None:
    assert online_rows_that_differ(name, instrument, day, every=1) == {}
