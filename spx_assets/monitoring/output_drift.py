"""Drift of what models are taught and of what they say: realised returns, forecasts, answers, their inputs and what each counts.

Belongs here: rows of `monitoring.target_drift` and `monitoring.prediction_drift`. Does not: drift of the inputs of every bar
(`feature_drift`), how forecasts came out (`performance`).
"""

import json
from collections.abc import Iterator, Mapping, Sequence
from datetime import date, datetime, timedelta
from functools import partial
from typing import Any, NamedTuple

import numpy as np
import polars as pl

from spx_assets import calendar
from spx_assets.features import inputs as feature_rows
from spx_assets.lake.measure_tables import PREDICTION_DRIFT, TARGET_DRIFT
from spx_assets.lake.serving_tables import PREDICTIONS, VECTORS
from spx_assets.lake.tables import Table
from spx_assets.lake.windows import Chunk, Chunks, Window
from spx_assets.monitoring import compare, counting, occlusion, plots, served, verdicts
from spx_assets.monitoring.compare import Distances
from spx_assets.monitoring.reference import LONGEST, Section
from spx_assets.monitoring.served import Record, Served
from spx_assets.scoring import compatibility
from spx_assets.settings.monitoring import DriftSettings

FORECASTS = ("expected_return_bp", "probability_up")
FEWEST_ANSWERS = 50
"""Answers of the newest days below which nothing is said of them."""
EACH = 1
"""Answers are given when they are asked for, not every few minutes: each is looked at."""
ANSWERS = """SELECT DISTINCT ON (ts) ts, expected_return_bp, probability AS probability_up FROM serving.predictions
    WHERE instrument = $instrument AND model_version = $version AND features_source = 'online' AND ts >= $start AND ts < $end"""
ANSWERED_FROM = """SELECT DISTINCT ON (ts) v.ts, v.features FROM serving.vectors v
    JOIN serving.predictions p USING (instrument, ts, vector_digest)
    WHERE v.instrument = $instrument AND p.model_version = $version AND p.features_source = 'online'
    AND v.ts >= $start AND v.ts < $end"""
Row = dict[str, Any]


class Day(NamedTuple):
    """A trading day of an instrument, what one forecaster served at its end, and the six days up to it."""

    instrument: str
    day: date
    served: Served
    start: datetime
    end: datetime

    def known(self) -> Row:
        manifest = self.served.manifest
        return {
            "trading_day": self.day,
            "ts": calendar.day_window(self.day)[0],
            "instrument": self.instrument,
            "model_name": manifest.name,
            "version": manifest.version,
        }


def target(labels: Window) -> Chunks:
    """Realised returns of the newest days against those of the training window, per instrument and forecaster."""
    return Chunks(_chunks(labels, TARGET_DRIFT))


def predictions(forecasts: Window) -> Chunks:
    """Forecasts of every bar, answers and the inputs of answers against the training window."""
    return Chunks(_chunks(forecasts, PREDICTION_DRIFT))


def _chunks(window: Window, table: Table) -> Iterator[Chunk]:
    record, rules = Record(window.lake, window.snapshot), window.lake.settings.monitoring.drift
    measure = _target if table is TARGET_DRIFT else _predictions
    for weeks in window.chunks():
        rows = [row for week in weeks for day in _days(window, record, week) for row in measure(window, day, rules)]
        frame = pl.DataFrame(rows, schema=table.schema(), orient="row").sort(table.key)
        yield Chunk(
            weeks,
            frame,
            fingerprints=served.fingerprints(window.lake, weeks, snapshot=window.snapshot),
            told=_told(frame, table, weeks),
        )


def _told(frame: pl.DataFrame, table: Table, weeks: Sequence[date]) -> dict[date, Mapping[str, float]]:
    if table is TARGET_DRIFT:
        return plots.newest(frame, weeks, of=["model_name"], values=["statistic", "sd_bp"])
    # Which input lies farthest off changes from day to day; its line must not.
    quantity = pl.when(pl.col("share").is_null()).then("quantity").otherwise(pl.lit("farthest input"))
    named = frame.with_columns(quantity=quantity)
    return plots.newest(named, weeks, of=["model_name", "source", "quantity"], values=["statistic", "share"])


def _days(window: Window, record: Record, week: date) -> Iterator[Day]:
    start, end = calendar.week_window(week)
    bars = window.read(start, end, columns=["instrument", "trading_day", "ts"]).unique().sort("instrument", "ts")
    last = bars.group_by("instrument", "trading_day", maintain_order=True).agg(pl.col("ts").last())
    for instrument, day, ts in last.iter_rows():
        opens = calendar.day_window(calendar.shift_trading_days(day, -LONGEST))[0]
        for found in record.names(instrument, ts + calendar.ONE_MINUTE):
            yield Day(instrument, day, found, max(opens, window.start), min(ts + timedelta(minutes=1), end))


def _target(labels: Window, day: Day, rules: DriftSettings) -> Iterator[Row]:
    section = day.served.reference.of("target", day.instrument)
    horizon = day.served.manifest.horizon_minutes
    rows = labels.read(
        day.start, day.end, columns=["ts", "trading_day", "horizon_minutes", "return_bp"], instruments=[day.instrument]
    )
    rows = rows.filter(pl.col("horizon_minutes") == horizon)
    known = rows.filter(pl.col("return_bp").is_not_null(), pl.col("trading_day").is_in(_newest(rows, rules).implode()))
    if section is None or known.is_empty():
        return
    measured = _measured(section, rows, ["return_bp"], rules)
    for row in _rows(measured, section, rules):
        yield {
            **day.known(),
            **{name: value for name, value in row.items() if name != "quantity"},
            "horizon_minutes": horizon,
            "mean_bp": known["return_bp"].mean(),
            "sd_bp": known["return_bp"].std(ddof=0),
        }


def _predictions(forecasts: Window, day: Day, rules: DriftSettings) -> Iterator[Row]:
    section = day.served.reference.of("forecasts", day.instrument)
    manifest, lake = day.served.manifest, forecasts.lake
    if section is not None:
        columns = ["ts", "model_name", "family", *FORECASTS]
        made = forecasts.read(day.start, day.end, columns=columns, instruments=[day.instrument])
        own = made.filter(pl.col("model_name") == manifest.name, pl.col("family") == manifest.family)
        yield from _of("forecasts", day, section, own, FORECASTS, rules, fewest=1)
    asked = {"instrument": day.instrument, "version": manifest.version, "start": day.start, "end": day.end}
    if section is not None and served.written(lake, PREDICTIONS):
        yield from _of("predictions", day, section, lake.sql(ANSWERS, asked).sort("ts"), FORECASTS, rules, fewest=FEWEST_ANSWERS)
    inputs = day.served.reference.of("inputs", day.instrument)
    if inputs is not None and served.written(lake, VECTORS):
        vectors = lake.sql(ANSWERED_FROM, asked).sort("ts")
        values = [json.loads(text) for text in vectors["features"]]
        own = vectors.select("ts").with_columns(
            pl.Series(name, [row.get(name) for row in values], dtype=pl.Float64) for name in inputs.names
        )
        yield from _vectors(day, inputs, own, rules)
    owed = day.served.reference.of("attributions", day.instrument)
    if inputs is not None and owed is not None:
        yield from _attributions(forecasts, day, inputs, owed, rules)


def _of(
    source: str, day: Day, section: Section, rows: pl.DataFrame, names: Sequence[str], rules: DriftSettings, *, fewest: int
) -> Iterator[Row]:
    if rows.height < fewest:
        return
    every = EACH if source == "predictions" else None
    for row in _rows(_measured(section, rows, names, rules, every=every), section, rules):
        yield {**day.known(), "source": source, **row, "share": None}


def _vectors(day: Day, section: Section, rows: pl.DataFrame, rules: DriftSettings) -> Iterator[Row]:
    """One row: the input that lies farthest off, and the share of all that drifted."""
    if rows.height < FEWEST_ANSWERS:
        return
    found = _measured(section, rows, section.names, rules, every=EACH)
    verdict = verdicts.judge(found, section.names, rules)
    told = sorted(_rows(found, section, rules), key=lambda row: (-row["statistic"], row["quantity"]))
    if told:
        yield {**day.known(), "source": "vectors", **told[0], "drifted": verdict.day_drifted, "share": verdict.share}


def _attributions(forecasts: Window, day: Day, inputs: Section, owed: Section, rules: DriftSettings) -> Iterator[Row]:
    """One row: the input whose share in the forecasts lies farthest off, and how many of those followed drifted."""
    lake, manifest = forecasts.lake, day.served.manifest
    if compatibility.objection(manifest, lake.settings) is not None:
        return
    read = partial(lake.read, start=day.start, end=day.end, instruments=[day.instrument], snapshot=forecasts.snapshot)
    bars = feature_rows.read(lambda table, columns: read(table, columns=columns), manifest.features, key=("instrument", "ts"))
    bars = bars.filter(pl.Series(counting.met(bars["ts"].dt.timestamp("us").to_numpy(), occlusion.EVERY)))
    X = bars.select(manifest.features).to_numpy().astype(np.float32, copy=False)
    able = day.served.forecaster.forecastable(X, np.ones(len(X), dtype=np.int64))
    if able.sum() < occlusion.FEWEST_ROWS:
        return
    shares = occlusion.shares(day.served.forecaster, X[able], occlusion.centres(inputs))
    followed = [inputs.names.index(name) for name in owed.names]
    ts = bars["ts"].dt.timestamp("us").to_numpy()[able]
    found = compare.distances(owed, ts, shares[:, followed], length=rules.window_days)
    verdict = verdicts.judge(found, owed.names, rules)
    told = sorted(_rows(found, owed, rules), key=lambda row: (-row["statistic"], row["quantity"]))
    if told:
        drifted = verdict.share > rules.share
        yield {**day.known(), "source": "attributions", **told[0], "drifted": drifted, "share": verdict.share}


def _newest(rows: pl.DataFrame, rules: DriftSettings) -> pl.Series:
    return rows["trading_day"].unique().sort().tail(rules.window_days)


def _measured(
    section: Section, rows: pl.DataFrame, names: Sequence[str], rules: DriftSettings, *, every: int | None = None
) -> Distances:
    X = rows.select(names).cast(pl.Float32).fill_null(float("nan")).to_numpy()
    return compare.distances(section, rows["ts"].dt.timestamp("us").to_numpy(), X, length=rules.window_days, every=every)


def _rows(found: Distances, section: Section, rules: DriftSettings) -> Iterator[Row]:
    """One row for each quantity that both sides know."""
    for k, name in enumerate(section.names):
        if np.isnan(found.ks[k]):
            continue
        p = None if np.isnan(found.p[k]) else float(found.p[k])
        yield {
            "quantity": name,
            "rows": found.rows,
            "statistic": float(found.ks[k]),
            "psi": float(found.psi[k]),
            "p": p,
            "drifted": p is not None and p < rules.alpha,
        }
