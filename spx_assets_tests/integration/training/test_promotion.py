"""Training and promotion through a lake: what is written, who is served, and that older weeks change neither."""

from concurrent.futures import ThreadPoolExecutor
from datetime import date, datetime, timedelta
from pathlib import Path

import numpy as np
import polars as pl
import pytest

from spx_assets import calendar
from spx_assets.lake import Chunk, Lake
from spx_assets.lake.records import newest
from spx_assets.scoring import artifact, current
from spx_assets.scoring.forecaster import Forecaster
from spx_assets.scoring.manifest import Manifest
from spx_assets.scoring.walk_forward import History
from spx_assets.settings import LinearSettings, Settings
from spx_assets.sources import bindings, feeds
from spx_assets.training import catalogue, manual, promotion, rivalry, standing, train
from spx_assets.training.errors import ManualDecisionError, NoCandidateError, NotEnoughRowsError, UnknownModelError
from spx_assets_tests.integration.sources.test_feeds import candle_file
from spx_assets_tests.integration.training.conftest import LAST, NAME, OLDER, train_week


def decided(settings: Settings, week: date = LAST) -> promotion.Decision:
    return promotion.decide(Lake.open(settings), settings, name=NAME, week=week, run_id="run", inputs_hash="inputs")


def served(settings: Settings) -> current.Current:
    found = current.read(settings.artifacts, NAME)
    assert found is not None
    return found


def instants(*at: datetime) -> pl.Series:
    return pl.Series(at, dtype=pl.Datetime("us", "UTC"))


def manifest_of(settings: Settings, version: str) -> Manifest:
    return artifact.load(artifact.folder(settings.artifacts, NAME, version)).manifest


def test_a_version_is_promoted_and_its_copy_is_not(home: Settings, taught: tuple[Path, str, str]):
    lake, first = Lake.open(home), taught[2]
    assert decided(home).summary()["verdict"] == "promoted"
    assert (served(home).champion, served(home).generation) == (first, 1)
    verdict = artifact.load(artifact.folder(home.artifacts, NAME, first)).verdict
    assert verdict is not None
    assert verdict.verdict == "promoted"

    again = train_week(home)
    assert again.version > first
    assert again.row["training_hash"] == manifest_of(home, first).training_hash
    assert (again.folder / "model.onnx").read_bytes() == (again.folder.parent / first / "model.onnx").read_bytes()
    copied = decided(home).rows[0]
    assert copied["verdict"] == "kept_champion"
    assert copied["reason"] == f"its forecasts are those of champion {first}"
    assert copied["tests"] == 2
    assert (served(home).champion, served(home).challenger) == (first, again.version)
    assert again.row["parent_version"] == first

    clock = feeds.clocks(lake)["SPX500_USD"]
    told = History.read(lake, lake.snapshot()).champion_at(NAME, instants(clock, clock - timedelta(minutes=1)))
    assert told.to_list() == [first, None]
    record = newest(lake, "models.promotions", f"models/{NAME}/champion")[LAST]
    assert (record.rows, record.inputs_hash) == (1, "inputs")


def test_the_row_tells_what_the_manifest_tells(home: Settings, taught: tuple[Path, str, str]):
    lake, manifest = Lake.open(home), manifest_of(home, taught[2])
    row = lake.read("models.versions").filter(pl.col("version") == taught[2]).row(0, named=True)
    assert {name: row[name] for name in manifest.metrics} == manifest.metrics
    assert (row["digest"], row["training_hash"]) == (manifest.digest, manifest.training_hash)
    assert row["features"] == len(manifest.features)
    assert row["training_cutoff"] <= calendar.week_window(LAST)[1]
    assert row["calibration_end"] < manifest.segments["out_of_time"].start
    assert row["coverage"] > 0.99
    assert row["rmse_zero_bp"] > row["rmse_bp"]
    assert newest(lake, "models.versions", f"models/{NAME}/lightgbm")[LAST].rows == 1


def test_an_older_week_appends_evidence_and_moves_nothing(home: Settings, taught: tuple[Path, str, str]):
    _, older, last = taught
    assert decided(home, OLDER).rows[0]["moves_current"] is False
    assert current.read(home.artifacts, NAME) is None
    decided(home)
    standing = (home.artifacts / "models" / NAME / "current.json").read_bytes()
    retrained = train_week(home, OLDER).version
    verdict = decided(home, OLDER).rows[0]
    assert (home.artifacts / "models" / NAME / "current.json").read_bytes() == standing
    assert (verdict["moves_current"], verdict["served"], verdict["version"]) == (False, last, retrained)
    lake = Lake.open(home)
    assert lake.read("models.promotions").sort("decided_at")["version"].to_list() == [older, last, retrained]
    at = instants(calendar.week_window(LAST)[1])
    assert History.read(lake, lake.snapshot()).champion_at(NAME, at).to_list() == [last]


def test_what_was_served_of_a_replaced_feed_gives_way_to_the_first_version_of_the_new_one(
    home: Settings, taught: tuple[Path, str, str], tmp_path: Path
):
    """The new feed ends before the former champion's week, and before the weeks of its training."""
    former, lake = taught[2], Lake.open(home)
    assert decided(home).rows[0]["served"] == former
    clock = feeds.clocks(lake)["SPX500_USD"]
    real = candle_file(tmp_path, "real.csv", start=calendar.week_window(OLDER)[0] + timedelta(days=1))
    feeds.import_file(lake, real, instrument="SPX500_USD", replace=True)

    assert standing.restore(lake, home, name=NAME).champion is None
    assert History.read(lake, lake.snapshot()).chosen(LAST + timedelta(weeks=1)).is_empty()
    assert History.read(lake, lake.snapshot()).champion_at(NAME, instants(clock)).to_list() == [None]
    assert "champion" not in catalogue.listing(lake, home, NAME)["status"]
    with pytest.raises(NoCandidateError):
        decided(home)
    with pytest.raises(ManualDecisionError, match="another has replaced since; train the model again with `spx train`"):
        manual.promote(lake, home, version=former, reason="it was good")
    with pytest.raises(ManualDecisionError, match="no other champion before"):
        manual.rollback(lake, home, name=NAME, reason="it was good")

    first = train_week(home, OLDER).version
    assert manifest_of(home, first).feeds == bindings.in_force(lake)
    row = decided(home, OLDER).rows[0]
    assert (row["verdict"], row["moves_current"], row["champion_before"]) == ("no_edge", True, None)
    assert (served(home).champion, served(home).flagged, served(home).generation) == (None, first, 2)
    assert catalogue.best(lake, home)["version"].to_list() == [first]


def test_two_weeks_trained_and_judged_at_once_leave_one_registry(untaught_home: Settings):
    home = untaught_home

    def both(week: date) -> promotion.Decision:
        train_week(home, week)
        return decided(home, week)

    with ThreadPoolExecutor(2) as pool:
        older, last = pool.map(both, (OLDER, LAST))
    assert not older.rows[0]["moves_current"]
    assert served(home).champion == last.rows[0]["version"]
    rows = Lake.open(home).read("models.promotions")
    assert sorted(rows["tests"].to_list()) == [1, 2]
    assert Lake.open(home).read("models.versions")["version"].n_unique() == 2
    assert not list((home.artifacts / "models" / NAME).glob(".2*"))


def test_champion_and_candidate_meet_on_rows_later_than_both_calibrations(home: Settings, taught: tuple[Path, str, str]):
    _, older, last = taught
    met = rivalry.compare(Lake.open(home), home, candidate=manifest_of(home, last), champion=older)
    since = max(manifest_of(home, version).segments["calibration"].end for version in (older, last)) + timedelta(minutes=30)
    labels = Lake.open(home).read("gold.labels", start=since)
    told = labels.filter((pl.col("horizon_minutes") == 30) & pl.col("direction").is_not_null()).height
    assert met is not None
    assert 0.98 * told < met.rows <= told
    assert not met.identical
    assert 0.0 < met.p_value < 1.0


def test_an_older_candidate_has_no_rows_against_a_champion_from_its_future(home: Settings, taught: tuple[Path, str, str]):
    met = rivalry.compare(Lake.open(home), home, candidate=manifest_of(home, taught[1]), champion=taught[2])
    assert met is not None
    assert (met.rows, met.identical) == (0, False)


def test_a_candidate_of_fewer_features_is_compared_with_a_champion_of_all(home: Settings, taught: tuple[Path, str, str]):
    decided(home)
    fewer = home.model_copy(update={"models": home.models.model_copy(update={"features": {NAME: ("returns", "volatility")}})})
    narrow = train_week(fewer)
    met = rivalry.compare(Lake.open(fewer), fewer, candidate=manifest_of(home, narrow.version), champion=taught[2])
    assert met is not None
    assert (met.rows > 500, met.identical) == (True, False)
    assert 0.0 <= met.p_value <= 1.0
    # By a setting of today the champion's features are no longer made: it is there, but no rival.
    judged = decided(fewer.model_copy(update={"lookback_days": 2})).rows[0]
    assert (judged["version"], judged["verdict"], judged["champion_before"]) == (narrow.version, "promoted", taught[2])
    assert f"champion {taught[2]} is no rival: {taught[2]} was trained with a look-back of 3 trading days" in judged["reason"]


def test_a_candidate_that_forecasts_too_few_rows_is_ranked_after_one_that_knows_nothing(untaught_home: Settings):
    """An input of the better one is null in every tenth bar of the last week, which holds the out-of-time rows."""
    home, lake = untaught_home, Lake.open(untaught_home)
    rows = lake.read("gold.market_features", start=calendar.week_window(LAST)[0])
    gone = pl.when(pl.int_range(pl.len()) % 10 > 0).then(pl.col("hist_vol_50")).alias("hist_vol_50")
    lake.replace(
        "gold.market_features",
        Chunk((LAST,), rows.with_columns(gone)),
        asset="gold/market_features",
        run_id="x",
        read_snapshot=lake.snapshot(),
        inputs_hashes={LAST: "x"},
    )
    partial = train_week(home).row
    ignorant = home.models.model_copy(
        update={"features": {NAME: ("returns",)}, "linear": LinearSettings(penalties=(1e9,), max_passes=1)}
    )
    ignorant_home = home.model_copy(update={"models": ignorant})
    whole = train.train(lake, ignorant_home, name=NAME, family="linear", week=LAST, run_id="run").row
    assert partial["log_loss_calibration"] < whole["log_loss_calibration"] - 0.01
    assert (round(partial["coverage"], 2), whole["coverage"]) == (0.9, 1.0)
    told = decided(home).rows
    assert [(row["family"], row["rank"], row["verdict"]) for row in told] == [
        ("linear", 1, "no_edge"),
        ("lightgbm", 2, "not_entered"),
    ]
    share = f"{partial['coverage']:.1%}"
    assert told[1]["reason"] == f"ranked 2: forecasts {share} of the rows, 95% are asked for; only the first enters"


def test_the_artifact_forecasts_no_row_that_lacks_a_required_input(home: Settings, taught: tuple[Path, str, str]):
    ready = Forecaster.load(artifact.folder(home.artifacts, NAME, taught[2]))
    assert len(ready.manifest.golden) == 8
    assert len(ready.manifest.medians) == len(ready.manifest.features)
    X = np.full((3, len(ready.manifest.features)), np.nan, dtype=np.float32)
    assert not ready.forecastable(X, np.ones(len(X), np.int64)).any()
    assert np.all(np.isfinite(ready.predict(X).probability_up))


def test_what_cannot_be_trained_or_judged_says_what_to_do(untaught_home: Settings):
    home, lake = untaught_home, Lake.open(untaught_home)
    with pytest.raises(NoCandidateError, match="spx train spx500_h30 --week 2025-10-12"):
        decided(home)
    with pytest.raises(UnknownModelError, match="spx500_h30, spx500_h60"):
        train.train(lake, home, name="dax_h30", family="lightgbm", week=LAST, run_id="run")
    with pytest.raises(UnknownModelError, match="may name lightgbm"):
        train.train(lake, home, name=NAME, family="oracle", week=LAST, run_id="run")
    with pytest.raises(NotEnoughRowsError, match="spx backfill gold/market_features gold/labels"):
        train_week(home, date(2020, 1, 5))
    assert lake.read("models.versions").height == 0
    assert not list((home.artifacts / "models" / NAME).glob("2*"))
