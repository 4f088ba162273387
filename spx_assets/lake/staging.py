"""Rows on their way into a table: written as Parquet among its data, where nothing reads them until a transaction adds them.

Belongs here: staged files and how they are laid out. Does not: listing or reading files, transactions.

Why beside DuckDB's own writer: it writes 8 weeks x 125 floats in 0.5-0.7 CPU s, pyarrow in 0.035; and a staged file leaves only
its registration to be done under the lock.
"""

import contextlib
import os
import uuid
from pathlib import Path
from typing import TYPE_CHECKING

import polars as pl

from spx_assets.lake.buffers import Buffers
from spx_assets.lake.location import Location
from spx_assets.lake.tables import Table

if TYPE_CHECKING:
    import pyarrow as pa  # imported where files are written: 18 MB that a process which only reads does not need
    from pyarrow import parquet

# The catalog lists each group of each column as it adds a file, so a chunk of 16 weeks of one instrument, 110,000 rows, is one.
ROW_GROUP = 131_072
# Candles and labels: the days of look-back before a chunk are in one group of four.
NARROW_COLUMNS, NARROW_ROW_GROUP = 16, 16_384
# One page a column and group: 110,000 doubles are 0.9 MB.
PAGE_BYTES = 8 << 20
# Chunks share a file up to this size: adding a file costs 0.2 ms a column. No larger, because upkeep writes a file of which rows
# were deleted anew under the table's lock: 52 MB, 16 weeks of the widest table, take 0.6 to 0.9 s of the second it may be held.
FILE_BYTES = 64_000_000


class Staging:
    """Staged files of one table, a chunk at a time."""

    def __init__(self, location: Location, table: Table) -> None:
        self._location, self._table = location, table
        self._folder = f"{location.data}/{table.name.replace('.', '/')}"
        self._paths: list[str] = []
        self._group = NARROW_ROW_GROUP if len(table.columns) <= NARROW_COLUMNS else ROW_GROUP
        self._open: parquet.ParquetWriter | None = None
        self._bytes = 0

    def add(self, held: Buffers) -> None:
        """Write the rows of a chunk. If that fails nothing staged is of use any more: `discard` it."""
        frame = held.frame
        if self._location.s3:
            path = self._new()
            frame.write_parquet(
                path, compression="lz4", row_group_size=self._group, storage_options=self._location.storage_options
            )
            return
        import pyarrow as pa

        rows = _arrow(held)
        if self._open is not None and (self._bytes + rows.nbytes > FILE_BYTES or not _fits(rows, self._open.schema)):
            self._close()
        writer = self._open or self._opened(rows)
        writer.write_table(pa.Table.from_arrays(rows.columns, schema=writer.schema), row_group_size=self._group)
        self._bytes += rows.nbytes

    def finish(self) -> list[str]:
        """Close the files; their paths. They are on the disk: the catalog's commit is durable, so what it points at has to be."""
        self._close()
        return self._paths

    def discard(self) -> None:
        """Remove the files, whose transaction did not happen; on s3 the clean-up of orphans does it."""
        if self._open is not None:
            import pyarrow as pa

            # What could not be written need not be finished either.
            with contextlib.suppress(OSError, pa.ArrowException):
                self._open.close()
            self._open = None
        if not self._location.s3:
            for path in self._paths:
                Path(path).unlink(missing_ok=True)

    def _new(self) -> str:
        self._paths.append(f"{self._folder}/spx-{uuid.uuid4()}.parquet")
        return self._paths[-1]

    def _opened(self, rows: "pa.Table") -> "parquet.ParquetWriter":
        import pyarrow as pa
        from pyarrow import parquet

        Path(self._folder).mkdir(parents=True, exist_ok=True)
        # Columns without a null say so, and Parquet spares them a null mask: half the time of writing them.
        fields = [field.with_nullable(column.null_count > 0) for field, column in zip(rows.schema, rows.columns, strict=True)]
        # As the bytes lie in memory: lz4 makes 1.76 million bars with all their features 2.1 GB instead of 2.9, costs 4.4 CPU s
        # beside 5.1 to write, and twice as long to read. Statistics only where files and row groups are skipped by them.
        self._open = parquet.ParquetWriter(
            self._new(),
            pa.schema(fields),
            compression="none",
            use_dictionary=[column.name for column in self._table.columns if column.type == "VARCHAR"],
            write_statistics=list(self._table.key),
            data_page_size=PAGE_BYTES,
            write_batch_size=ROW_GROUP,
            store_schema=False,
        )
        self._bytes = 0
        return self._open

    def _close(self) -> None:
        if self._open is None:
            return
        self._open.close()
        self._open = None
        handle = os.open(self._paths[-1], os.O_RDONLY)
        try:
            os.fsync(handle)
        finally:
            os.close(handle)


def _arrow(held: Buffers) -> "pa.Table":
    """The frame as Parquet's writer takes it.

    A text that is the same in every row, as the instrument is, comes as a dictionary of one: as text each row of it would be
    copied, hashed and compared, 3 of 100 of a commit's time.
    """
    import pyarrow as pa

    frame = held.frame
    only = {name: text for name, kind in frame.schema.items() if kind == pl.String and (text := held.only_text(name)) is not None}
    rows = frame.drop(only).to_arrow(compat_level=pl.CompatLevel.oldest())
    # Zeros as they lie in memory: of numpy's, pyarrow asks pandas.
    places = pa.Array.from_buffers(pa.int32(), frame.height, [None, pa.py_buffer(bytes(4 * frame.height))])
    columns = {name: pa.DictionaryArray.from_arrays(places, [text]) for name, text in only.items()}
    return pa.table({name: columns[name] if name in only else rows.column(name) for name in frame.columns})


def _fits(rows: "pa.Table", schema: "pa.Schema") -> bool:
    """True if the columns are of the file's types, and none has a null where the file's schema says that it has none."""
    return all(
        field.type == column.type and (field.nullable or not column.null_count)
        for field, column in zip(schema, rows.columns, strict=True)
    )
