"""Content hashes: equal rows have equal hashes, whatever their order or chunking was.

Belongs here: hashing frames. Does not: storing hashes.

A week's hash is xxh3_128 over its rows in key order, column after column in contract order: name and type, then the nulls,
then the values' own bytes (0 where null). 8 weeks x 115 columns take about 15 ms.
"""

from collections.abc import Mapping, Sequence
from datetime import date

import numpy as np
import polars as pl
import xxhash
from numpy.typing import NDArray

from spx_assets import calendar
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
    edges = np.array(
        [[int(edge.timestamp() * 1_000_000) for edge in calendar.week_window(week)] for week in ordered], dtype=np.int64
    )
    stamps = frame[table.time].to_physical().to_numpy()
    index = np.searchsorted(edges[:, 0], stamps, side="right") - 1 if ordered else np.full(len(stamps), -1)
    outside = (index < 0) | (stamps >= edges[index, 1]) if len(stamps) and ordered else index < 0
    if outside.any():
        first = frame[table.time][int(np.argmax(outside))]
        raise ContractError(
            f"{table.name}: {int(outside.sum())} row(s) lie outside the weeks being replaced, the first at {first}"
        )
    if len(index) and np.any(index[1:] < index[:-1]):
        order = np.argsort(index, kind="stable")
        frame, index = frame[order], index[order]
    firsts = np.searchsorted(index, np.arange(len(ordered) + 1))
    return frame, {week: (int(firsts[i]), int(firsts[i + 1])) for i, week in enumerate(ordered)}


def week_hashes(table: Table, frame: pl.DataFrame, bounds: Bounds) -> dict[date, str]:
    """The content hash of every week of a frame that `by_week` has grouped."""
    hashers = {week: xxhash.xxh3_128() for week in bounds}
    for column in table.columns:
        head = f"{column.name}\0{column.type}\0".encode()
        nulls, values, lengths = _buffers(frame[column.name])
        for week, (first, last) in bounds.items():
            hasher = hashers[week]
            hasher.update(head)
            if nulls is not None and (unknown := nulls[first:last]).any():
                hasher.update(unknown.data)
            if lengths is None:
                hasher.update(values[first:last].data)
            else:
                hasher.update(np.diff(lengths[first : last + 1]).data)
                hasher.update(values[lengths[first] : lengths[last]].data)
    return {week: hasher.hexdigest() for week, hasher in hashers.items()}


def content_hash(table: Table, frame: pl.DataFrame) -> str:
    """The hash of all rows of `frame` together, in key order."""
    ordered = frame.sort(table.key)
    whole = date.min
    return week_hashes(table, ordered, {whole: (0, frame.height)})[whole]


def _buffers(series: pl.Series) -> tuple[NDArray[np.bool_] | None, NDArray[np.generic], NDArray[np.int64] | None]:
    """(null mask or None, values with 0 for null, string offsets or None), all contiguous."""
    nulls = series.is_null().to_numpy() if series.null_count() else None
    if series.dtype == pl.String:
        filled = series.fill_null("")
        lengths = np.zeros(len(series) + 1, dtype=np.int64)
        np.cumsum(filled.str.len_bytes().to_numpy(), out=lengths[1:])
        text = filled.str.join("").item() if len(series) else ""
        return nulls, np.frombuffer(text.encode(), dtype=np.uint8), lengths
    physical = series.to_physical()
    if physical.dtype == pl.Boolean:
        physical = physical.cast(pl.UInt8)
    return nulls, np.ascontiguousarray((physical.fill_null(0) if nulls is not None else physical).to_numpy()), None
