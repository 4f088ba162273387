"""From the contents of a journal file to rows of `serving.predictions` and `serving.vectors`.

Belongs here: the columns of the tables, what follows from the facts of a forecast. Does not: files, transactions, routes.
"""

import json
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import numpy as np
import polars as pl

from serving.ledger.entries import Answers, Contents, Facts, VectorFacts
from spx_assets.lake.serving_tables import PREDICTIONS, VECTORS
from spx_assets.lake.tables import UTC_US

_DASHES = (8, 13, 18, 23)
_SAME = (
    *("instrument", "horizon_minutes", "model_name", "model_version", "model_digest", "alias", "gate", "return_head"),
    *("probability", "signal", "expected_return_bp", "predicted_price", "interval_low_bp", "interval_high_bp"),
    *("interval_level", "horizon_crosses_close", "tolerance_min", "features_used", "features_source", "in_sample"),
)
"""Columns of `serving.predictions` that are facts under the same name."""


def predictions(contents: Contents, answers: Answers) -> pl.DataFrame:
    """One row an answer, as `serving.predictions` wants them, ordered by id. Answers whose forecast damage took are left out."""
    numbers, place = np.unique(answers["forecast"], return_inverse=True)
    there = [int(number) for number in numbers if _whole(contents, int(number))]
    if len(there) < len(numbers):
        kept = np.isin(answers["forecast"], np.array(there, np.uint32))
        answers = answers[kept]
        numbers, place = np.unique(answers["forecast"], return_inverse=True)
    said = _said([contents.forecasts[int(number)] for number in numbers], contents.names)
    answered = pl.DataFrame(
        {
            "id": _ids(answers),
            "answered_at": pl.Series(answers["at"]).cast(UTC_US),
            "feature_age_s": pl.Series(answers["age_s"]).fill_nan(None),
        }
    )
    return answered.hstack(said[place]).select(PREDICTIONS.schema().keys()).sort("id")


def _whole(contents: Contents, number: int) -> bool:
    """Whether all is there that an answer refers to."""
    fact = contents.forecasts.get(number)
    return fact is not None and (fact.inline is None or fits(fact.inline, contents.names.get(fact.feature_set)))


def fits(values: bytes, names: Sequence[str] | None) -> bool:
    """Whether the values are rows of those names."""
    return bool(names) and bool(values) and len(values) % (4 * len(names or ())) == 0


def _said(facts: Sequence[Facts], names: Mapping[str, tuple[str, ...]]) -> pl.DataFrame:
    """The columns of `serving.predictions` that a forecast decides, one row a forecast."""
    schema = PREDICTIONS.schema()
    columns: dict[str, list[Any]] = {name: [getattr(fact, name) for fact in facts] for name in _SAME}
    up = [fact.probability >= 0.5 for fact in facts]
    confidence = [max(fact.probability, 1.0 - fact.probability) for fact in facts]
    columns |= {
        "prediction": ["up" if likelier else "down" for likelier in up],
        "confidence": confidence,
        "signal_strength": [2.0 * sure - 1.0 for sure in confidence],
        "signal_threshold": [fact.threshold for fact in facts],
        "feature_set_hash": [fact.feature_set for fact in facts],
        "vector_digest": [fact.vector for fact in facts],
        "caller_features": [_inline(fact, names) for fact in facts],
    }
    frame = pl.DataFrame(columns, schema={name: schema[name] for name in columns})
    stamps: dict[str, list[Any]] = {"ts": [fact.ts_us for fact in facts], "as_of": [fact.as_of_us for fact in facts]}
    return frame.with_columns(pl.Series(name, values, dtype=pl.Int64).cast(UTC_US) for name, values in stamps.items())


def vectors(found: Iterable[VectorFacts], names: Mapping[str, tuple[str, ...]]) -> pl.DataFrame:
    """Rows of `serving.vectors`, in key order."""
    rows = [(v.instrument, v.ts_us, v.feature_set, v.digest, _named(v.values, names[v.feature_set])[0]) for v in found]
    schema = {**VECTORS.schema(), "ts": pl.Int64()}
    return pl.DataFrame(rows, schema=schema, orient="row").with_columns(pl.col("ts").cast(UTC_US)).sort(VECTORS.key)


def _inline(fact: Facts, names: Mapping[str, tuple[str, ...]]) -> str | None:
    """What a caller gave: one object of names and numbers a bar, as a list where the model looks at several."""
    if fact.inline is None:
        return None
    rows = _named(fact.inline, names[fact.feature_set])
    return rows[0] if len(rows) == 1 else f"[{','.join(rows)}]"


def _named(values: bytes, names: tuple[str, ...]) -> list[str]:
    """float32 rows as JSON objects: each number in full, so that it is the same float32 when it is read again."""
    table = np.frombuffer(values, np.float32).reshape(-1, len(names))
    return [
        json.dumps({name: None if value != value else value for name, value in zip(names, row, strict=True)})
        for row in table.tolist()
    ]


def _ids(answers: Answers) -> pl.Series:
    """The ids as text: 32 hexadecimal digits and four dashes, all at once (100,000 one by one are 60 ms)."""
    digits = np.frombuffer(answers["id"].tobytes().hex().encode(), np.uint8).reshape(-1, 32)
    written = np.full((len(digits), 36), ord("-"), np.uint8)
    written[:, [at for at in range(36) if at not in _DASHES]] = digits
    return pl.Series(np.ascontiguousarray(written).view("S36").ravel(), dtype=pl.Binary).cast(pl.String)
