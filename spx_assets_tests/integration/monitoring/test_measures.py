"""Everything that is measured of a week, from a lake with a served model: rows that pass their contracts, and say what is so."""

import os
import shutil
import subprocess
import time
from collections.abc import Iterator
from datetime import date, timedelta
from typing import Any

import numpy as np
import polars as pl
import pytest

from spx_assets import calendar
from spx_assets.lake import Chunks, Lake, Window
from spx_assets.lake.serving_tables import OUTCOMES, PREDICTIONS, VECTORS
from spx_assets.lake.tables import table
from spx_assets.monitoring import data_quality, feature_drift, occlusion, output_drift, performance, reference, report, served
from spx_assets.scoring import artifact, walk_forward
from spx_assets.settings import GateSettings, LightGBMSettings, ModelSettings, Settings, SimulatorSettings
from spx_assets.training import promotion, train
from spx_assets_tests.integration.training import spine

NAME, OLDER, LAST = "spx500_h30", date(2025, 9, 28), date(2025, 10, 12)
MONDAY = date(2025, 10, 13)


@pytest.fixture(scope="module")
def lake(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Lake]:
    """A market of 35 days whose model of two weeks ago has been served since, and answered fifty times on the last Monday."""
    fast = LightGBMSettings(learning_rate=0.2, max_rounds=15, early_stopping_rounds=15, threads=1)
    models = ModelSettings(gate=GateSettings(min_effective_obs=50.0), lightgbm=fast, families=("lightgbm",))
    home = tmp_path_factory.mktemp("monitoring") / "home"
    lake = Lake.open(Settings(home=home, simulator=SimulatorSettings(days=35, edge=4.0), models=models))
    spine.fill(lake)
    version = train.train(lake, lake.settings, name=NAME, family="lightgbm", week=OLDER, run_id="run")
    promotion.decide(lake, lake.settings, name=NAME, week=OLDER, run_id="run", inputs_hash="")
    moved = lake.read("models.promotions").with_columns(
        effective_at=pl.lit(calendar.week_window(OLDER)[1]), moves_current=pl.lit(True), served=pl.lit(version.version)
    )
    lake.upsert("models.promotions", moved)
    store(lake, "gold.forecasts", walk_forward.forecasts(*inputs(lake)))
    answer(lake, version)
    yield lake
    lake.close()


def window(lake: Lake, name: str, before: int) -> Window:
    start = calendar.week_window(LAST - timedelta(weeks=before))[0]
    return Window(lake, table(name), start, calendar.week_window(LAST)[1], (LAST,), lake.snapshot())


def inputs(lake: Lake) -> tuple[Window, Window]:
    return window(lake, "gold.market_features", 1), window(lake, "gold.news_signals", 1)


def store(lake: Lake, name: str, chunks: Chunks) -> pl.DataFrame:
    """Replaces the last week by what was made of it, contract and all, and reads it back."""
    for chunk in chunks:
        lake.replace(
            name,
            chunk,
            asset=name.replace(".", "/"),
            run_id="test",
            read_snapshot=lake.snapshot(),
            inputs_hashes=dict.fromkeys(chunk.weeks, "test"),
        )
    return lake.read(name)


def answer(lake: Lake, version: train.TrainedVersion) -> None:
    """Sixty forecasts of Monday noon as answers, half of them with the opposite of what came; their inputs beside them."""
    start = calendar.day_window(MONDAY)[0] + timedelta(hours=15)
    bars = {"start": start, "end": start + timedelta(minutes=60)}
    made = lake.read("gold.forecasts", **bars)
    labels = lake.read("gold.labels", **bars).filter(pl.col("horizon_minutes") == 30)
    rows = made.join(labels.select("ts", "return_bp", "direction"), on="ts").with_columns(prediction=pl.lit("up"))
    known: dict[str, Any] = {
        "id": pl.Series([f"id{k:03d}" for k in range(rows.height)]),
        "answered_at": pl.col("ts") + pl.duration(minutes=1),
        "model_version": pl.lit(version.version),
        "model_digest": pl.lit(version.digest),
        "probability": pl.col("probability_up"),
        "features_source": pl.lit("online"),
        "in_sample": pl.lit(False),
        "vector_digest": pl.format("d{}", pl.col("ts").dt.epoch("s")),
        "feature_set_hash": pl.lit("set"),
    }
    told = rows.with_columns(**known)
    lake.append(PREDICTIONS, filled(told, PREDICTIONS.schema()))
    ended = told.with_columns(status=pl.lit("settled"), realised_return_bp="return_bp", hit=pl.col("direction") == 1)
    lake.append(OUTCOMES, filled(ended, OUTCOMES.schema()))
    features = lake.read("gold.market_features", **bars)
    vectors = told.join(features.drop("instrument", "trading_day"), on="ts").with_columns(
        features=pl.struct(pl.col(features.columns[3:])).struct.json_encode()
    )
    lake.append(VECTORS, filled(vectors, VECTORS.schema()))


def filled(frame: pl.DataFrame, schema: dict[str, pl.DataType]) -> pl.DataFrame:
    """The columns of a contract; those nobody looks at here hold a value of their type."""
    blank = {pl.String(): "x", pl.Float64(): 0.5, pl.Boolean(): False, pl.Int32(): 30, pl.Int64(): 1}
    missing = {name: kind for name, kind in schema.items() if name not in frame.columns}
    stamps = pl.col("ts")
    return frame.with_columns(
        **{name: pl.lit(blank[kind], kind) if kind in blank else stamps.cast(kind) for name, kind in missing.items()}
    ).select(pl.col(name).cast(kind) for name, kind in schema.items())


def test_a_trained_version_keeps_a_small_reference_of_its_rows(lake: Lake) -> None:
    (folder,) = (artifact.root(lake.settings.artifacts) / NAME).glob("2*")
    kept = reference.read(artifact.load(folder))
    assert (folder / reference.FILE).stat().st_size < 300_000
    section = kept.of("inputs", "SPX500_USD")
    assert section is not None
    assert section.names == artifact.load(folder).manifest.features
    assert kept.of("target", "SPX500_USD") is not None
    forecasts = kept.of("forecasts", "SPX500_USD")
    assert forecasts is not None
    assert forecasts.names == ("expected_return_bp", "probability_up")
    owed = kept.of("attributions", "SPX500_USD")
    assert owed is not None
    assert 0 < len(owed.names) <= occlusion.MOST_INPUTS
    assert set(owed.names) <= set(section.names)


def test_each_input_has_a_row_a_day_and_each_day_a_verdict(lake: Lake) -> None:
    began = time.process_time()
    rows = store(lake, "monitoring.feature_drift", feature_drift.drift(*inputs(lake)))
    assert time.process_time() - began < 4.0
    days = [MONDAY, date(2025, 10, 14), date(2025, 10, 15)]
    assert rows["trading_day"].unique().sort().to_list() == days
    reports = lake.read("monitoring.drift_reports")
    assert reports["trading_day"].to_list() == days
    counted = rows.group_by("trading_day").agg(pl.len(), pl.col("drifted").sum()).sort("trading_day")
    assert reports["features"].to_list() == counted["len"].to_list()
    assert reports["drifted_features"].to_list() == counted["drifted"].to_list()
    clock = rows.filter(pl.col("feature").is_in(["time_of_day_sin", "minutes_to_day_end", "session_us"]))
    assert clock.height == 9
    assert not clock["drifted"].any()
    assert reports["as_of"].max() == spine.simulator.END
    newest = rows.filter(pl.col("trading_day") == days[-1]).sort("statistic", "feature", descending=[True, False])
    assert reports.select("worst_feature", "worst_statistic").row(-1) == newest.select("feature", "statistic").row(0)


def test_returns_forecasts_answers_and_their_inputs_are_measured(lake: Lake) -> None:
    target = store(lake, "monitoring.target_drift", output_drift.target(window(lake, "gold.labels", 1)))
    assert target["model_name"].unique().to_list() == [NAME]
    assert target.height == 3
    assert not target["drifted"].any()
    drift = store(lake, "monitoring.prediction_drift", output_drift.predictions(window(lake, "gold.forecasts", 1)))
    monday = drift.filter(pl.col("trading_day") == MONDAY)
    said = monday.filter(pl.col("share").is_null())
    assert said.select("source", "quantity").rows() == [
        ("forecasts", "expected_return_bp"),
        ("forecasts", "probability_up"),
        ("predictions", "expected_return_bp"),
        ("predictions", "probability_up"),
    ]
    inputs_of = monday.filter(pl.col("share").is_not_null())
    assert inputs_of["source"].to_list() == ["attributions", "vectors"]
    assert 20 <= inputs_of["rows"][0] <= 75
    assert monday.filter(pl.col("source") == "predictions")["rows"].to_list() == [60, 60]


def test_settled_answers_are_judged_beside_the_gate(lake: Lake) -> None:
    rows = store(lake, "monitoring.performance", performance.by_week(lake, [LAST]))
    (row,) = rows.filter(pl.col("trading_day") == MONDAY).rows(named=True)
    assert (row["model_name"], row["settled"], row["days"]) == (NAME, 60, 1)
    assert row["rmse_gate_bp"] > 0
    assert not row["degraded"]
    assert "fewer than 100" in row["reason"]


def test_quality_names_what_is_missing(lake: Lake) -> None:
    whole = store(lake, "monitoring.data_quality", data_quality.quality(window(lake, "gold.market_features", 4)))
    assert whole["passed"].to_list() == [True, True, True]
    assert whole["missing_bars"].max() < 0.02
    assert (whole["expected"] > 900).all()


def test_other_answers_and_another_served_version_make_the_week_stale(lake: Lake) -> None:
    before = served.fingerprints(lake, [OLDER, LAST], snapshot=lake.snapshot())
    assert before[LAST].endswith("-60-60")
    assert before[OLDER].endswith("-0-0")


def test_a_day_without_bars_asks_for_them_or_for_a_holiday(lake: Lake) -> None:
    features = lake.read("gold.market_features", start=calendar.week_window(LAST - timedelta(weeks=4))[0])
    ts = features["ts"].dt.timestamp("us").to_numpy()
    X = np.zeros((len(ts), 1), dtype=np.float32)
    before = data_quality._before(ts, X)
    clock = calendar.day_window(MONDAY)[1]
    rules = lake.settings.monitoring.quality
    found = data_quality._bars(np.empty(0, np.int64), before.expected, today=MONDAY, clock=clock, rules=rules)
    assert (found["missing_bars"], found["bars"]) == (1.0, 0)
    assert found["problems"] == ["no bars at all; import the day, or name it in SPX_CALENDAR__HOLIDAYS"]


@pytest.mark.long
def test_the_page_shows_what_drifted_and_says_what_it_was_drawn_from(lake: Lake) -> None:
    """Long for Evidently's import alone: 6 CPU s."""
    store(lake, "monitoring.feature_drift", feature_drift.drift(*inputs(lake)))
    pages, chunks = report.draw(window(lake, "monitoring.feature_drift", 0))
    chromium = shutil.which("chromium") or shutil.which("google-chrome")
    (row,) = store(lake, "monitoring.reports", Chunks(chunks)).rows(named=True)
    text = (lake.settings.home / row["path"]).read_text()
    assert [page.path for page in pages] == [lake.settings.home / "reports/drift/SPX500_USD-2025-10-15.html"]
    assert row["inputs"] == report.MOST_INPUTS
    assert 0 < row["rows"] <= lake.settings.monitoring.report_rows
    assert "Drawn from a sample of" in text
    assert "rows from 20 days of the training window" in text
    farthest = lake.read("monitoring.feature_drift").filter(pl.col("trading_day") == row["trading_day"]).sort("statistic")
    assert str(farthest["feature"][-1]) in text
    if chromium is None:
        if os.environ.get("SPX_REQUIRE_SERVICES") == "1":
            pytest.fail("SPX_REQUIRE_SERVICES is set and there is no chromium")
        pytest.skip("the page was drawn; no chromium is here to open it")
    asked = [chromium, "--headless=new", "--no-sandbox", "--disable-gpu", "--virtual-time-budget=20000", "--dump-dom"]
    shown = subprocess.run([*asked, pages[0].path.as_uri()], capture_output=True, text=True, timeout=120, check=True).stdout
    assert any(f">{name}<" in shown for name in farthest["feature"])
