"""From journal files into the lake and back: exactly once, whatever happens in between."""

import json
import threading
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
import polars as pl
import pytest
from filelock import FileLock

from serving import frames
from serving.contracts import PredictRequest
from serving.journal import Journal, paths
from serving.ledger import entries, flush, ids, recorded, rows
from serving.ledger.entries import Contents
from serving.ledger.flush import Flusher
from serving.ledger.history import Wanted
from serving.problems import LakeUnavailable
from serving.service import Service
from spx_assets.features.market_time import microseconds
from spx_assets.lake import Lake
from spx_assets.lake.appending import append_new
from spx_assets.lake.serving_tables import OUTCOMES, PREDICTIONS
from spx_assets.settings import ServingSettings, Settings
from spx_assets.settings.serving import LedgerSettings
from spx_assets_tests import lakes
from spx_assets_tests.unit.serving import homes
from spx_assets_tests.unit.serving.homes import BAR, ask


@pytest.fixture
def service(tmp_path: Path) -> Iterator[Service]:
    """A service over an empty lake, none of whose threads run."""
    settings = Settings(home=tmp_path / "home", serving=ServingSettings(ledger=LedgerSettings()))
    lake = lakes.fresh(settings)
    homes.model(settings)
    yield homes.service(settings, homes.vector())
    lake.close()


def answers(service: Service, n: int) -> list[str]:
    return [service.predict(ask()).id for _ in range(n)]


def stored(service: Service) -> list[str]:
    return Lake.open(service.settings).sql("SELECT id FROM serving.predictions ORDER BY id")["id"].to_list()


def shown(service: Service, *, limit: int = 1000, **asked: object) -> list[str]:
    wanted = Wanted(**asked)  # type: ignore[arg-type]
    page = recorded.page(service.settings, service.ledger.journal.folder, wanted, limit=limit)
    return [answer.id for answer in page.predictions]


def after_a_crash(service: Service) -> Service:
    """Another process over the same home, the first having died: its file is there and nobody holds it."""
    service.ledger.journal.rotate()
    return homes.service(service.settings, homes.vector())


def test_answers_go_into_the_lake_once_and_their_file_goes(service: Service) -> None:
    told = answers(service, 3)
    assert stored(service) == []
    flusher = service.ledger.flusher
    flusher.round()
    assert (stored(service), flusher.problem, paths(service.ledger.journal.folder)) == (told, None, [])
    told += answers(service, 1500)  # more than a small table keeps in the catalog
    flusher.round()
    flusher.round()
    assert stored(service) == told
    assert Lake.open(service.settings).count("serving.vectors") == 1


def test_a_bar_that_was_corrected_has_a_second_vector_and_each_answer_its_own(service: Service) -> None:
    answers(service, 1)
    service.ledger.flusher.round()
    service.vectors.vectors = {"SPX500_USD": homes.vector(value=0.2)}
    answers(service, 1)
    service.ledger.flusher.round()
    found = Lake.open(service.settings).sql(
        "SELECT p.probability, v.features FROM serving.predictions p "
        "JOIN serving.vectors v USING (instrument, ts, feature_set_hash, vector_digest) ORDER BY p.id"
    )
    assert [set(json.loads(text).values()) for text in found["features"]] == [{0.10000000149011612}, {0.20000000298023224}]


@pytest.mark.parametrize("dies", ["before the commit", "after the commit", "between two commits"])
def test_who_dies_while_taking_over_costs_no_answer_and_doubles_none(
    service: Service, monkeypatch: pytest.MonkeyPatch, dies: str
) -> None:
    monkeypatch.setattr(flush, "A_COMMIT", 4)
    told = answers(service, 10)
    calls: list[int] = []

    class Died(BaseException):
        pass

    def dying(*given: Any, **named: Any) -> int:
        calls.append(1)
        if dies == "before the commit" or (dies == "between two commits" and len(calls) == 2):
            raise Died
        made = append_new(*given, **named)
        if dies == "after the commit":
            raise Died
        return made

    with monkeypatch.context() as patched:
        patched.setattr(flush, "append_new", dying)
        with pytest.raises(Died):
            service.ledger.flusher.round()
    assert len(stored(service)) == (0 if dies == "before the commit" else 4)
    assert shown(service) == told[::-1]
    other = after_a_crash(service)
    other.ledger.flusher.round()
    assert stored(other) == told
    assert paths(other.ledger.journal.folder) == []
    # The mark of the file that is gone goes with the next commit.
    answers(other, 1)
    other.ledger.flusher.round()
    assert Lake.open(service.settings).count("serving.journals") == 1


def test_the_file_of_a_living_process_is_left_alone(service: Service) -> None:
    told = answers(service, 2)
    other = homes.service(service.settings, homes.vector())
    other.ledger.flusher.round()
    assert stored(other) == []
    service.ledger.journal.rotate()
    other.ledger.flusher.round()
    assert stored(other) == told


def test_a_torn_end_costs_nothing_and_damage_only_its_own_frame(service: Service) -> None:
    told = answers(service, 5)
    service.ledger.journal.rotate()
    (path,) = paths(service.ledger.journal.folder)
    data = bytearray(path.read_bytes())
    data[-49 * 2 - 1] ^= 1  # in the third answer
    path.write_bytes(bytes(data) + frames.pack([b"A" + bytes(36)])[:-5])
    service.ledger.flusher.round()
    assert stored(service) == told[:2] + told[3:]
    (problem,) = service.ledger.problems()
    assert "is damaged (bytes" in problem
    assert [kept.name for kept in path.parent.iterdir()] == [path.name + ".damaged"]
    service.ledger.flusher.round()
    assert stored(service) == told[:2] + told[3:]


def test_while_the_lake_is_locked_answers_go_on_and_wait(service: Service) -> None:
    busy = service.settings.model_copy(update={"lake": service.settings.lake.model_copy(update={"lock_timeout_s": 0.05})})
    service.ledger.flusher = Flusher(busy, service.ledger.journal)
    told = answers(service, 2)
    service.ledger.flusher.round()
    with FileLock(Lake.open(service.settings).location.catalog + ".lock", thread_local=False):
        told += answers(service, 3)
        service.ledger.flusher.round()
        assert any("lock" in problem for problem in service.ledger.problems())
        told += answers(service, 1)
        assert shown(service) == told[::-1]
    service.ledger.flusher.round()
    assert (stored(service), service.ledger.problems()) == (told, [])


def test_while_the_lake_is_gone_answers_go_on_and_no_other_lake_is_made(service: Service) -> None:
    told = answers(service, 2)
    service.ledger.flusher.round()
    lake = Path(Lake.open(service.settings).location.catalog).parent
    away = lake.with_name("away")
    lake.rename(away)
    told += answers(service, 3)
    service.ledger.flusher.round()
    assert not lake.exists()
    (problem,) = service.ledger.problems()
    assert "no lake at" in problem
    with pytest.raises(LakeUnavailable):
        shown(service)
    away.rename(lake)
    service.ledger.flusher.round()
    assert (stored(service), service.ledger.problems()) == (told, [])


def test_a_lake_that_was_put_in_the_place_of_another_gets_what_comes_from_then_on(service: Service, tmp_path: Path) -> None:
    answers(service, 1)
    service.ledger.flusher.round()
    lake = Path(Lake.open(service.settings).location.catalog).parent
    lake.rename(tmp_path / "old")
    fresh = Settings(home=tmp_path / "other")
    lakes.fresh(fresh).close()
    (fresh.home / "lake").rename(lake)
    told = answers(service, 2)
    service.ledger.flusher.round()
    assert service.ledger.problems() == []
    Lake.open(service.settings).close()
    assert stored(service) == told


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


def test_two_processes_that_take_over_at_once_double_nothing(service: Service) -> None:
    told = []
    for _ in range(4):
        told += answers(service, 50)
        service.ledger.journal.rotate()
    flushers = [Flusher(service.settings, Journal(service.ledger.journal.folder)) for _ in range(3)]
    threads = [threading.Thread(target=flusher.round) for flusher in flushers]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert stored(service) == told


def test_a_commit_of_answers_makes_no_vector_anew(service: Service) -> None:
    lake, by_hand = Lake.open(service.settings), service.vectors.vectors
    service.vectors.refresh({})
    assert service.vectors.vectors == {}
    service.vectors.vectors, service.vectors.live = by_hand, {"SPX500_USD": False}
    before = lake.snapshot()
    answers(service, 2)
    service.ledger.flusher.round()
    service.vectors.refresh({})
    assert lake.snapshot() > before
    assert service.vectors.vectors is by_hand
    assert not lake.only_changed([OUTCOMES], before, lake.snapshot())
    lakes.replace(lake, lakes.WEEKS[:1])
    service.vectors.refresh({})
    assert service.vectors.vectors == {}
