"""Many rows of a caller's features through one model: for backtests and for scoring in bulk.

Belongs here: rows to numbers and back, as JSON or as bytes. Does not: routes (`batch`), single requests (`caller`).

143 numbers of a row are 1.4 KB of JSON, which alone takes 15 us to read; as float32 they are 572 bytes that are not read at all.
So bytes answer bytes: 100,000 rows a second are 57 MB.

Rows have no time, so their intervals are those of the level that is promised, whatever level the day asks for.
"""

import math
from collections import deque
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from serving.batch_contracts import MOST_ROWS, Matrix
from serving.problems import BadFeatures
from serving.served import ServedModel
from spx_assets.scoring.sequences import F32

COLUMNS = ("expected_return_bp", "probability", "interval_low_bp", "interval_high_bp")
TYPE = "application/octet-stream"
PART = 2_048
"""Rows through the graph at once: what it needs beside them stays at 1 MB, and more at once are no faster."""


@dataclass(frozen=True)
class Scored:
    """Forecasts [n, 4] in the order of COLUMNS; NaN in rows that lack an input the model needs or overflow its graph."""

    model: ServedModel
    values: npt.NDArray[np.float64]

    def json(self) -> Matrix:
        manifest = self.model.manifest
        columns = ([None if math.isnan(value) else value for value in column] for column in self.values.T.tolist())
        return Matrix(
            model_name=manifest.name,
            model_version=manifest.version,
            model_digest=manifest.digest,
            alias=self.model.alias,
            gate=self.model.gate,
            interval_level=manifest.interval_level,
            rows=len(self.values),
            **dict(zip(COLUMNS, columns, strict=True)),
        )

    def bytes(self) -> bytes:
        """float32 [n, 4], little-endian."""
        return self.values.astype("<f4").tobytes()

    def headers(self) -> dict[str, str]:
        """What the bytes are."""
        manifest = self.model.manifest
        return {
            "x-columns": ",".join(COLUMNS),
            "x-rows": str(len(self.values)),
            "x-model-name": manifest.name,
            "x-model-version": manifest.version,
            "x-model-digest": manifest.digest,
            "x-gate": self.model.gate,
        }


def listed(model: ServedModel, rows: list[list[float | None]]) -> F32:
    """Rows of a JSON body as the graph takes them."""
    width = _width(model)
    for k, row in enumerate(rows):
        if len(row) != width:
            raise BadFeatures(f"row {k} has {len(row)} numbers, {_takes(model)}")
    with np.errstate(over="ignore"):
        X: F32 = np.array(rows, dtype=np.float64).astype(np.float32)  # None becomes NaN
    return _shaped(model, X)


def packed(model: ServedModel, body: bytes | bytearray) -> F32:
    """The rows of a body of float32 numbers, without a copy."""
    size = 4 * _width(model)
    if not body or len(body) % size:
        raise BadFeatures(f"the body has {len(body)} bytes, not a multiple of {size}: {_takes(model)}, 4 bytes each")
    if len(body) // size > MOST_ROWS:
        raise BadFeatures(f"the body has {len(body) // size} rows, at most {MOST_ROWS} are taken at once; send them in parts")
    return _shaped(model, np.frombuffer(body, dtype="<f4").reshape(-1, _width(model)))


class Scoring:
    """Rows X [n, input_rows, f] of one request, scored part by part by as many threads as call `run`.

    Where the parts begin does not depend on how many threads there are: forecasts are the same to the bit.
    """

    def __init__(self, model: ServedModel, X: F32) -> None:
        self._model, self._X = model, X
        self._step = max(1, PART // model.manifest.input_rows)
        self._begin = deque(range(0, len(X), self._step))
        self._values = np.empty((len(X), len(COLUMNS)))
        self._refused: dict[int, BadFeatures] = {}
        self.parts = len(self._begin)

    def run(self) -> None:
        """Scores parts until none is left or one is refused."""
        while not self._refused:
            try:
                first = self._begin.popleft()
            except IndexError:
                return
            rows = slice(first, first + self._step)
            try:
                self._values[rows] = _part(self._model, self._X[rows], first=first)
            except BadFeatures as error:
                self._refused[first] = error

    def scored(self) -> Scored:
        """What was made; `BadFeatures` of the first bad row."""
        if self._refused:
            raise self._refused[min(self._refused)]
        return Scored(self._model, self._values)


def score(model: ServedModel, X: F32) -> Scored:
    """Forecasts of X [n, input_rows, f], on this thread."""
    scoring = Scoring(model, X)
    scoring.run()
    return scoring.scored()


def _part(model: ServedModel, X: F32, *, first: int) -> npt.NDArray[np.float64]:
    """Forecasts of rows of which the first is row `first` of the request; one call of the graph."""
    if np.isfinite(X).all():
        return _values(model, X)
    infinite = np.isinf(X)
    if infinite.any():
        row, _, column = (int(k[0]) for k in np.nonzero(infinite))
        raise BadFeatures(
            f"row {first + row} has a number in {model.manifest.features[column]} that a float of 32 bits cannot hold"
        )
    able = model.forecaster.complete(X)
    if able.all():
        return _values(model, X)
    values = np.full((len(X), len(COLUMNS)), np.nan)
    if able.any():
        values[able] = _values(model, X[able])
    return values


def _values(model: ServedModel, X: F32) -> npt.NDArray[np.float64]:
    made = model.forecaster.predict(X)
    values = np.stack((made.return_bp, made.probability_up, made.interval_low_bp, made.interval_high_bp), axis=1)
    values[~made.finite] = np.nan
    return values


def _shaped(model: ServedModel, X: F32) -> F32:
    return X.reshape(len(X), model.manifest.input_rows, len(model.manifest.features))


def _width(model: ServedModel) -> int:
    return model.manifest.input_rows * len(model.manifest.features)


def _takes(model: ServedModel) -> str:
    manifest = model.manifest
    of = f"{manifest.input_rows} rows of " if manifest.input_rows > 1 else ""
    return f"{manifest.name} takes {of}{len(manifest.features)} numbers in the order of GET /models/{manifest.name}"
