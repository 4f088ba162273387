"""What an asset body is given and what it returns: a readable window of an input, and chunks of whole weeks.

Belongs here: `Window` (lazy, bounded reads at one snapshot) and `Chunk`/`Chunks`. Does not: connections, commits.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import TYPE_CHECKING

import polars as pl

from spx_assets import calendar
from spx_assets.lake.errors import LookbackMissingError
from spx_assets.lake.tables import Table

if TYPE_CHECKING:
    from spx_assets.lake.connection import Lake


@dataclass(frozen=True)
class Window:
    """One input of an asset: rows of `table` in [start, end), all reads at one lake snapshot.

    [start, end) is what the dependency's partition mapping allows, look-back included; `weeks` are the weeks being made;
    `unmade` are weeks the feed has rows for and this table was never made for: reading one is LookbackMissingError.
    """

    lake: "Lake"
    table: Table
    start: datetime
    end: datetime
    weeks: tuple[date, ...]
    snapshot: int
    unmade: frozenset[date] = frozenset()

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
        self._require(lo, hi)
        return self.lake.read(self.table, start=lo, end=hi, columns=columns, instruments=instruments, snapshot=self.snapshot)

    def chunks(self) -> Iterator[tuple[date, ...]]:
        """The weeks being made, in groups that are computed together; an unmade week cuts, so that those before it are kept."""
        size = self.lake.settings.lake.chunk_weeks
        group: list[date] = []
        for week in self.weeks:
            if group and (len(group) == size or week in self.unmade):
                yield tuple(group)
                group = []
            group.append(week)
        if group:
            yield tuple(group)

    def _require(self, start: datetime, end: datetime) -> None:
        missing = sorted(
            week for week in self.unmade if calendar.week_window(week)[0] < end and calendar.week_window(week)[1] > start
        )
        if missing:
            asset = self.table.name.replace(".", "/")
            raise LookbackMissingError(
                f"{asset} was never made for {len(missing)} week(s) that the feed has rows for, the first {missing[0]}; "
                f"materialise {asset} from {missing[0]} on, or run `spx backfill` with the asset you want, which makes what is "
                "missing upstream"
            )


@dataclass(frozen=True)
class Chunk:
    """Rows of whole weeks: staged together, and replaced in one transaction, alone or with the chunks beside them.

    `beside` holds frames of further tables replaced in the same transaction and windows; `fingerprints` says per week what
    a source held, for assets without inputs in the lake; `told` numbers of a week for people to plot, `pictures` PNG files for
    them by name.
    """

    weeks: tuple[date, ...]
    frame: pl.DataFrame
    beside: Mapping[str, pl.DataFrame] = field(default_factory=dict)
    fingerprints: Mapping[date, str] = field(default_factory=dict)
    told: Mapping[date, Mapping[str, float]] = field(default_factory=dict)
    pictures: Mapping[date, Mapping[str, bytes]] = field(default_factory=dict)


class Chunks:
    """A lazy sequence of chunks: the IO manager stages each as a file before the next is computed, so memory stays bounded."""

    def __init__(self, chunks: Iterable[Chunk]) -> None:
        self._chunks = chunks

    def __iter__(self) -> Iterator[Chunk]:
        return iter(self._chunks)
