"""What the routes call: the state of the service and the forecast it gives.

Belongs here: the order of checks before a forecast, the fields of an answer, the background refresh. Does not: routes,
reading files or the lake (`model_store`, `vectors`).
"""

import asyncio
import logging
import uuid
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from time import perf_counter
from typing import TypeVar

import numpy as np

from serving.contracts import Health, Interval, ModelInfo, Prediction, PredictRequest
from serving.model_store import ModelStore, ServedModel
from serving.problems import LakeUnavailable, MarketClosed, ModelRefused, StaleFeatures, StaleNews, WarmingUp
from serving.vectors import Vector, VectorStore
from spx_assets import calendar
from spx_assets.scoring.forecaster import Forecast
from spx_assets.scoring.sequences import F32
from spx_assets.settings import Settings

T = TypeVar("T")
LOG = logging.getLogger(__name__)
FAILURES = 3
"""From as many failed looks at the models and the lake in a row, answers would pretend to be fresh: there are none."""
LONGEST_PAUSE_S = 30.0


def wall_clock() -> datetime:
    return datetime.now(UTC)


class Service:
    """Answers requests from memory; one background thread keeps models and vectors new."""

    def __init__(self, settings: Settings, *, now: Callable[[], datetime] = wall_clock) -> None:
        self.settings, self.now = settings, now
        self.models = ModelStore(settings)
        self.vectors = VectorStore(settings, now)
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="refresh")
        self._following: asyncio.Task[None] | None = None
        self._defect: str | None = None
        """Why the last look failed in a way nobody foresaw; None while looks succeed."""
        self._defects = 0
        self._forecasts: dict[str, tuple[Vector, Forecast]] = {}

    async def start(self) -> None:
        """Loads what there is before the first request is taken, then follows changes."""
        await asyncio.get_running_loop().run_in_executor(self._thread, self._look)
        self._following = asyncio.create_task(self._follow(), name="refresh")

    async def stop(self) -> None:
        if self._following:
            self._following.cancel()
        self._thread.shutdown(wait=True, cancel_futures=True)

    async def in_background(self, work: Callable[[], T]) -> T:
        """What `work` gives on the one thread that may read the lake."""
        return await asyncio.get_running_loop().run_in_executor(self._thread, work)

    def _look(self) -> None:
        """Vectors are made between loading and swapping: a model that looks at more bars answers from its first request on."""
        found = self.models.look()
        self.vectors.refresh(self.models.input_rows(found))
        self.models.swap(found)

    async def _follow(self) -> None:
        """Looks again and again, whatever becomes of one look; after an unforeseen failure in growing pauses."""
        while True:
            await asyncio.sleep(self._pause_s())
            look = asyncio.get_running_loop().run_in_executor(self._thread, self._look)
            await asyncio.wait([look])
            self._note(look.exception())

    def _pause_s(self) -> float:
        pause = self.settings.serving.poll_s
        return pause if not self._defects else max(pause, min(pause * 2.0 ** min(self._defects, 16), LONGEST_PAUSE_S))

    def _note(self, error: BaseException | None) -> None:
        if error is None:
            if self._defects:
                LOG.info("models and features are refreshed again after %d failures", self._defects)
            self._defect, self._defects = None, 0
            return
        self._defects += 1
        self._defect = f"{type(error).__name__}: {error}"
        LOG.error("looking for new models and features failed, %d in a row", self._defects, exc_info=error)

    def predict(self, request: PredictRequest) -> Prediction:
        """A forecast from the last bar, or the `Problem` that stands against it."""
        started = perf_counter()
        model = self.models.choose(
            request.instrument, horizon=request.horizon_minutes, name=request.model_name, known=set(self.vectors.live)
        )
        if not model.passed and self.settings.models.no_edge == "refuse":
            raise ModelRefused(
                f"{model.manifest.name} {model.manifest.version} is {model.gate} and SPX_MODELS__NO_EDGE=refuse; "
                "train a better model or set SPX_MODELS__NO_EDGE=flag"
            )
        vector = self._vector(request.instrument)
        age_s = self._age_s(vector)
        if model.news and (stale := self.vectors.stale_news(vector)):
            raise StaleNews(stale)
        return self._answer(model, vector, age_s, started)

    def _vector(self, instrument: str) -> Vector:
        """The newest vector while the market is open; a standing feed never closes."""
        live = self.vectors.live.get(instrument)
        if live:
            self._refuse_closed(instrument)
        vector = self.vectors.vectors.get(instrument)
        if self._defects >= FAILURES:
            raise StaleFeatures(
                f"models and features could not be refreshed {self._defects} times in a row, so whether {instrument} has a newer "
                "bar is not known; /health has the reason, the log of the service the traceback"
            )
        if self.vectors.unreadable and (vector is None or self.vectors.failures >= FAILURES):
            raise LakeUnavailable(self.vectors.unreadable)
        if vector:
            return vector
        if instrument in self.vectors.failed:
            raise WarmingUp(self.vectors.failed[instrument])
        bound = f"{instrument} has no bars in the lake yet; run `spx backfill gold/market_features`"
        raise WarmingUp(bound if live is not None else f"{instrument} has no feed; import candles with `spx import candles`")

    def _refuse_closed(self, instrument: str) -> None:
        """Weekends and the holidays of the settings. The calendar knows no daily break of an instrument (indices pause from
        16:15 or 17:00 New York): in one, a live feed answers `stale_features` once its last bar is too old.
        """
        now = self.now()
        opens = _next_session(now, set(self.settings.calendar.holidays))
        if opens > now:
            raise MarketClosed(f"{instrument} trades again from {opens:%Y-%m-%dT%H:%MZ}", next_open=opens)

    def _age_s(self, vector: Vector) -> float:
        """Age of the last bar by the feed's clock, which on a standing feed is one minute after its last row."""
        live = self.vectors.live.get(vector.instrument)
        age = vector.age(self.now() if live else vector.clock).total_seconds()
        limit = self.settings.serving.max_bar_age_s
        if live and age > limit:
            raise StaleFeatures(
                f"the last bar of {vector.instrument} ended {age:.0f} s ago, SPX_SERVING__MAX_BAR_AGE_S is {limit}; "
                "see whether its feed delivers and bronze/candles is materialised, or whether its market pauses within the day "
                "(a daily break is not in the calendar)"
            )
        return max(age, 0.0)

    def _forecast(self, model: ServedModel, vector: Vector) -> Forecast:
        """One call of the graph a model and bar: further requests get the same numbers from memory.

        `WarmingUp` where a batch forecast would leave the bar out, by the same rule.
        """
        key = f"{model.manifest.digest} {vector.instrument}"
        known = self._forecasts.get(key)
        if known and known[0] is vector:
            return known[1]
        X = vector.recent[:, model.columns]
        run = vector.run(tolerance_min=model.manifest.tolerance_min)
        if not model.forecaster.forecastable(X, run)[-1]:
            raise _warming_up(model, vector, X, int(run[-1]))
        forecast = model.forecaster.at(X, np.array([len(X) - 1]))
        if len(self._forecasts) > 64:
            self._forecasts.clear()
        self._forecasts[key] = (vector, forecast)
        return forecast

    def _answer(self, model: ServedModel, vector: Vector, age_s: float, started: float) -> Prediction:
        forecast, manifest = self._forecast(model, vector), model.manifest
        up = float(forecast.probability_up[0])
        confidence = max(up, 1.0 - up)
        expected = float(forecast.return_bp[0])
        life_end = vector.ts + timedelta(minutes=manifest.horizon_minutes + 1)
        crosses = life_end > calendar.day_window(calendar.trading_day(vector.ts))[1]
        signals = model.passed and not crosses and confidence >= self.settings.serving.signal_threshold
        return Prediction(
            id=str(uuid.uuid4()),
            instrument=vector.instrument,
            timestamp=vector.ts,
            horizon_minutes=manifest.horizon_minutes,
            prediction="up" if up >= 0.5 else "down",
            probability=up,
            confidence=confidence,
            signal_strength=2.0 * confidence - 1.0,
            signal="hold" if not signals else "buy" if up >= 0.5 else "sell",
            gate=model.gate,
            return_head=model.return_head,
            expected_return_bp=expected,
            predicted_price=vector.close * (1.0 + expected / 1e4),
            interval_bp=Interval(
                float(forecast.interval_low_bp[0]), float(forecast.interval_high_bp[0]), manifest.interval_level
            ),
            horizon_crosses_close=crosses,
            features_used=len(manifest.features),
            feature_age_s=age_s,
            model_name=manifest.name,
            model_version=manifest.version,
            model_digest=manifest.digest,
            skill=model.skill,
            latency_ms=round((perf_counter() - started) * 1e3, 3),
        )

    def describe(self) -> list[ModelInfo]:
        return [_info(model) for model in self.models.models.values()]

    def health(self) -> Health:
        problems = [f"{name}: {why}" for name, why in self.models.refused.items()]
        problems += [f"{name}: {why}" for name, why in self.vectors.failed.items()]
        if self.vectors.unreadable:
            problems.append(f"lake: {self.vectors.unreadable}")
        else:
            covered = {name for model in self.models.models.values() for name in model.manifest.instruments}
            silent = sorted(covered - self.vectors.vectors.keys() - self.vectors.failed.keys())
            problems += [f"{name}: has no feature vector yet" for name in silent]
        if any(model.news for model in self.models.models.values()):
            stale = {name: self.vectors.stale_news(vector) for name, vector in self.vectors.vectors.items()}
            problems += [f"{name}: {why}" for name, why in stale.items() if why]
        if not self.models.models:
            problems.append("no model is loaded; train one with `spx train`")
        if self._defect:
            problems.append(
                f"models and features: {self._defects} refreshes in a row failed: {self._defect}; the log has the traceback"
            )
        return Health(
            status="degraded" if problems else "healthy",
            timestamp=self.now(),
            models_loaded=len(self.models.models),
            models=list(self.models.models),
            instruments={name: vector.ts for name, vector in self.vectors.vectors.items()},
            problems=problems,
        )


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


def _next_session(now: datetime, holidays: set[object]) -> datetime:
    """The first instant at or after `now` in a trading day that is no holiday of the settings."""
    opens = calendar.next_open(now)
    while (day := calendar.trading_day(opens)) in holidays:
        opens = calendar.next_open(calendar.day_window(day)[1])
    return opens


def _info(model: ServedModel) -> ModelInfo:
    manifest = model.manifest
    return ModelInfo(
        name=manifest.name,
        type=manifest.family,
        features=len(manifest.features),
        score=model.skill.auc,
        loaded_at=model.loaded_at,
        gate=model.gate,
        return_head=model.return_head,
        alias=model.alias,
        version=manifest.version,
        digest=manifest.digest,
        generation=model.generation,
        horizon_minutes=manifest.horizon_minutes,
        instruments=manifest.instruments,
        training_cutoff=manifest.training_cutoff,
        skill=model.skill,
    )
