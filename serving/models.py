"""The models over HTTP: what answers, what a forecaster has, loading and unloading by hand.

Belongs here: paths, methods, documented responses of /models and /debug. Does not: following `current.json`, what a manual load
means (`model_store`).
"""

import os
from collections.abc import Callable
from typing import Annotated, Any, TypeVar

import numpy as np
import onnxruntime
from litestar import Request, delete, get, post
from litestar.params import Dependency, Parameter

from serving import audit, security
from serving.bodies import StrictBody
from serving.contracts import ModelInfo
from serving.model_contracts import DebugInfo, DebugModel, LoadRequest, ModelDetail, Unloaded
from serving.problems import BadArtifact, BadRequest, Busy, HomeUnwritable, NoModel, UnknownModel, UnknownVersion, specs
from serving.served import INPUTS, ServedModel
from serving.service import Service

Injected = Annotated[Service, Dependency(skip_validation=True)]
Name = Annotated[str, Parameter(description="A forecaster, e.g. spx500_h30", max_length=128)]
OPERATOR = security.needs("operator")
T = TypeVar("T")


@get("/models", summary="Models that answer", tags=["models"])
async def models(service: Injected) -> list[ModelInfo]:
    """Every loaded model with its verdict and its metrics beside their baselines."""
    return [model.info for model in service.models.models.values()]


@get(
    "/models/{name:str}",
    summary="A model and its inputs",
    tags=["models"],
    responses=specs(BadRequest, UnknownModel, NoModel, BadArtifact, Busy),
    raises=[],
)
async def model(name: Name, service: Injected) -> ModelDetail:
    """The model that answers for a forecaster: its inputs in order, which may be null, its training, all its metrics."""
    return await service.aside(lambda: _detail(service, service.models.named(service.models.existing(name))))


@post(
    "/models/{name:str}/load",
    status_code=200,
    summary="Load a version by hand",
    tags=["models"],
    dto=StrictBody[LoadRequest],
    return_dto=None,
    responses=specs(BadRequest, *security.PROBLEMS, UnknownModel, UnknownVersion, BadArtifact),
    raises=[],
    guards=[OPERATOR],
    security=security.NEEDS_KEY,
)
async def load(request: Request[Any, Any, Any], name: Name, data: LoadRequest, service: Injected) -> ModelInfo:
    """Lets a version, or whom an alias names now, answer from here on, verified first. Needs a key with the role operator.

    It holds for every worker of the service and over restarts, until `current.json` has a new generation (a promotion or a
    rollback) or it is undone by loading the alias that the service follows; /health shows it. `{"version": "..."}` or
    `{"alias": "champion"}`. A version that cannot be verified is refused and the old one goes on.
    """
    audit.note(request, model=name, version=data.version, alias=data.alias)
    if (data.version is None) == (data.alias is None):
        raise BadRequest("give either a version or an alias")
    who = audit.who(request)

    def change() -> ModelInfo:
        _written(lambda: service.models.load(name, version=data.version, alias=data.alias, by=who))
        service.look()
        return service.models.named(name).info

    found = await service.in_background(change)
    audit.note(request, loaded=found.version)
    return found


@delete(
    "/models/{name:str}",
    status_code=200,
    summary="Unload a model",
    tags=["models"],
    responses=specs(BadRequest, *security.PROBLEMS, UnknownModel, BadArtifact),
    raises=[],
    guards=[OPERATOR],
    security=security.NEEDS_KEY,
)
async def unload(request: Request[Any, Any, Any], name: Name, service: Injected) -> Unloaded:
    """Lets nothing answer for a forecaster, which then says 503 `no_model`. Needs a key with the role operator.

    It holds as a manual load does: until `current.json` has a new generation, or until something is loaded again.
    """
    audit.note(request, model=name)
    who = audit.who(request)

    def change() -> Unloaded:
        before = service.models.models.get(name)
        told = _written(lambda: service.models.unload(name, by=who))
        service.look()
        return Unloaded(name=name, version=before.manifest.version if before else None, generation=told.generation)

    return await service.in_background(change)


@get("/debug/model-info", summary="The model store of this process", tags=["service"])
async def debug(service: Injected) -> DebugInfo:
    """What was loaded from where, which inputs are unknown now, what was refused or loaded by hand."""
    store = service.models
    return DebugInfo(
        process=os.getpid(),
        alias=service.settings.serving.alias,
        libraries={"onnxruntime": onnxruntime.__version__, "numpy": np.__version__},
        models=[_debug(service, model) for model in store.models.values()],
        refused=dict(store.refused),
        manual={name: told.words for name, told in store.manual.items()},
    )


def _written(change: Callable[[], T]) -> T:
    try:
        return change()
    except OSError as error:
        raise HomeUnwritable(f"what is loaded by hand could not be kept ({error}); nothing was changed") from error


def _detail(service: Service, model: ServedModel) -> ModelDetail:
    manifest = model.manifest
    return ModelDetail(
        info=model.info,
        inputs=manifest.features,
        required=manifest.required,
        input_rows=manifest.input_rows,
        reasons=len(manifest.medians) == len(manifest.features),
        calibration=manifest.calibration.kind,
        interval_level=manifest.interval_level,
        training_start=manifest.training_start,
        partition=manifest.partition.isoformat(),
        parameters=manifest.parameters,
        metrics=manifest.metrics,
        members={member.version: member.weight for member in manifest.members},
        versions=[*service.models.versions.known(manifest.name)],
    )


def _debug(service: Service, model: ServedModel) -> DebugModel:
    manifest, vectors = model.manifest, service.vectors.vectors
    rows = {name: vectors[name].recent[-1, model.columns] for name in manifest.instruments if name in vectors}
    return DebugModel(
        info=model.info,
        folder=f"models/{manifest.name}/{manifest.version}",
        schema=manifest.schema,
        feature_set_hash=manifest.feature_set_hash,
        input_rows=manifest.input_rows,
        golden_rows=len(manifest.golden),
        columns=model.columns.tolist(),
        nulls={name: [INPUTS[model.columns[k]] for k in np.flatnonzero(np.isnan(row))] for name, row in rows.items()},
        git_commit=manifest.git_commit,
        libraries=manifest.libraries,
    )


ROUTES = [models, model, load, unload, debug]
