"""The label rule on hand-made bars, with literal expected values."""

from datetime import UTC, datetime, timedelta

import numpy as np
import polars as pl
import pytest

from spx_assets import calendar
from spx_assets.labels.forward import LabelInputError, forward_returns
from spx_assets.lake.tables import LABELS

MINUTE = timedelta(minutes=1)
TEN = datetime(2019, 5, 28, 14, tzinfo=UTC)  # Tuesday, 10:00 New York


def bars(stamps: list[datetime], opens: list[float] | None = None, closes: list[float] | None = None) -> pl.DataFrame:
    frame = pl.DataFrame(
        {
            "instrument": ["SPX500_USD"] * len(stamps),
            "ts": stamps,
            "open": opens or [100.0] * len(stamps),
            "close": closes or [101.0] * len(stamps),
        },
        schema={"instrument": pl.String, "ts": pl.Datetime("us", "UTC"), "open": pl.Float64, "close": pl.Float64},
    )
    return frame.with_columns(trading_day=calendar.trading_day_expr(pl.col("ts")))


def minutes(start: datetime, *offsets: int) -> list[datetime]:
    return [start + MINUTE * k for k in offsets]


def label(frame: pl.DataFrame, *, h: int = 3, tolerance: int = 5, clock: datetime | None = None) -> pl.DataFrame:
    return forward_returns(frame, horizons=[h], tolerance_min=tolerance, clock=clock)


def test_entry_is_the_next_open_and_exit_the_close_at_the_horizon() -> None:
    frame = bars(minutes(TEN, 0, 1, 2, 3, 4, 5), [100, 102, 104, 106, 108, 110], [101, 103, 105, 107, 109, 102])
    found = label(frame)
    assert found.columns == list(LABELS.schema())
    assert found["entry"].to_list() == [102.0, 104.0, 106.0, 108.0, 110.0, None]
    # The last three bars have an exit within five minutes before t+3, since the tolerance reaches back past t+1.
    assert found["exit"].to_list() == [107.0, 109.0, 102.0, 102.0, 102.0, None]
    assert found["return_bp"].to_list()[0] == pytest.approx(1e4 * (107 / 102 - 1), abs=0)
    assert found["direction"].to_list() == [1, 1, 0, 0, 0, None]
    assert found["label_end"].to_list()[0] == TEN + 4 * MINUTE


def test_the_exit_lies_strictly_within_the_tolerance_before_the_horizon() -> None:
    # t+10 with a tolerance of 3: the exit must be later than t+7.
    near = bars(minutes(TEN, 0, 2, 4, 6, 8))
    assert label(near, h=10, tolerance=3)["exit"].to_list()[0] == 101.0
    far = bars(minutes(TEN, 0, 2, 4, 6, 7))
    assert label(far, h=10, tolerance=3)["exit"].to_list()[0] is None


def test_a_label_is_null_when_the_horizon_crosses_a_gap() -> None:
    whole = bars(minutes(TEN, 0, 1, 2, 7, 8, 9, 10))
    assert label(whole, h=10)["entry"].to_list()[0] == 100.0  # 5 minutes apart: at the tolerance
    gap = bars(minutes(TEN, 0, 1, 2, *range(8, 19)))
    assert label(gap, h=10)["entry"].to_list()[:5] == [None, None, None, 100.0, 100.0]


def test_a_gap_right_after_the_bar_counts() -> None:
    assert label(bars(minutes(TEN, 0, 6, 7, 8, 9, 10)), h=10)["entry"].to_list()[0] is None


def test_a_gap_after_the_exit_does_not_count() -> None:
    found = label(bars(minutes(TEN, 0, 1, 2, 3, 90)), h=3)
    assert found["entry"].to_list() == [100.0, 100.0, 100.0, None, None]


def test_the_label_ends_with_the_trading_day() -> None:
    close = datetime(2019, 5, 28, 21, tzinfo=UTC)  # 17:00 New York
    frame = bars(minutes(close, *range(-35, 0)))
    found = label(frame, h=30)
    # The bar at 16:29 lives until 17:00 exactly; the bar at 16:30 would live until 17:01.
    assert found.filter(pl.col("entry").is_not_null())["ts"].to_list() == minutes(close, *range(-35, -30))


def test_no_label_crosses_into_the_next_day_even_without_a_gap() -> None:
    close = datetime(2019, 5, 28, 21, tzinfo=UTC)
    frame = bars(minutes(close, *range(-5, 5)))
    found = label(frame, h=3)
    assert found.filter(pl.col("ts") >= close - 3 * MINUTE, pl.col("ts") < close)["entry"].null_count() == 3
    assert found.filter(pl.col("ts") == close - 4 * MINUTE)["entry"].to_list() == [100.0]


def test_a_label_does_not_span_the_weekend() -> None:
    friday = datetime(2019, 5, 24, 20, 57, tzinfo=UTC)
    sunday = datetime(2019, 5, 26, 21, tzinfo=UTC)
    found = label(bars([*minutes(friday, 0, 1, 2), *minutes(sunday, 0, 1, 2, 3)]), h=2)
    assert found["entry"].to_list() == [100.0, None, None, 100.0, 100.0, 100.0, None]


@pytest.mark.parametrize(
    "last_bar_with_label",
    [
        datetime(2019, 3, 8, 21, 29, tzinfo=UTC),  # Friday before the change to summer time: the day ends at 22:00 UTC
        datetime(2019, 3, 11, 20, 29, tzinfo=UTC),  # Monday after it: 21:00 UTC
        datetime(2018, 11, 2, 20, 29, tzinfo=UTC),  # Friday before the change to winter time: 21:00 UTC
        datetime(2018, 11, 5, 21, 29, tzinfo=UTC),  # Monday after it: 22:00 UTC
    ],
)
def test_days_end_at_17_new_york_around_both_clock_changes(last_bar_with_label: datetime) -> None:
    found = label(bars(minutes(last_bar_with_label, *range(-90, 90))), h=30)
    day = calendar.trading_day(last_bar_with_label)
    labelled = found.filter(pl.col("entry").is_not_null(), pl.col("trading_day") == day)
    assert labelled["ts"].max() == last_bar_with_label


def test_nothing_is_labelled_before_the_feed_clock_has_passed_its_life() -> None:
    frame = bars(minutes(TEN, *range(10)))
    found = label(frame, h=3, clock=TEN + 10 * MINUTE)
    # Lives end at t + 4 minutes: the bar at minute 6 is the last one whose outcome is known at minute 10.
    assert found.filter(pl.col("entry").is_not_null())["ts"].max() == TEN + 6 * MINUTE
    later = label(bars(minutes(TEN, *range(11))), h=3, clock=TEN + 11 * MINUTE)
    assert later.head(7).equals(found.head(7))


def test_a_tie_has_a_return_but_no_direction() -> None:
    found = label(bars(minutes(TEN, 0, 1, 2, 3), [100.0] * 4, [100.0] * 4))
    assert found["return_bp"].to_list()[0] == 0.0
    assert found["direction"].to_list()[0] is None


def test_rows_come_in_key_order_with_every_horizon() -> None:
    found = forward_returns(bars(minutes(TEN, *range(5))), horizons=[3, 1], tolerance_min=5, clock=None)
    assert found.select("ts", "horizon_minutes").rows()[:4] == [(TEN, 1), (TEN, 3), (TEN + MINUTE, 1), (TEN + MINUTE, 3)]
    assert found.height == 10
    assert dict(found.schema) == LABELS.schema()


def test_no_bars_give_no_labels_and_one_bar_a_null_one() -> None:
    assert label(bars([])).equals(LABELS.empty())
    assert label(bars([TEN]))["entry"].to_list() == [None]


def test_bars_out_of_order_or_of_two_instruments_are_refused() -> None:
    with pytest.raises(LabelInputError, match="rising time"):
        label(bars(minutes(TEN, 1, 0)))
    two = pl.concat([bars([TEN]), bars([TEN + MINUTE]).with_columns(instrument=pl.lit("EUR_USD"))])
    with pytest.raises(LabelInputError, match="EUR_USD"):
        label(two)


def test_the_rule_agrees_with_its_text_bar_by_bar() -> None:
    rng = np.random.default_rng(3)
    stamps = minutes(TEN - timedelta(hours=6), *np.flatnonzero(rng.random(1500) < 0.6).tolist())
    frame = bars(stamps, rng.uniform(90, 110, len(stamps)).tolist(), rng.uniform(90, 110, len(stamps)).tolist())
    clock = stamps[-1] + MINUTE
    found = label(frame, h=30, clock=clock)
    opens, closes = frame["open"].to_list(), frame["close"].to_list()
    for i, t in enumerate(stamps):
        exits = [j for j, s in enumerate(stamps) if t + 25 * MINUTE < s <= t + 30 * MINUTE and j > i]
        expected = None
        if exits:
            apart = max(stamps[k + 1] - stamps[k] for k in range(i, exits[-1]))
            if apart <= 5 * MINUTE and t + 31 * MINUTE <= min(clock, calendar.day_window(calendar.trading_day(t))[1]):
                expected = (opens[i + 1], closes[exits[-1]])
        row = found.row(i, named=True)
        assert (row["entry"], row["exit"]) == (expected or (None, None)), t
    assert 0 < found["entry"].null_count() < found.height
