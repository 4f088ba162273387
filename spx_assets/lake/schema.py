"""What a table contract is: named, typed columns with units and ranges, a key, and the column that places a row in time.

Belongs here: `Column`, `Table` and how their types are called in polars. Does not: any particular table (`tables`).
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property

import polars as pl

UTC_US = pl.Datetime("us", "UTC")

POLARS: dict[str, pl.DataType] = {
    "VARCHAR": pl.String(),
    "TIMESTAMPTZ": UTC_US,
    "DATE": pl.Date(),
    "DOUBLE": pl.Float64(),
    "FLOAT": pl.Float32(),
    "BIGINT": pl.Int64(),
    "INTEGER": pl.Int32(),
    "TINYINT": pl.Int8(),
    "BOOLEAN": pl.Boolean(),
}


@dataclass(frozen=True)
class Column:
    name: str
    type: str
    description: str
    nullable: bool = False
    unit: str = ""
    low: float | None = None
    high: float | None = None

    @property
    def polars(self) -> pl.DataType:
        return POLARS[self.type]


@dataclass(frozen=True)
class Table:
    """A table contract. `key` is unique; `time` is the column that places a row in a trading week (None: not partitioned).

    `clocked`: no row may start after the feed's clock. `small`: a commit of few rows stays in the catalog itself instead of a
    Parquet file of its own.
    """

    name: str
    description: str
    columns: tuple[Column, ...]
    key: tuple[str, ...]
    time: str | None = "ts"
    clocked: bool = True
    records: bool = field(default=True, kw_only=True)
    small: bool = field(default=False, kw_only=True)

    def __hash__(self) -> int:
        """Of the name: a hash of 111 columns takes 40 us, and tables are keys wherever rows are committed."""
        return hash(self.name)

    @property
    def layer(self) -> str:
        return self.name.split(".")[0]

    @property
    def partitions(self) -> str:
        """Name of the table of partition records beside this one."""
        return f"{self.name}_partitions"

    @cached_property
    def _schema(self) -> dict[str, pl.DataType]:
        return {column.name: column.polars for column in self.columns}

    def schema(self) -> Mapping[str, pl.DataType]:
        return self._schema

    def empty(self) -> pl.DataFrame:
        return pl.DataFrame(schema=self.schema())

    def __getitem__(self, name: str) -> Column:
        return next(column for column in self.columns if column.name == name)
