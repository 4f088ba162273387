"""Content hashes: the same rows have the same hash, other rows another."""

from datetime import UTC, date, datetime
from itertools import pairwise

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from spx_assets.lake import buffers, hashing
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


TEXTS = ["SPX500_USD", "a text of more than twelve bytes", "", "köln"]


@pytest.mark.parametrize("text", TEXTS)
def test_a_text_that_every_row_holds_has_the_bytes_it_has_among_others(text: str) -> None:
    alone = pl.Series("s", [text] * 5)
    among = pl.Series("s", [text] * 5 + ["another"])
    expected, found = buffers.buffer(among), buffers.buffer(alone)
    assert expected.offsets is not None
    assert found.offsets is not None
    assert found.offsets.tolist() == expected.offsets[:6].tolist() == [i * len(text.encode()) for i in range(6)]
    assert found.values.tobytes() == expected.values[: expected.offsets[5]].tobytes() == text.encode() * 5


@pytest.mark.parametrize(
    ("texts", "only"),
    [
        (["ab", "ab"], "ab"),
        (["ab", "cd", "ab"], None),
        (["ab", None, "ab"], None),
        ([], None),
        (["a" * 13, "b" * 13, "a" * 13], None),
    ],
)
def test_only_text_is_known_only_where_every_row_holds_it(texts: list[str | None], only: str | None) -> None:
    assert buffers.only_text(pl.Series("s", texts, dtype=pl.String)) == only
    assert buffers.only_text(pl.Series("s", ["x", *texts, "y"], dtype=pl.String)[1:-1]) == only


def test_what_lies_under_a_null_text_does_not_change_the_hash() -> None:
    said = pl.DataFrame({"k": [1, 2], "name": ["the first of two long texts", "and the other one"]})
    rest = {"x": pl.lit(None, pl.Float32), "up": pl.lit(None, pl.Boolean)}
    emptied = said.with_columns(name=pl.when(pl.col("k") == 1).then("name"), **rest)
    plain = pl.DataFrame({"k": [1, 2], "name": [said["name"][0], None]}).with_columns(**rest)
    assert emptied.equals(plain)
    assert hashing.content_hash(KEYED, emptied) == hashing.content_hash(KEYED, plain)
    held = buffers.buffer(emptied["name"])
    assert held.offsets is not None
    assert np.diff(held.offsets).tolist() == [27, 0]


def test_numbers_dates_and_times_are_the_integers_and_floats_they_are_stored_as() -> None:
    day = pl.Series("d", [date(1970, 1, 3), date(2019, 1, 6)])
    at = pl.Series("t", [datetime(1970, 1, 1, 0, 0, 1, tzinfo=UTC)] * 2, dtype=pl.Datetime("us", "UTC"))
    assert buffers.buffer(day).values.tobytes() == np.array([2, 17902], np.int32).tobytes()
    assert buffers.buffer(at).values.tobytes() == np.array([1_000_000, 1_000_000], np.int64).tobytes()
    assert (
        buffers.buffer(pl.Series("x", [0.5, -1.0], dtype=pl.Float32)).values.tobytes()
        == np.array([0.5, -1], np.float32).tobytes()
    )
    nulls = buffers.buffer(pl.Series("n", [1, None, 3], dtype=pl.Int8))
    assert nulls.unknown is not None
    assert nulls.unknown.tolist() == [False, True, False]
    assert nulls.values.tolist()[::2] == [1, 3]
