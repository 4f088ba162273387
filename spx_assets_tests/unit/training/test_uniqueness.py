"""Overlapping labels count for what is their own."""

import numpy as np
import pytest

from spx_assets.training import uniqueness

MINUTE = 60_000_000


def test_labels_that_never_meet_are_each_one_observation():
    ts = np.array([0, 10, 20], dtype=np.int64) * MINUTE
    assert uniqueness.average(ts, ts + 10 * MINUTE).tolist() == [1.0, 1.0, 1.0]


def test_half_overlapping_labels_have_literal_weights():
    # Lives [0,4) and [2,6): minutes 2 and 3 are shared, so each has (1 + 1 + 1/2 + 1/2) / 4.
    ts = np.array([0, 2], dtype=np.int64) * MINUTE
    assert uniqueness.average(ts, ts + 4 * MINUTE).tolist() == [0.75, 0.75]


def test_two_instruments_at_one_minute_share_it():
    ts = np.array([0, 0], dtype=np.int64)
    assert uniqueness.average(ts, ts + 31 * MINUTE).tolist() == pytest.approx([0.5, 0.5])


def test_one_minute_rows_of_thirty_minute_labels_are_a_thirty_first_each():
    ts = np.arange(31_000, dtype=np.int64) * MINUTE
    own = uniqueness.average(ts, ts + 31 * MINUTE)
    assert own[500:-500] == pytest.approx(np.full(30_000, 1 / 31))
    assert uniqueness.effective(ts, ts + 31 * MINUTE) == pytest.approx(1001.9, abs=2.0)


def test_uniqueness_is_that_of_the_definition_minute_by_minute():
    rng = np.random.default_rng(0)
    starts = np.sort(rng.choice(300, 60, replace=False)).astype(np.int64)
    ends = starts + rng.integers(1, 40, 60)
    alive = np.zeros(400)
    for a, b in zip(starts, ends, strict=True):
        alive[a:b] += 1
    expected = [np.mean(1 / alive[a:b]) for a, b in zip(starts, ends, strict=True)]
    assert uniqueness.average(starts * MINUTE, ends * MINUTE) == pytest.approx(expected)
