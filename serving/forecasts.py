"""What an answer says: from a model and a vector to the fields of a forecast.

Belongs here: one call of the graph a model and bar, the fields of an answer. Does not: which model, whether the vector is young
enough (`service`, `freshness`), ONNX and calibration (`spx_assets.scoring`).
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cached_property
from math import isnan
from time import perf_counter

import numpy as np

from serving.contracts import Interval, Prediction, Reason, Source
from serving.ledger import ids
from serving.problems import BadArtifact, WarmingUp
from serving.served import ServedModel
from serving.vectors import Vector
from spx_assets import calendar
from spx_assets.calendar import ONE_MINUTE
from spx_assets.scoring import compatibility, levels
from spx_assets.scoring.forecaster import Forecast
from spx_assets.scoring.levels import Levels
from spx_assets.scoring.sequences import F32, I64


@dataclass(frozen=True, eq=False)
class Made:
    """One forecast and what it was made from. The same object as long as neither model nor bar changes."""

    model: ServedModel
    instrument: str
    ts: datetime
    """Start of the bar; of a caller's features the time asked for."""
    close: float | None
    """Its mid close; of a caller's features it is not known."""
    X: F32
    """[k, f]: the rows in the order of the manifest, the bar's own last; a model looks at the last `input_rows` of them."""
    forecast: Forecast
    source: Source = "online"
    stamps: I64 | None = None
    """When the bars of the rows begin, in microseconds since 1970; of a caller's features it is not known."""

    @cached_property
    def crosses_close(self) -> bool:
        """Whether the horizon ends after the trading day. The calendar takes 10 us to say so."""
        life_end = self.ts + timedelta(minutes=self.model.manifest.horizon_minutes + 1)
        return life_end > calendar.day_window(calendar.trading_day(self.ts))[1]


class Forecasts:
    """The newest forecast of each model and instrument: further requests get the same numbers from memory."""

    def __init__(self) -> None:
        self._kept: dict[tuple[str, str], tuple[Vector, Levels, Made]] = {}
        """One a forecaster and instrument: a model that no longer answers, and its bars, are let go."""

    def of(self, model: ServedModel, vector: Vector, known: Levels) -> Made:
        """The model's forecast of the vector's bar; `WarmingUp` where a batch forecast would leave the bar out.

        `known` are the levels of intervals; with others the interval is made again.
        """
        key = model.manifest.name, vector.instrument
        kept = self._kept.get(key)
        if kept and kept[0] is vector and kept[1] is known and kept[2].model is model:
            return kept[2]
        made = make(model, vector, asked=levels.at(known, model.manifest.version, vector.instrument, vector.ts))
        self._kept[key] = (vector, known, made)
        return made


def make(model: ServedModel, vector: Vector, source: Source = "online", *, asked: float | None = None) -> Made:
    """One call of the graph; `WarmingUp` by the same rule as in training and in batch forecasts.

    `asked` is the level at which the interval is picked, by default the one that it promises.
    """
    manifest = model.manifest
    # A market that is bound anew is known of its vectors a moment before the models are looked at.
    of = {vector.instrument: vector.binding} if vector.binding else {}
    if objection := compatibility.rebound(manifest.version, manifest.feeds, of):
        raise BadArtifact(objection)
    X = vector.recent[:, model.columns]
    run = vector.run(tolerance_min=manifest.tolerance_min)
    if not model.forecaster.forecastable(X, run)[-1]:
        raise _warming_up(model, vector, X, int(run[-1]))
    forecast = model.forecaster.at(X, np.array([len(X) - 1]), asked=asked)
    if not forecast.finite[0]:
        raise BadArtifact(f"{manifest.name} {manifest.version} gives no finite forecast of {vector.instrument} now")
    return Made(model, vector.instrument, vector.ts, vector.close, X, forecast, source, vector.stamps)


def answer(
    made: Made,
    *,
    id_: int,
    age_s: float | None,
    threshold: float,
    started: float,
    features: dict[str, float | None] | None = None,
    reasons: list[Reason] | None = None,
) -> Prediction:
    """The fields of a forecast. `threshold` is the confidence from which it signals; `started` by `perf_counter`."""
    model, manifest, forecast = made.model, made.model.manifest, made.forecast
    up = float(forecast.probability_up[0])
    confidence = max(up, 1.0 - up)
    expected = float(forecast.return_bp[0])
    signals = model.passed and not made.crosses_close and confidence >= threshold
    return Prediction(
        id=ids.text(id_),
        instrument=made.instrument,
        timestamp=made.ts,
        horizon_minutes=manifest.horizon_minutes,
        prediction="up" if up >= 0.5 else "down",
        probability=up,
        confidence=confidence,
        signal_strength=2.0 * confidence - 1.0,
        signal="hold" if not signals else "buy" if up >= 0.5 else "sell",
        gate=model.gate,
        return_head=model.return_head,
        expected_return_bp=expected,
        predicted_price=None if made.close is None else made.close * (1.0 + expected / 1e4),
        interval_bp=Interval(float(forecast.interval_low_bp[0]), float(forecast.interval_high_bp[0]), manifest.interval_level),
        horizon_crosses_close=made.crosses_close,
        features_used=len(manifest.features),
        features_source=made.source,
        feature_age_s=age_s,
        in_sample=made.ts + ONE_MINUTE < manifest.training_cutoff,
        model_name=manifest.name,
        model_version=manifest.version,
        model_digest=manifest.digest,
        alias=model.alias,
        skill=model.skill,
        latency_ms=round((perf_counter() - started) * 1e3, 3),
        features=features,
        reasons=reasons,
    )


def inputs(made: Made) -> dict[str, float | None]:
    """The bar's inputs by name."""
    names = made.model.manifest.features
    return {name: None if isnan(value) else value for name, value in zip(names, made.X[-1].tolist(), strict=True)}


def _warming_up(model: ServedModel, vector: Vector, X: F32, run: int) -> WarmingUp:
    """Why the bar of `vector` cannot be forecast: its sequence is not full, or an input is not known in all of it."""
    described, bar = model.manifest, f"{vector.instrument} at {vector.ts:%Y-%m-%dT%H:%MZ}"
    if run < described.input_rows:
        return WarmingUp(
            f"{bar} is bar {run} in a row of its trading day, {described.name} looks at {described.input_rows} with no gap above "
            f"{described.tolerance_min} minutes; it answers once they have traded"
        )
    missing = model.forecaster.unknown(X[-described.input_rows :])
    return WarmingUp(
        f"{bar} lacks {len(missing)} inputs that {described.name} needs; they are known once the instrument has enough bars",
        missing=missing,
    )
