"""What a version keeps of its training rows, and how far later days lie from it."""

from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import msgspec
import numpy as np
import pytest
from scipy import stats

from spx_assets.monitoring import compare, counting, reference, summary
from spx_assets.monitoring.errors import ReferenceMissingError
from spx_assets.monitoring.reference import Reference
from spx_assets.scoring import artifact
from spx_assets_tests.unit.scoring import toy

MINUTE = 60_000_000
MONDAY = int(datetime(2025, 3, 16, 21, tzinfo=UTC).timestamp()) * 1_000_000
"""17:00 New York on the Sunday after the clock went forward."""
NAMES = ("noise", "shape", "slow", "constant", "absent")


def days(first: int, count: int) -> np.ndarray:
    """Stamps of weekdays, every tenth minute."""
    starts = [d for d in range(first, first + count * 2) if d % 7 < 5][:count]
    return np.concatenate([MONDAY + d * 1440 * MINUTE + np.arange(0, 1380, 10) * MINUTE for d in starts])


def values(ts: np.ndarray, *, seed: int, scale: float = 1.0) -> np.ndarray:
    """White noise, an intraday shape thrice as high at noon, a level of the day, one value, nothing."""
    rng = np.random.default_rng(seed)
    day, minute = np.divmod((ts - MONDAY) // MINUTE, 1440)
    _, place = np.unique(day, return_inverse=True)
    level = rng.standard_normal(place.max() + 1)
    shape = 1.0 + 2.0 * np.exp(-(((minute - 900) / 200.0) ** 2))
    columns = [
        scale * rng.standard_normal(len(ts)),
        scale * shape * (1.0 + 0.1 * rng.random(len(ts))),
        level[place] + 0.1 * rng.standard_normal(len(ts)),
        np.full(len(ts), 7.0),
        np.full(len(ts), np.nan),
    ]
    return np.stack(columns, axis=1).astype(np.float32)


@pytest.fixture(scope="module")
def section() -> reference.Section:
    ts = days(0, 100)
    return summary.section("SPX500_USD", ts, values(ts, seed=0), NAMES)


def window(seed: int, *, count: int = 6, scale: float = 1.0, section: reference.Section) -> compare.Distances:
    ts = days(210, count)
    return compare.distances(section, ts, values(ts, seed=seed, scale=scale), length=5)


def test_the_same_rows_are_the_same_bytes_and_120_inputs_take_less_than_300_kb(section: reference.Section) -> None:
    ts = days(0, 100)
    again = summary.section("SPX500_USD", ts, values(ts, seed=0), NAMES)
    kept = reference.encode(Reference((section,), (), ()))
    assert reference.encode(Reference((again,), (), ())) == kept
    assert msgspec.msgpack.decode(kept, type=Reference).inputs[0].edges.tobytes() == section.edges.tobytes()
    assert len(kept) / len(NAMES) * 125 < 300_000


def test_in_one_block_of_hours_the_distance_is_that_of_scipy() -> None:
    ts = MONDAY + np.arange(100) * MINUTE
    rng = np.random.default_rng(3)
    known, later = rng.integers(0, 18, (100, 1)).astype(np.float32), rng.integers(3, 20, (100, 1)).astype(np.float32)
    kept = summary.section("A", ts, known, ("x",))
    found = compare.distances(kept, ts, later, length=1)
    assert found.ks[0] == pytest.approx(stats.ks_2samp(known[:, 0], later[:, 0]).statistic, abs=2e-5)


def test_quiet_days_are_no_drift_and_the_intraday_shape_is_none(section: reference.Section) -> None:
    found = np.array([window(seed, section=section).p[:3] for seed in range(1, 21)])
    assert (found < 0.01).sum() <= 2
    assert np.median(found[:, 0]) > 0.2


def test_half_a_day_is_no_drift_though_its_hours_differ_from_the_days(section: reference.Section) -> None:
    """The night alone: a quarter of the day's volatility shape, which a day as a whole never shows."""
    ts = days(210, 6)
    night = (ts - MONDAY) // MINUTE % 1440 < 600
    day, _ = np.divmod((ts - MONDAY) // MINUTE, 1440)
    kept = night | (day < day[-1])
    found = compare.distances(section, ts[kept], values(ts, seed=5)[kept], length=1)
    assert found.p[1] > 0.05
    plain = stats.ks_2samp(values(ts, seed=5)[kept & (day == day[-1]), 1], values(days(0, 100), seed=0)[:, 1])
    assert plain.statistic > 0.3


def test_twice_as_wide_is_found_at_once_and_a_slow_level_is_not_mistaken_for_it(section: reference.Section) -> None:
    found = window(1, scale=2.0, section=section)
    assert found.p[0] < 1e-4
    assert found.p[1] < 1e-4
    assert found.p[2] > 0.01
    assert found.psi[0] > 0.25 > window(1, section=section).psi[0]


def test_a_new_value_of_a_constant_is_seen_on_either_side(section: reference.Section) -> None:
    ts = days(210, 6)
    for other in (6.0, 8.0):
        X = values(ts, seed=1)
        X[:, 3] = other
        assert compare.distances(section, ts, X, length=5).ks[3] == pytest.approx(1.0)
    assert window(1, section=section).ks[3] == 0.0


def test_what_one_side_does_not_know_has_no_distance(section: reference.Section) -> None:
    found = window(1, section=section)
    assert np.isnan([found.ks[4], found.p[4], found.psi[4]]).all()
    assert found.missing.tolist() == [0, 0, 0, 0, 1]
    assert np.isnan(compare.distances(section, np.empty(0, np.int64), np.empty((0, 5), np.float32), length=5).ks).all()


def test_rows_far_apart_in_long_histories_meet_every_minute_of_the_hour() -> None:
    assert [counting.stride(n) for n in (10, 100_000, 100_001, 700_001, 1_700_000)] == [1, 1, 7, 11, 17]
    assert set(np.flatnonzero(counting.met(np.arange(60 * 17) * MINUTE, 17)) % 60) == set(range(60))


def test_an_older_artifact_says_what_to_do(tmp_path: Path) -> None:
    older = artifact.write(tmp_path, toy.manifest(), {"model.onnx": toy.graph([1.0, 2.0])})
    with pytest.raises(ReferenceMissingError, match=r"keeps no reference\.msgpack.*`spx train"):
        reference.read(older)


def test_a_kept_reference_is_read_back_and_one_of_another_schema_is_refused(tmp_path: Path, section: reference.Section) -> None:
    kept = Reference((section,), (), ())
    files = {"model.onnx": toy.graph([1.0, 2.0]), reference.FILE: reference.encode(kept)}
    made = artifact.write(tmp_path, toy.manifest(), files)
    assert reference.FILE in made.manifest.files
    assert reference.read(made) == kept
    assert reference.read(made).of("inputs", "SPX500_USD") == section
    assert reference.read(made).of("target", "SPX500_USD") is None
    (made.folder / reference.FILE).write_bytes(reference.encode(msgspec.structs.replace(kept, schema=9)))
    with pytest.raises(ReferenceMissingError, match="schema 9"):
        reference.read(replace(made))
