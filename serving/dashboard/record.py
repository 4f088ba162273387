"""The panel of outcomes: what was forecast, what came of it, how often it was right.

Belongs here: each forecast once however often it was answered, running rates. Does not: settling (`scoring.settlement`), the
answers themselves (`serving.ledger`).

Rates are of everything that was settled in the days shown, not of the rows of the table; running ones of the last `WINDOW`.
"""

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

import polars as pl

from serving.dashboard.contracts import Record, Settled
from serving.ledger import ids
from serving.problems import LakeUnavailable
from serving.vectors import READ_ERRORS
from spx_assets.lake import Lake
from spx_assets.lake.serving_tables import OUTCOMES, PREDICTIONS
from spx_assets.settings import Settings

DAYS, SHOWN, WINDOW, POINTS = 30, 50, 100, 400
_KEY = "instrument, ts, horizon_minutes, model_digest, prediction"
_FORECASTS = f"""WITH
    given AS (SELECT {_KEY}, any_value(model_version) AS model_version, any_value(confidence) AS confidence,
        any_value(signal) AS signal, any_value(expected_return_bp) AS expected_return_bp, any_value(interval_low_bp) AS low_bp,
        any_value(interval_high_bp) AS high_bp, any_value(interval_level) AS level
    FROM serving.predictions
    WHERE id >= $first AND ts >= $start AND instrument = $instrument AND horizon_minutes = $horizon
      AND features_source = 'online' AND NOT in_sample AND alias NOT IN ('version', 'walk_forward')
    GROUP BY ALL)
"""  # noqa: S608 - a constant list of columns
_JOINED = (
    "SELECT given.*, o.status, o.realised_return_bp, o.hit FROM given LEFT JOIN serving.outcomes o "
    "USING (instrument, ts, horizon_minutes, model_digest, prediction) ORDER BY ts"
)
_ALONE = "SELECT *, NULL::VARCHAR AS status, NULL::DOUBLE AS realised_return_bp, NULL::BOOLEAN AS hit FROM given ORDER BY ts"


def of(settings: Settings, instrument: str, horizon: int, *, clock: datetime) -> Record:
    """Forecasts of the 30 days before the feed's clock."""
    try:
        lake = Lake.open(settings, read_only=True)
        found = _read(lake, instrument, horizon, clock - timedelta(days=DAYS))
    except READ_ERRORS as error:
        raise LakeUnavailable(error) from error
    return told(found)


def told(found: pl.DataFrame) -> Record:
    """Rows in the order of their bars as the panel shows them."""
    inside = pl.col("realised_return_bp").is_between("low_bp", "high_bp")
    found = found.with_columns(covered=inside)
    settled = found.filter(pl.col("status") == "settled")
    hits, covers = settled["hit"].cast(pl.Float64), settled["covered"].cast(pl.Float64)
    running = settled.select(
        ts=pl.col("ts").dt.epoch("ms"),
        hit=pl.col("hit").cast(pl.Float64).rolling_mean(WINDOW, min_samples=1),
        covered=pl.col("covered").cast(pl.Float64).rolling_mean(WINDOW, min_samples=1),
    )
    running = running.gather_every(max(1, -(-running.height // POINTS)))
    return Record(
        days=DAYS,
        forecasts=[_row(row) for row in found.tail(SHOWN).reverse().iter_rows(named=True)],
        answered=found.height,
        settled=settled.height,
        hit_rate=_mean(hits),
        coverage=_mean(covers),
        level=found["level"][-1] if found.height else None,
        window=WINDOW,
        running_ts=running["ts"].to_list(),
        running_hit_rate=running["hit"].to_list(),
        running_coverage=running["covered"].to_list(),
    )


def _read(lake: Lake, instrument: str, horizon: int, start: datetime) -> pl.DataFrame:
    snapshot = lake.snapshot()
    if not lake.listing(PREDICTIONS, snapshot).exists:
        return pl.DataFrame(schema=EMPTY)
    rest = _JOINED if lake.listing(OUTCOMES, snapshot).exists else _ALONE
    asked = {"instrument": instrument, "horizon": horizon, "start": start, "first": ids.earliest(start)}
    return lake.sql(_FORECASTS + rest, asked)


EMPTY = pl.Schema(
    {name: PREDICTIONS.schema()[name] for name in ("ts", "prediction", "model_version", "confidence", "signal")}
    | {name: pl.Float64() for name in ("expected_return_bp", "low_bp", "high_bp", "level", "realised_return_bp")}
    | {"status": pl.String(), "hit": pl.Boolean()}
)


def _row(row: Mapping[str, Any]) -> Settled:
    fields = {name: row[name] for name in Settled.__struct_fields__ if name != "ts"}
    return Settled(ts=int(row["ts"].timestamp() * 1000), **fields)


def _mean(values: pl.Series) -> float | None:
    return float(found) if isinstance(found := values.mean(), float) else None
