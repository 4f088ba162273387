"""The simulated market: the same whatever range is asked, with the hours, prices and edge it promises."""

from datetime import UTC, date, datetime, timedelta

import numpy as np
import polars as pl
import pytest
from hypothesis import given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st
from polars.testing import assert_frame_equal

from spx_assets import calendar
from spx_assets.settings import SimulatorSettings
from spx_assets.sources import quality, simulator
from spx_assets.sources.rows import JUDGED, PRICED, ROWS, conform
from spx_assets_tests.unit.sources.edge import correlation

DEFAULT = SimulatorSettings()
MINUTES = st.integers(0, 15 * 1440)
START = datetime(2025, 10, 1, tzinfo=UTC)


def market(settings: SimulatorSettings = DEFAULT, **options: object) -> pl.DataFrame:
    return simulator.generate(settings, *simulator.history(settings), **options)  # type: ignore[arg-type]


def test_history_is_120_trading_days_ending_on_a_wednesday_at_noon_new_york() -> None:
    start, end = simulator.history(DEFAULT)
    assert start == datetime(2025, 4, 30, 21, tzinfo=UTC)
    assert end == datetime(2025, 10, 15, 16, tzinfo=UTC)
    rows = market()
    assert rows["ts"].max() == datetime(2025, 10, 15, 15, 59, tzinfo=UTC)
    days = rows.select(calendar.trading_day_expr(pl.col("ts")).unique())
    assert days.height == 120


def test_a_full_day_lacks_a_few_night_minutes_and_no_other() -> None:
    rows = simulator.generate(DEFAULT, *calendar.day_window(date(2025, 10, 14)))
    assert rows.height == 1375
    assert rows["ts"][0] == datetime(2025, 10, 13, 22, tzinfo=UTC)
    assert rows["ts"][-1] == datetime(2025, 10, 14, 20, 59, tzinfo=UTC)
    local = rows.select(pl.col("ts").dt.convert_time_zone("America/New_York"))["ts"]
    assert rows.filter(local.dt.hour().is_between(4, 16)).height == 13 * 60


def test_all_minutes_of_the_history_lie_in_sessions() -> None:
    rows = market()
    assert rows.height == 163348
    local = rows["ts"].dt.convert_time_zone("America/New_York")
    assert rows.filter(local.dt.hour() == 17).height == 0
    assert rows.filter(local.dt.date() == date(2025, 7, 4), local.dt.hour() >= 13, local.dt.hour() < 18).height == 0
    assert rows["ts"].is_sorted()
    assert rows["ts"].n_unique() == rows.height


@given(first=MINUTES, length=st.integers(1, 4000))
@hypothesis_settings(max_examples=25, deadline=None)
def test_rows_do_not_depend_on_the_range_asked_for(first: int, length: int) -> None:
    whole = simulator.generate(DEFAULT, START, START + timedelta(days=20))
    start = START + timedelta(minutes=first)
    end = start + timedelta(minutes=length)
    part = simulator.generate(DEFAULT, start, end)
    assert_frame_equal(part, whole.filter((pl.col("ts") >= start) & (pl.col("ts") < end)))


def test_rows_do_not_depend_on_the_length_of_the_history() -> None:
    short = market(SimulatorSettings(days=5))
    assert_frame_equal(short, market().tail(short.height))


def test_a_cold_cache_gives_the_same_rows() -> None:
    first = market(SimulatorSettings(days=10))
    simulator._day.cache_clear()
    assert_frame_equal(market(SimulatorSettings(days=10)), first)


def test_the_path_goes_on_beyond_the_fixed_end() -> None:
    _, end = simulator.history(DEFAULT)
    both = simulator.generate(DEFAULT, end - timedelta(minutes=30), end + timedelta(minutes=30))
    assert both.height == 60
    steps = both.select((pl.col("open") / pl.col("close").shift(1) - 1).abs().max()).item()
    assert steps < 0.001
    later = simulator.generate(DEFAULT, datetime(2025, 12, 1, tzinfo=UTC), datetime(2025, 12, 6, tzinfo=UTC))
    assert later.height > 5000


def test_seeds_and_instruments_differ() -> None:
    one = market(SimulatorSettings(days=3))
    other_seed = market(SimulatorSettings(days=3, seed=8))
    other = market(SimulatorSettings(days=3), instrument="NAS100_USD")
    returns = [frame["close"].pct_change().drop_nulls().head(3000).to_numpy() for frame in (one, other_seed, other)]
    assert abs(np.corrcoef(returns[0], returns[1])[0, 1]) < 0.06
    assert abs(np.corrcoef(returns[0], returns[2])[0, 1]) < 0.06
    assert 20_000 < float(other["close"].mean()) < 30_000  # type: ignore[arg-type]


def test_every_row_is_a_candle_with_a_positive_spread_on_the_tick_grid() -> None:
    rows = market()
    judged = quality.judge(conform(rows.with_row_index("line"), ROWS), now=simulator.END)
    assert judged["reason"].null_count() == rows.height
    assert list(rows.schema) == list(PRICED)
    spread = rows["ask_close"] - rows["bid_close"]
    assert float(spread.min()) > 0.19  # type: ignore[arg-type]
    assert (rows["spread"] - spread).abs().max() < 1e-9  # type: ignore[operator]
    assert 0.4 <= float(rows["spread"].median()) <= 0.8  # type: ignore[arg-type]
    assert ((rows["close"] * 10).round() / 10 - rows["close"]).abs().max() < 1e-9  # type: ignore[operator]
    candles, refused = quality.split(conform(rows.with_row_index("line"), JUDGED), instrument="SPX500_USD", source="simulator")
    assert (candles.height, refused.height) == (163348, 0)


def test_volatility_has_the_shape_of_a_day_and_tails() -> None:
    rows = market().with_columns(
        r=pl.col("close").log().diff(), hour=pl.col("ts").dt.convert_time_zone("America/New_York").dt.hour()
    )
    by_hour = dict(rows.group_by("hour").agg(pl.col("r").std()).iter_rows())
    assert by_hour[9] > by_hour[12] > by_hour[2]
    assert by_hour[15] > by_hour[12]
    within = rows.filter(pl.col("hour") == 12)["r"].drop_nulls()
    assert float(within.kurtosis()) > 1.0  # type: ignore[arg-type]
    daily = rows.group_by(calendar.trading_day_expr(pl.col("ts")).alias("day")).agg(pl.col("r").std()).sort("day")["r"].log()
    assert float(np.corrcoef(daily[:-1], daily[1:])[0, 1]) > 0.5


def test_volatility_and_spread_follow_their_settings() -> None:
    calm, wild = market(SimulatorSettings(days=5)), market(SimulatorSettings(days=5, volatility=2.0, spread=3.0))
    ratio = wild["close"].log().diff().std() / calm["close"].log().diff().std()  # type: ignore[operator]
    assert ratio == pytest.approx(2.0, rel=0.02)
    assert float(wild["spread"].mean() / calm["spread"].mean()) == pytest.approx(3.0, rel=0.1)  # type: ignore[operator, arg-type]


def test_pressure_forecasts_the_next_half_hour_only_with_an_edge() -> None:
    with_edge = correlation(market())
    without = correlation(market(SimulatorSettings(edge=0.0)))
    half = correlation(market(SimulatorSettings(edge=0.5)))
    assert 0.12 < with_edge < 0.30
    assert 0.05 < half < with_edge
    # 118 days of 46 half hours: two standard errors of a correlation without a cause are 0.027.
    assert abs(without) < 0.04
