"""Content hashes: the same rows have the same hash, other rows another."""

from datetime import UTC, date, datetime
from itertools import pairwise

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from spx_assets.lake import hashing
from spx_assets.lake.errors import ContractError
from spx_assets.lake.records import inputs_hash
from spx_assets.lake.tables import CANDLES, Column, Table
from spx_assets_tests import lakes

KEYED = Table(
    "gold.t",
    "",
    (
        Column("k", "BIGINT", ""),
        Column("name", "VARCHAR", "", nullable=True),
        Column("x", "FLOAT", "", nullable=True),
        Column("up", "BOOLEAN", "", nullable=True),
    ),
    key=("k",),
    time=None,
)
WEEKS = lakes.WEEKS[:3]
ROWS = lakes.candles(WEEKS, bars=50, instruments=("SPX500_USD", "EUR_USD"))


def week_hashes(frame: pl.DataFrame) -> dict[date, str]:
    grouped, bounds = hashing.by_week(CANDLES, frame.sort(CANDLES.key), WEEKS)
    return hashing.week_hashes(CANDLES, grouped, bounds)


@settings(max_examples=25, deadline=None)
@given(seed=st.integers(0, 2**31), cuts=st.lists(st.integers(1, 299), max_size=6))
def test_the_hash_is_independent_of_row_order_and_chunking(seed: int, cuts: list[int]) -> None:
    shuffled = ROWS.sample(fraction=1.0, shuffle=True, seed=seed)
    edges = [0, *sorted(set(cuts)), shuffled.height]
    pieces = [shuffled[a:b] for a, b in pairwise(edges)]
    assert week_hashes(pl.concat(pieces, rechunk=False)) == week_hashes(ROWS)


def test_a_week_has_the_same_hash_alone_and_among_others() -> None:
    start, end = ROWS["ts"].min(), datetime(2019, 1, 13, 22, tzinfo=UTC)
    alone, bounds = hashing.by_week(
        CANDLES, ROWS.filter(pl.col("ts").is_between(start, end, closed="left")).sort(CANDLES.key), WEEKS[:1]
    )
    assert hashing.week_hashes(CANDLES, alone, bounds)[WEEKS[0]] == week_hashes(ROWS)[WEEKS[0]]


@pytest.mark.parametrize(
    "other",
    [
        {"k": [1, 2], "name": ["a", None], "x": [0.5, None], "up": [True, None]},
        {"k": [1, 2], "name": ["a", "b"], "x": [0.5, 0.0], "up": [True, None]},
        {"k": [1, 2], "name": ["a", "b"], "x": [0.5, None], "up": [True, False]},
        {"k": [1, 2], "name": ["ab", ""], "x": [0.5, None], "up": [True, None]},
        {"k": [1, 3], "name": ["a", "b"], "x": [0.5, None], "up": [True, None]},
        {"k": [1], "name": ["a"], "x": [0.5], "up": [True]},
    ],
)
def test_a_changed_value_a_null_or_a_shifted_string_changes_the_hash(other: dict[str, list[object]]) -> None:
    rows = pl.DataFrame({"k": [1, 2], "name": ["a", "b"], "x": [0.5, None], "up": [True, None]}, schema=KEYED.schema())
    assert hashing.content_hash(KEYED, rows) != hashing.content_hash(KEYED, pl.DataFrame(other, schema=KEYED.schema()))


def test_the_hash_of_known_rows_stays_what_it_is() -> None:
    # Recorded hashes live in every lake: another value here makes all of them stale.
    rows = pl.DataFrame({"k": [2, 1], "name": ["b", None], "x": [0.5, None], "up": [True, None]}, schema=KEYED.schema())
    assert hashing.content_hash(KEYED, rows) == "e78b56c64ca69d8272bbe9553a46b82d"
    assert inputs_hash("v1", [("b", date(2019, 1, 6), "1"), ("a", date(2019, 1, 6), "2")]) == "f471652cb0d25e5abb950c601e337256"


def test_a_row_outside_the_weeks_is_refused() -> None:
    with pytest.raises(ContractError, match=r"100 row\(s\) lie outside the weeks being replaced"):
        hashing.by_week(CANDLES, ROWS, WEEKS[:2])
