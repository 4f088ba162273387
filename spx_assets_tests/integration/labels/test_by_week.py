"""gold/labels from a real lake: weeks around both clock changes, literal values, nothing beyond the feed's clock."""

from datetime import UTC, date, datetime, timedelta

import numpy as np
import polars as pl
import pytest

from spx_assets import calendar
from spx_assets.labels import batch
from spx_assets.lake import Chunk, Lake, Window, tables
from spx_assets.settings import Settings

WEEKS = (date(2018, 3, 4), date(2018, 3, 11), date(2018, 11, 4))
"""The week before New York's change to summer time, the week after it, and the week that begins with the change back."""


def candles(instrument: str, week: date) -> pl.DataFrame:
    """Every minute of Monday, prices rising by one a minute."""
    start, end = calendar.day_window(week + timedelta(days=1))
    ts = pl.datetime_range(start, end, "1m", closed="left", time_unit="us", time_zone="UTC", eager=True)
    price = np.arange(1000.0, 1000.0 + len(ts))
    return pl.DataFrame({"ts": ts, "open": price, "close": price + 0.5}).select(
        pl.lit(instrument).alias("instrument"),
        "ts",
        calendar.trading_day_expr(pl.col("ts")).alias("trading_day"),
        "open",
        pl.col("close").alias("high"),
        pl.col("open").alias("low"),
        "close",
        pl.lit(None, pl.Float64).alias("bid_close"),
        pl.lit(None, pl.Float64).alias("ask_close"),
        pl.lit(None, pl.Float64).alias("spread"),
        pl.lit(0.0).alias("volume"),
        pl.lit("test").alias("source"),
        (pl.col("ts") + pl.duration(minutes=1)).alias("known_at"),
    )


@pytest.fixture(scope="module")
def lake(tmp_path_factory: pytest.TempPathFactory) -> Lake:
    made = Lake.open(Settings(home=tmp_path_factory.mktemp("labels")))
    frame = pl.concat([candles(name, week) for name in ("EUR_USD", "SPX500_USD") for week in WEEKS])
    commit(made, "bronze.candles", Chunk(WEEKS, frame))
    return made


def commit(lake: Lake, table: str, chunk: Chunk) -> None:
    hashes = dict.fromkeys(chunk.weeks, "inputs")
    lake.replace(table, chunk, asset=table, run_id="run", read_snapshot=lake.snapshot(), inputs_hashes=hashes)


def window(lake: Lake, weeks: tuple[date, ...]) -> Window:
    start, end = calendar.week_window(min(weeks))[0], calendar.week_window(max(weeks))[1]
    return Window(lake, tables.CANDLES, start, end, weeks, lake.snapshot())


def test_labels_of_weeks_around_both_clock_changes_end_with_new_yorks_day(lake: Lake) -> None:
    chunks = list(batch.by_week(window(lake, WEEKS), clocks={}))
    assert [week for chunk in chunks for week in chunk.weeks] == list(WEEKS)
    rows = pl.concat(chunk.frame for chunk in chunks)
    assert rows.height == 2 * 3 * 1440 * 2  # instruments, Mondays, minutes, horizons
    last = (
        rows.filter(pl.col("return_bp").is_not_null(), instrument="SPX500_USD")
        .group_by("trading_day", "horizon_minutes")
        .agg(pl.col("ts").max(), pl.len())
    )
    found = {(row["trading_day"], row["horizon_minutes"]): (row["ts"], row["len"]) for row in last.iter_rows(named=True)}
    assert found == {
        (date(2018, 3, 5), 30): (datetime(2018, 3, 5, 21, 29, tzinfo=UTC), 1410),
        (date(2018, 3, 5), 60): (datetime(2018, 3, 5, 20, 59, tzinfo=UTC), 1380),
        (date(2018, 3, 12), 30): (datetime(2018, 3, 12, 20, 29, tzinfo=UTC), 1410),
        (date(2018, 3, 12), 60): (datetime(2018, 3, 12, 19, 59, tzinfo=UTC), 1380),
        (date(2018, 11, 5), 30): (datetime(2018, 11, 5, 21, 29, tzinfo=UTC), 1410),
        (date(2018, 11, 5), 60): (datetime(2018, 11, 5, 20, 59, tzinfo=UTC), 1380),
    }
    first = rows.filter(instrument="SPX500_USD", horizon_minutes=30).row(0, named=True)
    assert (first["entry"], first["exit"]) == (1001.0, 1030.5)


def test_the_clock_of_each_feed_limits_its_own_labels(lake: Lake) -> None:
    clock = datetime(2018, 3, 12, 12, 0, tzinfo=UTC)
    chunks = list(batch.by_week(window(lake, WEEKS[1:2]), clocks={"SPX500_USD": clock}))
    rows = pl.concat(chunk.frame for chunk in chunks).filter(pl.col("return_bp").is_not_null(), horizon_minutes=30)
    last = dict(rows.group_by("instrument").agg(pl.col("ts").max()).rows())
    assert last["SPX500_USD"] == datetime(2018, 3, 12, 11, 29, tzinfo=UTC)
    assert last["EUR_USD"] == datetime(2018, 3, 12, 20, 29, tzinfo=UTC)


def test_the_clock_is_part_of_what_a_week_is_made_of_while_labels_may_end_beside_the_last_bar(lake: Lake) -> None:
    """Monday's last bar begins at 20:59; the day ends at 21:00."""

    def told(*clock: int, weeks: tuple[date, ...] = WEEKS) -> dict[date, str]:
        clocks = {"SPX500_USD": datetime(2018, 3, 12, *clock, tzinfo=UTC)}
        return batch.fingerprints(lake, weeks, clocks, snapshot=lake.snapshot())

    assert told(12, 0, 30) == told(12, 0) == {WEEKS[1]: "SPX500_USD to 2018-03-12T12:00Z"} != told(12, 1)
    assert told(12, 0, weeks=WEEKS[:1]) == told(21, 0) == told(22, 0) == {}
    clocks = {"SPX500_USD": datetime(2018, 3, 12, 12, tzinfo=UTC)}
    assert [chunk.fingerprints for chunk in batch.by_week(window(lake, WEEKS[1:2]), clocks=clocks)] == [told(12, 0)]


def test_a_week_alone_has_the_labels_it_has_in_a_range(lake: Lake) -> None:
    whole = pl.concat(chunk.frame for chunk in batch.by_week(window(lake, WEEKS), clocks={}))
    for week in WEEKS:
        alone = pl.concat(chunk.frame for chunk in batch.by_week(window(lake, (week,)), clocks={}))
        start, end = calendar.week_window(week)
        assert alone.sort("instrument", "ts", "horizon_minutes").equals(
            whole.filter(pl.col("ts").is_between(start, end, closed="left")).sort("instrument", "ts", "horizon_minutes")
        )


def test_a_week_between_those_being_made_is_left_alone(lake: Lake) -> None:
    chunks = list(batch.by_week(window(lake, (WEEKS[0], WEEKS[2])), clocks={}))
    assert [chunk.weeks for chunk in chunks] == [(WEEKS[0], WEEKS[2])]
    assert chunks[0].frame["trading_day"].unique().sort().to_list() == [date(2018, 3, 5), date(2018, 11, 5)]


@pytest.mark.parametrize("week", [WEEKS[0], WEEKS[1]])
def test_a_week_that_the_clock_change_made_shorter_is_whole(lake: Lake, week: date) -> None:
    rows = pl.concat(chunk.frame for chunk in batch.by_week(window(lake, (week,)), clocks={}))
    assert rows.height == 2 * 1440 * 2  # instruments, minutes of Monday, horizons


def test_a_week_without_bars_has_zero_labels(lake: Lake) -> None:
    empty = list(batch.by_week(window(lake, (date(2018, 6, 3),)), clocks={}))
    assert [(chunk.weeks, chunk.frame.height) for chunk in empty] == [((date(2018, 6, 3),), 0)]


def test_labels_pass_their_contract_and_read_back_equal(lake: Lake) -> None:
    made = list(batch.by_week(window(lake, WEEKS), clocks={}))
    for chunk in made:
        commit(lake, "gold.labels", chunk)
    assert lake.read("gold.labels").equals(pl.concat(chunk.frame for chunk in made).sort("instrument", "ts", "horizon_minutes"))
