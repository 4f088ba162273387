"""Rows of a journal that break the contract of their table: found one by one, kept in a file of their own.

Belongs here: telling them from the others, their file. Does not: journals, transactions (`flush`), the contract
(`spx_assets.lake`).
"""

import json
import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import polars as pl

from spx_assets.lake import contract
from spx_assets.lake.errors import ContractError
from spx_assets.lake.tables import Table

REFUSED = ".refused"


@dataclass(frozen=True)
class Refused:
    """A row and why the lake may not take it."""

    table: str
    row: dict[str, Any]
    why: str


def sift(table: Table, frame: pl.DataFrame) -> tuple[pl.DataFrame, list[Refused]]:
    """The rows that keep the contract, and the others. ContractError where the columns themselves break it: no row can mend that.

    Halved until each bad row is alone: 14 checks for one in 10,000. Of rows that share a key the first stays.
    """
    contract.check(table, frame.clear())
    first = frame.select(pl.struct(table.key).is_first_distinct()).to_series()
    twice = [_refused(table, row, "another row has its key") for row in frame.filter(~first).iter_rows(named=True)]
    fine, bad = _halved(table, frame.filter(first))
    return fine, [*bad, *twice]


def write(path: Path, rows: Sequence[Refused]) -> None:
    """Put rows on the disk, a line each."""
    with path.open("w") as out:
        out.writelines(json.dumps({"table": each.table, "why": each.why, "row": each.row}) + "\n" for each in rows)
        out.flush()
        os.fsync(out.fileno())


def _halved(table: Table, frame: pl.DataFrame) -> tuple[pl.DataFrame, list[Refused]]:
    try:
        contract.check(table, frame)
    except ContractError as error:
        if frame.height == 1:
            return frame.clear(), [_refused(table, frame.row(0, named=True), str(error))]
        half = frame.height // 2
        (one, bad), (other, worse) = _halved(table, frame[:half]), _halved(table, frame[half:])
        return pl.concat([one, other]), [*bad, *worse]
    return frame, []


def _refused(table: Table, row: dict[str, Any], why: str) -> Refused:
    plain = {name: value if isinstance(value, str | int | float | bool | None) else str(value) for name, value in row.items()}
    return Refused(table.name, plain, why)
