"""The routes of forecasts and of the service itself: each takes a request, calls the service, returns its answer.

Belongs here: paths, methods, documented responses. Does not: any decision (`service`), routes of other rooms.
"""

from typing import Annotated

from litestar import get, post
from litestar.params import Dependency

from serving import health as state
from serving.bodies import StrictBody
from serving.contracts import Health, Prediction, PredictRequest
from serving.problems import (
    BadArtifact,
    BadFeatures,
    BadRequest,
    Busy,
    FutureTimestamp,
    LakeUnavailable,
    LedgerUnavailable,
    MarketClosed,
    ModelRefused,
    NeedsSequence,
    NoMedians,
    NoModel,
    NoModelAt,
    StaleFeatures,
    StaleNews,
    UnknownHorizon,
    UnknownInstrument,
    UnknownModel,
    UnknownVersion,
    WarmingUp,
    specs,
)
from serving.service import Service

Injected = Annotated[Service, Dependency(skip_validation=True)]
PREDICT = (
    *(BadRequest, UnknownHorizon, FutureTimestamp, BadFeatures, NeedsSequence),
    *(UnknownInstrument, UnknownModel, UnknownVersion, NoModelAt, NoMedians),
    *(NoModel, BadArtifact, ModelRefused, LakeUnavailable, LedgerUnavailable, MarketClosed, StaleFeatures, StaleNews, WarmingUp),
    Busy,
)
"""What can stand against a forecast."""
MAX_PREDICT = 512 * 1024
"""Features of a caller's for a model of 60 rows and 143 inputs are 120 KiB of JSON, by name 300."""


@post(
    "/predict",
    status_code=200,
    summary="Forecast an instrument",
    tags=["forecasts"],
    dto=StrictBody[PredictRequest],
    return_dto=None,
    request_max_body_size=MAX_PREDICT,
    responses=specs(*PREDICT),
    raises=[],
)
async def predict(data: PredictRequest, service: Injected) -> Prediction:
    """Forecast from the last finished bar: direction with its calibrated probability, expected return and interval.

    With a `timestamp` from what was known then, by a model trained before; with `features` from those of the caller. A model that
    did not pass the gate is flagged in `gate` and never signals. Where there is no forecast the answer is a problem document:
    400 for input, 404 for unknown names, 503 with a `code` for the state of model, feed and lake.
    """
    return await service.answer(data)


@get("/health", summary="State of the service", tags=["service"])
async def health(service: Injected) -> Health:
    """200 while the process answers; `status` and `problems` say whether it can forecast."""
    return state.report(service)


ROUTES = [predict, health]
