"""What of a table was known at a time: of rows that say in `known_at` when they could be.

Belongs here: the first and last row of an instrument and whether some came late, asked of DuckDB, which reads two columns and
keeps none. Does not: reading rows (`reading`), what is made of them.
"""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

from spx_assets.lake import ddl
from spx_assets.lake.schema import Table

if TYPE_CHECKING:
    from spx_assets.lake.connection import Lake

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass(frozen=True)
class Last:
    """Times of an instrument's last row, and of the last that was known; None where there is none."""

    of_all: datetime | None
    known: datetime | None


def last(
    lake: "Lake", table: Table, *, instrument: str, start: datetime | None, end: datetime, at: datetime, snapshot: int
) -> Last:
    """The last rows with `start` <= time < `end`, of all and of those known at `at`."""
    since = EPOCH if start is None else start
    time = ddl.quoted(table.time or "")
    found = _one(
        lake,
        table,
        snapshot,
        f"epoch_us(max({time})), epoch_us(max({time}) FILTER (known_at <= $at))",
        {"instrument": instrument, "start": since, "end": end, "at": at},
    )
    return Last(*(None if us is None else EPOCH + timedelta(microseconds=us) for us in found))


def first(lake: "Lake", table: Table, *, instrument: str, start: datetime, end: datetime, snapshot: int) -> datetime | None:
    """The first row with `start` <= time < `end`; None where there is none."""
    asked = {"instrument": instrument, "start": start, "end": end}
    [us] = _one(lake, table, snapshot, f"epoch_us(min({ddl.quoted(table.time or '')}))", asked)
    return None if us is None else EPOCH + timedelta(microseconds=us)


def late(lake: "Lake", table: Table, *, instrument: str, start: datetime, end: datetime, at: datetime, snapshot: int) -> bool:
    """Whether some row with `start` <= time < `end` was known only later than `at`."""
    asked = {"instrument": instrument, "start": start, "end": end, "at": at}
    [found] = _one(lake, table, snapshot, "coalesce(bool_or(known_at > $at), false)", asked)
    return bool(found)


def _one(lake: "Lake", table: Table, snapshot: int, what: str, asked: dict[str, object]) -> tuple[int | None, ...]:
    """The one row of an aggregate; of a table that was never written the aggregate of nothing."""
    if not lake.listing(table, snapshot).exists:
        return (None,) * (what.count("epoch_us") or 1)
    time = ddl.quoted(table.time or "")
    with lake.cursor() as cursor:
        found = cursor.execute(
            f"SELECT {what} FROM {ddl.qualified(table)} AT (VERSION => {snapshot:d}) "
            f"WHERE instrument = $instrument AND {time} >= $start AND {time} < $end",
            asked,
        ).fetchone()
    return tuple(found or ())
