"""The models that answer: read from the artifact store, verified, swapped by one reference.

Belongs here: following `current.json` and what operators loaded by hand, refusing what cannot be trusted. Does not: which
forecaster a request means (`choosing`), versions that requests name (`versions`), HTTP, feature vectors.
"""

import dataclasses
import logging
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from types import MappingProxyType

from serving import remembered
from serving.choosing import Chooser
from serving.contracts import Alias
from serving.problems import BadArtifact, NoModel, UnknownModel, UnknownVersion
from serving.refused import Refused
from serving.remembered import Manual, Verified
from serving.served import INPUTS, ServedModel, served
from serving.versions import Versions
from spx_assets.scoring import artifact, compatibility, current
from spx_assets.scoring.current import Current
from spx_assets.scoring.errors import ArtifactError, ArtifactForeignError
from spx_assets.settings import Settings

__all__ = ["INPUTS", "Found", "ModelStore", "ServedModel"]

LOG = logging.getLogger(__name__)
STANDING_IN = -1
"""Generation of a version that answers in place of one that was refused: whatever `current.json` says is tried again."""


@dataclass(frozen=True)
class Found:
    """What the artifact store says should answer, and why some of it cannot."""

    models: Mapping[str, ServedModel]
    refused: Mapping[str, str]
    manual: Mapping[str, Manual] = field(default_factory=dict)
    """Forecasters for which an operator's word holds, not that of `current.json`."""


class ModelStore:
    """Follows `current.json` of every forecaster. `look`, `swap`, `load` and `unload` run on one thread; readers take `models`
    once and keep it.
    """

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._chooser = Chooser(settings)
        alias = settings.serving.alias
        self._manual, self._verified = remembered.manual(settings, alias), remembered.verified(settings, alias)
        self.versions, self._refused = Versions(settings), Refused()
        self.models: MappingProxyType[str, ServedModel] = MappingProxyType({})
        self._loaded: Mapping[str, ServedModel] = self.models
        """These, and those of replaced feeds, which are not read again at every look."""
        self.refused: MappingProxyType[str, str] = MappingProxyType({})
        """Why a forecaster does not answer as `current.json` says, until it does."""
        self._chosen: tuple[Mapping[str, ServedModel], dict[tuple[str, int | None, str | None], ServedModel]] = self.models, {}
        """What was chosen from these models: 12 us of each request. Only what is there to be chosen is kept."""
        self.manual: MappingProxyType[str, Manual] = MappingProxyType({})

    def refresh(self, bound: Mapping[str, str] = MappingProxyType({})) -> None:
        """Loads what changed, and swaps."""
        self.swap(self.look(), bound)

    def look(self) -> Found:
        """Loads what changed beside what answers. A model that cannot be trusted is refused, the old one goes on.

        At start-up there is no old one: the version that was verified last answers, if it still can.
        """
        models, refused, manual = dict(self._loaded), {}, {}
        told = self._manual.read()
        for name in sorted({*current.names(self._settings.artifacts), *models}):
            try:
                state = self._state(name)
                if name in told and told[name].generation == state.generation:
                    manual[name] = told[name]
                found = self._follow(name, models.get(name), state, manual.get(name))
            except ArtifactError as error:
                if name not in models and (last := self._last_verified(name)):
                    models[name] = last
                refused[name] = _refusal(error, models.get(name))
                if self.refused.get(name) != refused[name]:
                    LOG.error("%s: refused: %s", name, refused[name])
                continue
            if found is None:
                models.pop(name, None)
            else:
                models[name] = found
        return Found(models, refused, manual)

    def swap(self, found: Found, bound: Mapping[str, str]) -> None:
        """Lets what was found answer, where its instruments are bound (`bindings.in_force`) as they were when it learned."""
        former = {
            name: why
            for name, model in found.models.items()
            if (why := compatibility.rebound(model.manifest.version, model.manifest.feeds, bound))
        }
        models = {name: model for name, model in found.models.items() if name not in former}
        new = {name: model for name, model in models.items() if model is not self.models.get(name)}
        for name in former.keys() - self.refused.keys():
            LOG.error("%s: refused: %s", name, former[name])
        self._loaded, self.versions.bound = found.models, bound
        self.models, self.refused = MappingProxyType(models), MappingProxyType({**found.refused, **former})
        self.manual = MappingProxyType(dict(found.manual))
        known = self._verified.read() if new else {}
        for name, model in new.items():
            LOG.info("%s: serves %s (%s)", name, model.manifest.version, model.alias)
            verified = Verified(version=model.manifest.version, digest=model.manifest.digest)
            if known.get(name) != verified:
                self._verified.keep(name, verified)

    def input_rows(self, found: Found) -> dict[str, int]:
        """How many bars of each instrument are looked at at once, by what answers now and by what is to answer next."""
        rows = dict.fromkeys(self.instruments(), 1)
        for model in (*self.models.values(), *found.models.values()):
            for instrument in model.manifest.instruments:
                rows[instrument] = max(rows.get(instrument, 1), model.manifest.input_rows)
        return rows

    def instruments(self) -> set[str]:
        """Every instrument some forecaster of the settings or a loaded model covers."""
        return self._chooser.instruments(self.models)

    def choose(self, instrument: str, *, horizon: int | None, name: str | None, known: Collection[str]) -> ServedModel:
        """The model that answers; a `Problem` says why there is none. `known` are the instruments that have a feed."""
        models, kept = self._chosen
        if models is not self.models:
            models, kept = self._chosen = self.models, {}
        asked = instrument, horizon, name
        found = kept.get(asked)
        if found is None:
            found = kept[asked] = self.named(self.name(instrument, horizon=horizon, name=name, known=known))
        return found

    def name(self, instrument: str, *, horizon: int | None, name: str | None, known: Collection[str]) -> str:
        """The forecaster that a request means; a `Problem` if there is none."""
        silent = self.refused.keys() | self.manual.keys()
        return self._chooser.name(self.models, instrument, horizon=horizon, name=name, known=known, silent=silent)

    def named(self, name: str) -> ServedModel:
        """The model that answers for a known forecaster; a `Problem` says why there is none."""
        model = self.models.get(name)
        if model is not None:
            return model
        if name in self.refused:
            raise BadArtifact(self.refused[name])
        if told := self.manual.get(name):
            raise NoModel(
                f"{name} was unloaded by {told.by} at {told.at:%Y-%m-%dT%H:%MZ}; load it again with POST /models/{name}/load"
            )
        raise NoModel(f"{name} has no model yet; train one with `spx train`")

    def existing(self, name: str) -> str:
        """The name of a forecaster that answers, is refused or was unloaded, or of the settings; `UnknownModel` for any other."""
        if name not in self.models and name not in self.refused and name not in self.manual:
            self._chooser.require(name, self.models)
        return name

    def problems(self) -> list[str]:
        """What keeps a forecaster from answering as `current.json` says, in words."""
        unreadable = [file.problem for file in (self._manual, self._verified) if file.problem]
        return [f"{name}: {why}" for name, why in self.refused.items()] + unreadable

    def load(self, name: str, *, version: str | None, alias: current.Alias | None, by: str) -> None:
        """Lets a version, or the one of an alias, answer until `current.json` changes; what it names again for the own alias.

        OSError if the home cannot be written; nothing is changed then.
        """
        state = self._known(name)
        own = current.served(state, self._settings.serving.alias)
        wanted = version or getattr(state, alias or "champion")
        if wanted is None:
            raise UnknownVersion(f"{name} has no {alias} now; name a version or another alias")
        self.versions.get(name, wanted, again=True)
        by_alias = version is None and own is not None and wanted == own[1]
        told = Manual(version=wanted, generation=state.generation, by=by, at=datetime.now(UTC))
        self._manual.change(name, None if by_alias else told)

    def unload(self, name: str, *, by: str) -> Manual:
        """Lets no version answer until `current.json` changes or one is loaded; OSError if the home cannot be written."""
        told = Manual(version=None, generation=self._known(name).generation, by=by, at=datetime.now(UTC))
        self._manual.change(name, told)
        return told

    def _known(self, name: str) -> Current:
        if name not in current.names(self._settings.artifacts):
            known = current.names(self._settings.artifacts)
            raise UnknownModel(f"model {name!r} is not known; known are {known}")
        try:
            return self._state(name)
        except ArtifactError as error:
            raise BadArtifact(str(error)) from error

    def _state(self, name: str) -> Current:
        state = current.read(self._settings.artifacts, name)
        if state is None:
            raise ArtifactForeignError(f"{name} has no {current.FILE} any more; run the gate again")
        return state

    def _follow(self, name: str, old: ServedModel | None, state: Current, told: Manual | None) -> ServedModel | None:
        choice: tuple[Alias, str] | None
        if told:
            choice = ("manual", told.version) if told.version else None
        else:
            choice = current.served(state, self._settings.serving.alias)
        if choice is None:
            return None
        alias, version = choice
        if old and (old.generation, old.alias, old.manifest.version) == (state.generation, alias, version):
            return old
        folder = artifact.folder(self._settings.artifacts, name, version)
        self._refused.recall(folder)
        try:
            if alias == "manual":
                return dataclasses.replace(self.versions.load(name, version), alias=alias, generation=state.generation)
            return served(artifact.load(folder), self._settings, alias=alias, generation=state.generation)
        except ArtifactError as error:
            self._refused.note(folder, error)
            raise

    def _last_verified(self, name: str) -> ServedModel | None:
        """The version that answered last, if it is still the same and can be verified again."""
        last = self._verified.read().get(name)
        if last is None:
            return None
        try:
            found = self.versions.load(name, last.version)
        except ArtifactError as error:
            LOG.error("%s: the version verified last cannot answer either: %s", name, error)
            return None
        same = found.manifest.digest == last.digest
        return dataclasses.replace(found, alias="last_verified", generation=STANDING_IN) if same else None


def _refusal(error: ArtifactError, standing: ServedModel | None) -> str:
    return str(error) if standing is None else f"{error}; {standing.manifest.version} answers meanwhile"
