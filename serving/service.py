"""What the routes call: the state of the service and the forecast it gives.

Belongs here: which rooms there are, the order of checks before a forecast. Does not: routes, reading files or the lake
(`model_store`, `vectors`, `past`), what an answer says (`forecasts`), when there is none (`freshness`), looking again
(`refresh`).
"""

from collections.abc import Callable
from contextlib import suppress
from datetime import UTC, datetime
from time import perf_counter
from typing import TypeVar

from serving import caller, forecasts, reasons
from serving.aside import Aside
from serving.audit import AuditLog
from serving.bulk import Bulk
from serving.contracts import Prediction, PredictRequest
from serving.forecasts import Forecasts, Made
from serving.freshness import Freshness
from serving.ledger import ids
from serving.ledger.recorder import Ledger
from serving.ledger.signals import Board
from serving.levels import LevelStore
from serving.model_store import ModelStore, ServedModel
from serving.past import Past
from serving.problems import FutureTimestamp, ModelRefused, Problem, StaleNews, UnknownInstrument
from serving.refresh import Refresh
from serving.stream.online import Stream
from serving.vectors import Vector, VectorStore
from spx_assets.settings import Settings

T = TypeVar("T")


def wall_clock() -> datetime:
    return datetime.now(UTC)


def at_once(request: PredictRequest) -> bool:
    """Whether a request is answered from memory, in well under a millisecond: no file, no lake, one row through the graph."""
    return request.timestamp is None and request.model_version is None and not request.include_reasons


class Service:
    """Answers requests from memory; one background thread keeps models and vectors new, another answers what takes longer."""

    def __init__(self, settings: Settings, *, now: Callable[[], datetime] = wall_clock) -> None:
        self.settings, self.now = settings, now
        self.models = ModelStore(settings)
        self.vectors = VectorStore(settings, now)
        self.refresh = Refresh(self.look, poll_s=settings.serving.poll_s)
        self.freshness = Freshness(settings, now, self.vectors, self.refresh)
        self.forecasts = Forecasts()
        self.levels = LevelStore(settings)
        self.past = Past(settings, now, self.models.versions, self.freshness, self.vectors)
        self.bulk = Bulk()
        self._aside = Aside("aside")
        self.ledger, self.audit = Ledger(settings), AuditLog(settings)
        self.signals = Board(settings, self.ledger)
        self.stream = Stream(settings, self, now=now)

    async def start(self) -> None:
        """Loads what there is before the first request is taken, then follows changes."""
        await self.refresh.start()
        self.ledger.start()
        await self.stream.start()

    async def stop(self) -> None:
        await self.stream.stop()
        await self.refresh.stop()
        self._aside.stop()
        self.bulk.stop()
        await self.ledger.stop()

    async def in_background(self, work: Callable[[], T]) -> T:
        """What `work` gives on the thread that keeps models and vectors new: for changes of them, which no look may cross."""
        return await self.refresh.run(work)

    async def aside(self, work: Callable[[], T]) -> T:
        """What `work` gives on a thread of its own: for reads of the lake, beside which refreshes go on. `Busy` if many wait."""
        return await self._aside.run(work)

    def look(self) -> None:
        """Vectors are made between loading and swapping: a model that looks at more bars answers from its first request on."""
        found = self.models.look()
        self.vectors.refresh(self.models.input_rows(found))
        self.levels.refresh(found.models.values())
        self.models.swap(found, self.vectors.bindings)

    async def answer(self, request: PredictRequest) -> Prediction:
        """The forecast asked for, whatever it takes, or the `Problem` that stands against it."""
        return self.predict(request) if at_once(request) else await self.aside(lambda: self.at_leisure(request))

    def predict(self, request: PredictRequest) -> Prediction:
        """A forecast of a request that is answered `at_once`: from the last bar, or from features that the caller gives."""
        started = perf_counter()
        model = self.models.choose(
            request.instrument, horizon=request.horizon_minutes, name=request.model_name, known=self.vectors.live.keys()
        )
        self._require_passed(model)
        if request.features is not None:
            at = self.clock(request.instrument)
            asked = self.levels.asked(model, request.instrument, at)
            made = caller.make(model, request.instrument, request.features, at=at, asked=asked)
            return self._told(made, None, request, started)
        vector, age_s = self._newest(request.instrument, model)
        return self._told(self.forecasts.of(model, vector, self.levels.levels), age_s, request, started)

    def at_leisure(self, request: PredictRequest) -> Prediction:
        """A forecast of any request, on a thread that may read files and the lake."""
        started = perf_counter()
        instrument = request.instrument
        at = None if request.timestamp is None else self.past.instant(request.timestamp)
        model = self.model(
            instrument, horizon=request.horizon_minutes, name=request.model_name, version=request.model_version, at=at
        )
        age_s: float | None = None
        if request.features is not None:
            of = at or self.clock(instrument)
            asked = self._level(model, instrument, of)
            made = caller.make(model, instrument, request.features, at=of, asked=asked)
        elif at is None:
            vector, age_s = self._newest(instrument, model)
            asked = self._level(model, instrument, vector.ts)
            made = forecasts.make(model, self._reaching(vector, model), asked=asked)
        else:
            rows, news = model.manifest.input_rows, model.news
            vector, age_s = self.past.vector(instrument, at, rows=rows, news=news)
            made = forecasts.make(model, vector, "lake", asked=self._level(model, instrument, vector.ts))
        return self._told(made, age_s, request, started)

    def model(
        self, instrument: str, *, horizon: int | None, name: str | None, version: str | None, at: datetime | None = None
    ) -> ServedModel:
        """The model that answers now or for a time, or the version named; read from files, so on a background thread."""
        known = self.models.name(instrument, horizon=horizon, name=name, known=self.vectors.live.keys())
        found = self._version(known, version) if at is None else self.past.model(known, version, at)
        if instrument not in found.manifest.instruments:
            raise UnknownInstrument(f"{known} forecasts {', '.join(found.manifest.instruments)}, not {instrument}")
        self._require_passed(found)
        return found

    def _told(self, made: Made, age_s: float | None, request: PredictRequest, started: float) -> Prediction:
        """The answer; every forecast that is given passes here, and is in the journal when it leaves."""
        id_ = ids.new()
        answer = forecasts.answer(
            made,
            id_=id_,
            age_s=age_s,
            threshold=self.settings.serving.signal_threshold,
            started=started,
            features=forecasts.inputs(made) if request.include_features else None,
            reasons=reasons.of(made) if request.include_reasons else None,
        )
        self.ledger.keep(answer, made, id_=id_, as_of=request.timestamp)
        return answer

    def _newest(self, instrument: str, model: ServedModel) -> tuple[Vector, float]:
        """The newest vector and its age, if both may be used now."""
        vector = self.freshness.vector(instrument)
        age_s = self.freshness.age_s(vector)
        if model.news and (stale := self.vectors.stale_news(vector)):
            raise StaleNews(stale)
        return vector, age_s

    def _reaching(self, vector: Vector, model: ServedModel) -> Vector:
        """The same bar with as many before it as the model looks at: no loaded model may look at so many.

        Asked at the clock that the vector was made by: a streamed bar is known some tenths of a second after its minute. A clock
        that the lake has not reached says nothing of its own.
        """
        rows = model.manifest.input_rows
        if len(vector.recent) >= rows:
            return vector
        with suppress(FutureTimestamp):
            longer, _ = self.past.vector(vector.instrument, vector.clock, rows=rows, news=False)
            if longer.ts == vector.ts:
                return longer
        return vector

    def _level(self, model: ServedModel, instrument: str, ts: datetime) -> float | None:
        """The level of the interval of a bar: from memory for a model that answers, else from the lake."""
        answers = self.models.models.get(model.manifest.name) is model
        return (self.levels.asked if answers else self.past.level)(model, instrument, ts)

    def _version(self, name: str, version: str | None) -> ServedModel:
        """The model that answers, or the version named."""
        served = self.models.models.get(name)
        if version is None:
            return self.models.named(name)
        if served is not None and served.manifest.version == version:
            return served  # not looked up again: another may have been swapped in since
        return self.models.versions.get(name, version)

    def obstacle(self, model: ServedModel, instrument: str) -> Problem | None:
        """What a forecast would be refused with now; None if it would be given."""
        try:
            self._require_passed(model)
            vector, _ = self._newest(instrument, model)
            self.forecasts.of(model, vector, self.levels.levels)
            self.ledger.require()
        except Problem as problem:
            return problem
        return None

    def by_default(self) -> dict[tuple[str, int], ServedModel]:
        """The model that answers for each instrument and horizon when a request names neither forecaster nor version."""
        found, known = {}, self.vectors.live.keys()
        for model in self.models.models.values():
            horizon = model.manifest.horizon_minutes
            for instrument in model.manifest.instruments:
                with suppress(Problem):  # a narrower one was refused, or models are swapped meanwhile
                    found[instrument, horizon] = self.models.choose(instrument, horizon=horizon, name=None, known=known)
        return found

    def clock(self, instrument: str) -> datetime:
        """Now by the feed's clock, or by the wall's where there is no feed."""
        vector = self.vectors.vectors.get(instrument)
        return vector.clock if vector is not None and not self.vectors.live.get(instrument) else self.now()

    def _require_passed(self, model: ServedModel) -> None:
        if not model.passed and self.settings.models.no_edge == "refuse":
            raise ModelRefused(
                f"{model.manifest.name} {model.manifest.version} is {model.gate} and SPX_MODELS__NO_EDGE=refuse; "
                "train a better model or set SPX_MODELS__NO_EDGE=flag"
            )
