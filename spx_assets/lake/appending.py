"""Appending rows whose keys the caller knows to be new, beside small tables, in one transaction.

Belongs here: from frames to files or rows and one commit. Does not: appending that looks for keys (`writing`), replacement.

`Lake.append` joins the new rows with all old ones to find a key twice. A ledger of millions of rows is appended to every few
seconds, and what must not come twice is kept out by the offset that is committed with the rows.
"""

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING

import polars as pl

from spx_assets.lake import contract, transaction
from spx_assets.lake.ddl import INLINED_ROWS
from spx_assets.lake.staging import Staging
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
    for table, frame in upsert.items():
        contract.check(table, frame)
        changes.append(Change(table=table, rows=frame.select([c.name for c in table.columns]), upsert=True))
    staged: list[Staging] = []
    try:
        for table, frame in new.items():
            ordered = frame if contract.check(table, frame) else frame.sort(table.key)
            rows = ordered.select([c.name for c in table.columns])
            if rows.height <= INLINED_ROWS:
                changes.append(Change(table=table, rows=rows, new=True))
                continue
            staged.append(Staging(lake.location, table))
            staged[-1].add(rows)
            changes.append(Change(table=table, files=staged[-1].finish()))
    except BaseException:
        for files in staged:
            files.discard()
        raise
    names = sorted({change.table.name for change in changes})
    message = f"append {', '.join(names)}"
    return transaction.commit(lake.location, changes, author="spx", message=message, extra={"tables": names})
