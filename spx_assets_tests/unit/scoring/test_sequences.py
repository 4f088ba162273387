"""Sequences: bars of one instrument and trading day without a gap, the same rule everywhere."""

from datetime import UTC, datetime

import numpy as np

from spx_assets.scoring import sequences

MINUTE = 60_000_000


def us(text: str) -> int:
    return int(datetime.fromisoformat(text).replace(tzinfo=UTC).timestamp() * 1e6)


def test_a_run_ends_at_a_gap_above_the_tolerance_and_goes_on_below_it() -> None:
    ts = us("2025-10-15T14:00") + MINUTE * np.array([0, 1, 2, 7, 8, 14, 15])
    assert sequences.runs(np.zeros(7, np.int32), ts, tolerance_min=5).tolist() == [1, 2, 3, 4, 5, 1, 2]


def test_a_run_ends_with_the_trading_day_and_with_the_instrument() -> None:
    close = us("2025-10-15T20:58")  # 16:58 New York; the trading day ends at 17:00
    ts = np.array([close, close + MINUTE, close + 2 * MINUTE, close + 3 * MINUTE])
    assert sequences.runs(np.zeros(4, np.int32), ts, tolerance_min=5).tolist() == [1, 2, 1, 2]
    other = np.array([0, 0, 1, 1], np.int32)
    twice = np.concatenate([ts[:2], ts[:2]])
    assert sequences.runs(other, twice, tolerance_min=5).tolist() == [1, 2, 1, 2]
    assert sequences.runs(other[:0], ts[:0], tolerance_min=5).tolist() == []


def test_a_sequence_is_complete_when_it_is_full_and_all_of_it_is_known() -> None:
    run = np.array([1, 2, 3, 4, 1, 2, 3])
    unknown = np.array([False, True, False, False, False, False, False])
    assert sequences.complete(unknown, run, input_rows=2).tolist() == [False, False, False, True, False, True, True]
    assert sequences.complete(unknown, run, input_rows=1).tolist() == [True, False, True, True, True, True, True]


def test_sequences_end_at_their_row_the_newest_bar_last() -> None:
    X = np.arange(10, dtype=np.float32).reshape(5, 2)
    assert sequences.gather(X, np.array([2, 4]), input_rows=3).tolist() == [X[0:3].tolist(), X[2:5].tolist()]
    assert sequences.gather(X, np.array([2, 4]), input_rows=1).tolist() == X[[2, 4]].tolist()
