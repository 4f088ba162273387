"""The panel of the signal: the forecast of the newest bar, made once a bar and model.

Belongs here: when a forecast is made again. Does not: making it, or why there is none (`serving.service`).

Each look at the page must not be an answer of its own in the ledger: a page that is open all day looks 5,000 times.
"""

import asyncio
from datetime import timedelta

from serving.contracts import Prediction, PredictRequest
from serving.dashboard.contracts import Signal
from serving.problems import WarmingUp
from serving.service import Service
from spx_assets.calendar import ONE_MINUTE


class Signals:
    """The newest forecast of each instrument and horizon that a page asked for."""

    def __init__(self) -> None:
        self._kept: dict[tuple[str, int | None], Prediction] = {}
        self._making = asyncio.Lock()

    async def of(self, service: Service, instrument: str, horizon: int | None) -> Signal:
        """The forecast that holds now; the `Problem` that POST /predict would be refused with."""
        async with self._making:
            forecast = await self._forecast(service, instrument, horizon)
        expires = forecast.timestamp + ONE_MINUTE + timedelta(minutes=forecast.horizon_minutes)
        threshold, live = service.settings.serving.signal_threshold, service.vectors.live.get(instrument, False)
        return Signal(forecast=forecast, threshold=threshold, expires_at=expires, live=live)

    async def _forecast(self, service: Service, instrument: str, horizon: int | None) -> Prediction:
        model = service.models.choose(instrument, horizon=horizon, name=None, known=service.vectors.live.keys())
        if problem := service.obstacle(model, instrument):
            self._kept.pop((instrument, horizon), None)
            raise problem
        vector = service.vectors.vectors.get(instrument)
        if vector is None:
            raise WarmingUp(f"{instrument} has no feature vector yet")
        kept = self._kept.get((instrument, horizon))
        if kept is not None and (kept.timestamp, kept.model_digest) == (vector.ts, model.manifest.digest):
            return kept
        told = len(model.manifest.medians) == len(model.manifest.features)
        request = PredictRequest(instrument=instrument, horizon_minutes=horizon, include_reasons=told)
        made = self._kept[instrument, horizon] = await service.answer(request)
        return made
