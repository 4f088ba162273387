"""Intervals follow their coverage alike in forecasts of weeks, in answers of now and of the past, and look at no later label."""

import shutil
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import polars as pl
import pytest

from spx_assets import calendar
from spx_assets.labels import batch as labelling
from spx_assets.lake import Chunk, Chunks, Lake, tables
from spx_assets.scoring import walk_forward
from spx_assets.scoring.manifest import Segment
from spx_assets.settings import Settings
from spx_assets.sources import feeds
from spx_assets_tests.integration.serving import homes, pasts
from spx_assets_tests.unit.serving.test_requests import wanted

WEEK = date(2025, 10, 12)
START = calendar.week_window(WEEK)[0]
VERSION = "20251012T210000Z-0001"
QUANTILES = {"0.5": (3.0,), "0.8": (5.0,), "0.9": (6.0,), "0.95": (7.0,), "0.99": (9.0,)}
"""Too narrow for the simulated market: levels rise day by day."""


@pytest.fixture(scope="module")
def forecasted(market: tuple[Path, pl.DataFrame], tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A home of a live market whose labels are known, with a champion trained before its last week and forecasts."""
    home = Path(shutil.copytree(market[0], tmp_path_factory.mktemp("levels") / "home"))
    found = homes.settings_of(home)
    segment = {"out_of_time": Segment(START - timedelta(days=30), START, 1)}
    made = homes.model(found, version=VERSION, training_cutoff=START, conformal_quantiles=QUANTILES, segments=segment)
    pasts.rebind(found, live=True)
    lake = Lake.open(found)
    homes.commit(lake, "gold.labels", labelling.by_week(homes.window(lake, "bronze.candles"), clocks=feeds.clocks(lake)))
    blank = {"VARCHAR": "", "BIGINT": 0, "INTEGER": 30, "TIMESTAMPTZ": START, "DATE": WEEK}
    known = {"model_name": "spx500_h30", "family": "lightgbm", "version": VERSION, "digest": made.manifest.digest}
    row = {column.name: known.get(column.name, blank.get(column.type)) for column in tables.VERSIONS.columns}
    lake.append("models.versions", pl.DataFrame([row], schema=tables.VERSIONS.schema()))
    forecast(lake)
    lake.close()
    return home


@pytest.fixture
def settings(forecasted: Path, tmp_path: Path) -> Settings:
    """Settings of a copy of that home."""
    return homes.settings_of(Path(shutil.copytree(forecasted, tmp_path / "home")))


def forecast(lake: Lake) -> None:
    inputs = (homes.window(lake, f"gold.{name}") for name in ("market_features", "news_signals", "labels"))
    homes.commit(lake, "gold.forecasts", walk_forward.forecasts(*inputs))


def spoil(lake: Lake, start: datetime) -> None:
    """Other outcomes of every bar from `start` on."""
    weeks = (WEEK - timedelta(days=7), WEEK)
    other = pl.when(pl.col("ts") >= start).then(pl.col("return_bp") * 50 + 77).otherwise(pl.col("return_bp"))
    homes.commit(lake, "gold.labels", Chunks([Chunk(weeks, lake.read("gold.labels").with_columns(return_bp=other))]))
    forecast(lake)


def stored(lake: Lake) -> dict[datetime, tuple[float, float]]:
    found = lake.read("gold.forecasts", columns=["ts", "interval_low_bp", "interval_high_bp"])
    return {ts: (low, high) for ts, low, high in found.iter_rows()}


def test_an_answer_has_the_interval_of_the_weeks_forecasts_now_and_when_asked_later(settings: Settings) -> None:
    lake = Lake.open(settings)
    levels = lake.read("models.interval_levels").sort("trading_day")
    assert levels["trading_day"].to_list() == [date(2025, 10, day) for day in (13, 14, 15, 16, 17)]
    assert levels["asked"][2] > levels["asked"][1] > levels["asked"][0] > 0.9
    assert (levels["known_at"] <= levels["ts"]).all()
    service, made = pasts.at(settings, pasts.AT), stored(lake)
    then = service.predict(wanted())
    low, high = made[then.timestamp]
    assert (then.interval_bp.low, then.interval_bp.high, then.interval_bp.level) == pytest.approx((low, high, 0.9), abs=1e-9)
    assert high - low > 2 * 6.0 + 0.5  # wider than at the nominal level
    assert pasts.asked(settings, pasts.AT).interval_bp == then.interval_bp
    for earlier in (datetime(2025, 10, 13, 15, tzinfo=UTC), datetime(2025, 10, 14, 15, tzinfo=UTC)):
        answer = pasts.asked(settings, earlier)
        assert (answer.interval_bp.low, answer.interval_bp.high) == pytest.approx(made[answer.timestamp], abs=1e-9)
    given = dict.fromkeys(service.models.models["spx500_h30"].manifest.features, 0.5)
    of_caller = service.predict(wanted(features=given))
    assert of_caller.interval_bp.high - of_caller.interval_bp.low == pytest.approx(high - low)


def test_labels_that_became_known_later_change_no_interval_of_before(settings: Settings) -> None:
    lake = Lake.open(settings)
    before, day = stored(lake), calendar.day_window(date(2025, 10, 14))[0]
    service = pasts.at(settings, pasts.AT)
    then = service.predict(wanted()).interval_bp
    spoil(lake, day)
    after = stored(lake)
    known = [ts for ts in before if ts < day + timedelta(days=1)]
    assert len(known) > 2_000
    assert all(after[ts] == before[ts] for ts in known)
    assert all(after[ts] != before[ts] for ts in before if ts not in set(known))
    service.look()  # the lake says otherwise of the 14th now, so of the 15th
    assert service.predict(wanted()).interval_bp.high > then.high


def test_a_version_without_forecasts_answers_at_the_level_it_promises(settings: Settings) -> None:
    homes.model(settings, version="20251015T160000Z-0002", training_cutoff=pasts.END, conformal_quantiles=QUANTILES)
    answer = pasts.at(settings, pasts.AT).predict(wanted()).interval_bp
    assert answer.high - answer.low == pytest.approx(12.0)
