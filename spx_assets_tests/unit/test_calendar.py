"""Trading days and weeks in New York time, on literal instants; the same weeks as Dagster's partitions."""

from datetime import UTC, date, datetime, timedelta

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from spx_assets import calendar
from spx_assets.partitions import key_of, trading_weeks

FIRST, LAST = datetime(2010, 1, 4), datetime(2030, 1, 1)  # noqa: DTZ001 (hypothesis adds the zone)
INSTANTS = st.datetimes(FIRST, LAST, timezones=st.just(UTC))


def utc(*parts: int) -> datetime:
    return datetime(*parts, tzinfo=UTC)  # type: ignore[misc, arg-type]


@pytest.mark.parametrize(
    ("instant", "day", "week"),
    [
        (utc(2018, 3, 8, 21, 59), date(2018, 3, 8), date(2018, 3, 4)),  # 16:59 New York, winter
        (utc(2018, 3, 8, 22, 0), date(2018, 3, 9), date(2018, 3, 4)),  # 17:00 New York: the next day has begun
        (utc(2018, 3, 11, 20, 59), date(2018, 3, 11), date(2018, 3, 4)),  # Sunday 16:59, clocks moved that morning
        (utc(2018, 3, 11, 21, 0), date(2018, 3, 12), date(2018, 3, 11)),  # Sunday 17:00 summer time: Monday
        (utc(2018, 11, 4, 21, 59), date(2018, 11, 4), date(2018, 10, 28)),  # clocks moved back that morning
        (utc(2018, 11, 4, 22, 0), date(2018, 11, 5), date(2018, 11, 4)),
    ],
)
def test_a_trading_day_and_week_begin_at_17_new_york(instant: datetime, day: date, week: date) -> None:
    assert calendar.trading_day(instant) == day
    assert calendar.week_of(instant) == week
    assert pl.select(calendar.trading_day_expr(pl.lit(instant))).item() == day


def test_the_weeks_in_which_the_clocks_move_are_an_hour_shorter_and_longer() -> None:
    hours = {
        week: (end - start) / timedelta(hours=1)
        for week in (date(2018, 3, 4), date(2018, 10, 28), date(2018, 6, 3))
        for start, end in [calendar.week_window(week)]
    }
    assert hours == {date(2018, 3, 4): 167, date(2018, 10, 28): 169, date(2018, 6, 3): 168}


def test_every_week_is_the_partition_of_the_same_key() -> None:
    partitions = trading_weeks(date(2010, 1, 3))
    for week in calendar.week_range(date(2010, 1, 3), date(2026, 12, 27)):
        window = partitions.time_window_for_partition_key(key_of(week))
        assert (window.start, window.end) == calendar.week_window(week)


def test_weeks_are_cut_into_runs_where_one_is_missing_whatever_their_order() -> None:
    weeks = [date(2018, 3, 11), date(2018, 1, 7), date(2018, 3, 4), date(2018, 1, 21)]
    runs = calendar.week_runs(weeks)
    assert runs == [[date(2018, 1, 7)], [date(2018, 1, 21)], [date(2018, 3, 4), date(2018, 3, 11)]]
    assert calendar.run_window(runs[-1]) == (utc(2018, 3, 4, 22), utc(2018, 3, 18, 21))
    assert calendar.week_runs([]) == []


def test_a_day_is_shifted_over_weekends() -> None:
    assert calendar.shift_trading_days(date(2018, 3, 12), -3) == date(2018, 3, 7)
    assert calendar.shift_trading_days(date(2018, 3, 9), 1) == date(2018, 3, 12)
    assert calendar.anchor(date(2018, 3, 12), 3) == utc(2018, 3, 6, 22, 0)
    with pytest.raises(ValueError, match="Saturday, not a trading day"):
        calendar.shift_trading_days(date(2018, 3, 10), 1)


def test_the_market_opens_again_on_sunday_evening() -> None:
    assert calendar.next_open(utc(2018, 3, 9, 22, 0)) == utc(2018, 3, 11, 21, 0)
    assert calendar.next_open(utc(2018, 3, 9, 21, 59)) == utc(2018, 3, 9, 21, 59)


@given(INSTANTS)
def test_an_instant_lies_in_its_own_day_and_week(instant: datetime) -> None:
    day, week = calendar.trading_day(instant), calendar.week_of(instant)
    start, end = calendar.day_window(day)
    assert start <= instant < end
    start, end = calendar.week_window(week)
    assert start <= instant < end
    assert calendar.weeks_between(instant, instant + timedelta(minutes=1))[0] == week


@given(st.dates(date(2010, 1, 4), date(2030, 1, 1)).filter(calendar.is_trading_day), st.integers(-400, 400))
def test_shifting_counts_trading_days(day: date, n: int) -> None:
    shifted = calendar.shift_trading_days(day, n)
    lo, hi = sorted((day, shifted))
    assert len(list(calendar.trading_days(lo, hi))) == abs(n) + 1
    assert calendar.shift_trading_days(shifted, -n) == day


def test_the_newest_closed_day_passes_over_weekends_and_holidays() -> None:
    monday_noon = datetime(2025, 10, 13, 16, tzinfo=UTC)
    assert calendar.newest_closed_day(monday_noon) == date(2025, 10, 10)
    assert calendar.newest_closed_day(monday_noon, [date(2025, 10, 10)]) == date(2025, 10, 9)
    # 17:00 New York: Monday is over, Tuesday has begun.
    assert calendar.newest_closed_day(datetime(2025, 10, 13, 21, tzinfo=UTC)) == date(2025, 10, 13)
