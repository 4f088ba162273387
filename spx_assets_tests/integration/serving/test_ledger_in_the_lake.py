"""From journal files into the lake and back: exactly once, whatever happens in between."""

import json
import threading
from pathlib import Path
from typing import Any

import pytest
from filelock import FileLock

from serving import frames
from serving.journal import Journal, paths
from serving.ledger import taking
from serving.ledger.flush import Flusher
from serving.problems import LakeUnavailable
from serving.service import Service
from spx_assets.lake import Lake
from spx_assets.lake.appending import append_new
from spx_assets.lake.serving_tables import OUTCOMES
from spx_assets.settings import Settings
from spx_assets_tests import lakes
from spx_assets_tests.integration.serving.answering import after_a_crash, answers, service, shown, stored
from spx_assets_tests.unit.serving import homes

__all__ = ["service"]


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
    monkeypatch.setattr(taking, "A_COMMIT", 4)
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
        patched.setattr(taking, "append_new", dying)
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
