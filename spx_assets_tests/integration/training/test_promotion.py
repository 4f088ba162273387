"""Training and promotion through a lake: what is written, who is served, and that older weeks change neither."""

from concurrent.futures import ThreadPoolExecutor
from datetime import date, timedelta

import numpy as np
import polars as pl
import pytest

from spx_assets import calendar
from spx_assets.lake import Lake
from spx_assets.lake.records import newest
from spx_assets.scoring import artifact, current
from spx_assets.scoring.forecaster import Forecaster
from spx_assets.settings import Settings
from spx_assets.sources import feeds
from spx_assets.training import promotion, rivalry, train
from spx_assets.training.errors import NoCandidateError, NotEnoughRowsError, UnknownModelError

NAME = "spx500_h30"
LAST = date(2025, 10, 12)
OLDER = date(2025, 9, 28)


def trained(settings: Settings, week: date = LAST) -> train.TrainedVersion:
    return train.train(Lake.open(settings), settings, name=NAME, family="lightgbm", week=week, run_id="run", inputs_hash="inputs")


def decided(settings: Settings, week: date = LAST) -> promotion.Decision:
    return promotion.decide(Lake.open(settings), settings, name=NAME, week=week, run_id="run", inputs_hash="inputs")


def served(settings: Settings) -> current.Current:
    found = current.read(settings.artifacts, NAME)
    assert found is not None
    return found


def test_a_version_is_promoted_and_its_copy_is_not(home: Settings):
    lake = Lake.open(home)
    first = trained(home)
    assert decided(home).summary()["verdict"] == "promoted"
    assert (served(home).champion, served(home).generation) == (first.version, 1)
    assert artifact.load(first.folder).verdict.verdict == "promoted"

    again = trained(home)
    assert again.version > first.version
    assert again.row["training_hash"] == first.row["training_hash"]
    assert (again.folder / "model.onnx").read_bytes() == (first.folder / "model.onnx").read_bytes()
    verdict = decided(home)
    assert verdict.rows[0]["verdict"] == "kept_champion"
    assert verdict.rows[0]["reason"] == f"its forecasts are those of champion {first.version}"
    assert verdict.rows[0]["tests"] == 2
    assert (served(home).champion, served(home).challenger) == (first.version, again.version)
    assert again.row["parent_version"] == first.version

    clock = feeds.clocks(lake)["SPX500_USD"]
    assert promotion.champion_at(lake, name=NAME, at=clock) == first.version
    assert promotion.champion_at(lake, name=NAME, at=clock - timedelta(minutes=1)) is None
    record = newest(lake, "models.promotions", f"models/{NAME}/champion")[LAST]
    assert (record.rows, record.inputs_hash) == (1, "inputs")


def test_the_row_tells_what_the_manifest_tells(home: Settings):
    version = trained(home)
    manifest = artifact.load(version.folder).manifest
    row = Lake.open(home).read("models.versions").row(0, named=True)
    assert {name: row[name] for name in manifest.metrics} == manifest.metrics
    assert (row["digest"], row["training_hash"], row["features"]) == (
        manifest.digest,
        manifest.training_hash,
        len(manifest.features),
    )
    assert row["training_cutoff"] <= calendar.week_window(LAST)[1]
    assert row["calibration_end"] < manifest.segments["out_of_time"].start
    assert row["coverage"] > 0.99
    assert row["rmse_zero_bp"] > row["rmse_bp"]
    assert newest(Lake.open(home), "models.versions", f"models/{NAME}/lightgbm")[LAST].rows == 1


def test_an_older_week_appends_evidence_and_moves_nothing(home: Settings):
    older = trained(home, OLDER)
    before = decided(home, OLDER)
    assert before.rows[0]["moves_current"] is False
    assert current.read(home.artifacts, NAME) is None
    newest_version = trained(home)
    decided(home)
    standing = (home.artifacts / "models" / NAME / "current.json").read_bytes()
    again = trained(home, OLDER)
    verdict = decided(home, OLDER).rows[0]
    assert (home.artifacts / "models" / NAME / "current.json").read_bytes() == standing
    assert (verdict["moves_current"], verdict["served"], verdict["version"]) == (False, newest_version.version, again.version)
    rows = Lake.open(home).read("models.promotions")
    assert rows.sort("decided_at")["version"].to_list() == [older.version, newest_version.version, again.version]
    assert promotion.champion_at(Lake.open(home), name=NAME, at=calendar.week_window(LAST)[1]) == newest_version.version


def test_two_weeks_trained_and_judged_at_once_leave_one_registry(home: Settings):
    def both(week: date) -> promotion.Decision:
        trained(home, week)
        return decided(home, week)

    with ThreadPoolExecutor(2) as pool:
        older, last = pool.map(both, (OLDER, LAST))
    assert not older.rows[0]["moves_current"]
    assert served(home).champion == last.rows[0]["version"]
    rows = Lake.open(home).read("models.promotions")
    assert sorted(rows["tests"].to_list()) == [1, 2]
    assert Lake.open(home).read("models.versions")["version"].n_unique() == 2
    assert not list((home.artifacts / "models" / NAME).glob(".2*"))


def test_champion_and_candidate_meet_on_rows_later_than_both_calibrations(home: Settings):
    older, last = trained(home, OLDER), trained(home)
    met = rivalry.compare(Lake.open(home), home, candidate=artifact.load(last.folder).manifest, champion=older.version)
    since = max(v.row["calibration_end"] for v in (older, last)) + timedelta(minutes=30)
    labels = (
        Lake.open(home)
        .read("gold.labels", start=since)
        .filter((pl.col("horizon_minutes") == 30) & pl.col("direction").is_not_null())
    )
    assert met is not None
    assert 0 < met.rows <= labels.height
    assert met.rows > 0.98 * labels.height
    assert not met.identical
    assert 0.0 < met.p_value < 1.0


def test_an_older_candidate_has_no_rows_against_a_champion_from_its_future(home: Settings):
    older, last = trained(home, OLDER), trained(home)
    met = rivalry.compare(Lake.open(home), home, candidate=artifact.load(older.folder).manifest, champion=last.version)
    assert (met.rows, met.identical) == (0, False)


def test_the_artifact_forecasts_what_was_judged(home: Settings):
    version = trained(home)
    ready = Forecaster.load(version.folder)
    assert len(ready.manifest.golden) == 8
    X = np.full((3, len(ready.manifest.features)), np.nan, dtype=np.float32)
    answer = ready.predict(X)
    assert np.all((answer.probability_up > 0) & (answer.probability_up < 1))
    assert not ready.known(X).any()


def test_what_cannot_be_trained_or_judged_says_what_to_do(home: Settings):
    lake = Lake.open(home)
    with pytest.raises(NoCandidateError, match="spx train spx500_h30 --week 2025-10-12"):
        decided(home)
    with pytest.raises(UnknownModelError, match="spx500_h30, spx500_h60"):
        train.train(lake, home, name="dax_h30", family="lightgbm", week=LAST, run_id="run")
    with pytest.raises(UnknownModelError, match="may name lightgbm"):
        train.train(lake, home, name=NAME, family="oracle", week=LAST, run_id="run")
    with pytest.raises(NotEnoughRowsError, match="spx backfill gold/market_features gold/labels"):
        trained(home, date(2020, 1, 5))
    assert lake.read("models.versions").height == 0
    assert not (home.artifacts / "models" / NAME).exists() or not list((home.artifacts / "models" / NAME).glob("2*"))
