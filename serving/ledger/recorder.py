"""`Ledger`: writes down every answer before it is sent.

Belongs here: what the request path calls, and what it is refused with. Does not: frames (`entries`), the lake (`flush`), reading
(`history`).
"""

import asyncio
import logging
import time
from collections import Counter
from collections.abc import Callable, Mapping
from datetime import datetime
from types import MappingProxyType
from typing import Final, NoReturn, TypeVar
from weakref import WeakKeyDictionary

import numpy as np

from serving.aside import Aside
from serving.contracts import Alias, Prediction
from serving.forecasts import Made
from serving.journal import Journal, JournalError
from serving.ledger import entries
from serving.ledger.entries import Entry, Facts, VectorFacts
from serving.ledger.flush import Flusher
from serving.problems import LedgerUnavailable
from spx_assets.features.market_time import microseconds
from spx_assets.scoring.sequences import F32
from spx_assets.settings import Settings

T = TypeVar("T")
LOG = logging.getLogger(__name__)
ASKED_FOR: Final[tuple[Alias, ...]] = ("version", "walk_forward")
"""Aliases of models that answered because a request asked for them, not because they are served."""


class Ledger:
    """The ledger of one process. `record` waits for nothing but one `write(2)`."""

    def __init__(self, settings: Settings) -> None:
        chosen = settings.serving.ledger
        self.journal = Journal(
            settings.home / "serving" / "journal" / "predictions",
            sync=chosen.sync,
            sync_s=chosen.sync_ms / 1e3,
            rotate_bytes=chosen.rotate_mb << 20,
        )
        self.flusher = Flusher(settings, self.journal)
        self._reading = Aside("ledger-read")
        self._threshold, self._limit = settings.serving.signal_threshold, chosen.limit_mb << 20
        self._entries = WeakKeyDictionary[Made, Entry]()
        """One for each forecast that requests are answered from, as long as they are: it holds a whole model."""
        self._seen: set[object] = set()
        self._generation, self._count, self._epoch = 0, 0, 1
        self._newest: dict[tuple[str, int, str], tuple[Entry, int]] = {}
        self._failure: str | None = None
        self.given: Counter[tuple[str, str]] = Counter()
        """Answers of this process by model and signal."""

    def start(self) -> None:
        """Take over what dead processes left, then follow."""
        self.journal.start()
        self.flusher.start()

    async def stop(self) -> None:
        """Sync what was written and, if the lake lets it, take it over."""
        await self.flusher.stop()
        self._reading.stop()
        await asyncio.to_thread(self.journal.stop)

    async def waiting(self, work: Callable[[], T]) -> T:
        """What `work` gives, which reads journals and the lake, on a thread for that; `Busy` if many wait."""
        return await self._reading.run(work)

    @property
    def newest(self) -> Mapping[tuple[str, int, str], tuple[Entry, int]]:
        """Of each instrument, horizon and forecaster the last forecast of the newest bar that this process answered with as it
        was served, and the id. A version that a request names, and a bar that the model was trained on, signal nothing.
        """
        return MappingProxyType(self._newest)

    def problems(self) -> list[str]:
        """What an operator must know; empty while every answer is written, synced and taken over."""
        found = (self._failure, self.journal.unsynced, self.flusher.problem, self.flusher.damage)
        return [f"ledger: {why}" for why in found if why]

    def keep(self, prediction: Prediction, made: Made, *, id_: int, as_of: datetime | None = None) -> None:
        """Write `prediction` down under its id; LedgerUnavailable if that fails, and then it must not be sent.

        `id_` is the number of its id, `as_of` the past instant that was asked about.
        """
        entry = self._entries.get(made)
        if entry is None:
            entry = self.entry(prediction, made, as_of=as_of)
            if made.source == "online":
                self._entries[made] = entry
        self.record(entry, age_s=prediction.feature_age_s, id_=id_)

    def entry(self, prediction: Prediction, made: Made, *, as_of: datetime | None = None) -> Entry:
        """The forecast that `prediction` was answered from, to be made once and recorded from often."""
        model, manifest = made.model, made.model.manifest
        rows = np.ascontiguousarray(made.X[-manifest.input_rows :], dtype=np.float32)
        given = made.source == "caller"
        vectors = () if given else _vectors(made, rows)
        facts = Facts(
            instrument=made.instrument,
            ts_us=microseconds(made.ts),
            horizon_minutes=manifest.horizon_minutes,
            model_name=manifest.name,
            model_version=manifest.version,
            model_digest=manifest.digest,
            alias=model.alias,
            gate=model.gate,
            return_head=model.return_head,
            probability=prediction.probability,
            expected_return_bp=prediction.expected_return_bp,
            interval_low_bp=prediction.interval_bp.low,
            interval_high_bp=prediction.interval_bp.high,
            interval_level=prediction.interval_bp.level,
            predicted_price=prediction.predicted_price,
            signal=prediction.signal,
            threshold=self._threshold,
            horizon_crosses_close=prediction.horizon_crosses_close,
            features_used=prediction.features_used,
            tolerance_min=manifest.tolerance_min,
            features_source=made.source,
            in_sample=prediction.in_sample,
            feature_set=manifest.feature_set_hash,
            as_of_us=None if as_of is None else microseconds(as_of),
            vector=None if given else vectors[-1].digest,
            inline=rows.tobytes() if given else None,
        )
        return Entry(facts, manifest.features, vectors)

    def record(self, entry: Entry, *, id_: int, age_s: float | None) -> None:
        """Write one answer from `entry` down; LedgerUnavailable if that fails."""
        at = time.time_ns() // 1000
        self._require_room()
        with self.journal.lock:
            try:
                self._begin()
                before = () if entry.epoch == self._epoch else self._introduce(entry)
                self.journal.append([*before, entries.ANSWERS + entries.answer(entry.number, id_, at, age_s)])
                self.given[entry.facts.model_name, entry.facts.signal] += 1
            except JournalError as error:
                self._refuse(error)
        self._answered(entry, id_)

    def require(self) -> None:
        """LedgerUnavailable where an answer could not be written down now. After a failure it is tried, with a frame of none."""
        self._require_room()
        if self._failure is not None:
            with self.journal.lock:
                try:
                    self._begin()
                    self.journal.append([entries.ANSWERS])
                except JournalError as error:
                    self._refuse(error)
            self._recovered()

    @property
    def waiting_bytes(self) -> int:
        """What lies in the journals of the home and is not known to be in the lake."""
        return self.flusher.backlog

    def _require_room(self) -> None:
        """Refuse where the lake has not taken rows for so long that the journals of the home have reached their limit."""
        waiting = self.waiting_bytes
        if waiting > self._limit:
            raise LedgerUnavailable(
                f"{waiting >> 20} MiB of answers wait for the lake, SPX_SERVING__LEDGER__LIMIT_MB is {self._limit >> 20}; "
                f"{self.flusher.problem or 'the lake takes them more slowly than they come'}"
            )

    def _begin(self) -> None:
        """A new file knows no forecast of the old one."""
        generation = self.journal.generation()
        if generation != self._generation:
            self._generation, self._count = generation, 0
            self._forget()

    def _forget(self) -> None:
        self._epoch += 1
        self._seen.clear()

    def _introduce(self, entry: Entry) -> list[bytes]:
        self._count += 1
        frames, new = entries.introduction(entry, self._count, self._seen)
        self._seen |= new
        entry.epoch, entry.number = self._epoch, self._count
        return frames

    def _refuse(self, error: JournalError) -> NoReturn:
        """What was to be introduced with the answer is not in the file either."""
        self._forget()
        if self._failure is None:
            LOG.error("%s", error)
        self._failure = str(error)
        raise LedgerUnavailable(str(error)) from error

    def _recovered(self) -> None:
        LOG.info("the journal can be written again")
        self._failure = None

    def _answered(self, entry: Entry, id_: int) -> None:
        if self._failure is not None:
            self._recovered()
        facts = entry.facts
        if facts.features_source == "online" and facts.alias not in ASKED_FOR and not facts.in_sample:
            key = facts.instrument, facts.horizon_minutes, facts.model_name
            known = self._newest.get(key)
            if known is None or (known[0] is not entry and known[0].facts.ts_us <= facts.ts_us):
                self._newest[key] = (entry, id_)


def _vectors(made: Made, rows: F32) -> tuple[VectorFacts, ...]:
    """The rows that the model looked at, each as the vector of its own bar; the bar's own last."""
    manifest = made.model.manifest
    stamps = made.stamps if made.stamps is not None else np.array([microseconds(made.ts)])
    out = []
    for ts_us, row in zip(stamps[-len(rows) :].tolist(), rows, strict=True):
        values = row.tobytes()
        out.append(VectorFacts(made.instrument, ts_us, manifest.feature_set_hash, entries.vector_digest(values), values))
    return tuple(out)
