"""From what was answered to rows of the lake, through the bytes of a journal file."""

import errno
import json
import os
from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np
import pytest

from serving.contracts import PredictRequest
from serving.journal import Journal, paths
from serving.ledger import ids, rows
from serving.ledger.entries import Contents
from serving.ledger.recorder import Ledger
from serving.problems import LedgerUnavailable
from spx_assets.lake import contract
from spx_assets.lake.serving_tables import PREDICTIONS, VECTORS
from spx_assets.settings import ServingSettings
from spx_assets.settings.serving import LedgerSettings
from spx_assets_tests.unit.serving.homes import BAR, FEATURES, ask, home, model, service, vector


def read(folder: Path) -> Contents:
    contents = Contents()
    for path in paths(folder):
        data = path.read_bytes()
        for _ in contents.read(data, answers=len(data)):
            pass
    return contents


def test_an_answer_becomes_a_row_with_all_it_said_and_its_vector_lies_beside_it_once(tmp_path: Path) -> None:
    settings = home(tmp_path)
    made = model(settings)
    answering = service(settings, vector())
    told = [answering.predict(ask()) for _ in range(3)]
    contents = read(answering.ledger.journal.folder)
    answers = contents.take()
    frame = rows.predictions(contents, answers)
    contract.check(PREDICTIONS, frame)
    assert frame["id"].to_list() == [answer.id for answer in told]
    row, first = frame.row(0, named=True), told[0]
    for name in ("instrument", "horizon_minutes", "prediction", "probability", "confidence", "signal_strength", "signal", "gate"):
        assert row[name] == getattr(first, name), name
    for name in ("return_head", "expected_return_bp", "predicted_price", "horizon_crosses_close", "features_used", "in_sample"):
        assert row[name] == getattr(first, name), name
    for name in ("features_source", "feature_age_s", "model_name", "model_version", "model_digest", "alias"):
        assert row[name] == getattr(first, name), name
    assert (row["ts"], row["as_of"], row["caller_features"]) == (BAR, None, None)
    assert (row["interval_low_bp"], row["interval_high_bp"], row["interval_level"]) == (
        first.interval_bp.low,
        first.interval_bp.high,
        0.9,
    )
    assert (row["signal_threshold"], row["tolerance_min"]) == (0.6, 5)
    assert abs(row["answered_at"] - datetime.now(UTC)) < timedelta(seconds=20)
    (kept,) = contents.vectors.values()
    stored = rows.vectors([kept], contents.names)
    contract.check(VECTORS, stored)
    assert stored["ts"].item() == BAR
    assert row["vector_digest"] == stored["vector_digest"].item()
    assert row["feature_set_hash"] == stored["feature_set_hash"].item() == made.manifest.feature_set_hash
    assert json.loads(stored["features"].item()) == {name: float(np.float32(0.1)) for name in FEATURES}


def test_an_answer_is_49_bytes_but_for_the_first_of_its_forecast(tmp_path: Path) -> None:
    settings = home(tmp_path)
    model(settings)
    answering = service(settings, vector())
    answering.predict(ask())
    first = answering.ledger.journal.written
    for _ in range(100):
        answering.predict(ask())
    assert answering.ledger.journal.written - first == 100 * (12 + 1 + 36)


def test_each_file_says_again_what_its_answers_refer_to(tmp_path: Path) -> None:
    settings = home(tmp_path)
    model(settings)
    answering = service(settings, vector())
    told = []
    for _ in range(3):
        told.append(answering.predict(ask()).id)
        answering.ledger.journal.rotate()
    found = []
    for path in paths(answering.ledger.journal.folder):
        contents, data = Contents(), path.read_bytes()
        list(contents.read(data, answers=1000))
        found += rows.predictions(contents, contents.take())["id"].to_list()
        assert len(contents.vectors) == 1
    assert found == told


def test_features_of_the_caller_lie_with_their_answer_and_in_no_vector(tmp_path: Path) -> None:
    settings = home(tmp_path)
    model(settings)
    answering = service(settings, vector())
    given: dict[str, float | None] = {name: 0.25 * k for k, name in enumerate(FEATURES)}
    answering.predict(PredictRequest(instrument="SPX500_USD", features=given))
    contents = read(answering.ledger.journal.folder)
    row = rows.predictions(contents, contents.take()).row(0, named=True)
    assert json.loads(row["caller_features"]) == given
    assert (row["features_source"], row["vector_digest"], row["feature_age_s"], row["predicted_price"]) == (
        "caller",
        None,
        None,
        None,
    )
    assert contents.vectors == {}


def test_ids_sort_by_time_and_say_it() -> None:
    at = datetime(2025, 10, 15, 15, 59, 30, 123456, tzinfo=UTC)
    us = int(at.timestamp()) * 1_000_000 + 123456
    made = [ids.new(us + later) for later in (0, 1, 2, 1000, 60_000_000)]
    written = [ids.text(number) for number in made]
    assert written == sorted(written)
    assert [ids.number(text) for text in written] == made
    assert written[0].startswith("0199e899-134b-774b-")  # 1760543970123 ms, 1867 of 4096
    for number, later in zip(made, (0, 1, 2, 1000, 60_000_000), strict=True):
        assert abs(ids.microseconds(number) - (us + later)) <= 1
    assert ids.answered_at(written[0]) == at.replace(microsecond=123000)
    assert ids.earliest(at) <= written[0] < ids.earliest(at + timedelta(milliseconds=1))
    late = "ffffffff-ffff-7fff-bfff-ffffffffffff"  # of the year 10889
    other_version = "0199e890-88db-474b-8000-000000000000"
    for other in ("", "x" * 36, other_version, late, written[0][:-1], written[0].replace("-", "") + "----"):
        assert ids.number(other) is None


def test_a_journal_that_cannot_be_written_refuses_the_answer_and_recovers_by_itself(tmp_path: Path) -> None:
    settings = home(tmp_path)
    model(settings)
    answering = service(settings, vector())
    (tmp_path / "serving" / "journal").parent.mkdir(exist_ok=True)
    (tmp_path / "serving" / "journal").write_text("in the way")
    with pytest.raises(LedgerUnavailable, match="cannot be written"):
        answering.predict(ask())
    assert any("cannot be written" in problem for problem in answering.ledger.problems())
    (tmp_path / "serving" / "journal").unlink()
    told = [answering.predict(ask()).id for _ in range(2)]
    assert answering.ledger.problems() == []
    contents = read(answering.ledger.journal.folder)
    assert rows.predictions(contents, contents.take())["id"].to_list() == told


def test_journals_that_nobody_takes_over_end_in_a_refusal_that_says_why(tmp_path: Path) -> None:
    settings = home(tmp_path, serving=ServingSettings(ledger=LedgerSettings(limit_mb=1)))
    model(settings)
    answering = service(settings, vector())
    answering.predict(ask())
    answering.ledger.flusher.waiting_bytes = 1 << 20
    answering.ledger.flusher.problem = "no lake at there"
    with pytest.raises(LedgerUnavailable, match="LIMIT_MB is 1; no lake at there"):
        answering.predict(ask())


def test_answers_behind_damage_that_took_their_forecast_are_counted_out(tmp_path: Path) -> None:
    settings = home(tmp_path)
    model(settings)
    answering = service(settings, vector())
    answering.predict(ask())
    answering.predict(ask())
    (path,) = paths(answering.ledger.journal.folder)
    data = bytearray(path.read_bytes())
    data[data.index(b"spx500_h30")] ^= 1
    contents = Contents()
    list(contents.read(bytes(data), answers=1000))
    answers = contents.take()
    assert (len(answers), len(contents.damages)) == (2, 1)
    assert rows.predictions(contents, answers).is_empty()


def test_a_journal_of_another_kind_may_use_the_same_files(tmp_path: Path) -> None:
    journal = Journal(tmp_path)
    journal.append([b"B" + b"bar"])
    journal.stop()
    contents = read(tmp_path)
    assert len(contents.take()) == 0


def test_a_forecast_whose_first_write_failed_is_introduced_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    settings = home(tmp_path)
    model(settings)
    answering = service(settings, vector())
    ledger: Ledger = answering.ledger

    def full(*_: object) -> int:
        raise OSError(errno.ENOSPC, "No space left on device")

    with monkeypatch.context() as patched:
        patched.setattr(os, "write", full)
        with pytest.raises(LedgerUnavailable, match="No space left on device"):
            answering.predict(ask())
    told = answering.predict(ask()).id
    contents = read(ledger.journal.folder)
    assert rows.predictions(contents, contents.take())["id"].to_list() == [told]
