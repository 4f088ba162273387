"""Answers read back from lake and journals: pages, times, outcomes, the signals that hold."""

from datetime import UTC, datetime, timedelta

import msgspec
import numpy as np
import polars as pl

from serving.contracts import PredictRequest
from serving.ledger import entries, ids, recorded, rows
from serving.ledger.entries import Contents
from serving.ledger.history import Wanted
from serving.service import Service
from spx_assets.features.market_time import microseconds
from spx_assets.lake import Lake
from spx_assets.lake.appending import append_new
from spx_assets.lake.serving_tables import OUTCOMES, PREDICTIONS
from spx_assets_tests.integration.serving.answering import after_a_crash, answers, service, shown
from spx_assets_tests.unit.serving import homes
from spx_assets_tests.unit.serving.homes import BAR, ask

__all__ = ["service"]


def test_pages_of_history_hold_each_answer_once_newest_first_over_lake_and_journals(service: Service) -> None:
    told = answers(service, 5)
    service.ledger.flusher.round()
    told += answers(service, 3)
    other = after_a_crash(service)
    told += answers(other, 4)
    folder = service.ledger.journal.folder
    pages, cursor = [], None
    while True:
        wanted = Wanted() if cursor is None else Wanted(high=cursor)
        page = recorded.page(service.settings, folder, wanted, limit=5)
        pages.append([answer.id for answer in page.predictions])
        answers(other, 1)  # newer ones move no page
        if (cursor := page.next_cursor) is None:
            break
    assert pages == [told[:6:-1], told[6:1:-1], told[1::-1]]
    assert recorded.one(service.settings, folder, told[0]).id == told[0]  # type: ignore[union-attr]
    assert recorded.one(service.settings, folder, told[9]).id == told[9]  # type: ignore[union-attr]


def test_history_is_asked_by_time_and_instrument(service: Service) -> None:
    told = answers(service, 2)
    service.ledger.flusher.round()
    told += answers(service, 1)
    at = [recorded.one(service.settings, service.ledger.journal.folder, id_).answered_at for id_ in told]  # type: ignore[union-attr]
    assert shown(service, start=at[1]) == [told[2], told[1]]
    assert shown(service, end=at[1]) == [told[0]]
    assert shown(service, start=at[1], end=at[2]) == [told[1]]
    assert shown(service, instrument="EUR_USD") == []
    assert shown(service, end=at[0] - timedelta(days=400)) == []


def test_answers_of_long_ago_are_found(service: Service) -> None:
    told = answers(service, 1)
    (newest,) = service.ledger.newest.values()
    now = datetime.now(UTC)
    written = []
    for back in (timedelta(days=900), timedelta(days=30), timedelta(minutes=20)):
        at = microseconds(now - back)
        written.append((ids.new(at), at))
    contents = Contents()
    contents.forecasts = {1: newest[0].facts}
    packed = b"".join(entries.answer(1, id_, at, 0.0) for id_, at in written)
    frame = rows.predictions(contents, np.frombuffer(packed, entries.ANSWERED))
    append_new(Lake.open(service.settings), {PREDICTIONS: frame}, upsert={})
    old = [ids.text(id_) for id_, _ in written]
    assert shown(service) == [*told, *old[::-1]]
    assert shown(service, limit=2) == [told[0], old[2]]
    assert shown(service, high=old[2], limit=1) == [old[1]]
    assert shown(service, high=old[2]) == [old[1], old[0]]
    assert recorded.one(service.settings, service.ledger.journal.folder, old[0]).id == old[0]  # type: ignore[union-attr]


def test_an_answer_shows_what_came_of_it_and_what_it_said(service: Service) -> None:
    told = service.predict(ask())
    service.ledger.flusher.round()
    row = {"instrument": "SPX500_USD", "ts": BAR, "horizon_minutes": 30, "model_digest": told.model_digest, "prediction": "up"}
    verdict = {"status": "settled", "realised_return_bp": -3.5, "hit": False, "bars": "bronze.candles"}
    at = datetime(2025, 10, 15, 16, 45, tzinfo=UTC)
    frame = pl.DataFrame([{**row, **verdict, "settled_at": at, "bars_snapshot": 7}], schema=OUTCOMES.schema())
    Lake.open(service.settings).append(OUTCOMES, frame)
    found = recorded.one(service.settings, service.ledger.journal.folder, told.id)
    assert found is not None
    assert found.outcome is not None
    assert (found.outcome.status, found.outcome.realised_return_bp, found.outcome.hit) == ("settled", -3.5, False)
    assert found.outcome.settled_at == at
    given, kept = msgspec.to_builtins(told), msgspec.to_builtins(found)
    for name in set(given) & set(kept) - {"timestamp"}:
        assert kept[name] == given[name], name
    assert found.timestamp == told.timestamp


def test_active_signals_are_the_newest_of_each_horizon_until_they_expire(service: Service) -> None:
    answers(service, 2)
    clock = BAR + timedelta(minutes=1)

    def active(of: Service, at: datetime) -> list[tuple[str, int, str, datetime]]:
        found = of.signals.active({"SPX500_USD": at}, of.by_default()).signals
        return [(s.instrument, s.horizon_minutes, s.signal, s.expires_at) for s in found]

    expected = [("SPX500_USD", 30, "buy", datetime(2025, 10, 15, 16, 30, tzinfo=UTC))]
    assert active(service, clock) == expected
    assert active(service, expected[0][3] - timedelta(seconds=1)) == expected
    assert active(service, expected[0][3]) == []
    # After a restart from the journal, later from the lake.
    assert active(after_a_crash(service), clock) == expected
    service.ledger.flusher.round()
    assert active(homes.service(service.settings, homes.vector()), clock) == expected
    # A newer bar takes its place.
    service.vectors.vectors = {"SPX500_USD": homes.vector(ts=BAR + timedelta(minutes=1), value=-0.1)}
    answers(service, 1)
    assert active(service, clock) == [("SPX500_USD", 30, "sell", datetime(2025, 10, 15, 16, 31, tzinfo=UTC))]


def test_no_request_puts_another_model_on_the_board_than_the_one_that_is_served(service: Service) -> None:
    old = homes.model(service.settings, version="20251010T160000Z-0001", weights=(-9.0, -9.0, -9.0))
    homes.model(service.settings, name="index_h30", weights=(-9.0, -9.0, -9.0))
    homes.model(service.settings, version="20251015T160000Z-0002")
    service.models.refresh()
    clocks = {"SPX500_USD": BAR + timedelta(minutes=1)}

    def active(of: Service) -> list[tuple[str, str]]:
        return [(s.signal, s.model_digest) for s in of.signals.active(clocks, of.by_default()).signals]

    first = service.predict(ask())
    expected = [("buy", first.model_digest)]
    others = [
        service.at_leisure(PredictRequest(instrument="SPX500_USD", model_version=old.manifest.version)),
        service.predict(ask(name="index_h30")),
    ]
    assert [(other.signal, other.features_source) for other in others] == [("sell", "online")] * 2
    assert active(service) == expected
    assert active(after_a_crash(service)) == expected
    service.ledger.flusher.round()
    assert active(homes.service(service.settings, homes.vector())) == expected
    # A forecast of a bar that the served model was trained on signals nothing; one of a model no longer served, nothing more.
    service.vectors.vectors = {"SPX500_USD": homes.vector(ts=BAR + timedelta(minutes=1), value=-0.1)}
    late = homes.model(service.settings, version="20251016T160000Z-0001", training_cutoff=BAR + timedelta(days=1))
    service.models.refresh()
    told = service.predict(ask())
    assert (told.model_digest, told.in_sample) == (late.manifest.digest, True)
    assert active(service) == []
