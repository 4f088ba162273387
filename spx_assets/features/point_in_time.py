"""Features as they could be known at given times, for people and for joins with their own data.

Belongs here: the point-in-time join over the model inputs and the values of one instant. Does not: the vector that is served
(`online`), correlations (`correlation`).
"""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING

import polars as pl

from spx_assets import SpxError, calendar
from spx_assets.features import catalog, inputs
from spx_assets.lake.tables import UTC_US

if TYPE_CHECKING:
    from spx_assets.lake.connection import Lake


class RequestError(SpxError):
    """The list of instruments and times cannot be joined."""


def read_keys(path: Path) -> pl.DataFrame:
    """Columns `instrument` and `ts` of a CSV or Parquet file of requests."""
    try:
        frame = pl.read_parquet(path) if path.suffix.lower() in (".parquet", ".pq") else pl.read_csv(path)
    except (pl.exceptions.PolarsError, OSError, UnicodeDecodeError) as error:
        raise RequestError(f"{path} is neither CSV nor Parquet with the columns instrument and ts: {error}") from error
    return keys(frame)


def keys(frame: pl.DataFrame) -> pl.DataFrame:
    """The request with `ts` as UTC instants. Text is ISO 8601, each cell by itself; a stamp without an offset is UTC."""
    if missing := {"instrument", "ts"} - set(frame.columns):
        raise RequestError(f"the request lacks the column {' and '.join(sorted(missing))}; it has {', '.join(frame.columns)}")
    kind = frame.schema["ts"]
    if kind == pl.String:
        frame = frame.with_columns(ts=pl.Series([None if cell is None else _instant(cell) for cell in frame["ts"]], dtype=UTC_US))
    elif not isinstance(kind, pl.Datetime):
        raise RequestError(f"the column ts holds {kind}, not times; write them as 2019-05-01T14:30:00Z")
    elif kind.time_zone is None:
        frame = frame.with_columns(pl.col("ts").dt.replace_time_zone("UTC"))
    frame = frame.with_columns(pl.col("instrument").cast(pl.String), pl.col("ts").dt.convert_time_zone("UTC").cast(UTC_US))
    if frame.select(pl.any_horizontal(pl.col("instrument", "ts").is_null()).any()).item():
        raise RequestError("the request has rows without an instrument or a ts; remove them")
    return frame


def _instant(cell: str) -> datetime:
    try:
        return calendar.instant(cell)
    except ValueError:
        raise RequestError(f"ts {cell!r} is not an ISO time such as 2019-05-01T14:30:00Z") from None


def join(
    lake: "Lake",
    frame: pl.DataFrame,
    *,
    features: Sequence[str] | None = None,
    max_age: timedelta = timedelta(days=4),
    snapshot: int | None = None,
) -> pl.DataFrame:
    """The request with, for each row, the newest bar's features that were known at its `ts`.

    A bar is known from its end: `bar_ts + 1 minute <= ts`. `bar_ts` is that bar's start; it and the features are null where
    there is none within `max_age` (default 4 days: a long weekend). Rows keep their order and other columns.
    """
    request = keys(frame).with_row_index("_row")
    names = list(features) if features is not None else [f.name for f in catalog.model_inputs()]
    known = {f.name for f in catalog.model_inputs()}
    if unknown := [name for name in names if name not in known]:
        raise RequestError(f"there is no model input {unknown[0]!r}; `spx features list` names them")
    earliest, latest = request["ts"].min(), request["ts"].max()
    if not isinstance(earliest, datetime) or not isinstance(latest, datetime):
        earliest = latest = datetime(1970, 1, 1, tzinfo=UTC)
    instruments = request["instrument"].unique().sort().to_list()
    start = earliest - max_age - calendar.ONE_MINUTE
    at = lake.snapshot() if snapshot is None else snapshot
    rows = inputs.read(
        lambda table, columns: lake.read(table, start=start, end=latest, columns=columns, instruments=instruments, snapshot=at),
        names,
    )
    rows = rows.rename({"ts": "bar_ts"}).with_columns(_known=pl.col("bar_ts") + calendar.ONE_MINUTE).sort("_known")
    joined = request.sort("ts").join_asof(
        rows, left_on="ts", right_on="_known", by="instrument", strategy="backward", tolerance=max_age, check_sortedness=False
    )
    return joined.sort("_row").select(*[c for c in request.columns if c != "_row"], "bar_ts", *names)


def values(lake: "Lake", *, instrument: str, at: datetime, snapshot: int | None = None) -> pl.DataFrame:
    """What was known of `instrument` at `at`: one row a model input with its bar, value, unit and meaning."""
    row = join(lake, pl.DataFrame({"instrument": [instrument], "ts": [at]}), snapshot=snapshot)
    if row["bar_ts"][0] is None:
        known = lake.read("gold.market_features", columns=["instrument"], snapshot=snapshot)["instrument"].unique().sort()
        if len(known) and instrument not in known:
            raise RequestError(f"gold.market_features has no {instrument}; it holds {', '.join(known)}")
        raise RequestError(f"{instrument}: no bar of the 4 days before {at} in gold.market_features; `spx backfill` that week")
    features = catalog.model_inputs()
    return pl.DataFrame(
        {
            "feature": [f.name for f in features],
            "family": [f.family for f in features],
            "value": [row[f.name][0] for f in features],
            "unit": [f.unit for f in features],
            "description": [f.description for f in features],
            "bar_ts": [row["bar_ts"][0]] * len(features),
        },
        schema_overrides={"value": pl.Float32, "bar_ts": UTC_US},
    )
