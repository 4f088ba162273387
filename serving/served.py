"""A model that can answer: a verified artifact, warm, with what the gate said of it.

Belongs here: from an artifact to a `ServedModel`, and whether its inputs are those made now. Does not: which version is to
answer (`model_store`), versions named by a request (`versions`).
"""

from dataclasses import dataclass
from datetime import UTC, datetime

import numpy as np
import numpy.typing as npt

from serving.contracts import Alias, Gate, Head, ModelInfo, Skill
from spx_assets.features import catalog, inputs
from spx_assets.scoring import compatibility
from spx_assets.scoring.artifact import Artifact
from spx_assets.scoring.errors import ArtifactForeignError
from spx_assets.scoring.forecaster import Forecaster
from spx_assets.scoring.manifest import Manifest
from spx_assets.settings import Settings

INPUTS = tuple(feature.name for feature in catalog.model_inputs())
"""The online vector's order."""


@dataclass(frozen=True)
class ServedModel:
    """A verified, warm model and what the gate said of it. `columns` picks its inputs from the online vector."""

    manifest: Manifest
    forecaster: Forecaster
    columns: npt.NDArray[np.intp]
    alias: Alias
    generation: int
    gate: Gate
    passed: bool
    return_head: Head
    skill: Skill
    loaded_at: datetime
    news: bool
    """Whether some of its inputs are made of news."""

    @property
    def info(self) -> ModelInfo:
        """What the service says of it."""
        return ModelInfo(
            name=self.manifest.name,
            type=self.manifest.family,
            features=len(self.manifest.features),
            score=self.skill.auc,
            loaded_at=self.loaded_at,
            gate=self.gate,
            return_head=self.return_head,
            alias=self.alias,
            version=self.manifest.version,
            digest=self.manifest.digest,
            generation=self.generation,
            horizon_minutes=self.manifest.horizon_minutes,
            instruments=self.manifest.instruments,
            training_cutoff=self.manifest.training_cutoff,
            skill=self.skill,
        )


def served(loaded: Artifact, settings: Settings, *, alias: Alias, generation: int) -> ServedModel:
    """The model of a verified artifact; an ArtifactError subclass if its inputs are not those made now, or it answers wrongly.

    Its golden rows are asked here, so its graph has run before a request meets it.
    """
    manifest, verdict = loaded.manifest, loaded.verdict
    if objection := compatibility.objection(manifest, settings):
        raise ArtifactForeignError(objection)
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
