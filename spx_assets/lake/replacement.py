"""Replacing whole weeks: check, hash and stage chunks outside the lock, then commit them with their records.

Belongs here: the steps between a chunk and its partition records. Does not: the transaction itself.
"""

from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, date, datetime
from typing import TYPE_CHECKING

import polars as pl

from spx_assets import calendar
from spx_assets.lake import contract, hashing, interrupts, tables, transaction
from spx_assets.lake.buffers import Buffers
from spx_assets.lake.records import PartitionRecord, records_table
from spx_assets.lake.records import frame as records_frame
from spx_assets.lake.staging import Staging
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
        self._staged: dict[Table, Staging | None] = {}
        self._rows: dict[Table, list[pl.DataFrame]] = {}

    @property
    def weeks(self) -> int:
        """Weeks staged and not yet committed."""
        return len(self._records)

    def stage(self, chunk: Chunk, inputs_hashes: Mapping[date, str]) -> None:
        """Check `chunk`, hash its weeks and write its rows where no reader looks; ContractError leaves nothing behind."""
        grouped = dict[Table, tuple[Buffers, hashing.Bounds]]()
        for target, frame in [(self._table, chunk.frame), *((tables.table(name), rows) for name, rows in chunk.beside.items())]:
            # In one piece: what is read from two files lies in two, and each column would be copied at each look.
            held = Buffers(frame.rechunk())
            rows = held.frame
            rows = rows if contract.check(target, rows, clocks=self._clocks, buffers=held) else rows.sort(target.key)
            names = [column.name for column in target.columns]
            rows = rows if rows.columns == names else rows.select(names)
            rows, bounds = hashing.by_week(target, rows, chunk.weeks)
            grouped[target] = (held if held.frame is rows else Buffers(rows), bounds)
        held, bounds = grouped[self._table]
        hashes = hashing.week_hashes(self._table, held.frame, bounds, buffers=held)
        now = datetime.now(UTC)
        records = [
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
            for week, (first, last) in bounds.items()
        ]
        for target in grouped:
            self._lake.ensure(target)
        # Half a chunk would spoil the file it shares with those before it; a chunk is written in a tenth of a second.
        with interrupts.held():
            self._write({target: held for target, (held, _) in grouped.items()})
            self._records += records

    def _write(self, frames: Mapping[Table, Buffers]) -> None:
        """Add each frame to what is staged of its table; if one cannot be written, a full disk, nothing stays staged."""
        try:
            for target, held in frames.items():
                files = self._staged.setdefault(target, None if target.small else Staging(self._lake.location, target))
                if files is None and not held.frame.is_empty():
                    self._rows.setdefault(target, []).append(held.frame)
                elif files is not None and not held.frame.is_empty():
                    files.add(held)
        except BaseException:
            self.discard()
            raise

    def commit(self) -> list[PartitionRecord]:
        """Replace the staged weeks in one transaction."""
        now = datetime.now(UTC)
        records = [replace(record, committed_at=now) for record in self._records]
        paths = self._finished()
        windows = transaction.merged([calendar.week_window(record.week) for record in records])
        changes = [
            transaction.Change(
                table=target,
                windows=windows,
                files=paths[target],
                rows=pl.concat(self._rows[target]) if target in self._rows else None,
            )
            for target in self._staged
        ]
        changes.append(transaction.Change(table=records_table(self._table), rows=records_frame(self._table, records)))
        extra = {
            "asset": self._asset,
            "run_id": self._run_id,
            "read_snapshot": self._read_snapshot,
            "weeks": {
                str(record.week): {name: getattr(record, name) for name in ("rows", "content_hash", "inputs_hash")}
                for record in records
            },
        }
        # Handed over: from here on a failure may have committed, so only the clean-up by age may remove these files.
        self._records, self._staged, self._rows = [], {}, {}
        message = f"replace {len(records)} week(s) of {self._table.name}"
        snapshot = transaction.commit(self._lake.location, changes, author=self._asset, message=message, extra=extra)
        return [replace(record, snapshot=snapshot) for record in records]

    def _finished(self) -> dict[Table, list[str]]:
        """Paths of the staged files, closed and on the disk."""
        try:
            return {target: files.finish() if files is not None else [] for target, files in self._staged.items()}
        except BaseException:
            self.discard()
            raise

    def discard(self) -> None:
        """Forget what was staged and not committed."""
        for files in self._staged.values():
            if files is not None:
                files.discard()
        self._records, self._staged, self._rows = [], {}, {}
