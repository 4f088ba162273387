"""How answers came out, beside what the gate saw of the same version.

Belongs here: metrics of settled forecasts and the test that they are worse than at the gate; rows of `monitoring.performance`.
Does not: settling (`scoring.settlement`), walk-forward forecasts that nobody was given (`scoring.forecast_scores`).

An error is worse if it is above the gate's by more than the tolerance and not by chance: labels overlap and calm and wild days
come in clusters, so the test is one-sided with a variance that counts both (`training.hac`). Two errors are tested, squared for
the return head and log loss for the direction head, so that the smaller p-value counts twice.
"""

from collections.abc import Iterator, Sequence
from datetime import date
from typing import TYPE_CHECKING, Any

import numpy as np
import polars as pl

from spx_assets import calendar
from spx_assets.lake.measure_tables import PERFORMANCE
from spx_assets.lake.serving_tables import OUTCOMES, PREDICTIONS
from spx_assets.lake.windows import Chunk, Chunks
from spx_assets.monitoring import plots, served
from spx_assets.scoring import artifact
from spx_assets.scoring.errors import ArtifactMissingError
from spx_assets.scoring.manifest import Manifest
from spx_assets.settings.monitoring import PerformanceSettings
from spx_assets.training import hac

if TYPE_CHECKING:
    from spx_assets.lake.connection import Lake

SETTLED = """SELECT DISTINCT ON (p.instrument, p.ts, p.horizon_minutes, p.model_digest, p.prediction)
    p.instrument, p.ts, p.horizon_minutes, p.model_name, p.model_version, p.probability, p.expected_return_bp,
    p.interval_low_bp, p.interval_high_bp, o.realised_return_bp, o.hit, p.prediction
    FROM serving.predictions p JOIN serving.outcomes o USING (instrument, ts, horizon_minutes, model_digest, prediction)
    WHERE o.status = 'settled' AND NOT p.in_sample AND p.ts >= $start AND p.ts < $end"""
MINUTE_US = 60_000_000
SURE = 1e-15
AT_THE_GATE = {
    "rmse_gate_bp": "rmse_bp",
    "mae_gate_bp": "mae_bp",
    "log_loss_gate": "log_loss",
    "auc_gate": "auc",
    "coverage_gate": "coverage_interval",
}


def by_week(lake: "Lake", weeks: Sequence[date]) -> Chunks:
    """Performance of every version that answered, on every trading day on which one of its forecasts has an outcome."""
    return Chunks(_chunks(lake, weeks))


def _chunks(lake: "Lake", weeks: Sequence[date]) -> Iterator[Chunk]:
    snapshot, rules = lake.snapshot(), lake.settings.monitoring.performance
    rows = [row for week in weeks for row in _week(lake, rules, week)]
    frame = pl.DataFrame(rows, schema=PERFORMANCE.schema(), orient="row").sort(PERFORMANCE.key)
    told = plots.newest(frame, weeks, of=["model_name"], values=["rmse_bp", "log_loss", "hit_rate", "p_worse"])
    yield Chunk(tuple(weeks), frame, fingerprints=served.fingerprints(lake, weeks, snapshot=snapshot), told=told)


def _week(lake: "Lake", rules: PerformanceSettings, week: date) -> Iterator[dict[str, Any]]:
    if not (served.written(lake, PREDICTIONS) and served.written(lake, OUTCOMES)):
        return
    start, end = calendar.week_window(week)
    opens = calendar.day_window(calendar.shift_trading_days(calendar.trading_day(start), 1 - rules.window_days))[0]
    settled = lake.sql(SETTLED, {"start": opens, "end": end}).with_columns(
        trading_day=calendar.trading_day_expr(pl.col("ts").dt.cast_time_unit("us"))
    )
    for (name, version), rows in settled.group_by("model_name", "model_version", maintain_order=True):
        try:
            manifest = artifact.load(artifact.folder(lake.settings.artifacts, str(name), str(version))).manifest
        except ArtifactMissingError:
            manifest = None
        for day in rows.filter(pl.col("ts") >= start)["trading_day"].unique().sort():
            first = calendar.shift_trading_days(day, 1 - rules.window_days)
            own = rows.filter(pl.col("trading_day").is_between(first, day)).sort("ts", "instrument")
            yield {
                "trading_day": day,
                "ts": calendar.day_window(day)[0],
                "model_name": name,
                "version": version,
                "days": own["trading_day"].n_unique(),
                **judge(own, manifest, rules),
            }


def judge(rows: pl.DataFrame, manifest: Manifest | None, rules: PerformanceSettings) -> dict[str, Any]:
    """Columns of `monitoring.performance` from settled forecasts of one version; degraded only where chance does not explain it.

    `manifest` holds what the gate saw; without it nothing is compared.
    """
    y, f, p = (rows[name].to_numpy() for name in ("realised_return_bp", "expected_return_bp", "probability"))
    inside = (y >= rows["interval_low_bp"].to_numpy()) & (y <= rows["interval_high_bp"].to_numpy())
    told = rows["hit"].is_not_null().to_numpy()
    up = ((rows["prediction"] == "up") == rows["hit"]).fill_null(False).to_numpy()
    squared, missed = (y - f) ** 2, -np.log(np.clip(np.where(up, p, 1.0 - p), SURE, 1.0))
    horizon = int(rows["horizon_minutes"][0])
    found: dict[str, Any] = {
        "horizon_minutes": horizon,
        "settled": rows.height,
        "rmse_bp": float(np.sqrt(squared.mean())),
        "mae_bp": float(np.abs(y - f).mean()),
        "log_loss": float(missed[told].mean()) if told.any() else None,
        "auc": _auc(up[told], p[told]),
        "coverage_interval": float(inside.mean()),
        "hit_rate": rows["hit"].mean(),
    }
    gate = manifest.metrics if manifest else {}
    found |= {beside: gate.get(metric) for beside, metric in AT_THE_GATE.items()}
    if rows.height < rules.min_rows:
        return {**found, "degraded": False, "reason": f"{rows.height} settled forecasts, fewer than {rules.min_rows}"}
    ts = rows["ts"].dt.timestamp("us").to_numpy()
    tests = []
    if found["rmse_gate_bp"] is not None:
        tests.append(_p_worse(squared, ((1.0 + rules.worse) * found["rmse_gate_bp"]) ** 2, ts, horizon))
    if found["log_loss_gate"] is not None and told.sum() >= rules.min_rows:
        tests.append(_p_worse(missed[told], (1.0 + rules.worse) * found["log_loss_gate"], ts[told], horizon))
    if not tests:
        return {**found, "degraded": False, "reason": "the artifact does not tell what the gate saw of it"}
    worse = min(1.0, len(tests) * min(tests))
    return {**found, "p_worse": worse, "degraded": worse < rules.alpha, "reason": _reason(found, worse, rules)}


def _p_worse(losses: np.ndarray, allowed: float, ts: np.ndarray, horizon: int) -> float:
    """One-sided p-value of mean loss > allowed."""
    return hac.average(losses - allowed, ts=ts, label_end=ts + (horizon + 1) * MINUTE_US).p_greater


def _reason(found: dict[str, Any], worse: float, rules: PerformanceSettings) -> str:
    said = ", ".join(
        f"{name} {found[metric]:.4g} against {found[gate]:.4g} at the gate"
        for name, metric, gate in (("RMSE", "rmse_bp", "rmse_gate_bp"), ("log loss", "log_loss", "log_loss_gate"))
        if found[metric] is not None and found[gate] is not None
    )
    verdict = "worse by more than" if worse < rules.alpha else "not shown to be worse by more than"
    return f"{said}: {verdict} {rules.worse:.0%} (p = {worse:.2g})"


def _auc(up: np.ndarray, p: np.ndarray) -> float | None:
    """Area under the ROC curve; None where one direction never occurs."""
    ups, downs = int(up.sum()), int((~up).sum())
    if not ups or not downs:
        return None
    rank = pl.Series(p).rank("average").to_numpy()
    return float((rank[up].sum() - ups * (ups + 1) / 2) / (ups * downs))
