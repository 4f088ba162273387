"""gold/forecasts from a real lake and real artifacts: the right version for each week, literal values, nothing from later."""

import dataclasses
import shutil
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest

from spx_assets import calendar
from spx_assets.features import catalog
from spx_assets.lake import Chunk, Lake, Window, tables
from spx_assets.lake.errors import LookbackMissingError
from spx_assets.news import signals
from spx_assets.scoring import artifact, outcomes, walk_forward
from spx_assets.scoring.errors import ArtifactAlteredError, ArtifactMissingError
from spx_assets.settings import Settings
from spx_assets_tests.unit.news import scored
from spx_assets_tests.unit.scoring import toy

WEEKS = (date(2025, 9, 7), date(2025, 9, 14), date(2025, 9, 21))
FEATURES = ("return_1", "return_5")
OPENS = [calendar.week_window(week)[0] for week in WEEKS]


def commit(lake: Lake, table: str, asset: str, frame: pl.DataFrame) -> None:
    chunk = Chunk(WEEKS, frame)
    hashes = dict.fromkeys(WEEKS, "inputs")
    lake.replace(table, chunk, asset=asset, run_id="run", read_snapshot=lake.snapshot(), inputs_hashes=hashes)


def features(lake: Lake) -> None:
    """Ten bars on the Tuesday of each week for two instruments: return_1 is the bar's number, return_5 null on its third bar."""
    rows = [
        {
            "instrument": name,
            "ts": start + timedelta(days=1, minutes=k),
            "return_1": float(k),
            "return_5": None if k == 2 else 1.0,
        }
        for name in ("EUR_USD", "SPX500_USD")
        for start in OPENS
        for k in range(10)
    ]
    schema = tables.market_features().schema()
    frame = pl.DataFrame(rows, schema_overrides={name: kind for name, kind in schema.items() if name in rows[0]})
    day = frame.with_columns(trading_day=calendar.trading_day_expr(pl.col("ts")))
    missing = [pl.lit(None, kind).alias(name) for name, kind in schema.items() if name not in day.columns]
    commit(lake, "gold.market_features", "gold/market_features", day.with_columns(missing).select(list(schema)))


def trained(
    lake: Lake,
    settings: Settings,
    version: str,
    cutoff: datetime,
    *,
    bias: float,
    features: tuple[str, ...] = FEATURES,
    **changes: Any,
) -> dict[str, Any]:
    """An artifact and its row in models.versions."""
    described = toy.manifest(
        features,
        **({"version": version, "training_cutoff": cutoff, "feature_set_hash": catalog.feature_set_hash(features)} | changes),
    )
    made = toy.write(settings.artifacts, described, (1.0, 1.0), bias=bias).manifest
    known = {
        "model_name": made.name,
        "family": made.family,
        "week": calendar.week_of(cutoff),
        "ts": calendar.week_window(calendar.week_of(cutoff))[0],
        "version": version,
        "created_at": datetime(2025, 10, 1, tzinfo=UTC),
        "horizon_minutes": 30,
        "instruments": "SPX500_USD",
        "training_start": cutoff - timedelta(days=90),
        "training_cutoff": cutoff,
        "calibration_end": cutoff - timedelta(days=9),
        "digest": made.digest,
    }
    blank = {"VARCHAR": "", "BIGINT": 0, "INTEGER": 0}
    return {c.name: known.get(c.name, None if c.nullable else blank.get(c.type)) for c in tables.VERSIONS.columns}


@pytest.fixture(scope="module")
def traded(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A home with gold/market_features and nothing else."""
    home = tmp_path_factory.mktemp("forecasts") / "home"
    lake = Lake.open(Settings(home=home))
    features(lake)
    lake.close()
    return home


@pytest.fixture
def settings(traded: Path, tmp_path: Path) -> Settings:
    """Settings of a copy of that home."""
    shutil.copytree(traded, tmp_path / "copy")
    return Settings(home=tmp_path / "copy")


def window(settings: Settings, rows: list[dict[str, Any]], weeks: tuple[date, ...] = WEEKS) -> Window:
    lake = Lake.open(settings)
    if rows:
        lake.append("models.versions", pl.DataFrame(rows, schema=tables.VERSIONS.schema()))
    start, end = calendar.week_window(weeks[0])[0], calendar.week_window(weeks[-1])[1]
    return Window(lake, tables.market_features(), start, end, weeks, lake.snapshot())


def made(source: Window) -> pl.DataFrame:
    return pl.concat(chunk.frame for chunk in walk_forward.forecasts(source))


def two_versions(settings: Settings) -> list[dict[str, Any]]:
    lake = Lake.open(settings)
    return [
        trained(lake, settings, "v1", OPENS[1], bias=0.0),
        trained(lake, settings, "v2", OPENS[1] + timedelta(days=3), bias=100.0),
    ]


def test_each_week_is_forecast_by_the_version_trained_before_it_began(settings: Settings) -> None:
    found = made(window(settings, two_versions(settings)))
    assert dict(found.schema) == tables.FORECASTS.schema()
    assert found["instrument"].unique().to_list() == ["SPX500_USD"]
    weeks = (
        found.with_columns(week=calendar.week_expr(pl.col("trading_day")))
        .group_by("week")
        .agg(pl.col("version").unique(), pl.len())
    )
    assert sorted(weeks.rows()) == [(WEEKS[1], ["v1"], 10), (WEEKS[2], ["v2"], 10)]
    assert found["expected_return_bp"].to_list()[:4] == [1.0, 2.0, 2.0, 4.0]  # return_1 + return_5, null as 0 in the toy graph
    assert found["interval_high_bp"].to_list()[0] == 13.5
    assert found["expected_return_bp"].to_list()[10] == 101.0
    np.testing.assert_allclose(found["probability_up"][0], 1 / (1 + np.exp(-1.0)), atol=1e-6)
    assert not found["is_champion"].any()


def test_a_row_without_a_required_input_is_left_out(settings: Settings) -> None:
    row = trained(Lake.open(settings), settings, "v1", OPENS[0], bias=0.0, required=("return_5",))
    found = made(window(settings, [row], WEEKS[:1]))
    assert found["expected_return_bp"].to_list() == [1.0, 2.0, 4.0, 5.0, 6.0, 7.0, 8.0, 9.0, 10.0]


def test_the_champion_is_marked_from_the_bar_at_which_it_was_served(settings: Settings) -> None:
    source = window(settings, two_versions(settings)[:1])
    moment = OPENS[1] + timedelta(days=1, minutes=4)
    move = {
        "model_name": "spx500_h30",
        "week": WEEKS[0],
        "decided_at": moment,
        "effective_at": moment,
        "family": "lightgbm",
        "version": "v1",
        "verdict": "promoted",
        "reason": "",
        "direction_ok": True,
        "return_ok": True,
        "moves_current": True,
        "champion_after": "v1",
        "served": "v1",
        "rank": 1,
        "tests": 1,
    }
    row = {name: move.get(name) for name in tables.PROMOTIONS.schema()}
    source.lake.append("models.promotions", pl.DataFrame([row], schema=tables.PROMOTIONS.schema()))
    after = Window(source.lake, source.table, source.start, source.end, WEEKS[1:2], source.lake.snapshot())
    assert made(after)["is_champion"].to_list() == [False] * 4 + [True] * 6
    before = walk_forward.fingerprints(source.lake, WEEKS, snapshot=source.snapshot)
    now = walk_forward.fingerprints(source.lake, WEEKS, snapshot=after.snapshot)
    assert [before[week] == now[week] for week in WEEKS] == [True, False, False]


def test_no_version_no_rows(settings: Settings) -> None:
    chunks = list(walk_forward.forecasts(window(settings, [])))
    assert [(chunk.weeks, chunk.frame.height) for chunk in chunks] == [(WEEKS, 0)]


def test_a_version_of_redefined_features_makes_no_forecasts(settings: Settings, caplog: pytest.LogCaptureFixture) -> None:
    row = trained(Lake.open(settings), settings, "v1", OPENS[0], bias=0.0, feature_set_hash="0" * 16)
    assert made(window(settings, [row])).height == 0
    assert "trained on other feature definitions" in caplog.text


def test_a_version_of_another_look_back_makes_no_forecasts(settings: Settings, caplog: pytest.LogCaptureFixture) -> None:
    row = trained(Lake.open(settings), settings, "v1", OPENS[0], bias=0.0, lookback_days=5)
    assert made(window(settings, [row])).height == 0
    assert "look-back of 5 trading days" in caplog.text


WITH_NEWS = ("return_1", "article_count")


def heard(lake: Lake) -> None:
    """An article two minutes after the first bar of each week, for one instrument."""
    bars = lake.read("gold.market_features", columns=signals.BAR)
    told = [scored.article(start + timedelta(days=1, minutes=2), article_id=str(start)) for start in OPENS]
    commit(lake, "gold.news_signals", "gold/news_signals", signals.signals(bars, scored.frame(told)))


def signals_of(source: Window, **changes: Any) -> Window:
    return dataclasses.replace(source, table=tables.table("gold.news_signals"), **{"snapshot": source.lake.snapshot(), **changes})


def test_a_version_that_learned_from_news_forecasts_from_the_signals_of_its_bars(settings: Settings) -> None:
    row = trained(Lake.open(settings), settings, "v1", OPENS[0], bias=0.0, features=WITH_NEWS)
    source = window(settings, [row], WEEKS[:1])
    heard(source.lake)
    found = pl.concat(chunk.frame for chunk in walk_forward.forecasts(source, signals_of(source)))
    assert found["expected_return_bp"].to_list() == [0.0, 1.0, 3.0, 4.0, 5.0, 6.0, 7.0, 8.0, 9.0, 10.0]


def test_weeks_without_signals_stop_only_who_learned_from_news(settings: Settings) -> None:
    lake = Lake.open(settings)
    market = window(settings, [trained(lake, settings, "v1", OPENS[0], bias=0.0)])
    assert pl.concat(chunk.frame for chunk in walk_forward.forecasts(market, signals_of(market, unmade=frozenset(WEEKS)))).height
    both = window(
        settings, [trained(lake, settings, "v2", OPENS[0] - timedelta(days=1), bias=0.0, family="linear", features=WITH_NEWS)]
    )
    with pytest.raises(LookbackMissingError, match="gold/news_signals was never made for 1 week"):
        list(walk_forward.forecasts(both, signals_of(both, unmade=frozenset(WEEKS[:1]))))


def test_a_version_of_news_makes_no_forecasts_where_no_forecaster_has_news(
    settings: Settings, caplog: pytest.LogCaptureFixture
) -> None:
    row = trained(Lake.open(settings), settings, "v1", OPENS[0], bias=0.0, features=WITH_NEWS)
    assert made(window(settings, [row])).height == 0
    assert "learned from news, which SPX_MODELS__FEATURES gives no forecaster" in caplog.text


def test_a_missing_or_altered_artifact_stops_the_step(settings: Settings) -> None:
    source = window(settings, two_versions(settings))
    folder = artifact.folder(settings.artifacts, "spx500_h30", "v1")
    _damage(folder / "model.onnx")
    with pytest.raises(ArtifactAlteredError):
        made(source)
    (folder / "model.onnx").unlink()
    with pytest.raises(ArtifactMissingError):
        made(source)


def _damage(path: Path) -> None:
    path.write_bytes(path.read_bytes()[:-1])


def test_weeks_alone_equal_the_range_and_scores_count_what_has_a_label(settings: Settings) -> None:
    source = window(settings, two_versions(settings))
    whole = made(source)
    for week in WEEKS:
        start, end = calendar.week_window(week)
        alone = Window(source.lake, source.table, start, end, (week,), source.snapshot)
        assert made(alone).equals(whole.filter(pl.col("ts").is_between(start, end, closed="left")))
    commit(source.lake, "gold.forecasts", "gold/forecasts", whole)
    # Up on the four highest forecasts of the second week but one: each of the 4 loses to that one, 20 of 24 pairs are right.
    second = whole.filter(version="v1")
    up = [False] * 5 + [True] * 4 + [False]
    labels = second.select("instrument", "ts", "trading_day", "horizon_minutes").with_columns(
        pl.lit(100.0).alias("entry"),
        pl.lit(100.0).alias("exit"),
        pl.lit(0.0).alias("return_bp"),
        pl.Series("direction", up).cast(pl.Int8),
        (pl.col("ts") + pl.duration(minutes=31)).alias("label_end"),
    )
    commit(source.lake, "gold.labels", "gold/labels", labels)
    numbers = outcomes.scores(source.lake).row(0, named=True)
    # Four up among ten: the best constant probability loses the entropy of 0.4. One day tells no spread between days.
    p = second["probability_up"].to_list()
    losses = [-np.log(p[k] if up[k] else 1 - p[k]) for k in range(10)]
    assert numbers == {
        **{"model_name": "spx500_h30", "family": "lightgbm", "rows": 20, "labelled": 10, "days": 1},
        **{"auc": pytest.approx(20 / 24), "auc_low": None, "auc_high": None},
        **{"log_loss": pytest.approx(np.mean(losses)), "log_loss_base": pytest.approx(0.6730116670092565)},
    }
