"""The check every row passes before its commit: schema, nulls, unique key, ranges, clock.

Belongs here: judging a frame against its table contract. Does not: repairing rows, reading the lake.
"""

from collections.abc import Mapping
from datetime import datetime

import numpy as np
import polars as pl

from spx_assets.calendar import ONE_MINUTE
from spx_assets.lake.errors import ContractError
from spx_assets.lake.tables import Column, Table

_LARGEST = {"DOUBLE": float(np.finfo(np.float64).max), "FLOAT": float(np.finfo(np.float32).max)}
_INTEGERS = {"BIGINT", "INTEGER", "TINYINT"}


def check(table: Table, frame: pl.DataFrame, *, clocks: Mapping[str, datetime] | None = None) -> None:
    """ContractError if `frame` is not what `table` promises; `clocks` gives each instrument's feed clock.

    Columns may come in any order. Floats must be finite: what is unknown is null, never NaN.
    """
    _schema(table, frame)
    if frame.is_empty():
        return
    _values(table, frame)
    _unique(table, frame)
    if clocks and table.clocked and table.time is not None and "instrument" in frame.columns:
        _clock(table, frame, clocks)


def ordered(frame: pl.DataFrame, key: tuple[str, ...]) -> bool:
    """True if the rows ascend strictly by `key`: then they are sorted and the key is unique."""
    if frame.height < 2:
        return True
    previous = frame.select(pl.col(key).slice(0, frame.height - 1))
    current = frame.select(pl.col(key).slice(1))
    rises = np.zeros(frame.height - 1, dtype=bool)
    equal = np.ones(frame.height - 1, dtype=bool)
    for name in key:
        a, b = previous[name], current[name]
        if a.null_count() or b.null_count():
            return False
        rises |= equal & (b > a).to_numpy()
        equal &= (b == a).to_numpy()
    return bool(rises.all())


def _schema(table: Table, frame: pl.DataFrame) -> None:
    expected, found = table.schema(), dict(frame.schema)
    if missing := [name for name in expected if name not in found]:
        raise ContractError(f"{table.name}: column(s) missing: {', '.join(missing)}; see lake/tables.py")
    if extra := [name for name in found if name not in expected]:
        raise ContractError(f"{table.name}: column(s) not in the contract: {', '.join(extra)}; drop them or add them to it")
    for name, dtype in expected.items():
        if found[name] != dtype:
            raise ContractError(f"{table.name}.{name} is {found[name]}, the contract says {dtype}; cast it before the commit")


def _values(table: Table, frame: pl.DataFrame) -> None:
    for column in table.columns:
        if not column.nullable and (nulls := frame[column.name].null_count()):
            row = _row(table, frame, pl.col(column.name).is_null())
            raise ContractError(f"{table.name}.{column.name} is null in {nulls} row(s), the first at {row}; it must be known")
    tests = {column.name: test for column in table.columns if (test := _range(column)) is not None}
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


def _range(column: Column) -> pl.Expr | None:
    if column.type in _LARGEST:
        # Comparing with the largest finite values refuses NaN and infinity in the same pass as the range.
        largest, dtype = _LARGEST[column.type], column.polars
        low = -largest if column.low is None else _outward(column.low, column.type, -1)
        high = largest if column.high is None else _outward(column.high, column.type, 1)
        return pl.col(column.name).is_between(pl.lit(low, dtype=dtype), pl.lit(high, dtype=dtype))
    if column.type in _INTEGERS and (column.low is not None or column.high is not None):
        tests = [pl.col(column.name) >= column.low] if column.low is not None else []
        tests += [pl.col(column.name) <= column.high] if column.high is not None else []
        return pl.all_horizontal(tests)
    return None


def _outward(limit: float, kind: str, sign: int) -> float:
    """A FLOAT column may hold the float nearest to its limit: round the limit away from the range."""
    if kind == "DOUBLE":
        return limit
    nearest = np.float32(limit)
    inside = nearest > limit if sign < 0 else nearest < limit
    return float(np.nextafter(nearest, np.float32(sign * np.inf))) if inside else float(nearest)


def _unique(table: Table, frame: pl.DataFrame) -> None:
    if ordered(frame, table.key):
        return
    twice = frame.filter(frame.select(table.key).is_duplicated())
    if not twice.is_empty():
        first = twice.select(table.key).row(0, named=True)
        raise ContractError(f"{table.name}: {twice.height} rows share a key, the first {_words(first)}; a key names one row")


def _clock(table: Table, frame: pl.DataFrame, clocks: Mapping[str, datetime]) -> None:
    assert table.time is not None
    for instrument, last in frame.group_by("instrument").agg(pl.col(table.time).max()).rows():
        clock = clocks.get(instrument)
        if clock is None:
            raise ContractError(f"{table.name}: {instrument} is bound to no feed; import its candles first")
        if last + ONE_MINUTE > clock:
            raise ContractError(
                f"{table.name}: the row of {instrument} at {last} ends after its feed's clock {clock}; "
                "rows of the future are not written"
            )


def _row(table: Table, frame: pl.DataFrame, mask: pl.Expr) -> str:
    return _words(frame.filter(mask).select(table.key).row(0, named=True))


def _words(row: Mapping[str, object]) -> str:
    return ", ".join(f"{name}={value}" for name, value in row.items())
