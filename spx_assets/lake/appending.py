"""Appending rows whose keys the caller knows to be new, beside small tables, in one transaction.

Belongs here: from frames to a file or rows and one commit. Does not: appending that looks for keys (`writing`), replacement.

`Lake.append` joins the new rows with all old ones to find a key twice. A ledger of millions of rows is appended to every minute,
and what must not come twice is kept out by the offset that is committed with the rows. The file is polars' own, where `staging`
uses pyarrow: that is twice as fast for 125 columns of floats and takes 40 MB, which the service does not have.
"""

import os
import uuid
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING

import polars as pl

from spx_assets.lake import contract, transaction
from spx_assets.lake.ddl import INLINED_ROWS
from spx_assets.lake.location import Location
from spx_assets.lake.tables import Table
from spx_assets.lake.transaction import Change

if TYPE_CHECKING:
    from spx_assets.lake.connection import Lake


def append_new(
    lake: "Lake",
    new: Mapping[Table, pl.DataFrame],
    *,
    upsert: Mapping[Table, pl.DataFrame],
    delete: Iterable[tuple[Table, Mapping[str, object]]] = (),
) -> int:
    """Apply all in one transaction: `delete` rows that equal the values, `upsert`, and add the `new`; the snapshot it made.

    Up to as many rows as a small table keeps in the catalog stay there, more become a Parquet file.
    """
    gone = list(delete)
    for table in {*new, *upsert, *(table for table, _ in gone)}:
        lake.ensure(table)
    changes = [Change(table=table, matching=values) for table, values in gone]
    changes += [Change(table=table, rows=_checked(table, frame), upsert=True) for table, frame in upsert.items()]
    for table, frame in new.items():
        rows = _checked(table, frame)
        few = table.small and rows.height <= INLINED_ROWS
        changes.append(
            Change(table=table, rows=rows, new=True) if few else Change(table=table, files=[_written(lake.location, table, rows)])
        )
    names = sorted({change.table.name for change in changes})
    message = f"append to {', '.join(names)}"
    return transaction.commit(lake.location, changes, author="spx", message=message, extra={"tables": names})


def _checked(table: Table, frame: pl.DataFrame) -> pl.DataFrame:
    """The rows in key order and the columns in the contract's; ContractError if they break it."""
    ordered = frame if contract.check(table, frame) else frame.sort(table.key)
    return ordered.select([column.name for column in table.columns])


def _written(location: Location, table: Table, rows: pl.DataFrame) -> str:
    """Rows as a file among the table's data, on the disk, where nothing reads it before a transaction adds it.

    What a transaction that failed has left there goes with the clean-up by age.
    """
    path = f"{location.data}/{table.name.replace('.', '/')}/spx-{uuid.uuid4()}.parquet"
    if location.s3:
        rows.write_parquet(path, compression="lz4", storage_options=location.storage_options)
        return path
    Path(path).parent.mkdir(parents=True, exist_ok=True)
    rows.write_parquet(path, compression="lz4")
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
    return path
