"""What of a journal may not be a row: it is kept apart, and every other answer is in the ledger exactly once."""

import json
from collections.abc import Iterator
from pathlib import Path

import polars as pl
import pytest

from serving import frames
from serving.journal import paths
from serving.ledger import ids, taking
from serving.ledger.entries import ANSWERS, FORECAST
from serving.ledger.refused import sift
from serving.service import Service
from spx_assets.lake import Lake
from spx_assets.lake.errors import ContractError
from spx_assets.lake.serving_tables import JOURNALS
from spx_assets.settings import Settings
from spx_assets_tests import lakes
from spx_assets_tests.unit.serving import homes
from spx_assets_tests.unit.serving.homes import ask


@pytest.fixture
def service(tmp_path: Path) -> Iterator[Service]:
    """A service over an empty lake, none of whose threads run."""
    settings = Settings(home=tmp_path / "home")
    lake = lakes.fresh(settings)
    homes.model(settings)
    yield homes.service(settings, homes.vector())
    lake.close()


def stored(service: Service) -> list[str]:
    return Lake.open(service.settings).sql("SELECT id FROM serving.predictions ORDER BY id")["id"].to_list()


def bad(service: Service) -> int:
    """An answer as old as no bar is, in the journal; its number."""
    (entry,) = service.ledger._entries.values()
    number = ids.new()
    service.ledger.record(entry, id_=number, age_s=float("inf"))
    return number


def test_a_row_that_breaks_the_contract_costs_no_other_answer(service: Service, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(taking, "A_COMMIT", 3)
    told = [service.predict(ask()).id for _ in range(2)]
    number = bad(service)
    told += [service.predict(ask()).id for _ in range(4)]
    service.ledger.flusher.round()
    assert stored(service) == told
    folder = service.ledger.journal.folder
    assert paths(folder) == []
    (kept,) = folder.iterdir()
    (line,) = [json.loads(line) for line in kept.read_text().splitlines()]
    assert line["row"]["id"].replace("-", "") == f"{number:032x}"
    assert "feature_age_s = inf" in line["why"]
    (problem,) = service.ledger.problems()
    assert problem.startswith(f"ledger: {kept.name} holds 1 rows that the lake may not take")
    told.append(service.predict(ask()).id)
    service.ledger.flusher.round()
    assert stored(service) == told


def test_a_crash_behind_the_refused_rows_leaves_each_answer_once(service: Service, monkeypatch: pytest.MonkeyPatch) -> None:
    told = [service.predict(ask()).id]
    bad(service)
    told.append(service.predict(ask()).id)
    append = taking.append_new
    calls = []

    def dying(*given: object, **named: object) -> int:
        calls.append(1)
        if len(calls) == 2:
            raise KeyboardInterrupt
        return append(*given, **named)  # type: ignore[arg-type]

    with monkeypatch.context() as patched:
        patched.setattr(taking, "append_new", dying)
        with pytest.raises(KeyboardInterrupt):
            service.ledger.flusher.round()
    assert stored(service) == []
    service.ledger.flusher.round()
    assert stored(service) == told
    assert [path.suffix for path in service.ledger.journal.folder.iterdir()] == [".refused"]


def test_whole_frames_of_another_layout_are_damage_and_the_others_are_stored(service: Service) -> None:
    told = [service.predict(ask()).id for _ in range(2)]
    service.ledger.journal.rotate()
    (path,) = paths(service.ledger.journal.folder)
    path.write_bytes(path.read_bytes() + frames.pack([FORECAST + b"\x90", ANSWERS + b"short"]))
    told.append(service.predict(ask()).id)
    service.ledger.flusher.round()
    assert stored(service) == told
    (problem,) = service.ledger.problems()
    assert "is damaged (bytes" in problem
    assert [kept.name for kept in path.parent.iterdir()] == [path.name + ".damaged"]


def test_of_rows_with_one_key_the_first_stays_and_wrong_columns_are_no_rows_fault() -> None:
    at = pl.Series([0, 1, 2]).cast(pl.Datetime("us", "UTC"))
    frame = pl.DataFrame({"journal": ["a", "b", "a"], "committed": [1, 2, 3], "committed_at": at}).cast(JOURNALS.schema())  # type: ignore[arg-type]
    fine, refused = sift(JOURNALS, frame)
    assert fine["committed"].to_list() == [1, 2]
    assert [(each.row["committed"], each.why) for each in refused] == [(3, "another row has its key")]
    with pytest.raises(ContractError, match="missing"):
        sift(JOURNALS, frame.drop("committed"))
