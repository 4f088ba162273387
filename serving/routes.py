"""The routes: each takes a request, calls the service, returns its answer.

Belongs here: paths, methods, documented responses. Does not: any decision (`service`).
"""

from typing import Annotated

from litestar import get, post
from litestar.params import Dependency

from serving import docs
from serving.bodies import StrictBody
from serving.contracts import ApiInfo, Health, ModelInfo, Prediction, PredictRequest
from serving.problems import (
    BadArtifact,
    BadRequest,
    LakeUnavailable,
    MarketClosed,
    ModelRefused,
    NoModel,
    StaleFeatures,
    StaleNews,
    UnknownHorizon,
    UnknownInstrument,
    UnknownModel,
    WarmingUp,
    specs,
)
from serving.service import Service

Injected = Annotated[Service, Dependency(skip_validation=True)]
PREDICT_PROBLEMS = specs(
    BadRequest,
    UnknownHorizon,
    UnknownInstrument,
    UnknownModel,
    NoModel,
    BadArtifact,
    ModelRefused,
    LakeUnavailable,
    MarketClosed,
    StaleFeatures,
    StaleNews,
    WarmingUp,
)


@get("/", summary="API information", tags=["service"])
async def index(version: str) -> ApiInfo:
    """What this service is and where to go on."""
    routes = ["POST /predict", "GET /models", "GET /health", "POST /api/stream/{sentiment}", f"GET {docs.PATH}"]
    return ApiInfo(name="spx-assets", version=version, docs=docs.PATH, openapi=f"{docs.PATH}/openapi.json", routes=routes)


@post(
    "/predict",
    status_code=200,
    summary="Forecast an instrument",
    tags=["forecasts"],
    dto=StrictBody[PredictRequest],
    return_dto=None,
    responses=PREDICT_PROBLEMS,
    raises=[],
)
async def predict(data: PredictRequest, service: Injected) -> Prediction:
    """Forecast from the last finished bar: direction with its calibrated probability, expected return and interval.

    A model that did not pass the gate is flagged in `gate` and never signals. Where there is no forecast the answer is a
    problem document: 400 for input, 404 for unknown names, 503 with a `code` for the state of model, feed and lake.
    """
    return service.predict(data)


@get("/models", summary="Models that answer", tags=["models"])
async def models(service: Injected) -> list[ModelInfo]:
    """Every loaded model with its verdict and its metrics beside their baselines."""
    return service.describe()


@get("/health", summary="State of the service", tags=["service"])
async def health(service: Injected) -> Health:
    """200 while the process answers; `status` and `problems` say whether it can forecast."""
    return service.health()


ROUTES = [index, predict, models, health]
