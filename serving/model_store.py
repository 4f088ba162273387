"""The models that answer: read from the artifact store, verified, swapped by one reference.

Belongs here: following `current.json`, refusing what cannot be trusted, choosing a model for a request. Does not: HTTP,
feature vectors, what an answer says.
"""

import logging
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from types import MappingProxyType

import numpy as np
import numpy.typing as npt

from serving.contracts import Gate, Head, Skill
from serving.problems import BadArtifact, NoModel, UnknownHorizon, UnknownInstrument, UnknownModel
from spx_assets.features import catalog, inputs
from spx_assets.scoring import artifact, compatibility, current
from spx_assets.scoring.artifact import Artifact
from spx_assets.scoring.errors import ArtifactError, ArtifactForeignError
from spx_assets.scoring.forecaster import Forecaster
from spx_assets.scoring.manifest import Manifest
from spx_assets.settings import Settings, scope_of

LOG = logging.getLogger(__name__)
DEFAULT_HORIZON = 30
INPUTS = tuple(feature.name for feature in catalog.model_inputs())
"""The online vector's order."""


@dataclass(frozen=True)
class ServedModel:
    """A verified, warm model and what the gate said of it. `columns` picks its inputs from the online vector."""

    manifest: Manifest
    forecaster: Forecaster
    columns: npt.NDArray[np.intp]
    alias: current.Alias
    generation: int
    gate: Gate
    passed: bool
    return_head: Head
    skill: Skill
    loaded_at: datetime
    news: bool
    """Whether some of its inputs are made of news."""


@dataclass(frozen=True)
class Found:
    """What the artifact store says should answer, and why some of it cannot."""

    models: Mapping[str, ServedModel]
    refused: Mapping[str, str]


class ModelStore:
    """Follows `current.json` of every forecaster. `look` and `swap` run on one thread; readers take `models` once and keep it."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self.models: MappingProxyType[str, ServedModel] = MappingProxyType({})
        self.refused: MappingProxyType[str, str] = MappingProxyType({})

    def refresh(self) -> None:
        """Loads what changed, and swaps."""
        self.swap(self.look())

    def look(self) -> Found:
        """Loads what changed beside what answers. A model that cannot be trusted is refused, the old one goes on."""
        models, refused = dict(self.models), {}
        for name in sorted({*current.names(self._settings.artifacts), *models}):
            try:
                found = self._follow(name, models.get(name))
            except ArtifactError as error:
                refused[name] = str(error)
                if self.refused.get(name) != refused[name]:
                    LOG.error("%s: refused: %s", name, error)
                continue
            if found is None:
                models.pop(name, None)
            else:
                models[name] = found
        return Found(models, refused)

    def swap(self, found: Found) -> None:
        """Lets what was found answer."""
        for name, model in found.models.items():
            if model is not self.models.get(name):
                LOG.info("%s: serves %s (%s)", name, model.manifest.version, model.alias)
        self.models, self.refused = MappingProxyType(dict(found.models)), MappingProxyType(dict(found.refused))

    def input_rows(self, found: Found) -> dict[str, int]:
        """How many bars of each instrument are looked at at once, by what answers now and by what is to answer next."""
        rows = dict.fromkeys(self.instruments(), 1)
        for model in (*self.models.values(), *found.models.values()):
            for instrument in model.manifest.instruments:
                rows[instrument] = max(rows.get(instrument, 1), model.manifest.input_rows)
        return rows

    def _follow(self, name: str, old: ServedModel | None) -> ServedModel | None:
        state = current.read(self._settings.artifacts, name)
        if state is None:
            raise ArtifactForeignError(f"{name} has no {current.FILE} any more; run the gate again")
        if old and old.generation == state.generation:
            return old
        choice = current.served(state)
        if choice is None:
            return None
        alias, version = choice
        loaded = artifact.load(artifact.folder(self._settings.artifacts, name, version))
        self._check(loaded.manifest)
        return _served(loaded, alias, state.generation)

    def _check(self, manifest: Manifest) -> None:
        objection = compatibility.objection(manifest, self._settings)
        if objection:
            raise ArtifactForeignError(objection)

    def instruments(self) -> set[str]:
        """Every instrument some forecaster of the settings or a loaded model covers."""
        configured = {name for names in self._settings.models.scopes.values() for name in names}
        return configured.union(*(model.manifest.instruments for model in self.models.values()))

    def choose(self, instrument: str, *, horizon: int | None, name: str | None, known: set[str]) -> ServedModel:
        """The model that answers; a `Problem` says why there is none. `known` are the instruments that have a feed."""
        models = self.models
        names = {model_name: (scope, h) for model_name, scope, h in self._settings.model_names}
        horizons = {h for _, h in names.values()} | {model.manifest.horizon_minutes for model in models.values()}
        if horizon is not None and horizon not in horizons:
            raise UnknownHorizon(f"horizon_minutes {horizon} is not forecast; use one of {sorted(horizons)}")
        if instrument not in self.instruments() | known:
            raise UnknownInstrument(f"instrument {instrument!r} is not known; known are {sorted(self.instruments() | known)}")
        if name is not None:
            return self._named(name, instrument=instrument, horizon=horizon, configured=set(names))
        own = [model for model in models.values() if instrument in model.manifest.instruments]
        if horizon is None:
            served = {model.manifest.horizon_minutes for model in own}
            horizon = DEFAULT_HORIZON if DEFAULT_HORIZON in served or not served else min(served)
        fitting = {model.manifest.name: model for model in own if model.manifest.horizon_minutes == horizon}
        if fitting:
            # An instrument's own scope before a wider one that also holds it.
            return fitting.get(f"{scope_of(instrument)}_h{horizon}") or fitting[min(fitting)]
        scopes = self._settings.models.scopes
        self._explain([n for n, (scope, h) in names.items() if h == horizon and instrument in scopes[scope]])
        raise NoModel(f"no model forecasts {instrument} at {horizon} minutes yet; train one with `spx train`")

    def _named(self, name: str, *, instrument: str, horizon: int | None, configured: set[str]) -> ServedModel:
        model = self.models.get(name)
        if model is None:
            self._explain([name])
            if name in configured:
                raise NoModel(f"{name} has no model yet; train one with `spx train`")
            raise UnknownModel(f"model_name {name!r} is not known; known are {sorted({*self.models, *configured})}")
        if instrument not in model.manifest.instruments:
            raise UnknownInstrument(f"{name} forecasts {', '.join(model.manifest.instruments)}, not {instrument}")
        if horizon is not None and horizon != model.manifest.horizon_minutes:
            raise UnknownHorizon(
                f"{name} forecasts {model.manifest.horizon_minutes} minutes, not {horizon}; leave one of them out"
            )
        return model

    def _explain(self, names: list[str]) -> None:
        for name in names:
            if name in self.refused:
                raise BadArtifact(self.refused[name])


def _served(loaded: Artifact, alias: current.Alias, generation: int) -> ServedModel:
    manifest, verdict = loaded.manifest, loaded.verdict
    gate: Gate = verdict.verdict if verdict else "unjudged"
    return ServedModel(
        manifest=manifest,
        forecaster=Forecaster.of(loaded),
        columns=np.array([INPUTS.index(name) for name in manifest.features], dtype=np.intp),
        alias=alias,
        generation=generation,
        gate=gate,
        passed=verdict is not None and verdict.direction_ok and gate != "no_edge",
        return_head="ok" if verdict and verdict.return_ok else "no_edge",
        skill=Skill(**{name: manifest.metrics.get(name) for name in Skill.__struct_fields__}),
        loaded_at=datetime.now(UTC),
        news=inputs.of_news(manifest.features),
    )
