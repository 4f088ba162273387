"""The check every row passes before its commit: schema, nulls, unique key, ranges, clock.

Belongs here: judging a frame against its table contract. Does not: repairing rows, reading the lake.
"""

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from functools import cache
from typing import Any

import numpy as np
import polars as pl
from numpy.typing import NDArray

from spx_assets.calendar import ONE_MINUTE
from spx_assets.lake.buffers import Buffer, Buffers
from spx_assets.lake.errors import ContractError
from spx_assets.lake.tables import Column, Table

_LARGEST = {"DOUBLE": float(np.finfo(np.float64).max), "FLOAT": float(np.finfo(np.float32).max)}
_BITS = {"BIGINT": 64, "INTEGER": 32, "TINYINT": 8}
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def check(
    table: Table, frame: pl.DataFrame, *, clocks: Mapping[str, datetime] | None = None, buffers: Buffers | None = None
) -> bool:
    """ContractError if `frame` is not what `table` promises, else True if its rows are in key order.

    `clocks` gives each instrument's feed clock, `buffers` the memory of `frame` if it is needed later too. Columns may come in
    any order. Floats must be finite: what is unknown is null, never NaN.
    """
    _schema(table, frame)
    if frame.is_empty():
        return True
    held = buffers or Buffers(frame)
    _values(table, held)
    sorted_already = ordered(held, table.key)
    if not sorted_already:
        _unique(table, frame)
    if clocks and table.clocked and table.time is not None and "instrument" in frame.columns:
        _clock(table, held, clocks)
    return sorted_already


def ordered(held: Buffers, key: tuple[str, ...]) -> bool:
    """True if the rows ascend strictly by `key`: then they are sorted and the key is unique."""
    if held.frame.height < 2:
        return True
    undecided: NDArray[np.bool_] | None = None
    for name in key:
        values = held.frame[name]
        if values.null_count():
            return False
        # A frame is mostly of one instrument: then there is nothing to compare row by row.
        if values.dtype == pl.String and held.only_text(name) is not None:
            continue
        above, same = _steps(values, held)
        if undecided is not None:
            above, same = above | ~undecided, same & undecided
        if above.all():
            return True
        if not (above | same).all():
            return False
        undecided = same
    return False


def _steps(values: pl.Series, held: Buffers) -> tuple[NDArray[np.bool_], NDArray[np.bool_]]:
    """For each row but the first: is it above the one before it, is it equal to it."""
    if values.dtype == pl.String:
        before, after = values[:-1], values[1:]
        return (after > before).to_numpy(), (after == before).to_numpy()
    numbers: NDArray[Any] = held[values.name].values
    return numbers[1:] > numbers[:-1], numbers[1:] == numbers[:-1]


def _schema(table: Table, frame: pl.DataFrame) -> None:
    expected, found = table.schema(), dict(frame.schema)
    if missing := [name for name in expected if name not in found]:
        raise ContractError(f"{table.name}: column(s) missing: {', '.join(missing)}; see lake/tables.py")
    if extra := [name for name in found if name not in expected]:
        raise ContractError(f"{table.name}: column(s) not in the contract: {', '.join(extra)}; drop them or add them to it")
    for name, dtype in expected.items():
        if found[name] != dtype:
            raise ContractError(f"{table.name}.{name} is {found[name]}, the contract says {dtype}; cast it before the commit")


def _values(table: Table, held: Buffers) -> None:
    frame = held.frame
    for column in table.columns:
        if not column.nullable and (nulls := frame[column.name].null_count()):
            row = _row(table, frame, pl.col(column.name).is_null())
            raise ContractError(f"{table.name}.{column.name} is null in {nulls} row(s), the first at {row}; it must be known")
    suspects = [column for column in table.columns if not _inside(column, held)]
    tests = {column.name: test for column in suspects if (test := _range(column)) is not None}
    if not tests:
        return
    passed = frame.select([test.all(ignore_nulls=True).alias(name) for name, test in tests.items()]).row(0, named=True)
    for name, ok in passed.items():
        if not ok:
            column, bad = table[name], ~tests[name]
            value = frame.filter(bad)[name][0]
            raise ContractError(
                f"{table.name}.{name} = {value} at {_row(table, frame, bad)} is outside "
                f"[{'-inf' if column.low is None else column.low}, {'inf' if column.high is None else column.high}] "
                "or not finite; an unknown value is null"
            )


def _inside(column: Column, held: Buffers) -> bool:
    """True if two passes over the numbers themselves show that all are finite and in range; False where that is not known."""
    limits = _limits(column.type, column.low, column.high)
    if limits is None:
        return True
    known: Buffer = held[column.name]
    numbers: NDArray[Any] = known.values if known.unknown is None else known.values[~known.unknown]
    if not len(numbers):
        return True
    # A NaN is the smallest and the largest of its column, and no comparison with it holds.
    return bool(numbers.min() >= limits[0] and numbers.max() <= limits[1])


def _range(column: Column) -> pl.Expr | None:
    limits = _limits(column.type, column.low, column.high)
    if limits is None:
        return None
    low, high = (pl.lit(limit, dtype=column.polars) for limit in limits)
    return pl.col(column.name).is_between(low, high)


@cache
def _limits(kind: str, low: float | None, high: float | None) -> tuple[float, float] | None:
    """The smallest and the largest value a column of this type and range may hold; None where every value passes."""
    if kind in _LARGEST:
        # Comparing with the largest finite values refuses NaN and infinity together with what is out of range.
        largest = _LARGEST[kind]
        return (-largest if low is None else _outward(low, kind, -1)), (largest if high is None else _outward(high, kind, 1))
    if kind in _BITS and (low is not None or high is not None):
        most = 2 ** (_BITS[kind] - 1) - 1
        return (-most - 1 if low is None else int(low)), (most if high is None else int(high))
    return None


def _outward(limit: float, kind: str, sign: int) -> float:
    """A FLOAT column may hold the float nearest to its limit: round the limit away from the range."""
    if kind == "DOUBLE":
        return limit
    nearest = np.float32(limit)
    inside = nearest > limit if sign < 0 else nearest < limit
    return float(np.nextafter(nearest, np.float32(sign * np.inf))) if inside else float(nearest)


def _unique(table: Table, frame: pl.DataFrame) -> None:
    twice = frame.filter(frame.select(table.key).is_duplicated())
    if not twice.is_empty():
        first = twice.select(table.key).row(0, named=True)
        raise ContractError(f"{table.name}: {twice.height} rows share a key, the first {_words(first)}; a key names one row")


def _clock(table: Table, held: Buffers, clocks: Mapping[str, datetime]) -> None:
    assert table.time is not None
    for instrument, last in _newest(table.time, held):
        clock = clocks.get(instrument)
        if clock is None:
            raise ContractError(f"{table.name}: {instrument} is bound to no feed; import its candles first")
        if last + ONE_MINUTE > clock:
            raise ContractError(
                f"{table.name}: the row of {instrument} at {last} ends after its feed's clock {clock}; "
                "rows of the future are not written"
            )


def _newest(time: str, held: Buffers) -> list[tuple[str, datetime]]:
    """The last stamp of each instrument; of one alone without a group_by, which costs 2 ms."""
    alone, stamps = held.only_text("instrument"), held[time]
    if alone is not None and stamps.unknown is None:
        return [(alone, _EPOCH + timedelta(microseconds=int(stamps.values.max())))]
    return held.frame.group_by("instrument").agg(pl.col(time).max()).rows()


def _row(table: Table, frame: pl.DataFrame, mask: pl.Expr) -> str:
    return _words(frame.filter(mask).select(table.key).row(0, named=True))


def _words(row: Mapping[str, object]) -> str:
    return ", ".join(f"{name}={value}" for name, value in row.items())
