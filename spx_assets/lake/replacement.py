"""Replacing whole weeks: check, hash and stage chunks outside the lock, then commit them with their records.

Belongs here: the steps between a chunk and its partition records. Does not: the transaction itself.
"""

from collections.abc import Mapping
from dataclasses import asdict, replace
from datetime import UTC, date, datetime
from typing import TYPE_CHECKING

import polars as pl

from spx_assets import calendar
from spx_assets.lake import contract, files, hashing, tables, transaction
from spx_assets.lake.records import PartitionRecord, records_table
from spx_assets.lake.records import frame as records_frame
from spx_assets.lake.tables import Table
from spx_assets.lake.windows import Chunk

if TYPE_CHECKING:
    from spx_assets.lake.connection import Lake


class Replacement:
    """Chunks of one asset on their way into the lake."""

    def __init__(
        self, lake: "Lake", table: Table, *, asset: str, run_id: str, read_snapshot: int, clocks: Mapping[str, datetime]
    ) -> None:
        self._lake, self._table, self._clocks = lake, table, clocks
        self._asset, self._run_id, self._read_snapshot = asset, run_id, read_snapshot
        self._records: list[PartitionRecord] = []
        self._files: dict[Table, list[str]] = {}
        self._rows: dict[Table, list[pl.DataFrame]] = {}

    @property
    def weeks(self) -> int:
        """Weeks staged and not yet committed."""
        return len(self._records)

    def stage(self, chunk: Chunk, inputs_hashes: Mapping[date, str]) -> None:
        """Check `chunk`, hash its weeks and write its rows where no reader looks; ContractError leaves nothing behind."""
        grouped = {}
        for target, frame in [(self._table, chunk.frame), *((tables.table(name), rows) for name, rows in chunk.beside.items())]:
            contract.check(target, frame, clocks=self._clocks)
            rows = frame.select([column.name for column in target.columns])
            rows = rows if contract.ordered(rows, target.key) else rows.sort(target.key)
            grouped[target] = hashing.by_week(target, rows, chunk.weeks)
        rows, bounds = grouped[self._table]
        hashes = hashing.week_hashes(self._table, rows, bounds)
        large = {target: rows for target, (rows, _) in grouped.items() if not target.small and not rows.is_empty()}
        for target in grouped:
            self._lake.ensure(target)
        written = self._write(large)
        for target, (rows, _) in grouped.items():
            self._files.setdefault(target, []).extend([written[target]] if target in written else [])
            if target.small and not rows.is_empty():
                self._rows.setdefault(target, []).append(rows)
        now = datetime.now(UTC)
        for week, (first, last) in bounds.items():
            self._records.append(
                PartitionRecord(
                    asset=self._asset,
                    week=week,
                    rows=last - first,
                    content_hash=hashes[week],
                    read_snapshot=self._read_snapshot,
                    inputs_hash=inputs_hashes[week],
                    run_id=self._run_id,
                    committed_at=now,
                )
            )

    def _write(self, frames: Mapping[Table, pl.DataFrame]) -> dict[Table, str]:
        """A staged file for each frame, or none at all: a chunk is staged whole, and those before it can be kept."""
        written: dict[Table, str] = {}
        try:
            for target, rows in frames.items():
                written[target] = files.stage(self._lake.location, target, rows)
        except BaseException:
            for path in written.values():
                files.discard(self._lake.location, path)
            raise
        return written

    def commit(self) -> list[PartitionRecord]:
        """Replace the staged weeks in one transaction."""
        now = datetime.now(UTC)
        records = [replace(record, committed_at=now) for record in self._records]
        windows = transaction.merged([calendar.week_window(record.week) for record in records])
        changes = [
            transaction.Change(
                table=target, windows=windows, files=paths, rows=pl.concat(self._rows[target]) if target in self._rows else None
            )
            for target, paths in self._files.items()
        ]
        changes.append(transaction.Change(table=records_table(self._table), rows=records_frame(self._table, records)))
        extra = {
            "asset": self._asset,
            "run_id": self._run_id,
            "read_snapshot": self._read_snapshot,
            "weeks": {
                str(record.week): {k: v for k, v in asdict(record).items() if k in ("rows", "content_hash", "inputs_hash")}
                for record in records
            },
        }
        # Handed over: from here on a failure may have committed, so only the clean-up by age may remove these files.
        self._records, self._files, self._rows = [], {}, {}
        message = f"replace {len(records)} week(s) of {self._table.name}"
        snapshot = transaction.commit(self._lake.location, changes, author=self._asset, message=message, extra=extra)
        return [replace(record, snapshot=snapshot) for record in records]

    def discard(self) -> None:
        """Forget what was staged and not committed."""
        for paths in self._files.values():
            for path in paths:
                files.discard(self._lake.location, path)
        self._records, self._files, self._rows = [], {}, {}
