"""Features as they could be known at given times, for people and for joins with their own data.

Belongs here: the point-in-time join over `gold.market_features` and the values of one instant. Does not: the vector that is
served (`online`), correlations (`correlation`).
"""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import polars as pl

from spx_assets import SpxError, calendar
from spx_assets.features import catalog
from spx_assets.lake.tables import UTC_US, table

if TYPE_CHECKING:
    from spx_assets.lake.connection import Lake


class RequestError(SpxError):
    """The list of instruments and times cannot be joined."""


def read_request(frame: pl.DataFrame) -> pl.DataFrame:
    """Columns `instrument` and `time` (UTC) of a request; a time without a zone is refused, not guessed."""
    if missing := {"instrument", "time"} - set(frame.columns):
        raise RequestError(f"the request lacks the column {' and '.join(sorted(missing))}; it has {', '.join(frame.columns)}")
    time = frame.schema["time"]
    if time == pl.String:
        parsed = frame["time"].str.to_datetime(time_unit="us", time_zone="UTC", strict=False)
        if parsed.null_count() > frame["time"].null_count():
            bad = frame.filter(parsed.is_null())["time"][0]
            raise RequestError(f"time {bad!r} is not an ISO time with an offset, such as 2019-05-01T14:30:00Z")
        frame = frame.with_columns(time=parsed)
    elif not isinstance(time, pl.Datetime) or time.time_zone is None:
        raise RequestError(f"the column time is {time}; give it a time zone, such as 2019-05-01T14:30:00Z")
    frame = frame.with_columns(pl.col("time").dt.convert_time_zone("UTC").cast(UTC_US))
    if frame.select(pl.any_horizontal(pl.col("instrument", "time").is_null()).any()).item():
        raise RequestError("the request has rows without an instrument or a time; remove them")
    return frame


def get(
    lake: "Lake",
    request: pl.DataFrame,
    *,
    features: Sequence[str] | None = None,
    max_age: timedelta = timedelta(days=4),
    snapshot: int | None = None,
) -> pl.DataFrame:
    """The request with, for each row, the newest bar's features that were known at its `time`.

    A bar is known from its end: `ts + 1 minute <= time`. `ts` is that bar; it and the features are null where there is none
    within `max_age` (default 4 days: a long weekend). Rows keep their order.
    """
    request = read_request(request).with_row_index("_row")
    names = list(features) if features is not None else [f.name for f in catalog.model_inputs()]
    known = table("gold.market_features").schema()
    if unknown := [name for name in names if name not in known]:
        raise RequestError(f"no model input {unknown[0]!r} in gold.market_features; `spx features list` names them")
    if request.is_empty():
        start = end = datetime(1970, 1, 1, tzinfo=UTC)
    else:
        earliest, latest = request["time"].min(), request["time"].max()
        assert isinstance(earliest, datetime)
        assert isinstance(latest, datetime)
        start, end = earliest - max_age - calendar.ONE_MINUTE, latest
    instruments = request["instrument"].unique().sort().to_list()
    columns = ["instrument", "ts", *names]
    rows = lake.read("gold.market_features", start=start, end=end, columns=columns, instruments=instruments, snapshot=snapshot)
    rows = rows.with_columns(_known=pl.col("ts") + timedelta(minutes=1)).sort("_known")
    joined = request.sort("time").join_asof(
        rows, left_on="time", right_on="_known", by="instrument", strategy="backward", tolerance=max_age, check_sortedness=False
    )
    return joined.sort("_row").select(*[c for c in request.columns if c != "_row"], "ts", *names)


def values(lake: "Lake", instrument: str, at: datetime, *, snapshot: int | None = None) -> pl.DataFrame:
    """What was known of `instrument` at `at`: one row a model input with family, value, unit and meaning."""
    row = get(lake, pl.DataFrame({"instrument": [instrument], "time": [at]}), snapshot=snapshot)
    inputs = catalog.model_inputs()
    return pl.DataFrame(
        {
            "feature": [f.name for f in inputs],
            "family": [f.family for f in inputs],
            "value": [row[f.name][0] for f in inputs],
            "unit": [f.unit for f in inputs],
            "description": [f.description for f in inputs],
            "ts": [row["ts"][0]] * len(inputs),
        },
        schema_overrides={"value": pl.Float32, "ts": UTC_US},
    )


def listing() -> pl.DataFrame:
    """The catalog as a table: the glossary that `spx features list` prints."""
    return pl.DataFrame(
        [
            {
                "feature": f.name,
                "family": f.family,
                "model_input": f.model_input,
                "unit": f.unit,
                "low": f.low,
                "high": f.high,
                "warmup_bars": f.warmup,
                "inputs": " ".join(f.inputs),
                "seed_name": f.seed_name,
                "description": f.description,
            }
            for f in catalog.FEATURES
        ],
        schema_overrides={"low": pl.Float64, "high": pl.Float64},
    )
