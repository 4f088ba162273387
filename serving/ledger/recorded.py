"""Answers as the routes show them: each beside what came of it.

Belongs here: from rows of the ledger to structs, pages of them. Does not: finding rows (`history`), settling.
"""

from pathlib import Path
from typing import Any

import polars as pl

from serving.contracts import Interval
from serving.ledger import history
from serving.ledger.contracts import History, Outcome, Recorded
from serving.ledger.history import ERRORS, Wanted
from serving.problems import LakeUnavailable
from spx_assets.calendar import ONE_MINUTE
from spx_assets.lake import Lake
from spx_assets.lake.serving_tables import OUTCOMES
from spx_assets.settings import Settings

_PLAIN = [name for name in Recorded.__struct_fields__ if name not in ("timestamp", "interval_bp", "outcome")]
_OUTCOME = list(Outcome.__struct_fields__)


def page(settings: Settings, folder: Path, wanted: Wanted, *, limit: int) -> History:
    """Up to `limit` answers, newest first, and the cursor to those before them."""
    found = history.newest(settings, folder, wanted, limit=limit + 1)
    shown = _structs(settings, found.head(limit))
    return History(predictions=shown, next_cursor=shown[-1].id if found.height > limit else None)


def one(settings: Settings, folder: Path, id_: str) -> Recorded | None:
    """The answer with this id; None if there is none."""
    found = history.newest(settings, folder, Wanted.named(id_), limit=1)
    return next(iter(_structs(settings, found)), None)


def _structs(settings: Settings, found: pl.DataFrame) -> list[Recorded]:
    if found.is_empty():
        return []
    key = list(OUTCOMES.key)
    try:
        outcomes = _outcomes(Lake.open(settings, read_only=True), found)
    except ERRORS as error:
        raise LakeUnavailable(error) from error
    beside = found.join(outcomes.select(*key, *_OUTCOME), on=key, how="left", maintain_order="left")
    return [_struct(row) for row in beside.iter_rows(named=True)]


def _outcomes(lake: Lake, found: pl.DataFrame) -> pl.DataFrame:
    start, end = found["ts"].min(), found["ts"].max()
    names = found["instrument"].unique().to_list()
    return lake.read(OUTCOMES, start=start, end=end + ONE_MINUTE, instruments=names)  # type: ignore[arg-type,operator]  # datetimes


def _struct(row: dict[str, Any]) -> Recorded:
    return Recorded(
        **{name: row[name] for name in _PLAIN},
        timestamp=row["ts"],
        interval_bp=Interval(row["interval_low_bp"], row["interval_high_bp"], row["interval_level"]),
        outcome=Outcome(**{name: row[name] for name in _OUTCOME}) if row["status"] is not None else None,
    )
