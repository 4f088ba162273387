"""Appending rows whose keys the caller knows to be new, beside small tables, in one transaction.

Belongs here: from frames to a file or rows and one commit. Does not: appending that looks for keys (`writing`), replacement.

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


class Appending:
    """New rows of one table, added a slice at a time so that only a slice is in memory, and committed together.

    Up to as many rows as a small table keeps in the catalog stay there, more become a Parquet file.
    """

    def __init__(self, lake: "Lake", table: Table) -> None:
        self._lake, self._table = lake, table
        self._few: pl.DataFrame | None = None
        self._staged: Staging | None = None

    def add(self, frame: pl.DataFrame) -> None:
        """Check a slice and keep it for the commit. If that fails nothing that was added is committed."""
        try:
            ordered = frame if contract.check(self._table, frame) else frame.sort(self._table.key)
            rows = ordered.select([column.name for column in self._table.columns])
            if self._few is None and self._staged is None and rows.height <= INLINED_ROWS:
                self._few = rows
                return
            self._staged = self._staged or Staging(self._lake.location, self._table)
            if self._few is not None:
                self._staged.add(self._few)
                self._few = None
            self._staged.add(rows)
        except BaseException:
            self.discard()
            raise

    def commit(self, *, upsert: Mapping[Table, pl.DataFrame], delete: Iterable[tuple[Table, Mapping[str, object]]] = ()) -> int:
        """What was added, after `delete` (rows that equal the values) and `upsert`, in one transaction; the snapshot it made."""
        gone = list(delete)
        for table in {self._table, *upsert, *(table for table, _ in gone)}:
            self._lake.ensure(table)
        changes = [Change(table=table, matching=values) for table, values in gone]
        for table, frame in upsert.items():
            contract.check(table, frame)
            changes.append(Change(table=table, rows=frame.select([column.name for column in table.columns]), upsert=True))
        if self._few is not None:
            changes.append(Change(table=self._table, rows=self._few, new=True))
        if self._staged is not None:
            changes.append(Change(table=self._table, files=self._staged.finish()))
        # Handed over: from here on a failure may have committed, so only the clean-up by age may remove the file.
        self._few = self._staged = None
        names = sorted({change.table.name for change in changes})
        message = f"append to {', '.join(names)}"
        return transaction.commit(self._lake.location, changes, author="spx", message=message, extra={"tables": names})

    def discard(self) -> None:
        """Forget what was added and not committed."""
        if self._staged is not None:
            self._staged.discard()
        self._few = self._staged = None
