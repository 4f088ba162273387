"""Candles -> silver -> gold in a real lake, and the online vector read back from it."""

from collections.abc import Mapping
from datetime import UTC, date, datetime, timedelta

import polars as pl
import pytest

from spx_assets import calendar
from spx_assets.features import batch, catalog, correlation, inputs, online, point_in_time
from spx_assets.lake import Chunk, Lake, Window
from spx_assets.lake.tables import table
from spx_assets.news import signal_weeks
from spx_assets.settings import Settings
from spx_assets_tests.unit.features import market
from spx_assets_tests.unit.features.lookahead import same_bits
from spx_assets_tests.unit.news import scored

WEEKS = calendar.week_range(date(2019, 2, 24), date(2019, 3, 24))  # both sides of New York's clock change on 2019-03-10
NAMES = [f.name for f in catalog.model_inputs()]


def _window(lake: Lake, name: str, weeks: list[date], weeks_before: int = 0) -> Window:
    start = calendar.week_window(weeks[0] - timedelta(days=7 * weeks_before))[0]
    return Window(lake, table(name), start, calendar.week_window(weeks[-1])[1], tuple(weeks), lake.snapshot())


def _store(lake: Lake, name: str, chunks: object, hashes: Mapping[date, str]) -> None:
    for chunk in chunks:  # type: ignore[attr-defined]
        lake.replace(name, chunk, asset=name.replace(".", "/"), run_id="run", read_snapshot=lake.snapshot(), inputs_hashes=hashes)


@pytest.fixture(scope="module")
def lake(tmp_path_factory: pytest.TempPathFactory) -> Lake:
    candles = market.real("spx500usd_m1_2018_2019h1").with_columns(instrument=pl.lit("SPX500_USD"))
    made = Lake.open(Settings(home=tmp_path_factory.mktemp("home")))
    hashes = dict.fromkeys(WEEKS, "")
    start, end = calendar.week_window(WEEKS[0])[0], calendar.week_window(WEEKS[-1])[1]
    _store(
        made, "bronze.candles", [Chunk(tuple(WEEKS), candles.filter(pl.col("ts").is_between(start, end, closed="left")))], hashes
    )
    _store(made, "silver.daily_bars", batch.daily_bars(_window(made, "bronze.candles", WEEKS)), hashes)
    weeks = WEEKS[1:]
    for family in catalog.MARKET_FAMILIES:
        window = _window(made, "bronze.candles", weeks, 1)
        if family == "timeframes":
            chunks = batch.timeframes(window, _window(made, "silver.daily_bars", weeks, 60))
        else:
            chunks = batch.by_day(window, family=family)
        _store(made, f"silver.{family}", chunks, hashes)
    tables = [_window(made, f"silver.{family}", weeks) for family in catalog.MARKET_FAMILIES]
    _store(made, "gold.market_features", batch.market_features(*tables), hashes)
    start, end = (calendar.week_window(WEEKS[k])[k == -1] for k in (0, -1))
    _store(made, "silver.news_sentiment", [Chunk(tuple(WEEKS), scored.at_random(start, end, 1500))], hashes)
    articles = _window(made, "silver.news_sentiment", weeks, 1)
    _store(made, "gold.news_signals", signal_weeks.by_week(_window(made, "bronze.candles", weeks), articles), hashes)
    return made


def test_the_lake_accepts_every_table_and_holds_a_row_a_candle(lake: Lake) -> None:
    start = calendar.week_window(WEEKS[1])[0]
    candles = lake.read("bronze.candles", start=start, columns=["instrument", "ts"])
    for name in (*(f"silver.{family}" for family in catalog.MARKET_FAMILIES), "gold.market_features", "gold.news_signals"):
        assert lake.read(name, columns=["instrument", "ts"]).equals(candles), name


@pytest.mark.parametrize("day", [date(2019, 3, 8), date(2019, 3, 11), date(2019, 3, 29)])
def test_the_online_vector_is_the_gold_row_to_the_bit(lake: Lake, day: date) -> None:
    start, end = calendar.day_window(day)
    rows = inputs.read(lambda table, columns: lake.read(table, start=start, end=end, columns=columns), NAMES)
    for i in (0, 1, 77, rows.height // 2, rows.height - 1):
        known = rows["ts"][i] + timedelta(minutes=1)
        vector = online.vector(lake, instrument="SPX500_USD", at=known)
        assert (vector.ts, vector.names) == (rows["ts"][i], tuple(NAMES))
        assert same_bits(vector.values, rows[i].select(NAMES).to_numpy()[0])
        joined = point_in_time.join(lake, pl.DataFrame({"instrument": ["SPX500_USD"], "ts": [known]}))
        assert same_bits(joined.select(NAMES).to_numpy()[0], vector.values)


def test_over_the_weekend_the_vector_is_fridays_last(lake: Lake) -> None:
    friday = lake.read("bronze.candles", end=calendar.at_open(date(2019, 3, 17)), columns=["ts"])["ts"][-1]
    sunday = calendar.at_open(date(2019, 3, 17)) - timedelta(hours=1)
    assert online.vector(lake, instrument="SPX500_USD", at=sunday).ts == friday


def test_the_correlation_report_reads_the_lake(lake: Lake) -> None:
    report = correlation.pairs_in_lake(lake, instrument="SPX500_USD", above=0.95)
    assert ("parkinson_vol", "gk_vol") in {(a, b) for a, b, _ in report.rows()}
    with pytest.raises(correlation.NoFeaturesError, match="spx backfill"):
        correlation.pairs_in_lake(lake, instrument="NOWHERE")


def test_values_of_a_minute(lake: Lake) -> None:
    at = datetime(2019, 3, 12, 14, 30, tzinfo=UTC)
    got = point_in_time.values(lake, instrument="SPX500_USD", at=at)
    assert got.height == len(NAMES)
    row = dict(zip(got["feature"], got["value"], strict=True))
    assert (row["session_us"], row["minutes_to_day_end"]) == (1.0, 391.0)
