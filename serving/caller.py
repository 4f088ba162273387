"""Features that the caller gives: from a request's numbers to the rows of a model.

Belongs here: names, order, length, nulls and numbers of a caller's features. Does not: the forecast (`forecasts`), many rows at
once (`matrix`).
"""

from collections.abc import Mapping, Sequence
from datetime import datetime

import numpy as np

from serving.contracts import Value
from serving.forecasts import Made
from serving.problems import BadFeatures, NeedsSequence
from serving.served import ServedModel
from spx_assets.scoring.sequences import F32

Row = Mapping[str, Value] | Sequence[Value]
Features = Mapping[str, Value] | Sequence[Value | Mapping[str, Value] | Sequence[Value]]


def make(model: ServedModel, instrument: str, features: Features, *, at: datetime, asked: float | None = None) -> Made:
    """The model's forecast of a caller's features for the time `at`; `BadFeatures` or `NeedsSequence` say what is wrong.

    `asked` is the level at which the interval is picked, by default the one that it promises.
    """
    X = rows(model, features)
    forecast = model.forecaster.predict(X[None], asked=asked)
    if not forecast.finite[0]:
        raise BadFeatures(f"{model.manifest.name} gives no finite forecast for them: they are far beyond what it was trained on")
    return Made(model, instrument, at, None, X, forecast, "caller")


def rows(model: ServedModel, features: Features) -> F32:
    """[input_rows, f] in the order of the manifest, NaN for null."""
    manifest = model.manifest
    given = _sequence(features)
    if given is None:
        if manifest.input_rows > 1:
            raise NeedsSequence(
                f"{manifest.name} {manifest.version} looks at {manifest.input_rows} rows; give a list of so many, the newest last"
            )
        given = [features]  # type: ignore[list-item]
    if len(given) != manifest.input_rows:
        raise NeedsSequence(
            f"{manifest.name} {manifest.version} looks at {manifest.input_rows} row(s), {len(given)} were given; give a list "
            "of so many, the newest last"
        )
    with np.errstate(over="ignore"):
        X: F32 = np.array([_row(manifest.features, row) for row in given], dtype=np.float64).astype(np.float32)
    if len(wrong := np.flatnonzero(np.isinf(X).any(axis=0))):
        raise BadFeatures(f"{_some([manifest.features[k] for k in wrong])} are too large for a float of 32 bits")
    if missing := model.forecaster.unknown(X):
        raise BadFeatures(f"{manifest.name} takes no null for {_some(missing)}", missing=missing)
    return X


def _sequence(features: Features) -> list[Row] | None:
    """The rows of a list of rows; None for one row."""
    if isinstance(features, Mapping) or not any(isinstance(row, Mapping | list) for row in features):
        return None
    if not all(isinstance(row, Mapping | list) for row in features):
        raise BadFeatures("a list of features holds numbers or rows, not both")
    return list(features)  # type: ignore[arg-type]


def _row(names: Sequence[str], row: Row) -> list[float]:
    if isinstance(row, Mapping):
        missing, unknown = [name for name in names if name not in row], sorted(row.keys() - set(names))
        if missing or unknown:
            said = [f"{what} {_some(which)}" for what, which in (("lacks", missing), ("does not know", unknown)) if which]
            raise BadFeatures(
                f"the row {' and '.join(said)}; the model's names are in GET /models/{{name}}",
                missing=missing or None,
                unknown=unknown or None,
            )
        values: Sequence[Value] = [row[name] for name in names]
    else:
        values = row
        if len(values) != len(names):
            raise BadFeatures(
                f"the row has {len(values)} numbers, the model takes {len(names)} in the order of GET /models/{{name}}"
            )
    return [np.nan if value is None else value for value in values]


def _some(names: Sequence[str]) -> str:
    """The first names, and how many there are beside them."""
    return ", ".join(names[:3]) + (f" and {len(names) - 3} more" if len(names) > 3 else "")
