"""Walk-forward of a model that looks at several bars: the rows that training would take, and no others."""

from datetime import UTC, date, datetime, timedelta
from typing import Any

import numpy as np
import polars as pl
import pytest

from spx_assets import calendar
from spx_assets.features import catalog
from spx_assets.lake import Chunk, Lake, Window, tables
from spx_assets.scoring import walk_forward
from spx_assets.settings import Settings
from spx_assets.training import dataset
from spx_assets_tests.unit.scoring import toy

WEEK = date(2025, 9, 7)
OPEN = calendar.week_window(WEEK)[0]
FEATURES = ("return_1", "return_5")
L = 3
MINUTES = [
    *range(10),  # the first bars of Monday's trading day
    *(14, 15, 21, 22, 23),  # a gap of 5 minutes is within the tolerance, one of 6 is not
    *(1437, 1438, 1439, 1440, 1441, 1442),  # over the end of the trading day without a gap
    *(2880, 2881, 2882, 2883, 2884),  # a required input is null in the second
]
NULL = 2881
FULL = {*range(2, 10), 14, 15, 23, 1439, 1442, 2884}
"""Minutes whose sequence of 3 is full and known: none reaches over a gap, the end of a day or the null."""


def features() -> pl.DataFrame:
    schema = tables.market_features().schema()
    rows = [
        {
            "instrument": name,
            "ts": OPEN + timedelta(minutes=m),
            "return_1": float(k),
            "return_5": None if m == NULL else 1.0 / (1 + k),
        }
        for name in ("EUR_USD", "SPX500_USD")
        for k, m in enumerate(MINUTES)
    ]
    frame = pl.DataFrame(rows, schema_overrides={name: kind for name, kind in schema.items() if name in rows[0]})
    day = frame.with_columns(trading_day=calendar.trading_day_expr(pl.col("ts")))
    missing = [pl.lit(None, kind).alias(name) for name, kind in schema.items() if name not in day.columns]
    return day.with_columns(missing).select(list(schema))


@pytest.fixture
def made(settings: Settings) -> pl.DataFrame:
    """Forecasts of the week by a model of three bars of either instrument."""
    described = toy.manifest(
        FEATURES,
        version="v1",
        input_rows=L,
        required=FEATURES,
        instruments=("EUR_USD", "SPX500_USD"),
        training_cutoff=OPEN - timedelta(days=1),
        feature_set_hash=catalog.feature_set_hash(FEATURES),
    )
    written = toy.write(settings.artifacts, described, (1.0, 8.0)).manifest
    lake = Lake.open(settings)
    chunk = Chunk((WEEK,), features())
    lake.replace(
        "gold.market_features",
        chunk,
        asset="gold/market_features",
        run_id="run",
        read_snapshot=lake.snapshot(),
        inputs_hashes={WEEK: "inputs"},
    )
    lake.append("models.versions", pl.DataFrame([row(written)], schema=tables.VERSIONS.schema()))
    start, end = calendar.week_window(WEEK)
    window = Window(lake, tables.market_features(), start, end, (WEEK,), lake.snapshot())
    return pl.concat(chunk.frame for chunk in walk_forward.forecasts(window))


def row(described: Any) -> dict[str, Any]:
    known = {
        "model_name": described.name,
        "family": described.family,
        "week": calendar.week_of(described.training_cutoff),
        "ts": calendar.week_window(calendar.week_of(described.training_cutoff))[0],
        "version": described.version,
        "created_at": datetime(2025, 10, 1, tzinfo=UTC),
        "horizon_minutes": 30,
        "training_start": described.training_start,
        "training_cutoff": described.training_cutoff,
        "calibration_end": described.training_cutoff - timedelta(days=9),
        "digest": described.digest,
    }
    blank = {"VARCHAR": "", "BIGINT": 0, "INTEGER": 0}
    return {c.name: known.get(c.name, None if c.nullable else blank.get(c.type)) for c in tables.VERSIONS.columns}


def test_a_bar_is_forecast_if_its_sequence_is_full_and_known_as_in_training(made: pl.DataFrame) -> None:
    for instrument in ("EUR_USD", "SPX500_USD"):
        ts = made.filter(pl.col("instrument") == instrument)["ts"]
        assert {int((at - OPEN) / timedelta(minutes=1)) for at in ts} == FULL

    data = dataset.of(
        features(),
        pl.DataFrame(schema=tables.table("gold.labels").schema()),
        features_in_order=FEATURES,
        horizon_minutes=30,
        instruments=("EUR_USD", "SPX500_USD"),
        snapshot=0,
        tolerance_min=5,
    )
    learned = {m for m, run in zip(MINUTES * 2, data.run, strict=True) if run >= L}
    assert learned == FULL | {NULL + 1, NULL + 2}  # a null teaches, as 0 deviations; a forecast needs the input


def test_a_forecast_is_that_of_the_last_three_bars(made: pl.DataFrame) -> None:
    own = made.filter(pl.col("instrument") == "SPX500_USD")
    for at, expected in own.select("ts", "expected_return_bp").iter_rows():
        k = MINUTES.index(int((at - OPEN) / timedelta(minutes=1)))
        bars = [np.float32(j) + 8 * np.float32(1 / (1 + j)) for j in (k - 2, k - 1, k)]
        assert expected == pytest.approx(bars[0] + 2 * bars[1] + 3 * bars[2], rel=1e-5)
