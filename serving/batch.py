"""Many forecasts in one call: requests of their own, or rows for one model.

Belongs here: the routes /predict/batch and /predict/matrix. Does not: a single forecast (`service`), numbers of rows (`matrix`).
"""

import asyncio
from typing import Annotated, Any

import msgspec
from litestar import Request, Response, post
from litestar.params import Dependency, Parameter

from serving import matrix
from serving.batch_contracts import MOST_REQUESTS, Batch, BatchItem, BatchOperation, Matrix, MatrixOperation, MatrixRequest
from serving.bodies import read
from serving.bulk import whole
from serving.contracts import PredictRequest
from serving.early_problems import BodyTooLarge
from serving.limits import MORE
from serving.problems import (
    BadArtifact,
    BadFeatures,
    BadRequest,
    Busy,
    ModelRefused,
    NoModel,
    Problem,
    UnknownHorizon,
    UnknownInstrument,
    UnknownModel,
    UnknownVersion,
    specs,
)
from serving.served import ServedModel
from serving.service import Service
from serving.unserved import LEFT
from spx_assets.scoring.sequences import F32

Injected = Annotated[Service, Dependency(skip_validation=True)]
MAX_BATCH = 2 * 1024 * 1024
MAX_MATRIX = 8 * 1024 * 1024
"""14,600 rows of 143 inputs."""
MAX_JSON = 2 * 1024 * 1024
"""Reading JSON keeps all other requests waiting: 2 MiB take 15 ms."""
AS_OBJECTS = 4
"""What JSON takes in memory beside its length: a number of 10 characters is 32 bytes."""
AT_ONCE = 8
"""So many answers are made before other requests have their turn: 0.5 ms."""
MATRIX = (
    *(BadRequest, UnknownHorizon, BadFeatures, UnknownInstrument, UnknownModel, UnknownVersion, BodyTooLarge),
    *(NoModel, BadArtifact, ModelRefused, Busy),
)


class _Requests(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    requests: Annotated[list[msgspec.Raw], msgspec.Meta(min_length=1, max_length=MOST_REQUESTS)]


_REQUESTS, _REQUEST = msgspec.json.Decoder(_Requests), msgspec.json.Decoder(PredictRequest)
_MATRIX = msgspec.json.Decoder(MatrixRequest)


@post(
    "/predict/batch",
    status_code=200,
    summary="Many forecasts",
    tags=["forecasts"],
    request_max_body_size=MAX_BATCH,
    operation_class=BatchOperation,
    responses=specs(BadRequest, BodyTooLarge),
    raises=[],
)
async def batch(request: Request[Any, Any, Any], service: Injected) -> Batch:
    """Up to 100 requests as of POST /predict, each answered by its forecast or by the problem that stands against it.

    The call is a 200 whatever its items say: one bad item does not fail the rest. Codes of items are those of POST /predict.
    Where rates are limited, each item counts as a call.
    """
    raw = read(await request.body(), _REQUESTS).requests
    if (count := request.scope["state"].get(MORE)) and (problem := count(len(raw) - 1)):
        raise problem
    answers = []
    for k, item in enumerate(raw):
        if k % AT_ONCE == AT_ONCE - 1:
            await asyncio.sleep(0)
        if LEFT in request.scope["state"]:
            break
        answers.append(await _item(service, item))
    return Batch(answers=answers)


@post(
    "/predict/matrix",
    status_code=200,
    summary="Score rows of one's own",
    tags=["forecasts"],
    request_max_body_size=MAX_MATRIX,
    operation_class=MatrixOperation,
    responses=specs(*MATRIX),
    raises=[],
)
async def score(
    request: Request[Any, Any, Any],
    service: Injected,
    instrument: Annotated[str | None, Parameter(description="For a body of bytes: traded symbol", max_length=64)] = None,
    horizon_minutes: Annotated[int | None, Parameter(description="For a body of bytes", ge=1, le=1440)] = None,
    model_name: Annotated[str | None, Parameter(description="For a body of bytes", max_length=128)] = None,
    model_version: Annotated[str | None, Parameter(description="For a body of bytes", max_length=128)] = None,
) -> Response[Matrix | bytes]:
    """Rows of features in the order of GET /models/{name} through one model; for one of several rows each holds them all, oldest
    first. The rows are the caller's own: they are not in the ledger and never settled.

    As `application/json`, to 2 MiB, answered as JSON; or as `application/octet-stream`, to 8 MiB: float32, little-endian, NaN
    for null, with instrument and model in the query, answered by float32 [n, 4] whose columns the header `x-columns` names.
    While a worker holds 32 MiB of such bodies, further ones are answered 503 `busy` with a Retry-After.
    """
    packed = request.content_type[0] == matrix.TYPE
    most = MAX_MATRIX if packed else MAX_JSON
    size = most if request.content_length is None else request.content_length
    if size > most:
        raise _too_large(packed)
    if packed and instrument is None:
        raise BadRequest("a body of bytes needs the query parameter instrument")
    with service.bulk.hold(size if packed else AS_OBJECTS * size):
        body = await whole(request, size)
        if len(body) > most:
            raise _too_large(packed)
        if packed:
            asked = MatrixRequest(
                instrument=instrument or "",
                rows=[],
                horizon_minutes=horizon_minutes,
                model_name=model_name,
                model_version=model_version,
            )
            scored = await service.bulk.score(lambda: _packed(service, asked, body))
            return Response(scored.bytes(), media_type=matrix.TYPE, headers=scored.headers())
        asked = read(body, _MATRIX)
        scored = await service.bulk.score(lambda: _listed(service, asked))
        return Response(scored.json(), headers={"cache-control": "no-store"})


async def _item(service: Service, raw: msgspec.Raw) -> BatchItem:
    try:
        return BatchItem(prediction=await service.answer(read(bytes(raw), _REQUEST)))
    except Problem as problem:
        return BatchItem(problem=problem.document)


def _packed(service: Service, asked: MatrixRequest, body: bytearray) -> tuple[ServedModel, F32]:
    model = _model(service, asked)
    return model, matrix.packed(model, body)


def _listed(service: Service, asked: MatrixRequest) -> tuple[ServedModel, F32]:
    model = _model(service, asked)
    return model, matrix.listed(model, asked.rows)


def _model(service: Service, asked: MatrixRequest) -> ServedModel:
    return service.model(asked.instrument, horizon=asked.horizon_minutes, name=asked.model_name, version=asked.model_version)


def _too_large(packed: bool) -> BodyTooLarge:
    if packed:
        return BodyTooLarge(f"a body of bytes is taken to {MAX_MATRIX}; send the rows in parts")
    return BodyTooLarge(f"JSON is taken to {MAX_JSON} bytes; send {matrix.TYPE} for more")


ROUTES = [batch, score]
