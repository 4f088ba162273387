"""Rows of `models.versions` and the ids of versions.

Belongs here: making an id, writing a version's row, reading versions back. Does not: training, verdicts.
"""

import secrets
from collections.abc import Mapping, Sequence
from datetime import UTC, date, datetime
from typing import Any

import polars as pl
import xxhash

from spx_assets.lake import Lake
from spx_assets.lake.records import PartitionRecord
from spx_assets.lake.tables import VERSIONS, Table
from spx_assets.scoring import compatibility
from spx_assets.sources import bindings


def new_id(at: datetime) -> str:
    """A version id: the UTC instant to the microsecond, so ids sort by time, and 32 random bits, so no two are the same."""
    return f"{at.astimezone(UTC):%Y%m%dT%H%M%S}{at.microsecond:06d}Z-{secrets.token_hex(4)}"


def frame(table: Table, rows: Sequence[Mapping[str, Any]]) -> pl.DataFrame:
    """Rows as a frame of the table's contract; a column that a row lacks is null."""
    schema = table.schema()
    return pl.DataFrame([{name: row.get(name) for name in schema} for row in rows], schema=schema)


def record(
    rows: pl.DataFrame, *, asset: str, week: date, snapshot: int, inputs_hash: str, run_id: str, at: datetime
) -> PartitionRecord:
    """The partition record of a model asset: its newest rows are what the partition holds."""
    content = xxhash.xxh3_128(rows.write_json().encode()).hexdigest()
    return PartitionRecord(
        asset=asset,
        week=week,
        rows=len(rows),
        content_hash=content,
        read_snapshot=snapshot,
        inputs_hash=inputs_hash,
        run_id=run_id,
        committed_at=at,
    )


def counting(lake: Lake, rows: pl.DataFrame) -> pl.DataFrame:
    """`rows`, which name a version each, without those of versions of feeds that others have replaced."""
    former = compatibility.of_former_feeds(
        lake.read(VERSIONS.name, columns=["version", "instruments", "feeds"]), bindings.in_force(lake)
    )
    return rows.filter(~pl.col("version").is_in(former))


def of_week(lake: Lake, *, name: str, week: date, families: tuple[str, ...]) -> pl.DataFrame:
    """The newest version of each of `families` for the week, in their order."""
    rows = counting(lake, lake.read(VERSIONS.name)).filter(pl.col("model_name") == name, pl.col("week") == week)
    newest = rows.sort("version").group_by("family", maintain_order=True).last()
    order = pl.DataFrame({"family": list(families), "order": range(len(families))})
    return newest.join(order, on="family").sort("order").drop("order").select(VERSIONS.schema().keys())


def newest_week(lake: Lake, *, name: str) -> date | None:
    """The newest week for which a version of `name` exists that counts."""
    week: Any = counting(lake, lake.read(VERSIONS.name)).filter(pl.col("model_name") == name)["week"].max()
    return week if isinstance(week, date) else None
