"""No row is fitted on whose label is alive when, or just before, an evaluation window opens."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from spx_assets.training import splits
from spx_assets.training.errors import NotEnoughRowsError
from spx_assets.training.splits import MINUTE_US


@st.composite
def markets(draw):
    """(ts, label_end, horizon, embargo): minutes with random gaps, one or two instruments pooled, shuffled."""
    horizon = draw(st.sampled_from([1, 5, 30, 60]))
    embargo = horizon + draw(st.integers(0, 40))
    rng = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    steps = np.where(rng.random(3000) < draw(st.floats(0.0, 0.2)), rng.integers(2, 400, 3000), 1)
    minutes = np.cumsum(steps)
    if draw(st.booleans()):
        minutes = rng.permutation(np.concatenate([minutes, minutes[rng.random(3000) < 0.7]]))
    ts = minutes.astype(np.int64) * MINUTE_US
    return ts, ts + (horizon + 1) * MINUTE_US, horizon, embargo


@given(markets())
@settings(max_examples=40, deadline=None)
def test_no_earlier_label_life_touches_a_later_segment_or_its_embargo(market):
    ts, label_end, _, embargo = market
    parts = splits.by_time(ts, label_end, embargo_us=embargo * MINUTE_US)
    named = [rows for _, rows in parts.items()]
    for k, earlier in enumerate(named):
        for later in named[k + 1 :]:
            assert label_end[earlier].max() + embargo * MINUTE_US <= ts[later].min()


@given(markets(), st.floats(0.0, 0.9), st.floats(0.05, 0.5))
@settings(max_examples=40, deadline=None)
def test_purged_rows_are_those_that_brute_force_keeps(market, where, width):
    ts, label_end, _, embargo = market
    first, last = int(ts.min()), int(ts.max())
    start = int(first + where * (last - first))
    end = int(start + width * (last - first))
    kept = splits.purged(ts, label_end, start=start, end=end, embargo_us=embargo * MINUTE_US)
    asked = [(t, e) for t, e in zip(ts, label_end, strict=True) if start <= t < end]
    # One window from the opening of the first possible to the end of the last actual life, held off by the embargo.
    closing = max([end, *(e + embargo * MINUTE_US for _, e in asked), start + embargo * MINUTE_US])
    expected = [i for i, (t, e) in enumerate(zip(ts, label_end, strict=True)) if e + embargo * MINUTE_US <= start or t >= closing]
    assert kept.tolist() == expected
    for t, e in asked[:: max(1, len(asked) // 20)]:
        assert not np.any((ts[kept] < e) & (label_end[kept] > t))


def test_shares_are_of_rows_in_order_of_time():
    ts = np.arange(10_000, dtype=np.int64) * MINUTE_US
    parts = splits.by_time(ts, ts + 31 * MINUTE_US, embargo_us=30 * MINUTE_US)
    # 7,000 rows before the border less the 30 still alive at it; 1,000 less 30 alive and 30 embargoed.
    assert [len(rows) for _, rows in parts.items()] == [6970, 940, 940, 970]
    assert (parts.fit[0], parts.fit[-1]) == (0, 6969)
    assert (parts.validation[0], parts.validation[-1]) == (7030, 7969)
    assert (parts.out_of_time[0], parts.out_of_time[-1]) == (9030, 9999)


def test_every_row_is_evaluated_once_over_the_blocks():
    ts = np.arange(1_003, dtype=np.int64) * MINUTE_US
    pairs = list(splits.blocks(ts, ts + 6 * MINUTE_US, n=5, embargo_us=5 * MINUTE_US))
    assert np.concatenate([asked for _, asked in pairs]).tolist() == list(range(1_003))
    for known, asked in pairs:
        assert np.abs(known[:, None] - asked[None, :]).min() >= 11


def test_a_window_without_room_for_four_segments_says_so():
    ts = np.arange(100, dtype=np.int64) * MINUTE_US
    with pytest.raises(NotEnoughRowsError, match="backfill more weeks"):
        splits.by_time(ts, ts + 61 * MINUTE_US, embargo_us=60 * MINUTE_US)
    with pytest.raises(NotEnoughRowsError, match="0 labelled rows"):
        splits.by_time(ts[:0], ts[:0], embargo_us=0)


@given(markets(), st.integers(1, 6))
@settings(max_examples=40, deadline=None)
def test_each_expanding_fold_fits_on_exactly_the_rows_whose_label_had_ended_an_embargo_before_it(market, n):
    ts, label_end, _, embargo = market
    gap = embargo * MINUTE_US
    made = list(splits.expanding(ts, label_end, n=n, embargo_us=gap))
    assert len(made) == n
    for fit, asked in made:
        opens = min(ts[row] for row in asked)
        assert fit.tolist() == [row for row in range(len(ts)) if label_end[row] + gap <= opens]
        assert not np.any(label_end[fit] > opens)
    together = np.concatenate([asked for _, asked in made])
    assert len(np.unique(together)) == len(together)
    # In order of time, all but the first of n + 1 parts of equal count; pooled instruments share a minute now and then.
    assert abs(len(together) - len(ts) * n / (n + 1)) <= 2 + n
    assert ts[together].min() > ts[np.setdiff1d(np.arange(len(ts)), together)].max()


def test_the_folds_of_a_hundred_minutes_are_these():
    ts = np.arange(101, dtype=np.int64) * MINUTE_US
    made = list(splits.expanding(ts, ts + 6 * MINUTE_US, n=3, embargo_us=5 * MINUTE_US))
    # Parts open at 25, 50 and 75; a row of minute t is alive until t + 6 and held off for another 5.
    assert [(fit[0], fit[-1], asked[0], asked[-1]) for fit, asked in made] == [(0, 14, 25, 49), (0, 39, 50, 74), (0, 64, 75, 100)]


def test_the_tail_opens_after_the_last_earlier_label_and_the_embargo():
    ts = np.arange(101, dtype=np.int64) * MINUTE_US
    earlier, later = splits.tail(ts, ts + 6 * MINUTE_US, share=0.2, embargo_us=5 * MINUTE_US)
    assert (earlier[0], earlier[-1], later[0], later[-1]) == (0, 69, 80, 100)


def test_too_few_rows_for_the_folds_are_refused():
    ts = np.arange(20, dtype=np.int64) * MINUTE_US
    with pytest.raises(NotEnoughRowsError, match="cannot be cut into 5 folds"):
        list(splits.expanding(ts, ts + 31 * MINUTE_US, n=5, embargo_us=30 * MINUTE_US))
