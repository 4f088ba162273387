"""`Lake`: reading tables at a snapshot and writing them by whole weeks.

Belongs here: the one object everybody else uses. Does not: how locks, files, transactions and contracts work.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import date, datetime
from typing import TYPE_CHECKING, Any, Literal, overload

import duckdb
import polars as pl

from spx_assets.lake import ddl, files, reading, session, writing
from spx_assets.lake.location import Location
from spx_assets.lake.lookups import Lookups
from spx_assets.lake.records import PartitionRecord, records_table
from spx_assets.lake.replacement import Replacement
from spx_assets.lake.tables import Table
from spx_assets.lake.tables import table as contract_named
from spx_assets.lake.windows import Chunk
from spx_assets.settings import Settings

if TYPE_CHECKING:
    import pandas as pd  # 0.4 s to import, and only `as_pandas` needs it

Named = str | Table
_lakes: dict[tuple[str, bool], "Lake"] = {}


def contract_of(table: Named) -> Table:
    """The contract of a `layer.table` name."""
    return contract_named(table) if isinstance(table, str) else table


class Lake:
    """One lake as this process sees it. Cheap to make, safe to share between threads, usable after a fork.

    Tables are given by `layer.table` name or by contract.
    """

    def __init__(self, settings: Settings, *, read_only: bool = False) -> None:
        self.settings = settings
        self.read_only = read_only
        self.location = Location.of(settings)
        self._lookups = Lookups(self)
        self._listings = self._lookups.listings

    @classmethod
    def open(cls, settings: Settings, *, read_only: bool = False) -> "Lake":
        """The lake of these settings, made if need be; LakeMissingError if `read_only` and there is none."""
        found = _lakes.get((settings.home.as_posix(), read_only))
        lake = found if found is not None and found.settings == settings else cls(settings, read_only=read_only)
        with lake.cursor():
            _lakes[settings.home.as_posix(), read_only] = lake
        return lake

    @classmethod
    def existing(cls, settings: Settings) -> "Lake":
        """The lake of these settings for writing; LakeMissingError if there is none, also where one was removed while its
        connection was open. For services: in a lake made anew no feed is bound, and what they write is lost to the old one.
        """
        session.require(Location.of(settings))
        return cls.open(settings)

    def close(self) -> None:
        """Close the process's connection; the next use opens it again."""
        session.close(self.location, read_only=self.read_only)
        ddl.forget(self.location)

    @contextmanager
    def cursor(self) -> Iterator[duckdb.DuckDBPyConnection]:
        """A DuckDB cursor on which the lake is the database `lake`."""
        cursor = session.cursor(self.location, read_only=self.read_only)
        try:
            yield cursor
        finally:
            cursor.close()

    def sql(self, query: str, params: Sequence[object] | Mapping[str, object] = ()) -> pl.DataFrame:
        """The rows of a query in which `layer.table` names a table of the lake."""
        with self.cursor() as cursor:
            cursor.execute("USE lake")
            return reading.fetch(cursor, query, params)

    def snapshot(self) -> int:
        """Id of the newest snapshot."""
        return self._lookups.snapshot()

    def unchanged(self, tables: Iterable[Named], since: int, until: int) -> bool:
        """True if no snapshot after `since`, up to `until`, changed any of the tables; False also where that is not known."""
        return self._lookups.unchanged([contract_of(table) for table in tables], since, until)

    def only_changed(self, tables: Iterable[Named], since: int, until: int) -> bool:
        """True if the snapshots after `since`, up to `until`, changed rows of these tables and nothing else; False also where
        that is not known.
        """
        return self._lookups.only_changed([contract_of(table) for table in tables], since, until)

    def unrecorded(self, table: Named, since: int, until: int) -> int | None:
        """The newest snapshot after `since`, up to `until`, that may have changed rows without recording it, else `since`.

        None if that is not known.
        """
        return self._lookups.unrecorded(contract_of(table), since, until)

    def ensure(self, table: Named) -> None:
        """Make the table, and its records table if it has one, exist with every column of its contract."""
        target = contract_of(table)
        tables = (target, records_table(target)) if target.records else (target,)
        if ddl.unseen(self.location, tables):
            with self.cursor() as cursor:
                ddl.ensure(cursor, self.location, tables)

    def count(self, table: Named, *, snapshot: int | None = None) -> int:
        """Rows of a table; 0 if it was never written."""
        target = contract_of(table)
        at = self.snapshot() if snapshot is None else snapshot
        if not self.listing(target, at).exists:
            return 0
        with self.cursor() as cursor:
            found = cursor.execute(f"SELECT count(*) FROM {ddl.qualified(target)} AT (VERSION => {at:d})").fetchone()
        return int(found[0]) if found else 0

    @overload
    def read(
        self,
        table: Named,
        *,
        start: datetime | None = ...,
        end: datetime | None = ...,
        columns: Sequence[str] | None = ...,
        instruments: Sequence[str] | None = ...,
        snapshot: int | None = ...,
        as_pandas: Literal[False] = ...,
    ) -> pl.DataFrame: ...

    @overload
    def read(
        self,
        table: Named,
        *,
        start: datetime | None = ...,
        end: datetime | None = ...,
        columns: Sequence[str] | None = ...,
        instruments: Sequence[str] | None = ...,
        snapshot: int | None = ...,
        as_pandas: Literal[True],
    ) -> "pd.DataFrame": ...

    def read(
        self,
        table: Named,
        *,
        start: datetime | None = None,
        end: datetime | None = None,
        columns: Sequence[str] | None = None,
        instruments: Sequence[str] | None = None,
        snapshot: int | None = None,
        as_pandas: bool = False,
    ) -> "pl.DataFrame | pd.DataFrame":
        """Rows whose time column lies in [start, end), in key order, with the contract's columns and types.

        Reads at `snapshot`, else at the newest. A table that was never written is empty.
        """
        frame = reading.rows(
            self,
            contract_of(table),
            snapshot=self.snapshot() if snapshot is None else snapshot,
            start=start,
            end=end,
            columns=columns,
            instruments=instruments,
        )
        return frame.to_pandas() if as_pandas else frame

    def listing(self, table: Table, snapshot: int, *, again: bool = False) -> files.Listing:
        """The files of a table at a snapshot, looked up once, or `again` if upkeep has moved them."""
        return self._lookups.listing(table, snapshot, again=again)

    def record_rows(self, table: Table, asset: str, *, snapshot: int | None = None) -> list[dict[str, Any]]:
        """The newest partition record of every week of an asset; `lake.records.newest` makes them records."""
        return self._lookups.records(table, asset, self.snapshot() if snapshot is None else snapshot)

    def replace(
        self,
        table: Named,
        chunk: Chunk,
        *,
        asset: str,
        run_id: str,
        read_snapshot: int,
        inputs_hashes: Mapping[date, str],
        clocks: Mapping[str, datetime] | None = None,
    ) -> list[PartitionRecord]:
        """Replace the weeks of `chunk` in `table` and its `beside` tables in one transaction; their records.

        Raises ContractError before anything is written, LakeBusyError if the lock is not to be had.
        """
        hashes = dict(inputs_hashes)
        made = self.replace_all(
            table, [chunk], asset=asset, run_id=run_id, read_snapshot=read_snapshot, inputs_hashes=lambda _: hashes, clocks=clocks
        )
        return [record for records in made for record in records]

    def replace_all(
        self,
        table: Named,
        chunks: Iterable[Chunk],
        *,
        asset: str,
        run_id: str,
        read_snapshot: int,
        inputs_hashes: Callable[[Chunk], Mapping[date, str]],
        clocks: Mapping[str, datetime] | None = None,
    ) -> Iterator[list[PartitionRecord]]:
        """Replace chunk after chunk, as they are computed; yields the records of each commit.

        Chunks are checked and staged as files one by one and committed together once they make `commit_weeks` weeks: a
        transaction costs 80 ms, and 30 ms for each file of 128 columns. If a chunk fails or is interrupted, those staged before
        it are committed and yielded before the error goes on; if the caller stops early, or a file cannot be written, what was
        only staged goes.
        """
        target = contract_of(table)
        step = Replacement(self, target, asset=asset, run_id=run_id, read_snapshot=read_snapshot, clocks=clocks or {})
        try:
            for chunk in chunks:
                step.stage(chunk, inputs_hashes(chunk))
                if step.weeks >= self.settings.lake.commit_weeks:
                    yield step.commit()
            if step.weeks:
                yield step.commit()
        except BaseException:
            if step.weeks:
                yield step.commit()
            raise
        finally:
            step.discard()

    def append(self, table: Named, frame: pl.DataFrame, *, record: PartitionRecord | None = None) -> int:
        """Add rows whose keys are new, and the partition record of what they are, in one transaction; the snapshot it made."""
        return self.write(append={table: frame}, records={table: [record]} if record is not None else {})

    def upsert(self, table: Named, frame: pl.DataFrame) -> int:
        """Add rows; those there with the same key give way."""
        return self.write(upsert={table: frame})

    def write(
        self,
        *,
        append: Mapping[Named, pl.DataFrame] | None = None,
        upsert: Mapping[Named, pl.DataFrame] | None = None,
        delete: Mapping[Named, Mapping[str, object]] | None = None,
        records: Mapping[Named, Sequence[PartitionRecord]] | None = None,
    ) -> int:
        """Several tables in one transaction: first `delete` (rows that equal all given values), then `upsert` and `append`."""
        return writing.write(
            self,
            append={contract_of(t): frame for t, frame in (append or {}).items()},
            upsert={contract_of(t): frame for t, frame in (upsert or {}).items()},
            delete={contract_of(t): values for t, values in (delete or {}).items()},
            records={contract_of(t): list(rows) for t, rows in (records or {}).items()},
        )
