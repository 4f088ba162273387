"""The signals that hold now: the newest forecast of each instrument and horizon whose horizon has not passed.

Belongs here: putting together what this process, others and those before it answered. Does not: the rule by which an answer
signals (`forecasts`), which model is served (`model_store`), routes.

Forecasts of the model that is served for an instrument and horizon are on the board, no others: anybody who may read may ask for
any version and any forecaster, and must not change by that what all others see.
"""

import time
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

import numpy as np
import polars as pl

from serving.journal import paths
from serving.ledger import entries, history, ids, rows
from serving.ledger.contracts import Signal, Signals
from serving.ledger.history import ERRORS, Wanted
from serving.ledger.recorder import ASKED_FOR, Ledger
from serving.problems import LakeUnavailable
from serving.served import ServedModel
from spx_assets.calendar import ONE_MINUTE
from spx_assets.lake import Lake
from spx_assets.lake.serving_tables import PREDICTIONS
from spx_assets.settings import Settings

AGAIN_S = 1.0
"""What others answered is read again after so long: many clients ask every second."""
LONGEST = timedelta(days=1) + ONE_MINUTE
"""No horizon is longer."""
_EVER = datetime(1970, 1, 1, tzinfo=UTC)
_MODEL = ["instrument", "horizon_minutes", "model_name", "model_digest", "alias"]
_STORED = """WITH
    online AS (SELECT id, ts, instrument, horizon_minutes, model_name, model_digest, alias FROM serving.predictions
        WHERE id >= ? AND features_source = 'online' AND NOT in_sample AND NOT list_contains(?, alias)),
    newest AS (SELECT instrument, horizon_minutes, model_name, model_digest, alias, max(ts) AS ts FROM online GROUP BY ALL)
    SELECT max(id) AS id FROM online NATURAL JOIN newest GROUP BY instrument, horizon_minutes, model_name, model_digest, alias"""
_PLAIN = [name for name in Signal.__struct_fields__ if name not in ("timestamp", "expires_at")]


class Board:
    """The signals of a home. `active` is for a thread that may wait."""

    def __init__(self, settings: Settings, ledger: Ledger) -> None:
        self._settings, self._ledger = settings, ledger
        self._others = PREDICTIONS.empty()
        self._read_at = -AGAIN_S

    def active(self, clocks: Mapping[str, datetime], served: Mapping[tuple[str, int], ServedModel]) -> Signals:
        """The newest forecast of the model `served` for each instrument and horizon that has not expired by the clock of its
        instrument's feed.
        """
        if time.monotonic() - self._read_at >= AGAIN_S:
            self._others = self._read(min(clocks.values(), default=_EVER))
            self._read_at = time.monotonic()
        found = _newest(pl.concat([self._others, self._own()]))
        shown = [row for row in found.iter_rows(named=True) if _is_of(row, served)]
        return Signals(signals=[signal for row in shown if (signal := _signal(row, clocks))])

    def _own(self) -> pl.DataFrame:
        held = list(self._ledger.newest.values())
        contents = entries.Contents()
        contents.forecasts = {number: entry.facts for number, (entry, _) in enumerate(held)}
        packed = [entries.answer(n, id_, ids.microseconds(id_), 0.0) for n, (_, id_) in enumerate(held)]
        answers = np.frombuffer(b"".join(packed), entries.ANSWERED)
        return rows.predictions(contents, answers) if held else PREDICTIONS.empty()

    def _read(self, clock: datetime) -> pl.DataFrame:
        """What other processes answered, living or gone: their journals, then the lake."""
        journal = self._ledger.journal
        found = [_newest(history.read(path)) for path in paths(journal.folder) if not journal.owns(path)]
        try:
            lake = Lake.open(self._settings, read_only=True)
            if lake.listing(PREDICTIONS, lake.snapshot()).exists:
                # No bar is answered online before it has ended.
                newest = lake.sql(_STORED, [ids.earliest(max(clock - LONGEST, _EVER)), list(ASKED_FOR)])["id"]
                found += [history.stored(lake, Wanted.named(id_), 1) for id_ in newest]
        except ERRORS as error:
            raise LakeUnavailable(error) from error
        return _newest(pl.concat([PREDICTIONS.empty(), *found]))


def _newest(frame: pl.DataFrame) -> pl.DataFrame:
    """Of each model that answered as it was served the newest forecast of each instrument."""
    asked_for = pl.col("alias").is_in(ASKED_FOR)
    online = frame.filter(pl.col("features_source") == "online", ~pl.col("in_sample"), ~asked_for)
    return online.sort("ts", "id").unique(_MODEL, keep="last", maintain_order=True).sort(_MODEL)


def _is_of(row: dict[str, Any], served: Mapping[tuple[str, int], ServedModel]) -> bool:
    """Whether a forecast is of the model that is served for its instrument and horizon, under its alias."""
    model = served.get((row["instrument"], row["horizon_minutes"]))
    if model is None:
        return False
    own = model.manifest.name, model.manifest.digest, model.alias
    return own == (row["model_name"], row["model_digest"], row["alias"])


def _signal(row: dict[str, Any], clocks: Mapping[str, datetime]) -> Signal | None:
    """None once it has expired, or where the service knows no such instrument any more."""
    expires = row["ts"] + ONE_MINUTE + timedelta(minutes=row["horizon_minutes"])
    clock = clocks.get(row["instrument"])
    if clock is None or expires <= clock:
        return None
    return Signal(**{name: row[name] for name in _PLAIN}, timestamp=row["ts"], expires_at=expires)
