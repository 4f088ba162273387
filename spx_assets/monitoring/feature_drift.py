"""Drift of the model inputs: the newest trading days against the training window of the model that is served.

Belongs here: which rows are set against which version's reference, and the rows of `monitoring.feature_drift` and
`monitoring.drift_reports`. Does not: distances (`compare`), thresholds (`verdicts`).

An input has one row a day. Forecasters of one scope learn from the same bars, so it is measured against the first of the
settings' forecasters that knows the instrument and serves something.
"""

from collections.abc import Iterator, Mapping
from datetime import date, datetime, timedelta
from typing import Any

import numpy as np
import polars as pl

from spx_assets import calendar
from spx_assets.features import inputs
from spx_assets.lake.measure_tables import DRIFT_REPORTS
from spx_assets.lake.monitoring_tables import FEATURE_DRIFT
from spx_assets.lake.windows import Chunk, Chunks, Window
from spx_assets.monitoring import compare, plots, served, verdicts
from spx_assets.monitoring.reference import LONGEST
from spx_assets.monitoring.served import Record, Served
from spx_assets.monitoring.verdicts import Verdict
from spx_assets.settings.monitoring import DriftSettings

ONE_WEEK = timedelta(days=7)
KEY = ("instrument", "ts", "trading_day")


def drift(features: Window, signals: Window | None = None) -> Chunks:
    """Drift of every trading day with bars in the weeks of `features` (gold/market_features) and `signals` (gold/news_signals).

    A day before the first verdict of the gate has no row.
    """
    return Chunks(_chunks({window.table.name: window for window in (features, signals) if window is not None}))


def _chunks(windows: Mapping[str, Window]) -> Iterator[Chunk]:
    first = next(iter(windows.values()))
    record = Record(first.lake, first.snapshot)
    rules = first.lake.settings.monitoring.drift
    for weeks in first.chunks():
        frames, reports = [FEATURE_DRIFT.empty()], list[dict[str, Any]]()
        for week in weeks:
            made = list(_week(windows, record, rules, week))
            frames += [frame for frame, _ in made]
            reports += [report for _, report in made]
        days = pl.DataFrame(reports, schema=DRIFT_REPORTS.schema()).sort(DRIFT_REPORTS.key)
        yield Chunk(
            weeks,
            pl.concat(frames).sort(FEATURE_DRIFT.key),
            beside={DRIFT_REPORTS.name: days},
            fingerprints=served.fingerprints(first.lake, weeks, snapshot=first.snapshot),
            told=plots.newest(days, weeks, of=["instrument"], values=["share", "drifted_features", "worst_statistic"]),
        )


def _week(
    windows: Mapping[str, Window], record: Record, rules: DriftSettings, week: date
) -> Iterator[tuple[pl.DataFrame, dict[str, Any]]]:
    """(rows of the inputs, row of the report) of each instrument and day of a week."""
    start, end = calendar.week_window(week)
    market = windows[inputs.MARKET]
    for (instrument,), bars in market.read(start, end, columns=KEY).group_by("instrument", maintain_order=True):
        days = bars.group_by("trading_day", maintain_order=True).agg(pl.col("ts").last()).iter_rows()
        rows: dict[str, tuple[pl.DataFrame, np.ndarray]] = {}
        for day, last in days:
            as_of = last + calendar.ONE_MINUTE
            chosen = next(iter(record.names(str(instrument), as_of)), None)
            if chosen is None or chosen.reference.of("inputs", str(instrument)) is None:
                continue
            version = chosen.manifest.version
            if version not in rows:
                rows[version] = _read(windows, chosen, str(instrument), max(start - ONE_WEEK, market.start), end)
            yield _day(*rows[version], chosen, rules, instrument=str(instrument), day=day, as_of=as_of)


def _read(
    windows: Mapping[str, Window], chosen: Served, instrument: str, start: datetime, end: datetime
) -> tuple[pl.DataFrame, np.ndarray]:
    """Keys and inputs of the bars from the week before on, in the order of the version's inputs."""
    names = chosen.manifest.features
    frame = inputs.read(
        lambda table, columns: windows[table].read(start, end, columns=columns, instruments=[instrument]), names, key=KEY
    )
    return frame.select(KEY), frame.select(names).to_numpy().astype(np.float32, copy=False)


def _day(
    keys: pl.DataFrame, X: np.ndarray, chosen: Served, rules: DriftSettings, *, instrument: str, day: date, as_of: datetime
) -> tuple[pl.DataFrame, dict[str, Any]]:
    manifest, section = chosen.manifest, chosen.reference.of("inputs", instrument)
    assert section is not None
    days = keys["trading_day"].unique().sort()
    window = days.filter(days <= day).tail(LONGEST + 1)
    rows = np.flatnonzero(keys["trading_day"].is_in(window.implode()).to_numpy())
    ts = keys["ts"].dt.timestamp("us").to_numpy()[rows]
    found = compare.distances(section, ts, X[rows], length=rules.window_days, key=rules.key_features)
    verdict = verdicts.judge(found, section.names, rules)
    known = {"trading_day": day, "ts": calendar.day_window(day)[0], "instrument": instrument}
    model = {"model_name": manifest.name, "version": manifest.version}
    measured = pl.DataFrame(
        {
            "feature": section.names,
            "statistic": found.ks,
            "p_adjusted": verdict.p_adjusted,
            "drifted": verdict.drifted,
            "change": found.change,
            "psi": found.psi,
            "p": found.p,
            "missing_share": found.missing,
        }
    ).fill_nan(None)
    frame = measured.filter(pl.col("statistic").is_not_null()).with_columns(
        pl.lit(value, FEATURE_DRIFT.schema()[name]).alias(name) for name, value in {**known, **model}.items()
    )
    worst = frame.sort("statistic", "feature", descending=[True, False]).head(1).select("feature", "statistic").rows()
    farthest = dict(zip(("worst_feature", "worst_statistic"), worst[0], strict=True)) if worst else {}
    report = _report({**known, **model, **farthest, "as_of": as_of, "rows": found.rows}, verdict)
    return frame.select(FEATURE_DRIFT.schema().keys()), report


def _report(known: dict[str, Any], verdict: Verdict) -> dict[str, Any]:
    return {
        **known,
        "features": verdict.features,
        "drifted_features": int(verdict.drifted.sum()),
        "share": verdict.share,
        "drifted": verdict.day_drifted,
        "reason": verdict.reason,
    }
