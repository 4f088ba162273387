"""Bars that are appended to a history: past its room, and without changing what was given of it before."""

from datetime import UTC, datetime, timedelta

import numpy as np
import polars as pl

from serving.stream.growing import ROOM, Growing
from spx_assets.features.bars import BAR_COLUMNS, Bars
from spx_assets.sources.bars import Bar

START = datetime(2019, 1, 7, 14, tzinfo=UTC)


def bar(minute: int) -> Bar:
    ts, price = START + timedelta(minutes=minute), 3000.0 + minute
    spread = None if minute % 2 else 0.5
    return Bar(
        instrument="SPX500_USD",
        ts=ts,
        provider="files",
        binding="b",
        open=price,
        high=price + 1,
        low=price - 1,
        close=price + 0.25,
        volume=float(minute),
        spread=spread,
        known_at=ts,
    )


def frame(minutes: int) -> pl.DataFrame:
    return pl.DataFrame([{name: getattr(bar(m), name) for name in BAR_COLUMNS} for m in range(minutes)])


def same(found: Bars, expected: Bars) -> bool:
    return all(np.array_equal(getattr(found, name), getattr(expected, name), equal_nan=name == "spread") for name in BAR_COLUMNS)


def test_bars_appended_are_those_of_a_frame_that_had_them_from_the_beginning() -> None:
    growing = Growing(frame(3))
    first = growing.bars()
    for minute in range(3, ROOM + 20):
        growing.append(bar(minute))
    expected = Bars.from_frame(frame(ROOM + 20))
    assert (len(first), growing.last, growing.close) == (3, START + timedelta(minutes=ROOM + 19), 3000.0 + ROOM + 19.25)
    assert same(growing.bars(), expected)
    assert same(first, expected.head(3))
    assert growing.bars().close.flags.c_contiguous
