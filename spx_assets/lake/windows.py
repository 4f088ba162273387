"""What an asset body is given and what it returns: a readable window of an input, and chunks of whole weeks.

Belongs here: `Window` (lazy, bounded reads at one snapshot) and `Chunk`/`Chunks`. Does not: connections, commits.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import TYPE_CHECKING

import polars as pl

from spx_assets.lake.tables import Table

if TYPE_CHECKING:
    from spx_assets.lake.connection import Lake


@dataclass(frozen=True)
class Window:
    """One input of an asset: rows of `table` in [start, end), all reads at one lake snapshot.

    [start, end) is what the dependency's partition mapping allows, look-back included; `weeks` are the weeks being made.
    """

    lake: "Lake"
    table: Table
    start: datetime
    end: datetime
    weeks: tuple[date, ...]
    snapshot: int

    def read(
        self,
        start: datetime | None = None,
        end: datetime | None = None,
        *,
        columns: Sequence[str] | None = None,
        instruments: Sequence[str] | None = None,
    ) -> pl.DataFrame:
        """Rows of [start, end), ordered by the table's key; ValueError outside the window, so no body can read the future."""
        lo, hi = start or self.start, end or self.end
        if lo < self.start or hi > self.end:
            raise ValueError(
                f"{self.table.name}: [{lo}, {hi}) is outside the window [{self.start}, {self.end}) of this partition"
            )
        return self.lake.read(self.table, start=lo, end=hi, columns=columns, instruments=instruments, snapshot=self.snapshot)

    def chunks(self) -> Iterator[tuple[date, ...]]:
        """The weeks being made, in groups that are committed together."""
        size = self.lake.settings.lake.chunk_weeks
        for i in range(0, len(self.weeks), size):
            yield self.weeks[i : i + size]


@dataclass(frozen=True)
class Chunk:
    """Rows of whole weeks, replaced together in one transaction.

    `beside` holds frames of further tables replaced in the same transaction and windows; `fingerprints` says per week what
    a source held, for assets without inputs in the lake.
    """

    weeks: tuple[date, ...]
    frame: pl.DataFrame
    beside: Mapping[str, pl.DataFrame] = field(default_factory=dict)
    fingerprints: Mapping[date, str] = field(default_factory=dict)


class Chunks:
    """A lazy sequence of chunks: the IO manager commits each before the next is computed, so memory stays bounded."""

    def __init__(self, chunks: Iterable[Chunk]) -> None:
        self._chunks = chunks

    def __iter__(self) -> Iterator[Chunk]:
        return iter(self._chunks)
