"""Drift of a day: statistics of 120 inputs over 30 days of bars against a year, verdict included.

Belongs here: rows of a market's shape and the measuring. Does not: reading them, the other daily assets.
"""

import time

import numpy as np

from spx_assets.monitoring import compare, summary, verdicts
from spx_assets.settings.monitoring import DriftSettings
from spx_assets_tests.benchmarks.line import Line

INPUTS, MINUTES, DAYS, KNOWN_DAYS = 120, 1_440, 30, 250
DAY = 86_400_000_000
NAMES = ("hist_vol_50", "spread_pct", *(f"input_{k}" for k in range(INPUTS - 2)))


def run() -> list[Line]:
    began = time.process_time()
    section = summary.section("SPX500_USD", *rows(KNOWN_DAYS, seed=0), NAMES)
    known = time.process_time() - began
    ts, X = rows(DAYS, seed=1)
    rules = DriftSettings()
    began = time.process_time()
    found = compare.distances(section, ts, X, length=rules.window_days, every=1, key=rules.key_features)
    verdicts.judge(found, NAMES, rules)
    return [
        Line(f"drift of {INPUTS} inputs x {len(ts):,} rows", time.process_time() - began, 2.0, "CPU s"),
        Line(f"reference of {INPUTS} inputs x {KNOWN_DAYS} days", known, None, "CPU s"),
    ]


def rows(days: int, *, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """Stamps of every minute, and positive inputs whose level moves from day to day."""
    rng = np.random.default_rng(seed)
    level = 0.15 * rng.standard_normal((days, INPUTS)).cumsum(axis=0) * 0.3
    ts = np.arange(days * MINUTES, dtype=np.int64) * (DAY // MINUTES)
    X = np.exp(np.repeat(level, MINUTES, axis=0) + 0.2 * rng.standard_normal((len(ts), INPUTS)))
    return ts, X.astype(np.float32)
