"""Every reason of the quarantine, from literal rows."""

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta

import polars as pl
import pytest
from hypothesis import given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from spx_assets.sources import quality
from spx_assets.sources.rows import JUDGED, ROWS, conform

NOW = datetime(2025, 1, 1, tzinfo=UTC)
NOON = datetime(2024, 1, 30, 12, tzinfo=UTC)
GOOD: dict[str, object] = {
    "open": 10.0,
    "high": 12.0,
    "low": 9.0,
    "close": 11.0,
    "bid_close": 10.9,
    "ask_close": 11.1,
    "volume": 5.0,
}


def rows(*changes: Mapping[str, object]) -> pl.DataFrame:
    """One good row a minute from NOON, each with its changes."""
    made = [{"line": i, "ts": NOON + timedelta(minutes=i), **GOOD, **change} for i, change in enumerate(changes)]
    return conform(pl.DataFrame(made, infer_schema_length=None), ROWS)


def reasons(*changes: Mapping[str, object]) -> list[str | None]:
    return quality.judge(rows(*changes), now=NOW)["reason"].to_list()


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"ts": None}, "unreadable_time"),
        ({"close": None}, "not_a_number"),
        ({"open": float("nan")}, "not_a_number"),
        ({"high": float("inf")}, "not_a_number"),
        ({"volume": None}, "not_a_number"),
        ({"bid_close": float("nan")}, "not_a_number"),
        ({"low": 0.0}, "non_positive_price"),
        ({"low": -1.0}, "non_positive_price"),
        ({"bid_close": 0.0}, "non_positive_price"),
        ({"volume": -1.0}, "negative_volume"),
        ({"high": 8.0}, "high_below_low"),
        ({"open": 12.5}, "high_below_low"),
        ({"close": 8.5}, "high_below_low"),
        ({"ask_close": 10.8}, "negative_spread"),
        ({"ts": datetime(2024, 2, 2, 22, 0, tzinfo=UTC)}, "market_closed"),  # Friday 17:00 New York
        ({"ts": datetime(2024, 2, 4, 21, 59, tzinfo=UTC)}, "market_closed"),  # Sunday 16:59 New York
        ({"ts": datetime(2025, 1, 1, 0, 0, tzinfo=UTC)}, "in_the_future"),
        ({}, None),
        ({"bid_close": None, "ask_close": None}, None),
        ({"ask_close": 10.9}, None),
        ({"ts": datetime(2024, 2, 2, 21, 59, tzinfo=UTC)}, None),
        ({"ts": datetime(2024, 2, 4, 22, 0, tzinfo=UTC)}, None),
        ({"ts": datetime(2024, 12, 31, 23, 59, tzinfo=UTC)}, None),
    ],
)
def test_a_row_gets_the_reason_of_the_rule_it_breaks(change: dict[str, object], reason: str | None) -> None:
    assert reasons({}, change) == [None, reason]


def test_the_second_row_of_a_minute_is_a_duplicate() -> None:
    assert reasons({}, {}, {"ts": NOON + timedelta(minutes=1)}, {}) == [None, None, "duplicate_minute", None]


def test_a_bad_row_does_not_make_its_good_repetition_a_duplicate() -> None:
    assert reasons({}, {"close": None}, {"ts": NOON + timedelta(minutes=1)}) == [None, "not_a_number", None]


def test_a_row_that_goes_back_in_time_is_out_of_order() -> None:
    late = {"ts": NOON - timedelta(minutes=3)}
    assert reasons({}, {}, late, {}) == [None, None, "out_of_order", None]


def test_one_wild_stamp_costs_one_row_and_not_all_after_it() -> None:
    wild = {"ts": datetime(2024, 11, 5, 12, tzinfo=UTC)}
    assert reasons({}, wild, {}, {}, {}) == [None, "out_of_order", None, None, None]


@given(st.lists(st.integers(0, 30), min_size=1, max_size=40))
@hypothesis_settings(max_examples=80, deadline=None)
def test_candles_always_rise_in_time_and_no_row_is_lost(offsets: list[int]) -> None:
    judged = quality.judge(rows(*({"ts": NOON + timedelta(minutes=k)} for k in offsets)), now=NOW)
    good = judged.filter(pl.col("reason").is_null())["ts"]
    assert judged.height == len(offsets)
    assert bool((good.diff().drop_nulls() > timedelta(0)).all())
    if sorted(set(offsets)) == offsets:
        assert good.len() == len(offsets)


def test_refused_rows_stand_at_a_minute_of_the_weeks_of_the_candles() -> None:
    judged = quality.judge(rows({}, {"ts": None}, {"ts": datetime(2024, 11, 5, tzinfo=UTC)}, {"low": 0.0}, {}), now=NOW)
    placed = quality.place(judged)
    assert placed["ts"].to_list() == [NOON, NOON, NOON, NOON + timedelta(minutes=3), NOON + timedelta(minutes=4)]


def test_split_gives_a_candle_its_day_spread_and_moment_of_knowledge() -> None:
    evening = datetime(2024, 1, 30, 22, 30, tzinfo=UTC)
    judged = conform(quality.judge(rows({"ts": evening}, {"high": 8.0}), now=NOW), JUDGED)
    candles, refused = quality.split(judged, instrument="X", source="files:a.csv@0")
    row = candles.row(0, named=True)
    assert row["trading_day"].isoformat() == "2024-01-31"
    assert row["spread"] == pytest.approx(0.2)
    assert row["known_at"] == evening + timedelta(minutes=1)
    assert (row["instrument"], row["source"], row["volume"]) == ("X", "files:a.csv@0", 5.0)
    assert refused.select("line", "reason").rows() == [(1, "high_below_low")]


def test_spread_is_null_where_one_side_is_known() -> None:
    judged = conform(quality.judge(rows({"ask_close": None}), now=NOW), JUDGED)
    assert quality.split(judged, instrument="X", source="s")[0]["spread"].to_list() == [None]
