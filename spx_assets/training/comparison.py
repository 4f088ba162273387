"""Two versions on the same rows, for a person: out of time for both, later than what either was calibrated on.

Belongs here: those rows for any two versions of the same instruments and horizon, and both forecasts' metrics. Does not: the
gate's comparison with the champion (`rivalry`), verdicts. Feature sets and names may differ: a forecaster with news beside one
without is the same question on the same bars.
"""

from datetime import timedelta

import numpy as np
import polars as pl

from spx_assets.lake import Lake
from spx_assets.lake.tables import LABELS
from spx_assets.scoring import compatibility
from spx_assets.scoring.forecaster import Forecaster
from spx_assets.scoring.manifest import Manifest
from spx_assets.settings import Settings
from spx_assets.training import dataset, manual, rivalry, skill, uniqueness
from spx_assets.training.errors import NotComparableError
from spx_assets.training.evaluation import direction, returns


def compare(lake: Lake, settings: Settings, *, versions: tuple[str, str]) -> pl.DataFrame:
    """One row a version: `rows` they share since `since`, metrics beside baselines, `p_better` than the other.

    `p_better` is the one-sided Diebold-Mariano p-value on direction log loss. The rows end with the newer version's training
    window, at its lake snapshot; `log_loss_base` is the base rate of its fit segment. NotComparableError says why two
    versions have no such rows.
    """
    pair = [Forecaster.load(manual.folder(settings, version)) for version in versions]
    one, two = (f.manifest for f in pair)
    if (set(one.instruments), one.horizon_minutes) != (set(two.instruments), two.horizon_minutes):
        raise NotComparableError(f"{_says(one)}, {_says(two)}: there is no bar on which both are right or wrong")
    for manifest in (one, two):
        if objection := compatibility.objection(manifest, settings):
            raise NotComparableError(f"{manifest.version} cannot forecast the lake's rows: {objection}")
    newer = max(one, two, key=lambda m: (m.training_cutoff, m.version))
    since = max(m.segments["calibration"].end for m in (one, two)) + timedelta(minutes=newer.horizon_minutes)
    if since >= newer.training_cutoff:
        raise NotComparableError(f"no row up to {newer.training_cutoff:%Y-%m-%d %H:%M} is later than both calibrations")
    data = dataset.load(
        lake,
        settings,
        name=newer.name,
        week=newer.partition,
        snapshot=newer.lake_snapshot,
        since=since,
        features=rivalry.union(one, two),
    )
    rows = rivalry.shared(data, *pair)
    rows = rows[~np.isnan(data.up[rows])]
    if len(rows) < 2:
        raise NotComparableError(f"{versions[0]} and {versions[1]} can both forecast {len(rows)} rows since {since}")
    up, y, ts, label_end = data.up[rows], data.return_bp[rows], data.ts[rows], data.label_end[rows]
    forecasts = [f.at(data.select(f.manifest.features), rows) for f in pair]
    losses = [skill.log_losses(up, forecast.probability_up) for forecast in forecasts]
    same = rivalry.identical(*(forecast.probability_up for forecast in forecasts))
    base = skill.log_losses(up, np.full(len(up), _base_rate(lake, newer)))
    told = []
    for k, (manifest, forecast) in enumerate(zip((one, two), forecasts, strict=True)):
        better = skill.diebold_mariano(losses[k], losses[1 - k], ts=ts, label_end=label_end)
        told.append(
            {
                "version": manifest.version,
                "model_name": manifest.name,
                "family": manifest.family,
                "features": len(manifest.features),
                "since": since,
                "rows": len(rows),
                "effective_obs": uniqueness.effective(ts, label_end),
                "log_loss": float(losses[k].mean()),
                "log_loss_base": float(base.mean()),
                "p_better": 1.0 if same else better.p_greater,
                "auc": direction.auc(up, forecast.probability_up),
                "auc_base": 0.5,
                "rmse_bp": returns.rmse(y, forecast.return_bp),
                "rmse_zero_bp": returns.rmse(y, np.zeros(len(y))),
            }
        )
    return pl.DataFrame(told)


def _says(manifest: Manifest) -> str:
    return f"{manifest.version} forecasts {','.join(manifest.instruments)} over {manifest.horizon_minutes} minutes"


def _base_rate(lake: Lake, manifest: Manifest) -> float:
    """Share of up among the labels of the fit segment."""
    fit = manifest.segments["fit"]
    labels = lake.read(
        LABELS.name,
        start=fit.start,
        end=fit.end,
        columns=["horizon_minutes", "direction", "label_end"],
        instruments=manifest.instruments,
        snapshot=manifest.lake_snapshot,
    )
    labels = labels.filter(pl.col("horizon_minutes") == manifest.horizon_minutes, pl.col("label_end") <= fit.end)
    rate = labels["direction"].cast(pl.Float64).mean()
    return float(np.clip(0.5 if not isinstance(rate, float) else rate, 1e-6, 1.0 - 1e-6))
