"""The batch path: every row from its own history only, whatever the range and its cuts; batch and online equal to the bit."""

import random
from collections.abc import Sequence
from datetime import UTC, date, datetime, timedelta

import numpy as np
import polars as pl
import pytest

from spx_assets import calendar
from spx_assets.features import batch, catalog, inputs, online
from spx_assets.features.bars import DailyBars
from spx_assets.features.kernels import timeframes
from spx_assets.lake.tables import table
from spx_assets.news import signals
from spx_assets_tests.unit.features import market
from spx_assets_tests.unit.features.lookahead import same_bits
from spx_assets_tests.unit.features.market import FrameLake
from spx_assets_tests.unit.news import scored

NAMES = [f.name for f in catalog.market_inputs()]
ALL = [f.name for f in catalog.model_inputs()]


def rename(frame: pl.DataFrame, instrument: str) -> pl.DataFrame:
    return frame.with_columns(instrument=pl.lit(instrument))


def daily(candles: pl.DataFrame, weeks: Sequence[date]) -> pl.DataFrame:
    lake = FrameLake({"bronze.candles": candles})
    return pl.concat([chunk.frame for chunk in batch.daily_bars(lake.window("bronze.candles", weeks))])


def silver(candles: pl.DataFrame, days: pl.DataFrame, weeks: Sequence[date]) -> dict[str, pl.DataFrame]:
    """All families for `weeks`, with the look-back of one week that the partition mapping gives."""
    lake = FrameLake({"bronze.candles": candles, "silver.daily_bars": days})
    window = lake.window("bronze.candles", weeks, weeks_before=1)
    made = {}
    for family in catalog.MARKET_FAMILIES:
        if family == "timeframes":
            chunks = batch.timeframes(window, lake.window("silver.daily_bars", weeks, weeks_before=60))
        else:
            chunks = batch.by_day(window, family=family)
        made[f"silver.{family}"] = pl.concat([chunk.frame for chunk in chunks])
    return made


def gold(tables: dict[str, pl.DataFrame], weeks: Sequence[date]) -> pl.DataFrame:
    lake = FrameLake(tables)
    windows = [lake.window(f"silver.{family}", weeks) for family in catalog.MARKET_FAMILIES]
    return pl.concat([chunk.frame for chunk in batch.market_features(*windows)])


REAL = [
    ("spx500usd_m1_2018_2019h1", "SPXUSD", date(2018, 12, 26)),  # the day of the 5 % rally, after a holiday
    ("spy_m1_2024", "SPY", date(2024, 8, 5)),  # regular hours only, with volume
    ("fxcm_m1_bidask_2012_2013", "GBPUSD", date(2012, 2, 15)),  # with a quoted spread
]


@pytest.mark.parametrize(("name", "instrument", "day"), REAL)
def test_every_online_row_of_a_real_day_is_the_batch_row_to_the_bit(name: str, instrument: str, day: date) -> None:
    """All 390 bars of the short day, every sixth of the long ones, at 5 ms a vector; every bar of each in the long suite."""
    assert online_rows_that_differ(name, instrument, day, every=1 if name.startswith("spy") else 6) == {}


def online_rows_that_differ(name: str, instrument: str, day: date, *, every: int) -> dict[datetime, list[str]]:
    """By bar the inputs whose online value is not the stored one, of every so many bars of the day."""
    candles = market.real(name).filter(pl.col("instrument") == instrument)
    week = calendar.week_of_day(day)
    past = calendar.week_range(week - timedelta(weeks=52), week)
    days = daily(candles, past)
    rows = gold(silver(candles, days, [week]), [week]).filter(pl.col("trading_day") == day)
    assert rows.height > 350
    known_from, end = calendar.anchor(day, 3), calendar.day_window(day)[1]
    told = scored.at_random(known_from, end, 400, instrument=instrument)
    stored = inputs.join(rows, signals.signals(rows.select(signals.BAR), told)).select(ALL).to_numpy()
    articles = signals.Articles.from_frame(told)  # those of the bar's future too
    buffer = candles.filter(pl.col("ts").is_between(known_from, end))
    differing: dict[datetime, list[str]] = {}
    past_days = DailyBars.from_frame(days)
    for i in range(0, rows.height, every):
        known = buffer.head(int(buffer["ts"].search_sorted(rows["ts"][i], side="right")))
        vector = online.from_frames(known, past_days, articles, instrument=instrument, lookback_days=3)
        assert (vector.ts, vector.names) == (rows["ts"][i], tuple(ALL))
        if not same_bits(vector.values, stored[i]):
            differing[vector.ts] = [
                n for n, a, b in zip(ALL, vector.values, stored[i], strict=True) if not same_bits(a[None], b[None])
            ]
    return differing


def test_indicators_that_are_remembered_of_other_bars_are_never_taken() -> None:
    candles = market.real("spx500usd_m1_2018_2019h1")[-5000:]
    row = pl.int_range(pl.len())
    # The times are the same, and one price of two hours before.
    changed = candles.with_columns(pl.when(row == 4880).then(pl.col("low") - 50.0).otherwise(pl.col("low")).alias("low"))

    def values(frame: pl.DataFrame) -> dict[str, float]:
        made = online.from_frames(frame, DailyBars.none(), signals.nothing(), instrument="SPXUSD", lookback_days=3)
        return dict(zip(made.names, made.values.tolist(), strict=True))

    timeframes._kept.clear()
    first, other = values(candles), values(changed)
    assert len(timeframes._kept) == 2
    assert {name for name in ("rsi_14_5m", "atr_14_bp_5m", "atr_14_bp_1h") if first[name] != other[name]} == {
        "atr_14_bp_5m",
        "atr_14_bp_1h",
    }
    timeframes._kept.clear()
    np.testing.assert_equal(values(changed), other)


def test_weeks_in_any_order_and_cut_are_the_whole_range_in_one_run() -> None:
    candles = pl.concat([market.real("spx500usd_m1_2018_2019h1"), rename(market.real("nas100usd_m1_2018_2019h1"), "NAS")]).sort(
        "instrument", "ts"
    )
    # Holidays, both clock changes of the period are in the long suite; here Christmas and the week without a Monday.
    weeks = calendar.week_range(date(2018, 12, 16), date(2019, 1, 6))
    days = daily(candles, calendar.week_range(date(2018, 9, 2), date(2019, 1, 6)))
    whole = silver(candles, days, weeks)
    shuffled = random.Random(3).sample(weeks, len(weeks))
    single = [silver(candles, days, [week]) for week in shuffled]
    scattered = silver(candles, days, [weeks[0], weeks[2]])
    for name, frame in whole.items():
        pieces = pl.concat([made[name] for made in single]).sort("instrument", "ts")
        assert pieces.equals(frame), name
        inside = frame.filter(calendar.week_expr(pl.col("trading_day")).is_in([weeks[0], weeks[2]]))
        assert scattered[name].equals(inside), name
    assert gold(whole, weeks).select("instrument").n_unique() == 2


def test_later_candles_change_no_earlier_row() -> None:
    candles = market.real("spx500usd_m1_2018_2019h1").filter(pl.col("ts") >= datetime(2018, 6, 1, tzinfo=UTC))
    week = date(2018, 7, 8)
    cut = datetime(2018, 7, 12, 14, 37, tzinfo=UTC)
    days = daily(candles, calendar.week_range(date(2018, 6, 3), week))
    whole = silver(candles, days, [week])
    short = silver(candles.filter(pl.col("ts") < cut), days.filter(pl.col("trading_day") < date(2018, 7, 12)), [week])
    for name, frame in whole.items():
        assert short[name].equals(frame.filter(pl.col("ts") < cut)), name


def test_a_row_depends_on_nothing_before_its_anchor() -> None:
    candles = market.real("spx500usd_m1_2018_2019h1")
    week = date(2018, 7, 8)
    days = daily(candles, calendar.week_range(date(2018, 6, 3), week))
    friday = date(2018, 7, 13)
    anchor = calendar.anchor(friday, 3)
    assert anchor == datetime(2018, 7, 9, 21, tzinfo=UTC)
    all_, since = silver(candles, days, [week]), silver(candles.filter(pl.col("ts") >= anchor), days, [week])
    for name, frame in all_.items():
        assert since[name].filter(pl.col("trading_day") == friday).equals(frame.filter(pl.col("trading_day") == friday)), name


def test_daily_bars_are_the_market_days() -> None:
    frame = daily(market.real("spx500usd_m1_2018_2019h1"), [date(2018, 12, 23)])
    assert frame.schema == table("silver.daily_bars").schema()
    assert frame["trading_day"].to_list() == [date(2018, 12, day) for day in (24, 26, 27, 28)]
    monday, rally = frame.row(0, named=True), frame.row(1, named=True)
    assert monday["ts"] == datetime(2018, 12, 23, 22, tzinfo=UTC)
    # The exchange closed at 2351.10 and 2467.70; the contract trades on for some minutes.
    assert monday["close"] == pytest.approx(2351.10, rel=0.006)
    assert rally["close"] == pytest.approx(2467.70, rel=0.006)
    assert all(row["low"] <= row["open"] <= row["high"] and row["bars"] > 0 for row in (monday, rally))


def test_daily_bars_of_a_hand_made_day() -> None:
    start = datetime(2019, 5, 1, 21, tzinfo=UTC)
    rows = [(0, 10.0, 12.0, 9.0, 11.0, 5.0), (3, 11.0, 11.5, 8.0, 10.5, 7.0), (1440, 10.0, 10.0, 10.0, 10.0, 1.0)]
    candles = pl.DataFrame(
        [
            {"instrument": "X", "ts": start + timedelta(minutes=m), "open": o, "high": h, "low": low, "close": c, "volume": v}
            for m, o, h, low, c, v in rows
        ]
    ).with_columns(calendar.trading_day_expr(pl.col("ts").cast(pl.Datetime("us", "UTC"))).alias("trading_day"))
    made = batch.daily_frame(candles.with_columns(pl.col("ts").cast(pl.Datetime("us", "UTC"))))
    assert made.rows()[0] == ("X", start, date(2019, 5, 2), 10.0, 12.0, 8.0, 10.5, 12.0, 2, start + timedelta(minutes=3))
    assert made.rows()[1][1:3] == (datetime(2019, 5, 2, 21, tzinfo=UTC), date(2019, 5, 3))


def test_a_week_without_rows_is_an_empty_frame_of_the_contract() -> None:
    weeks = [date(2019, 5, 5)]
    empty = table("bronze.candles").empty()
    made = silver(empty, daily(empty, weeks), weeks)
    assert {name: frame.height for name, frame in made.items()} == {f"silver.{f}": 0 for f in catalog.MARKET_FAMILIES}
    assert all(frame.schema == table(name).schema() for name, frame in made.items())
    assert gold(made, weeks).schema == table("gold.market_features").schema()


def test_the_merge_refuses_tables_that_do_not_hold_the_same_bars() -> None:
    candles = market.real("spx500usd_m1_2018_2019h1").filter(pl.col("ts").is_between(*calendar.week_window(date(2018, 7, 8))))
    weeks = [date(2018, 7, 8)]
    tables = silver(candles, daily(candles, weeks), weeks)
    tables["silver.volatility"] = tables["silver.volatility"][:-1]
    with pytest.raises(
        batch.MisalignedError, match=r"silver.volatility and silver.returns .* 1 are missing from silver.volatility"
    ):
        gold(tables, weeks)
    lake = FrameLake(tables)
    with pytest.raises(batch.MisalignedError, match=r"needs silver.calendar"):
        batch.market_features(*(lake.window(f"silver.{f}", weeks) for f in catalog.MARKET_FAMILIES if f != "calendar"))


def test_online_without_bars_says_what_to_do() -> None:
    with pytest.raises(online.NoBarsError, match="import"):
        online.from_frames(
            table("bronze.candles").empty(),
            DailyBars.none(),
            signals.nothing(),
            instrument="SPX500_USD",
            lookback_days=3,
        )


def test_a_new_instrument_without_days_or_volume_has_nulls_and_no_infinities() -> None:
    lake = FrameLake({"bronze.candles": rename(market.real("eurusd_m1_2018_2019h1")[:3], "NEW")})
    vector = online.vector(lake, instrument="NEW")  # type: ignore[arg-type]
    values = dict(zip(vector.names, vector.values.tolist(), strict=True))
    assert not np.isinf(vector.values).any()
    assert np.isnan(values["return_1d"])
    assert np.isnan(values["volume_ratio"])
    assert np.isfinite(values["return_1"])


def test_the_online_vector_is_of_the_newest_bar_that_had_ended() -> None:
    lake = FrameLake({"bronze.candles": market.real("spx500usd_m1_2018_2019h1")[-9000:]})
    newest = lake.tables["bronze.candles"]["ts"].max()
    assert isinstance(newest, datetime)
    assert online.vector(lake, instrument="SPXUSD").ts == newest  # type: ignore[arg-type]
    at = datetime(2019, 6, 27, 14, 30, tzinfo=UTC)
    assert online.vector(lake, instrument="SPXUSD", at=at).ts == at - timedelta(minutes=1)  # type: ignore[arg-type]
    before = online.vector(lake, instrument="SPXUSD", at=at - timedelta(microseconds=1))  # type: ignore[arg-type]
    assert before.ts == at - timedelta(minutes=2)
    with pytest.raises(online.NoBarsError, match="had ended by"):
        online.vector(lake, instrument="SPXUSD", at=datetime(2012, 1, 1, tzinfo=UTC))  # type: ignore[arg-type]


def test_the_last_rows_of_a_day_online_are_its_batch_rows_to_the_bit() -> None:
    """SPY trades regular hours only, so its day has a first bar that is not at the day's start."""
    day, week = date(2024, 8, 5), date(2024, 8, 4)
    candles = market.real("spy_m1_2024")
    days = daily(candles, calendar.week_range(week - timedelta(weeks=52), week))
    rows = gold(silver(candles, days, [week]), [week]).filter(pl.col("trading_day") == day)
    stored, ts = rows.select(NAMES).to_numpy(), rows["ts"].dt.timestamp("us").to_numpy()
    for i in (0, 1, 58, 59, 60, 200, rows.height - 1):
        known = candles.filter(pl.col("ts") <= rows["ts"][i])
        past_days = DailyBars.from_frame(days)
        vector = online.from_frames(known, past_days, signals.nothing(), instrument="SPY", lookback_days=3, rows=60)
        first = max(0, i - 59)
        assert vector.stamps.tolist() == ts[first : i + 1].tolist()
        assert same_bits(vector.recent[:, : len(NAMES)], stored[first : i + 1]), i
        assert same_bits(vector.values[: len(NAMES)], stored[i])
