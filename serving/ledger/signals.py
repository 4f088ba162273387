"""The signals that hold now: the newest forecast of each instrument and horizon whose horizon has not passed.

Belongs here: putting together what this process, others and those before it answered. Does not: the rule by which an answer
signals (`forecasts`), routes.
"""

import time
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

import numpy as np
import polars as pl

from serving.journal import paths
from serving.ledger import entries, history, ids, rows
from serving.ledger.contracts import Signal, Signals
from serving.ledger.history import ERRORS
from serving.ledger.recorder import Ledger
from serving.problems import LakeUnavailable
from spx_assets.calendar import ONE_MINUTE
from spx_assets.lake import Lake
from spx_assets.lake.serving_tables import PREDICTIONS
from spx_assets.settings import Settings

AGAIN_S = 1.0
"""What others answered is read again after so long: many clients ask every second."""
LONGEST = timedelta(days=1) + ONE_MINUTE
"""No horizon is longer."""
_STORED = """SELECT * FROM serving.predictions WHERE instrument = ? AND features_source = 'online' AND ts > ?
    QUALIFY row_number() OVER (PARTITION BY horizon_minutes ORDER BY ts DESC, id DESC) = 1"""
_PLAIN = [name for name in Signal.__struct_fields__ if name not in ("timestamp", "expires_at")]


class Board:
    """The signals of a home. `active` is for a thread that may wait."""

    def __init__(self, settings: Settings, ledger: Ledger) -> None:
        self._settings, self._ledger = settings, ledger
        self._others = PREDICTIONS.empty()
        self._read_at = -AGAIN_S

    def active(self, clock: Callable[[str], datetime]) -> Signals:
        """The newest forecast of each instrument and horizon that has not expired by `clock` of its instrument."""
        if time.monotonic() - self._read_at >= AGAIN_S:
            self._others = self._read(clock)
            self._read_at = time.monotonic()
        found = _newest(pl.concat([self._others, self._own()]))
        return Signals(signals=[signal for row in found.iter_rows(named=True) if (signal := _signal(row, clock))])

    def _own(self) -> pl.DataFrame:
        held = list(self._ledger.newest.values())
        contents = entries.Contents()
        contents.forecasts = {number: entry.facts for number, (entry, _) in enumerate(held)}
        packed = [entries.answer(n, id_, ids.microseconds(id_), 0.0) for n, (_, id_) in enumerate(held)]
        answers = np.frombuffer(b"".join(packed), entries.ANSWERED)
        return rows.predictions(contents, answers) if held else PREDICTIONS.empty()

    def _read(self, clock: Callable[[str], datetime]) -> pl.DataFrame:
        """What other processes answered, living or gone: their journals, then the lake."""
        journal = self._ledger.journal
        found = [_newest(history.read(path)) for path in paths(journal.folder) if not journal.owns(path)]
        try:
            lake = Lake.open(self._settings, read_only=True)
            if lake.listing(PREDICTIONS, lake.snapshot()).exists:
                found.append(_stored(lake, clock))
        except ERRORS as error:
            raise LakeUnavailable(str(error)) from error
        return _newest(pl.concat([PREDICTIONS.empty(), *found]))


def _stored(lake: Lake, clock: Callable[[str], datetime]) -> pl.DataFrame:
    frames = [PREDICTIONS.empty()]
    for (instrument,) in lake.sql("SELECT DISTINCT instrument FROM serving.predictions").iter_rows():
        found = lake.sql(_STORED, [instrument, clock(instrument) - LONGEST])
        frames.append(history.conform(found))
    return pl.concat(frames)


def _newest(frame: pl.DataFrame) -> pl.DataFrame:
    online = frame.filter(pl.col("features_source") == "online")
    key = ["instrument", "horizon_minutes"]
    return online.sort("ts", "id").unique(key, keep="last", maintain_order=True).sort(key)


def _signal(row: dict[str, Any], clock: Callable[[str], datetime]) -> Signal | None:
    expires = row["ts"] + ONE_MINUTE + timedelta(minutes=row["horizon_minutes"])
    if expires <= clock(row["instrument"]):
        return None
    return Signal(**{name: row[name] for name in _PLAIN}, timestamp=row["ts"], expires_at=expires)
