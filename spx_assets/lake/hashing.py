"""Content hashes: equal rows have equal hashes, whatever their order or chunking was.

Belongs here: hashing frames. Does not: storing hashes.

A week's hash is xxh3_128 over its rows in key order, column after column in contract order: name and type, then the nulls,
then the values' own bytes (0 where null). 8 weeks x 115 columns take about 15 ms.
"""

from collections.abc import Mapping, Sequence
from datetime import date, datetime

import numpy as np
import polars as pl
import xxhash
from numpy.typing import NDArray

from spx_assets import calendar
from spx_assets.lake.buffers import Buffer, Buffers, buffer
from spx_assets.lake.errors import ContractError
from spx_assets.lake.tables import Table

Bounds = Mapping[date, tuple[int, int]]


def by_week(table: Table, frame: pl.DataFrame, weeks: Sequence[date]) -> tuple[pl.DataFrame, Bounds]:
    """`frame` grouped by week in the order of `weeks`, rows of a week in key order, and each week's [first, last) rows.

    Raises ContractError if a row lies in none of the weeks: it would not be replaced with its partition.
    """
    if table.time is None:
        raise ValueError(f"{table.name} is not partitioned")
    ordered = sorted(weeks)
    edges = np.array([[_us(edge) for edge in calendar.week_window(week)] for week in ordered], dtype=np.int64).reshape(-1, 2)
    stamps: NDArray[np.int64] = buffer(frame[table.time]).values  # type: ignore[assignment]
    if len(stamps) and np.all(stamps[1:] >= stamps[:-1]):
        # In order of time, as the rows of one instrument are: a week is where its edges lie.
        bounds = np.searchsorted(stamps, edges)
        if int((bounds[:, 1] - bounds[:, 0]).sum()) == len(stamps):
            return frame, {week: (int(a), int(b)) for week, (a, b) in zip(ordered, bounds, strict=True)}
    index = np.searchsorted(edges[:, 0], stamps, side="right") - 1
    outside = index < 0
    outside[~outside] = stamps[~outside] >= edges[index[~outside], 1]
    if outside.any():
        first = frame[table.time][int(np.argmax(outside))]
        raise ContractError(
            f"{table.name}: {int(outside.sum())} row(s) lie outside the weeks being replaced, the first at {first}"
        )
    if np.any(index[1:] < index[:-1]):
        order = np.argsort(index, kind="stable")
        frame, index = frame[order], index[order]
    firsts = np.searchsorted(index, np.arange(len(ordered) + 1))
    return frame, {week: (int(firsts[i]), int(firsts[i + 1])) for i, week in enumerate(ordered)}


def _us(at: datetime) -> int:
    return int(at.timestamp() * 1_000_000)


def week_hashes(table: Table, frame: pl.DataFrame, bounds: Bounds, *, buffers: Buffers | None = None) -> dict[date, str]:
    """The content hash of every week of a frame that `by_week` has grouped; `buffers`, if known, of that very frame."""
    held = buffers if buffers is not None and buffers.frame is frame else Buffers(frame)
    hashers = {week: xxhash.xxh3_128() for week in bounds}
    for column in table.columns:
        head = f"{column.name}\0{column.type}\0".encode()
        known = held[column.name]
        values = known.values if known.unknown is None or known.offsets is not None else _zeroed(known)
        whole = values.data
        for week, (first, last) in bounds.items():
            update = hashers[week].update
            update(head)
            if known.unknown is not None and (unknown := known.unknown[first:last]).any():
                update(unknown.data)
            if known.offsets is None:
                update(whole[first:last])
            else:
                update(np.diff(known.offsets[first : last + 1]).data)
                update(whole[known.offsets[first] : known.offsets[last]])
    return {week: hasher.hexdigest() for week, hasher in hashers.items()}


def content_hash(table: Table, frame: pl.DataFrame) -> str:
    """The hash of all rows of `frame` together, in key order."""
    ordered = frame.sort(table.key)
    whole = date.min
    return week_hashes(table, ordered, {whole: (0, frame.height)})[whole]


def _zeroed(known: Buffer) -> NDArray[np.generic]:
    """The values of a column with 0 where they are null. `buffers` gives a null string no bytes."""
    values = known.values.copy()
    values[known.unknown] = 0
    return values
