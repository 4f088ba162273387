"""Appending and upserting rows of tables that are not replaced by weeks.

Belongs here: from frames to one transaction. Does not: partition replacement.
"""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

import polars as pl

from spx_assets.lake import contract, transaction
from spx_assets.lake.records import PartitionRecord, records_table
from spx_assets.lake.records import frame as records_frame
from spx_assets.lake.tables import Table
from spx_assets.lake.transaction import Change

if TYPE_CHECKING:
    from spx_assets.lake.connection import Lake


def write(
    lake: "Lake",
    *,
    append: Mapping[Table, pl.DataFrame],
    upsert: Mapping[Table, pl.DataFrame],
    delete: Mapping[Table, Mapping[str, object]],
    records: Mapping[Table, Sequence[PartitionRecord]],
) -> int:
    """Check every frame, then apply all in one transaction; the snapshot it made."""
    changes = [Change(table=table, matching=values) for table, values in delete.items()]
    for frames, replaces in ((upsert, True), (append, False)):
        for table, frame in frames.items():
            contract.check(table, frame)
            changes.append(Change(table=table, rows=frame.select([c.name for c in table.columns]), upsert=replaces))
    changes += [Change(table=records_table(table), rows=records_frame(table, rows)) for table, rows in records.items()]
    for table in {*append, *upsert, *delete, *records}:
        lake.ensure(table)
    names = sorted({change.table.name for change in changes if not change.table.name.endswith("_partitions")})
    message = f"write {', '.join(names)}"
    return transaction.commit(lake.location, changes, author="spx", message=message, extra={"tables": names})
