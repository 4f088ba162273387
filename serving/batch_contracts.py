"""What goes over the wire for many forecasts at once.

Belongs here: bodies and answers of /predict/batch and /predict/matrix, and how /docs shows bodies that are not read whole. Does
not: reading them (`batch`, `matrix`).
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated

import msgspec
from litestar.openapi.spec import (
    Example,
    OpenAPIMediaType,
    OpenAPIResponse,
    OpenAPIType,
    Operation,
    Reference,
    RequestBody,
    Schema,
)

from serving.contracts import Alias, Gate, Prediction, ProblemDocument

MOST_REQUESTS = 100
"""From memory so many take 5 ms; each of a past time 30."""
MOST_ROWS = 16_384


class BatchItem(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """Either a forecast or the problem that stands against it."""

    prediction: Prediction | None = None
    problem: ProblemDocument | None = None


class Batch(msgspec.Struct, frozen=True, kw_only=True):
    """Answers in the order of the requests."""

    answers: list[BatchItem]


class MatrixRequest(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Rows of features for one model."""

    instrument: Annotated[str, msgspec.Meta(min_length=1, max_length=64)]
    rows: Annotated[list[list[float | None]], msgspec.Meta(min_length=1, max_length=MOST_ROWS)]
    horizon_minutes: Annotated[int, msgspec.Meta(ge=1, le=1440)] | None = None
    model_name: Annotated[str, msgspec.Meta(max_length=128)] | None = None
    model_version: Annotated[str, msgspec.Meta(max_length=128)] | None = None


class Matrix(msgspec.Struct, frozen=True, kw_only=True):
    """One number a row in each list; null where a row lacks an input the model needs or is far beyond what it was trained on."""

    model_name: str
    model_version: str
    model_digest: str
    alias: Alias
    gate: Gate
    interval_level: float
    rows: int
    expected_return_bp: list[float | None]
    probability: Annotated[list[float | None], msgspec.Meta(description="Calibrated probability of up")]
    interval_low_bp: list[float | None]
    interval_high_bp: list[float | None]


def _object(required: list[str], properties: Mapping[str, Schema | Reference]) -> Schema:
    return Schema(type=OpenAPIType.OBJECT, properties=dict(properties), required=required, additional_properties=False)


def _array(items: Schema | Reference, most: int | None = None) -> Schema:
    return Schema(type=OpenAPIType.ARRAY, items=items, min_items=1, max_items=most)


_TEXT = Schema(type=OpenAPIType.STRING, min_length=1, max_length=64)
_NAME = Schema(one_of=[Schema(type=OpenAPIType.STRING, max_length=128), Schema(type=OpenAPIType.NULL)])
_MINUTES = Schema(one_of=[Schema(type=OpenAPIType.INTEGER, minimum=1, maximum=1440), Schema(type=OpenAPIType.NULL)])
_VALUE = Schema(one_of=[Schema(type=OpenAPIType.NUMBER), Schema(type=OpenAPIType.NULL)])
_REQUESTS = _array(Reference(ref="#/components/schemas/PredictRequest"), MOST_REQUESTS)
_ROWS = _array(_array(_VALUE), MOST_ROWS)


_BYTES = OpenAPIMediaType(
    schema=Schema(
        type=OpenAPIType.STRING,
        description="float32, little-endian, row after row in the order of the manifest, NaN for null",
    )
)


@dataclass
class BatchOperation(Operation):
    """The body is read item by item, so that one that is no request does not fail the rest."""

    def __post_init__(self) -> None:
        requests = [{"instrument": "SPX500_USD"}, {"instrument": "SPX500_USD", "timestamp": "2025-10-15T15:30:00Z"}]
        self.request_body = RequestBody(
            required=True,
            content={
                "application/json": OpenAPIMediaType(
                    schema=_object(["requests"], {"requests": _REQUESTS}), examples={"two": Example(value={"requests": requests})}
                )
            },
        )


@dataclass
class MatrixOperation(Operation):
    """The body is JSON, or the numbers themselves; the answer is of the body's type."""

    def __post_init__(self) -> None:
        properties = {
            "instrument": _TEXT,
            "rows": _ROWS,
            "horizon_minutes": _MINUTES,
            "model_name": _NAME,
            "model_version": _NAME,
        }
        one = Example(value={"instrument": "SPX500_USD", "rows": [[0.1, None, 2.5]]})
        self.request_body = RequestBody(
            required=True,
            content={
                "application/json": OpenAPIMediaType(
                    schema=_object(["instrument", "rows"], properties), examples={"one row": one}
                ),
                "application/octet-stream": _BYTES,
            },
        )
        answer = (self.responses or {}).get("200")
        if isinstance(answer, OpenAPIResponse):
            matrix = OpenAPIMediaType(schema=Reference(ref="#/components/schemas/Matrix"))
            answer.content = {"application/json": matrix, "application/octet-stream": _BYTES}
