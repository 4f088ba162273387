"""Which forecaster a request means.

Belongs here: from instrument, horizon and name to one name, and the 400s and 404s on the way. Does not: loading models
(`model_store`), versions of a forecaster (`versions`).
"""

from collections.abc import Collection, Iterable, Mapping

from serving.problems import NoModel, UnknownHorizon, UnknownInstrument, UnknownModel
from serving.served import ServedModel
from spx_assets.settings import Settings, scope_of

DEFAULT_HORIZON = 30


class Chooser:
    """The forecasters of the settings; those that answer are given with each question."""

    def __init__(self, settings: Settings) -> None:
        self._scopes = settings.models.scopes
        self._names = {name: (scope, horizon) for name, scope, horizon in settings.model_names}
        self._configured = {instrument for instruments in self._scopes.values() for instrument in instruments}

    def instruments(self, models: Mapping[str, ServedModel]) -> set[str]:
        """Every instrument some forecaster of the settings or a loaded model covers."""
        return self._configured.union(*(model.manifest.instruments for model in models.values()))

    def name(
        self,
        models: Mapping[str, ServedModel],
        instrument: str,
        *,
        horizon: int | None,
        name: str | None,
        known: Iterable[str],
        silent: Collection[str],
    ) -> str:
        """The forecaster that is to answer, which may have no model.

        `known` are the instruments that have a feed, `silent` those of the store that were refused or unloaded.
        """
        horizons = {h for _, h in self._names.values()} | {model.manifest.horizon_minutes for model in models.values()}
        if horizon is not None and horizon not in horizons:
            raise UnknownHorizon(f"horizon_minutes {horizon} is not forecast; use one of {sorted(horizons)}")
        instruments = self.instruments(models).union(known)
        if instrument not in instruments:
            raise UnknownInstrument(f"instrument {instrument!r} is not known; known are {sorted(instruments)}")
        if name is not None:
            if name not in models and name in silent:
                return name
            return self._named(models, name, instrument=instrument, horizon=horizon)
        told = {n: h for n, (scope, h) in self._names.items() if instrument in self._scopes[scope]}
        # A silent forecaster keeps its place: no other horizon or scope answers a request that means it.
        own = {n: h for n, h in told.items() if n in silent} | {
            model.manifest.name: model.manifest.horizon_minutes
            for model in models.values()
            if instrument in model.manifest.instruments
        }
        if horizon is None:
            horizon = DEFAULT_HORIZON if DEFAULT_HORIZON in own.values() or not own else min(own.values())
        fitting = {n for n, h in own.items() if h == horizon} or {n for n, h in told.items() if h == horizon}
        if not fitting:
            raise NoModel(f"no model forecasts {instrument} at {horizon} minutes yet; train one with `spx train`")
        # An instrument's own scope before a wider one that also holds it.
        narrow = f"{scope_of(instrument)}_h{horizon}"
        return narrow if narrow in fitting else min(fitting)

    def require(self, name: str, models: Mapping[str, ServedModel]) -> None:
        """`UnknownModel` unless the settings have a forecaster of that name."""
        if name not in self._names:
            raise UnknownModel(f"model_name {name!r} is not known; known are {sorted({*models, *self._names})}")

    def _named(self, models: Mapping[str, ServedModel], name: str, *, instrument: str, horizon: int | None) -> str:
        model = models.get(name)
        if model is None:
            self.require(name, models)
            return name
        if instrument not in model.manifest.instruments:
            raise UnknownInstrument(f"{name} forecasts {', '.join(model.manifest.instruments)}, not {instrument}")
        if horizon is not None and horizon != model.manifest.horizon_minutes:
            raise UnknownHorizon(
                f"{name} forecasts {model.manifest.horizon_minutes} minutes, not {horizon}; leave one of them out"
            )
        return name
